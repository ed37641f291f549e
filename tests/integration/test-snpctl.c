/* SPDX-License-Identifier: Apache-2.0 */

/* The shape of the command line, and the verbs that ask the agent, against somebody who answers on its socket. */

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "tests/integration/ctl.h"
#include "tests/integration/fake-agent.h"
#include "tests/unit/unit.h"

#define SECRET "the secret that nobody else may see"
#define STATUS                                                                                     \
        "{\"state\":\"attested\",\"broker\":{\"url\":\"https://broker\",\"attested\":true},"               \
        "\"list\":[1,\"a\\u001bb\"]}"

static char dir[] = "/tmp/snp-test-ctl.XXXXXX";
static char socket_path[64], file_path[64];

static void setup(void) {
        ck_assert_ptr_nonnull(mkdtemp(dir));
        (void) snprintf(socket_path, sizeof(socket_path), "%s/agent.sock", dir);
        (void) snprintf(file_path, sizeof(file_path), "%s/file", dir);
}

static void teardown(void) {
        (void) unlink(file_path);
        ck_assert_int_eq(rmdir(dir), 0);
}

static const char *const verbs[] = {
        "report",         "verify",         "measure",        "certs fetch",    "certs show",     "certs import",
        "certs export",   "policy new",     "policy check",   "policy explain", "bundle create",  "bundle verify",
        "idblock create", "idblock sign",   "idblock digest", "idblock verify", "tpm info",       "tpm pcrs",
        "tpm quote",      "tpm verify",     "tpm log",        "tpm diff",       "tpm extend",     "tpm ak show",
        "tpm ak persist", "tpm ak remove",  "tpm ak cert",    "status",         "attest",         "secret get",
        "key derive",     "disk enroll",
};

START_TEST(help_names_every_verb_and_every_exit_status) {
        AUTO_SPAWN_RESULT SpawnResult r = CTL("--help");

        ck_assert_int_eq(r.status, 0);
        ck_assert_str_eq(r.err, "");
        for (size_t i = 0; i < N_ELEMENTS(verbs); i++)
                ck_assert_msg(strstr(r.out, verbs[i]), "%s", verbs[i]);
        for (char digit = '0'; digit <= '3'; digit++) {
                char line[] = "\n  0  ";

                line[3] = digit;
                ck_assert_ptr_nonnull(strstr(r.out, line));
        }
}
END_TEST

START_TEST(every_verb_has_help_with_its_options_and_json) {
        char words[32], *rest = words;
        const char *args[5] = {};
        size_t n = 0;
        AUTO_SPAWN_RESULT SpawnResult r = {};

        (void) snprintf(words, sizeof(words), "%s", verbs[_i]);
        while (rest)
                args[n++] = strsep(&rest, " ");
        args[n] = "--help";
        r = ctl_run(args);
        ck_assert_msg(r.status == 0, "%s: %s", verbs[_i], r.err);
        ck_assert_str_eq(r.err, "");
        ck_assert_ptr_nonnull(strstr(r.out, verbs[_i]));
        ck_assert_ptr_nonnull(strstr(r.out, "--json"));
        ck_assert_ptr_nonnull(strstr(r.out, "Exit status:"));
}
END_TEST

START_TEST(a_word_of_several_verbs_has_help_that_lists_them) {
        AUTO_SPAWN_RESULT SpawnResult r = CTL("certs", "--help");

        ck_assert_int_eq(r.status, 0);
        ck_assert_ptr_nonnull(strstr(r.out, "\n  certs fetch "));
        ck_assert_ptr_nonnull(strstr(r.out, "\n  certs export "));
        ck_assert_ptr_null(strstr(r.out, "\n  report "));
}
END_TEST

START_TEST(no_verb_is_a_usage_error_with_help) {
        AUTO_SPAWN_RESULT SpawnResult r = ctl_run((const char *const[]){ NULL });

        ck_assert_int_eq(r.status, 2);
        ck_assert_str_eq(r.out, "");
        ck_assert_ptr_nonnull(strstr(r.err, "Usage: snpctl"));
}
END_TEST

