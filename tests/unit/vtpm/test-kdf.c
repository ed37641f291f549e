/* SPDX-License-Identifier: Apache-2.0 */
/* KDFa and KDFe against the formulas of TPM 2.0 Library Part 1, put together here by hand. */
#include <errno.h>
#include <string.h>

#include <openssl/evp.h>

#include "base/writer.h"
#include "tests/unit/unit.h"
#include "vtpm/alg.h"
#include "vtpm/kdf.h"

static const uint8_t key[20] = "twenty bytes of key", name[34] = "a name, thirty-four bytes of it..";
static const uint8_t z[32] = "the x coordinate, thirty-two of", u[32] = "the ephemeral key's, thirty-two", v[32] = "v";

static const struct {
        uint16_t hash;
        const char *md;
        size_t size;
} cases[] = {
        { VTPM_ALG_SHA256, "SHA256", 16 }, { VTPM_ALG_SHA256, "SHA256", 32 }, { VTPM_ALG_SHA256, "SHA256", 80 },
        { VTPM_ALG_SHA384, "SHA384", 32 }, { VTPM_ALG_SHA384, "SHA384", 48 }, { VTPM_ALG_SHA1, "SHA1", 16 },
        { VTPM_ALG_SHA512, "SHA512", 128 },
};

static void wanted_kdfa(size_t i, const char *label, bool with_context, uint8_t *ret) {
        size_t step = vtpm_hash_size(cases[i].hash);
        uint8_t block[VTPM_DIGEST_MAX];

        for (uint32_t n = 0; n * step < cases[i].size; n++) {
                AUTO_WRITER Writer w = wr_init(256);
                size_t left = cases[i].size - n * step;

                wr_be32(&w, n + 1);
                wr_bytes(&w, label, strlen(label) + 1);
                if (with_context)
                        wr_bytes(&w, name, sizeof(name));
                wr_be32(&w, (uint32_t) cases[i].size * 8);
                ck_assert_ptr_nonnull(EVP_Q_mac(NULL, "HMAC", NULL, cases[i].md, NULL, key, sizeof(key), w.data, w.size,
                                                block, sizeof(block), NULL));
                (void) memcpy(ret + n * step, block, left < step ? left : step);
        }
}

START_TEST(kdfa_is_hmac_in_counter_mode) {
        uint8_t got[128], want[128];
        VtpmBytes k = { key, sizeof(key) }, context = { name, sizeof(name) }, none = {};

        ck_assert_int_eq(vtpm_kdfa(cases[_i].hash, k, "STORAGE", context, got, cases[_i].size, NULL), 0);
        wanted_kdfa((size_t) _i, "STORAGE", true, want);
        ck_assert_mem_eq(got, want, cases[_i].size);
        ck_assert_int_eq(vtpm_kdfa(cases[_i].hash, k, "INTEGRITY", none, got, cases[_i].size, NULL), 0);
        wanted_kdfa((size_t) _i, "INTEGRITY", false, want);
        ck_assert_mem_eq(got, want, cases[_i].size);
} END_TEST

START_TEST(kdfe_is_a_digest_in_counter_mode) {
        size_t step = vtpm_hash_size(cases[_i].hash);
        uint8_t got[128], want[VTPM_DIGEST_MAX];

        ck_assert_int_eq(vtpm_kdfe(cases[_i].hash, (VtpmBytes){ z, sizeof(z) }, "IDENTITY", (VtpmBytes){ u, sizeof(u) },
                                   (VtpmBytes){ v, sizeof(v) }, got, cases[_i].size, NULL), 0);
        for (uint32_t n = 0; n * step < cases[_i].size; n++) {
                AUTO_WRITER Writer w = wr_init(256);
                size_t left = cases[_i].size - n * step;

                wr_be32(&w, n + 1);
                wr_bytes(&w, z, sizeof(z));
                wr_bytes(&w, "IDENTITY", 9);
                wr_bytes(&w, u, sizeof(u));
                wr_bytes(&w, v, sizeof(v));
                ck_assert_int_eq(EVP_Digest(w.data, w.size, want, NULL, vtpm_hash_md(cases[_i].hash), NULL), 1);
                ck_assert_mem_eq(got + n * step, want, left < step ? left : step);
        }
} END_TEST

START_TEST(unknown_hashes_are_refused) {
        VtpmBytes k = { key, sizeof(key) };
        uint8_t got[16];

        ck_assert_int_eq(vtpm_kdfa(0x0012, k, "STORAGE", k, got, sizeof(got), NULL), -EOPNOTSUPP);
        ck_assert_int_eq(vtpm_kdfe(0x0012, k, "IDENTITY", k, k, got, sizeof(got), NULL), -EOPNOTSUPP);
} END_TEST

static Suite *suite(void) {
        Suite *s = suite_create("kdf");
        TCase *tc = tcase_create("kdf");

        tcase_add_loop_test(tc, kdfa_is_hmac_in_counter_mode, 0, N_ELEMENTS(cases));
        tcase_add_loop_test(tc, kdfe_is_a_digest_in_counter_mode, 0, N_ELEMENTS(cases));
        tcase_add_test(tc, unknown_hashes_are_refused);
        suite_add_tcase(s, tc);
        return s;
}

int main(void) {
        return unit_run(suite());
}
