/* SPDX-License-Identifier: Apache-2.0 */
#include "keybroker-client/report-data.h"

#include <errno.h>

#include "base/json.h"
#include "tests/unit/unit.h"

static const struct {
        const char *name;
        int want;
        KbcHash hash;
} names[] = {
        { "sha384", 0, KBC_HASH_SHA384 },
        { "SHA256", 0, KBC_HASH_SHA256 },
        { "Sha512", 0, KBC_HASH_SHA512 },
        { "sm3", -EOPNOTSUPP, 0 },
        { "SM3", -EOPNOTSUPP, 0 },
        { "sha-384", -EBADMSG, 0 },
        { "sha1", -EBADMSG, 0 },
        { "", -EBADMSG, 0 },
};

START_TEST(hash_names_are_known_or_refused) {
        KbcHash hash = 99;
        Error e = {};

        ck_assert_int_eq(kbc_hash_from_name(names[_i].name, &hash, &e), names[_i].want);
        ck_assert_int_eq(hash, names[_i].want == 0 ? names[_i].hash : 99);
}
END_TEST

START_TEST(every_input_changes_the_digest) {
        AUTO_JSON json_object *a = json_object_new_object(), *b = json_object_new_object();
        KbcReportData d[5];

        ck_assert_int_eq(json_add_str(a, "kty", "EC"), 0);
        ck_assert_int_eq(json_add_str(b, "kty", "RSA"), 0);
        ck_assert_int_eq(kbc_report_data(KBC_HASH_SHA384, "n", a, "", &d[0], NULL), 0);
        ck_assert_int_eq(kbc_report_data(KBC_HASH_SHA384, "m", a, "", &d[1], NULL), 0);
        ck_assert_int_eq(kbc_report_data(KBC_HASH_SHA384, "n", b, "", &d[2], NULL), 0);
        ck_assert_int_eq(kbc_report_data(KBC_HASH_SHA384, "n", a, "{}", &d[3], NULL), 0);
        ck_assert_int_eq(kbc_report_data(KBC_HASH_SHA384, "n", a, NULL, &d[4], NULL), 0);
        for (size_t i = 0; i < N_ELEMENTS(d); i++)
                for (size_t j = 0; j < i; j++)
                        ck_assert_mem_ne(d[i].bytes, d[j].bytes, KBC_DIGEST_MAX);
        for (size_t i = d[0].digest_size; i < KBC_DIGEST_MAX; i++)
                ck_assert_uint_eq(d[0].bytes[i], 0);
        ck_assert_uint_eq(d[0].digest_size, 48);
}
END_TEST

int main(void) {
        Suite *s = suite_create("keybroker-client");
        TCase *t = tcase_create("report-data");

        tcase_add_loop_test(t, hash_names_are_known_or_refused, 0, N_ELEMENTS(names));
        tcase_add_test(t, every_input_changes_the_digest);
        suite_add_tcase(s, t);
        return unit_run(s);
}
