/* SPDX-License-Identifier: Apache-2.0 */
/* PCRs and quotes of a real TPM (swtpm), judged by our own verifier and by tpm2-tools. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/hex.h"
#include "base/reader.h"
#include "base/writer.h"
#include "tests/integration/interposer.h"
#include "tests/integration/swtpm.h"
#include "tests/unit/unit.h"
#include "vtpm/context.h"
#include "vtpm/pcr.h"
#include "vtpm/quote.h"
#include "vtpm/verify.h"

#define DEADLINE_USEC (30 * USEC_PER_SEC)
#define CC_QUOTE 0x00000158u /* TPM 2.0 Library Part 2, "TPM_CC" */
#define CC_PCR_READ 0x0000017eu

static Swtpm tpm; /* one for the whole suite; each test runs in a process of its own, one after the other */

static const uint8_t nonce[VTPM_NONCE_MAX] = {
        1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15, 16,
        17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32,
};

static VtpmQuoteRequest request_for(VtpmAkKind kind) {
        return (VtpmQuoteRequest){
                .tcti = tpm.tcti,
                .ak = { .kind = kind },
                .nonce = nonce,
                .nonce_size = 32,
                .pcrs = { .n_banks = 1, .banks[0] = { .hash = VTPM_ALG_SHA256, .mask = VTPM_PCR_MASK_ALL } },
                .deadline = deadline_in(DEADLINE_USEC),
        };
}

static VtpmQuote quote_or_fail(const VtpmQuoteRequest *q) {
        VtpmQuote quote = {};
        Error e = {};
        int r = vtpm_quote_run(q, &quote, &e);

        ck_assert_msg(r == 0, "%s", error_text(&e, r));
        return quote;
}

static int verify(const VtpmQuoteRequest *q, const VtpmQuote *quote, VtpmVerdict *ret, Error *e) {
        CLEANUP(vtpm_ak_public_freep) VtpmAkPublic *ak = NULL;
        VtpmQuoteBytes bytes = {
                .attest = quote->attest.data,
                .attest_size = quote->attest.size,
                .signature = quote->signature.data,
                .signature_size = quote->signature.size,
                .pcrs = quote->pcrs,
                .n_pcrs = quote->n_pcrs,
        };
        VtpmQuoteAsked asked = {
                .nonce = q->nonce,
                .nonce_size = q->nonce_size,
                .pcrs = q->pcrs,
        };
        int r = vtpm_ak_public_new(quote->ak.data, quote->ak.size, &ak, e);

        return r < 0 ? r : vtpm_quote_verify(ak, &bytes, &asked, ret, e);
}

static void must_accept(const VtpmQuoteRequest *q, const VtpmQuote *quote) {
        VtpmVerdict v;
        Error e = {};
        int r = verify(q, quote, &v, &e);

        ck_assert_msg(r == 0, "%s", error_text(&e, r));
        ck_assert_int_eq(v.outcome, VTPM_ACCEPT);
}

static void must_reject(const VtpmQuoteRequest *q, const VtpmQuote *quote, int code, const char *reason) {
        VtpmVerdict v;
        Error e = {};
        int r = verify(q, quote, &v, &e);

        ck_assert_int_eq(v.outcome, VTPM_REJECT);
        ck_assert_int_eq(r, code);
        ck_assert_str_eq(error_reason(&e, r), reason);
}

static const struct {
        const char *name;
        uint16_t hash;
} banks[] = {
        { "sha1", VTPM_ALG_SHA1 },
        { "sha256", VTPM_ALG_SHA256 },
        { "sha384", VTPM_ALG_SHA384 },
        { "sha512", VTPM_ALG_SHA512 },
};

