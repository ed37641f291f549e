/* SPDX-License-Identifier: Apache-2.0 */
/* What the reference broker believes of evidence "az-snp-vtpm": a quote of any content, signed by the right key. */
#include <stdio.h>
#include <string.h>

#include <openssl/sha.h>

#include "base/file.h"
#include "base/json.h"
#include "base/writer.h"
#include "keybroker-client/evidence-az.h"
#include "tests/broker/appraise.h"
#include "tests/broker/claims.h"
#include "tests/simulator/harness.h"
#include "tests/simulator/hcl.h"
#include "tests/simulator/report.h"
#include "tests/unit/unit.h"
#include "tests/unit/vtpm/soft.h"

#define DOCUMENT                                                                                                       \
        "{\"init-data\":null,\"runtime-data\":{\"nonce\":\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\","            \
        "\"tee-pubkey\":{\"kty\":\"EC\",\"crv\":\"P-256\",\"alg\":\"ECDH-ES+A256KW\","                                 \
        "\"x\":\"pd3_v6P1ttQxFKbHG05E7nUcRR4VKjY_o9_0TGZs_Cg\",\"y\":\"xXctcbBNYfoaEbdNI5sjWHjRNoxqTyRRLXDbEWa57zA\"}}," \
        "\"tee-evidence\":{\"primary_evidence\":{},\"additional_evidence\":\"\"}}"

static SimPki *pki;
static SoftAk ak, other_ak;
static BrokerAppraiser appraiser;
static BrokerCollateral collateral;
static BrokerPolicy policy;
static SnpTrust *trust;
static const BrokerJournal journal = { .fd = -1 };

/* What is different from an honest guest's evidence. */
typedef struct Lie {
        bool stale_user_data;    /* of another challenge */
        bool longer_user_data;   /* begins with the challenge, as Trustee wants it, and goes on */
        bool no_user_data;       /* old firmware */
        bool stale_quote;        /* over another nonce */
        bool short_quote;        /* over the beginning of the nonce */
        bool fewer_pcrs;         /* PCRs 0 to 7 are quoted, and 24 values come along */
        bool other_pcrs;         /* values that are not those quoted */
        bool other_signer;       /* signed by a key that the claims do not name */
        bool other_name;         /* signed by the right key, which names another as itself */
        bool long_report_data;   /* something behind the digest */
        bool other_claims;       /* that the report is not over */
        bool forged_report;      /* changed after it was signed */
        uint32_t vmpl;
        uint64_t version;        /* of the evidence; 0: 2 */
        const char *tee;         /* NULL: az-snp-vtpm */
} Lie;

static void qualified_name(uint8_t ret[static 34]) {
        AUTO_BLOB Blob pub = soft_public(&ak);
        uint8_t name[38] = { 0x40, 0, 0, 0x0b, 0, 0x0b };

        (void) SHA256(pub.data, pub.size, name + 6);
        ret[0] = 0;
        ret[1] = 0x0b;
        (void) SHA256(name, sizeof(name), ret + 2);
}

static Blob make_hcl(const Lie *lie, const uint8_t *challenge, size_t size) {
        uint8_t user_data[SIM_HCL_USER_DATA_SIZE] = {}, report[SIM_REPORT_SIZE];
        SimHclClaims c = { .ak = ak.pub.modulus, .user_data = lie->no_user_data ? NULL : user_data };
        SimReport r = sim_report_defaults(pki);
        AUTO_BLOB Blob claims = {};
        Blob hcl = {};

        (void) memcpy(user_data, challenge, size);
        user_data[0] ^= lie->stale_user_data;
        user_data[size] = lie->longer_user_data;
        ck_assert_int_eq(sim_hcl_claims(&c, &claims), 0);
        (void) SHA256(claims.data, claims.size - lie->other_claims, r.report_data);
        r.report_data[63] = lie->long_report_data;
        r.vmpl = lie->vmpl;
        ck_assert_int_eq(sim_report_make(&r, pki, report, NULL), 0);
        report[0x90] ^= lie->forged_report;
        ck_assert_int_eq(sim_hcl_frame(&(SimHclFrame){ .report = report, .report_size = sizeof(report),
                                                       .claims = claims.data, .claims_size = claims.size, .size = 2600 },
                                       &hcl), 0);
        return hcl;
}

