/* SPDX-License-Identifier: Apache-2.0 */
/* snp-agentd on a host that gives no certificates: what it gets from AMD's service, from whom else, and how often. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/deadline.h"
#include "base/json.h"
#include "tests/integration/ctl.h"
#include "tests/integration/kds-world.h"
#include "tests/integration/machine.h"
#include "tests/unit/unit.h"

#define VERIFIES "Our own report verifies now"
#define FAILS "Certificates of this machine: "
#define ENDS "Certificates of this machine" /* the attempt does, one way or the other */

static KdsWorld kds;
static Machine m;

static bool names(const char *text, const char *key) {
        for (const char *p = strstr(text, key); p; p = strstr(p + 1, key))
                if ((p == text || p[-1] == '\n') && p[strlen(key)] == '=')
                        return true;
        return false;
}

/*
 * A configuration in which @more decides and the rest is as follows: quick where the real thing takes its time, and an
 * attempt that failed is not made again.
 */
static const char *settings(const char *more) {
        const struct {
                const char *key, *value;
        } usual[] = {
                { "Fetch", "background" }, { "Kds", kds.url },      { "KdsCA", kds.ca }, { "CloudEndpoint", "none" },
                { "Cache", kds.cache },    { "RequestTimeout", "2s" }, { "Deadline", "5s" }, { "Pause", "20ms" },
                { "Retry", "1h" },
        };
        static char text[1024];
        int n = snprintf(text, sizeof(text), "[Collateral]\n%s", more);

        for (size_t i = 0; i < N_ELEMENTS(usual); i++)
                if (!names(more, usual[i].key))
                        n += snprintf(text + n, sizeof(text) - (size_t) n, "%s=%s\n", usual[i].key, usual[i].value);
        ck_assert_int_lt(n, (int) sizeof(text));
        return text;
}

static void set_up(void) {
        char hierarchy[SIM_PATH_MAX];

        sim_test_pki(SIM_GENOA, hierarchy);
        kds_world_start(&kds, hierarchy);
        machine_platform_control("certs=none\n");
}

static void tear_down(void) {
        machine_stop(&m);
        kds_world_stop(&kds);
}

/* Makes the agent see a report. */
static void show_report(void) {
        AUTO_REPLY Reply r = machine_rest(&m, "/v1/evidence?nonce=AAAA", NULL);

        ck_assert_int_eq(r.status, 200);
}

static json_object *status(void) {
        AUTO_REPLY Reply r = machine_rest(&m, "/v1/status", NULL);
        json_object *o = NULL;
        Error e = {};

        ck_assert_int_eq(r.status, 200);
        ck_assert_msg(json_parse(r.body.data, r.body.size, "status", &o, &e) == 0, "%s", e.text);
        return o;
}

static void expect_status(const char *path, const char *want) {
        AUTO_JSON json_object *o = status();

        ck_assert_msg(strcmp(ctl_str(o, path), want) == 0, "%s is %s: %s", path, ctl_str(o, path),
                      json_object_to_json_string(o));
}

static void start_and_wait(const char *more) {
        machine_start(&m, more);
        show_report();
        daemon_wait_log(&m.agent, ENDS);
        daemon_wait_log(&m.agent, VERIFIES);
}

static void expect_requests(size_t chain, size_t vcek, size_t crl) {
        ck_assert_uint_eq(kds_world_count(&kds, "what=chain"), chain);
        ck_assert_uint_eq(kds_world_count(&kds, "what=vcek"), vcek);
        ck_assert_uint_eq(kds_world_count(&kds, "what=crl"), crl);
}

START_TEST(what_the_host_does_not_give_is_fetched_in_the_background) {
        AUTO_JSON json_object *o = NULL;

        start_and_wait(settings(""));
        o = status();
        ck_assert_str_eq(ctl_str(o, "platform.self_check"), "verified");
        ck_assert_str_eq(ctl_str(o, "trust"), "TEST ROOT");
        ck_assert_str_eq(ctl_str(o, "collateral.certificate"), "kds");
        ck_assert_str_eq(ctl_str(o, "collateral.chain"), "kds");
        ck_assert_str_eq(ctl_str(o, "collateral.crl.state"), "ok");
        ck_assert_str_eq(ctl_str(o, "collateral.crl.source"), "kds");
        ck_assert_uint_eq(strlen(ctl_str(o, "collateral.not_after")), strlen("2026-01-31T23:59:59Z"));
        ck_assert_str_eq(ctl_str(o, "collateral.fetch.state"), "idle");
        expect_requests(1, 1, 1);
        ck_assert_uint_eq(kds_world_cached(&kds, "vcek-Genoa-"), 3);
}
END_TEST

