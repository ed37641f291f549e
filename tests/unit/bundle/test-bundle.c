/* SPDX-License-Identifier: Apache-2.0 */

/* The format of evidence bundles: nothing is lost, and nothing is accepted that docs/evidence-bundle.md does not have. */

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/bundle/bundle.h"
#include "base/base64.h"
#include "base/json.h"
#include "tests/unit/unit.h"

/* Form only: no certificate is one. */
static Bundle sample(void) {
        static const struct {
                size_t at, size;
        } blobs[] = {
                { offsetof(Bundle, report), 1184 },        { offsetof(Bundle, vek), 5 },
                { offsetof(Bundle, chain[0]), 3 },         { offsetof(Bundle, chain[1]), 4 },
                { offsetof(Bundle, crls[0]), 7 },          { offsetof(Bundle, svsm_manifest), 9 },
                { offsetof(Bundle, tpm.attest), 11 },      { offsetof(Bundle, tpm.signature), 12 },
                { offsetof(Bundle, tpm.ak), 13 },          { offsetof(Bundle, tpm.event_log), 14 },
                { offsetof(Bundle, tpm.ak_certificate), 15 }, { offsetof(Bundle, tpm.hcl_report), 16 },
        };
        Bundle b = { .writer = "test 1.0", .captured_at = 1750000000, .nonce = { 1, 2, 3 }, .nonce_size = 3,
                     .rule = BUNDLE_RULE_SVSM, .n_chain = 2, .n_crls = 1, .svsm_manifest_version = 1, .has_tpm = true,
                     .tpm = { .n_pcrs = 2 } };

        for (size_t i = 0; i < N_ELEMENTS(blobs); i++) {
                uint8_t bytes[1184];

                (void) memset(bytes, (int) i + 1, sizeof(bytes));
                ck_assert_int_eq(blob_dup(bytes, blobs[i].size, (Blob *) (void *) ((uint8_t *) &b + blobs[i].at)), 0);
        }
        b.tpm.pcrs[0] = (VtpmPcrValues){ .hash = VTPM_ALG_SHA256, .mask = 0x800081, .values = { { 1 }, [23] = { 2 } } };
        b.tpm.pcrs[1] = (VtpmPcrValues){ .hash = VTPM_ALG_SHA1, .mask = 0x1, .values = { { 3 } } };
        return b;
}

static Blob encode(const Bundle *b) {
        Blob text = {};
        Error e = {};

        ck_assert_msg(bundle_encode(b, &text, &e) == 0, "%s", e.text);
        return text;
}

static void assert_same_blobs(const Blob *a, const Blob *b, size_t n) {
        for (size_t i = 0; i < n; i++)
                ck_assert(blob_equal(&a[i], &b[i]));
}

static void assert_same(const Bundle *a, const Bundle *b) {
        ck_assert_str_eq(a->writer, b->writer);
        ck_assert_int_eq(a->captured_at, b->captured_at);
        ck_assert_mem_eq(a->nonce, b->nonce, sizeof(a->nonce));
        ck_assert_uint_eq(a->nonce_size, b->nonce_size);
        ck_assert_int_eq(a->rule, b->rule);
        ck_assert_uint_eq(a->n_chain, b->n_chain);
        ck_assert_uint_eq(a->n_crls, b->n_crls);
        assert_same_blobs(&a->report, &b->report, 1);
        assert_same_blobs(&a->vek, &b->vek, 1);
        assert_same_blobs(a->chain, b->chain, a->n_chain);
        assert_same_blobs(a->crls, b->crls, a->n_crls);
        assert_same_blobs(&a->svsm_manifest, &b->svsm_manifest, 1);
        ck_assert_uint_eq(a->svsm_manifest_version, b->svsm_manifest_version);
        ck_assert(a->has_tpm == b->has_tpm);
        assert_same_blobs(&a->tpm.attest, &b->tpm.attest, 1);
        assert_same_blobs(&a->tpm.signature, &b->tpm.signature, 1);
        assert_same_blobs(&a->tpm.ak, &b->tpm.ak, 1);
        assert_same_blobs(&a->tpm.event_log, &b->tpm.event_log, 1);
        assert_same_blobs(&a->tpm.ak_certificate, &b->tpm.ak_certificate, 1);
        assert_same_blobs(&a->tpm.hcl_report, &b->tpm.hcl_report, 1);
        ck_assert_uint_eq(a->tpm.n_pcrs, b->tpm.n_pcrs);
        ck_assert_mem_eq(a->tpm.pcrs, b->tpm.pcrs, sizeof(a->tpm.pcrs));
}

