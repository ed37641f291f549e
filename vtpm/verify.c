/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every check is a function {inputs in Judging} -> 0 or negative errno, and a line of a table; the verdict
 * is built in one place from the table's results, so that no check can be left out by an early return.
 */
#include "vtpm/verify.h"

#include <errno.h>

#include <openssl/crypto.h>

typedef struct Judging {
        const VtpmAkPublic *ak;
        const VtpmQuoteBytes *quote;
        const VtpmQuoteAsked *asked;
        VtpmAttest attest;
        VtpmSignature signature;
} Judging;

static int check_form(Judging *j, Error *e) {
        int r = vtpm_attest_parse(j->quote->attest, j->quote->attest_size, &j->attest, e);

        if (r < 0)
                return r;
        return vtpm_signature_parse(j->quote->signature, j->quote->signature_size, &j->signature, e);
}

static int check_signature(Judging *j, Error *e) {
        return vtpm_ak_public_verify(j->ak, &j->signature, j->quote->attest, j->quote->attest_size, e);
}

static int check_nonce(Judging *j, Error *e) {
        if (j->attest.extra_size != j->asked->nonce_size ||
            CRYPTO_memcmp(j->attest.extra, j->asked->nonce, j->asked->nonce_size) != 0)
                return error_set(e, -ESTALE, "quote-nonce", "The quote answers another nonce");
        return 0;
}

static const VtpmPcrBank *find_bank(const VtpmPcrSelection *selection, uint16_t hash) {
        for (size_t i = 0; i < selection->n_banks; i++)
                if (selection->banks[i].hash == hash)
                        return &selection->banks[i];
        return NULL;
}

static int check_covers(const VtpmPcrSelection *quoted, const VtpmPcrSelection *asked, Error *e) {
        for (size_t i = 0; i < asked->n_banks; i++) {
                const VtpmPcrBank *want = &asked->banks[i];
                const VtpmPcrBank *have = find_bank(quoted, want->hash);
                uint32_t missing = want->mask & ~(have ? have->mask : 0);

                if (missing)
                        return error_set(e, -EKEYREJECTED, "quote-selection",
                                         "The quote does not cover PCR %d of bank %s", __builtin_ctz(missing),
                                         vtpm_hash_name(want->hash));
        }
        return 0;
}

/* Values beyond the quoted ones would look as if the quote stood for them. */
static int check_values(const VtpmPcrSelection *quoted, const VtpmQuoteBytes *quote, Error *e) {
        if (quote->n_pcrs != quoted->n_banks)
                return error_set(e, -EKEYREJECTED, "quote-pcr-values",
                                 "PCR values of %zu banks came with a quote of %zu", quote->n_pcrs, quoted->n_banks);
        for (size_t i = 0; i < quote->n_pcrs; i++) {
                const VtpmPcrBank *bank = find_bank(quoted, quote->pcrs[i].hash);

                if (!bank || bank->mask != quote->pcrs[i].mask)
                        return error_set(e, -EKEYREJECTED, "quote-pcr-values",
                                         "The PCR values of bank %s are not exactly the quoted ones",
                                         vtpm_hash_name(quote->pcrs[i].hash));
        }
        return 0;
}

static int check_selection(Judging *j, Error *e) {
        const VtpmPcrSelection *quoted = &j->attest.selection;
        Error why = {};
        int r;

        r = vtpm_pcr_selection_check(quoted, &why);
        if (r < 0)
                return error_set(e, -EKEYREJECTED, "quote-selection", "The quote means nothing: %s",
                                 error_text(&why, r));
        r = check_covers(quoted, &j->asked->pcrs, e);
        if (r < 0)
                return r;
        return check_values(quoted, j->quote, e);
}

static int check_pcrs(Judging *j, Error *e) {
        uint16_t hash = vtpm_ak_public_hash(j->ak);
        uint8_t digest[VTPM_DIGEST_MAX];
        Error why = {};
        int r;

        r = vtpm_pcr_digest(&j->attest.selection, j->quote->pcrs, j->quote->n_pcrs, hash, digest, &why);
        if (r < 0)
                return error_set(e, r == -ENOMEM || r == -EIO ? r : -EKEYREJECTED, error_reason(&why, r),
                                 "The quote's PCR digest cannot be recomputed: %s", error_text(&why, r));
        if (j->attest.pcr_digest_size != vtpm_hash_size(hash) ||
            CRYPTO_memcmp(j->attest.pcr_digest, digest, vtpm_hash_size(hash)) != 0)
                return error_set(e, -EKEYREJECTED, "quote-pcr-digest", "The PCR values are not the quoted ones");
        return 0;
}

/* In the order in which a failure explains most. All but the first need what the first one parses. */
static const struct {
        const char *name;
        int (*run)(Judging *j, Error *e);
} checks[VTPM_N_CHECKS] = {
        [VTPM_CHECK_FORM] = { "form", check_form },
        [VTPM_CHECK_SIGNATURE] = { "signature", check_signature },
        [VTPM_CHECK_NONCE] = { "nonce", check_nonce },
        [VTPM_CHECK_SELECTION] = { "selection", check_selection },
        [VTPM_CHECK_PCRS] = { "pcrs", check_pcrs },
};

static int check_question(const VtpmQuoteAsked *asked, Error *e) {
        if (asked->nonce_size < VTPM_NONCE_MIN || asked->nonce_size > VTPM_NONCE_MAX)
                return error_set(e, -EINVAL, "nonce-size", "A nonce has %u to %u bytes, not %zu", VTPM_NONCE_MIN,
                                 VTPM_NONCE_MAX, asked->nonce_size);
        return vtpm_pcr_selection_check(&asked->pcrs, e);
}

int vtpm_quote_verify(const VtpmAkPublic *ak, const VtpmQuoteBytes *quote, const VtpmQuoteAsked *asked,
                      VtpmVerdict *ret, Error *e) {
        Judging j = { .ak = ak, .quote = quote, .asked = asked };
        int first = 0, r;

        *ret = (VtpmVerdict){};
        r = check_question(asked, e);
        if (r < 0)
                return r;
        for (size_t i = 0; i < VTPM_N_CHECKS; i++) {
                r = checks[i].run(&j, e);
                ret->checks[i] = r < 0 ? VTPM_CHECK_FAILED : VTPM_CHECK_OK;
                if (first == 0)
                        first = r;
                if (r < 0 && i == VTPM_CHECK_FORM)
                        return first;
        }
        ret->clock = j.attest.clock;
        ret->firmware_version = j.attest.firmware_version;
        ret->pcrs = j.attest.selection;
        if (first == 0)
                ret->outcome = VTPM_ACCEPT;
        return first;
}

const char *vtpm_check_name(VtpmCheck check) {
        return (unsigned) check < VTPM_N_CHECKS ? checks[check].name : "?";
}

const char *vtpm_check_result_name(VtpmCheckResult result) {
        switch (result) {
        case VTPM_CHECK_OK:
                return "ok";
        case VTPM_CHECK_FAILED:
                return "failed";
        case VTPM_CHECK_NOT_DONE:
        default:
                return "not-done";
        }
}
