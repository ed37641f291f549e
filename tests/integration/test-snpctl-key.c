/* SPDX-License-Identifier: Apache-2.0 */
/* `snpctl key derive` without a device: what is refused, and keys that come from snp-attesterd. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/wire/bodies-key.h"
#include "base/json.h"
#include "tests/integration/ctl.h"
#include "tests/integration/fake-agent.h"
#include "tests/unit/unit.h"

#define KEY "thirty-two-bytes-that-are-a-key!"

static char dir[] = "/tmp/snp-test-key.XXXXXX";
static char socket_path[64], file_path[64];

static void setup(void) {
        (void) strcpy(dir, "/tmp/snp-test-key.XXXXXX");
        ck_assert_ptr_nonnull(mkdtemp(dir));
        (void) snprintf(socket_path, sizeof(socket_path), "%s/agent.sock", dir);
        (void) snprintf(file_path, sizeof(file_path), "%s/key", dir);
}

static void teardown(void) {
        (void) unlink(file_path);
        ck_assert_int_eq(rmdir(dir), 0);
}

START_TEST(a_key_from_the_attester_goes_to_standard_output) {
        FakeAgent attester = { .mood = FAKE_ANSWERS, .secret = KEY };
        AUTO_SPAWN_RESULT SpawnResult r = {};
        uint8_t body[512];
        WireKeyRequest q;
        uint16_t type = 0;
        ssize_t n;

        fake_agent_start(&attester, dir);
        r = CTL("key", "derive", "--fields", "policy,tcb-version", "--tcb", "0x7", "--root", "vmrk", "--vmpl", "2",
                "--attester", socket_path);
        n = fake_agent_next_request(&attester, &type, body, sizeof(body));
        fake_agent_stop(&attester);
        ck_assert_msg(r.status == 0, "%s", r.err);
        ck_assert_str_eq(r.out, KEY);
        ck_assert_ptr_nonnull(strstr(r.err, "without 'measurement'"));
        ck_assert_ptr_null(strstr(r.err, KEY));
        ck_assert_int_eq(type, WIRE_DERIVE_KEY);
        ck_assert_int_ge(n, 0);
        ck_assert_int_eq(wire_key_request_parse(body, (size_t) n, &q, NULL), 0);
        ck_assert_uint_eq(q.root, 1);
        ck_assert_uint_eq(q.fields, 0x21);
        ck_assert_uint_eq(q.vmpl, 2);
        ck_assert_uint_eq(q.tcb, 7);
} END_TEST

START_TEST(json_tells_what_the_key_is_made_of_and_not_the_key) {
        FakeAgent attester = { .mood = FAKE_ANSWERS, .secret = KEY };
        AUTO_JSON json_object *o = NULL;
        AUTO_SPAWN_RESULT SpawnResult r = {};
        struct stat st;

        fake_agent_start(&attester, dir);
        r = CTL("key", "derive", "--fields", "measurement,guest-svn", "--guest-svn", "3", "--attester", socket_path,
                "--vmpl", "1", "--out", file_path, "--force", "--json");
        fake_agent_stop(&attester);
        ck_assert_msg(r.status == 0, "%s", r.err);
        o = ctl_json(&r);
        ck_assert_ptr_null(strstr(r.out, KEY));
        ck_assert_str_eq(ctl_str(o, "root"), "vcek");
        ck_assert_str_eq(ctl_str(o, "vmpl"), "1");
        ck_assert_str_eq(ctl_str(o, "file"), file_path);
        ck_assert_int_eq(stat(file_path, &st), 0);
        ck_assert_uint_eq(st.st_mode & 07777, 0600);
        ck_assert_int_eq(st.st_size, 32);
} END_TEST

START_TEST(a_key_of_another_size_is_none) {
        FakeAgent attester = { .mood = FAKE_ANSWERS, .secret = "short" };
        AUTO_SPAWN_RESULT SpawnResult r = {};

        fake_agent_start(&attester, dir);
        r = CTL("key", "derive", "--fields", "policy", "--attester", socket_path, "--out", file_path, "--force");
        fake_agent_stop(&attester);
        ctl_expect_failure(&r, 3, "a key of 5 bytes");
        ck_assert_int_lt(access(file_path, F_OK), 0);
} END_TEST

START_TEST(a_terminal_gets_no_key_unless_forced) {
        const char *args[] = { "key", "derive", "--fields", "policy", "--attester", socket_path, NULL, NULL };
        FakeAgent attester = { .mood = FAKE_ANSWERS, .secret = KEY };
        AUTO_SPAWN_RESULT SpawnResult refused = {}, forced = {};

        fake_agent_start(&attester, dir);
        refused = ctl_run_at_terminal(args, NULL);
        args[6] = "--force";
        forced = ctl_run_at_terminal(args, NULL);
        fake_agent_stop(&attester);
        ctl_expect_failure(&refused, 2, "standard output is a terminal");
        ck_assert_int_eq(forced.status, 0);
        ck_assert_ptr_nonnull(strstr(forced.out, KEY));
} END_TEST

static const struct {
        const char *args[10], *says;
        int status;
} failures[] = {
        { { "key", "derive" }, "--fields is missing", 2 },
        { { "key", "derive", "--fields", "chip" }, "--fields: 'chip' is none of", 2 },
        { { "key", "derive", "--fields", "none", "--device", "/a", "--attester", "/b" }, "exclude each other", 2 },
        { { "key", "derive", "--fields", "none", "--device", "/nowhere" }, "/nowhere", 3 },
        { { "key", "derive", "--fields", "none", "--attester", "/nowhere" }, "/nowhere", 3 },
        { { "key", "derive", "--fields", "launch-mit-vector" }, "mitigation vector", 3 },
};

START_TEST(failures_are_told) {
        AUTO_SPAWN_RESULT SpawnResult r = ctl_run(failures[_i].args);

        ctl_expect_failure(&r, failures[_i].status, failures[_i].says);
} END_TEST

int main(int argc, char **argv) {
        Suite *s = suite_create("snpctl-key");
        TCase *c = tcase_create("derive");

        if (argc != 2)
                return EXIT_FAILURE;
        ctl_set_program(argv[1]);
        tcase_add_checked_fixture(c, setup, teardown);
        tcase_add_test(c, a_key_from_the_attester_goes_to_standard_output);
        tcase_add_test(c, json_tells_what_the_key_is_made_of_and_not_the_key);
        tcase_add_test(c, a_key_of_another_size_is_none);
        tcase_add_test(c, a_terminal_gets_no_key_unless_forced);
        tcase_add_loop_test(c, failures_are_told, 0, N_ELEMENTS(failures));
        suite_add_tcase(s, c);
        return unit_run(s);
}