static VtpmPcrValues read_pcrs(uint16_t hash, uint32_t mask) {
        CLEANUP(vtpm_context_freep) VtpmContext *ctx = NULL;
        VtpmPcrValues values = {};
        Error e = {};
        int r;

        r = vtpm_context_open(tpm.tcti, deadline_in(DEADLINE_USEC), &ctx, &e);
        ck_assert_msg(r == 0, "%s", error_text(&e, r));
        r = vtpm_pcr_read(ctx, hash, mask, &values, &e);
        ck_assert_msg(r == 0, "%s", error_text(&e, r));
        return values;
}

/* What tpm2_pcrextend(1) does to one PCR, done here. */
static void extend_by_hand(uint16_t hash, uint8_t *value, const uint8_t *digest) {
        uint8_t both[2 * VTPM_DIGEST_MAX];
        size_t n = vtpm_hash_size(hash);

        (void) memcpy(both, value, n);
        (void) memcpy(both + n, digest, n);
        ck_assert_int_eq(vtpm_hash_bytes(hash, both, 2 * n, value, NULL), 0);
}

START_TEST(pcr_read_sees_what_tpm2_pcrextend_did) {
        uint16_t hash = banks[_i].hash;
        size_t n = vtpm_hash_size(hash);
        VtpmPcrValues before = read_pcrs(hash, VTPM_PCR_MASK_ALL), after;
        uint8_t digest[VTPM_DIGEST_MAX];
        char arg[256], hex[2 * VTPM_DIGEST_MAX + 1];
        const char *argv[] = { "tpm2_pcrextend", arg, NULL };

        (void) memset(digest, 0x5a + _i, sizeof(digest));
        hex_encode_to(digest, n, hex);
        (void) snprintf(arg, sizeof(arg), "23:%s=%s", banks[_i].name, hex);
        ck_assert_int_eq(swtpm_run(&tpm, argv), 0);

        after = read_pcrs(hash, VTPM_PCR_MASK_ALL);
        ck_assert_uint_eq(after.mask, VTPM_PCR_MASK_ALL);
        extend_by_hand(hash, before.values[23], digest);
        for (unsigned i = 0; i < VTPM_N_PCRS; i++)
                ck_assert_msg(memcmp(before.values[i], after.values[i], n) == 0, "%s:%u differs", banks[_i].name, i);
        for (unsigned i = 17; i <= 22; i++) /* the D-RTM registers start at all ones (PC Client Profile) */
                ck_assert_uint_eq(after.values[i][0], 0xff);
} END_TEST

START_TEST(pcr_read_gives_only_what_was_asked_for) {
        VtpmPcrValues some = read_pcrs(VTPM_ALG_SHA256, 1u << 0 | 1u << 9 | 1u << 17 | 1u << 23);

        ck_assert_uint_eq(some.mask, 1u << 0 | 1u << 9 | 1u << 17 | 1u << 23);
        ck_assert(bytes_are_zero(some.values[18], VTPM_DIGEST_MAX)); /* would be all ones */
} END_TEST

START_TEST(pcr_read_refuses_no_pcr_and_unknown_banks) {
        CLEANUP(vtpm_context_freep) VtpmContext *ctx = NULL;
        VtpmPcrValues values;
        Error e = {};

        ck_assert_int_eq(vtpm_context_open(tpm.tcti, deadline_in(DEADLINE_USEC), &ctx, &e), 0);
        ck_assert_int_eq(vtpm_pcr_read(ctx, VTPM_ALG_SHA256, 0, &values, &e), -EINVAL);
        ck_assert_int_eq(vtpm_pcr_read(ctx, VTPM_ALG_SHA256, 1u << 24, &values, NULL), -EINVAL);
        ck_assert_int_eq(vtpm_pcr_read(ctx, 0x0012, 1, &values, NULL), -EINVAL); /* SM3: not known here */
} END_TEST

