/* SPDX-License-Identifier: Apache-2.0 */
/* The daemons below a simulated paravisor: evidence of the vTPM alone. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agent/wire/bodies-azure.h"
#include "base/json.h"
#include "tests/integration/daemon.h"
#include "tests/integration/swtpm.h"
#include "tests/simulator/harness.h"
#include "tests/simulator/paravisor.h"
#include "tests/unit/unit.h"
#include "vtpm/hcl-binding.h"
#include "vtpm/verify.h"

#define EVERY_TIME 2500u /* the paravisor's clock moves past its window with each reading */

static Swtpm tpm;
static SimPki *pki;
static SimParavisor paravisor;
static char dir[64], path[80], config[80];
static Daemon daemon_;

static void start_paravisor(SimParavisorOptions options) {
        Error e = {};
        int r;

        options.swtpm = tpm.path;
        options.pki = pki;
        if (options.step_msec == 0)
                options.step_msec = EVERY_TIME;
        r = sim_paravisor_start(&options, &paravisor, &e);
        ck_assert_msg(r == 0, "%s", error_text(&e, r));
}

static void start_attester(void) {
        daemon_make_dir(dir);
        (void) snprintf(path, sizeof(path), "%s/attester.sock", dir);
        (void) snprintf(config, sizeof(config), "%s/a.conf", dir);
        daemon_put(dir, "a.conf", "[Attester]\nSocket=%s\nSource=azure\n[Tpm]\nTcti=%s\n", path, paravisor.tcti);
        daemon_ = (Daemon){ .program = "agent/attester/snp-attesterd", .dir = dir, .config = config };
        daemon_start(&daemon_);
}

static void stop(void) {
        if (daemon_.pid > 0) {
                ck_assert_int_eq(daemon_stop(&daemon_), 0);
                daemon_remove_dir(dir);
        }
        sim_paravisor_stop(&paravisor);
}

static int ask(uint16_t type, const Blob *body, Blob *ret, Error *e) {
        AUTO_FD int fd = -1;
        Deadline soon = deadline_in(30 * USEC_PER_SEC);
        int r = wire_connect(path, soon, &fd, e);

        return r < 0 ? r : wire_call(fd, type, body->data, body->size, soon, ret, e);
}

static WireQuoteRequest request(void) {
        WireQuoteRequest q = { .nonce_size = 48, .pcr_mask = VTPM_PCR_MASK_ALL, .bank = VTPM_ALG_SHA256,
                               .deadline_msec = 20000 };

        for (size_t i = 0; i < q.nonce_size; i++)
                q.nonce[i] = (uint8_t) (0x60 + i);
        return q;
}

static int ask_azure(const WireQuoteRequest *q, Blob *ret, Error *e) {
        AUTO_BLOB Blob body = {};

        ck_assert_int_eq(wire_quote_request_encode(q, &body), 0);
        return ask(WIRE_AZURE, &body, ret, e);
}

START_TEST(attester_gives_report_and_quote_over_one_nonce) {
        CLEANUP(vtpm_ak_public_freep) VtpmAkPublic *ak = NULL;
        WireQuoteRequest q = request();
        AUTO_BLOB Blob answer = {};
        VtpmPcrValues pcrs = { .hash = VTPM_ALG_SHA256, .mask = VTPM_PCR_MASK_ALL };
        VtpmHclClaims claims;
        VtpmBinding binding;
        VtpmVerdict verdict;
        WireAzureAnswer a;
        VtpmHcl hcl;
        Error e = {};
        int r;

        start_paravisor((SimParavisorOptions){});
        start_attester();
        r = ask_azure(&q, &answer, &e);
        ck_assert_msg(r == 0, "%s", error_text(&e, r));
        ck_assert_int_eq(wire_azure_answer_parse(answer.data, answer.size, q.bank, &a, NULL), 0);
        ck_assert_uint_eq(a.hcl.size, 2600);
        ck_assert_int_eq(vtpm_hcl_parse(a.hcl.data, a.hcl.size, &hcl, NULL), 0);
        r = vtpm_hcl_bind(&(VtpmHclWitness){ .hcl = &hcl, .report_data = hcl.report + VTPM_HCL_SNP_REPORT_DATA_AT,
                                             .ak = a.quote.ak_public.data, .ak_size = a.quote.ak_public.size },
                          &claims, &binding, &e);
        ck_assert_msg(r == 0, "%s", error_text(&e, r));
        ck_assert(vtpm_hcl_claims_say(&claims, q.nonce, q.nonce_size));
        ck_assert_uint_eq(a.quote.n_digests, VTPM_N_PCRS);
        for (size_t i = 0; i < VTPM_N_PCRS; i++)
                (void) memcpy(pcrs.values[i], a.quote.digests[i].data, 32);
        ck_assert_int_eq(vtpm_ak_public_new(a.quote.ak_public.data, a.quote.ak_public.size, &ak, NULL), 0);
        r = vtpm_quote_verify(ak, &(VtpmQuoteBytes){ .attest = a.quote.attest.data, .attest_size = a.quote.attest.size,
                                                     .signature = a.quote.signature.data,
                                                     .signature_size = a.quote.signature.size, .pcrs = &pcrs,
                                                     .n_pcrs = 1 },
                              &(VtpmQuoteAsked){ .nonce = q.nonce, .nonce_size = q.nonce_size,
                                                 .pcrs = { .n_banks = 1, .banks[0] = { q.bank, q.pcr_mask } } },
                              &verdict, &e);
        ck_assert_msg(r == 0, "%s", error_text(&e, r));
}
END_TEST

