/* SPDX-License-Identifier: Apache-2.0 */

/* snp/cert.c, snp/trust.c and snp/vek.c: which chains are believed, and which are not. */

#include <check.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/snp/forge.h"
#include "tests/unit/unit.h"

#define DAY 86400
#define YEAR (365 * DAY)

static SimPki *pkis[SIM_N_PRODUCTS];
static SimPki *impostor; /* Milan too, with AMD's names and keys of its own */

static const struct {
        SimProduct product;
        SimKey vek;
        SnpProduct want;
} veks[] = {
        { SIM_MILAN, SIM_VCEK, SNP_PRODUCT_MILAN }, { SIM_MILAN, SIM_VLEK, SNP_PRODUCT_MILAN },
        { SIM_GENOA, SIM_VCEK, SNP_PRODUCT_GENOA }, { SIM_GENOA, SIM_VLEK, SNP_PRODUCT_GENOA },
        { SIM_TURIN, SIM_VCEK, SNP_PRODUCT_TURIN }, { SIM_TURIN, SIM_VLEK, SNP_PRODUCT_TURIN },
};

static void assert_identity(const SimPki *pki, const SnpVek *vek) {
        size_t want = snp_vek_kind(vek) == SNP_SIGNING_KEY_VLEK ? 0 : pki->product == SIM_TURIN ? 8 : 64, n = 99;
        const uint8_t *hwid = snp_vek_hwid(vek, &n);

        ck_assert_uint_eq(n, want);
        ck_assert_mem_eq(hwid, pki->chip_id, n);
        if (want == 0)
                ck_assert_str_eq(snp_vek_csp_id(vek), pki->csp_id);
        else
                ck_assert_ptr_null(snp_vek_csp_id(vek));
}

START_TEST(every_kind_of_vek_is_accepted_and_described) {
        const SimPki *pki = pkis[veks[_i].product];
        AUTO_EVIDENCE Evidence evidence = forge_evidence(pki, veks[_i].vek);
        CLEANUP(snp_vek_freep) SnpVek *vek = NULL;
        const SnpTcb *tcb;
        Error e = {};

        ck_assert_msg(forge_judge(pki, &evidence, &vek, &e) == 0, "%s", e.text);
        ck_assert_int_eq(snp_vek_kind(vek), veks[_i].vek == SIM_VCEK ? SNP_SIGNING_KEY_VCEK : SNP_SIGNING_KEY_VLEK);
        ck_assert_int_eq(snp_vek_product(vek), veks[_i].want);
        tcb = snp_vek_tcb(vek);
        ck_assert_uint_eq(tcb->fmc, pki->product == SIM_TURIN ? pki->tcb.fmc : 0);
        ck_assert_uint_eq(tcb->boot_loader, pki->tcb.bl);
        ck_assert_uint_eq(tcb->tee, pki->tcb.tee);
        ck_assert_uint_eq(tcb->snp, pki->tcb.snp);
        ck_assert_uint_eq(tcb->microcode, pki->tcb.ucode);
        assert_identity(pki, vek);
        ck_assert(snp_vek_is_test(vek));
}
END_TEST

/* Who is trusted */

START_TEST(a_test_root_trusts_only_itself) {
        CLEANUP(snp_trust_freep) SnpTrust *trust = forge_trust(pkis[SIM_MILAN]);
        AUTO_EVIDENCE Evidence evidence = forge_evidence(impostor, SIM_VCEK);
        SnpVek *vek = NULL;
        Error e = {};

        ck_assert(snp_trust_is_test(trust));
        ck_assert_int_eq(forge_judge_at(trust, &evidence, FORGE_NOW, &vek, &e), -EKEYREJECTED);
        ck_assert_str_eq(e.reason, "root-untrusted");
        ck_assert_ptr_null(vek);
}
END_TEST

START_TEST(amds_names_do_not_make_a_root_of_amds) {
        AUTO_EVIDENCE Evidence evidence = forge_evidence(pkis[veks[_i].product], veks[_i].vek);
        CLEANUP(snp_trust_freep) SnpTrust *trust = NULL;
        SnpVek *vek = NULL;
        Error e = {};

        ck_assert_int_eq(snp_trust_new_amd(&trust, NULL), 0);
        ck_assert(!snp_trust_is_test(trust));
        ck_assert_int_eq(forge_judge_at(trust, &evidence, FORGE_NOW, &vek, &e), -EKEYREJECTED);
        ck_assert_str_eq(e.reason, "root-untrusted");
        ck_assert_ptr_null(vek);
}
END_TEST

START_TEST(a_root_of_one_product_does_not_vouch_for_another) {
        AUTO_EVIDENCE Evidence evidence = forge_evidence(pkis[SIM_GENOA], SIM_VCEK);
        X509 *ark = forge_copy(pkis[SIM_GENOA], SIM_ARK);
        CLEANUP(snp_trust_freep) SnpTrust *trust = forge_trust(pkis[SIM_MILAN]);
        SnpVek *vek = NULL;
        Error e = {};

        /* All hierarchies here share their RSA keys, so the key is pinned; but for Milan. */
        ck_assert_int_eq(EVP_PKEY_eq(X509_get0_pubkey(ark), X509_get0_pubkey(pkis[SIM_MILAN]->certs[SIM_ARK])), 1);
        ck_assert_int_eq(forge_judge_at(trust, &evidence, FORGE_NOW, &vek, &e), -EKEYREJECTED);
        ck_assert_str_eq(e.reason, "root-untrusted");
        X509_free(ark);
}
END_TEST