static int read_through(unsigned n_extend, uint32_t mask, Error *e) {
        InterposerOptions options = { .upstream = &tpm, .command = CC_PCR_READ, .n_extend = n_extend };
        CLEANUP(vtpm_context_freep) VtpmContext *ctx = NULL;
        VtpmPcrValues values;
        Interposer i;
        int r;

        ck_assert_int_eq(interposer_start(&options, &i), 0);
        r = vtpm_context_open(i.tcti, deadline_in(DEADLINE_USEC), &ctx, e);
        if (r == 0)
                r = vtpm_pcr_read(ctx, VTPM_ALG_SHA256, mask, &values, e);
        interposer_stop(&i);
        return r;
}

START_TEST(pcrs_of_different_moments_are_never_mixed) {
        Error e = {};

        ck_assert_int_eq(read_through(4, VTPM_PCR_MASK_ALL, &e), 0); /* two readings of three spoilt, the third not */
        ck_assert_int_eq(read_through(1000, 1u << 10, &e), 0); /* one command is one moment */
        ck_assert_int_eq(read_through(1000, VTPM_PCR_MASK_ALL, &e), -EAGAIN);
        ck_assert_str_eq(e.reason, "pcr-unstable");
} END_TEST

START_TEST(absent_bank_is_named) {
        const SwtpmOptions options = { .banks = "sha256" };
        VtpmQuoteRequest q = request_for(VTPM_AK_ECDSA_P256);
        VtpmQuote quote;
        Swtpm narrow;
        Error e = {};

        ck_assert_int_eq(swtpm_start(&options, &narrow), 0);
        q.tcti = narrow.tcti;
        q.pcrs.banks[0].hash = VTPM_ALG_SHA384;
        ck_assert_int_eq(vtpm_quote_run(&q, &quote, &e), -EOPNOTSUPP);
        ck_assert_str_eq(e.reason, "pcr-bank-absent");
        ck_assert_ptr_nonnull(strstr(e.text, "sha384"));
        swtpm_stop(&narrow);
} END_TEST

static const VtpmAkKind kinds[] = { VTPM_AK_RSASSA, VTPM_AK_RSAPSS, VTPM_AK_ECDSA_P256, VTPM_AK_ECDSA_P384 };

START_TEST(quote_of_every_key_and_bank_is_accepted) {
        VtpmQuoteRequest q = request_for(kinds[(size_t) _i / N_ELEMENTS(banks)]);
        AUTO_VTPM_QUOTE VtpmQuote quote = {};

        q.pcrs.banks[0].hash = banks[(size_t) _i % N_ELEMENTS(banks)].hash;
        quote = quote_or_fail(&q);
        must_accept(&q, &quote);
} END_TEST

START_TEST(quote_of_several_banks_is_accepted) {
        VtpmQuoteRequest q = request_for(kinds[_i]);
        AUTO_VTPM_QUOTE VtpmQuote quote = {};
        VtpmVerdict v;
        Error e = {};

        q.pcrs = (VtpmPcrSelection){ 3, { { VTPM_ALG_SHA384, VTPM_PCR_MASK_ALL }, { VTPM_ALG_SHA1, 0x83 },
                                          { VTPM_ALG_SHA256, 1u << 23 } } };
        quote = quote_or_fail(&q);
        ck_assert_uint_eq(quote.n_pcrs, 3);
        must_accept(&q, &quote);
        quote.n_pcrs = 2; /* a bank's values kept back */
        ck_assert_int_eq(verify(&q, &quote, &v, &e), -EKEYREJECTED);
        ck_assert_int_eq(v.checks[VTPM_CHECK_SELECTION], VTPM_CHECK_FAILED);
        quote.n_pcrs = 3;
        quote.pcrs[1].values[7][19] ^= 1;
        must_reject(&q, &quote, -EKEYREJECTED, "quote-pcr-digest");
} END_TEST

