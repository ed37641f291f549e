/* SPDX-License-Identifier: Apache-2.0 */

/* snp/crl.c: lists that the ARK would never sign, lists that it did, and what time does to them. */

#include <check.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#include "snp/crl.h"
#include "tests/simulator/report.h"
#include "tests/unit/snp/collateral-world.h"
#include "tests/unit/unit.h"

#define DAY ((time_t) 24 * 60 * 60)
#define STALE_MAX (10 * (uint64_t) DAY)
#define DP "https://kdsintf.amd.com/vcek/v1/Genoa/crl" /* what the ASK of the simulator points to */

static const SnpCrlPolicy hard = { .mode = SNP_CRL_HARD, .stale_max = STALE_MAX };
static const SnpCrlPolicy soft = { .mode = SNP_CRL_SOFT, .stale_max = STALE_MAX };
static const SnpCrlPolicy off = { .mode = SNP_CRL_OFF };

static SnpVek *vek; /* Genoa's VCEK */

static SnpVek *vek_of(SimKey which) {
        AUTO_EVIDENCE Evidence evidence = forge_evidence(world_pki[SIM_GENOA], which);
        SnpVek *ret = NULL;

        ck_assert_int_eq(forge_judge(world_pki[SIM_GENOA], &evidence, &ret, NULL), 0);
        return ret;
}

static void setup(void) {
        vek = vek_of(SIM_VCEK);
}

static void teardown(void) {
        snp_vek_free(vek);
}

/* A list from FORGE_NOW - 1 day to + 30 days, to be changed and then signed. */
static X509_CRL *begin(void) {
        X509_CRL *crl = X509_CRL_new();
        ASN1_TIME *from = ASN1_TIME_set(NULL, FORGE_NOW - DAY), *until = ASN1_TIME_set(NULL, FORGE_NOW + 30 * DAY);

        ck_assert_int_eq(X509_CRL_set_version(crl, X509_CRL_VERSION_2), 1);
        ck_assert_int_eq(X509_CRL_set_issuer_name(crl, X509_get_subject_name(world_pki[SIM_GENOA]->certs[SIM_ARK])), 1);
        ck_assert_int_eq(X509_CRL_set1_lastUpdate(crl, from), 1);
        ck_assert_int_eq(X509_CRL_set1_nextUpdate(crl, until), 1);
        ASN1_TIME_free(from);
        ASN1_TIME_free(until);
        return crl;
}

static void put_on(X509_CRL *crl, long serial) {
        X509_REVOKED *entry = X509_REVOKED_new();
        ASN1_INTEGER *n = ASN1_INTEGER_new();
        ASN1_TIME *since = ASN1_TIME_set(NULL, FORGE_NOW - DAY);

        ck_assert_int_eq(ASN1_INTEGER_set(n, serial), 1);
        ck_assert_int_eq(X509_REVOKED_set_serialNumber(entry, n), 1);
        ck_assert_int_eq(X509_REVOKED_set_revocationDate(entry, since), 1);
        ck_assert_int_eq(X509_CRL_add0_revoked(crl, entry), 1);
        ASN1_INTEGER_free(n);
        ASN1_TIME_free(since);
}

static void extend(X509_CRL *crl, int nid, const char *value) {
        X509V3_CTX ctx;
        X509_EXTENSION *x;

        X509V3_set_ctx(&ctx, world_pki[SIM_GENOA]->certs[SIM_ARK], NULL, NULL, crl, 0);
        x = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
        ck_assert_msg(x != NULL, "%s", value);
        ck_assert_int_eq(X509_CRL_add_ext(crl, x, -1), 1);
        X509_EXTENSION_free(x);
}

