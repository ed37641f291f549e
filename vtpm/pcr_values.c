/* SPDX-License-Identifier: Apache-2.0 */
#include "vtpm/pcr_values.h"

#include <errno.h>

#include <openssl/evp.h>

static void md_ctx_free(EVP_MD_CTX *ctx) {
        EVP_MD_CTX_free(ctx);
}
DEFINE_CLEANUP(EVP_MD_CTX *, md_ctx_free);

unsigned vtpm_pcr_count(uint32_t mask) {
        return (unsigned) __builtin_popcount(mask);
}

int vtpm_pcr_selection_check(const VtpmPcrSelection *selection, Error *e) {
        if (selection->n_banks == 0 || selection->n_banks > VTPM_BANKS_MAX)
                return error_set(e, -EINVAL, "pcr-selection-empty", "The PCR selection is empty");
        for (size_t i = 0; i < selection->n_banks; i++) {
                const VtpmPcrBank *bank = &selection->banks[i];

                if (bank->mask == 0)
                        return error_set(e, -EINVAL, "pcr-selection-empty",
                                         "The PCR selection names no PCR of bank 0x%04x", bank->hash);
                if (bank->mask & ~VTPM_PCR_MASK_ALL)
                        return error_set(e, -EINVAL, "pcr-selection", "The PCR selection goes beyond PCR 23");
                if (vtpm_hash_size(bank->hash) == 0)
                        return error_set(e, -EINVAL, "pcr-selection", "PCR bank 0x%04x is not known", bank->hash);
                for (size_t j = 0; j < i; j++)
                        if (selection->banks[j].hash == bank->hash)
                                return error_set(e, -EINVAL, "pcr-selection", "The PCR selection names bank %s twice",
                                                 vtpm_hash_name(bank->hash));
        }
        return 0;
}

static const VtpmPcrValues *find_bank(const VtpmPcrValues *values, size_t n_values, uint16_t hash) {
        for (size_t i = 0; i < n_values; i++)
                if (values[i].hash == hash)
                        return &values[i];
        return NULL;
}

static int digest_bank(EVP_MD_CTX *ctx, const VtpmPcrBank *bank, const VtpmPcrValues *values, Error *e) {
        if (!values || (bank->mask & ~values->mask) != 0)
                return error_set(e, -ENOENT, "pcr-value-missing", "Not all selected PCR values of bank %s are given",
                                 vtpm_hash_name(bank->hash));
        for (unsigned i = 0; i < VTPM_N_PCRS; i++)
                if (bank->mask & 1u << i &&
                    EVP_DigestUpdate(ctx, values->values[i], vtpm_hash_size(bank->hash)) != 1)
                        return error_set(e, -EIO, "crypto", "Cannot compute the PCR digest");
        return 0;
}

int vtpm_pcr_digest(const VtpmPcrSelection *selection, const VtpmPcrValues *values, size_t n_values, uint16_t hash,
                    uint8_t *ret, Error *e) {
        CLEANUP(md_ctx_freep) EVP_MD_CTX *ctx = NULL;
        const EVP_MD *md = vtpm_hash_md(hash);
        int r;

        if (!md)
                return error_set(e, -EOPNOTSUPP, "tpm-hash", "Hash algorithm 0x%04x is not supported", hash);
        r = vtpm_pcr_selection_check(selection, e);
        if (r < 0)
                return r;
        ctx = EVP_MD_CTX_new();
        if (!ctx)
                return error_oom(e);
        if (EVP_DigestInit_ex(ctx, md, NULL) != 1)
                return error_set(e, -EIO, "crypto", "Cannot compute the PCR digest");
        for (size_t i = 0; i < selection->n_banks; i++) {
                const VtpmPcrBank *bank = &selection->banks[i];

                r = digest_bank(ctx, bank, find_bank(values, n_values, bank->hash), e);
                if (r < 0)
                        return r;
        }
        if (EVP_DigestFinal_ex(ctx, ret, NULL) != 1)
                return error_set(e, -EIO, "crypto", "Cannot compute the PCR digest");
        return 0;
}