START_TEST(quote_tells_where_the_tpm_is_in_its_life) {
        VtpmQuoteRequest q = request_for(VTPM_AK_RSASSA);
        AUTO_VTPM_QUOTE VtpmQuote quote = quote_or_fail(&q);
        VtpmVerdict v;
        Error e = {};

        ck_assert_int_eq(verify(&q, &quote, &v, &e), 0);
        ck_assert_uint_gt(v.clock.reset_count, 0); /* swtpm_setup started it before */
        ck_assert_uint_eq(v.clock.restart_count, 0);
        ck_assert(v.clock.safe);
        ck_assert_uint_eq(v.firmware_version >> 48, 0x2019); /* libtpms; disguised for keys of other hierarchies */
        ck_assert_uint_eq(v.pcrs.n_banks, 1);
        ck_assert_uint_eq(v.pcrs.banks[0].mask, VTPM_PCR_MASK_ALL);
        for (int i = 0; i < VTPM_N_CHECKS; i++)
                ck_assert_int_eq(v.checks[i], VTPM_CHECK_OK);
} END_TEST

START_TEST(nonces_of_1_to_64_bytes_work) {
        VtpmQuoteRequest q = request_for(VTPM_AK_ECDSA_P256);

        for (size_t n = 1; n <= VTPM_NONCE_MAX; n += 21) {
                AUTO_VTPM_QUOTE VtpmQuote quote = {};

                q.nonce_size = n;
                quote = quote_or_fail(&q);
                must_accept(&q, &quote);
        }
} END_TEST

static void must_refuse(const VtpmQuoteRequest *q, int code, const char *reason) {
        VtpmQuote quote;
        Error e = {};
        int r = vtpm_quote_run(q, &quote, &e);

        ck_assert_msg(r == code, "%d: %s", r, error_text(&e, r));
        ck_assert_str_eq(error_reason(&e, r), reason);
}

START_TEST(question_without_pcrs_or_nonce_is_refused) {
        VtpmQuoteRequest q = request_for(VTPM_AK_RSASSA);

        q.pcrs.banks[0].mask = 0;
        must_refuse(&q, -EINVAL, "pcr-selection-empty");
        q.pcrs.banks[0].mask = 1u << 24;
        must_refuse(&q, -EINVAL, "pcr-selection");
        q = request_for(VTPM_AK_RSASSA);
        q.pcrs.n_banks = 0;
        must_refuse(&q, -EINVAL, "pcr-selection-empty");
        q = request_for(VTPM_AK_RSASSA);
        q.nonce_size = 0;
        must_refuse(&q, -EINVAL, "nonce-size");
        q.nonce_size = 65;
        must_refuse(&q, -EINVAL, "nonce-size");
} END_TEST

START_TEST(each_alteration_is_rejected_with_its_reason) {
        VtpmQuoteRequest q = request_for(kinds[_i]), other_q = q;
        AUTO_VTPM_QUOTE VtpmQuote quote = quote_or_fail(&q), other = {};
        uint8_t other_nonce[32];

        must_accept(&q, &quote);

        (void) memcpy(other_nonce, nonce, sizeof(other_nonce));
        other_nonce[31] ^= 1;
        other_q.nonce = other_nonce;
        must_reject(&other_q, &quote, -ESTALE, "quote-nonce");
        other_q.nonce = nonce;
        other_q.nonce_size = 31; /* the beginning of the nonce is not the nonce */
        must_reject(&other_q, &quote, -ESTALE, "quote-nonce");

        quote.attest.data[quote.attest.size - 1] ^= 1;
        must_reject(&q, &quote, -EKEYREJECTED, "quote-signature");
        quote.attest.data[quote.attest.size - 1] ^= 1;

        quote.signature.data[quote.signature.size - 1] ^= 1;
        must_reject(&q, &quote, -EKEYREJECTED, "quote-signature");
        quote.signature.data[quote.signature.size - 1] ^= 1;

        quote.pcrs[0].values[4][0] ^= 1;
        must_reject(&q, &quote, -EKEYREJECTED, "quote-pcr-digest");
        quote.pcrs[0].values[4][0] ^= 1;

        other_q = q;
        other_q.ak.owner = true;
        other = quote_or_fail(&other_q);
        must_accept(&other_q, &other);
        blob_done(&quote.ak);
        quote.ak = blob_take(&other.ak);
        must_reject(&q, &quote, -EKEYREJECTED, "quote-signature");
} END_TEST

