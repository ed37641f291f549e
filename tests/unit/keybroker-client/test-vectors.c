/* SPDX-License-Identifier: Apache-2.0 */

/* The recorded vectors of the key-broker protocol, each judged as its file says. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/file.h"
#include "base/hex.h"
#include "base/json.h"
#include "base/writer.h"
#include "keybroker-client/evidence.h"
#include "keybroker-client/jcs.h"
#include "keybroker-client/jwe.h"
#include "keybroker-client/jwe-keys.h"
#include "keybroker-client/report-data.h"
#include "keybroker-client/tee-key.h"
#include "tests/simulator/report.h"
#include "tests/unit/keybroker-client/seal.h"
#include "tests/unit/unit.h"

static json_object *report_data, *jwes, *snp_evidence;

static const char *str(json_object *o, const char *name) {
        json_object *v;

        return json_object_object_get_ex(o, name, &v) ? json_object_get_string(v) : NULL;
}

static json_object *nth(json_object *array, int i) {
        return json_object_array_get_idx(array, (size_t) i);
}

static void assert_digest(const KbcReportData *data, const char *hex) {
        char text[2 * KBC_DIGEST_MAX + 1];

        hex_encode_to(data->bytes, data->digest_size, text);
        ck_assert_str_eq(text, hex);
}

START_TEST(report_data_vector_has_its_digests) {
        json_object *v = nth(report_data, _i), *jwk;
        char padded[2 * KBC_DIGEST_MAX + 1];
        KbcReportData data;
        KbcHash hash;

        ck_assert_int_eq(kbc_hash_from_name(str(v, "hash"), &hash, NULL), 0);
        if (!json_object_object_get_ex(v, "tee_pubkey", &jwk))
                return; /* canonical form only, see below */
        ck_assert_int_eq(kbc_report_data(hash, str(v, "nonce"), jwk, str(v, "additional_evidence"), &data, NULL), 0);
        assert_digest(&data, str(v, "primary_digest_hex"));
        if (str(v, "snp_report_data_hex")) {
                hex_encode_to(data.bytes, sizeof(data.bytes), padded);
                ck_assert_str_eq(padded, str(v, "snp_report_data_hex"));
        }
        if (str(v, "device_digest_hex")) {
                ck_assert_int_eq(kbc_report_data(hash, str(v, "nonce"), jwk, NULL, &data, NULL), 0);
                assert_digest(&data, str(v, "device_digest_hex"));
        }
}
END_TEST

START_TEST(canonical_form_of_every_vector_is_a_fixed_point) {
        const char *want = str(nth(report_data, _i), "primary_canonical");
        AUTO_JSON json_object *o = NULL;
        AUTO_WRITER Writer w = wr_init(64u * 1024u);
        AUTO_FREE char *text = NULL;

        ck_assert_int_eq(json_parse(want, strlen(want), "vector", &o, NULL), 0);
        ck_assert_int_eq(kbc_jcs_write(o, &w, NULL), 0);
        ck_assert_int_eq(wr_finish_str(&w, &text), 0);
        ck_assert_str_eq(text, want);
}
END_TEST

static const struct {
        const char *kty, *curve, *alg;
        KbcTeeAlg value;
} algs[] = {
        { "EC", "P-256", "ECDH-ES+A256KW", KBC_TEE_ALG_ECDH_P256 },
        { "EC", "P-521", "ECDH-ES+A256KW", KBC_TEE_ALG_ECDH_P521 },
        { "RSA", NULL, "RSA-OAEP-256", KBC_TEE_ALG_RSA_OAEP_256 },
        { "RSA", NULL, "RSA-OAEP", KBC_TEE_ALG_RSA_OAEP },
};

/* The key of the vector; RSA1_5 cannot be announced, so it stands as a key for OAEP-256. */
static KbcTeeKey *key_of(json_object *v) {
        json_object *jwk = json_object_object_get(v, "tee_pubkey");
        const char *alg = strcmp(str(jwk, "alg"), "RSA1_5") == 0 ? "RSA-OAEP-256" : str(jwk, "alg");
        AUTO_PKEY EVP_PKEY *pkey = pem_to_pkey(str(v, "private_key_pem"));
        KbcTeeKey *key = NULL;

        for (size_t i = 0; i < N_ELEMENTS(algs) && !key; i++)
                if (strcmp(algs[i].alg, alg) == 0 && (!algs[i].curve || strcmp(algs[i].curve, str(jwk, "crv")) == 0))
                        ck_assert_int_eq(kbc_tee_key_new(algs[i].value, pkey, &key, NULL), 0);
        ck_assert_ptr_nonnull(key);
        return key;
}

