/* SPDX-License-Identifier: Apache-2.0 */
/* Reports of a simulated paravisor in front of a real TPM (swtpm), and recorded ones. */
#include <errno.h>
#include <string.h>

#include "tests/integration/swtpm.h"
#include "tests/simulator/harness.h"
#include "tests/simulator/paravisor.h"
#include "tests/unit/unit.h"
#include "vtpm/ak_public.h"
#include "vtpm/azure.h"
#include "vtpm/esys.h"
#include "vtpm/hcl-binding.h"
#include "vtpm/nv.h"

#define DEADLINE_USEC (30 * USEC_PER_SEC)
#define PROMPT_USEC (10 * USEC_PER_MSEC) /* the simulated paravisor's time does not pass while we wait */
#define EVERY_TIME 2500u                 /* a step longer than the paravisor's window */

static Swtpm tpm;
static SimPki *pki;
static SimParavisor paravisor;
static uint8_t nonce[48];

static VtpmContext *open_tpm(const char *tcti) {
        VtpmContext *ctx = NULL;
        Error e = {};
        int r = vtpm_context_open(tcti, deadline_in(DEADLINE_USEC), &ctx, &e);

        ck_assert_msg(r == 0, "%s", error_text(&e, r));
        return ctx;
}

static void start(SimParavisorOptions options) {
        Error e = {};
        int r;

        options.swtpm = tpm.path;
        options.pki = pki;
        r = sim_paravisor_start(&options, &paravisor, &e);
        ck_assert_msg(r == 0, "%s", error_text(&e, r));
}

/* No user data yet, and a nonce of its own for each test: what another one has left in the TPM is stale here. */
static void setup(void) {
        CLEANUP(vtpm_context_freep) VtpmContext *ctx = open_tpm(tpm.tcti);
        static uint8_t n;
        VtpmNvPublic pub;
        int r = vtpm_nv_public(ctx, VTPM_AZURE_NV_USER_DATA, &pub, NULL);

        if (r == 0)
                ck_assert_int_eq(vtpm_nv_undefine(ctx, VTPM_AZURE_NV_USER_DATA, NULL), 0);
        (void) memset(nonce, 0x40 + n++, sizeof(nonce));
}

static void teardown(void) {
        sim_paravisor_stop(&paravisor);
}

static VtpmAzureAsked asked(void) {
        return (VtpmAzureAsked){ .user_data = nonce, .size = sizeof(nonce), .window_usec = PROMPT_USEC,
                                 .deadline = deadline_in(DEADLINE_USEC) };
}

static int report(Blob *ret, Error *e) {
        CLEANUP(vtpm_context_freep) VtpmContext *ctx = open_tpm(paravisor.tcti);
        VtpmAzureAsked a = asked();

        return vtpm_azure_report(ctx, &a, ret, e);
}

static void must_say(const Blob *content) {
        VtpmHclClaims claims;
        VtpmHcl hcl;

        ck_assert_int_eq(vtpm_hcl_parse(content->data, content->size, &hcl, NULL), 0);
        ck_assert_int_eq(vtpm_hcl_claims_parse(hcl.claims, hcl.claims_size, &claims, NULL), 0);
        ck_assert(vtpm_hcl_claims_say(&claims, nonce, sizeof(nonce)));
}

static void must_report(size_t size) {
        AUTO_BLOB Blob content = {};
        Error e = {};
        int r = report(&content, &e);

        ck_assert_msg(r == 0, "%s", error_text(&e, r));
        ck_assert_uint_eq(content.size, size);
        must_say(&content);
}

static void must_fail(int code, const char *reason) {
        AUTO_BLOB Blob content = {};
        Error e = {};
        int r = report(&content, &e);

        ck_assert_msg(r == code && strcmp(error_reason(&e, r), reason) == 0, "%d %s: %s", r, error_reason(&e, r),
                      error_text(&e, r));
        ck_assert_ptr_null(content.data);
}