/* Takes @crl. @salt, @md: AMD's are 48 and SHA-384. */
static Blob sign_with(X509_CRL *crl, EVP_PKEY *key, int padding, const EVP_MD *md, int salt) {
        EVP_MD_CTX *ctx = EVP_MD_CTX_new();
        EVP_PKEY_CTX *pctx;
        unsigned char *der = NULL;
        Blob ret = {};
        int n;

        ck_assert_int_eq(EVP_DigestSignInit(ctx, &pctx, md, NULL, key), 1);
        ck_assert_int_eq(EVP_PKEY_CTX_set_rsa_padding(pctx, padding), 1);
        if (padding == RSA_PKCS1_PSS_PADDING)
                ck_assert_int_eq(EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx, salt), 1);
        ck_assert_int_eq(X509_CRL_sort(crl), 1);
        ck_assert_int_gt(X509_CRL_sign_ctx(crl, ctx), 0);
        n = i2d_X509_CRL(crl, &der);
        ck_assert_int_gt(n, 0);
        ck_assert_int_eq(blob_dup(der, (size_t) n, &ret), 0);
        OPENSSL_free(der);
        EVP_MD_CTX_free(ctx);
        X509_CRL_free(crl);
        return ret;
}

static Blob sign(X509_CRL *crl) {
        return sign_with(crl, world_pki[SIM_GENOA]->keys[SIM_ARK], RSA_PKCS1_PSS_PADDING, EVP_sha384(), 48);
}

static SnpCrlVerdict judge(const SnpCrlPolicy *policy, const Blob *crl, time_t at) {
        SnpCertBytes bytes = { .data = crl ? crl->data : NULL, .size = crl ? crl->size : 0 };
        SnpCrlVerdict v = { .accepted = true, .state = SNP_CRL_OK };
        Error e = {};
        int r = snp_vek_check_crl(vek, policy, &bytes, at, &v, &e);

        ck_assert_int_eq(r, v.accepted ? 0 : -EKEYREJECTED);
        ck_assert_int_eq(e.code, r);
        ck_assert_int_eq(snp_vek_crl_state(vek), v.state);
        ck_assert((v.state == SNP_CRL_OK || v.state == SNP_CRL_NOT_ASKED) == (v.why.code == 0));
        if (r < 0)
                ck_assert_str_eq(e.reason, v.why.reason);
        ck_assert_uint_eq(ERR_peek_error(), 0);
        return v;
}

static void expect(const Blob *crl, SnpCrlState state, const char *reason) {
        SnpCrlVerdict h = judge(&hard, crl, FORGE_NOW), s = judge(&soft, crl, FORGE_NOW);

        ck_assert_msg(h.state == state && s.state == state, "%s: %s", snp_crl_state_name(h.state), h.why.text);
        ck_assert(h.accepted == (state == SNP_CRL_OK));
        ck_assert(s.accepted == (state != SNP_CRL_REVOKED));
        ck_assert_msg(!reason || strcmp(h.why.reason, reason) == 0, "%s", h.why.reason);
        ck_assert_int_eq(judge(&off, crl, FORGE_NOW).state, SNP_CRL_NOT_ASKED);
}

START_TEST(a_list_of_the_ark_that_does_not_name_the_ask_is_ok) {
        AUTO_BLOB Blob empty = sign(begin());
        AUTO_BLOB Blob made = world_part(world_pki[SIM_GENOA], SNP_PART_CRL, 0);
        SnpCrlVerdict v;

        expect(&made, SNP_CRL_OK, NULL);
        expect(&empty, SNP_CRL_OK, NULL);
        v = judge(&hard, &empty, FORGE_NOW);
        ck_assert_int_eq(v.this_update, FORGE_NOW - DAY);
        ck_assert_int_eq(v.next_update, FORGE_NOW + 30 * DAY);
}
END_TEST

START_TEST(pem_is_as_good_as_der) {
        AUTO_BLOB Blob der = world_part(world_pki[SIM_GENOA], SNP_PART_CRL, 0);
        const uint8_t *p = der.data;
        X509_CRL *crl = d2i_X509_CRL(NULL, &p, (long) der.size);
        BIO *bio = BIO_new(BIO_s_mem());
        Blob pem = {};
        char *data;

        ck_assert_int_eq(PEM_write_bio_X509_CRL(bio, crl), 1);
        pem.size = (size_t) BIO_get_mem_data(bio, &data);
        pem.data = (uint8_t *) data;
        expect(&pem, SNP_CRL_OK, NULL);
        BIO_free(bio);
        X509_CRL_free(crl);
}
END_TEST