START_TEST(quote_of_fewer_pcrs_than_asked_is_rejected) {
        VtpmQuoteRequest q = request_for(VTPM_AK_ECDSA_P256), more = q;
        AUTO_VTPM_QUOTE VtpmQuote quote = {};

        q.pcrs.banks[0].mask = 0x0f;
        quote = quote_or_fail(&q);
        more.pcrs.banks[0].mask = 0x1f;
        must_reject(&more, &quote, -EKEYREJECTED, "quote-selection");
        more.pcrs.banks[0].mask = 0x07;
        must_accept(&more, &quote); /* more than asked is no lie */
        quote.pcrs[0].mask |= 1u << 8; /* but a value that the quote does not stand for is */
        must_reject(&q, &quote, -EKEYREJECTED, "quote-pcr-values");
} END_TEST

/* Truncations and flips of the real thing; the signatures make it slow, so each key has its own test. */
START_TEST(every_truncation_and_bit_flip_is_rejected) {
        VtpmQuoteRequest q = request_for(kinds[_i]);
        AUTO_VTPM_QUOTE VtpmQuote quote = quote_or_fail(&q);
        Blob *parts[] = { &quote.attest, &quote.signature };
        VtpmVerdict v;

        for (size_t p = 0; p < N_ELEMENTS(parts); p++) {
                size_t size = parts[p]->size;

                for (size_t n = 0; n < size; n++) {
                        parts[p]->size = n;
                        ck_assert_int_lt(verify(&q, &quote, &v, NULL), 0);
                        ck_assert_int_eq(v.outcome, VTPM_REJECT);
                }
                parts[p]->size = size;
                for (size_t bit = 0; bit < 8 * size; bit++) {
                        parts[p]->data[bit / 8] ^= (uint8_t) (1u << bit % 8);
                        ck_assert_msg(verify(&q, &quote, &v, NULL) < 0, "part %zu bit %zu", p, bit);
                        ck_assert_int_eq(v.outcome, VTPM_REJECT);
                        parts[p]->data[bit / 8] ^= (uint8_t) (1u << bit % 8);
                }
        }
        must_accept(&q, &quote);
} END_TEST

START_TEST(primary_key_is_the_same_each_time) {
        VtpmQuoteRequest q = request_for(kinds[_i]);
        AUTO_VTPM_QUOTE VtpmQuote a = quote_or_fail(&q), b = quote_or_fail(&q), c = {};

        ck_assert(blob_equal(&a.ak, &b.ak));
        q.ak.owner = true;
        c = quote_or_fail(&q);
        ck_assert(!blob_equal(&a.ak, &c.ak));
} END_TEST

START_TEST(moving_pcrs_are_read_and_quoted_again) {
        InterposerOptions options = { .upstream = &tpm, .command = CC_PCR_READ, .n_extend = 3 };
        VtpmQuoteRequest q = request_for(VTPM_AK_ECDSA_P256);
        AUTO_VTPM_QUOTE VtpmQuote quote = {};
        Interposer i;

        ck_assert_int_eq(interposer_start(&options, &i), 0);
        q.tcti = i.tcti;
        q.pcrs.banks[0].mask = _i ? VTPM_PCR_MASK_ALL : 1u << 10; /* three readings each time, or one */
        quote = quote_or_fail(&q);
        must_accept(&q, &quote);
        interposer_stop(&i);
} END_TEST