static const struct {
        const char *args[6];
        const char *says;
} usage[] = {
        { { "frobnicate" }, "there is no verb 'frobnicate'" },
        { { "secret" }, "lacks a word behind 'secret'; 'snpctl secret --help'" },
        { { "secret", "put" }, "there is no verb 'secret put'" },
        { { "tpm", "ak", "shown" }, "there is no verb 'tpm ak'; 'snpctl tpm --help' lists them" },
        { { "sec", "get" }, "there is no verb 'sec'" },
        { { "report", "extra" }, "'extra' is one word too many" },
        { { "report", "--in", "/dev/null", "--data", "00" }, "--in excludes" },
        { { "report", "--vmpl", "4" }, "--vmpl '4'" },
        { { "report", "--data", "zz" }, "--data must be" },
        { { "verify" }, "--report FILE is missing" },
        { { "verify", "--report", "/dev/null", "--at", "tomorrow" }, "--at 'tomorrow'" },
        { { "verify", "--report", "/dev/null", "--product", "Rome" }, "--product 'Rome'" },
        { { "status", "--verbose" }, "there is no option '--verbose'" },
        { { "secret", "get" }, "REPO/TYPE/TAG is missing" },
        { { "secret", "get", "a/b" }, "'a/b' is no resource path" },
        { { "secret", "get", "a/b/../c" }, "is no resource path" },
        { { "disk", "enroll", "--resource", "a/b/c" }, "DEVICE is missing" },
        { { "disk", "enroll", "/dev/null" }, "--resource is missing" },
        { { "disk", "enroll", "/dev/null", "--resource", "a/b" }, "'a/b' is no resource path" },
        { { "disk", "enroll", "/dev/null", "--resource", "a/b/c" }, "either --key-file or --new-key-out" },
};

START_TEST(a_command_line_that_makes_no_sense_is_refused) {
        AUTO_SPAWN_RESULT SpawnResult r = ctl_run(usage[_i].args);

        ctl_expect_failure(&r, 2, usage[_i].says);
}
END_TEST

START_TEST(with_json_a_failure_is_an_object_too) {
        AUTO_SPAWN_RESULT SpawnResult r = CTL("verify", "--json", "--nope");
        AUTO_JSON json_object *o = ctl_json(&r);

        ck_assert_int_eq(r.status, 2);
        ck_assert_str_eq(ctl_str(o, "error.reason"), "usage");
        ck_assert_str_eq(ctl_str(o, "error.message"), "there is no option '--nope'");
        ck_assert_str_eq(r.err, "snpctl: verify: there is no option '--nope'\n");
}
END_TEST

static const char *const asking[][4] = {
        { "status" },
        { "attest" },
        { "secret", "get", "a/b/c" },
};

START_TEST(an_agent_that_is_not_there_is_told_apart_from_a_no) {
        AUTO_SPAWN_RESULT SpawnResult r = {};
        const char *args[7] = {};
        size_t n = 0;

        for (; asking[_i][n]; n++)
                args[n] = asking[_i][n];
        args[n++] = "--socket";
        args[n] = socket_path;
        r = ctl_run(args);
        ctl_expect_failure(&r, 3, "The agent cannot be reached: ");
        ctl_expect_failure(&r, 3, "is snp-agent.socket started?");
}
END_TEST

static const struct {
        const char *why;
        FakeMood mood;
        int status;
        const char *says;
} moods[] = {
        { "denied", FAKE_DENIES, 1, "The broker's policy denies it" },
        { "hangs up", FAKE_CLOSES, 3, "snpctl: " },
        { "half an answer", FAKE_TRUNCATES, 3, "snpctl: " },
        { "nothing in it", FAKE_IS_EMPTY, 3, "snpctl: " },
        { "answer to another question", FAKE_ANSWERS_OTHER, 3, "snpctl: " },
};