START_TEST(the_ask_is_revoked_by_its_serial) {
        const SimPki *pki = world_pki[SIM_GENOA];
        X509_CRL *crl = begin();
        Blob list;

        put_on(crl, ASN1_INTEGER_get(X509_get0_serialNumber(pki->certs[SIM_ASK])));
        list = sign(crl);
        expect(&list, SNP_CRL_REVOKED, "revoked");
        blob_done(&list);
}
END_TEST

START_TEST(serial_zero_does_not_revoke_every_chip) {
        X509_CRL *crl = begin();
        Blob list;

        put_on(crl, 0);
        put_on(crl, 1);
        put_on(crl, 0x20000); /* the ARK's: who signs this cannot revoke itself */
        put_on(crl, 0x20101); /* the ASVK's */
        list = sign(crl);
        expect(&list, SNP_CRL_OK, NULL);
        blob_done(&list);
}
END_TEST

START_TEST(the_asvk_is_what_counts_for_a_vlek) {
        X509_CRL *crl = begin();
        Blob list;

        snp_vek_free(vek);
        vek = vek_of(SIM_VLEK);
        put_on(crl, 0x20002); /* the ASK's */
        list = sign(crl);
        expect(&list, SNP_CRL_OK, NULL);
        blob_done(&list);
        crl = begin();
        put_on(crl, 0x20101);
        list = sign(crl);
        expect(&list, SNP_CRL_REVOKED, "revoked");
        blob_done(&list);
}
END_TEST

START_TEST(without_a_list_the_policy_decides) {
        expect(NULL, SNP_CRL_ABSENT, "crl-absent");
}
END_TEST

static const struct {
        int days;
        SnpCrlState state;
        bool hard, soft;
} times[] = {
        { -2, SNP_CRL_UNUSABLE, false, true },  { 0, SNP_CRL_OK, true, true },      { 29, SNP_CRL_OK, true, true },
        { 31, SNP_CRL_STALE, false, true },     { 39, SNP_CRL_STALE, false, true }, { 41, SNP_CRL_STALE, false, false },
        { 4000, SNP_CRL_STALE, false, false },
};

START_TEST(time_goes_over_lists) {
        AUTO_BLOB Blob list = sign(begin());
        time_t at = FORGE_NOW + times[_i].days * DAY;

        ck_assert_int_eq(judge(&hard, &list, at).state, times[_i].state);
        ck_assert(judge(&hard, &list, at).accepted == times[_i].hard);
        ck_assert_int_eq(judge(&soft, &list, at).state, times[_i].state);
        ck_assert(judge(&soft, &list, at).accepted == times[_i].soft);
}
END_TEST

START_TEST(limits_of_time_are_inclusive) {
        AUTO_BLOB Blob list = sign(begin());
        time_t next = FORGE_NOW + 30 * DAY;

        ck_assert_int_eq(judge(&hard, &list, FORGE_NOW - DAY).state, SNP_CRL_OK);
        ck_assert_int_eq(judge(&hard, &list, FORGE_NOW - DAY - 1).state, SNP_CRL_UNUSABLE);
        ck_assert_int_eq(judge(&hard, &list, next).state, SNP_CRL_OK);
        ck_assert_int_eq(judge(&hard, &list, next + 1).state, SNP_CRL_STALE);
        ck_assert(judge(&soft, &list, next + (time_t) STALE_MAX).accepted);
        ck_assert(!judge(&soft, &list, next + (time_t) STALE_MAX + 1).accepted);
}
END_TEST

START_TEST(a_revocation_does_not_age) {
        X509_CRL *crl = begin();
        Blob list;

        put_on(crl, 0x20002);
        list = sign(crl);
        for (size_t i = 0; i < N_ELEMENTS(times); i++)
                ck_assert_int_eq(judge(&soft, &list, FORGE_NOW + times[i].days * DAY).state, SNP_CRL_REVOKED);
        blob_done(&list);
}
END_TEST