static uint32_t detect(const char *tcti) {
        CLEANUP(vtpm_context_freep) VtpmContext *ctx = open_tpm(tcti);
        uint32_t type = UINT32_MAX;
        Error e = {};
        int r = vtpm_azure_detect(ctx, &type, &e);

        ck_assert_msg(r == 0, "%s", error_text(&e, r));
        return type;
}

START_TEST(plain_tpm_is_no_azure_and_no_error) {
        CLEANUP(vtpm_context_freep) VtpmContext *ctx = open_tpm(tpm.tcti);
        AUTO_BLOB Blob content = {};
        VtpmAzureAsked a = asked();
        VtpmNvPublic pub;
        Error e = {};

        ck_assert_int_eq(vtpm_azure_report(ctx, &a, &content, &e), -ENODEV);
        ck_assert_str_eq(e.reason, "azure-absent");
        ck_assert_int_eq(vtpm_nv_public(ctx, VTPM_AZURE_NV_USER_DATA, &pub, NULL), -ENOENT); /* left as it was */
        vtpm_context_free(TAKE_PTR(ctx));
        ck_assert_uint_eq(detect(tpm.tcti), 0);
}
END_TEST

START_TEST(paravisor_is_detected_with_its_report) {
        start((SimParavisorOptions){});
        ck_assert_uint_eq(detect(paravisor.tcti), VTPM_HCL_SNP);
        teardown();
        start((SimParavisorOptions){ .report_type = VTPM_HCL_TDX });
        ck_assert_uint_eq(detect(paravisor.tcti), VTPM_HCL_TDX);
        teardown();
        start((SimParavisorOptions){ .absent = true });
        ck_assert_uint_eq(detect(paravisor.tcti), 0);
        teardown();
        start((SimParavisorOptions){ .unwritten = true });
        ck_assert_uint_eq(detect(paravisor.tcti), 0);
}
END_TEST

START_TEST(index_of_that_number_with_something_else_is_no_azure) {
        static const uint8_t other[64] = "something else";
        Blob recorded = { .data = (uint8_t *) (uintptr_t) other, .size = sizeof(other) };

        start((SimParavisorOptions){ .recorded = &recorded });
        ck_assert_uint_eq(detect(paravisor.tcti), 0);
}
END_TEST

START_TEST(report_that_is_cut_is_an_error) {
        static const uint8_t other[64] = "HCLA";
        Blob recorded = { .data = (uint8_t *) (uintptr_t) other, .size = sizeof(other) };
        CLEANUP(vtpm_context_freep) VtpmContext *ctx = NULL;
        uint32_t type = 7;

        start((SimParavisorOptions){ .recorded = &recorded });
        ctx = open_tpm(paravisor.tcti);
        ck_assert_int_eq(vtpm_azure_detect(ctx, &type, NULL), -EBADMSG);
        ck_assert_uint_eq(type, 7);
}
END_TEST

static const SimParavisorOptions sizes[] = {
        { .step_msec = EVERY_TIME, .size = 2600 },
        { .step_msec = EVERY_TIME, .size = 2900 },
        { .step_msec = EVERY_TIME, .size = 2900, .chunk_max = 512 },
        { .step_msec = EVERY_TIME, .size = 2900, .upper_case = true },
};

START_TEST(fresh_report_says_what_was_written) {
        start(sizes[_i]);
        must_report(sizes[_i].size);
}
END_TEST

START_TEST(report_of_the_boot_does_not_pass_for_a_fresh_one) {
        start((SimParavisorOptions){ .step_msec = 0 }); /* time stands still: never a new one */
        must_fail(-ESTALE, "azure-stale");
}
END_TEST

/* Readings at 0.7 and 1.4 s of its time are answered from memory, the one at 2.1 s is not. */
START_TEST(stale_report_is_asked_for_again) {
        start((SimParavisorOptions){ .step_msec = 700 });
        must_report(2600);
}
END_TEST