static json_object *make_evidence(const Lie *lie, const uint8_t *challenge, size_t size) {
        VtpmPcrValues all = soft_pcrs(VTPM_ALG_SHA256, VTPM_PCR_MASK_ALL);
        VtpmPcrValues quoted = soft_pcrs(VTPM_ALG_SHA256, lie->fewer_pcrs ? 0xffu : VTPM_PCR_MASK_ALL);
        VtpmAttest attest = soft_attest(&quoted, 1, VTPM_ALG_SHA256);
        AUTO_BLOB Blob hcl = make_hcl(lie, challenge, size), bytes = {}, signature = {}, vcek = {};
        KbcEvidence evidence = {};
        json_object *o = NULL;
        Error e = {};

        (void) memcpy(attest.extra, challenge, size);
        attest.extra_size = size - lie->short_quote;
        attest.extra[0] ^= lie->stale_quote;
        qualified_name(attest.signer);
        attest.signer[33] ^= lie->other_name;
        bytes = soft_attest_bytes(&attest);
        signature = soft_sign(lie->other_signer ? &other_ak : &ak, bytes.data, bytes.size);
        all.values[4][0] ^= lie->other_pcrs;
        ck_assert_int_eq(sim_pki_cert_der(pki, SIM_VCEK, &vcek, NULL), 0);
        ck_assert_msg(kbc_evidence_az(&(KbcAzEvidence){ .hcl = hcl.data, .hcl_size = hcl.size, .attest = bytes.data,
                                                        .attest_size = bytes.size, .signature = signature.data,
                                                        .signature_size = signature.size, .pcrs = &all,
                                                        .vcek = vcek.data, .vcek_size = vcek.size },
                                      &evidence, NULL, &e) == 0, "%s", e.text);
        ck_assert_int_eq(json_parse(evidence.json.data, evidence.json.size, "evidence", &o, NULL), 0);
        if (lie->version)
                ck_assert_int_eq(json_add_u64(o, "version", lie->version), 0);
        blob_done(&evidence.json);
        return o;
}

/* @ret_claims: of the token, when it is authentic; may be NULL. */
static BrokerAppraisal appraise(const Lie *lie, json_object **ret_claims) {
        AUTO_BROKER_ATTESTATION BrokerAttestation a = {};
        AUTO_JSON json_object *evidence = NULL;
        BrokerSession session = { .hash = "sha384" };
        uint8_t challenge[BROKER_REPORT_DATA_SIZE];
        BrokerAppraisal result;
        size_t size = 0;
        Error e = {};

        (void) snprintf(session.tee, sizeof(session.tee), "%s", lie->tee ? lie->tee : "az-snp-vtpm");
        ck_assert_msg(broker_attestation_parse(DOCUMENT, strlen(DOCUMENT), &a, &e) == 0, "%s", e.text);
        ck_assert_int_eq(broker_challenge(&a, session.hash, challenge, &size, NULL), 0);
        ck_assert_uint_eq(size, 48);
        a.evidence = evidence = make_evidence(lie, challenge, size);
        broker_appraise(&appraiser, &session, &a, &result);
        if (ret_claims)
                ck_assert_int_eq(broker_claims(&result, &a, ret_claims), 0);
        return result;
}

START_TEST(honest_guest_is_believed) {
        AUTO_JSON json_object *claims = NULL;
        BrokerAppraisal r = appraise(&(Lie){}, &claims);
        json_object *o = claims, *tpm = NULL;
        const char *text = "";

        ck_assert_msg(r.authentic, "%s", r.failed);
        ck_assert_str_eq(r.denied, "");
        ck_assert(r.is_azure);
        ck_assert_int_eq(json_get_obj(o, "submods", &o, NULL), 0);
        ck_assert_int_eq(json_get_obj(o, "cpu0", &o, NULL), 0);
        ck_assert_int_eq(json_get_obj(o, "ear.veraison.annotated-evidence", &o, NULL), 0);
        ck_assert_int_eq(json_get_obj(o, "tpm", &tpm, NULL), 0);
        ck_assert_int_eq(json_get_str(tpm, "pcr23", 64, &text, NULL), 0);
        ck_assert_int_eq(strncmp(text, "1717", 4), 0);
        ck_assert_int_eq(json_get_obj(o, "vm-configuration", &o, NULL), 0);
        ck_assert_int_eq(json_get_str(o, "secure-boot", 8, &text, NULL), 0);
        ck_assert_str_eq(text, "yes");
}
END_TEST

static const struct {
        Lie lie;
        const char *failed;
} lies[] = {
        { { .stale_user_data = true }, "user-data" },
        { { .longer_user_data = true }, "user-data" },
        { { .no_user_data = true }, "user-data" },
        { { .stale_quote = true }, "nonce" },
        { { .short_quote = true }, "nonce" },
        { { .fewer_pcrs = true }, "selection" },
        { { .other_pcrs = true }, "pcrs" },
        { { .other_signer = true }, "signature" },
        { { .other_name = true }, "quote-signer" },
        { { .long_report_data = true }, "vtpm-binding" },
        { { .other_claims = true }, "vtpm-binding" },
        { { .forged_report = true }, "signature" },
        { { .vmpl = 1 }, "vmpl" },
        { { .version = 1 }, "evidence" },
        { { .version = 3 }, "evidence" },
        { { .tee = "snp" }, "evidence" },
        { { .tee = "az-tdx-vtpm" }, "tee" },
};