START_TEST(pcrs_that_never_hold_still_are_given_up) {
        InterposerOptions options = { .upstream = &tpm, .command = CC_PCR_READ, .n_extend = 1000 };
        VtpmQuoteRequest q = request_for(VTPM_AK_ECDSA_P256);
        Interposer i;

        ck_assert_int_eq(interposer_start(&options, &i), 0);
        q.tcti = i.tcti;
        q.pcrs.banks[0].mask = _i ? VTPM_PCR_MASK_ALL : 1u << 10;
        must_refuse(&q, -EAGAIN, "pcr-unstable");
        interposer_stop(&i);
} END_TEST

static const struct {
        uint32_t command;
        bool other_nonce, other_pcrs;
        int code;
        const char *reason;
} replays[] = {
        { CC_QUOTE, true, false, -EPROTO, "tpm-bad-quote" },
        { CC_QUOTE, false, true, -EPROTO, "tpm-bad-quote" },
        { CC_PCR_READ, false, true, -EOPNOTSUPP, "pcr-bank-absent" }, /* the values of other PCRs */
};

START_TEST(answer_to_an_earlier_question_is_refused) {
        InterposerOptions options = { .upstream = &tpm, .act = INTERPOSER_REPLAY, .command = replays[_i].command,
                                      .n_pass = 1 };
        VtpmQuoteRequest q = request_for(VTPM_AK_ECDSA_P256);
        AUTO_VTPM_QUOTE VtpmQuote quote = {};
        Interposer i;

        ck_assert_int_eq(interposer_start(&options, &i), 0);
        q.tcti = i.tcti;
        q.pcrs.banks[0].mask = 1u << 7;
        quote = quote_or_fail(&q);
        if (replays[_i].other_nonce)
                q.nonce++;
        if (replays[_i].other_pcrs)
                q.pcrs.banks[0].mask = 1u << 8;
        must_refuse(&q, replays[_i].code, replays[_i].reason);
        interposer_stop(&i);
} END_TEST

static void run_tool(const char *line) {
        const char *argv[] = { "sh", "-c", line, NULL };

        ck_assert_msg(swtpm_run(&tpm, argv) == 0, "%s", line);
}

static void make_persistent_keys(void) {
        run_tool("tpm2_createprimary -Q -C e -g sha256 -G rsa2048:rsassa-sha256:null -c ak.ctx -a "
                 "'fixedtpm|fixedparent|sensitivedataorigin|userwithauth|noda|restricted|sign' && tpm2_flushcontext -t "
                 "&& tpm2_evictcontrol -Q -C o -c ak.ctx 0x81000003 && tpm2_flushcontext -t "
                 "&& tpm2_createprimary -Q -C o -g sha256 -G rsa2048 -c srk.ctx && tpm2_flushcontext -t "
                 "&& tpm2_evictcontrol -Q -C o -c srk.ctx 0x81000001 && tpm2_flushcontext -t "
                 "&& tpm2_createprimary -Q -C o -g sha256 -G ecc256:ecdsa-sha256:null -c sk.ctx -a "
                 "'fixedtpm|fixedparent|sensitivedataorigin|userwithauth|sign' && tpm2_flushcontext -t "
                 "&& tpm2_evictcontrol -Q -C o -c sk.ctx 0x81000005 && tpm2_flushcontext -t");
}

START_TEST(persistent_keys_are_used_if_they_are_attestation_keys) {
        VtpmQuoteRequest q = request_for(VTPM_AK_PERSISTENT);
        AUTO_VTPM_QUOTE VtpmQuote quote = {};

        make_persistent_keys();
        for (int i = 0; i < 5; i++) { /* would fill the TPM's slots if it loaded something each time */
                vtpm_quote_done(&quote);
                q.ak.handle = 0x81000003;
                quote = quote_or_fail(&q);
                must_accept(&q, &quote);
        }
        q.ak.handle = 0x81000001;
        must_refuse(&q, -EKEYREJECTED, "ak-attributes"); /* a storage key */
        q.ak.handle = 0x81000005;
        must_refuse(&q, -EKEYREJECTED, "ak-attributes"); /* signs anything: no proof of what a TPM made */
        q.ak.handle = 0x81000077;
        must_refuse(&q, -ENOENT, "tpm-no-such-handle");
} END_TEST