START_TEST(several_test_roots_may_be_configured) {
        AUTO_BLOB Blob a = {}, b = {}, both = {};
        CLEANUP(snp_trust_freep) SnpTrust *trust = NULL;

        ck_assert_int_eq(sim_pki_cert_pem(pkis[SIM_MILAN], SIM_ARK, &a, NULL), 0);
        ck_assert_int_eq(sim_pki_cert_pem(pkis[SIM_TURIN], SIM_ARK, &b, NULL), 0);
        both.size = a.size + b.size;
        both.data = malloc(both.size);
        (void) memcpy(both.data, a.data, a.size);
        (void) memcpy(both.data + a.size, b.data, b.size);
        ck_assert_int_eq(snp_trust_new_test(both.data, both.size, &trust, NULL), 0);
        for (SimProduct p = 0; p < SIM_N_PRODUCTS; p++) {
                AUTO_EVIDENCE Evidence evidence = forge_evidence(pkis[p], SIM_VCEK);
                CLEANUP(snp_vek_freep) SnpVek *vek = NULL;

                ck_assert_int_eq(forge_judge_at(trust, &evidence, FORGE_NOW, &vek, NULL),
                                 p == SIM_GENOA ? -EKEYREJECTED : 0);
        }
}
END_TEST

static void refuse_root(const Blob *root, int code, const char *text) {
        SnpTrust *trust = NULL;
        Error e = {};
        int r = snp_trust_new_test(root->data, root->size, &trust, &e);

        ck_assert_msg(r == code, "got %d: %s", r, error_text(&e, r));
        ck_assert_msg(strstr(e.text, text), "%s", e.text);
        ck_assert_ptr_null(trust);
}

START_TEST(a_test_root_must_be_an_ark_that_signs_itself) {
        static const char text[] = "no certificate at all";
        const SimPki *pki = pkis[SIM_MILAN];
        AUTO_BLOB Blob ask = {}, ark = {}, forged = {}, garbage = {};
        X509 *other = forge_copy(pki, SIM_ARK);

        ck_assert_int_eq(sim_pki_cert_der(pki, SIM_ASK, &ask, NULL), 0);
        refuse_root(&ask, -EBADMSG, "not both AMD's name for the ARK");
        ck_assert_int_eq(sim_pki_cert_der(pki, SIM_ARK, &ark, NULL), 0);
        ark.data[ark.size - 1] ^= 1;
        refuse_root(&ark, -EKEYREJECTED, "on itself does not hold");
        forged = forge_sign(other, impostor->keys[SIM_ARK]);
        refuse_root(&forged, -EKEYREJECTED, "on itself does not hold");
        ck_assert_int_eq(blob_dup(text, sizeof(text), &garbage), 0);
        refuse_root(&garbage, -EBADMSG, "neither DER nor PEM");
        refuse_root(&(Blob){}, -EBADMSG, "empty");
        X509_free(other);
}
END_TEST

/* Which certificates are needed */

START_TEST(a_missing_certificate_is_named) {
        static const char *const missing[] = { "ASK of Milan", "ARK of Milan" };
        AUTO_EVIDENCE Evidence evidence = forge_evidence(pkis[SIM_MILAN], SIM_VCEK);
        CLEANUP(snp_trust_freep) SnpTrust *amd = NULL;
        SnpVek *vek = NULL;
        Error e = {};

        blob_done(&evidence.others[_i]);
        if (_i == 0)
                evidence.others[0] = blob_take(&evidence.others[1]);
        evidence.n_others = 1;
        if (_i == 0) {
                forge_refused(pkis[SIM_MILAN], &evidence, -ENOENT, "cert-missing", missing[_i]);
                return;
        }
        ck_assert_int_eq(snp_trust_new_amd(&amd, NULL), 0); /* whose ARKs are known by fingerprint alone */
        ck_assert_int_eq(forge_judge_at(amd, &evidence, FORGE_NOW, &vek, &e), -ENOENT);
        ck_assert_str_eq(e.reason, "cert-missing");
        ck_assert_ptr_nonnull(strstr(e.text, missing[_i]));
}
END_TEST

START_TEST(a_test_root_need_not_come_with_the_evidence) {
        CLEANUP(snp_vek_freep) SnpVek *vek = NULL;
        AUTO_EVIDENCE Evidence evidence = forge_evidence(pkis[SIM_MILAN], SIM_VCEK);
        CLEANUP(snp_trust_freep) SnpTrust *other = forge_trust(pkis[SIM_GENOA]);
        CLEANUP(snp_trust_freep) SnpTrust *theirs = forge_trust(impostor);
        SnpVek *none = NULL;
        Error e = {};

        blob_done(&evidence.others[1]);
        evidence.n_others = 1;
        ck_assert_int_eq(forge_judge(pkis[SIM_MILAN], &evidence, &vek, NULL), 0);
        ck_assert(snp_vek_is_test(vek));
        /* Then it is asked of the right product line, and its signature still counts. */
        ck_assert_int_eq(forge_judge_at(other, &evidence, FORGE_NOW, &none, &e), -ENOENT);
        ck_assert_str_eq(e.reason, "cert-missing");
        e = (Error){};
        ck_assert_int_eq(forge_judge_at(theirs, &evidence, FORGE_NOW, &none, &e), -EKEYREJECTED);
        ck_assert_str_eq(e.reason, "cert-chain");
        ck_assert_ptr_null(none);
}
END_TEST

START_TEST(without_any_chain_certificate_the_ark_is_missed) {
        AUTO_EVIDENCE Evidence evidence = forge_evidence(pkis[SIM_MILAN], SIM_VCEK);
        CLEANUP(snp_trust_freep) SnpTrust *amd = NULL;
        SnpVek *vek = NULL;
        Error e = {};

        for (size_t i = 0; i < evidence.n_others; i++)
                blob_done(&evidence.others[i]);
        evidence.n_others = 0;
        ck_assert_int_eq(snp_trust_new_amd(&amd, NULL), 0);
        ck_assert_int_eq(forge_judge_at(amd, &evidence, FORGE_NOW, &vek, &e), -ENOENT);
        ck_assert_ptr_nonnull(strstr(e.text, "ARK"));
        forge_refused(pkis[SIM_MILAN], &evidence, -ENOENT, "cert-missing", "ASK"); /* a test root brings the ARK */
}
END_TEST

