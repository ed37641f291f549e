/* SPDX-License-Identifier: Apache-2.0 */
/* What the agent hands over is in a PCR first, and what cannot be measured is not handed over. */
#include <errno.h>
#include <openssl/evp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/config/config.h"
#include "agent/wire/bodies-measure.h"
#include "base/hex.h"
#include "tests/integration/machine.h"
#include "tests/unit/unit.h"
#include "vtpm/aael.h"

static Machine m;
static char dir[64];

static void start(void) {
        char more[128];

        daemon_make_dir(dir);
        (void) snprintf(more, sizeof(more), "[Measure]\nPcr=8\nDirectory=%s\n", dir);
        machine_start(&m, more);
}

static void start_releases_only(void) {
        char more[128];

        daemon_make_dir(dir);
        (void) snprintf(more, sizeof(more), "[Measure]\nPcr=8\nDirectory=%s\nConfiguration=no\n", dir);
        machine_start(&m, more);
}

/* With a log that says nothing of this PCR, from the beginning. */
static void start_configuration_only_in_vain(void) {
        char more[128], path[128];

        daemon_make_dir(dir);
        (void) snprintf(path, sizeof(path), "%s/pending", dir);
        ck_assert_int_eq(mkdir(path, 0700), 0);
        (void) snprintf(more, sizeof(more), "[Measure]\nPcr=8\nDirectory=%s\nReleases=no\n", dir);
        machine_start(&m, more);
}

static void stop(void) {
        machine_stop(&m);
        daemon_remove_dir(dir);
}

static Deadline soon(void) {
        return deadline_in(30 * USEC_PER_SEC);
}

static int ask_resource(const char *path, Secret *ret, Error *e) {
        AUTO_FD int fd = -1;
        int r = wire_connect(m.agent_socket, soon(), &fd, e);

        return r < 0 ? r : wire_call_secret(fd, WIRE_RESOURCE, path, strlen(path), soon(), ret, e);
}

static void must_have(const char *path, const char *want) {
        AUTO_SECRET Secret s = {};
        Error e = {};
        int r = ask_resource(path, &s, &e);

        ck_assert_msg(r == 0, "%s", error_text(&e, r));
        ck_assert_uint_eq(s.len, strlen(want));
        ck_assert_mem_eq(s.bytes, want, s.len);
}

/* Contents of the runtime log, one after the other, each "OPERATION CONTENT\n". */
static void read_log(char *ret, size_t size) {
        const WireEventLogRequest q = { .which = WIRE_EVENT_LOG_RUNTIME };
        AUTO_BLOB Blob body = {}, answer = {};
        size_t used = 0;
        WireEventLogAnswer a;
        VtpmAaelEntry entry;
        VtpmEventLog log;
        VtpmEvent ev;
        AUTO_FD int fd = -1;
        Error e = {};

        ret[0] = 0;
        ck_assert_int_eq(wire_event_log_request_encode(&q, &body), 0);
        ck_assert_int_eq(wire_connect(m.attester_socket, soon(), &fd, &e), 0);
        ck_assert_int_eq(wire_call(fd, WIRE_EVENT_LOG, body.data, body.size, soon(), &answer, &e), 0);
        ck_assert_int_eq(wire_event_log_answer_parse(answer.data, answer.size, &a, &e), 0);
        if (a.total == 0)
                return;
        ck_assert_int_eq(vtpm_event_log_open(a.chunk.data, a.chunk.size, &log, &e), 0);
        ck_assert_int_eq(vtpm_event_log_next(&log, &ev, &e), 1);
        while (vtpm_event_log_next(&log, &ev, &e) > 0) {
                ck_assert_int_eq(vtpm_aael_parse(&ev, &entry, &e), 0);
                ck_assert(entry.domain.len == 9 && memcmp(entry.domain.text, "snp-agent", 9) == 0);
                used += (size_t) snprintf(ret + used, size - used, "%.*s %.*s\n", (int) entry.operation.len,
                                          entry.operation.text, (int) entry.content.len, entry.content.text);
                ck_assert_uint_lt(used, size);
        }
}

static void expected_digests(const char *resource, char policy[static 65], char name[static 65]) {
        CLEANUP(config_freep) Config *config = NULL;
        uint8_t digest[32];
        char file[128];
        Error e = {};

        (void) snprintf(file, sizeof(file), "%s/agent.conf", m.dir);
        ck_assert_msg(config_load(file, &config, &e) == 0, "%s", e.text);
        hex_encode_to(config->digest, 32, policy);
        ck_assert_int_eq(EVP_Digest(resource, strlen(resource), digest, NULL, EVP_sha256(), NULL), 1);
        hex_encode_to(digest, 32, name);
}

