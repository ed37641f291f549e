/* SPDX-License-Identifier: Apache-2.0 */
/* snp-attesterd, the program, against the simulated platform and a real TPM. */
#include <errno.h>
#include <json-c/json.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/wire/bodies-measure.h"
#include "agent/wire/bodies-service.h"
#include "agent/wire/bodies.h"
#include "base/json.h"
#include "snp/cert_table.h"
#include "snp/report.h"
#include "snp/svsm-manifest.h"
#include "tests/integration/daemon.h"
#include "tests/integration/swtpm.h"
#include "tests/simulator/harness.h"
#include "tests/unit/unit.h"
#include "vtpm/verify.h"

static SimTsmRun sim;
static Swtpm tpm;
static char dir[64], path[80], config[80];
static Daemon daemon_;

static void start_platform(void) {
        Error e = {};
        int r = sim_tsm_start(SIM_GENOA, NULL, &sim, &e);

        ck_assert_msg(r == 0, "%s", error_text(&e, r));
        ck_assert_int_eq(swtpm_start(NULL, &tpm), 0);
}

static void stop_platform(void) {
        swtpm_stop(&tpm);
        ck_assert_int_eq(sim_tsm_stop(&sim), 0);
}

static void make_place(void) {
        daemon_make_dir(dir);
        (void) snprintf(path, sizeof(path), "%s/attester.sock", dir);
        (void) snprintf(config, sizeof(config), "%s/a.conf", dir);
        daemon_ = (Daemon){ .program = "agent/attester/snp-attesterd", .dir = dir, .config = config };
}

static void put_config(const char *more) {
        daemon_put(dir, "a.conf", "[Attester]\nSocket=%s\nSource=configfs-tsm\nTsmPath=%s\nReportInterval=0\n%s", path, sim.mountpoint, more);
}

static void start(void) {
        make_place();
        daemon_put(dir, "a.conf",
                   "[Attester]\nSocket=%s\nSource=configfs-tsm\nTsmPath=%s\nReportInterval=0\n[Tpm]\nTcti=%s\nAk=ecc-p256\n", path,
                   sim.mountpoint, tpm.tcti);
        daemon_start(&daemon_);
}

static void stop(void) {
        Error e = {};

        ck_assert_int_eq(daemon_stop(&daemon_), 0);
        daemon_remove_dir(dir);
        ck_assert_int_eq(sim_tsm_control(&sim, "", &e), 0);
}

static Deadline soon(void) {
        return deadline_in(30 * USEC_PER_SEC);
}

static int ask(uint16_t type, const void *body, size_t size, Blob *ret, Error *e) {
        AUTO_FD int fd = -1;
        int r = wire_connect(path, soon(), &fd, e);

        return r < 0 ? r : wire_call(fd, type, body, size, soon(), ret, e);
}

static int ask_report(const WireReportRequest *q, Blob *ret, Error *e) {
        AUTO_BLOB Blob body = {};

        ck_assert_int_eq(wire_report_request_encode(q, &body), 0);
        return ask(WIRE_REPORT, body.data, body.size, ret, e);
}

static WireReportRequest report_request(void) {
        WireReportRequest q = { .vmpl = WIRE_VMPL_AUTO, .deadline_msec = 20000 };

        for (size_t i = 0; i < sizeof(q.report_data); i++)
                q.report_data[i] = (uint8_t) (0xc0 + i);
        return q;
}

START_TEST(report_carries_our_bytes_and_the_hosts_certificates) {
        WireReportRequest q = report_request();
        AUTO_BLOB Blob answer = {};
        WireReportAnswer a;
        SnpCertTable table;
        SnpReport report;
        Error e = {};
        int r = ask_report(&q, &answer, &e);

        ck_assert_msg(r == 0, "%s", error_text(&e, r));
        ck_assert_int_eq(wire_report_answer_parse(answer.data, answer.size, &a, &e), 0);
        ck_assert_msg(snp_report_parse(a.report.data, a.report.size, &report, &e) == 0, "%s", e.text);
        ck_assert_mem_eq(report.report_data, q.report_data, sizeof(q.report_data));
        ck_assert_int_eq(report.product, SNP_PRODUCT_GENOA);
        ck_assert_msg(snp_cert_table_parse(a.certs.data, a.certs.size, &table, &e) == 0, "%s", e.text);
        ck_assert_ptr_nonnull(snp_cert_table_find(&table, SNP_CERT_VCEK));
}
END_TEST