START_TEST(ask_and_asvk_do_not_stand_in_for_each_other) {
        const SimPki *pki = pkis[SIM_MILAN];
        AUTO_EVIDENCE Evidence vcek = forge_evidence(pki, SIM_VCEK), vlek = forge_evidence(pki, SIM_VLEK);
        Blob swap = vcek.others[0];

        vcek.others[0] = vlek.others[0];
        vlek.others[0] = swap;
        forge_refused(pki, &vcek, -ENOENT, "cert-missing", "ASK");
        forge_refused(pki, &vlek, -ENOENT, "cert-missing", "ASVK");
}
END_TEST

START_TEST(the_ask_of_another_product_does_not_do) {
        AUTO_EVIDENCE Evidence milan = forge_evidence(pkis[SIM_MILAN], SIM_VCEK);
        AUTO_EVIDENCE Evidence genoa = forge_evidence(pkis[SIM_GENOA], SIM_VCEK);

        /* The keys of both are the same: only the names tell them apart. */
        blob_done(&milan.others[0]);
        milan.others[0] = blob_take(&genoa.others[0]);
        forge_refused(pkis[SIM_MILAN], &milan, -ENOENT, "cert-missing", "ASK of Milan");
}
END_TEST

START_TEST(order_and_surplus_certificates_do_not_matter) {
        const SimPki *pki = pkis[SIM_TURIN];
        AUTO_EVIDENCE Evidence evidence = forge_evidence(pki, SIM_VCEK);
        AUTO_EVIDENCE Evidence milan = forge_evidence(pkis[SIM_MILAN], SIM_VLEK);
        CLEANUP(snp_vek_freep) SnpVek *vek = NULL;
        Blob swap = evidence.others[0];

        evidence.others[0] = evidence.others[1]; /* ARK, ASVK of Milan, VLEK of Milan, ASK */
        evidence.others[1] = blob_take(&milan.others[0]);
        evidence.others[2] = blob_take(&milan.vek);
        evidence.others[3] = swap;
        evidence.n_others = 4;
        ck_assert_int_eq(forge_judge(pki, &evidence, &vek, NULL), 0);
}
END_TEST

START_TEST(a_bogus_ask_beside_the_right_one_does_no_harm) {
        const SimPki *pki = pkis[SIM_MILAN];
        AUTO_EVIDENCE Evidence evidence = forge_evidence(pki, SIM_VCEK);
        CLEANUP(snp_vek_freep) SnpVek *vek = NULL;
        Error e = {};

        evidence.others[2] = blob_take(&evidence.others[0]);
        ck_assert_int_eq(sim_pki_cert_der(impostor, SIM_ASK, &evidence.others[0], NULL), 0);
        evidence.n_others = 3;
        ck_assert_msg(forge_judge(pki, &evidence, &vek, &e) == 0, "%s", e.text);
        ck_assert_int_eq(e.code, 0); /* and leaves no trace of a failure */
}
END_TEST

START_TEST(a_bogus_ark_beside_the_right_one_does_no_harm) {
        const SimPki *pki = pkis[SIM_MILAN];
        AUTO_EVIDENCE Evidence evidence = forge_evidence(pki, SIM_VCEK);
        CLEANUP(snp_vek_freep) SnpVek *vek = NULL;

        evidence.others[2] = blob_take(&evidence.others[1]);
        ck_assert_int_eq(sim_pki_cert_der(impostor, SIM_ARK, &evidence.others[1], NULL), 0);
        evidence.n_others = 3;
        ck_assert_int_eq(forge_judge(pki, &evidence, &vek, NULL), 0);
}
END_TEST

/* Signatures */

START_TEST(a_vek_signed_by_another_key_is_refused) {
        const SimPki *pki = pkis[SIM_MILAN];
        AUTO_EVIDENCE Evidence evidence = forge_evidence(pki, SIM_VCEK);
        X509 *cert = forge_copy(pki, SIM_VCEK);
        EVP_PKEY *const keys[] = { impostor->keys[SIM_ASK], pki->keys[SIM_ARK], pki->keys[SIM_ASVK] };

        for (size_t i = 0; i < N_ELEMENTS(keys); i++) {
                blob_done(&evidence.vek);
                evidence.vek = forge_sign(cert, keys[i]);
                forge_refused(pki, &evidence, -EKEYREJECTED, "cert-chain", "VCEK certificate: certificate signature");
        }
        X509_free(cert);
}
END_TEST

START_TEST(an_ask_signed_by_another_root_is_refused) {
        const SimPki *pki = pkis[SIM_MILAN];
        AUTO_EVIDENCE Evidence evidence = forge_evidence(pki, SIM_VCEK);
        X509 *cert = forge_copy(pki, SIM_ASK);

        blob_done(&evidence.others[0]);
        evidence.others[0] = forge_sign(cert, impostor->keys[SIM_ARK]);
        forge_refused(pki, &evidence, -EKEYREJECTED, "cert-chain", "ASK certificate: certificate signature");
        X509_free(cert);
}
END_TEST

START_TEST(the_whole_chain_of_an_impostor_is_refused_under_the_right_ark) {
        const SimPki *pki = pkis[SIM_MILAN];
        AUTO_EVIDENCE Evidence evidence = forge_evidence(impostor, SIM_VCEK);

        blob_done(&evidence.others[1]);
        ck_assert_int_eq(sim_pki_cert_der(pki, SIM_ARK, &evidence.others[1], NULL), 0);
        forge_refused(pki, &evidence, -EKEYREJECTED, "cert-chain", NULL);
}
END_TEST

START_TEST(bytes_around_a_pinned_key_must_be_signed_by_it) {
        const SimPki *pki = pkis[SIM_MILAN];
        AUTO_EVIDENCE Evidence evidence = forge_evidence(pki, SIM_VCEK);
        X509 *cert = forge_copy(pki, SIM_ARK);

        evidence.others[1].data[evidence.others[1].size - 1] ^= 1;
        forge_refused(pki, &evidence, -EKEYREJECTED, "cert-chain", "ARK certificate: certificate signature");
        blob_done(&evidence.others[1]);
        evidence.others[1] = forge_sign(cert, impostor->keys[SIM_ARK]); /* the pinned key, and the impostor's signature */
        forge_refused(pki, &evidence, -EKEYREJECTED, "cert-chain", "ARK certificate: certificate signature");
        X509_free(cert);
}
END_TEST

