/* SPDX-License-Identifier: Apache-2.0 */

/* Two walks over the log: one for where PCR 0 begins, one that extends. */

#include "vtpm/event-log-replay.h"

#include <errno.h>
#include <string.h>

#include <openssl/evp.h>

/* PCRs of the dynamic root of trust, all ones until a dynamic launch resets them. */
#define DRTM_FIRST 17u
#define DRTM_LAST 22u

#define LOCALITY_HCRTM 4u

/* TCG_EfiStartupLocality: signature and one byte. */
static const uint8_t locality_signature[16] = "StartupLocality";
#define LOCALITY_SIZE (sizeof(locality_signature) + 1)

static void md_ctx_free(EVP_MD_CTX *ctx) {
        EVP_MD_CTX_free(ctx);
}
DEFINE_CLEANUP(EVP_MD_CTX *, md_ctx_free);

static bool is_startup_locality(const VtpmEvent *event) {
        return event->pcr == 0 && event->type == VTPM_EV_NO_ACTION && event->size == LOCALITY_SIZE &&
               memcmp(event->data, locality_signature, sizeof(locality_signature)) == 0;
}

int vtpm_event_log_locality(const VtpmEventLog *log, uint8_t *ret, Error *e) {
        VtpmEventLog it = *log;
        bool told = false, hcrtm = false;
        uint8_t locality = 0;
        VtpmEvent event;
        int r;

        vtpm_event_log_rewind(&it);
        while ((r = vtpm_event_log_next(&it, &event, e)) > 0) {
                hcrtm = hcrtm || (event.pcr == 0 && event.type == VTPM_EV_EFI_HCRTM_EVENT);
                if (!is_startup_locality(&event))
                        continue;
                if (told && event.data[LOCALITY_SIZE - 1] != locality)
                        return error_set(e, -EBADMSG, "event-log-locality", "Event %zu: a second startup locality",
                                         event.number);
                told = true;
                locality = event.data[LOCALITY_SIZE - 1];
                if (locality != 0 && locality != 3 && locality != 4)
                        return error_set(e, -EBADMSG, "event-log-locality", "Event %zu: no TPM starts at locality %u",
                                         event.number, locality);
        }
        if (r < 0)
                return r;
        *ret = hcrtm ? LOCALITY_HCRTM : locality;
        return 0;
}

static void set_initial(VtpmPcrValues *pcrs, uint8_t locality) {
        for (unsigned i = DRTM_FIRST; i <= DRTM_LAST; i++)
                (void) memset(pcrs->values[i], 0xff, vtpm_hash_size(pcrs->hash));
        pcrs->values[0][vtpm_hash_size(pcrs->hash) - 1] = locality;
}

/* PCR = H(PCR || digest). @ctx remembers its algorithm, which spares a look-up per event. */
static int extend(EVP_MD_CTX *ctx, uint8_t *pcr, const VtpmEventDigest *digest, Error *e) {
        if (EVP_DigestInit_ex(ctx, NULL, NULL) != 1 || EVP_DigestUpdate(ctx, pcr, digest->size) != 1 ||
            EVP_DigestUpdate(ctx, digest->bytes, digest->size) != 1 || EVP_DigestFinal_ex(ctx, pcr, NULL) != 1)
                return error_set(e, -EIO, "crypto", "Cannot compute a PCR value");
        return 0;
}

static int replay_events(const VtpmEventLog *log, EVP_MD_CTX *ctx, VtpmPcrValues *pcrs, Error *e) {
        VtpmEventLog it = *log;
        VtpmEvent event;
        int r;

        vtpm_event_log_rewind(&it);
        while ((r = vtpm_event_log_next(&it, &event, e)) > 0) {
                const VtpmEventDigest *digest = vtpm_event_digest(&event, pcrs->hash);

                if (event.type == VTPM_EV_NO_ACTION || !digest)
                        continue;
                r = extend(ctx, pcrs->values[event.pcr], digest, e);
                if (r < 0)
                        return r;
                pcrs->mask |= 1u << event.pcr;
        }
        return r;
}

int vtpm_event_log_replay(const VtpmEventLog *log, uint16_t hash, VtpmPcrValues *ret, Error *e) {
        CLEANUP(md_ctx_freep) EVP_MD_CTX *ctx = NULL;
        const EVP_MD *md = vtpm_hash_md(hash);
        VtpmPcrValues pcrs = { .hash = hash };
        uint8_t locality = 0;
        int r;

        if (!md)
                return error_set(e, -EOPNOTSUPP, "tpm-hash", "Hash algorithm 0x%04x is not supported", hash);
        if (!vtpm_event_log_has_bank(log, hash))
                return error_set(e, -ENOENT, "event-log-bank", "The event log has no digests of bank %s",
                                 vtpm_hash_name(hash));
        r = vtpm_event_log_locality(log, &locality, e);
        if (r < 0)
                return r;
        set_initial(&pcrs, locality);
        ctx = EVP_MD_CTX_new();
        if (!ctx)
                return error_oom(e);
        if (EVP_DigestInit_ex(ctx, md, NULL) != 1)
                return error_set(e, -EIO, "crypto", "Cannot compute a PCR value");
        r = replay_events(log, ctx, &pcrs, e);
        if (r < 0)
                return r;
        *ret = pcrs;
        return 0;
}

uint32_t vtpm_event_log_explains(const VtpmPcrValues *replayed, const VtpmPcrValues *actual) {
        uint32_t mask = 0;

        if (replayed->hash != actual->hash)
                return 0;
        for (unsigned i = 0; i < VTPM_N_PCRS; i++)
                if (actual->mask & 1u << i &&
                    memcmp(replayed->values[i], actual->values[i], vtpm_hash_size(actual->hash)) == 0)
                        mask |= 1u << i;
        return mask;
}