START_TEST(vmpl_of_the_request_reaches_the_report) {
        WireReportRequest q = report_request();
        AUTO_BLOB Blob answer = {};
        WireReportAnswer a;
        SnpReport report;
        Error e = {};

        q.vmpl = 2;
        ck_assert_msg(ask_report(&q, &answer, &e) == 0, "%s", e.text);
        ck_assert_int_eq(wire_report_answer_parse(answer.data, answer.size, &a, &e), 0);
        ck_assert_int_eq(snp_report_parse(a.report.data, a.report.size, &report, &e), 0);
        ck_assert_uint_eq(report.vmpl, 2);
}
END_TEST

static int ask_service(const WireServiceRequest *q, Blob *ret, Error *e) {
        AUTO_BLOB Blob body = {};

        ck_assert_int_eq(wire_service_request_encode(q, &body), 0);
        return ask(WIRE_SERVICE_REPORT, body.data, body.size, ret, e);
}

START_TEST(service_report_binds_the_manifest) {
        WireServiceRequest q = { .nonce = { 3, [63] = 4 }, .deadline_msec = 20000 }; /* all services */
        AUTO_BLOB Blob answer = {};
        SnpSvsmServices services;
        SnpSvsmVerdict verdict;
        WireServiceAnswer a;
        SnpCertTable table;
        SnpReport report;
        Error e = {};
        int r;

        ck_assert_int_eq(sim_tsm_control(&sim, "vmpl-floor=2\n", &e), 0);
        r = ask_service(&q, &answer, &e);
        ck_assert_msg(r == 0, "%s", error_text(&e, r));
        ck_assert_int_eq(wire_service_answer_parse(answer.data, answer.size, &a, &e), 0);
        ck_assert_int_eq(snp_report_parse(a.report.data, a.report.size, &report, &e), 0);
        ck_assert_int_eq(snp_svsm_bind(&report, q.nonce, a.manifest.data, a.manifest.size, &verdict, &e), 0);
        ck_assert_int_eq(verdict, SNP_SVSM_BOUND);
        ck_assert_int_eq(snp_svsm_services_parse(a.manifest.data, a.manifest.size, &services, &e), 0);
        ck_assert_uint_eq(services.n_services, 1);
        ck_assert_int_eq(snp_cert_table_parse(a.certs.data, a.certs.size, &table, &e), 0);
        ck_assert_ptr_nonnull(snp_cert_table_find(&table, SNP_CERT_VCEK));
}
END_TEST

static const struct {
        const char *control;
        uint32_t version;
        uint8_t guid;
        int want;
        const char *reason;
} refused_services[] = {
        { "", 0, 0, -EOPNOTSUPP, "no-svsm" },
        { "vmpl-floor=2\nold-kernel=yes\n", 0, 0, -EOPNOTSUPP, "svsm-kernel" },
        { "vmpl-floor=2\n", 0, 7, -ENOENT, "svsm-refused" },
        { "vmpl-floor=2\n", 9, 7, -EINVAL, "svsm-version" },
        { "vmpl-floor=2\nfail=vmpl:2\n", 0, 0, -EPROTO, "report-vmpl-mismatch" },
        { "vmpl-floor=2\nfail=enxio\n", 0, 0, -ENODEV, "tsm-no-provider" },
};

START_TEST(service_report_that_is_not_to_be_had_is_told_with_its_reason) {
        WireServiceRequest q = { .service = { refused_services[_i].guid }, .deadline_msec = 20000,
                                 .manifest_version = refused_services[_i].version };
        AUTO_BLOB Blob answer = {};
        Error e = {};
        int r;

        ck_assert_int_eq(sim_tsm_control(&sim, refused_services[_i].control, &e), 0);
        r = ask_service(&q, &answer, &e);
        ck_assert_msg(r == refused_services[_i].want, "%d: %s", r, error_text(&e, r));
        ck_assert_str_eq(e.reason, refused_services[_i].reason);
}
END_TEST