static const ForgeAlgorithm algorithms[] = {
        { "PKCS #1 v1.5", RSA_PKCS1_PADDING, "SHA384", NULL, 0 },
        { "SHA-256", RSA_PKCS1_PSS_PADDING, "SHA256", "SHA256", 32 },
        { "SHA-512", RSA_PKCS1_PSS_PADDING, "SHA512", "SHA512", 48 },
        { "MGF1 with SHA-256", RSA_PKCS1_PSS_PADDING, "SHA384", "SHA256", 48 },
        { "salt 32", RSA_PKCS1_PSS_PADDING, "SHA384", "SHA384", 32 },
        { "salt 20", RSA_PKCS1_PSS_PADDING, "SHA384", "SHA384", 20 },
        { "SHA-1 by default", RSA_PKCS1_PSS_PADDING, "SHA1", "SHA1", 20 },
};

START_TEST(any_other_signature_algorithm_is_refused) {
        const SimPki *pki = pkis[SIM_MILAN];
        static const SimKey certs[] = { SIM_VCEK, SIM_ASK, SIM_ARK };

        for (size_t i = 0; i < N_ELEMENTS(certs); i++) {
                AUTO_EVIDENCE Evidence evidence = forge_evidence(pki, SIM_VCEK);
                Blob *slot = i == 0 ? &evidence.vek : &evidence.others[i - 1];
                X509 *cert = forge_copy(pki, certs[i]);

                blob_done(slot);
                *slot = forge_sign_with(cert, pki->keys[certs[i] == SIM_VCEK ? SIM_ASK : SIM_ARK], &algorithms[_i]);
                forge_refused(pki, &evidence, -EBADMSG, "cert-algorithm", "not signed with RSASSA-PSS");
                X509_free(cert);
        }
}
END_TEST

START_TEST(both_encodings_of_the_pss_parameters_are_accepted) {
        const SimPki *pki = pkis[SIM_MILAN];
        AUTO_EVIDENCE Evidence evidence = forge_evidence(pki, SIM_VCEK);
        CLEANUP(snp_vek_freep) SnpVek *vek = NULL;
        X509 *cert = forge_copy(pki, SIM_ASK);
        Blob without = forge_sign(cert, pki->keys[SIM_ARK]);

        ck_assert_uint_lt(without.size, evidence.others[0].size); /* the simulator spells the trailerField out */
        blob_done(&evidence.others[0]);
        evidence.others[0] = without;
        ck_assert_int_eq(forge_judge(pki, &evidence, &vek, NULL), 0);
        X509_free(cert);
}
END_TEST

/* Form */

static const struct {
        SimKey cert;
        bool subject;
        int index;
        const char *value;
} names[] = {
        { SIM_VCEK, true, 5, "SEV-VLEK" },
        { SIM_VCEK, true, 5, "SEV-VCEK2" },
        { SIM_VCEK, true, 5, "SEV-VCE" },
        { SIM_VCEK, true, 5, "VCEK" },
        { SIM_VCEK, true, 5, "sev-vcek" },
        { SIM_VCEK, true, 4, "Advanced Micro Devices Inc" },
        { SIM_VCEK, true, 0, "Marketing" },
        { SIM_VCEK, true, 1, "DE" },
        { SIM_VCEK, true, 2, "Austin" },
        { SIM_VCEK, true, 3, "TX" },
        { SIM_VCEK, false, 5, "ARK-Milan" },
        { SIM_VCEK, false, 5, "SEV-VLEK-Milan" },
        { SIM_VCEK, false, 5, "SEV-Bergamo" },
        { SIM_VCEK, false, 5, "SEV-unknown" },
        { SIM_VCEK, false, 5, "SEV-" },
        { SIM_VCEK, false, 4, "Advanced Micro Devices " },
        { SIM_VLEK, false, 5, "SEV-Milan" },
        { SIM_VLEK, true, 5, "SEV-VCEK" },
};

START_TEST(names_must_be_amds_to_the_letter) {
        const SimPki *pki = pkis[SIM_MILAN];
        AUTO_EVIDENCE Evidence evidence = forge_evidence(pki, names[_i].cert);
        X509 *cert = forge_copy(pki, names[_i].cert);

        forge_name(cert, names[_i].subject, names[_i].index, names[_i].value);
        blob_done(&evidence.vek);
        evidence.vek = forge_sign(cert, pki->keys[names[_i].cert == SIM_VCEK ? SIM_ASK : SIM_ASVK]);
        forge_refused(pki, &evidence, -EBADMSG, "cert-names", NULL);
        X509_free(cert);
}
END_TEST

START_TEST(a_vcek_named_after_another_product_is_refused) {
        const SimPki *pki = pkis[SIM_MILAN];
        AUTO_EVIDENCE Evidence evidence = forge_evidence(pki, SIM_VCEK);
        X509 *cert = forge_copy(pki, SIM_VCEK);

        forge_name(cert, false, 5, "SEV-Genoa"); /* whose ASK has the same key here */
        blob_done(&evidence.vek);
        evidence.vek = forge_sign(cert, pki->keys[SIM_ASK]);
        forge_refused(pki, &evidence, -EBADMSG, "cert-product", "Milan but the issuer is Genoa's");
        X509_free(cert);
}
END_TEST

START_TEST(no_certificate_of_a_ca_is_a_vek) {
        AUTO_EVIDENCE Evidence evidence = forge_evidence(pkis[SIM_MILAN], SIM_VCEK);

        blob_done(&evidence.vek);
        ck_assert_int_eq(sim_pki_cert_der(pkis[SIM_MILAN], (SimKey) _i, &evidence.vek, NULL), 0);
        forge_refused(pkis[SIM_MILAN], &evidence, -EBADMSG, "cert-names", "neither a VCEK nor a VLEK");
}
END_TEST