static void store(const char *name, const void *data, size_t size) {
        AUTO_FREE char *path = NULL;
        Error e = {};

        ck_assert_int_gt(asprintf(&path, "%s/%s", tpm.dir, name), 0);
        ck_assert_msg(file_write_atomic(path, data, size, 0600, &e) == 0, "%s", e.text);
}

static Blob load(const char *name) {
        AUTO_FREE char *path = NULL;
        Blob b = {};
        Error e = {};

        ck_assert_int_gt(asprintf(&path, "%s/%s", tpm.dir, name), 0);
        ck_assert_msg(file_read(path, 65536, &b, &e) == 0, "%s", e.text);
        return b;
}

/* Not RSAPSS: tpm2_checkquote 5.4 verifies with the padding of PKCS #1 v1.5 only. */
static const VtpmAkKind checkquote_kinds[] = { VTPM_AK_RSASSA, VTPM_AK_ECDSA_P256, VTPM_AK_ECDSA_P384 };

START_TEST(quote_of_ours_passes_tpm2_checkquote) {
        VtpmQuoteRequest q = request_for(checkquote_kinds[_i]);
        AUTO_VTPM_QUOTE VtpmQuote quote = {};
        AUTO_WRITER Writer w = wr_init(4096);
        AUTO_BLOB Blob values = {}, pub = {};
        char hex[65], line[512];

        q.pcrs.banks[0].mask = 0x00810253; /* seven: with -l, tpm2_checkquote 5.4 loses the eighth value */
        quote = quote_or_fail(&q);
        for (unsigned i = 0; i < VTPM_N_PCRS; i++)
                if (q.pcrs.banks[0].mask & 1u << i)
                        wr_bytes(&w, quote.pcrs[0].values[i], 32);
        ck_assert_int_eq(wr_finish(&w, &values), 0);
        wr_be16(&w, (uint16_t) quote.ak.size); /* the tool wants a TPM2B_PUBLIC */
        wr_bytes(&w, quote.ak.data, quote.ak.size);
        w.max = 4096;
        ck_assert_int_eq(wr_finish(&w, &pub), 0);
        store("pub", pub.data, pub.size);
        store("msg", quote.attest.data, quote.attest.size);
        store("sig", quote.signature.data, quote.signature.size);
        store("pcrs", values.data, values.size);
        hex_encode_to(nonce, 32, hex);
        (void) snprintf(line, sizeof(line), "tpm2_checkquote -Q -u pub -m msg -s sig -f pcrs -l sha256:0,1,4,6,9,16,23 "
                        "-g %s -q %s", q.ak.kind == VTPM_AK_ECDSA_P384 ? "sha384" : "sha256", hex);
        run_tool(line);
        values.data[0] ^= 1; /* and the tool does look */
        store("pcrs", values.data, values.size);
        (void) strcat(line, " && exit 1 || exit 0");
        run_tool(line);
} END_TEST

START_TEST(quote_of_tpm2_tools_passes_ours) {
        VtpmQuoteRequest q = request_for(VTPM_AK_PERSISTENT);
        AUTO_VTPM_QUOTE VtpmQuote quote = {}, ours = {};
        char hex[65], line[512];

        make_persistent_keys();
        hex_encode_to(nonce, 32, hex);
        (void) snprintf(line, sizeof(line),
                        "tpm2_quote -Q -c 0x81000003 -l sha256:all -q %s -m msg -s sig -g sha256 && "
                        "tpm2_readpublic -Q -c 0x81000003 -o pub", hex);
        run_tool(line);
        quote.attest = load("msg");
        quote.signature = load("sig");
        quote.ak = load("pub");
        ck_assert_uint_gt(quote.ak.size, 2);
        quote.ak.size -= 2; /* a TPM2B_PUBLIC */
        (void) memmove(quote.ak.data, quote.ak.data + 2, quote.ak.size);
        quote.pcrs[0] = read_pcrs(VTPM_ALG_SHA256, VTPM_PCR_MASK_ALL);
        quote.n_pcrs = 1;
        must_accept(&q, &quote);

        q = request_for(VTPM_AK_RSASSA);
        ours = quote_or_fail(&q);
        ck_assert(blob_equal(&ours.ak, &quote.ak)); /* one template, one key */
} END_TEST