START_TEST(waiting_ends_with_the_deadline) {
        CLEANUP(vtpm_context_freep) VtpmContext *ctx = NULL;
        VtpmAzureAsked a = asked();
        AUTO_BLOB Blob content = {};
        Error e = {};

        start((SimParavisorOptions){ .step_msec = 0 });
        ctx = open_tpm(paravisor.tcti);
        a.window_usec = 0; /* the real one: longer than the deadline */
        a.deadline = deadline_in(USEC_PER_SEC);
        ck_assert_int_eq(vtpm_azure_report(ctx, &a, &content, &e), -ETIMEDOUT);
        ck_assert_str_eq(e.reason, "azure-stale");
}
END_TEST

START_TEST(torn_report_is_read_again) {
        start((SimParavisorOptions){ .step_msec = EVERY_TIME, .n_torn = 1 + (unsigned) _i });
        must_report(2600);
}
END_TEST

START_TEST(report_that_never_holds_still_is_given_up) {
        start((SimParavisorOptions){ .step_msec = EVERY_TIME, .n_torn = 1000 });
        must_fail(-EAGAIN, "azure-torn");
}
END_TEST

static const struct {
        SimParavisorOptions options;
        int code;
        const char *reason;
} bad[] = {
        { { .absent = true }, -ENODEV, "azure-absent" },
        { { .unwritten = true }, -ENODEV, "azure-absent" },
        { { .report_type = VTPM_HCL_TDX }, -EOPNOTSUPP, "hcl-not-snp" },
        { { .report_type = VTPM_HCL_TVM }, -EOPNOTSUPP, "hcl-not-snp" },
        { { .vmpl = 2 }, -EKEYREJECTED, "hcl-vmpl" },
        { { .long_report_data = true }, -EKEYREJECTED, "hcl-report-data" },
        { { .old_firmware = true, .size = 2048 }, -EOPNOTSUPP, "azure-no-user-data" },
};

START_TEST(report_that_will_not_do_is_told) {
        SimParavisorOptions o = bad[_i].options;

        o.step_msec = EVERY_TIME;
        start(o);
        must_fail(bad[_i].code, bad[_i].reason);
}
END_TEST

START_TEST(user_data_of_no_size_are_refused) {
        static const size_t wrong[] = { 0, 65 };
        CLEANUP(vtpm_context_freep) VtpmContext *ctx = NULL;

        start((SimParavisorOptions){});
        ctx = open_tpm(paravisor.tcti);
        for (size_t i = 0; i < N_ELEMENTS(wrong); i++) {
                VtpmAzureAsked a = asked();
                AUTO_BLOB Blob content = {};

                a.size = wrong[i];
                ck_assert_int_eq(vtpm_azure_report(ctx, &a, &content, NULL), -EINVAL);
        }
}
END_TEST

static void define_user_data(uint16_t size, uint32_t attributes) {
        CLEANUP(vtpm_context_freep) VtpmContext *ctx = open_tpm(tpm.tcti);
        ESYS_CONTEXT *esys = vtpm_context_esys(ctx);
        ESYS_TR tr = ESYS_TR_NONE;
        TPM2B_NV_PUBLIC pub = { .nvPublic = { .nvIndex = VTPM_AZURE_NV_USER_DATA, .nameAlg = TPM2_ALG_SHA256,
                                              .attributes = attributes, .dataSize = size } };
        TPM2B_AUTH none = {};

        ck_assert_uint_eq(Esys_NV_DefineSpace(esys, ESYS_TR_RH_OWNER, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE,
                                              &none, &pub, &tr), 0);
        (void) Esys_TR_Close(esys, &tr);
}

/* As others leave it: the reference tool makes it as long as its data. */
static const struct {
        uint16_t size;
        uint32_t attributes;
} left[] = {
        { 48, VTPM_NV_OWNERREAD | VTPM_NV_OWNERWRITE },
        { 128, VTPM_NV_OWNERREAD | VTPM_NV_OWNERWRITE },
        { 64, VTPM_NV_AUTHREAD | VTPM_NV_AUTHWRITE },
        { 64, VTPM_NV_OWNERREAD | VTPM_NV_OWNERWRITE },
};