START_TEST(configuration_comes_first_and_every_release_after_it) {
        char log[4096], want[4096], policy[65], own[65];

        machine_broker_put(&m, "default/app/own", "mine");
        must_have("default/app/own", "mine");
        must_have("default/app/own", "mine");
        expected_digests("default/app/own", policy, own);
        (void) snprintf(want, sizeof(want),
                        "Configuration {\"digest\":\"sha256:%s\"}\n"
                        "Release {\"policy\":\"sha256:%s\",\"resource\":\"sha256:%s\"}\n"
                        "Release {\"policy\":\"sha256:%s\",\"resource\":\"sha256:%s\"}\n",
                        policy, policy, own, policy, own);
        read_log(log, sizeof(log));
        ck_assert_str_eq(log, want);
}
END_TEST

START_TEST(what_is_refused_is_not_measured) {
        AUTO_SECRET Secret s = {};
        char log[4096];
        Error e = {};

        ck_assert_int_eq(ask_resource("default/app/others", &s, &e), -EPERM);
        ck_assert_int_eq(ask_resource("default/app/absent", &s, NULL), -ENOENT);
        read_log(log, sizeof(log));
        ck_assert_str_eq(log, "");
}
END_TEST

START_TEST(another_configuration_is_measured_anew) {
        char more[128], log[4096], before[65], after[65], name[65], want[1024];

        machine_broker_put(&m, "default/app/own", "mine");
        must_have("default/app/own", "mine");
        expected_digests("default/app/own", before, name);
        (void) snprintf(more, sizeof(more), "[Measure]\nPcr=8\nDirectory=%s\n[Agent]\nMaxRequests=8\n", dir);
        machine_configure(&m, more);
        expected_digests("default/app/own", after, name);
        ck_assert_str_ne(before, after);
        ck_assert_int_eq(kill(m.agent.pid, SIGHUP), 0);
        daemon_wait_notify(&m.agent, "READY=1");
        must_have("default/app/own", "mine");
        read_log(log, sizeof(log));
        (void) snprintf(want, sizeof(want), "Configuration {\"digest\":\"sha256:%s\"}\nRelease {\"policy\":\"sha256:%s\"",
                        after, after);
        ck_assert_ptr_nonnull(strstr(log, want));
}
END_TEST

START_TEST(what_cannot_be_measured_is_not_handed_over) {
        AUTO_SECRET Secret s = {};
        char path[128];
        Error e = {};
        int r;

        machine_broker_put(&m, "default/app/own", "mine");
        /* A log that says nothing of this PCR. */
        (void) snprintf(path, sizeof(path), "%s/pending", dir);
        ck_assert_int_eq(mkdir(path, 0700), 0);
        r = ask_resource("default/app/own", &s, &e);
        ck_assert_int_lt(r, 0);
        ck_assert_ptr_null(s.bytes);
        ck_assert_ptr_nonnull(strstr(error_text(&e, r), "Its release could not be measured"));
        daemon_wait_log(&m.agent, "Its release could not be measured");
        /* And all is well once it can be. */
        ck_assert_int_eq(rmdir(path), 0);
        must_have("default/app/own", "mine");
}
END_TEST

START_TEST(nothing_is_handed_over_by_an_unmeasured_configuration) {
        char path[128], log[4096], want[256], policy[65], name[65];
        AUTO_SECRET Secret s = {};
        Error e = {};

        machine_broker_put(&m, "default/app/own", "mine");
        daemon_wait_log(&m.agent, "The configuration could not be measured");
        ck_assert_int_lt(ask_resource("default/app/own", &s, &e), 0);
        ck_assert_ptr_null(s.bytes);
        (void) snprintf(path, sizeof(path), "%s/pending", dir);
        ck_assert_int_eq(rmdir(path), 0);
        must_have("default/app/own", "mine");
        must_have("default/app/own", "mine");
        expected_digests("default/app/own", policy, name);
        (void) snprintf(want, sizeof(want), "Configuration {\"digest\":\"sha256:%s\"}\n", policy);
        read_log(log, sizeof(log));
        ck_assert_str_eq(log, want);
}
END_TEST

int main(void) {
        Suite *s = suite_create("agent-measure");
        TCase *all = tcase_create("all"), *releases = tcase_create("releases"), *vain = tcase_create("in-vain");
        const char *why = machine_unusable();

        if (why)
                return unit_skip(why);
        machine_platform_start();
        tcase_add_checked_fixture(all, start, stop);
        tcase_add_test(all, configuration_comes_first_and_every_release_after_it);
        tcase_add_test(all, another_configuration_is_measured_anew);
        suite_add_tcase(s, all);
        tcase_add_checked_fixture(releases, start_releases_only, stop);
        tcase_add_test(releases, what_is_refused_is_not_measured);
        tcase_add_test(releases, what_cannot_be_measured_is_not_handed_over);
        suite_add_tcase(s, releases);
        tcase_add_checked_fixture(vain, start_configuration_only_in_vain, stop);
        tcase_add_test(vain, nothing_is_handed_over_by_an_unmeasured_configuration);
        suite_add_tcase(s, vain);
        return machine_platform_stop(unit_run(s));
}