static void refuse_leaf_key(EVP_PKEY *key) {
        const SimPki *pki = pkis[SIM_MILAN];
        AUTO_EVIDENCE Evidence evidence = forge_evidence(pki, SIM_VCEK);
        X509 *cert = forge_copy(pki, SIM_VCEK);

        ck_assert_int_eq(X509_set_pubkey(cert, key), 1);
        blob_done(&evidence.vek);
        evidence.vek = forge_sign(cert, pki->keys[SIM_ASK]);
        forge_refused(pki, &evidence, -EBADMSG, "cert-key", "P-384");
        X509_free(cert);
}

START_TEST(a_vek_must_have_a_key_on_p384) {
        static const struct {
                const char *curve;
                bool explicit_parameters;
        } curves[] = { { "P-256", false }, { "P-521", false }, { "secp256k1", false }, { "P-384", true } };

        for (size_t i = 0; i < N_ELEMENTS(curves); i++) {
                EVP_PKEY *key = forge_ec_key(curves[i].curve, curves[i].explicit_parameters);

                refuse_leaf_key(key);
                EVP_PKEY_free(key);
        }
        refuse_leaf_key(pkis[SIM_MILAN]->keys[SIM_ASK]); /* RSA */
}
END_TEST

static void add_standard(X509 *cert, int nid, const char *value) {
        X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

        ck_assert_ptr_nonnull(extension);
        ck_assert_int_eq(X509_add_ext(cert, extension, -1), 1);
        X509_EXTENSION_free(extension);
}

START_TEST(a_vek_must_not_be_a_ca) {
        const SimPki *pki = pkis[SIM_MILAN];
        AUTO_EVIDENCE Evidence evidence = forge_evidence(pki, SIM_VCEK);
        X509 *cert = forge_copy(pki, SIM_VCEK);

        add_standard(cert, NID_basic_constraints, "critical,CA:TRUE");
        blob_done(&evidence.vek);
        evidence.vek = forge_sign(cert, pki->keys[SIM_ASK]);
        forge_refused(pki, &evidence, -EBADMSG, "cert-ca", "VCEK certificate: marked as a certificate authority");
        X509_free(cert);
}
END_TEST

static const struct {
        SimKey cert;
        int nid;
        const char *value; /* NULL: taken away */
        const char *text;
} ca_changes[] = {
        { SIM_ASK, NID_basic_constraints, NULL, "not marked as a certificate authority" },
        { SIM_ASK, NID_basic_constraints, "critical,CA:FALSE", "not marked as a certificate authority" },
        { SIM_ASK, NID_basic_constraints, "critical,CA:TRUE", "path length" },
        { SIM_ASK, NID_basic_constraints, "critical,CA:TRUE,pathlen:1", "path length" },
        { SIM_ASK, NID_key_usage, NULL, "not marked as a certificate authority" },
        { SIM_ASK, NID_key_usage, "critical,digitalSignature", "not marked as a certificate authority" },
        { SIM_ARK, NID_basic_constraints, NULL, "not marked as a certificate authority" },
        { SIM_ARK, NID_basic_constraints, "critical,CA:FALSE", "not marked as a certificate authority" },
        { SIM_ARK, NID_key_usage, "critical,cRLSign", "not marked as a certificate authority" },
};

START_TEST(cas_must_be_marked_as_such) {
        const SimPki *pki = pkis[SIM_MILAN];
        AUTO_EVIDENCE Evidence evidence = forge_evidence(pki, SIM_VCEK);
        Blob *slot = &evidence.others[ca_changes[_i].cert == SIM_ASK ? 0 : 1];
        X509 *cert = forge_copy(pki, ca_changes[_i].cert);

        X509_EXTENSION_free(X509_delete_ext(cert, X509_get_ext_by_NID(cert, ca_changes[_i].nid, -1)));
        if (ca_changes[_i].value)
                add_standard(cert, ca_changes[_i].nid, ca_changes[_i].value);
        blob_done(slot);
        *slot = forge_sign(cert, pki->keys[SIM_ARK]);
        forge_refused(pki, &evidence, -EBADMSG, "cert-ca", ca_changes[_i].text);
        X509_free(cert);
}
END_TEST

START_TEST(a_root_may_limit_its_path_to_one) {
        const SimPki *pki = pkis[SIM_MILAN];
        AUTO_EVIDENCE Evidence evidence = forge_evidence(pki, SIM_VCEK);
        CLEANUP(snp_vek_freep) SnpVek *vek = NULL;
        X509 *cert = forge_copy(pki, SIM_ARK);

        X509_EXTENSION_free(X509_delete_ext(cert, X509_get_ext_by_NID(cert, NID_basic_constraints, -1)));
        add_standard(cert, NID_basic_constraints, "critical,CA:TRUE,pathlen:1");
        blob_done(&evidence.others[1]);
        evidence.others[1] = forge_sign(cert, pki->keys[SIM_ARK]);
        ck_assert_int_eq(forge_judge(pki, &evidence, &vek, NULL), 0);
        X509_free(cert);
}
END_TEST

START_TEST(a_ca_with_a_short_key_is_refused) {
        const SimPki *pki = pkis[SIM_MILAN];
        AUTO_EVIDENCE Evidence evidence = forge_evidence(pki, SIM_VCEK);
        EVP_PKEY *weak = EVP_RSA_gen(2048);
        X509 *cert = forge_copy(pki, SIM_ASK);

        ck_assert_int_eq(X509_set_pubkey(cert, weak), 1);
        blob_done(&evidence.others[0]);
        evidence.others[0] = forge_sign(cert, pki->keys[SIM_ARK]);
        forge_refused(pki, &evidence, -EBADMSG, "cert-key", "RSA with 4096 bits");
        X509_free(cert);
        EVP_PKEY_free(weak);
}
END_TEST