START_TEST(attester_has_no_other_reports_there) {
        WireReportRequest q = { .vmpl = WIRE_VMPL_AUTO, .deadline_msec = 20000 };
        AUTO_BLOB Blob body = {}, answer = {};
        Error e = {};

        start_paravisor((SimParavisorOptions){});
        start_attester();
        ck_assert_int_eq(wire_report_request_encode(&q, &body), 0);
        ck_assert_int_eq(ask(WIRE_REPORT, &body, &answer, &e), -EOPNOTSUPP);
        ck_assert_str_eq(e.reason, "azure-no-report");
}
END_TEST

static void platform_must_say(bool available, const char *member, const char *value) {
        AUTO_JSON json_object *o = NULL;
        AUTO_BLOB Blob answer = {};
        json_object *snp = NULL;
        const char *text = "";
        Error e = {};
        bool is = false;

        ck_assert_msg(ask(WIRE_PLATFORM, &(Blob){}, &answer, &e) == 0, "%s", e.text);
        ck_assert_int_eq(json_parse(answer.data, answer.size, "platform", &o, NULL), 0);
        ck_assert_int_eq(json_get_obj(o, "snp", &snp, NULL), 0);
        ck_assert_int_eq(json_get_bool(snp, "available", &is, NULL), 0);
        ck_assert_int_eq(is, available);
        ck_assert_int_eq(json_get_str(snp, member, 64, &text, NULL), 0);
        ck_assert_str_eq(text, value);
}

START_TEST(attester_says_what_platform_it_is_on) {
        start_paravisor((SimParavisorOptions){});
        start_attester();
        platform_must_say(true, "source", "azure");
}
END_TEST

START_TEST(attester_says_that_it_is_not_on_azure) {
        WireQuoteRequest q = request();
        AUTO_BLOB Blob answer = {};
        Error e = {};

        start_paravisor((SimParavisorOptions){ .absent = true });
        start_attester();
        platform_must_say(false, "reason", "azure-absent");
        ck_assert_int_eq(ask_azure(&q, &answer, &e), -ENODEV);
        ck_assert_str_eq(e.reason, "azure-absent");
}
END_TEST

START_TEST(reports_of_other_platforms_are_told) {
        start_paravisor((SimParavisorOptions){ .report_type = VTPM_HCL_TDX });
        start_attester();
        platform_must_say(false, "reason", "azure-absent");
}
END_TEST

static Suite *suite(void) {
        Suite *s = suite_create("agent-azure");
        TCase *c = tcase_create("attester");

        tcase_add_checked_fixture(c, NULL, stop);
        tcase_add_test(c, attester_gives_report_and_quote_over_one_nonce);
        tcase_add_test(c, attester_has_no_other_reports_there);
        tcase_add_test(c, attester_says_what_platform_it_is_on);
        tcase_add_test(c, attester_says_that_it_is_not_on_azure);
        tcase_add_test(c, reports_of_other_platforms_are_told);
        suite_add_tcase(s, c);
        return s;
}

int main(void) {
        char hierarchy[SIM_PATH_MAX];
        int r;

        if (!swtpm_available())
                return unit_skip("swtpm is not installed");
        sim_test_pki(SIM_MILAN, hierarchy);
        if (sim_pki_load(hierarchy, &pki, NULL) < 0 || swtpm_start(NULL, &tpm) < 0)
                return 1;
        r = unit_run(suite());
        swtpm_stop(&tpm);
        sim_pki_free(pki);
        return r;
}