START_TEST(index_for_user_data_is_made_to_fit) {
        CLEANUP(vtpm_context_freep) VtpmContext *ctx = NULL;
        VtpmNvPublic pub;

        define_user_data(left[_i].size, left[_i].attributes);
        start((SimParavisorOptions){ .step_msec = EVERY_TIME });
        must_report(2600);
        ctx = open_tpm(tpm.tcti);
        ck_assert_int_eq(vtpm_nv_public(ctx, VTPM_AZURE_NV_USER_DATA, &pub, NULL), 0);
        ck_assert_uint_eq(pub.size, 64);
        ck_assert_uint_eq(pub.attributes & (VTPM_NV_OWNERREAD | VTPM_NV_OWNERWRITE),
                          VTPM_NV_OWNERREAD | VTPM_NV_OWNERWRITE);
}
END_TEST

static void set_owner_password(const char *old, const char *new) {
        CLEANUP(vtpm_context_freep) VtpmContext *ctx = open_tpm(tpm.tcti);
        ESYS_CONTEXT *esys = vtpm_context_esys(ctx);
        TPM2B_AUTH was = { .size = (uint16_t) strlen(old) }, is = { .size = (uint16_t) strlen(new) };

        (void) memcpy(was.buffer, old, was.size);
        (void) memcpy(is.buffer, new, is.size);
        ck_assert_uint_eq(Esys_TR_SetAuth(esys, ESYS_TR_RH_OWNER, &was), 0);
        ck_assert_uint_eq(Esys_HierarchyChangeAuth(esys, ESYS_TR_RH_OWNER, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE,
                                                   &is), 0);
}

START_TEST(owner_with_a_password_is_told) {
        AUTO_BLOB Blob content = {};
        Error e = {};
        int r;

        start((SimParavisorOptions){ .step_msec = EVERY_TIME });
        set_owner_password("", "tenant");
        r = report(&content, &e);
        set_owner_password("tenant", "");
        ck_assert_int_eq(r, -EACCES);
        ck_assert_msg(strstr(e.text, "User data for the paravisor") == e.text, "%s", e.text);
}
END_TEST

static VtpmAzureRequest request(void) {
        return (VtpmAzureRequest){
                .tcti = paravisor.tcti,
                .nonce = nonce,
                .nonce_size = sizeof(nonce),
                .bank = VTPM_ALG_SHA256,
                .pcr_mask = VTPM_PCR_MASK_ALL,
                .window_usec = PROMPT_USEC,
                .deadline = deadline_in(DEADLINE_USEC),
        };
}

START_TEST(report_and_quote_are_over_the_same_bytes) {
        CLEANUP(vtpm_ak_public_freep) VtpmAkPublic *ak = NULL;
        AUTO_VTPM_AZURE_EVIDENCE VtpmAzureEvidence ev = {};
        AUTO_BLOB Blob claimed = {};
        VtpmAzureRequest q;
        VtpmHclClaims claims;
        VtpmAttest attest;
        VtpmVerdict verdict;
        VtpmQuoteAsked wanted;
        VtpmHcl hcl;
        Error e = {};
        int r;

        start((SimParavisorOptions){ .step_msec = 700 });
        q = request();
        r = vtpm_azure_evidence_run(&q, &ev, &e);
        ck_assert_msg(r == 0, "%s", error_text(&e, r));
        must_say(&ev.hcl);
        ck_assert_uint_eq(ev.ak_cert.size, 0);
        ck_assert_int_eq(vtpm_hcl_parse(ev.hcl.data, ev.hcl.size, &hcl, NULL), 0);
        ck_assert_int_eq(vtpm_hcl_claims_parse(hcl.claims, hcl.claims_size, &claims, NULL), 0);
        ck_assert_int_eq(vtpm_hcl_claims_ak(&claims, &claimed), 0);
        ck_assert(blob_equal(&claimed, &ev.quote.ak));
        ck_assert_int_eq(vtpm_ak_public_new(claimed.data, claimed.size, &ak, NULL), 0);
        wanted = (VtpmQuoteAsked){ .nonce = nonce, .nonce_size = sizeof(nonce),
                                   .pcrs = { .n_banks = 1, .banks[0] = { VTPM_ALG_SHA256, VTPM_PCR_MASK_ALL } } };
        r = vtpm_quote_verify(ak, &(VtpmQuoteBytes){ .attest = ev.quote.attest.data, .attest_size = ev.quote.attest.size,
                                                     .signature = ev.quote.signature.data,
                                                     .signature_size = ev.quote.signature.size,
                                                     .pcrs = ev.quote.pcrs, .n_pcrs = ev.quote.n_pcrs },
                              &wanted, &verdict, &e);
        ck_assert_msg(r == 0, "%s", error_text(&e, r));
        ck_assert_int_eq(vtpm_attest_parse(ev.quote.attest.data, ev.quote.attest.size, &attest, NULL), 0);
        ck_assert_int_eq(vtpm_hcl_claims_check_signer(&claims, &attest, NULL), 0);
}
END_TEST