static void assert_plaintext(const Secret *s, const char *hex) {
        AUTO_FREE char *text = hex_encode(s->bytes, s->len);

        ck_assert_str_eq(text, hex);
}

START_TEST(jwe_vector_is_judged_as_its_file_says) {
        json_object *v = nth(jwes, _i);
        const char *text = json_object_to_json_string_ext(json_object_object_get(v, "jwe"), JSON_C_TO_STRING_PLAIN);
        CLEANUP(kbc_tee_key_freep) KbcTeeKey *key = key_of(v);
        AUTO_SECRET Secret s = {};
        Error e = {};
        int r = kbc_jwe_open(text, strlen(text), key, &s, &e);

        if (strcmp(str(v, "name"), "rsa1_5") == 0) {
                /* Valid, but its padding makes every decryptor an oracle: refused by name. */
                ck_assert_int_eq(r, -EOPNOTSUPP);
                ck_assert_str_eq(e.reason, "alg-deprecated");
        } else if (strcmp(str(v, "name"), "rsa-oaep-sha1-NEGATIVE") == 0) {
                /* To be refused unless this very algorithm was announced, which is a choice of the configuration. */
                CLEANUP(kbc_tee_key_freep) KbcTeeKey *sha256 = NULL;
                AUTO_SECRET Secret none = {};

                ck_assert_int_eq(r, 0);
                assert_plaintext(&s, str(v, "plaintext_hex"));
                ck_assert_int_eq(kbc_tee_key_new(KBC_TEE_ALG_RSA_OAEP_256, kbc_tee_key_pkey(key), &sha256, NULL), 0);
                ck_assert_int_eq(kbc_jwe_open(text, strlen(text), sha256, &none, NULL), -EPROTO);
        } else if (strcmp(str(v, "expect"), "ok") == 0) {
                ck_assert_msg(r == 0, "%s: %s", str(v, "name"), e.text);
                assert_plaintext(&s, str(v, "plaintext_hex"));
        } else {
                ck_assert_msg(r < 0 && e.code == r && e.text[0], "%s: opened", str(v, "name"));
                ck_assert_ptr_null(s.bytes);
        }
}
END_TEST

/* Every intermediate value, so that two mistakes cannot make up for each other. */
START_TEST(jwe_vector_has_its_intermediate_keys) {
        json_object *v = nth(jwes, _i), *header = NULL, *epk;
        CLEANUP(kbc_tee_key_freep) KbcTeeKey *key = NULL;
        AUTO_PKEY EVP_PKEY *point = NULL;
        AUTO_JWE_KEYS KbcJweKeys k = {};
        AUTO_BLOB Blob wrapped = {};
        const Blob none = {};

        if (!str(v, "z_hex") || strcmp(str(v, "expect"), "ok") != 0)
                return;
        key = key_of(v);
        ck_assert_int_eq(json_parse(str(v, "protected_json"), strlen(str(v, "protected_json")), "header", &header, NULL), 0);
        ck_assert(json_object_object_get_ex(header, "epk", &epk));
        point = jwk_to_pkey(epk);
        ck_assert_int_eq(kbc_jwe_keys_init(&k, NULL), 0);
        ck_assert_int_eq(kbc_jwe_agree(key, point, &k, NULL), 0);
        assert_plaintext(&(Secret){ .bytes = k.z, .len = k.z_size }, str(v, "z_hex"));
        ck_assert_int_eq(kbc_jwe_concat_kdf(kbc_tee_key_alg_name(key), &none, &none, &k, NULL), 0);
        assert_plaintext(&(Secret){ .bytes = k.kek, .len = KBC_CEK_SIZE }, str(v, "kek_hex"));
        ck_assert_int_eq(hex_decode(str(v, "encrypted_key_hex"), strlen(str(v, "encrypted_key_hex")), 64, &wrapped), 0);
        ck_assert_int_eq(kbc_jwe_unwrap_aes(&wrapped, &k, NULL), 0);
        assert_plaintext(&(Secret){ .bytes = k.cek, .len = KBC_CEK_SIZE }, str(v, "cek_hex"));
        (void) json_object_put(header);
}
END_TEST