START_TEST(no_request_waits_for_it_and_the_broker_is_sent_what_came) {
        AUTO_REPLY Reply before = {}, after = {};

        kds_world_control(&kds, "all status 503\n");
        machine_start(&m, settings("Deadline=1min\n"));
        before = machine_rest(&m, "/v1/resource/default/app/own", NULL);
        /* This broker finds no VCEK by itself. It was asked all the same, while the attempt goes on. */
        ck_assert_int_ne(before.status, 200);
        ck_assert(!daemon_log_has(&m.agent, ENDS));
        kds_world_control(&kds, "");
        daemon_wait_log(&m.agent, VERIFIES);
        after = machine_rest(&m, "/v1/resource/default/app/own", NULL);
        ck_assert_msg(after.status == 200, "%.*s", (int) after.body.size, (const char *) after.body.data);
}
END_TEST

static void *ask_for_evidence(void *p) {
        AUTO_REPLY Reply r = machine_rest(&m, "/v1/evidence?nonce=AAAA", NULL);

        *(long *) p = r.status;
        return NULL;
}

START_TEST(a_crowd_causes_one_fetch) {
        pthread_t threads[8];
        long statuses[8] = {};

        kds_world_control(&kds, "all slow 100\n");
        machine_start(&m, settings(""));
        for (size_t i = 0; i < N_ELEMENTS(threads); i++)
                ck_assert_int_eq(pthread_create(&threads[i], NULL, ask_for_evidence, &statuses[i]), 0);
        for (size_t i = 0; i < N_ELEMENTS(threads); i++) {
                ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
                ck_assert_int_eq(statuses[i], 200);
        }
        daemon_wait_log(&m.agent, ENDS);
        show_report();
        expect_requests(1, 1, 1);
}
END_TEST

static void restart(void) {
        ck_assert_int_eq(daemon_stop(&m.agent), 0);
        daemon_start(&m.agent);
}

START_TEST(after_a_restart_nobody_is_asked) {
        start_and_wait(settings(""));
        restart();
        show_report();
        expect_status("platform.self_check", "verified");
        expect_status("collateral.certificate", "cache");
        expect_status("collateral.fetch.state", "idle");
        expect_requests(1, 1, 1);
}
END_TEST

START_TEST(an_outage_does_not_matter_to_a_warm_cache) {
        AUTO_REPLY Reply r = {};

        start_and_wait(settings(""));
        kds_world_go_down(&kds);
        restart();
        r = machine_rest(&m, "/v1/resource/default/app/own", NULL);
        ck_assert_int_eq(r.status, 200);
        expect_status("platform.self_check", "verified");
}
END_TEST

static const char *const passing[] = {
        "all status 500 x2\n", "all status 503 x1\n", "vcek status 408 x3\n", "vcek throttle 1 x1\n",
        "vcek throttle-date 1 x1\n", "vcek slow 100\n",  "vcek truncate x1\n",  "chain drop x2\n",
};

START_TEST(what_passes_is_tried_again) {
        kds_world_control(&kds, passing[_i]);
        start_and_wait(settings(""));
        expect_status("collateral.certificate", "kds");
}
END_TEST

static const struct {
        const char *fault, *reason;
        size_t n_vcek;
} lasting[] = {
        { "vcek status 404\n", "kds-not-found", 1 },
        { "vcek status 400\n", "kds-status", 1 },
        { "vcek other-chip\n", NULL, 1 },
        { "vcek other-tcb\n", NULL, 1 },
        { "vcek garbage\n", NULL, 1 },
        { "vcek oversize 5000\n", "answer-size", 1 },
        { "vcek redirect\n", "kds-status", 1 },
        { "all other-root\n", NULL, 0 },
        { "chain garbage\n", NULL, 0 },
};