START_TEST(what_is_written_is_read_back) {
        AUTO_BUNDLE Bundle b = sample(), again = {};
        AUTO_BLOB Blob text = {}, second = {};
        Error e = {};

        if (_i >= 1) { /* without a TPM */
                bundle_done(&b);
                b = sample();
                blob_done(&b.tpm.attest);
                blob_done(&b.tpm.signature);
                blob_done(&b.tpm.ak);
                blob_done(&b.tpm.event_log);
                blob_done(&b.tpm.ak_certificate);
                blob_done(&b.tpm.hcl_report);
                b.has_tpm = false;
                b.tpm = (BundleTpm){};
        }
        if (_i >= 2) { /* and with nothing that can be missing */
                blob_done(&b.svsm_manifest);
                b.svsm_manifest_version = 0;
                blob_done(&b.crls[0]);
                b.n_crls = 0;
        }
        text = encode(&b);
        ck_assert_uint_eq(text.data[text.size - 1], '\n');
        ck_assert_msg(bundle_parse(text.data, text.size, &again, &e) == 0, "%s", e.text);
        assert_same(&b, &again);
        second = encode(&again);
        ck_assert(blob_equal(&text, &second));
}
END_TEST

/* Changes to the sample's JSON: the member at a path gets another value, NULL removes it. */
static const struct {
        const char *where, *name, *value;
        int code;
        const char *reason;
} refused[] = {
        { "", "format", "\"cyclonedx\"", -EBADMSG, "bundle-format" },
        { "", "format", "1", -EBADMSG, NULL },
        { "", "format", NULL, -EBADMSG, NULL },
        { "", "version", "2", -EOPNOTSUPP, "bundle-version" },
        { "", "version", "0", -EOPNOTSUPP, "bundle-version" },
        { "", "version", "1.0", -EBADMSG, NULL },
        { "", "version", "\"1\"", -EBADMSG, NULL },
        { "", "version", "-1", -EBADMSG, NULL },
        { "", "comment", "\"\"", -EBADMSG, "bundle-member" },
        { "", "writer", NULL, -EBADMSG, NULL },
        { "", "writer", "\"\\u0007\"", -EBADMSG, "bundle-member" },
        { "", "writer", "\"\u00e9\"", -EBADMSG, "bundle-member" },
        { "", "captured_at", "-1", -EBADMSG, NULL },
        { "", "captured_at", "253402300800", -EBADMSG, NULL },
        { "", "captured_at", "\"now\"", -EBADMSG, NULL },
        { "", "challenge", NULL, -EBADMSG, NULL },
        { "", "snp", NULL, -EBADMSG, NULL },
        { "", "snp", "[]", -EBADMSG, NULL },
        { "", "svsm", "null", -EBADMSG, NULL },
        { "", "tpm", "null", -EBADMSG, NULL },
        { "", "tpm", "{}", -EBADMSG, NULL },
        { "challenge", "nonce", "\"\"", -EBADMSG, "bundle-size" },
        { "challenge", "nonce", "\"AQ\"", -EBADMSG, "bundle-base64" },
        { "challenge", "nonce", "\"A_8=\"", -EBADMSG, "bundle-base64" },
        { "challenge", "nonce", NULL, -EBADMSG, NULL },
        { "challenge", "report_data", "\"other\"", -EBADMSG, "bundle-rule" },
        { "challenge", "report_data", NULL, -EBADMSG, NULL },
        { "challenge", "salt", "\"AQ==\"", -EBADMSG, "bundle-member" },
        { "snp", "report", "\"AQ==\"", -EBADMSG, "bundle-size" },
        { "snp", "report", NULL, -EBADMSG, NULL },
        { "snp", "vek", "\"\"", -EBADMSG, "bundle-size" },
        { "snp", "vek", NULL, -EBADMSG, NULL },
        { "snp", "chain", NULL, -EBADMSG, NULL },
        { "snp", "chain", "\"AQ==\"", -EBADMSG, NULL },
        { "snp", "chain", "[1]", -EBADMSG, "bundle-member" },
        { "snp", "chain", "[\"\"]", -EBADMSG, "bundle-size" },
        { "snp", "chain", "[\"AQ==\",\"AQ==\",\"AQ==\",\"AQ==\",\"AQ==\",\"AQ==\",\"AQ==\",\"AQ==\",\"AQ==\"]",
          -E2BIG, NULL },
        { "snp", "crls", NULL, -EBADMSG, NULL },
        { "snp", "crls", "[\"AQ==\",\"AQ==\",\"AQ==\",\"AQ==\",\"AQ==\"]", -E2BIG, NULL },
        { "snp", "ark", "\"AQ==\"", -EBADMSG, "bundle-member" },
        { "svsm", "manifest", NULL, -EBADMSG, NULL },
        { "svsm", "manifest", "\"\"", -EBADMSG, "bundle-size" },
        { "svsm", "manifest_version", "2", -EBADMSG, NULL },
        { "svsm", "guid", "\"\"", -EBADMSG, "bundle-member" },
        { "tpm", "attest", NULL, -EBADMSG, NULL },
        { "tpm", "signature", NULL, -EBADMSG, NULL },
        { "tpm", "ak", NULL, -EBADMSG, NULL },
        { "tpm", "pcrs", NULL, -EBADMSG, NULL },
        { "tpm", "pcrs", "[]", -EBADMSG, NULL },
        { "tpm", "pcrs", "{\"md5\":{}}", -EBADMSG, "bundle-bank" },
        { "tpm", "pcrs", "{\"sha1\":\"\"}", -EBADMSG, "bundle-bank" },
        { "tpm", "pcrs", "{\"sha1\":{\"24\":\"\"}}", -EBADMSG, "bundle-pcr" },
        { "tpm", "pcrs", "{\"sha1\":{\"00\":\"0101010101010101010101010101010101010101\"}}", -EBADMSG, "bundle-pcr" },
        { "tpm", "pcrs", "{\"sha1\":{\"0\":\"01010101010101010101010101010101010101\"}}", -EBADMSG, "bundle-pcr" },
        { "tpm", "pcrs", "{\"sha1\":{\"0\":7}}", -EBADMSG, "bundle-pcr" },
        { "tpm", "event_log", "null", -EBADMSG, NULL },
        { "tpm", "event_log", "\"\"", -EBADMSG, "bundle-size" },
        { "tpm", "ek", "\"AQ==\"", -EBADMSG, "bundle-member" },
};