/* Lists that are not for us */

static void other_issuer(X509_CRL *crl) {
        X509_CRL_set_issuer_name(crl, X509_get_subject_name(world_pki[SIM_GENOA]->certs[SIM_ASK]));
}

static void other_product(X509_CRL *crl) {
        X509_CRL_set_issuer_name(crl, X509_get_subject_name(world_pki[SIM_MILAN]->certs[SIM_ARK]));
}

static void delta(X509_CRL *crl) {
        ASN1_INTEGER *n = ASN1_INTEGER_new();

        ck_assert_int_eq(ASN1_INTEGER_set(n, 1), 1);
        ck_assert_int_eq(X509_CRL_add1_ext_i2d(crl, NID_delta_crl, n, 1, 0), 1);
        ASN1_INTEGER_free(n);
}

static void users_only(X509_CRL *crl) {
        extend(crl, NID_issuing_distribution_point, "critical,onlyuser:TRUE");
}

static void attributes_only(X509_CRL *crl) {
        extend(crl, NID_issuing_distribution_point, "critical,onlyAA:TRUE");
}

static void indirect(X509_CRL *crl) {
        extend(crl, NID_issuing_distribution_point, "critical,indirectCRL:TRUE");
}

static void some_reasons(X509_CRL *crl) {
        extend(crl, NID_issuing_distribution_point, "critical,onlysomereasons:keyCompromise");
}

static void other_point(X509_CRL *crl) {
        extend(crl, NID_issuing_distribution_point, "critical,fullname:URI:https://kdsintf.amd.com/vlek/v1/Genoa/crl");
}

static void malformed_point(X509_CRL *crl) {
        ASN1_OCTET_STRING *junk = ASN1_OCTET_STRING_new();
        X509_EXTENSION *x;

        ck_assert_int_eq(ASN1_OCTET_STRING_set(junk, (const unsigned char *) "junk", 4), 1);
        x = X509_EXTENSION_create_by_NID(NULL, NID_issuing_distribution_point, 1, junk);
        ck_assert_int_eq(X509_CRL_add_ext(crl, x, -1), 1);
        X509_EXTENSION_free(x);
        ASN1_OCTET_STRING_free(junk);
}

static void unknown_critical(X509_CRL *crl) {
        ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
        ASN1_OBJECT *oid = OBJ_txt2obj("1.2.3.4", 1);
        X509_EXTENSION *x = X509_EXTENSION_create_by_OBJ(NULL, oid, 1, value);

        ck_assert_int_eq(X509_CRL_add_ext(crl, x, -1), 1);
        X509_EXTENSION_free(x);
        ASN1_OBJECT_free(oid);
        ASN1_OCTET_STRING_free(value);
}

static void critical_entry(X509_CRL *crl) {
        X509_REVOKED *entry;
        GENERAL_NAMES *names = GENERAL_NAMES_new();

        put_on(crl, 7);
        entry = sk_X509_REVOKED_value(X509_CRL_get_REVOKED(crl), 0);
        ck_assert_int_eq(X509_REVOKED_add1_ext_i2d(entry, NID_certificate_issuer, names, 1, 0), 1);
        GENERAL_NAMES_free(names);
}

static const struct {
        const char *reason;
        void (*change)(X509_CRL *crl);
} foreign[] = {
        { "crl-issuer", other_issuer },     { "crl-issuer", other_product },      { "crl-extension", delta },
        { "crl-scope", users_only },        { "crl-scope", attributes_only },     { "crl-scope", indirect },
        { "crl-scope", some_reasons },      { "crl-scope", other_point },         { "crl-malformed", malformed_point },
        { "crl-extension", unknown_critical }, { "crl-extension", critical_entry },
};