START_TEST(what_is_wrong_is_not_believed_and_not_asked_for_again) {
        AUTO_JSON json_object *o = NULL;

        kds_world_control(&kds, lasting[_i].fault);
        machine_start(&m, settings(""));
        show_report();
        daemon_wait_log(&m.agent, FAILS);
        o = status();
        ck_assert_str_ne(ctl_str(o, "platform.self_check"), "verified");
        ck_assert_str_eq(ctl_str(o, "collateral.certificate"), "none");
        if (lasting[_i].reason)
                ck_assert_str_eq(ctl_str(o, "collateral.fetch.reason"), lasting[_i].reason);
        ck_assert_uint_gt(strlen(ctl_str(o, "collateral.fetch.detail")), 0);
        show_report();
        ck_assert_uint_eq(kds_world_count(&kds, "what=vcek"), lasting[_i].n_vcek);
        ck_assert_uint_eq(kds_world_count(&kds, "what=chain"), 1);
        /* What was right is kept: the chain, and a list. */
        ck_assert_uint_eq(kds_world_cached(&kds, ".der"), kds_world_cached(&kds, "-crl.der"));
}
END_TEST

START_TEST(a_service_that_stays_down_is_given_up_and_tried_again_later) {
        AUTO_JSON json_object *o = NULL;

        kds_world_control(&kds, "all status 503\n");
        machine_start(&m, settings("Deadline=1s\nRetry=100ms\n"));
        show_report();
        daemon_wait_log(&m.agent, FAILS);
        o = status();
        ck_assert_str_eq(ctl_str(o, "collateral.fetch.reason"), "kds-status");
        kds_world_control(&kds, "");
        daemon_wait_log(&m.agent, VERIFIES); /* no report was needed for that */
        expect_status("platform.self_check", "verified");
}
END_TEST

START_TEST(the_next_mirror_is_asked_when_one_is_down) {
        char more[256];

        (void) snprintf(more, sizeof(more), "Kds=https://127.0.0.1:1 %s\n", kds.url);
        start_and_wait(settings(more));
        expect_requests(1, 1, 1);
}
END_TEST

START_TEST(a_server_that_nobody_vouches_for_is_told_nothing) {
        char more[FIXTURE_PATH_MAX + 32];

        machine_start(&m, "");
        (void) snprintf(more, sizeof(more), "KdsCA=%s\nDeadline=1s\n", m.broker.ca_file);
        machine_configure(&m, settings(more));
        restart();
        show_report();
        daemon_wait_log(&m.agent, FAILS);
        expect_status("platform.self_check", "no-certificates");
        expect_requests(0, 0, 0);
}
END_TEST

START_TEST(the_clouds_endpoint_comes_first) {
        char more[256];

        (void) snprintf(more, sizeof(more), "Kds=none\nCrl=off\nCloudEndpoint=%s/metadata/THIM/amd/certification\n",
                        kds.url);
        start_and_wait(settings(more));
        expect_status("collateral.certificate", "cloud");
        ck_assert_uint_eq(kds_world_count(&kds, "what=thim"), 1);
        expect_requests(0, 0, 0);
}
END_TEST

START_TEST(nothing_is_asked_when_told_never_to) {
        machine_start(&m, settings("Fetch=never\n"));
        show_report();
        expect_status("platform.self_check", "no-certificates");
        expect_status("platform.reason", "no-certificate");
        expect_status("collateral.fetch.state", "never");
        expect_requests(0, 0, 0);
}
END_TEST

START_TEST(without_a_cache_it_is_kept_in_memory) {
        start_and_wait(settings("Cache=none\n"));
        show_report();
        expect_status("platform.self_check", "verified");
        expect_requests(1, 1, 1);
        ck_assert_uint_eq(kds_world_cached(&kds, "vcek"), 0);
}
END_TEST

