/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "tests/unit/unit.h"
#include "vtpm/ak_spec.h"

static const struct {
        const char *text;
        VtpmAkSpec want;
} good[] = {
        { "rsassa", { .kind = VTPM_AK_RSASSA } },
        { "rsapss", { .kind = VTPM_AK_RSAPSS } },
        { "ecdsa-p256", { .kind = VTPM_AK_ECDSA_P256 } },
        { "ecdsa-p384", { .kind = VTPM_AK_ECDSA_P384 } },
        { "owner:rsassa", { .kind = VTPM_AK_RSASSA, .owner = true } },
        { "0x81000003", { .kind = VTPM_AK_PERSISTENT, .handle = 0x81000003 } },
        { "azure", { .kind = VTPM_AK_AZURE } },
        { "gcp-rsa", { .kind = VTPM_AK_GCP_RSA } },
        { "gcp-ecc", { .kind = VTPM_AK_GCP_ECC } },
        { "auto", { .kind = VTPM_AK_AUTO } },
        { "0x81ffffff", { .kind = VTPM_AK_PERSISTENT, .handle = 0x81ffffff } },
};

START_TEST(known_words_and_persistent_handles_are_read) {
        VtpmAkSpec spec;

        ck_assert_int_eq(vtpm_ak_spec_parse(good[_i].text, &spec, NULL), 0);
        ck_assert_int_eq(spec.kind, good[_i].want.kind);
        ck_assert_int_eq(spec.owner, good[_i].want.owner);
        ck_assert_uint_eq(spec.handle, good[_i].want.handle);
} END_TEST

static const char *const bad[] = {
        "", "rsa", "RSASSA", "rsassa ", "owner:", "owner:0x81000003", "owner:owner:rsassa", "0x80000000", "0x82000000",
        "0x01c00002", "81000003", "0x", "0x81000003 ", "0x181000003",
        "owner:gcp-rsa", "owner:azure", "owner:auto", "gcp", "Azure", "auto ",
};

START_TEST(anything_else_is_refused) {
        VtpmAkSpec spec;
        Error e = {};

        ck_assert_msg(vtpm_ak_spec_parse(bad[_i], &spec, &e) == -EINVAL, "'%s'", bad[_i]);
        ck_assert_str_eq(e.reason, "ak-spec");
} END_TEST

static Suite *suite(void) {
        Suite *s = suite_create("ak-spec");
        TCase *tc = tcase_create("ak-spec");

        tcase_add_loop_test(tc, known_words_and_persistent_handles_are_read, 0, N_ELEMENTS(good));
        tcase_add_loop_test(tc, anything_else_is_refused, 0, N_ELEMENTS(bad));
        suite_add_tcase(s, tc);
        return s;
}

int main(void) {
        return unit_run(suite());
}
