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


TPML_PCR_SELECTION vtpm_esys_selection(const VtpmPcrSelection *selection) {
        TPML_PCR_SELECTION l = { .count = (uint32_t) selection->n_banks };

        for (size_t i = 0; i < selection->n_banks; i++) {
                uint32_t mask = selection->banks[i].mask;

                l.pcrSelections[i] = (TPMS_PCR_SELECTION){
                        .hash = selection->banks[i].hash,
                        .sizeofSelect = VTPM_PCR_SELECT_SIZE,
                        .pcrSelect = { (uint8_t) mask, (uint8_t) (mask >> 8), (uint8_t) (mask >> 16) },
                };
        }
        return l;
}

/* A TPM with more PCRs than a PC's has them beyond our mask: they are not shown. */
static uint32_t mask_of(const TPMS_PCR_SELECTION *s) {
        uint32_t mask = 0;

        for (unsigned i = 0; i < s->sizeofSelect && i < VTPM_PCR_SELECT_SIZE; i++)
                mask |= (uint32_t) s->pcrSelect[i] << 8 * i;
        return mask;
}

/* Which of @asked the TPM has given. 0 when that is not a part of what was asked for. */
static uint32_t mask_given(const TPML_PCR_SELECTION *given, uint16_t hash, uint32_t asked) {
        const TPMS_PCR_SELECTION *s = &given->pcrSelections[0];
        uint32_t mask;

        if (given->count != 1 || s->hash != hash || s->sizeofSelect > VTPM_PCR_SELECT_SIZE)
                return 0;
        mask = mask_of(s);
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
        const VtpmPcrSelection one = { .n_banks = 1, .banks[0] = { .hash = to->hash, .mask = asked } };
        TPML_PCR_SELECTION selection = vtpm_esys_selection(&one);
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

/* Whether all answers of one reading carry the same update counter. */
typedef struct Moment {
        uint32_t counter;
        bool known;
} Moment;

/* 0; 1 when a PCR changed between two commands; or negative errno. */
static int read_bank(VtpmContext *ctx, uint32_t mask, Moment *moment, VtpmPcrValues *to, Error *e) {
        while (to->mask != mask) {
                uint32_t counter = 0;
                int r = read_some(ctx, mask & ~to->mask, to, &counter, e);

                if (r < 0)
                        return r;
                if (moment->known && counter != moment->counter)
                        return 1;
                *moment = (Moment){ .counter = counter, .known = true };
        }
        return 0;
}

/* Return: as read_bank(). */
static int read_once(VtpmContext *ctx, const VtpmPcrSelection *selection, VtpmPcrValues *to, Error *e) {
        Moment moment = {};
        int r = 0;

        for (size_t i = 0; i < selection->n_banks && r == 0; i++) {
                to[i] = (VtpmPcrValues){ .hash = selection->banks[i].hash };
                r = read_bank(ctx, selection->banks[i].mask, &moment, &to[i], e);
        }
        return r;
}

int vtpm_pcr_read_selection(VtpmContext *ctx, const VtpmPcrSelection *selection, VtpmPcrValues *ret, Error *e) {
        VtpmPcrValues values[VTPM_HASHES_MAX];
        int r;

        r = vtpm_pcr_selection_check(selection, e);
        if (r < 0)
                return r;
        for (unsigned i = 0; i < TRIES_MAX; i++) {
                r = read_once(ctx, selection, values, e);
                if (r < 0)
                        return r;
                if (r == 0) {
                        (void) memcpy(ret, values, selection->n_banks * sizeof(values[0]));
                        return 0;
                }
        }
        return error_set(e, -EAGAIN, "pcr-unstable", "PCRs changed during each of %u readings", TRIES_MAX);
}

int vtpm_pcr_read(VtpmContext *ctx, uint16_t hash, uint32_t mask, VtpmPcrValues *ret, Error *e) {
        const VtpmPcrSelection selection = { .n_banks = 1, .banks[0] = { .hash = hash, .mask = mask } };

        return vtpm_pcr_read_selection(ctx, &selection, ret, e);
}

int vtpm_pcr_banks(VtpmContext *ctx, VtpmPcrSelection *ret, Error *e) {
        AUTO_ESYS_FREE TPMS_CAPABILITY_DATA *data = NULL;
        ESYS_CONTEXT *esys = vtpm_context_esys(ctx);
        const TPML_PCR_SELECTION *list;
        VtpmPcrSelection banks = {};
        TPMI_YES_NO more;
        int r;

        r = VTPM_CALL(ctx, "TPM2_GetCapability",
                      Esys_GetCapability_Async(esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, TPM2_CAP_PCRS, 0, 1),
                      Esys_GetCapability_Finish(esys, &more, &data), e);
        if (r < 0)
                return r;
        list = &data->data.assignedPCR;
        if (data->capability != TPM2_CAP_PCRS || list->count > VTPM_BANKS_MAX)
                return error_set(e, -EBADMSG, "tpm-bad-response",
                                 "TPM2_GetCapability: the answer is not a list of PCR banks");
        for (uint32_t i = 0; i < list->count; i++)
                if (mask_of(&list->pcrSelections[i]) != 0)
                        banks.banks[banks.n_banks++] = (VtpmPcrBank){ .hash = list->pcrSelections[i].hash,
                                                                      .mask = mask_of(&list->pcrSelections[i]) };
        *ret = banks;
        return 0;
}
