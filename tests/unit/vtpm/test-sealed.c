/* SPDX-License-Identifier: Apache-2.0 */
/* The file that sealing leaves. What a TPM makes of it: tests/integration/test-vtpm-seal.c. */
#include <errno.h>
#include <string.h>

#include "base/reader.h"
#include "base/writer.h"
#include "tests/unit/unit.h"
#include "tests/unit/vtpm/soft.h"
#include "vtpm/policy-signed.h"
#include "vtpm/sealed.h"

#define MASK (1u << 0 | 1u << 7 | 1u << 23)

/* A sealed object as a TPM would give it: from the template, with something in its unique field. */
static Blob object_for(const VtpmSealed *s) {
        AUTO_BLOB Blob template = {};
        Blob b = {};
        VtpmPolicy policy;

        ck_assert_int_eq(vtpm_sealed_policy(s, &policy, NULL), 0);
        ck_assert_int_eq(vtpm_sealed_template(&policy, &template), 0);
        b.size = template.size + 32;
        b.data = malloc(b.size);
        ck_assert_ptr_nonnull(b.data);
        (void) memcpy(b.data, template.data, template.size);
        store_be16(b.data + template.size - 2, 32);
        (void) memset(b.data + template.size, 0x5a, 32);
        return b;
}

static VtpmSealed sealed(VtpmSealKind kind) {
        VtpmSealed s = { .kind = kind, .parent = VTPM_ALG_ECC, .pcrs = soft_pcrs(VTPM_ALG_SHA256, MASK) };

        if (kind == VTPM_SEAL_SIGNED) {
                SoftAk key = soft_ak_new(VTPM_ALG_RSASSA, VTPM_ALG_SHA256, 0);

                ck_assert_int_eq(vtpm_policy_signer(key.key, &s.signer, NULL), 0);
                soft_ak_done(&key);
        }
        ck_assert_int_eq(blob_dup("what the TPM alone can read", 27, &s.private), 0);
        s.public = object_for(&s);
        return s;
}

static const VtpmSealKind kinds[] = { VTPM_SEAL_PCR, VTPM_SEAL_SIGNED };

START_TEST(file_is_read_back) {
        AUTO_VTPM_SEALED VtpmSealed s = sealed(kinds[_i]), again = {};
        AUTO_BLOB Blob file = {};

        ck_assert_int_eq(vtpm_sealed_encode(&s, &file), 0);
        ck_assert_mem_eq(file.data, "SNPS\0\1", 6);
        ck_assert_uint_eq(load_be16(file.data + 6), kinds[_i]);
        ck_assert_uint_eq(load_be16(file.data + 8), VTPM_ALG_ECC);
        ck_assert_uint_eq(load_be16(file.data + 10), VTPM_ALG_SHA256);
        ck_assert_uint_eq(load_be32(file.data + 12), MASK);
        ck_assert_int_eq(vtpm_sealed_parse(file.data, file.size, &again, NULL), 0);
        ck_assert_int_eq(again.kind, s.kind);
        ck_assert_uint_eq(again.parent, s.parent);
        ck_assert_uint_eq(again.pcrs.mask, MASK);
        for (unsigned i = 0; i < VTPM_N_PCRS; i++)
                if (MASK >> i & 1)
                        ck_assert_mem_eq(again.pcrs.values[i], s.pcrs.values[i], 32);
        ck_assert(blob_equal(&again.public, &s.public) && blob_equal(&again.private, &s.private) &&
                  blob_equal(&again.signer, &s.signer));
} END_TEST

START_TEST(truncated_file_is_refused) {
        AUTO_VTPM_SEALED VtpmSealed s = sealed(kinds[_i]);
        AUTO_BLOB Blob file = {};

        ck_assert_int_eq(vtpm_sealed_encode(&s, &file), 0);
        for (size_t n = 0; n < file.size; n++) {
                AUTO_VTPM_SEALED VtpmSealed got = {};

                ck_assert_int_eq(vtpm_sealed_parse(file.data, n, &got, NULL), -EBADMSG);
        }
} END_TEST

/* Only what is the TPM's secret, and its key's own identity, may change unnoticed here: the TPM notices. */
START_TEST(flipped_bits_are_noticed_but_in_what_is_the_tpms) {
        AUTO_VTPM_SEALED VtpmSealed s = sealed(kinds[_i]);
        size_t private_at = 16 + 3 * 32 + 2 + s.public.size + 2, unique_at = private_at - 2 - 32;
        AUTO_BLOB Blob file = {};

        ck_assert_int_eq(vtpm_sealed_encode(&s, &file), 0);
        for (size_t bit = 0; bit < file.size * 8; bit++) {
                AUTO_VTPM_SEALED VtpmSealed got = {};
                AUTO_BLOB Blob again = {};
                size_t at = bit / 8;

                file.data[at] ^= (uint8_t) (1u << bit % 8);
                if (vtpm_sealed_parse(file.data, file.size, &got, NULL) == 0) {
                        bool parent = at == 8 || at == 9;
                        bool information = kinds[_i] == VTPM_SEAL_SIGNED && at >= 10 && at < 16 + 3 * 32;

                        ck_assert_msg(parent || information || (at >= private_at && at < private_at + s.private.size) ||
                                              (at >= unique_at && at < unique_at + 32), "byte %zu", at);
                        ck_assert_int_eq(vtpm_sealed_encode(&got, &again), 0);
                        ck_assert(blob_equal(&file, &again));
                }
                file.data[at] ^= (uint8_t) (1u << bit % 8);
        }
} END_TEST