/* Keys at 0x8100000x are made by two tests: each starts from a TPM without them. */
static void evict(void) {
        static const char script[] =
                "for h in 0x81000003 0x81000001 0x81000005; do tpm2_evictcontrol -Q -C o -c $h; done";
        const char *argv[] = { "sh", "-c", script, NULL };

        (void) swtpm_run(&tpm, argv);
}

static Suite *suite(void) {
        Suite *s = suite_create("vtpm-quote");
        TCase *tc = tcase_create("pcr");

        tcase_add_loop_test(tc, pcr_read_sees_what_tpm2_pcrextend_did, 0, N_ELEMENTS(banks));
        tcase_add_test(tc, pcr_read_gives_only_what_was_asked_for);
        tcase_add_test(tc, pcr_read_refuses_no_pcr_and_unknown_banks);
        tcase_add_test(tc, pcrs_of_different_moments_are_never_mixed);
        tcase_add_test(tc, absent_bank_is_named);
        suite_add_tcase(s, tc);

        tc = tcase_create("quote");
        tcase_add_loop_test(tc, quote_of_every_key_and_bank_is_accepted, 0, N_ELEMENTS(kinds) * N_ELEMENTS(banks));
        tcase_add_loop_test(tc, quote_of_several_banks_is_accepted, 0, N_ELEMENTS(kinds));
        tcase_add_test(tc, quote_tells_where_the_tpm_is_in_its_life);
        tcase_add_test(tc, nonces_of_1_to_64_bytes_work);
        tcase_add_test(tc, question_without_pcrs_or_nonce_is_refused);
        tcase_add_loop_test(tc, each_alteration_is_rejected_with_its_reason, 0, N_ELEMENTS(kinds));
        tcase_add_test(tc, quote_of_fewer_pcrs_than_asked_is_rejected);
        tcase_add_loop_test(tc, primary_key_is_the_same_each_time, 0, N_ELEMENTS(kinds));
        tcase_add_loop_test(tc, moving_pcrs_are_read_and_quoted_again, 0, 2);
        tcase_add_loop_test(tc, pcrs_that_never_hold_still_are_given_up, 0, 2);
        tcase_add_loop_test(tc, answer_to_an_earlier_question_is_refused, 0, N_ELEMENTS(replays));
        suite_add_tcase(s, tc);

        tc = tcase_create("flips");
        tcase_set_timeout(tc, 300);
        tcase_add_loop_test(tc, every_truncation_and_bit_flip_is_rejected, 0, N_ELEMENTS(kinds));
        suite_add_tcase(s, tc);

        tc = tcase_create("tools");
        tcase_add_checked_fixture(tc, NULL, evict);
        tcase_add_test(tc, persistent_keys_are_used_if_they_are_attestation_keys);
        tcase_add_loop_test(tc, quote_of_ours_passes_tpm2_checkquote, 0, N_ELEMENTS(checkquote_kinds));
        tcase_add_test(tc, quote_of_tpm2_tools_passes_ours);
        suite_add_tcase(s, tc);
        return s;
}

int main(void) {
        int r;

        if (!swtpm_available())
                return unit_skip("swtpm is not installed");
        if (!program_available("tpm2_pcrextend"))
                return unit_skip("tpm2-tools is not installed");
        if (swtpm_start(NULL, &tpm) < 0)
                return 1;
        r = unit_run(suite());
        swtpm_stop(&tpm);
        return r;
}