static json_object *sample_json(void) {
        AUTO_BUNDLE Bundle b = sample();
        AUTO_BLOB Blob text = encode(&b);
        json_object *root = NULL;

        ck_assert_int_eq(json_parse(text.data, text.size, "sample", &root, NULL), 0);
        return root;
}

static int parse_json(json_object *root, Error *e) {
        AUTO_BUNDLE Bundle b = {};
        const char *text = json_object_to_json_string_ext(root, JSON_C_TO_STRING_PLAIN);

        return bundle_parse(text, strlen(text), &b, e);
}

START_TEST(what_the_format_does_not_have_is_refused) {
        AUTO_JSON json_object *root = sample_json();
        json_object *o = *refused[_i].where ? json_object_object_get(root, refused[_i].where) : root, *value = NULL;
        Error e = {};
        int r;

        json_object_object_del(o, refused[_i].name);
        if (refused[_i].value) {
                ck_assert_int_eq(json_parse(refused[_i].value, strlen(refused[_i].value), "value", &value, NULL), 0);
                ck_assert_int_eq(json_object_object_add(o, refused[_i].name, value), 0);
        }
        r = parse_json(root, &e);
        ck_assert_msg(r == refused[_i].code, "%s.%s = %s: %d %s", refused[_i].where, refused[_i].name,
                      refused[_i].value, r, e.text);
        ck_assert_int_eq(e.code, r);
        if (refused[_i].reason)
                ck_assert_str_eq(e.reason, refused[_i].reason);
        ck_assert_uint_gt(strlen(e.text), 0);
}
END_TEST

START_TEST(every_truncation_is_refused) {
        AUTO_BUNDLE Bundle b = sample();
        AUTO_BLOB Blob text = encode(&b);

        for (size_t n = 0; n + 2 < text.size; n++) { /* the newline and nothing else may go */
                AUTO_BUNDLE Bundle again = {};

                ck_assert_msg(bundle_parse(text.data, n, &again, NULL) == -EBADMSG, "%zu bytes", n);
        }
}
END_TEST

