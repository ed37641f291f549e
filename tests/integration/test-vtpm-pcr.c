/* SPDX-License-Identifier: Apache-2.0 */
/* Banks of a real TPM (swtpm): which there are, all of one moment, and extending them, as tpm2-tools see it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "tests/integration/interposer.h"
#include "tests/integration/swtpm.h"
#include "tests/unit/unit.h"
#include "vtpm/context.h"
#include "vtpm/pcr-extend.h"
#include "vtpm/pcr.h"

#define DEADLINE_USEC (30 * USEC_PER_SEC)
#define CC_PCR_READ 0x0000017eu /* TPM 2.0 Library Part 2, "TPM_CC" */
#define CC_GET_CAPABILITY 0x0000017au

static Swtpm tpm, narrow; /* all banks; sha256 alone */

static VtpmContext *context_to(const char *tcti) {
        VtpmContext *ctx = NULL;
        Error e = {};
        int r = vtpm_context_open(tcti, deadline_in(DEADLINE_USEC), &ctx, &e);

        ck_assert_msg(r == 0, "%s", error_text(&e, r));
        return ctx;
}

static const VtpmPcrSelection everything = {
        .n_banks = 4,
        .banks = { { VTPM_ALG_SHA512, VTPM_PCR_MASK_ALL }, { VTPM_ALG_SHA1, VTPM_PCR_MASK_ALL },
                   { VTPM_ALG_SHA256, VTPM_PCR_MASK_ALL }, { VTPM_ALG_SHA384, VTPM_PCR_MASK_ALL } },
};

static void read_all(const char *tcti, VtpmPcrValues ret[static VTPM_HASHES_MAX]) {
        CLEANUP(vtpm_context_freep) VtpmContext *ctx = context_to(tcti);
        Error e = {};
        int r = vtpm_pcr_read_selection(ctx, &everything, ret, &e);

        ck_assert_msg(r == 0, "%s", error_text(&e, r));
}

static VtpmPcrSelection banks_of(const char *tcti) {
        CLEANUP(vtpm_context_freep) VtpmContext *ctx = context_to(tcti);
        VtpmPcrSelection banks;
        Error e = {};
        int r = vtpm_pcr_banks(ctx, &banks, &e);

        ck_assert_msg(r == 0, "%s", error_text(&e, r));
        return banks;
}

START_TEST(banks_are_those_that_are_allocated) {
        VtpmPcrSelection all = banks_of(tpm.tcti), one = banks_of(narrow.tcti);

        ck_assert_uint_eq(all.n_banks, 4);
        for (size_t i = 0; i < all.n_banks; i++)
                ck_assert_uint_eq(all.banks[i].mask, VTPM_PCR_MASK_ALL);
        ck_assert_uint_eq(one.n_banks, 1); /* the others are listed without PCRs */
        ck_assert_uint_eq(one.banks[0].hash, VTPM_ALG_SHA256);
} END_TEST

START_TEST(selection_is_read_in_its_own_order) {
        VtpmPcrValues values[VTPM_HASHES_MAX];

        read_all(tpm.tcti, values);
        for (size_t i = 0; i < everything.n_banks; i++) {
                ck_assert_uint_eq(values[i].hash, everything.banks[i].hash);
                ck_assert_uint_eq(values[i].mask, VTPM_PCR_MASK_ALL);
                ck_assert_uint_eq(values[i].values[17][vtpm_hash_size(values[i].hash) - 1], 0xff);
        }
} END_TEST

/* Two commands make one reading; the update counter tells that the second is of another moment. */
START_TEST(banks_of_different_moments_are_never_mixed) {
        static const struct { unsigned n_extend; int code; } rows[] = { { 4, 0 }, { 1000, -EAGAIN } };
        InterposerOptions options = { .upstream = &tpm, .command = CC_PCR_READ, .n_extend = rows[_i].n_extend };
        VtpmPcrSelection two = { 2, { { VTPM_ALG_SHA256, 1u << 10 }, { VTPM_ALG_SHA384, 1u << 10 } } };
        CLEANUP(vtpm_context_freep) VtpmContext *ctx = NULL;
        VtpmPcrValues values[VTPM_HASHES_MAX];
        Error e = {};
        Interposer i;
        int r;

        ck_assert_int_eq(interposer_start(&options, &i), 0);
        ctx = context_to(i.tcti);
        r = vtpm_pcr_read_selection(ctx, &two, values, &e);
        ck_assert_msg(r == rows[_i].code, "%d: %s", r, error_text(&e, r));
        interposer_stop(&i);
} END_TEST

