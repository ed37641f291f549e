/* SPDX-License-Identifier: Apache-2.0 */
/* snp-attesterd measures, hands logs out in pieces, and gives report and quote over one nonce. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/wire/bodies-measure.h"
#include "snp/report.h"
#include "tests/integration/daemon.h"
#include "tests/integration/swtpm.h"
#include "tests/simulator/harness.h"
#include "tests/unit/unit.h"
#include "vtpm/aael.h"
#include "vtpm/context.h"
#include "vtpm/event-log-replay.h"
#include "vtpm/pcr.h"
#include "vtpm/verify.h"

#define TEXT(t) { .text = (t), .len = sizeof(t) - 1 }
#define LOG_SIZE (WIRE_EVENT_LOG_CHUNK_MAX + 1000u)

static SimTsmRun sim;
static Swtpm tpm;
static char dir[64], path[80], config[80];
static Daemon daemon_;

static Deadline soon(void) {
        return deadline_in(30 * USEC_PER_SEC);
}

static void start(const char *measure) {
        Error e = {};
        int r = sim_tsm_start(SIM_GENOA, NULL, &sim, &e);

        ck_assert_msg(r == 0, "%s", error_text(&e, r));
        ck_assert_int_eq(swtpm_start(NULL, &tpm), 0);
        daemon_make_dir(dir);
        (void) snprintf(path, sizeof(path), "%s/measured", dir);
        ck_assert_int_eq(mkdir(path, 0700), 0);
        (void) snprintf(path, sizeof(path), "%s/attester.sock", dir);
        (void) snprintf(config, sizeof(config), "%s/a.conf", dir);
        daemon_put(dir, "a.conf",
                   "[Attester]\nSocket=%s\nSource=configfs-tsm\nTsmPath=%s\nReportInterval=0\n"
                   "[Tpm]\nTcti=%s\nAk=ecc-p256\nEventLog=%s/firmware.bin\n[Measure]\nDirectory=%s/measured\n%s",
                   path, sim.mountpoint, tpm.tcti, dir, dir, measure);
        daemon_ = (Daemon){ .program = "agent/attester/snp-attesterd", .dir = dir, .config = config };
        daemon_start(&daemon_);
}

static void setup(void) {
        start("Pcr=8\n");
}

static void setup_without(void) {
        start("");
}

static void stop(void) {
        ck_assert_int_eq(daemon_stop(&daemon_), 0);
        daemon_remove_dir(dir);
        swtpm_stop(&tpm);
        ck_assert_int_eq(sim_tsm_stop(&sim), 0);
}

static int ask(uint16_t type, const Blob *body, Blob *ret, Error *e) {
        AUTO_FD int fd = -1;
        int r = wire_connect(path, soon(), &fd, e);

        return r < 0 ? r : wire_call(fd, type, body->data, body->size, soon(), ret, e);
}

static int measure(const char *content, Error *e) {
        const WireMeasureRequest q = { TEXT("example.org"), TEXT("Test"), { content, strlen(content) }, 20000 };
        AUTO_BLOB Blob body = {}, answer = {};
        int r;

        ck_assert_int_eq(wire_measure_request_encode(&q, &body), 0);
        r = ask(WIRE_MEASURE, &body, &answer, e);
        ck_assert_uint_eq(answer.size, 0);
        return r;
}

static int ask_log(WireEventLog which, uint32_t offset, Blob *ret_body, WireEventLogAnswer *ret, Error *e) {
        const WireEventLogRequest q = { .which = (uint8_t) which, .offset = offset };
        AUTO_BLOB Blob body = {};
        int r;

        ck_assert_int_eq(wire_event_log_request_encode(&q, &body), 0);
        r = ask(WIRE_EVENT_LOG, &body, ret_body, e);
        return r < 0 ? r : wire_event_log_answer_parse(ret_body->data, ret_body->size, ret, e);
}

START_TEST(measurements_are_in_the_pcr_and_in_the_log) {
        CLEANUP(vtpm_context_freep) VtpmContext *ctx = NULL;
        VtpmPcrValues replayed, actual;
        WireEventLogAnswer a;
        AUTO_BLOB Blob body = {};
        VtpmAaelEntry entry;
        VtpmEventLog log;
        VtpmEvent ev;
        Error e = {};

        ck_assert_int_eq(ask_log(WIRE_EVENT_LOG_RUNTIME, 0, &body, &a, &e), 0);
        ck_assert_uint_eq(a.total, 0);
        blob_done(&body);
        ck_assert_msg(measure("one", &e) == 0 && measure("two", &e) == 0, "%s", e.text);
        ck_assert_int_eq(ask_log(WIRE_EVENT_LOG_RUNTIME, 0, &body, &a, &e), 0);
        ck_assert_uint_eq(a.total, a.chunk.size);
        ck_assert_int_eq(vtpm_event_log_open(a.chunk.data, a.chunk.size, &log, &e), 0);
        ck_assert_int_eq(vtpm_event_log_next(&log, &ev, &e), 1);
        for (int i = 0; i < 2; i++) {
                ck_assert_int_eq(vtpm_event_log_next(&log, &ev, &e), 1);
                ck_assert_int_eq(vtpm_aael_parse(&ev, &entry, &e), 0);
                ck_assert_mem_eq(entry.content.text, i == 0 ? "one" : "two", 3);
        }
        ck_assert_int_eq(vtpm_event_log_replay(&log, VTPM_ALG_SHA256, &replayed, &e), 0);
        ck_assert_int_eq(vtpm_context_open(tpm.tcti, soon(), &ctx, &e), 0);
        ck_assert_int_eq(vtpm_pcr_read(ctx, VTPM_ALG_SHA256, 1u << 8, &actual, &e), 0);
        ck_assert_uint_eq(vtpm_event_log_explains(&replayed, &actual), 1u << 8);
}
END_TEST

START_TEST(text_that_no_log_carries_is_refused) {
        Error e = {};

        ck_assert_int_eq(measure("two\nlines", &e), -EINVAL);
        ck_assert_str_eq(e.reason, "measurement-text");
}
END_TEST

START_TEST(without_a_pcr_nothing_is_measured) {
        Error e = {};

        ck_assert_int_eq(measure("one", &e), -EOPNOTSUPP);
        ck_assert_str_eq(e.reason, "measure-not-configured");
}
END_TEST

START_TEST(long_logs_come_in_pieces_of_one_whole) {
        AUTO_BLOB Blob first = {}, second = {}, end = {}, beyond = {};
        AUTO_FREE char *text = malloc(LOG_SIZE + 1);
        WireEventLogAnswer a, b, c;
        Error e = {};

        for (size_t i = 0; i < LOG_SIZE; i++)
                text[i] = (char) ('a' + i % 23);
        text[LOG_SIZE] = 0;
        daemon_put(dir, "firmware.bin", "%s", text);
        ck_assert_int_eq(ask_log(WIRE_EVENT_LOG_FIRMWARE, 0, &first, &a, &e), 0);
        ck_assert_uint_eq(a.total, LOG_SIZE);
        ck_assert_uint_eq(a.chunk.size, WIRE_EVENT_LOG_CHUNK_MAX);
        ck_assert_int_eq(ask_log(WIRE_EVENT_LOG_FIRMWARE, WIRE_EVENT_LOG_CHUNK_MAX, &second, &b, &e), 0);
        ck_assert_uint_eq(b.chunk.size, LOG_SIZE - WIRE_EVENT_LOG_CHUNK_MAX);
        ck_assert_mem_eq(a.digest, b.digest, sizeof(a.digest));
        ck_assert_mem_eq(a.chunk.data, text, a.chunk.size);
        ck_assert_mem_eq(b.chunk.data, text + a.chunk.size, b.chunk.size);
        ck_assert_int_eq(ask_log(WIRE_EVENT_LOG_FIRMWARE, LOG_SIZE, &end, &c, &e), 0);
        ck_assert_uint_eq(c.chunk.size, 0);
        ck_assert_int_eq(ask_log(WIRE_EVENT_LOG_FIRMWARE, LOG_SIZE + 1, &beyond, &c, &e), -EINVAL);
        ck_assert_str_eq(e.reason, "event-log-offset");
}
END_TEST

START_TEST(absent_log_is_told) {
        AUTO_BLOB Blob body = {};
        WireEventLogAnswer a;
        Error e = {};

        ck_assert_int_eq(ask_log(WIRE_EVENT_LOG_FIRMWARE, 0, &body, &a, &e), -ENOENT);
        ck_assert_str_eq(e.reason, "event-log-absent");
}
END_TEST

static void check_quote(const WireQuoteAnswer *a, const WireQuoteRequest *q) {
        CLEANUP(vtpm_ak_public_freep) VtpmAkPublic *ak = NULL;
        VtpmPcrValues pcrs = { .hash = VTPM_ALG_SHA256, .mask = q->pcr_mask };
        const VtpmQuoteAsked asked = {
                .nonce = q->nonce, .nonce_size = q->nonce_size,
                .pcrs = { .n_banks = 1, .banks[0] = { .hash = q->bank, .mask = q->pcr_mask } },
        };
        VtpmQuoteBytes bytes = { a->attest.data, a->attest.size, a->signature.data, a->signature.size, &pcrs, 1 };
        VtpmVerdict v;
        size_t n = 0;
        Error e = {};

        for (size_t i = 0; i < VTPM_N_PCRS; i++)
                if (pcrs.mask >> i & 1)
                        (void) memcpy(pcrs.values[i], a->digests[n++].data, 32);
        ck_assert_uint_eq(n, a->n_digests);
        ck_assert_int_eq(vtpm_ak_public_new(a->ak_public.data, a->ak_public.size, &ak, &e), 0);
        ck_assert_msg(vtpm_quote_verify(ak, &bytes, &asked, &v, &e) == 0, "%s", e.text);
}

START_TEST(report_and_quote_are_over_the_same_nonce) {
        const WireEvidenceRequest q = {
                .quote = { .nonce = "a nonce", .nonce_size = 7, .pcr_mask = 0x101, .bank = VTPM_ALG_SHA256,
                           .deadline_msec = 20000 },
                .vmpl = WIRE_VMPL_AUTO,
        };
        AUTO_BLOB Blob body = {}, answer = {};
        WireEvidenceAnswer a;
        SnpReport report;
        Error e = {};
        int r;

        ck_assert_int_eq(wire_evidence_request_encode(&q, &body), 0);
        r = ask(WIRE_EVIDENCE, &body, &answer, &e);
        ck_assert_msg(r == 0, "%s", error_text(&e, r));
        ck_assert_int_eq(wire_evidence_answer_parse(answer.data, answer.size, VTPM_ALG_SHA256, &a, &e), 0);
        ck_assert_int_eq(snp_report_parse(a.report.report.data, a.report.report.size, &report, &e), 0);
        ck_assert_mem_eq(report.report_data, q.quote.nonce, SNP_REPORT_DATA_SIZE);
        ck_assert_uint_gt(a.report.certs.size, 0);
        check_quote(&a.quote, &q.quote);
}
END_TEST

/* Nothing of the platform's own: half of the evidence is none. */
START_TEST(without_the_tpm_there_is_no_evidence) {
        const WireEvidenceRequest q = {
                .quote = { .nonce = "n", .nonce_size = 1, .pcr_mask = 1, .bank = VTPM_ALG_SHA256, .deadline_msec = 5000 },
                .vmpl = WIRE_VMPL_AUTO,
        };
        AUTO_BLOB Blob body = {}, answer = {};
        Error e = {};

        swtpm_kill(&tpm);
        ck_assert_int_eq(wire_evidence_request_encode(&q, &body), 0);
        ck_assert_int_lt(ask(WIRE_EVIDENCE, &body, &answer, &e), 0);
        ck_assert_uint_eq(answer.size, 0);
        ck_assert_int_lt(measure("one", &e), 0);
}
END_TEST

int main(void) {
        Suite *s = suite_create("attester-measure");
        TCase *with = tcase_create("configured"), *without = tcase_create("not-configured");
        const char *why = sim_tsm_unusable();

        if (why || !swtpm_available())
                return unit_skip(why ? why : "swtpm is not installed");
        tcase_add_checked_fixture(with, setup, stop);
        tcase_add_test(with, measurements_are_in_the_pcr_and_in_the_log);
        tcase_add_test(with, text_that_no_log_carries_is_refused);
        tcase_add_test(with, long_logs_come_in_pieces_of_one_whole);
        tcase_add_test(with, absent_log_is_told);
        tcase_add_test(with, report_and_quote_are_over_the_same_nonce);
        tcase_add_test(with, without_the_tpm_there_is_no_evidence);
        suite_add_tcase(s, with);
        tcase_add_checked_fixture(without, setup_without, stop);
        tcase_add_test(without, without_a_pcr_nothing_is_measured);
        suite_add_tcase(s, without);
        return unit_run(s);
}