START_TEST(what_the_agent_does_wrong_becomes_a_failure_without_output) {
        FakeAgent agent = { .mood = moods[_i % (int) N_ELEMENTS(moods)].mood, .secret = SECRET, .text = STATUS };
        size_t verb = (size_t) _i / N_ELEMENTS(moods), mood = (size_t) _i % N_ELEMENTS(moods), n = 0;
        AUTO_SPAWN_RESULT SpawnResult r = {};
        const char *args[7] = {};

        for (; asking[verb][n]; n++)
                args[n] = asking[verb][n];
        args[n++] = "--socket";
        args[n] = socket_path;
        fake_agent_start(&agent, dir);
        r = ctl_run(args);
        fake_agent_stop(&agent);
        ctl_expect_failure(&r, moods[mood].status, moods[mood].says);
        ck_assert_ptr_null(strstr(r.err, "secret that"));
}
END_TEST

static SpawnResult ask(const char *const *args, uint16_t *ret_type, char *ret_body, size_t size) {
        FakeAgent agent = { .mood = FAKE_ANSWERS, .secret = SECRET, .text = STATUS };
        SpawnResult r;
        ssize_t n;

        fake_agent_start(&agent, dir);
        r = ctl_run(args);
        n = fake_agent_next_request(&agent, ret_type, ret_body, size - 1);
        fake_agent_stop(&agent);
        ret_body[n > 0 ? n : 0] = 0;
        return r;
}
#define ASK(type, body, ...)                                                                       \
        ask((const char *const[]){ __VA_ARGS__, "--socket", socket_path, NULL }, type, body, sizeof(body))

START_TEST(status_and_attest_show_what_the_agent_says) {
        uint16_t type = 0;
        char body[512];
        AUTO_SPAWN_RESULT SpawnResult r = ASK(&type, body, _i == 0 ? "status" : "attest");

        ck_assert_msg(r.status == 0, "%s", r.err);
        ck_assert_int_eq(type, _i == 0 ? WIRE_STATUS : WIRE_ATTEST);
        ck_assert_str_eq(body, "");
        ck_assert_ptr_nonnull(strstr(r.out, "broker.attested true"));
        ck_assert_ptr_nonnull(strstr(r.out, "broker.url      https://broker"));
        ck_assert_ptr_nonnull(strstr(r.out, "list.1          a?b")); /* no escape sequence reaches the terminal */
}
END_TEST

START_TEST(status_as_json_is_the_agents_object) {
        uint16_t type = 0;
        char body[512];
        AUTO_SPAWN_RESULT SpawnResult r = ASK(&type, body, "status", "--json");
        AUTO_JSON json_object *o = ctl_json(&r);

        ck_assert_str_eq(ctl_str(o, "broker.url"), "https://broker");
}
END_TEST

START_TEST(a_secret_goes_to_standard_output_byte_for_byte) {
        uint16_t type = 0;
        char body[512];
        AUTO_SPAWN_RESULT SpawnResult r = ASK(&type, body, "secret", "get", "default/app/password");

        ck_assert_msg(r.status == 0, "%s", r.err);
        ck_assert_str_eq(r.out, SECRET);
        ck_assert_str_eq(r.err, "");
        ck_assert_int_eq(type, WIRE_RESOURCE);
        ck_assert_str_eq(body, "default/app/password");
}
END_TEST

START_TEST(a_secret_goes_to_a_private_file) {
        uint16_t type = 0;
        char body[512], text[64] = {};
        AUTO_SPAWN_RESULT SpawnResult r =
                ASK(&type, body, "secret", "get", "a/b/c", "--out", file_path, "--force", "--json");
        AUTO_JSON json_object *o = ctl_json(&r);
        AUTO_FD int fd = open(file_path, O_RDONLY | O_CLOEXEC);
        struct stat st;

        ck_assert_int_eq(r.status, 0);
        ck_assert_ptr_null(strstr(r.out, SECRET));
        ck_assert_str_eq(ctl_str(o, "file"), file_path);
        ck_assert_int_eq(fstat(fd, &st), 0);
        ck_assert_uint_eq(st.st_mode & 07777, 0600);
        ck_assert_int_eq(read(fd, text, sizeof(text) - 1), (ssize_t) strlen(SECRET));
        ck_assert_str_eq(text, SECRET);
}
END_TEST

