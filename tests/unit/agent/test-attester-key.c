/* SPDX-License-Identifier: Apache-2.0 */
/* Derived keys through snp-attesterd: its own code in a child process, over a scripted kernel. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/attester/attester.h"
#include "agent/wire/bodies-key.h"
#include "agent/wire/bodies.h"
#include "tests/unit/snp/scripted.h"
#include "tests/unit/unit.h"

#define STRANGER 12345

/* What the child's device answers. */
static Script script;
static SevGuestKernel kernel;

int __wrap_snp_device_open_ioctl(const char *path, SnpDevice **ret, Error *e);
int __wrap_snp_device_open_ioctl(const char *path, SnpDevice **ret, Error *e) {
        kernel = script_kernel(&script);
        return snp_device_open_ioctl_on(&kernel, &script_no_guest, path, ret, e);
}

static char dir[] = "/tmp/snp-attester-key-XXXXXX", path[64];
static pid_t child;

static void run_child(const char *more, int ready) {
        char text[256];
        Config *config;
        Attester attester;

        (void) snprintf(text, sizeof(text), "[Attester]\nSocket=%s\n%s", path, more);
        if (config_parse("test", text, strlen(text), &config, NULL) < 0 || attester_init(config, NULL, &attester, NULL) < 0)
                _exit(2);
        /* For everybody, so that it is the attester who refuses. */
        if (chmod(path, 0666) < 0 || write(ready, "!", 1) != 1)
                _exit(3);
        if (attester_run(&attester, NULL) < 0)
                _exit(4);
        attester_done(&attester);
        config_free(config);
        exit(script.at == script.n_steps ? 0 : 5); /* with what measures coverage */
}

/* @config: more of [Attester]. */
static void start(const char *config, const Step *steps, size_t n) {
        int fds[2];
        char c;

        script = (Script){ .steps = steps, .n_steps = n };
        (void) strcpy(dir, "/tmp/snp-attester-key-XXXXXX");
        ck_assert_ptr_nonnull(mkdtemp(dir));
        ck_assert_int_eq(chmod(dir, 0755), 0);
        (void) snprintf(path, sizeof(path), "%s/socket", dir);
        ck_assert_int_eq(pipe(fds), 0);
        (void) fflush(NULL);
        child = fork();
        ck_assert_int_ge(child, 0);
        if (child == 0)
                run_child(config, fds[1]);
        (void) close(fds[1]);
        ck_assert_int_eq(read(fds[0], &c, 1), 1);
        (void) close(fds[0]);
}

static void stop(void) {
        int status;

        ck_assert_int_eq(kill(child, SIGTERM), 0);
        ck_assert_int_eq(waitpid(child, &status, 0), child);
        ck_assert_int_eq(rmdir(dir), 0);
        ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the attester ended with status 0x%x", status);
}

static const WireKeyRequest usual = { .fields = SNP_KEY_POLICY | SNP_KEY_MEASUREMENT, .vmpl = WIRE_VMPL_AUTO,
                                      .deadline_msec = 20000 };

static int ask(const WireKeyRequest *q, Secret *ret, Error *e) {
        Deadline deadline = deadline_in(20 * USEC_PER_SEC);
        AUTO_BLOB Blob body = {};
        AUTO_FD int fd = -1;
        int r;

        ck_assert_int_eq(wire_key_request_encode(q, &body), 0);
        r = wire_connect(path, deadline, &fd, e);
        return r < 0 ? r : wire_call_secret(fd, WIRE_DERIVE_KEY, body.data, body.size, deadline, ret, e);
}

static int ask_report(Error *e) {
        WireReportRequest q = { .vmpl = WIRE_VMPL_AUTO, .deadline_msec = 20000 };
        Deadline deadline = deadline_in(20 * USEC_PER_SEC);
        AUTO_BLOB Blob body = {}, answer = {};
        AUTO_FD int fd = -1;
        int r;

        ck_assert_int_eq(wire_report_request_encode(&q, &body), 0);
        r = wire_connect(path, deadline, &fd, e);
        return r < 0 ? r : wire_call(fd, WIRE_REPORT, body.data, body.size, deadline, &answer, e);
}

static void expect_refusal(int r, const Error *e, int code, const char *reason) {
        ck_assert_msg(r == code, "%d (%s)", r, error_text(e, r));
        ck_assert_str_eq(error_reason(e, r), reason);
}

static char *for_us(const char *more) {
        static char text[128];

        (void) snprintf(text, sizeof(text), "DeriveKeyUser=%u\n%s", geteuid(), more);
        return text;
}

START_TEST(whom_the_configuration_names_gets_the_key) {
        const Step steps[] = { { .request = SCRIPT_KEY }, { .request = SCRIPT_KEY } };
        AUTO_SECRET Secret key = {}, again = {};
        Error e = {};
        int r;

        start(for_us(""), steps, 2);
        r = ask(&usual, &key, &e);
        ck_assert_msg(r == 0, "%s", error_text(&e, r));
        ck_assert_uint_eq(key.len, SNP_DERIVED_KEY_SIZE);
        ck_assert_mem_eq(key.bytes, script_key, sizeof(script_key));
        ck_assert_int_eq(ask(&usual, &again, &e), 0);
        stop();
} END_TEST