START_TEST(only_x509_version_3_will_do) {
        const SimPki *pki = pkis[SIM_MILAN];
        AUTO_EVIDENCE Evidence evidence = forge_evidence(pki, SIM_VCEK);
        X509 *cert = forge_copy(pki, SIM_VCEK);

        ck_assert_int_eq(X509_set_version(cert, X509_VERSION_2), 1);
        blob_done(&evidence.vek);
        evidence.vek = forge_sign(cert, pki->keys[SIM_ASK]);
        forge_refused(pki, &evidence, -EBADMSG, "cert-version", NULL);
        X509_free(cert);
}
END_TEST

/* Time */

START_TEST(the_chain_holds_from_first_to_last_second) {
        const SimPki *pki = pkis[SIM_MILAN];
        CLEANUP(snp_trust_freep) SnpTrust *trust = forge_trust(pki);
        AUTO_EVIDENCE Evidence evidence = forge_evidence(pki, SIM_VLEK);
        SnpVek *vek = NULL;
        time_t begin = FORGE_NOW - DAY, end;
        Error e = {};

        ck_assert_int_eq(forge_judge_at(trust, &evidence, begin + 1, &vek, NULL), 0);
        end = snp_vek_not_after(vek);
        ck_assert_int_eq(end, begin + YEAR);
        snp_vek_free(TAKE_PTR(vek));
        ck_assert_int_eq(forge_judge_at(trust, &evidence, end - 1, &vek, NULL), 0);
        snp_vek_free(TAKE_PTR(vek));
        ck_assert_int_eq(forge_judge_at(trust, &evidence, end + 1, &vek, &e), -EKEYREJECTED);
        ck_assert_str_eq(e.reason, "cert-expired");
        e = (Error){};
        ck_assert_int_eq(forge_judge_at(trust, &evidence, begin - 1, &vek, &e), -EKEYREJECTED);
        ck_assert_str_eq(e.reason, "cert-not-yet-valid");
        ck_assert_ptr_null(vek);
}
END_TEST

START_TEST(the_first_end_in_the_chain_is_the_end) {
        const SimPki *pki = pkis[SIM_MILAN];
        static const SimKey certs[] = { SIM_ASK, SIM_ARK };

        for (size_t i = 0; i < N_ELEMENTS(certs); i++) {
                AUTO_EVIDENCE Evidence evidence = forge_evidence(pki, SIM_VCEK);
                CLEANUP(snp_trust_freep) SnpTrust *trust = forge_trust(pki);
                CLEANUP(snp_vek_freep) SnpVek *vek = NULL;
                X509 *cert = forge_copy(pki, certs[i]);
                Error e = {};

                ck_assert_ptr_nonnull(ASN1_TIME_set(X509_getm_notAfter(cert), FORGE_NOW + DAY));
                blob_done(&evidence.others[i]);
                evidence.others[i] = forge_sign(cert, pki->keys[SIM_ARK]);
                ck_assert_int_eq(forge_judge_at(trust, &evidence, FORGE_NOW, &vek, NULL), 0);
                ck_assert_int_eq(snp_vek_not_after(vek), FORGE_NOW + DAY);
                snp_vek_free(TAKE_PTR(vek));
                ck_assert_int_eq(forge_judge_at(trust, &evidence, FORGE_NOW + 2 * DAY, &vek, &e), -EKEYREJECTED);
                ck_assert_str_eq(e.reason, "cert-expired");
                X509_free(cert);
        }
}
END_TEST

/* Bytes */

static void replace_text(Blob *slot, const char *text) {
        blob_done(slot);
        ck_assert_int_eq(blob_dup(text, strlen(text), slot), 0);
}

START_TEST(pem_is_as_good_as_der) {
        const SimPki *pki = pkis[SIM_GENOA];
        CLEANUP(snp_vek_freep) SnpVek *vek = NULL;
        AUTO_EVIDENCE Evidence evidence = { .n_others = 1 };
        Error e = {};

        ck_assert_int_eq(sim_pki_cert_pem(pki, SIM_VCEK, &evidence.vek, NULL), 0);
        ck_assert_int_eq(sim_pki_chain_pem(pki, SIM_VCEK, &evidence.others[0], NULL), 0);
        ck_assert_msg(forge_judge(pki, &evidence, &vek, &e) == 0, "%s", e.text);
}
END_TEST

