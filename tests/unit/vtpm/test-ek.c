/* SPDX-License-Identifier: Apache-2.0 */
/* Templates of endorsement keys, byte for byte as TCG EK Credential Profile, "Default EK Templates", has them. */
#include <errno.h>
#include <string.h>

#include "base/hex.h"
#include "tests/unit/unit.h"
#include "vtpm/ek.h"
#include "vtpm/public.h"

#define POLICY_A "837197674484b3f81a90cc8d46a5d724fd52d76e06520b64f2a1da1b331469aa"
#define POLICY_B "ca3d0a99a2b93906f7a3342414efcfb3a385d44cd1fd459089d19b5071c0b7a0"
#define POLICY_B384                                                                                                    \
        "b26e7d28d11a50bc53d882bcf5fd3a1a074148bb35d3b4e4cb1c0ad9bde419cacb47ba09699646150f9fc000f3f80e12"

static const struct {
        VtpmEkProfile profile;
        const char *name;
        const char *start; /* up to the unique field */
        size_t sizes[2], n_sizes; /* of the fields that follow, all zeros */
        uint16_t name_alg;
        bool password;
} templates[] = {
        { VTPM_EK_RSA2048, "rsa2048",
          "0001" "000b" "000300b2" "0020" POLICY_A "000600800043" "0010" "0800" "00000000", { 256 }, 1,
          VTPM_ALG_SHA256, false },
        { VTPM_EK_ECC_P256, "ecc-p256",
          "0023" "000b" "000300b2" "0020" POLICY_A "000600800043" "0010" "0003" "0010", { 32, 32 }, 2,
          VTPM_ALG_SHA256, false },
        { VTPM_EK_RSA2048_HIGH, "rsa2048-high",
          "0001" "000b" "000300f2" "0020" POLICY_B "000600800043" "0010" "0800" "00000000", { 0 }, 1,
          VTPM_ALG_SHA256, true },
        { VTPM_EK_ECC_P256_HIGH, "ecc-p256-high",
          "0023" "000b" "000300f2" "0020" POLICY_B "000600800043" "0010" "0003" "0010", { 0, 0 }, 2,
          VTPM_ALG_SHA256, true },
        { VTPM_EK_ECC_P384, "ecc-p384",
          "0023" "000c" "000300f2" "0030" POLICY_B384 "000601000043" "0010" "0004" "0010", { 0, 0 }, 2,
          VTPM_ALG_SHA384, true },
};

START_TEST(template_is_the_published_one) {
        AUTO_BLOB Blob t = {}, start = {};
        size_t at;

        ck_assert_int_eq(vtpm_ek_template(templates[_i].profile, &t, NULL), 0);
        ck_assert_int_eq(hex_decode(templates[_i].start, strlen(templates[_i].start), 256, &start), 0);
        ck_assert_uint_ge(t.size, start.size);
        ck_assert_mem_eq(t.data, start.data, start.size);
        at = start.size;
        for (size_t i = 0; i < templates[_i].n_sizes; i++) {
                ck_assert_uint_ge(t.size - at, 2 + templates[_i].sizes[i]);
                ck_assert_uint_eq((unsigned) t.data[at] << 8 | t.data[at + 1], templates[_i].sizes[i]);
                for (size_t k = 0; k < templates[_i].sizes[i]; k++)
                        ck_assert_uint_eq(t.data[at + 2 + k], 0);
                at += 2 + templates[_i].sizes[i];
        }
        ck_assert_uint_eq(t.size, at);
        ck_assert_uint_eq(vtpm_ek_name_alg(templates[_i].profile), templates[_i].name_alg);
        ck_assert(vtpm_ek_uses_password(templates[_i].profile) == templates[_i].password);
} END_TEST

START_TEST(names_are_read_back) {
        VtpmEkProfile profile = VTPM_N_EK_PROFILES;

        ck_assert_int_eq(vtpm_ek_profile_parse(templates[_i].name, &profile, NULL), 0);
        ck_assert_int_eq(profile, templates[_i].profile);
        ck_assert_str_eq(vtpm_ek_profile_name(profile), templates[_i].name);
} END_TEST