static int verify_quote(const WireQuoteRequest *q, const WireQuoteAnswer *a, VtpmVerdict *ret, Error *e) {
        CLEANUP(vtpm_ak_public_freep) VtpmAkPublic *ak = NULL;
        VtpmPcrValues pcrs = { .hash = q->bank, .mask = q->pcr_mask };
        VtpmQuoteBytes bytes = {
                .attest = a->attest.data, .attest_size = a->attest.size,
                .signature = a->signature.data, .signature_size = a->signature.size, .pcrs = &pcrs, .n_pcrs = 1,
        };
        VtpmQuoteAsked asked = {
                .nonce = q->nonce, .nonce_size = q->nonce_size,
                .pcrs = { .n_banks = 1, .banks[0] = { .hash = q->bank, .mask = q->pcr_mask } },
        };
        size_t n = 0;
        int r;

        for (size_t i = 0; i < VTPM_N_PCRS; i++)
                if (q->pcr_mask >> i & 1) {
                        (void) memcpy(pcrs.values[i], a->digests[n].data, a->digests[n].size);
                        n++;
                }
        ck_assert_uint_eq(n, a->n_digests);
        r = vtpm_ak_public_new(a->ak_public.data, a->ak_public.size, &ak, e);
        return r < 0 ? r : vtpm_quote_verify(ak, &bytes, &asked, ret, e);
}

START_TEST(quote_over_our_nonce_verifies) {
        WireQuoteRequest q = { .nonce = "nonce", .nonce_size = 5, .pcr_mask = 0x8000ff, .bank = VTPM_ALG_SHA256,
                               .deadline_msec = 20000 };
        AUTO_BLOB Blob body = {}, answer = {};
        WireQuoteAnswer a;
        VtpmVerdict verdict;
        Error e = {};

        ck_assert_int_eq(wire_quote_request_encode(&q, &body), 0);
        ck_assert_msg(ask(WIRE_QUOTE, body.data, body.size, &answer, &e) == 0, "%s", e.text);
        ck_assert_msg(wire_quote_answer_parse(answer.data, answer.size, q.bank, &a, &e) == 0, "%s", e.text);
        ck_assert_uint_eq(a.n_digests, 9);
        ck_assert_msg(verify_quote(&q, &a, &verdict, &e) == 0, "%s", e.text);
        ck_assert_int_eq(verdict.outcome, VTPM_ACCEPT);
        q.nonce[0] ^= 1;
        ck_assert_int_lt(verify_quote(&q, &a, &verdict, NULL), 0);
}
END_TEST

START_TEST(platform_tells_what_is_there) {
        AUTO_BLOB Blob answer = {};
        AUTO_JSON json_object *o = NULL;
        json_object *snp, *tpm_facts;
        const char *source;
        bool yes = false;
        Error e = {};

        ck_assert_msg(ask(WIRE_PLATFORM, NULL, 0, &answer, &e) == 0, "%s", e.text);
        ck_assert_int_eq(json_parse(answer.data, answer.size, "platform", &o, &e), 0);
        ck_assert_int_eq(json_get_obj(o, "snp", &snp, &e), 0);
        ck_assert_int_eq(json_get_bool(snp, "available", &yes, &e), 0);
        ck_assert(yes);
        ck_assert_int_eq(json_get_str(snp, "source", 64, &source, &e), 0);
        ck_assert_str_eq(source, "configfs-tsm");
        ck_assert_int_eq(json_get_obj(o, "tpm", &tpm_facts, &e), 0);
        ck_assert_int_eq(json_get_bool(tpm_facts, "configured", &yes, &e), 0);
        ck_assert(yes);
}
END_TEST

