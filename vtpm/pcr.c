/* SPDX-License-Identifier: Apache-2.0 */
#include "vtpm/pcr.h"

#include <errno.h>
#include <string.h>

#include "vtpm/esys.h"
#include "vtpm/rc.h"

#define READ_MAX 8u  /* TPM 2.0 Library Part 2, "TPML_DIGEST": a response holds at most eight */
#define TRIES_MAX 5u /* PCRs change a few times a boot, not all the time */

static uint32_t first_of(uint32_t mask, unsigned n) {
        uint32_t first = 0;

        for (; mask && n > 0; n--) {
                first |= mask & -mask;
                mask &= mask - 1;
        }
        return first;
}

static TPML_PCR_SELECTION selection_for_tpm(uint16_t hash, uint32_t mask) {
        return (TPML_PCR_SELECTION){
                .count = 1,
                .pcrSelections[0] = {
                        .hash = hash,
                        .sizeofSelect = VTPM_PCR_SELECT_SIZE,
                        .pcrSelect = { (uint8_t) mask, (uint8_t) (mask >> 8), (uint8_t) (mask >> 16) },
                },
        };
}

/* Which of @asked the TPM has given. 0 when that is not a part of what was asked for. */
static uint32_t mask_given(const TPML_PCR_SELECTION *given, uint16_t hash, uint32_t asked) {
        const TPMS_PCR_SELECTION *s = &given->pcrSelections[0];
        uint32_t mask = 0;

        if (given->count != 1 || s->hash != hash || s->sizeofSelect > VTPM_PCR_SELECT_SIZE)
                return 0;
        for (unsigned i = 0; i < s->sizeofSelect; i++)
                mask |= (uint32_t) s->pcrSelect[i] << 8 * i;
        return mask & ~asked ? 0 : mask;
}

static int absent(uint16_t hash, Error *e) {
        return error_set(e, -EOPNOTSUPP, "pcr-bank-absent", "The TPM has no %s bank, or not all of the PCRs in it",
                         vtpm_hash_name(hash));
}

static int store_values(VtpmPcrValues *to, uint32_t mask, const TPML_DIGEST *digests, Error *e) {
        size_t size = vtpm_hash_size(to->hash), n = 0;

        for (unsigned i = 0; i < VTPM_N_PCRS; i++) {
                if (!(mask & 1u << i))
                        continue;
                if (n >= digests->count || digests->digests[n].size != size)
                        return error_set(e, -EBADMSG, "tpm-bad-response", "TPM2_PCR_Read: no %s value for PCR %u",
                                         vtpm_hash_name(to->hash), i);
                (void) memcpy(to->values[i], digests->digests[n++].buffer, size);
        }
        to->mask |= mask;
        return 0;
}

/* Reads some of @left into @to. */
static int read_some(VtpmContext *ctx, uint32_t left, VtpmPcrValues *to, uint32_t *ret_counter, Error *e) {
        AUTO_ESYS_FREE TPML_PCR_SELECTION *given = NULL;
        AUTO_ESYS_FREE TPML_DIGEST *digests = NULL;
        uint32_t asked = first_of(left, READ_MAX), got;
        TPML_PCR_SELECTION selection = selection_for_tpm(to->hash, asked);
        ESYS_CONTEXT *esys = vtpm_context_esys(ctx);
        Error why = {};
        TSS2_RC rc;
        int r;

        r = VTPM_CALL_RC(ctx, "TPM2_PCR_Read",
                         Esys_PCR_Read_Async(esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &selection),
                         Esys_PCR_Read_Finish(esys, ret_counter, &given, &digests), &rc, &why);
        if (r < 0 && vtpm_rc_is(rc, TPM2_RC_HASH))
                return absent(to->hash, e);
        if (r < 0)
                return error_set(e, r, error_reason(&why, r), "%s", error_text(&why, r));
        got = mask_given(given, to->hash, asked);
        if (got == 0) /* a TPM that knows the hash but has no such bank leaves it out (Part 3, "TPM2_PCR_Read") */
                return absent(to->hash, e);
        return store_values(to, got, digests, e);
}

/* 0; 1 when a PCR changed between two commands; or negative errno. */
static int read_once(VtpmContext *ctx, uint32_t mask, VtpmPcrValues *to, Error *e) {
        uint32_t counter = 0, first_counter = 0;

        while (to->mask != mask) {
                bool first = to->mask == 0;
                int r = read_some(ctx, mask & ~to->mask, to, &counter, e);

                if (r < 0)
                        return r;
                if (first)
                        first_counter = counter;
                else if (counter != first_counter)
                        return 1;
        }
        return 0;
}

int vtpm_pcr_read(VtpmContext *ctx, uint16_t hash, uint32_t mask, VtpmPcrValues *ret, Error *e) {
        VtpmPcrSelection selection = { .n_banks = 1, .banks[0] = { .hash = hash, .mask = mask } };
        int r;

        r = vtpm_pcr_selection_check(&selection, e);
        if (r < 0)
                return r;
        for (unsigned i = 0; i < TRIES_MAX; i++) {
                VtpmPcrValues values = { .hash = hash };

                r = read_once(ctx, mask, &values, e);
                if (r < 0)
                        return r;
                if (r == 0) {
                        *ret = values;
                        return 0;
                }
        }
        return error_set(e, -EAGAIN, "pcr-unstable", "PCRs changed during each of %u readings", TRIES_MAX);
}