static const struct {
        const char *why, *text;
} bad_texts[] = {
        { "empty", "" },
        { "prose", "This is not a certificate.\n" },
        { "NUL and more", "0" },
        { "an empty sequence", "0\x01" },
        { "no base64", "-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n" },
        { "no end", "-----BEGIN CERTIFICATE-----\nAAAA\n" },
        { "other end", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END PRIVATE KEY-----\n" },
        { "no certificate inside", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n" },
        { "a key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n" },
        { "trust settings", "-----BEGIN TRUSTED CERTIFICATE-----\nAAAA\n-----END TRUSTED CERTIFICATE-----\n" },
        { "encrypted", "-----BEGIN CERTIFICATE-----\nProc-Type: 4,ENCRYPTED\n"
                       "DEK-Info: AES-128-CBC,00000000000000000000000000000000\n\nAAAA\n-----END CERTIFICATE-----\n" },
};

START_TEST(bytes_that_are_no_certificate_are_refused) {
        AUTO_EVIDENCE Evidence evidence = forge_evidence(pkis[SIM_MILAN], SIM_VCEK);
        Blob *slots[] = { &evidence.vek, &evidence.others[0] };
        static const char *const texts[] = { "VCEK or VLEK certificate", "Chain certificate 1" };

        for (size_t i = 2; i-- > 0;) {
                replace_text(slots[i], bad_texts[_i].text);
                forge_refused(pkis[SIM_MILAN], &evidence, -EBADMSG, "cert-malformed", texts[i]);
        }
        ck_assert_uint_eq(ERR_peek_error(), 0);
}
END_TEST

START_TEST(a_certificate_under_another_label_is_refused) {
        static const char *const labels[] = { "TRUSTED CERTIFICATE", "X509 CERTIFICATE", "X509 CRL", "PRIVATE KEY" };
        const SimPki *pki = pkis[SIM_MILAN];

        for (size_t i = 0; i < N_ELEMENTS(labels); i++) {
                AUTO_EVIDENCE Evidence evidence = forge_evidence(pki, SIM_VCEK);
                AUTO_BLOB Blob pem = {};
                AUTO_FREE char *text = NULL;
                int head = (int) strlen("-----BEGIN CERTIFICATE-----"), tail = (int) strlen("-----END CERTIFICATE-----\n");

                ck_assert_int_eq(sim_pki_cert_pem(pki, SIM_VCEK, &pem, NULL), 0);
                ck_assert_int_gt(asprintf(&text, "-----BEGIN %s-----%.*s-----END %s-----\n", labels[i],
                                          (int) pem.size - head - tail, (const char *) pem.data + head, labels[i]), 0);
                replace_text(&evidence.vek, text);
                forge_refused(pki, &evidence, -EBADMSG, "cert-malformed", "is no certificate");
        }
}
END_TEST

START_TEST(a_vek_is_one_certificate) {
        const SimPki *pki = pkis[SIM_MILAN];
        AUTO_EVIDENCE Evidence evidence = forge_evidence(pki, SIM_VCEK);

        blob_done(&evidence.vek);
        ck_assert_int_eq(sim_pki_chain_pem(pki, SIM_VCEK, &evidence.vek, NULL), 0);
        forge_refused(pki, &evidence, -EBADMSG, "cert-count", "2 certificates instead of one");
}
END_TEST

START_TEST(limits_on_certificates_hold) {
        static uint8_t big[SNP_CERT_SIZE_MAX + 1] = { 0x30 };
        const SimPki *pki = pkis[SIM_MILAN];
        AUTO_EVIDENCE Evidence evidence = forge_evidence(pki, SIM_VCEK);
        AUTO_BLOB Blob pem = {};
        char many[40 * 1024];
        size_t n = 0;

        ck_assert_int_eq(sim_pki_cert_pem(pki, SIM_VCEK, &pem, NULL), 0);
        for (; n + pem.size <= SNP_CERT_SIZE_MAX; n += pem.size)
                (void) memcpy(many + n, pem.data, pem.size);
        for (size_t i = 2; i < FORGE_CERTS_MAX; i++)
                ck_assert_int_eq(blob_dup(many, n, &evidence.others[i]), 0);
        evidence.n_others = FORGE_CERTS_MAX;
        forge_refused(pki, &evidence, -E2BIG, "cert-count", "more than 16");
        blob_done(&evidence.others[2]);
        ck_assert_int_eq(blob_dup(big, sizeof(big), &evidence.others[2]), 0);
        evidence.n_others = 3;
        forge_refused(pki, &evidence, -E2BIG, "cert-size", "Chain certificate 3");
        blob_done(&evidence.vek);
        ck_assert_int_eq(blob_dup(big, sizeof(big), &evidence.vek), 0);
        forge_refused(pki, &evidence, -E2BIG, "cert-size", "VCEK or VLEK");
}
END_TEST

START_TEST(more_chain_certificates_than_slots_are_refused) {
        CLEANUP(snp_trust_freep) SnpTrust *trust = forge_trust(pkis[SIM_MILAN]);
        AUTO_EVIDENCE Evidence evidence = forge_evidence(pkis[SIM_MILAN], SIM_VCEK);
        SnpCerts certs = { .vek = { evidence.vek.data, evidence.vek.size }, .n_others = SNP_CERTS_MAX + 1 };
        SnpVek *vek = NULL;

        ck_assert_int_eq(snp_vek_new(trust, &certs, FORGE_NOW, &vek, NULL), -E2BIG);
}
END_TEST

START_TEST(every_truncation_of_a_vek_is_refused) {
        const SimPki *pki = pkis[SIM_MILAN];
        CLEANUP(snp_trust_freep) SnpTrust *trust = forge_trust(pki);
        AUTO_EVIDENCE Evidence evidence = forge_evidence(pki, SIM_VCEK);
        Blob whole = evidence.vek;

        for (size_t n = 0; n < whole.size; n++) {
                SnpVek *vek = NULL;
                Error e = {};

                evidence.vek = (Blob){};
                ck_assert_int_eq(blob_dup(whole.data, n, &evidence.vek), 0);
                ck_assert_msg(forge_judge_at(trust, &evidence, FORGE_NOW, &vek, &e) == -EBADMSG && e.text[0],
                              "%zu bytes", n);
                blob_done(&evidence.vek);
        }
        evidence.vek = whole;
}
END_TEST

START_TEST(every_single_bit_flip_of_a_certificate_is_refused) {
        static const char *const what[] = { "VCEK", "ASK" };
        static const size_t steps[] = { 1, 5 }; /* of a CA's certificate, one or two bits of each byte */
        const SimPki *pki = pkis[SIM_MILAN];
        CLEANUP(snp_trust_freep) SnpTrust *trust = forge_trust(pki);
        AUTO_EVIDENCE Evidence evidence = forge_evidence(pki, SIM_VCEK);
        Blob *slot = _i == 0 ? &evidence.vek : &evidence.others[_i - 1];
        SnpVek *vek = NULL;

        for (size_t bit = 0; bit < slot->size * 8; bit += steps[_i]) {
                Error e = {};
                int r;

                slot->data[bit / 8] ^= (uint8_t) (1u << bit % 8);
                r = forge_judge_at(trust, &evidence, FORGE_NOW, &vek, &e);
                ck_assert_msg(r < 0 && !vek && e.text[0], "%s with bit %zu flipped is accepted", what[_i], bit);
                slot->data[bit / 8] ^= (uint8_t) (1u << bit % 8);
        }
        ck_assert_int_eq(forge_judge_at(trust, &evidence, FORGE_NOW, &vek, NULL), 0);
        snp_vek_free(vek);
        ck_assert_uint_eq(ERR_peek_error(), 0); /* nothing is left for others to find */
}
END_TEST

/* As a root by itself: beside evidence whose ARK has lost its name, the trust's own would count. */
START_TEST(every_single_bit_flip_of_a_root_is_refused) {
        AUTO_EVIDENCE Evidence evidence = forge_evidence(pkis[SIM_MILAN], SIM_VCEK);
        Blob *ark = &evidence.others[1];

        for (size_t bit = 0; bit < ark->size * 8; bit += 5) {
                CLEANUP(snp_trust_freep) SnpTrust *trust = NULL;
                Error e = {};

                ark->data[bit / 8] ^= (uint8_t) (1u << bit % 8);
                ck_assert_msg(snp_trust_new_test(ark->data, ark->size, &trust, &e) < 0 && !trust && e.text[0],
                              "bit %zu", bit);
                ark->data[bit / 8] ^= (uint8_t) (1u << bit % 8);
        }
        ck_assert_uint_eq(ERR_peek_error(), 0);
}
END_TEST

START_TEST(a_byte_behind_a_certificate_is_refused) {
        const SimPki *pki = pkis[SIM_MILAN];
        AUTO_EVIDENCE Evidence evidence = forge_evidence(pki, SIM_VCEK);
        uint8_t *longer = realloc(evidence.vek.data, evidence.vek.size + 1);

        ck_assert_ptr_nonnull(longer);
        longer[evidence.vek.size] = 0;
        evidence.vek = (Blob){ longer, evidence.vek.size + 1 };
        forge_refused(pki, &evidence, -EBADMSG, "cert-trailing-bytes", "1 bytes follow");
}
END_TEST

static void add_trust_tests(TCase *tc) {
        tcase_add_loop_test(tc, every_kind_of_vek_is_accepted_and_described, 0, N_ELEMENTS(veks));
        tcase_add_test(tc, a_test_root_trusts_only_itself);
        tcase_add_loop_test(tc, amds_names_do_not_make_a_root_of_amds, 0, N_ELEMENTS(veks));
        tcase_add_test(tc, a_root_of_one_product_does_not_vouch_for_another);
        tcase_add_test(tc, several_test_roots_may_be_configured);
        tcase_add_test(tc, a_test_root_must_be_an_ark_that_signs_itself);
        tcase_add_loop_test(tc, a_missing_certificate_is_named, 0, 2);
        tcase_add_test(tc, a_test_root_need_not_come_with_the_evidence);
        tcase_add_test(tc, without_any_chain_certificate_the_ark_is_missed);
        tcase_add_test(tc, ask_and_asvk_do_not_stand_in_for_each_other);
        tcase_add_test(tc, the_ask_of_another_product_does_not_do);
        tcase_add_test(tc, order_and_surplus_certificates_do_not_matter);
        tcase_add_test(tc, a_bogus_ask_beside_the_right_one_does_no_harm);
        tcase_add_test(tc, a_bogus_ark_beside_the_right_one_does_no_harm);
}

static void add_signature_tests(TCase *tc) {
        tcase_add_test(tc, a_vek_signed_by_another_key_is_refused);
        tcase_add_test(tc, an_ask_signed_by_another_root_is_refused);
        tcase_add_test(tc, the_whole_chain_of_an_impostor_is_refused_under_the_right_ark);
        tcase_add_test(tc, bytes_around_a_pinned_key_must_be_signed_by_it);
        tcase_add_loop_test(tc, any_other_signature_algorithm_is_refused, 0, N_ELEMENTS(algorithms));
        tcase_add_test(tc, both_encodings_of_the_pss_parameters_are_accepted);
}

static void add_form_tests(TCase *tc) {
        tcase_add_loop_test(tc, names_must_be_amds_to_the_letter, 0, N_ELEMENTS(names));
        tcase_add_test(tc, a_vcek_named_after_another_product_is_refused);
        tcase_add_loop_test(tc, no_certificate_of_a_ca_is_a_vek, SIM_ARK, SIM_ASVK + 1);
        tcase_add_test(tc, a_vek_must_have_a_key_on_p384);
        tcase_add_test(tc, a_vek_must_not_be_a_ca);
        tcase_add_loop_test(tc, cas_must_be_marked_as_such, 0, N_ELEMENTS(ca_changes));
        tcase_add_test(tc, a_root_may_limit_its_path_to_one);
        tcase_add_test(tc, a_ca_with_a_short_key_is_refused);
        tcase_add_test(tc, only_x509_version_3_will_do);
        tcase_add_test(tc, the_chain_holds_from_first_to_last_second);
        tcase_add_test(tc, the_first_end_in_the_chain_is_the_end);
}

static void add_byte_tests(TCase *tc) {
        tcase_add_test(tc, pem_is_as_good_as_der);
        tcase_add_loop_test(tc, bytes_that_are_no_certificate_are_refused, 0, N_ELEMENTS(bad_texts));
        tcase_add_test(tc, a_certificate_under_another_label_is_refused);
        tcase_add_test(tc, a_vek_is_one_certificate);
        tcase_add_test(tc, limits_on_certificates_hold);
        tcase_add_test(tc, more_chain_certificates_than_slots_are_refused);
        tcase_add_test(tc, every_truncation_of_a_vek_is_refused);
        tcase_add_loop_test(tc, every_single_bit_flip_of_a_certificate_is_refused, 0, 2);
        tcase_add_test(tc, every_single_bit_flip_of_a_root_is_refused);
        tcase_add_test(tc, a_byte_behind_a_certificate_is_refused);
}

int main(void) {
        Suite *suite = suite_create("snp/vek");
        TCase *tc = tcase_create("vek");
        int r;

        for (SimProduct p = 0; p < SIM_N_PRODUCTS; p++)
                pkis[p] = forge_pki(p);
        impostor = forge_impostor(SIM_MILAN);
        add_trust_tests(tc);
        add_signature_tests(tc);
        add_form_tests(tc);
        add_byte_tests(tc);
        suite_add_tcase(suite, tc);
        r = unit_run(suite);
        for (SimProduct p = 0; p < SIM_N_PRODUCTS; p++)
                sim_pki_free(pkis[p]);
        sim_pki_free(impostor);
        return r;
}