START_TEST(an_existing_file_stays_and_nothing_is_asked_for) {
        uint16_t type = 0;
        char body[512];
        AUTO_SPAWN_RESULT SpawnResult r = {};

        ck_assert_int_eq(file_write_atomic(file_path, "mine", 4, 0644, NULL), 0);
        r = ASK(&type, body, "secret", "get", "a/b/c", "--out", file_path, "--force");

        ctl_expect_failure(&r, 3, "File exists");
        ck_assert_int_eq(type, 0);
}
END_TEST

START_TEST(a_denied_secret_leaves_no_file) {
        FakeAgent agent = { .mood = FAKE_DENIES };
        AUTO_SPAWN_RESULT SpawnResult r = {};

        fake_agent_start(&agent, dir);
        r = CTL("secret", "get", "a/b/c", "--out", file_path, "--force", "--socket", socket_path);
        fake_agent_stop(&agent);
        ctl_expect_failure(&r, 1, "policy denies");
        ck_assert_int_lt(access(file_path, F_OK), 0);
}
END_TEST

START_TEST(a_terminal_gets_no_secret_unless_forced) {
        const char *args[] = { "secret", "get", "a/b/c", "--socket", socket_path, NULL, NULL };
        FakeAgent agent = { .mood = FAKE_ANSWERS, .secret = SECRET };
        AUTO_SPAWN_RESULT SpawnResult refused = {}, forced = {};

        fake_agent_start(&agent, dir);
        refused = ctl_run_at_terminal(args, NULL);
        args[5] = "--force";
        forced = ctl_run_at_terminal(args, NULL);
        fake_agent_stop(&agent);
        ctl_expect_failure(&refused, 2, "standard output is a terminal");
        ck_assert_int_eq(forced.status, 0);
        ck_assert_str_eq(forced.out, SECRET);
}
END_TEST

START_TEST(json_and_a_secret_on_standard_output_exclude_each_other) {
        AUTO_SPAWN_RESULT SpawnResult r = CTL("secret", "get", "a/b/c", "--json");
        AUTO_JSON json_object *o = ctl_json(&r);

        ck_assert_int_eq(r.status, 2);
        ck_assert_str_eq(ctl_str(o, "error.reason"), "usage");
}
END_TEST

int main(int argc, char **argv) {
        Suite *s = suite_create("snpctl");
        TCase *c = tcase_create("shape"), *a = tcase_create("agent");

        if (argc != 2)
                return EXIT_FAILURE;
        ctl_set_program(argv[1]);
        tcase_add_test(c, help_names_every_verb_and_every_exit_status);
        tcase_add_loop_test(c, every_verb_has_help_with_its_options_and_json, 0, (int) N_ELEMENTS(verbs));
        tcase_add_test(c, a_word_of_several_verbs_has_help_that_lists_them);
        tcase_add_test(c, no_verb_is_a_usage_error_with_help);
        tcase_add_loop_test(c, a_command_line_that_makes_no_sense_is_refused, 0, (int) N_ELEMENTS(usage));
        tcase_add_test(c, with_json_a_failure_is_an_object_too);
        suite_add_tcase(s, c);

        tcase_add_checked_fixture(a, setup, teardown);
        tcase_add_loop_test(a, an_agent_that_is_not_there_is_told_apart_from_a_no, 0, (int) N_ELEMENTS(asking));
        tcase_add_loop_test(a, what_the_agent_does_wrong_becomes_a_failure_without_output, 0,
                            (int) (N_ELEMENTS(asking) * N_ELEMENTS(moods)));
        tcase_add_loop_test(a, status_and_attest_show_what_the_agent_says, 0, 2);
        tcase_add_test(a, status_as_json_is_the_agents_object);
        tcase_add_test(a, a_secret_goes_to_standard_output_byte_for_byte);
        tcase_add_test(a, a_secret_goes_to_a_private_file);
        tcase_add_test(a, an_existing_file_stays_and_nothing_is_asked_for);
        tcase_add_test(a, a_denied_secret_leaves_no_file);
        tcase_add_test(a, a_terminal_gets_no_secret_unless_forced);
        tcase_add_test(a, json_and_a_secret_on_standard_output_exclude_each_other);
        suite_add_tcase(s, a);
        return unit_run(s);
}