static const struct {
        const char *why;
        uint16_t type;
        size_t size;
        int want; /* of the call */
} bad_requests[] = {
        { "report without a body", WIRE_REPORT, 0, -EBADMSG },
        { "report one byte short", WIRE_REPORT, 71, -EBADMSG },
        { "report one byte long", WIRE_REPORT, 73, -EBADMSG },
        { "report with a deadline of zero", WIRE_REPORT, 72, -EBADMSG },
        { "service report without a body", WIRE_SERVICE_REPORT, 0, -EBADMSG },
        { "service report one byte short", WIRE_SERVICE_REPORT, 87, -EBADMSG },
        { "service report with a deadline of zero", WIRE_SERVICE_REPORT, 88, -EBADMSG },
        { "quote without a body", WIRE_QUOTE, 0, -EBADMSG },
        { "quote with an empty nonce", WIRE_QUOTE, 13, -EBADMSG },
        { "quote that is too long", WIRE_QUOTE, 77, -EBADMSG },
        { "platform with a body", WIRE_PLATFORM, 1, -EBADMSG },
        { "a message for agentd", WIRE_VOLUME_KEY, 8, -ECONNRESET },
        { "an answer", WIRE_REPORT | WIRE_ANSWER, 72, -ECONNRESET },
        { "an error", WIRE_ERROR, 8, -ECONNRESET },
};

START_TEST(malformed_request_is_refused_and_the_next_one_served) {
        static const uint8_t zeros[128];
        WireReportRequest q = report_request();
        AUTO_BLOB Blob answer = {};
        Error e = {};
        int r = ask(bad_requests[_i].type, zeros, bad_requests[_i].size, &answer, &e);

        ck_assert_msg(r == bad_requests[_i].want, "%s: %d %s", bad_requests[_i].why, r, e.text);
        ck_assert_ptr_null(answer.data);
        e = (Error){};
        ck_assert_msg(ask_report(&q, &answer, &e) == 0, "%s", e.text);
}
END_TEST

START_TEST(failure_of_the_platform_is_told_with_its_reason) {
        WireReportRequest q = report_request();
        AUTO_BLOB Blob answer = {};
        Error e = {};

        ck_assert_int_eq(sim_tsm_control(&sim, "fail=eio\n", &e), 0);
        ck_assert_int_eq(ask_report(&q, &answer, &e), -EIO);
        ck_assert_uint_gt(strlen(e.reason), 0);
        ck_assert_int_eq(sim_tsm_control(&sim, "", &e), 0);
        e = (Error){};
        ck_assert_msg(ask_report(&q, &answer, &e) == 0, "%s", e.text);
}
END_TEST

START_TEST(client_that_says_nothing_does_not_block_the_next_for_long) {
        WireReportRequest q = report_request();
        AUTO_FD int silent = -1;
        AUTO_BLOB Blob answer = {};
        Error e = {};

        ck_assert_int_eq(wire_connect(path, soon(), &silent, &e), 0);
        ck_assert_msg(ask_report(&q, &answer, &e) == 0, "%s", e.text);
}
END_TEST

START_TEST(client_that_leaves_does_no_harm) {
        WireReportRequest q = report_request();
        AUTO_BLOB Blob answer = {}, body = {};
        Error e = {};
        int fd = -1;

        ck_assert_int_eq(wire_report_request_encode(&q, &body), 0);
        ck_assert_int_eq(wire_connect(path, soon(), &fd, &e), 0);
        ck_assert_int_eq(wire_send(fd, WIRE_REPORT, body.data, body.size, &e), 0);
        (void) close(fd);
        ck_assert_msg(ask_report(&q, &answer, &e) == 0, "%s", e.text);
}
END_TEST

/* In a child that has become user 12345. Exit status: the negated result of asking. */
static int ask_as_stranger(uint16_t type, const Blob *body) {
        pid_t pid = fork();
        int status;

        ck_assert_int_ge(pid, 0);
        if (pid == 0) {
                AUTO_BLOB Blob answer = {};
                int r;

                if (setgid(12345) < 0 || setuid(12345) < 0)
                        _exit(99);
                r = ask(type, body->data, body->size, &answer, NULL);
                _exit(-r);
        }
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert(WIFEXITED(status));
        return -WEXITSTATUS(status);
}

/* A socket as systemd would hold it, open to all, so that the daemon alone decides. */
static int open_listener(void) {
        Error e = {};
        int fd = -1;

        ck_assert_msg(wire_listen(path, SOCK_SEQPACKET, 0666, &fd, &e) == 0, "%s", e.text);
        ck_assert_int_eq(chmod(dir, 0755), 0);
        return fd;
}