START_TEST(lists_for_others_say_nothing_about_us) {
        X509_CRL *crl = begin();
        Blob list;

        foreign[_i].change(crl);
        list = sign(crl);
        expect(&list, SNP_CRL_UNUSABLE, foreign[_i].reason);
        blob_done(&list);
}
END_TEST

START_TEST(lists_of_our_own_point_or_for_cas_are_taken) {
        static const char *const points[] = { "critical,fullname:URI:" DP, "critical,onlyCA:TRUE",
                                              "critical,fullname:URI:" DP ",onlyCA:TRUE" };

        for (size_t i = 0; i < N_ELEMENTS(points); i++) {
                X509_CRL *crl = begin();
                Blob list;

                extend(crl, NID_issuing_distribution_point, points[i]);
                list = sign(crl);
                expect(&list, SNP_CRL_OK, NULL);
                blob_done(&list);
        }
}
END_TEST

START_TEST(a_delta_that_is_not_critical_is_a_delta_still) {
        X509_CRL *crl = begin();
        ASN1_INTEGER *n = ASN1_INTEGER_new();
        Blob list;

        ck_assert_int_eq(ASN1_INTEGER_set(n, 1), 1);
        ck_assert_int_eq(X509_CRL_add1_ext_i2d(crl, NID_delta_crl, n, 0, 0), 1);
        ASN1_INTEGER_free(n);
        list = sign(crl);
        expect(&list, SNP_CRL_UNUSABLE, "crl-scope");
        blob_done(&list);
}
END_TEST

START_TEST(without_next_update_a_list_is_none) {
        X509_CRL *crl = X509_CRL_new();
        ASN1_TIME *from = ASN1_TIME_set(NULL, FORGE_NOW - DAY);
        Blob list;

        ck_assert_int_eq(X509_CRL_set_version(crl, X509_CRL_VERSION_2), 1);
        ck_assert_int_eq(X509_CRL_set_issuer_name(crl, X509_get_subject_name(world_pki[SIM_GENOA]->certs[SIM_ARK])), 1);
        ck_assert_int_eq(X509_CRL_set1_lastUpdate(crl, from), 1);
        ASN1_TIME_free(from);
        list = sign(crl);
        expect(&list, SNP_CRL_UNUSABLE, "crl-malformed");
        blob_done(&list);
}
END_TEST

START_TEST(only_the_ark_and_only_amds_algorithm_sign_lists) {
        const SimPki *pki = world_pki[SIM_GENOA];
        AUTO_BLOB Blob by_ask = sign_with(begin(), pki->keys[SIM_ASK], RSA_PKCS1_PSS_PADDING, EVP_sha384(), 48);
        AUTO_BLOB Blob sha256 = sign_with(begin(), pki->keys[SIM_ARK], RSA_PKCS1_PSS_PADDING, EVP_sha256(), 32);
        AUTO_BLOB Blob salt = sign_with(begin(), pki->keys[SIM_ARK], RSA_PKCS1_PSS_PADDING, EVP_sha384(), 20);
        AUTO_BLOB Blob pkcs1 = sign_with(begin(), pki->keys[SIM_ARK], RSA_PKCS1_PADDING, EVP_sha384(), 0);

        expect(&by_ask, SNP_CRL_UNUSABLE, "crl-signature");
        expect(&sha256, SNP_CRL_UNUSABLE, "crl-algorithm");
        expect(&salt, SNP_CRL_UNUSABLE, "crl-algorithm");
        expect(&pkcs1, SNP_CRL_UNUSABLE, "crl-algorithm");
}
END_TEST

START_TEST(every_truncation_and_bit_flip_is_unusable) {
        X509_CRL *crl = begin();
        Blob list;

        put_on(crl, 7);
        list = sign(crl);
        for (size_t n = 0; n < list.size; n++) {
                Blob cut = { .data = list.data, .size = n };

                ck_assert_int_eq(judge(&hard, &cut, FORGE_NOW).state, SNP_CRL_UNUSABLE);
        }
        for (size_t bit = 0; bit < 8 * list.size; bit += 5) {
                list.data[bit / 8] ^= (uint8_t) (1u << bit % 8);
                ck_assert_msg(judge(&hard, &list, FORGE_NOW).state == SNP_CRL_UNUSABLE, "bit %zu", bit);
                list.data[bit / 8] ^= (uint8_t) (1u << bit % 8);
        }
        ck_assert_int_eq(judge(&hard, &list, FORGE_NOW).state, SNP_CRL_OK);
        blob_done(&list);
}
END_TEST