START_TEST(key_that_the_claims_do_not_name_is_refused) {
        AUTO_VTPM_AZURE_EVIDENCE VtpmAzureEvidence ev = {};
        VtpmAzureRequest q;
        Error e = {};

        start((SimParavisorOptions){ .step_msec = EVERY_TIME, .foreign_ak = true });
        q = request();
        ck_assert_int_eq(vtpm_azure_evidence_run(&q, &ev, &e), -EKEYREJECTED);
        ck_assert_str_eq(e.reason, "hcl-ak");
        ck_assert_ptr_null(ev.hcl.data);
}
END_TEST

START_TEST(evidence_without_a_paravisor_is_none) {
        AUTO_VTPM_AZURE_EVIDENCE VtpmAzureEvidence ev = {};
        VtpmAzureRequest q = request();
        Error e = {};

        q.tcti = tpm.tcti;
        ck_assert_int_eq(vtpm_azure_evidence_run(&q, &ev, &e), -ENODEV);
        ck_assert_str_eq(e.reason, "azure-absent");
        q.tcti = "nonsense";
        ck_assert_int_eq(vtpm_azure_evidence_run(&q, &ev, NULL), -EINVAL);
}
END_TEST

static void define_ak_cert(const Blob *content) {
        CLEANUP(vtpm_context_freep) VtpmContext *ctx = open_tpm(tpm.tcti);

        (void) !vtpm_nv_undefine(ctx, VTPM_AZURE_NV_AK_CERT, NULL);
        ck_assert_int_eq(vtpm_nv_define(ctx, VTPM_AZURE_NV_AK_CERT, 2000, NULL), 0);
        if (content)
                ck_assert_int_eq(vtpm_nv_write(ctx, VTPM_AZURE_NV_AK_CERT, content->data, content->size, NULL), 0);
}

static size_t ak_cert_size(void) {
        AUTO_VTPM_AZURE_EVIDENCE VtpmAzureEvidence ev = {};
        VtpmAzureRequest q = request();
        Error e = {};
        int r = vtpm_azure_evidence_run(&q, &ev, &e);

        ck_assert_msg(r == 0, "%s", error_text(&e, r));
        return ev.ak_cert.size;
}

START_TEST(certificate_is_cut_from_its_padding_and_may_be_missing) {
        AUTO_BLOB Blob der = {};
        CLEANUP(vtpm_context_freep) VtpmContext *ctx = NULL;

        start((SimParavisorOptions){ .step_msec = EVERY_TIME });
        define_ak_cert(NULL); /* before the paravisor has got it */
        ck_assert_uint_eq(ak_cert_size(), 0);
        ck_assert_int_eq(sim_pki_cert_der(pki, SIM_VCEK, &der, NULL), 0); /* any certificate will do */
        define_ak_cert(&der);
        ck_assert_uint_eq(ak_cert_size(), der.size);
        der.data[0] = 0;
        define_ak_cert(&der);
        ck_assert_uint_eq(ak_cert_size(), 0);
        ctx = open_tpm(tpm.tcti);
        ck_assert_int_eq(vtpm_nv_undefine(ctx, VTPM_AZURE_NV_AK_CERT, NULL), 0);
}
END_TEST