START_TEST(strangers_are_refused_unless_named) {
        const WireMeasureRequest q = { .domain = { "d", 1 }, .operation = { "o", 1 }, .deadline_msec = 1000 };
        const Blob none = {};
        AUTO_BLOB Blob measure = {};
        AUTO_FD int listener = -1;

        if (geteuid() != 0)
                return; /* only root can become others */
        make_place();
        put_config(_i == 0 ? "" : "AllowUser=12345\n");
        listener = open_listener();
        daemon_.n_sockets = 1;
        daemon_.sockets[0] = (DaemonSocket){ .name = "attester", .fd = listener };
        daemon_start(&daemon_);
        ck_assert_int_eq(ask_as_stranger(WIRE_PLATFORM, &none), _i == 0 ? -EACCES : 0);
        ck_assert(daemon_log_has(&daemon_, "of user 12345: it has no right to ask") == (_i == 0));
        /* What is more than evidence is not for those who are named either. */
        ck_assert_int_eq(wire_measure_request_encode(&q, &measure), 0);
        ck_assert_int_eq(ask_as_stranger(WIRE_MEASURE, &measure), -EACCES);
        stop();
}
END_TEST

START_TEST(owner_of_the_socket_may_ask) {
        AUTO_FD int listener = -1;

        if (geteuid() != 0)
                return; /* only root can become others */
        make_place();
        put_config("");
        listener = open_listener();
        ck_assert_int_eq(chown(path, 12345, (gid_t) -1), 0);
        daemon_.n_sockets = 1;
        daemon_.sockets[0] = (DaemonSocket){ .name = "attester", .fd = listener };
        daemon_start(&daemon_);
        ck_assert_int_eq(ask_as_stranger(WIRE_PLATFORM, &(Blob){}), 0);
        stop();
}
END_TEST

START_TEST(gives_signs_of_life_while_idle) {
        make_place();
        put_config("IdleTimeout=0\n");
        daemon_.env[0] = "WATCHDOG_USEC=100000";
        daemon_start(&daemon_);
        for (int i = 0; i < 3; i++)
                daemon_wait_notify(&daemon_, "WATCHDOG=1");
        stop();
}
END_TEST

START_TEST(leaves_when_idle_and_its_socket_stays) {
        AUTO_FD int listener = -1;
        AUTO_BLOB Blob answer = {};
        Error e = {};

        make_place();
        put_config("IdleTimeout=50ms\n");
        listener = open_listener();
        daemon_.n_sockets = 1;
        daemon_.sockets[0] = (DaemonSocket){ .name = "attester", .fd = listener };
        daemon_start(&daemon_);
        daemon_wait_notify(&daemon_, "STOPPING=1");
        ck_assert_int_eq(daemon_wait_exit(&daemon_), 0);
        ck_assert_int_eq(access(path, F_OK), 0);
        /* Who comes now waits until it has been started again. */
        daemon_start(&daemon_);
        ck_assert_msg(ask(WIRE_PLATFORM, NULL, 0, &answer, &e) == 0, "%s", e.text);
        stop();
}
END_TEST

START_TEST(own_socket_is_removed_at_the_end) {
        make_place();
        put_config("IdleTimeout=1ms\n");
        daemon_start(&daemon_);
        ck_assert_int_eq(access(path, F_OK), 0);
        ck_assert_int_eq(daemon_stop(&daemon_), 0);
        ck_assert_int_eq(access(path, F_OK), -1);
        stop();
}
END_TEST

START_TEST(socket_of_another_name_is_not_taken) {
        AUTO_FD int listener = -1;

        make_place();
        put_config("");
        listener = open_listener();
        daemon_.n_sockets = 1;
        daemon_.sockets[0] = (DaemonSocket){ .name = "other", .fd = listener };
        daemon_spawn(&daemon_);
        ck_assert_int_eq(daemon_wait_exit(&daemon_), 1);
        daemon_wait_log(&daemon_, "no socket named 'attester'");
        stop();
}
END_TEST

START_TEST(bad_configuration_stops_it_with_file_and_line) {
        make_place();
        put_config("Sauce=auto\n");
        daemon_spawn(&daemon_);
        ck_assert_int_eq(daemon_wait_exit(&daemon_), 1);
        daemon_wait_log(&daemon_, "/a.conf:6: unknown key Sauce=");
        stop();
}
END_TEST