START_TEST(nobody_is_named_by_default_not_even_root_or_itself) {
        AUTO_SECRET Secret key = {};
        Error e = {};
        int r;

        start("", NULL, 0);
        r = ask(&usual, &key, &e);
        expect_refusal(r, &e, -EACCES, "caller-refused");
        ck_assert_ptr_nonnull(strstr(e.text, "for a key"));
        stop();
} END_TEST

START_TEST(who_may_have_reports_may_not_therefore_have_keys) {
        AUTO_SECRET Secret key = {};
        char config[64];
        Error e = {};
        int r;

        (void) snprintf(config, sizeof(config), "AllowUser=%u\nDeriveKeyUser=%u\n", geteuid(), STRANGER);
        start(config, NULL, 0);
        r = ask(&usual, &key, &e);
        expect_refusal(r, &e, -EACCES, "caller-refused");
        stop();
} END_TEST

/* In a process of that user; its exit status is the errno. */
static int as_stranger(int (*act)(Error *e)) {
        int status;
        pid_t pid = fork();

        ck_assert_int_ge(pid, 0);
        if (pid == 0)
                _exit(setgid(STRANGER) < 0 || setuid(STRANGER) < 0 ? 255 : -act(NULL));
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert(WIFEXITED(status));
        return -WEXITSTATUS(status);
}

static int just_ask(Error *e) {
        AUTO_SECRET Secret key = {};

        return ask(&usual, &key, e);
}

START_TEST(who_may_have_keys_may_not_therefore_have_reports) {
        const Step steps[] = { { .request = SCRIPT_KEY } };
        char config[64];

        if (geteuid() != 0)
                return; /* only root can become others */
        (void) snprintf(config, sizeof(config), "DeriveKeyUser=%u\n", STRANGER);
        start(config, steps, 1);
        ck_assert_int_eq(as_stranger(just_ask), 0);
        ck_assert_int_eq(as_stranger(ask_report), -EACCES);
        stop();
} END_TEST

START_TEST(configfs_has_no_keys) {
        AUTO_SECRET Secret key = {};
        Error e = {};
        int r;

        start(for_us("Source=configfs-tsm\n"), NULL, 0);
        r = ask(&usual, &key, &e);
        expect_refusal(r, &e, -EOPNOTSUPP, "key-needs-ioctl");
        stop();
} END_TEST

START_TEST(failure_of_the_firmware_is_told_and_no_key) {
        const Step steps[] = { { .request = SCRIPT_KEY, .status = 0x16 } };
        AUTO_SECRET Secret key = {};
        Error e = {};
        int r;

        start(for_us(""), steps, 1);
        r = ask(&usual, &key, &e);
        expect_refusal(r, &e, -EINVAL, "firmware-invalid-param");
        ck_assert_ptr_null(key.bytes);
        stop();
} END_TEST

START_TEST(what_cannot_be_meant_is_not_asked) {
        WireKeyRequest vector = usual, root = usual;
        AUTO_SECRET Secret key = {};
        Error e = {}, malformed = {};
        int r;

        start(for_us(""), NULL, 0);
        vector.fields = SNP_KEY_LAUNCH_MIT_VECTOR;
        r = ask(&vector, &key, &e);
        expect_refusal(r, &e, -EOPNOTSUPP, "key-mit-vector");
        root.root = 2;
        r = ask(&root, &key, &malformed);
        expect_refusal(r, &malformed, -EBADMSG, "wire-field");
        stop();
} END_TEST

START_TEST(throttle_holds_over_requests) {
        const Step steps[] = { { .request = SCRIPT_KEY }, { .request = SCRIPT_KEY }, { .request = SCRIPT_KEY },
                               { .request = SCRIPT_KEY }, { .request = SCRIPT_KEY }, { .request = SCRIPT_KEY },
                               { .request = SCRIPT_KEY }, { .request = SCRIPT_KEY } };
        WireKeyRequest hasty = usual;
        Error e = {};
        int r;

        start(for_us("ReportInterval=60s\n"), steps, N_ELEMENTS(steps));
        for (size_t i = 0; i < N_ELEMENTS(steps); i++) {
                AUTO_SECRET Secret key = {};

                ck_assert_int_eq(ask(&usual, &key, &e), 0);
        }
        hasty.deadline_msec = 1000;
        r = ask(&hasty, &(Secret){}, &e);
        expect_refusal(r, &e, -EBUSY, "throttled");
        stop();
} END_TEST

int main(void) {
        Suite *suite = suite_create("attester-key");
        TCase *tc = tcase_create("attester-key");

        tcase_add_test(tc, whom_the_configuration_names_gets_the_key);
        tcase_add_test(tc, nobody_is_named_by_default_not_even_root_or_itself);
        tcase_add_test(tc, who_may_have_reports_may_not_therefore_have_keys);
        tcase_add_test(tc, who_may_have_keys_may_not_therefore_have_reports);
        tcase_add_test(tc, configfs_has_no_keys);
        tcase_add_test(tc, failure_of_the_firmware_is_told_and_no_key);
        tcase_add_test(tc, what_cannot_be_meant_is_not_asked);
        tcase_add_test(tc, throttle_holds_over_requests);
        suite_add_tcase(suite, tc);
        return unit_run(suite);
}