START_TEST(garbage_for_a_list_of_banks_is_an_error) {
        InterposerOptions options = { .upstream = &tpm, .act = INTERPOSER_CODE, .code = 0x101,
                                      .command = CC_GET_CAPABILITY };
        CLEANUP(vtpm_context_freep) VtpmContext *ctx = NULL;
        VtpmPcrSelection banks;
        Error e = {};
        Interposer i;

        ck_assert_int_eq(interposer_start(&options, &i), 0);
        ctx = context_to(i.tcti);
        ck_assert_int_eq(vtpm_pcr_banks(ctx, &banks, &e), -EIO);
        ck_assert_str_eq(e.reason, "tpm-failure-mode");
        interposer_stop(&i);
} END_TEST

static void extend_or_fail(const char *tcti, unsigned pcr, const VtpmPcrDigest *digests, size_t n) {
        CLEANUP(vtpm_context_freep) VtpmContext *ctx = context_to(tcti);
        Error e = {};
        int r = vtpm_pcr_extend(ctx, pcr, digests, n, &e);

        ck_assert_msg(r == 0, "%s", error_text(&e, r));
}

static void extended(uint16_t hash, uint8_t *value, const uint8_t *digest) {
        uint8_t both[2 * VTPM_DIGEST_MAX];
        size_t n = vtpm_hash_size(hash);

        (void) memcpy(both, value, n);
        (void) memcpy(both + n, digest, n);
        ck_assert_int_eq(vtpm_hash_bytes(hash, both, 2 * n, value, NULL), 0);
}

START_TEST(extending_changes_one_pcr_of_all_banks) {
        VtpmPcrValues before[VTPM_HASHES_MAX], after[VTPM_HASHES_MAX];
        VtpmPcrDigest digests[VTPM_HASHES_MAX];
        unsigned pcr = _i ? 9 : 23;
        size_t n = 0;

        read_all(tpm.tcti, before);
        ck_assert_int_eq(vtpm_pcr_digests(&everything, pcr, "data", 4, digests, &n, NULL), 0);
        ck_assert_uint_eq(n, 4);
        extend_or_fail(tpm.tcti, pcr, digests, n);
        read_all(tpm.tcti, after);
        for (size_t i = 0; i < n; i++) {
                extended(before[i].hash, before[i].values[pcr], digests[i].bytes);
                for (unsigned k = 0; k < VTPM_N_PCRS; k++)
                        ck_assert_mem_eq(before[i].values[k], after[i].values[k], vtpm_hash_size(before[i].hash));
        }
} END_TEST

START_TEST(banks_not_given_stay_as_they_are) {
        VtpmPcrValues before[VTPM_HASHES_MAX], after[VTPM_HASHES_MAX];
        const VtpmPcrDigest one = { .hash = VTPM_ALG_SHA384, .bytes = { 1, 2, 3 } };

        read_all(tpm.tcti, before);
        extend_or_fail(tpm.tcti, 16, &one, 1);
        read_all(tpm.tcti, after);
        extended(VTPM_ALG_SHA384, before[3].values[16], one.bytes);
        for (size_t i = 0; i < everything.n_banks; i++)
                ck_assert_mem_eq(before[i].values[16], after[i].values[16], vtpm_hash_size(before[i].hash));
} END_TEST

START_TEST(extending_equals_tpm2_pcrextend) {
        VtpmPcrValues ours[VTPM_HASHES_MAX], theirs[VTPM_HASHES_MAX];
        VtpmPcrDigest d = { .hash = VTPM_ALG_SHA256 };
        char hex[65], arg[128];
        const char *reset[] = { "tpm2_pcrreset", "23", NULL }, *extend[] = { "tpm2_pcrextend", arg, NULL };

        (void) memset(d.bytes, 0xa7, 32);
        hex_encode_to(d.bytes, 32, hex);
        (void) snprintf(arg, sizeof(arg), "23:sha256=%s", hex);
        ck_assert_int_eq(swtpm_run(&tpm, reset), 0);
        extend_or_fail(tpm.tcti, 23, &d, 1);
        read_all(tpm.tcti, ours);
        ck_assert_int_eq(swtpm_run(&tpm, reset), 0);
        ck_assert_int_eq(swtpm_run(&tpm, extend), 0);
        read_all(tpm.tcti, theirs);
        for (size_t i = 0; i < everything.n_banks; i++)
                ck_assert_mem_eq(ours[i].values[23], theirs[i].values[23], VTPM_DIGEST_MAX);
} END_TEST

static const struct {
        const char *why;
        bool narrow;
        unsigned pcr;
        size_t n;
        uint16_t hashes[2];
        int code;
        const char *reason;
} refused[] = {
        { "no PCR 24", false, 24, 1, { VTPM_ALG_SHA256 }, -EINVAL, "pcr-number" },
        { "no digest", false, 23, 0, {}, -EINVAL, "pcr-digests" },
        { "a bank twice", false, 23, 2, { VTPM_ALG_SHA256, VTPM_ALG_SHA256 }, -EINVAL, "pcr-digests" },
        { "unknown hash", false, 23, 1, { 0x0012 }, -EINVAL, "pcr-digests" },
        { "absent bank", true, 23, 1, { VTPM_ALG_SHA384 }, -EOPNOTSUPP, "pcr-bank-absent" },
        { "one of two absent", true, 23, 2, { VTPM_ALG_SHA256, VTPM_ALG_SHA1 }, -EOPNOTSUPP, "pcr-bank-absent" },
        { "D-RTM", false, 17, 1, { VTPM_ALG_SHA256 }, -EACCES, "pcr-locality" },
        { "D-RTM, operating system", false, 22, 1, { VTPM_ALG_SHA256 }, -EACCES, "pcr-locality" },
};

