/* SPDX-License-Identifier: Apache-2.0 */

/* The PCR file of tpm2-tools, by hand; that the tools agree is for test-snpctl-tpm-quote.c. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/writer.h"
#include "tests/unit/unit.h"
#include "vtpm/pcr-file.h"

#define SELECTION_SIZE (4 + 16 * 8)
#define LIST_SIZE (4 + 8 * 66)

/* Each value is the PCR's number, repeated. */
static VtpmPcrValues values_of(uint16_t hash, uint32_t mask) {
        VtpmPcrValues v = { .hash = hash, .mask = mask };

        for (unsigned i = 0; i < VTPM_N_PCRS; i++)
                if (mask >> i & 1)
                        (void) memset(v.values[i], (int) i, vtpm_hash_size(hash));
        return v;
}

static Blob encode(const VtpmPcrValues *values, size_t n) {
        Blob b = {};
        Error e = {};

        ck_assert_msg(vtpm_pcr_file_encode(values, n, &b, &e) == 0, "%s", e.text);
        return b;
}

static int parse(const Blob *b, VtpmPcrValues *ret, size_t *ret_n, Error *e) {
        uint8_t *exact = malloc(b->size ? b->size : 1); /* the sanitizers watch its end */
        int r;

        if (b->size > 0)
                (void) memcpy(exact, b->data, b->size);
        r = vtpm_pcr_file_parse(exact, b->size, ret, ret_n, e);
        free(exact);
        return r;
}

START_TEST(file_has_the_layout_of_the_tools) {
        VtpmPcrValues v = values_of(VTPM_ALG_SHA256, 0x800102);
        AUTO_BLOB Blob b = encode(&v, 1);

        ck_assert_uint_eq(b.size, SELECTION_SIZE + 4 + LIST_SIZE);
        ck_assert_mem_eq(b.data, "\1\0\0\0\x0b\0\3\x02\x01\x80\0\0\0\0", 14);
        ck_assert_mem_eq(b.data + SELECTION_SIZE, "\1\0\0\0\3\0\0\0\x20\0\1\1\1", 13);
        ck_assert_mem_eq(b.data + SELECTION_SIZE + 8 + 2 * 66, "\x20\0\x17\x17", 4);
} END_TEST

static const struct { size_t n; VtpmPcrBank banks[4]; size_t n_lists; } rows[] = {
        { 1, { { VTPM_ALG_SHA1, 1 } }, 1 },
        { 1, { { VTPM_ALG_SHA512, 0xff } }, 1 },
        { 1, { { VTPM_ALG_SHA512, 0x1ff } }, 2 },
        { 1, { { VTPM_ALG_SHA256, VTPM_PCR_MASK_ALL } }, 3 },
        { 2, { { VTPM_ALG_SHA384, 0x1f }, { VTPM_ALG_SHA1, 0x7 } }, 1 },
        { 4, { { VTPM_ALG_SHA512, VTPM_PCR_MASK_ALL }, { VTPM_ALG_SHA1, VTPM_PCR_MASK_ALL },
               { VTPM_ALG_SHA384, VTPM_PCR_MASK_ALL }, { VTPM_ALG_SHA256, VTPM_PCR_MASK_ALL } }, 12 },
};

START_TEST(what_is_written_is_read) {
        VtpmPcrValues v[4], again[4];
        AUTO_BLOB Blob b = {};
        size_t n = 0;

        for (size_t i = 0; i < rows[_i].n; i++)
                v[i] = values_of(rows[_i].banks[i].hash, rows[_i].banks[i].mask);
        b = encode(v, rows[_i].n);
        ck_assert_uint_eq(b.size, SELECTION_SIZE + 4 + rows[_i].n_lists * LIST_SIZE);
        ck_assert_int_eq(parse(&b, again, &n, NULL), 0);
        ck_assert_uint_eq(n, rows[_i].n);
        ck_assert_mem_eq(v, again, n * sizeof(v[0]));
} END_TEST