START_TEST(liar_is_found_out) {
        BrokerAppraisal r = appraise(&lies[_i].lie, NULL);

        ck_assert(!r.authentic);
        ck_assert_str_eq(r.failed, lies[_i].failed);
}
END_TEST

/* Members of the evidence, and what may not stand there. */
static const struct {
        const char *object, *member, *value;
} malformed[] = {
        { NULL, "hcl_report", NULL },   { NULL, "hcl_report", "" },        { NULL, "hcl_report", "SENMQQ==" },
        { NULL, "hcl_report", "!" },    { NULL, "vcek", NULL },            { NULL, "vcek", "*" },
        { NULL, "vcek", "AAAA" },       { "tpm_quote", "signature", NULL }, { "tpm_quote", "signature", "00" },
        { "tpm_quote", "signature", "xy" }, { "tpm_quote", "message", NULL }, { "tpm_quote", "message", "" },
        { "tpm_quote", "message", "ff54" }, { "tpm_quote", "pcrs", NULL },  { "tpm_quote", "pcrs", "00" },
};

START_TEST(malformed_evidence_is_refused) {
        AUTO_BROKER_ATTESTATION BrokerAttestation a = {};
        AUTO_JSON json_object *evidence = NULL;
        BrokerSession session = { .hash = "sha384", .tee = "az-snp-vtpm" };
        uint8_t challenge[BROKER_REPORT_DATA_SIZE];
        BrokerAppraisal result;
        json_object *o;
        size_t size = 0;

        ck_assert_int_eq(broker_attestation_parse(DOCUMENT, strlen(DOCUMENT), &a, NULL), 0);
        ck_assert_int_eq(broker_challenge(&a, session.hash, challenge, &size, NULL), 0);
        a.evidence = o = evidence = make_evidence(&(Lie){}, challenge, size);
        if (malformed[_i].object)
                ck_assert_int_eq(json_get_obj(evidence, malformed[_i].object, &o, NULL), 0);
        json_object_object_del(o, malformed[_i].member);
        if (malformed[_i].value)
                ck_assert_int_eq(json_add_str(o, malformed[_i].member, malformed[_i].value), 0);
        broker_appraise(&appraiser, &session, &a, &result);
        ck_assert(!result.authentic);
}
END_TEST

static void prepare(const char *dir) {
        char path[SIM_PATH_MAX + 32];
        AUTO_BLOB Blob root = {};
        Error e = {};

        (void) snprintf(path, sizeof(path), "%s/ark.pem", dir);
        if (file_read(path, 1u << 20, &root, &e) < 0 || snp_trust_new_test(root.data, root.size, &trust, &e) < 0)
                (void) fprintf(stderr, "%s\n", e.text);
        (void) snprintf(path, sizeof(path), "%s/vcek-chain.pem", dir);
        if (broker_collateral_add_chain(&collateral, path, &e) < 0)
                (void) fprintf(stderr, "%s\n", e.text);
        policy = (BrokerPolicy){ .any_measurement = true, .vmpls = 1 };
        appraiser = (BrokerAppraiser){ .journal = &journal, .collateral = &collateral, .trust = trust,
                                       .policy = &policy };
}

static void make_keys(void) {
        ak = soft_ak_new(VTPM_ALG_RSASSA, VTPM_ALG_SHA256, 0);
        other_ak = soft_ak_new(VTPM_ALG_RSASSA, VTPM_ALG_SHA256, 0);
}

static void free_keys(void) {
        soft_ak_done(&ak);
        soft_ak_done(&other_ak);
}

static Suite *suite(void) {
        Suite *s = suite_create("broker-appraise-az");
        TCase *tc = tcase_create("appraise");

        tcase_add_unchecked_fixture(tc, make_keys, free_keys);
        tcase_add_test(tc, honest_guest_is_believed);
        tcase_add_loop_test(tc, liar_is_found_out, 0, N_ELEMENTS(lies));
        tcase_add_loop_test(tc, malformed_evidence_is_refused, 0, N_ELEMENTS(malformed));
        suite_add_tcase(s, tc);
        return s;
}

int main(void) {
        char dir[SIM_PATH_MAX];
        int r;

        sim_test_pki(SIM_MILAN, dir);
        if (sim_pki_load(dir, &pki, NULL) < 0)
                return 1;
        prepare(dir);
        r = unit_run(suite());
        broker_collateral_done(&collateral);
        snp_trust_free(trust);
        sim_pki_free(pki);
        return r;
}