START_TEST(trailing_bytes_and_other_versions_are_refused) {
        AUTO_VTPM_SEALED VtpmSealed s = sealed(VTPM_SEAL_PCR), got = {};
        uint8_t data[VTPM_SEALED_SIZE_MAX + 1] = {};
        AUTO_BLOB Blob file = {};
        Error e = {};

        ck_assert_int_eq(vtpm_sealed_encode(&s, &file), 0);
        (void) memcpy(data, file.data, file.size);
        ck_assert_int_eq(vtpm_sealed_parse(data, file.size + 1, &got, NULL), -EBADMSG);
        ck_assert_int_eq(vtpm_sealed_parse(data, sizeof(data), &got, &e), -E2BIG);
        ck_assert_str_eq(e.reason, "sealed-too-large");
        data[5] = 2;
        e = (Error){};
        ck_assert_int_eq(vtpm_sealed_parse(data, file.size, &got, &e), -EOPNOTSUPP);
        ck_assert_str_eq(e.reason, "sealed-version");
} END_TEST

static const struct {
        const char *why;
        size_t at;
        uint32_t value;
        size_t size;
} bad_heads[] = {
        { "no policy", 6, 0, 2 },          { "unknown policy", 6, 3, 2 },
        { "parent of no key type", 8, 0, 2 }, { "SHA-1 bank", 10, VTPM_ALG_SHA1, 2 },
        { "unknown bank", 10, 0x12, 2 },   { "no PCR", 12, 0, 4 },
        { "PCR 24", 12, 1u << 24, 4 },     { "signed, without a key", 6, VTPM_SEAL_SIGNED, 2 },
};

START_TEST(heads_that_mean_nothing_are_refused) {
        AUTO_VTPM_SEALED VtpmSealed s = sealed(VTPM_SEAL_PCR), got = {};
        AUTO_BLOB Blob file = {};
        int r;

        ck_assert_int_eq(vtpm_sealed_encode(&s, &file), 0);
        if (bad_heads[_i].size == 2)
                store_be16(file.data + bad_heads[_i].at, (uint16_t) bad_heads[_i].value);
        else
                store_be32(file.data + bad_heads[_i].at, bad_heads[_i].value);
        r = vtpm_sealed_parse(file.data, file.size, &got, NULL);
        ck_assert_msg(r == -EBADMSG, "%s: %d", bad_heads[_i].why, r);
} END_TEST

START_TEST(object_must_obey_the_policy_described) {
        AUTO_VTPM_SEALED VtpmSealed s = sealed(VTPM_SEAL_PCR);
        Error e = {};

        s.pcrs.values[7][0] ^= 1;
        ck_assert_int_eq(vtpm_sealed_check(&s, &e), -EBADMSG);
        ck_assert_str_eq(e.reason, "sealed-policy");
} END_TEST

START_TEST(object_must_obey_its_policy_alone) {
        AUTO_VTPM_SEALED VtpmSealed s = sealed(VTPM_SEAL_PCR);
        Error e = {};

        s.public.data[7] |= 0x40; /* userWithAuth: a password would do */
        ck_assert_int_eq(vtpm_sealed_check(&s, &e), -EBADMSG);
        ck_assert_str_eq(e.reason, "sealed-object");
} END_TEST

START_TEST(key_that_signs_must_have_a_name) {
        AUTO_VTPM_SEALED VtpmSealed s = sealed(VTPM_SEAL_SIGNED);

        s.signer.size = 3;
        ck_assert_int_eq(vtpm_sealed_check(&s, NULL), -EBADMSG);
} END_TEST

static Suite *suite(void) {
        Suite *s = suite_create("sealed");
        TCase *tc = tcase_create("sealed");

        tcase_add_loop_test(tc, file_is_read_back, 0, N_ELEMENTS(kinds));
        tcase_add_loop_test(tc, truncated_file_is_refused, 0, N_ELEMENTS(kinds));
        tcase_add_loop_test(tc, flipped_bits_are_noticed_but_in_what_is_the_tpms, 0, N_ELEMENTS(kinds));
        tcase_add_test(tc, trailing_bytes_and_other_versions_are_refused);
        tcase_add_loop_test(tc, heads_that_mean_nothing_are_refused, 0, N_ELEMENTS(bad_heads));
        tcase_add_test(tc, object_must_obey_the_policy_described);
        tcase_add_test(tc, object_must_obey_its_policy_alone);
        tcase_add_test(tc, key_that_signs_must_have_a_name);
        suite_add_tcase(s, tc);
        return s;
}

int main(void) {
        return unit_run(suite());
}