START_TEST(what_cannot_be_extended_says_why) {
        CLEANUP(vtpm_context_freep) VtpmContext *ctx = context_to(refused[_i].narrow ? narrow.tcti : tpm.tcti);
        VtpmPcrDigest digests[2] = { { .hash = refused[_i].hashes[0] }, { .hash = refused[_i].hashes[1] } };
        VtpmPcrValues before, after;
        Error e = {};
        int r;

        ck_assert_int_eq(vtpm_pcr_read(ctx, VTPM_ALG_SHA256, VTPM_PCR_MASK_ALL, &before, NULL), 0);
        r = vtpm_pcr_extend(ctx, refused[_i].pcr, digests, refused[_i].n, &e);
        ck_assert_msg(r == refused[_i].code, "%s: %d %s", refused[_i].why, r, error_text(&e, r));
        ck_assert_str_eq(e.reason, refused[_i].reason);
        ck_assert_int_eq(vtpm_pcr_read(ctx, VTPM_ALG_SHA256, VTPM_PCR_MASK_ALL, &after, NULL), 0);
        ck_assert_mem_eq(&before, &after, sizeof(before)); /* nothing half done */
} END_TEST

START_TEST(data_is_digested_for_the_banks_that_have_the_pcr) {
        const VtpmPcrSelection banks = { 3, { { 0x0012, VTPM_PCR_MASK_ALL }, { VTPM_ALG_SHA1, 1u << 3 },
                                              { VTPM_ALG_SHA256, VTPM_PCR_MASK_ALL } } };
        const VtpmPcrSelection unknown = { 1, { { 0x0012, VTPM_PCR_MASK_ALL } } };
        VtpmPcrDigest digests[VTPM_HASHES_MAX];
        uint8_t want[32];
        Error e = {};
        size_t n;

        ck_assert_int_eq(vtpm_pcr_digests(&banks, 4, "abc", 3, digests, &n, NULL), 0);
        ck_assert_uint_eq(n, 1);
        ck_assert_uint_eq(digests[0].hash, VTPM_ALG_SHA256);
        ck_assert_int_eq(vtpm_hash_bytes(VTPM_ALG_SHA256, "abc", 3, want, NULL), 0);
        ck_assert_mem_eq(digests[0].bytes, want, 32);
        ck_assert_int_eq(vtpm_pcr_digests(&banks, 3, "abc", 3, digests, &n, NULL), 0);
        ck_assert_uint_eq(n, 2);
        ck_assert_int_eq(vtpm_pcr_digests(&unknown, 3, "abc", 3, digests, &n, &e), -EOPNOTSUPP);
        ck_assert_str_eq(e.reason, "pcr-bank-absent");
        ck_assert_int_eq(vtpm_pcr_digests(&banks, 24, "abc", 3, digests, &n, NULL), -EINVAL);
} END_TEST

static Suite *suite(void) {
        Suite *s = suite_create("vtpm-pcr");
        TCase *tc = tcase_create("pcr");

        tcase_add_test(tc, banks_are_those_that_are_allocated);
        tcase_add_test(tc, selection_is_read_in_its_own_order);
        tcase_add_loop_test(tc, banks_of_different_moments_are_never_mixed, 0, 2);
        tcase_add_test(tc, garbage_for_a_list_of_banks_is_an_error);
        suite_add_tcase(s, tc);

        tc = tcase_create("extend");
        tcase_add_loop_test(tc, extending_changes_one_pcr_of_all_banks, 0, 2);
        tcase_add_test(tc, banks_not_given_stay_as_they_are);
        tcase_add_test(tc, extending_equals_tpm2_pcrextend);
        tcase_add_loop_test(tc, what_cannot_be_extended_says_why, 0, N_ELEMENTS(refused));
        tcase_add_test(tc, data_is_digested_for_the_banks_that_have_the_pcr);
        suite_add_tcase(s, tc);
        return s;
}

int main(void) {
        const SwtpmOptions sha256 = { .banks = "sha256" };
        int r = 1;

        if (!swtpm_available())
                return unit_skip("swtpm is not installed");
        if (!program_available("tpm2_pcrextend"))
                return unit_skip("tpm2-tools is not installed");
        if (swtpm_start(NULL, &tpm) == 0 && swtpm_start(&sha256, &narrow) == 0)
                r = unit_run(suite());
        swtpm_stop(&narrow);
        swtpm_stop(&tpm);
        return r;
}