static const struct {
        const char *file;
        uint32_t type;
        int code;
        const char *reason;
} recorded[] = {
        { "vtpm/azure/hcl-snp-2048.bin", VTPM_HCL_SNP, -EOPNOTSUPP, "azure-no-user-data" },
        { "vtpm/azure/hcl-snp-2600.bin", VTPM_HCL_SNP, -ESTALE, "azure-stale" },
        { "vtpm/azure/hcl-tdx-2600.bin", VTPM_HCL_TDX, -EOPNOTSUPP, "hcl-not-snp" },
};

START_TEST(recorded_index_is_read_whole_and_judged) {
        CLEANUP(vtpm_context_freep) VtpmContext *ctx = NULL;
        AUTO_BLOB Blob content = {}, got = {};

        if (!vectors_dir())
                return;
        content = vector_read(recorded[_i].file);
        start((SimParavisorOptions){ .recorded = &content });
        ctx = open_tpm(paravisor.tcti);
        ck_assert_int_eq(vtpm_nv_read(ctx, VTPM_AZURE_NV_REPORT, VTPM_NV_SIZE_MAX, &got, NULL), 0);
        ck_assert(blob_equal(&content, &got));
        vtpm_context_free(TAKE_PTR(ctx));
        ck_assert_uint_eq(detect(paravisor.tcti), recorded[_i].type);
        must_fail(recorded[_i].code, recorded[_i].reason);
}
END_TEST

static Suite *suite(void) {
        Suite *s = suite_create("vtpm-azure");
        TCase *c = tcase_create("azure");

        tcase_add_checked_fixture(c, setup, teardown);
        tcase_add_test(c, plain_tpm_is_no_azure_and_no_error);
        tcase_add_test(c, paravisor_is_detected_with_its_report);
        tcase_add_test(c, index_of_that_number_with_something_else_is_no_azure);
        tcase_add_test(c, report_that_is_cut_is_an_error);
        tcase_add_loop_test(c, fresh_report_says_what_was_written, 0, N_ELEMENTS(sizes));
        tcase_add_test(c, report_of_the_boot_does_not_pass_for_a_fresh_one);
        tcase_add_test(c, stale_report_is_asked_for_again);
        tcase_add_test(c, waiting_ends_with_the_deadline);
        tcase_add_loop_test(c, torn_report_is_read_again, 0, 3);
        tcase_add_test(c, report_that_never_holds_still_is_given_up);
        tcase_add_loop_test(c, report_that_will_not_do_is_told, 0, N_ELEMENTS(bad));
        tcase_add_test(c, user_data_of_no_size_are_refused);
        tcase_add_loop_test(c, index_for_user_data_is_made_to_fit, 0, N_ELEMENTS(left));
        tcase_add_test(c, owner_with_a_password_is_told);
        tcase_add_test(c, report_and_quote_are_over_the_same_bytes);
        tcase_add_test(c, key_that_the_claims_do_not_name_is_refused);
        tcase_add_test(c, evidence_without_a_paravisor_is_none);
        tcase_add_test(c, certificate_is_cut_from_its_padding_and_may_be_missing);
        tcase_add_loop_test(c, recorded_index_is_read_whole_and_judged, 0, N_ELEMENTS(recorded));
        suite_add_tcase(s, c);
        return s;
}

int main(void) {
        char dir[SIM_PATH_MAX];
        int r;

        if (!swtpm_available())
                return unit_skip("swtpm is not installed");
        sim_test_pki(SIM_MILAN, dir);
        if (sim_pki_load(dir, &pki, NULL) < 0 || swtpm_start(NULL, &tpm) < 0)
                return 1;
        r = unit_run(suite());
        swtpm_stop(&tpm);
        sim_pki_free(pki);
        return r;
}