START_TEST(every_truncation_is_refused) {
        VtpmPcrValues v[2] = { values_of(VTPM_ALG_SHA256, 0x3ff), values_of(VTPM_ALG_SHA1, 1) }, again[4];
        AUTO_BLOB Blob b = encode(v, 2);
        Blob cut = b;
        size_t n = 77;

        for (cut.size = 0; cut.size < b.size; cut.size++) {
                Error e = {};

                ck_assert_int_lt(parse(&cut, again, &n, &e), 0);
                ck_assert_uint_eq(n, 77);
                ck_assert_int_ne(e.code, 0);
        }
} END_TEST

/* A flip is refused, or it is in a value or in room that nobody uses. */
START_TEST(every_flip_is_refused_or_seen) {
        VtpmPcrValues v = values_of(VTPM_ALG_SHA256, 0x1ff);
        AUTO_BLOB Blob b = encode(&v, 1);
        size_t n_seen = 0;

        for (size_t bit = 0; bit < 8 * b.size; bit++) {
                VtpmPcrValues again[4];
                size_t n = 0;

                b.data[bit / 8] ^= (uint8_t) (1u << bit % 8);
                if (parse(&b, again, &n, NULL) == 0) {
                        ck_assert_uint_eq(n, 1);
                        ck_assert_uint_eq(again[0].mask, v.mask);
                        n_seen += memcmp(&again[0], &v, sizeof(v)) != 0;
                }
                b.data[bit / 8] ^= (uint8_t) (1u << bit % 8);
        }
        ck_assert_uint_eq(n_seen, 9u * 32 * 8);
} END_TEST

static void put(Blob *b, size_t at, uint32_t value) {
        store_le32(b->data + at, value);
}

START_TEST(contradictions_are_refused) {
        VtpmPcrValues v = values_of(VTPM_ALG_SHA256, 0x1ff), again[4];
        AUTO_BLOB Blob b = encode(&v, 1), big = {};
        Error e = {};
        size_t n;

        put(&b, 0, 0);
        ck_assert_int_eq(parse(&b, again, &n, &e), -EINVAL);
        ck_assert_str_eq(e.reason, "pcr-selection-empty");
        put(&b, 0, 17);
        ck_assert_int_eq(parse(&b, again, &n, NULL), -EBADMSG);
        put(&b, 0, 1);
        put(&b, SELECTION_SIZE + 4, 9); /* digests in a list */
        ck_assert_int_eq(parse(&b, again, &n, NULL), -EBADMSG);
        put(&b, SELECTION_SIZE + 4, 7); /* then the last has a value too few */
        ck_assert_int_eq(parse(&b, again, &n, NULL), -EBADMSG);
        put(&b, SELECTION_SIZE + 4, 8);
        put(&b, SELECTION_SIZE, UINT32_MAX); /* lists */
        ck_assert_int_eq(parse(&b, again, &n, NULL), -EBADMSG);
        put(&b, SELECTION_SIZE, 2);
        ck_assert_int_eq(parse(&b, again, &n, NULL), 0);
        big.data = calloc(1, VTPM_PCR_FILE_MAX + 1);
        big.size = VTPM_PCR_FILE_MAX + 1;
        ck_assert_int_eq(parse(&big, again, &n, &e), -E2BIG);
        ck_assert_int_eq(vtpm_pcr_file_encode(&v, 0, &big, NULL), -EINVAL);
        v.mask = 0;
        ck_assert_int_eq(vtpm_pcr_file_encode(&v, 1, &big, NULL), -EINVAL);
} END_TEST

static Suite *suite(void) {
        Suite *s = suite_create("pcr-file");
        TCase *tc = tcase_create("file");

        tcase_add_test(tc, file_has_the_layout_of_the_tools);
        tcase_add_loop_test(tc, what_is_written_is_read, 0, N_ELEMENTS(rows));
        tcase_add_test(tc, every_truncation_is_refused);
        tcase_add_test(tc, every_flip_is_refused_or_seen);
        tcase_add_test(tc, contradictions_are_refused);
        suite_add_tcase(s, tc);
        return s;
}

int main(void) {
        return unit_run(suite());
}