START_TEST(without_evidence_it_runs_and_says_why) {
        AUTO_BLOB Blob answer = {};
        WireReportRequest q = report_request();
        Error e = {};

        make_place();
        daemon_put(dir, "a.conf", "[Attester]\nSocket=%s\nTsmPath=%s/nothing\nDevicePath=%s/nothing\n", path, dir, dir);
        daemon_start(&daemon_);
        ck_assert_int_eq(ask_report(&q, &answer, &e), -ENODEV);
        ck_assert_int_eq(ask(WIRE_PLATFORM, NULL, 0, &answer, NULL), 0);
        ck_assert_ptr_nonnull(memmem(answer.data, answer.size, "\"available\":false", 17));
        stop();
}
END_TEST

START_TEST(quote_without_a_tpm_is_refused) {
        static const uint8_t body[] = { 1, 0, 9, 1, 0, 0, 0, 0x0b, 0, 1, 0, 0, 0 };
        AUTO_BLOB Blob answer = {};
        Error e = {};

        make_place();
        put_config("");
        daemon_start(&daemon_);
        ck_assert_int_eq(ask(WIRE_QUOTE, body, sizeof(body), &answer, &e), -ENODEV);
        ck_assert_str_eq(e.reason, "tpm-not-configured");
        stop();
}
END_TEST

START_TEST(process_is_undumpable) {
        char text[80], line[128];
        FILE *f;
        bool limit = false;

        (void) snprintf(text, sizeof(text), "/proc/%d/limits", (int) daemon_.pid);
        f = fopen(text, "re");
        ck_assert_ptr_nonnull(f);
        while (fgets(line, sizeof(line), f)) {
                unsigned long soft = 1, hard = 1;

                if (sscanf(line, "Max core file size %lu %lu", &soft, &hard) == 2)
                        limit = soft == 0 && hard == 0;
        }
        (void) fclose(f);
        ck_assert(limit);
}
END_TEST

int main(void) {
        Suite *s = suite_create("agent-attester");
        TCase *served = tcase_create("served"), *alone = tcase_create("alone");
        const char *why = sim_tsm_unusable();

        if (why)
                return unit_skip(why);
        if (!swtpm_available())
                return unit_skip("swtpm is not installed");
        tcase_add_unchecked_fixture(served, start_platform, stop_platform);
        tcase_add_checked_fixture(served, start, stop);
        tcase_add_test(served, report_carries_our_bytes_and_the_hosts_certificates);
        tcase_add_test(served, vmpl_of_the_request_reaches_the_report);
        tcase_add_test(served, service_report_binds_the_manifest);
        tcase_add_loop_test(served, service_report_that_is_not_to_be_had_is_told_with_its_reason, 0,
                            (int) N_ELEMENTS(refused_services));
        tcase_add_test(served, quote_over_our_nonce_verifies);
        tcase_add_test(served, platform_tells_what_is_there);
        tcase_add_loop_test(served, malformed_request_is_refused_and_the_next_one_served, 0,
                            (int) N_ELEMENTS(bad_requests));
        tcase_add_test(served, failure_of_the_platform_is_told_with_its_reason);
        tcase_add_test(served, client_that_says_nothing_does_not_block_the_next_for_long);
        tcase_add_test(served, client_that_leaves_does_no_harm);
        tcase_add_test(served, process_is_undumpable);
        suite_add_tcase(s, served);

        tcase_add_unchecked_fixture(alone, start_platform, stop_platform);
        tcase_add_loop_test(alone, strangers_are_refused_unless_named, 0, 2);
        tcase_add_test(alone, owner_of_the_socket_may_ask);
        tcase_add_test(alone, gives_signs_of_life_while_idle);
        tcase_add_test(alone, leaves_when_idle_and_its_socket_stays);
        tcase_add_test(alone, own_socket_is_removed_at_the_end);
        tcase_add_test(alone, socket_of_another_name_is_not_taken);
        tcase_add_test(alone, bad_configuration_stops_it_with_file_and_line);
        tcase_add_test(alone, without_evidence_it_runs_and_says_why);
        tcase_add_test(alone, quote_without_a_tpm_is_refused);
        suite_add_tcase(s, alone);
        return unit_run(s);
}