START_TEST(other_names_are_refused) {
        static const char *const bad[] = { "", "rsa", "RSA2048", "rsa2048 ", "ecc-p521" };
        VtpmEkProfile profile;

        for (size_t i = 0; i < N_ELEMENTS(bad); i++) {
                Error e = {};

                ck_assert_int_eq(vtpm_ek_profile_parse(bad[i], &profile, &e), -EINVAL);
                ck_assert_str_eq(e.reason, "ek-profile");
        }
        ck_assert_str_eq(vtpm_ek_profile_name(VTPM_N_EK_PROFILES), "?");
} END_TEST

/* A key as a TPM would make it from the template: any bytes will do for the key itself. */
static Blob key_of(VtpmEkProfile profile, VtpmPublic *ret_pub) {
        AUTO_BLOB Blob t = {};
        Blob b = {};

        ck_assert_int_eq(vtpm_ek_template(profile, &t, NULL), 0);
        ck_assert_int_eq(vtpm_public_parse(t.data, t.size, ret_pub, NULL), 0);
        if (ret_pub->type == VTPM_ALG_RSA) {
                ret_pub->modulus_size = 256;
                (void) memset(ret_pub->modulus, 0xa5, 256);
        } else {
                ret_pub->x_size = ret_pub->y_size = vtpm_curve_size(ret_pub->curve);
                (void) memset(ret_pub->x, 0x17, ret_pub->x_size);
                (void) memset(ret_pub->y, 0x2b, ret_pub->y_size);
        }
        ck_assert_int_eq(vtpm_public_encode(ret_pub, &b), 0);
        return b;
}

START_TEST(key_from_the_template_is_recognised_by_that_profile_alone) {
        VtpmPublic pub;
        AUTO_BLOB Blob key = key_of(templates[_i].profile, &pub);

        for (size_t i = 0; i < N_ELEMENTS(templates); i++) {
                Error e = {};
                int r = vtpm_ek_check(templates[i].profile, &key, &e);

                ck_assert_int_eq(r, (int) i == _i ? 0 : -EKEYREJECTED);
                if (r < 0)
                        ck_assert_str_eq(e.reason, "ek-template");
        }
} END_TEST

START_TEST(every_bit_but_the_keys_own_is_checked) {
        VtpmPublic pub;
        AUTO_BLOB Blob key = key_of(templates[_i].profile, &pub);
        size_t own = pub.type == VTPM_ALG_RSA ? 256 : 4 + 2 * pub.x_size - 2; /* after the first size */

        for (size_t bit = 0; bit < (key.size - own) * 8; bit++) {
                key.data[bit / 8] ^= (uint8_t) (1u << bit % 8);
                ck_assert_msg(vtpm_ek_check(templates[_i].profile, &key, NULL) < 0, "bit %zu", bit);
                key.data[bit / 8] ^= (uint8_t) (1u << bit % 8);
        }
        ck_assert_int_eq(vtpm_ek_check(templates[_i].profile, &key, NULL), 0);
} END_TEST

START_TEST(truncated_key_is_refused) {
        VtpmPublic pub;
        AUTO_BLOB Blob key = key_of(templates[_i].profile, &pub);
        Blob cut = key;

        for (cut.size = 0; cut.size < key.size; cut.size++)
                ck_assert_int_lt(vtpm_ek_check(templates[_i].profile, &cut, NULL), 0);
} END_TEST

static Suite *suite(void) {
        Suite *s = suite_create("ek");
        TCase *tc = tcase_create("ek");

        tcase_add_loop_test(tc, template_is_the_published_one, 0, N_ELEMENTS(templates));
        tcase_add_loop_test(tc, names_are_read_back, 0, N_ELEMENTS(templates));
        tcase_add_test(tc, other_names_are_refused);
        tcase_add_loop_test(tc, key_from_the_template_is_recognised_by_that_profile_alone, 0, N_ELEMENTS(templates));
        tcase_add_loop_test(tc, every_bit_but_the_keys_own_is_checked, 0, N_ELEMENTS(templates));
        tcase_add_loop_test(tc, truncated_key_is_refused, 0, N_ELEMENTS(templates));
        suite_add_tcase(s, tc);
        return s;
}

int main(void) {
        return unit_run(suite());
}