START_TEST(a_cache_that_comes_late_is_filled_then) {
        char there[128];

        (void) snprintf(there, sizeof(there), "%s.there", kds.cache);
        ck_assert_int_eq(rename(kds.cache, there), 0);
        kds_world_control(&kds, "crl status 404\n"); /* so that there is something left to ask for */
        start_and_wait(settings(""));
        ck_assert_int_eq(rename(there, kds.cache), 0);
        show_report();
        expect_status("platform.self_check", "verified");
        ck_assert_uint_eq(kds_world_cached(&kds, "vcek-Genoa-"), 2);
}
END_TEST

START_TEST(revocation_lists_are_applied) {
        kds_world_control(&kds, "crl revoked\n");
        machine_start(&m, settings(""));
        show_report();
        daemon_wait_log(&m.agent, "Our own report does not verify");
        expect_status("platform.self_check", "rejected");
        expect_status("collateral.crl.state", "revoked");
}
END_TEST

START_TEST(a_missing_list_is_told_in_soft_mode) {
        kds_world_control(&kds, "crl status 404\n");
        start_and_wait(settings(""));
        expect_status("collateral.crl.state", "absent");
        expect_status("collateral.fetch.reason", "kds-not-found");
        ck_assert_uint_eq(kds_world_count(&kds, "what=crl"), 1);
}
END_TEST

START_TEST(a_missing_list_is_fatal_in_hard_mode) {
        AUTO_REPLY Reply r = {};

        kds_world_control(&kds, "crl status 404\n");
        machine_start(&m, settings("Crl=hard\n"));
        show_report();
        daemon_wait_log(&m.agent, FAILS);
        expect_status("platform.self_check", "rejected");
        expect_status("platform.reason", "crl-absent");
        expect_status("collateral.certificate", "kds");
        /* That is what we say of ourselves. The broker is sent the certificate and decides. */
        r = machine_rest(&m, "/v1/resource/default/app/own", NULL);
        ck_assert_int_eq(r.status, 200);
}
END_TEST

static void *fetch_by_hand(void *p) {
        char report[128];

        (void) snprintf(report, sizeof(report), "%s/report.bin", kds.dir);
        *(SpawnResult *) p = CTL("certs", "fetch", "--json", "--report", report, "--trust-root", machine_test_root(),
                                 "--kds", kds.url, "--kds-ca", kds.ca, "--cache", kds.cache, "--crl");
        return NULL;
}

/* The report of this very machine. */
static void write_report(void) {
        char report[128];

        (void) snprintf(report, sizeof(report), "%s/report.bin", kds.dir);
        machine_write_report(report);
}

START_TEST(the_agent_and_snpctl_take_turns) {
        AUTO_SPAWN_RESULT SpawnResult r = {};
        pthread_t thread;

        write_report();
        kds_world_control(&kds, "all slow 200\n");
        machine_start(&m, settings(""));
        ck_assert_int_eq(pthread_create(&thread, NULL, fetch_by_hand, &r), 0);
        show_report();
        daemon_wait_log(&m.agent, ENDS);
        ck_assert_int_eq(pthread_join(thread, NULL), 0);
        ck_assert_msg(r.status == 0, "%s", r.err);
        expect_requests(1, 1, 1);
}
END_TEST

START_TEST(an_attempt_ends_with_the_configuration_that_began_it) {
        kds_world_control(&kds, "all slow 60000\n");
        machine_start(&m, settings("RequestTimeout=1min\nDeadline=1min\n"));
        show_report();
        while (kds_world_count(&kds, "what=chain") == 0)
                (void) !deadline_sleep(deadline_never(), USEC_PER_MSEC); /* until it is under way */
        kds_world_control(&kds, "");
        machine_configure(&m, settings(""));
        ck_assert_int_eq(kill(m.agent.pid, SIGHUP), 0);
        daemon_wait_notify(&m.agent, "RELOADING=1");
        daemon_wait_notify(&m.agent, "READY=1");
        show_report();
        daemon_wait_log(&m.agent, VERIFIES); /* it did not wait for the turn that the first one had */
}
END_TEST

START_TEST(stopping_does_not_wait_for_an_attempt) {
        kds_world_control(&kds, "all slow 60000\n");
        machine_start(&m, settings("RequestTimeout=1min\nDeadline=1min\n"));
        show_report();
        while (kds_world_count(&kds, "what=chain") == 0)
                (void) !deadline_sleep(deadline_never(), USEC_PER_MSEC);
        ck_assert_int_eq(daemon_stop(&m.agent), 0);
        daemon_start(&m.agent);
}
END_TEST

