/* SPDX-License-Identifier: Apache-2.0 */

/* The recorded vectors of the key-broker protocol, each judged as its file says. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/hex.h"
#include "base/json.h"
#include "base/writer.h"
#include "keybroker-client/jcs.h"
#include "keybroker-client/report-data.h"
#include "tests/unit/unit.h"

static json_object *report_data;

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
        Suite *s = suite_create("keybroker-client");
        TCase *t = tcase_create("vectors");
        AUTO_JSON json_object *report_data_file = NULL;
        int n;

        if (!vectors_dir())
                return unit_skip("recorded vectors are absent");
        report_data_file = load("report_data.json");
        report_data = vectors_of(report_data_file, &n);
        tcase_add_loop_test(t, report_data_vector_has_its_digests, 0, n);
        tcase_add_loop_test(t, canonical_form_of_every_vector_is_a_fixed_point, 0, n);
        suite_add_tcase(s, t);
        return unit_run(s);
}