START_TEST(every_flipped_bit_is_refused_or_seen) {
        AUTO_BUNDLE Bundle b = sample();
        AUTO_BLOB Blob text = encode(&b);

        for (size_t bit = 0; bit < text.size * 8; bit += 3) {
                AUTO_BUNDLE Bundle again = {};

                text.data[bit / 8] ^= (uint8_t) (1u << bit % 8);
                if (bundle_parse(text.data, text.size, &again, NULL) == 0) {
                        AUTO_BLOB Blob second = encode(&again); /* whatever was read can be written */

                        ck_assert_uint_gt(second.size, 0);
                }
                text.data[bit / 8] ^= (uint8_t) (1u << bit % 8);
        }
}
END_TEST

START_TEST(no_json_object_is_no_bundle) {
        static const char *const texts[] = { "", "[]", "1", "null", "\"\"", "{}", "{}{}" };
        AUTO_BUNDLE Bundle b = {};

        ck_assert_int_eq(bundle_parse(texts[_i], strlen(texts[_i]), &b, NULL), -EBADMSG);
}
END_TEST

START_TEST(a_file_over_the_limit_is_not_looked_at) {
        AUTO_BUNDLE Bundle b = {};
        Error e = {};

        ck_assert_int_eq(bundle_parse("", (size_t) BUNDLE_SIZE_MAX + 1, &b, &e), -E2BIG);
        ck_assert_str_eq(e.reason, "bundle-size");
}
END_TEST

/* A member of the largest size is read, and one byte more is not. */
START_TEST(members_have_limits) {
        static const struct {
                const char *where, *name;
                size_t max;
        } limits[] = { { "challenge", "nonce", BUNDLE_NONCE_MAX },       { "snp", "vek", SNP_CERT_SIZE_MAX },
                       { "svsm", "manifest", BUNDLE_MANIFEST_MAX },      { "tpm", "attest", 1024 },
                       { "tpm", "hcl_report", BUNDLE_TPM_BLOB_MAX } };
        AUTO_FREE uint8_t *bytes = calloc(1, limits[_i].max + 1);

        ck_assert_ptr_nonnull(bytes);
        for (size_t more = 0; more < 2; more++) {
                AUTO_JSON json_object *root = sample_json();
                json_object *o = json_object_object_get(root, limits[_i].where);
                AUTO_FREE char *text = base64_encode(BASE64_STD, bytes, limits[_i].max + more);
                Error e = {};

                ck_assert_int_eq(json_object_object_add(o, limits[_i].name, json_object_new_string(text)), 0);
                ck_assert_msg(parse_json(root, &e) == (more ? -E2BIG : 0), "%s: %s", limits[_i].name, e.text);
        }
}
END_TEST

START_TEST(what_could_not_be_read_back_is_not_written) {
        AUTO_BUNDLE Bundle b = sample();
        AUTO_BLOB Blob text = {};
        Error e = {};

        if (_i == 0)
                b.nonce_size = 0;
        else if (_i == 1)
                blob_done(&b.report);
        else if (_i == 2)
                blob_done(&b.vek);
        else if (_i == 3)
                blob_done(&b.chain[1]);
        else if (_i == 4)
                blob_done(&b.crls[0]);
        else if (_i == 5)
                blob_done(&b.tpm.signature);
        else if (_i == 6)
                b.has_tpm = false; /* but its parts are there */
        else if (_i == 7)
                b.captured_at = -1;
        else
                b.svsm_manifest_version = 2;
        ck_assert_int_eq(bundle_encode(&b, &text, &e), -EINVAL);
        ck_assert_str_eq(e.reason, "bundle-incomplete");
        ck_assert_ptr_null(text.data);
}
END_TEST

int main(void) {
        Suite *s = suite_create("bundle");
        TCase *c = tcase_create("bundle");

        tcase_add_loop_test(c, what_is_written_is_read_back, 0, 3);
        tcase_add_loop_test(c, what_the_format_does_not_have_is_refused, 0, N_ELEMENTS(refused));
        tcase_add_test(c, every_truncation_is_refused);
        tcase_add_test(c, every_flipped_bit_is_refused_or_seen);
        tcase_add_loop_test(c, no_json_object_is_no_bundle, 0, 7);
        tcase_add_test(c, a_file_over_the_limit_is_not_looked_at);
        tcase_add_loop_test(c, members_have_limits, 0, 5);
        tcase_add_loop_test(c, what_could_not_be_read_back_is_not_written, 0, 9);
        suite_add_tcase(s, c);
        return unit_run(s);
}