START_TEST(what_snpctl_fetched_for_this_machine_the_agent_has) {
        AUTO_SPAWN_RESULT SpawnResult r = CTL("certs", "fetch", "--from-device", "--tsm-path", machine_tsm_path(),
                                              "--trust-root", machine_test_root(), "--kds", kds.url, "--kds-ca",
                                              kds.ca, "--cache", kds.cache, "--crl");

        ck_assert_msg(r.status == 0, "%s", r.err);
        machine_start(&m, settings("Kds=none\n"));
        show_report();
        expect_status("platform.self_check", "verified");
        expect_status("collateral.certificate", "cache");
        expect_requests(1, 1, 1);
}
END_TEST

START_TEST(addresses_that_cannot_be_asked_are_refused_at_the_start) {
        static const char *const bad[] = { "Kds=http://10.0.0.1\n", "Kds=http://localhost\n",
                                           "CloudEndpoint=http://kdsintf.amd.com/x\n", "KdsCA=/no/such/file.pem\n" };

        machine_start(&m, settings("Kds=none\n"));
        for (size_t i = 0; i < N_ELEMENTS(bad); i++) {
                machine_configure(&m, settings(bad[i]));
                ck_assert_int_eq(kill(m.agent.pid, SIGHUP), 0);
                daemon_wait_notify(&m.agent, "RELOADING=1");
                daemon_wait_notify(&m.agent, "READY=1");
                ck_assert(daemon_log_has(&m.agent, "The new configuration is refused, the old one stays: [Collateral]"));
        }
}
END_TEST

int main(int argc, char **argv) {
        Suite *s = suite_create("agent-collateral");
        TCase *t = tcase_create("collateral");

        if (argc != 2)
                return EXIT_FAILURE;
        ctl_set_program(argv[1]);
        if (machine_unusable())
                return unit_skip(machine_unusable());
        machine_platform_start();
        tcase_add_checked_fixture(t, set_up, tear_down);
        tcase_set_timeout(t, 60);
        tcase_add_test(t, what_the_host_does_not_give_is_fetched_in_the_background);
        tcase_add_test(t, no_request_waits_for_it_and_the_broker_is_sent_what_came);
        tcase_add_test(t, a_crowd_causes_one_fetch);
        tcase_add_test(t, after_a_restart_nobody_is_asked);
        tcase_add_test(t, an_outage_does_not_matter_to_a_warm_cache);
        tcase_add_loop_test(t, what_passes_is_tried_again, 0, N_ELEMENTS(passing));
        tcase_add_loop_test(t, what_is_wrong_is_not_believed_and_not_asked_for_again, 0, N_ELEMENTS(lasting));
        tcase_add_test(t, a_service_that_stays_down_is_given_up_and_tried_again_later);
        tcase_add_test(t, the_next_mirror_is_asked_when_one_is_down);
        tcase_add_test(t, a_server_that_nobody_vouches_for_is_told_nothing);
        tcase_add_test(t, the_clouds_endpoint_comes_first);
        tcase_add_test(t, nothing_is_asked_when_told_never_to);
        tcase_add_test(t, without_a_cache_it_is_kept_in_memory);
        tcase_add_test(t, a_cache_that_comes_late_is_filled_then);
        tcase_add_test(t, revocation_lists_are_applied);
        tcase_add_test(t, a_missing_list_is_told_in_soft_mode);
        tcase_add_test(t, a_missing_list_is_fatal_in_hard_mode);
        tcase_add_test(t, the_agent_and_snpctl_take_turns);
        tcase_add_test(t, an_attempt_ends_with_the_configuration_that_began_it);
        tcase_add_test(t, stopping_does_not_wait_for_an_attempt);
        tcase_add_test(t, what_snpctl_fetched_for_this_machine_the_agent_has);
        tcase_add_test(t, addresses_that_cannot_be_asked_are_refused_at_the_start);
        suite_add_tcase(s, t);
        return machine_platform_stop(unit_run(s));
}