START_TEST(trailing_bytes_size_and_other_things_are_unusable) {
        AUTO_BLOB Blob list = sign(begin());
        AUTO_BLOB Blob cert = {}, pem = {}, longer = {};
        static uint8_t large[SNP_CRL_SIZE_MAX + 1];

        ck_assert_int_eq(sim_pki_cert_der(world_pki[SIM_GENOA], SIM_ARK, &cert, NULL), 0);
        ck_assert_int_eq(sim_pki_cert_pem(world_pki[SIM_GENOA], SIM_ARK, &pem, NULL), 0);
        longer.data = malloc(list.size + 1);
        longer.size = list.size + 1;
        (void) memcpy(longer.data, list.data, list.size);
        longer.data[list.size] = 0;
        expect(&longer, SNP_CRL_UNUSABLE, "crl-trailing-bytes");
        expect(&cert, SNP_CRL_UNUSABLE, "crl-malformed");
        expect(&pem, SNP_CRL_UNUSABLE, "crl-malformed");
        expect(&(Blob){ .data = large, .size = sizeof(large) }, SNP_CRL_UNUSABLE, "crl-size");
        expect(&(Blob){ .data = large, .size = 0 }, SNP_CRL_UNUSABLE, "crl-malformed");
}
END_TEST

/* What verification makes of it */

static SnpReport report_of(void) {
        SimReport r = sim_report_defaults(world_pki[SIM_GENOA]);
        uint8_t bytes[SIM_REPORT_SIZE];
        SnpReport report;

        ck_assert_int_eq(sim_report_make(&r, world_pki[SIM_GENOA], bytes, NULL), 0);
        ck_assert_int_eq(snp_report_parse(bytes, sizeof(bytes), &report, NULL), 0);
        return report;
}

static void verify(unsigned flags, SnpCrlState state, SnpCheckResult result, const char *reason) {
        SnpReport report = report_of();
        SnpVerdict verdict = {};
        Error e = {};
        int r = snp_report_verify(&report, vek, flags, &verdict, &e);

        ck_assert_int_eq(r, reason ? -EKEYREJECTED : 0);
        ck_assert_int_eq(verdict.outcome, reason ? SNP_REJECT : SNP_ACCEPT);
        ck_assert_int_eq(verdict.crl, state);
        ck_assert_int_eq(verdict.checks[SNP_CHECK_REVOCATION], result);
        if (reason)
                ck_assert_str_eq(e.reason, reason);
}