static json_object *evidence_from(const uint8_t *report, size_t size, const Blob *table, unsigned *ret_warnings) {
        const KbcSnpEvidence in = {
                .report = report, .report_size = size, .cert_table = table->data, .cert_table_size = table->size,
        };
        KbcEvidence evidence = {};
        json_object *o = NULL;
        Error e = {};

        ck_assert_msg(kbc_evidence_snp(&in, &evidence, ret_warnings, &e) == 0, "%s", e.text);
        ck_assert_int_eq(json_parse(evidence.json.data, evidence.json.size, "evidence", &o, NULL), 0);
        blob_done(&evidence.json);
        return o;
}

START_TEST(evidence_of_a_recorded_report_is_the_recorded_one) {
        const char *b64 = str(snp_evidence, "raw_report_b64");
        json_object *want = json_object_object_get(snp_evidence, "evidence_vlek"), *chain, *data;
        AUTO_JSON json_object *bare = NULL, *with_vlek = NULL;
        AUTO_BLOB Blob report = {}, table = {};
        uint8_t cert[4096];
        unsigned warnings;
        size_t n;

        ck_assert_int_eq(base64_decode(BASE64_STD, b64, strlen(b64), 4096, &report), 0);
        bare = evidence_from(report.data, report.size, &(Blob){}, &warnings);
        ck_assert(json_object_equal(bare, json_object_object_get(snp_evidence, "evidence_no_certs")));
        ck_assert_uint_eq(warnings, KBC_EVIDENCE_WARN_VMPL | KBC_EVIDENCE_WARN_VLEK);

        chain = json_object_object_get(want, "cert_chain");
        data = json_object_object_get(json_object_array_get_idx(chain, 0), "data");
        n = json_object_array_length(data);
        ck_assert_uint_le(n, sizeof(cert));
        for (size_t i = 0; i < n; i++)
                cert[i] = (uint8_t) json_object_get_int(json_object_array_get_idx(data, i));
        ck_assert_int_eq(sim_cert_table_make(&(SimTableEntry){ sim_guids[SIM_GUID_VLEK], cert, n }, 1, &table, NULL), 0);
        with_vlek = evidence_from(report.data, report.size, &table, &warnings);
        ck_assert(json_object_equal(with_vlek, want));
        ck_assert_uint_eq(warnings, KBC_EVIDENCE_WARN_VMPL);
}
END_TEST

/* The parsed file, or exit: outside a test there is nothing to fail. */
static json_object *load(const char *name) {
        AUTO_FREE char *path = NULL;
        AUTO_BLOB Blob b = {};
        json_object *o = NULL;
        Error e = {};

        if (asprintf(&path, "%s/kbs/%s", vectors_dir(), name) < 0 || file_read(path, 1u << 20, &b, &e) < 0 ||
            json_parse(b.data, b.size, name, &o, &e) < 0) {
                (void) fprintf(stderr, "%s\n", e.text);
                exit(EXIT_FAILURE);
        }
        return o;
}

static json_object *vectors_of(json_object *file, int *ret_n) {
        json_object *v = json_object_object_get(file, "vectors");

        *ret_n = (int) json_object_array_length(v);
        return v;
}

int main(void) {
        Suite *s;
        TCase *t;
        AUTO_JSON json_object *report_data_file = NULL, *jwe_file = NULL, *evidence_file = NULL;
        int n;

        if (!vectors_dir())
                return unit_skip("recorded vectors are absent");
        s = suite_create("keybroker-client");
        t = tcase_create("vectors");
        report_data_file = load("report_data.json");
        report_data = vectors_of(report_data_file, &n);
        tcase_add_loop_test(t, report_data_vector_has_its_digests, 0, n);
        tcase_add_loop_test(t, canonical_form_of_every_vector_is_a_fixed_point, 0, n);
        jwe_file = load("jwe.json");
        jwes = vectors_of(jwe_file, &n);
        tcase_add_loop_test(t, jwe_vector_is_judged_as_its_file_says, 0, n);
        tcase_add_loop_test(t, jwe_vector_has_its_intermediate_keys, 0, n);
        snp_evidence = evidence_file = load("snp_evidence_v3_vlek.json");
        tcase_add_test(t, evidence_of_a_recorded_report_is_the_recorded_one);
        suite_add_tcase(s, t);
        return unit_run(s);
}