START_TEST(the_verdict_on_a_report_says_what_lists_say) {
        AUTO_BLOB Blob good = sign(begin());
        X509_CRL *crl = begin();
        Blob bad;

        put_on(crl, 0x20002);
        bad = sign(crl);
        verify(0, SNP_CRL_NOT_ASKED, SNP_CHECK_NOT_APPLICABLE, NULL);
        verify(SNP_VERIFY_REQUIRE_CRL, SNP_CRL_NOT_ASKED, SNP_CHECK_FAILED, "crl-required");
        (void) judge(&hard, &good, FORGE_NOW);
        verify(0, SNP_CRL_OK, SNP_CHECK_OK, NULL);
        verify(SNP_VERIFY_REQUIRE_CRL, SNP_CRL_OK, SNP_CHECK_OK, NULL);
        (void) judge(&soft, &good, FORGE_NOW + 35 * DAY);
        verify(0, SNP_CRL_STALE, SNP_CHECK_NOT_APPLICABLE, NULL);
        verify(SNP_VERIFY_REQUIRE_CRL, SNP_CRL_STALE, SNP_CHECK_FAILED, "crl-required");
        (void) judge(&hard, &good, FORGE_NOW + 35 * DAY);
        verify(0, SNP_CRL_STALE, SNP_CHECK_FAILED, "crl-refused");
        (void) judge(&hard, NULL, FORGE_NOW);
        verify(0, SNP_CRL_ABSENT, SNP_CHECK_FAILED, "crl-refused");
        (void) judge(&soft, NULL, FORGE_NOW);
        verify(0, SNP_CRL_ABSENT, SNP_CHECK_NOT_APPLICABLE, NULL);
        (void) judge(&off, &bad, FORGE_NOW);
        verify(0, SNP_CRL_NOT_ASKED, SNP_CHECK_NOT_APPLICABLE, NULL);
        (void) judge(&soft, &bad, FORGE_NOW);
        verify(0, SNP_CRL_REVOKED, SNP_CHECK_FAILED, "revoked");
        verify(SNP_VERIFY_REQUIRE_CRL, SNP_CRL_REVOKED, SNP_CHECK_FAILED, "revoked");
        blob_done(&bad);
}
END_TEST

START_TEST(modes_and_states_have_names) {
        SnpCrlMode mode = SNP_CRL_OFF;

        for (SnpCrlMode m = SNP_CRL_HARD; m <= SNP_CRL_OFF; m++) {
                ck_assert_int_eq(snp_crl_mode_from_name(snp_crl_mode_name(m), &mode), 0);
                ck_assert_int_eq(mode, m);
        }
        ck_assert_int_eq(snp_crl_mode_from_name("Hard", &mode), -EINVAL);
        ck_assert_str_eq(snp_crl_mode_name((SnpCrlMode) 3), "unknown");
        ck_assert_str_eq(snp_crl_state_name(SNP_CRL_NOT_ASKED), "not-asked");
        ck_assert_str_eq(snp_crl_state_name(SNP_CRL_REVOKED), "revoked");
        ck_assert_str_eq(snp_crl_state_name((SnpCrlState) 6), "unknown");
}
END_TEST

static void add_list_tests(TCase *tc) {
        tcase_add_test(tc, a_list_of_the_ark_that_does_not_name_the_ask_is_ok);
        tcase_add_test(tc, pem_is_as_good_as_der);
        tcase_add_test(tc, the_ask_is_revoked_by_its_serial);
        tcase_add_test(tc, serial_zero_does_not_revoke_every_chip);
        tcase_add_test(tc, the_asvk_is_what_counts_for_a_vlek);
        tcase_add_test(tc, without_a_list_the_policy_decides);
        tcase_add_loop_test(tc, time_goes_over_lists, 0, N_ELEMENTS(times));
        tcase_add_test(tc, limits_of_time_are_inclusive);
        tcase_add_test(tc, a_revocation_does_not_age);
        tcase_add_loop_test(tc, lists_for_others_say_nothing_about_us, 0, N_ELEMENTS(foreign));
        tcase_add_test(tc, lists_of_our_own_point_or_for_cas_are_taken);
        tcase_add_test(tc, a_delta_that_is_not_critical_is_a_delta_still);
        tcase_add_test(tc, without_next_update_a_list_is_none);
        tcase_add_test(tc, only_the_ark_and_only_amds_algorithm_sign_lists);
        tcase_add_test(tc, every_truncation_and_bit_flip_is_unusable);
        tcase_add_test(tc, trailing_bytes_size_and_other_things_are_unusable);
}

int main(void) {
        Suite *suite = suite_create("snp/crl");
        TCase *tc = tcase_create("crl");
        int r;

        world_make();
        tcase_add_checked_fixture(tc, setup, teardown);
        add_list_tests(tc);
        tcase_add_test(tc, the_verdict_on_a_report_says_what_lists_say);
        tcase_add_test(tc, modes_and_states_have_names);
        suite_add_tcase(suite, tc);
        r = unit_run(suite);
        world_unmake();
        return r;
}
