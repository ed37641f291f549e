/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The parts that are a TPM's: a quote, the PCR values behind it, and the log that leads to them. Whose TPM it is, is
 * another question (verify-binding.c).
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agent/bundle/verify-internal.h"
#include "vtpm/event-data.h"
#include "vtpm/event-log-replay.h"

#define SECURE_BOOT_PCR 7

static void settle_all(const BundleCase *c, BundleResult result, const char *reason, const char *text) {
        for (BundlePart i = BUNDLE_PART_QUOTE; i <= BUNDLE_PART_PCRS; i++)
                bundle_settle(c, i, result, reason, "%s", text);
}

/* The check that @why is about: the first that failed. */
static VtpmCheck first_failure(const VtpmVerdict *q) {
        VtpmCheck i = 0;

        while (i < VTPM_N_CHECKS && q->checks[i] != VTPM_CHECK_FAILED)
                i++;
        return i;
}

typedef struct Pair {
        BundlePart part;
        VtpmCheck checks[2]; /* may be the same twice */
        const char *good, *bad;
} Pair;

static void settle_pair(const BundleCase *c, const Pair *pair, const Error *why) {
        const VtpmVerdict *q = &c->v->quote;

        for (size_t i = 0; i < N_ELEMENTS(pair->checks); i++) {
                if (q->checks[pair->checks[i]] == VTPM_CHECK_OK)
                        continue;
                if (first_failure(q) == pair->checks[i])
                        bundle_settle(c, pair->part, BUNDLE_FAILED, why->reason, "%s", why->text);
                else
                        bundle_settle(c, pair->part, BUNDLE_FAILED, bundle_part_name(pair->part), "%s", pair->bad);
                return;
        }
        bundle_settle(c, pair->part, BUNDLE_OK, NULL, "%s", pair->good);
}

static int verify_quote(const BundleCase *c, Error *why) {
        const BundleTpm *t = &c->bundle->tpm;
        const VtpmQuoteBytes bytes = { t->attest.data, t->attest.size, t->signature.data, t->signature.size,
                                       t->pcrs, t->n_pcrs };
        VtpmQuoteAsked asked = { .nonce = c->bundle->nonce, .nonce_size = c->bundle->nonce_size };
        CLEANUP(vtpm_ak_public_freep) VtpmAkPublic *ak = NULL;
        VtpmAttest attest;
        int r = vtpm_ak_public_new(t->ak.data, t->ak.size, &ak, why);

        if (r == 0)
                r = vtpm_attest_parse(t->attest.data, t->attest.size, &attest, why);
        if (r < 0)
                return r;
        asked.pcrs = attest.selection; /* what else a quote has to cover is a policy's question */
        r = vtpm_pcr_selection_check(&asked.pcrs, why);
        return r < 0 ? r : vtpm_quote_verify(ak, &bytes, &asked, &c->v->quote, why);
}

int bundle_judge_quote(const BundleCase *c, Error *e) {
        static const Pair pairs[] = {
                { BUNDLE_PART_QUOTE, { VTPM_CHECK_FORM, VTPM_CHECK_SIGNATURE }, "Signed by the attestation key",
                  "The signature does not hold" },
                { BUNDLE_PART_QUOTE_NONCE, { VTPM_CHECK_NONCE, VTPM_CHECK_NONCE }, "Answers the bundle's nonce",
                  "Answers another nonce" },
                { BUNDLE_PART_PCRS, { VTPM_CHECK_SELECTION, VTPM_CHECK_PCRS }, "The values are the quoted ones",
                  "The values are not the quoted ones" },
        };
        Error why = {};
        int r;

        if (!c->bundle->has_tpm) {
                settle_all(c, BUNDLE_ABSENT, "tpm-absent", "The bundle has nothing of a TPM");
                return 0;
        }
        r = verify_quote(c, &why);
        if (r == -ENOMEM || r == -EIO)
                return error_set(e, r, error_reason(&why, r), "%s", error_text(&why, r));
        if (r < 0 && c->v->quote.checks[VTPM_CHECK_FORM] != VTPM_CHECK_OK) {
                settle_all(c, BUNDLE_FAILED, error_reason(&why, r), error_text(&why, r));
                return 0;
        }
        for (size_t i = 0; i < N_ELEMENTS(pairs); i++)
                settle_pair(c, &pairs[i], &why);
        return 0;
}

/* Event log */

/* "0,1,7" */
static void list_pcrs(uint32_t mask, char *ret, size_t size) {
        size_t n = 0;

        ret[0] = 0;
        for (unsigned i = 0; i < VTPM_N_PCRS && n < size; i++)
                if (mask & UINT32_C(1) << i)
                        n += (size_t) snprintf(ret + n, size - n, "%s%u", n > 0 ? "," : "", i);
}

/*
 * "SecureBoot" in UTF-16LE, and EFI_GLOBAL_VARIABLE as it lies in memory: UEFI specification, "Globally Defined
 * Variables".
 */
static bool is_secure_boot(const VtpmEvent *event, const VtpmEventData *data) {
        static const uint8_t guid[16] = { 0x61, 0xdf, 0xe4, 0x8b, 0xca, 0x93, 0xd2, 0x11,
                                          0xaa, 0x0d, 0x00, 0xe0, 0x98, 0x03, 0x2b, 0x8c };
        static const uint8_t name[] = { 'S', 0, 'e', 0, 'c', 0, 'u', 0, 'r', 0, 'e', 0, 'B', 0, 'o', 0, 'o', 0, 't', 0 };

        return event->type == VTPM_EV_EFI_VARIABLE_DRIVER_CONFIG && event->pcr == SECURE_BOOT_PCR &&
               data->kind == VTPM_DATA_VARIABLE && memcmp(data->guid, guid, sizeof(guid)) == 0 &&
               data->name.size == sizeof(name) && memcmp(data->name.data, name, sizeof(name)) == 0;
}

/* Of an event whose data have the digest that PCR 7 was extended with. */
static BundleSecureBoot state_of(const VtpmEventData *data) {
        if (data->value.size == 1 && data->value.data[0] == 1)
                return BUNDLE_SECURE_BOOT_ON;
        if (data->value.size == 0 || (data->value.size == 1 && data->value.data[0] == 0))
                return BUNDLE_SECURE_BOOT_OFF;
        return BUNDLE_SECURE_BOOT_UNKNOWN;
}

/*
 * The event that firmware puts behind all that it measures into PCR 7 before others may: TCG PC Client Platform
 * Firmware Profile, "EV_SEPARATOR". Types of events are not measured, so one is known by its digest.
 */
static int is_separator(const VtpmEvent *event, uint16_t hash, bool *ret, Error *e) {
        static const uint8_t zeros[4] = {}, ones[4] = { 0xff, 0xff, 0xff, 0xff };
        const VtpmEventDigest *digest = vtpm_event_digest(event, hash);
        uint8_t good[VTPM_DIGEST_MAX], bad[VTPM_DIGEST_MAX];
        int r;

        *ret = false;
        if (event->pcr != SECURE_BOOT_PCR || event->type == VTPM_EV_NO_ACTION || !digest)
                return 0;
        r = vtpm_hash_bytes(hash, zeros, sizeof(zeros), good, e);
        if (r == 0)
                r = vtpm_hash_bytes(hash, ones, sizeof(ones), bad, e);
        if (r == 0)
                *ret = memcmp(digest->bytes, good, digest->size) == 0 || memcmp(digest->bytes, bad, digest->size) == 0;
        return r;
}

/*
 * Firmware says it once, before the separator; behind it, anybody who runs could extend PCR 7 with the same words. Two
 * that disagree, or one whose data is hearsay, say nothing.
 */
static int find_secure_boot(VtpmEventLog log, uint16_t hash, BundleSecureBoot *ret, Error *e) {
        BundleSecureBoot found = BUNDLE_SECURE_BOOT_UNKNOWN;
        bool seen = false;
        VtpmEvent event;
        int r;

        vtpm_event_log_rewind(&log);
        while ((r = vtpm_event_log_next(&log, &event, e)) > 0) {
                VtpmEventProof proof = VTPM_PROOF_NONE;
                BundleSecureBoot state;
                VtpmEventData data;
                bool over = false;

                r = is_separator(&event, hash, &over, e);
                if (r < 0)
                        return r;
                if (over) {
                        *ret = found;
                        return 0;
                }
                vtpm_event_data_parse(&event, &data);
                if (!is_secure_boot(&event, &data))
                        continue;
                r = vtpm_event_data_check(&event, &data, hash, &proof, e);
                if (r < 0 && r != -ENOENT)
                        return r;
                state = r == 0 && proof == VTPM_PROOF_MATCHES ? state_of(&data) : BUNDLE_SECURE_BOOT_UNKNOWN;
                found = seen && state != found ? BUNDLE_SECURE_BOOT_UNKNOWN : state;
                if (found == BUNDLE_SECURE_BOOT_UNKNOWN)
                        return 0;
                seen = true;
        }
        return r; /* no separator: nobody knows who said it */
}

/* SHA-1 can be made to collide: a log that leads there leads nowhere. */
static int replay_bank(const BundleCase *c, const VtpmEventLog *log, size_t bank, Error *e) {
        const VtpmPcrValues *quoted = &c->bundle->tpm.pcrs[bank];
        VtpmPcrValues replayed;
        int r;

        if (!vtpm_hash_is_sound(quoted->hash) || !vtpm_event_log_has_bank(log, quoted->hash))
                return 0;
        r = vtpm_event_log_replay(log, quoted->hash, &replayed, e);
        if (r < 0)
                return r;
        c->v->explained[bank] = vtpm_event_log_explains(&replayed, quoted);
        if (!(c->v->explained[bank] & replayed.mask & UINT32_C(1) << SECURE_BOOT_PCR) ||
            c->v->secure_boot != BUNDLE_SECURE_BOOT_UNKNOWN)
                return 0;
        return find_secure_boot(*log, quoted->hash, &c->v->secure_boot, e);
}

static void settle_log(const BundleCase *c) {
        const BundleTpm *t = &c->bundle->tpm;
        uint32_t explained = 0, missed = 0;
        char list[128];

        for (size_t i = 0; i < t->n_pcrs; i++) {
                explained |= c->v->explained[i];
                missed |= t->pcrs[i].mask & ~c->v->explained[i];
        }
        list_pcrs(missed, list, sizeof(list));
        if (explained == 0)
                bundle_settle(c, BUNDLE_PART_EVENT_LOG, BUNDLE_UNPROVEN, "event-log-foreign",
                              "The event log leads to none of the quoted values: it is of another boot, altered, or "
                              "not of these banks");
        else if (missed != 0)
                bundle_settle(c, BUNDLE_PART_EVENT_LOG, BUNDLE_UNPROVEN, "event-log-partial",
                              "The event log does not lead to the values of PCRs %s, which others extended too, or it "
                              "is not the whole truth", list);
        else
                bundle_settle(c, BUNDLE_PART_EVENT_LOG, BUNDLE_OK, NULL, "Leads to every quoted value");
}

int bundle_judge_event_log(const BundleCase *c, Error *e) {
        const BundleTpm *t = &c->bundle->tpm;
        VtpmEventLog log;
        Error why = {};
        int r;

        if (t->event_log.size == 0) {
                bundle_settle(c, BUNDLE_PART_EVENT_LOG, BUNDLE_ABSENT, "event-log-absent", "The bundle has no event log");
                return 0;
        }
        if (c->v->parts[BUNDLE_PART_PCRS].result != BUNDLE_OK || c->v->parts[BUNDLE_PART_QUOTE].result != BUNDLE_OK) {
                bundle_settle(c, BUNDLE_PART_EVENT_LOG, BUNDLE_NOT_DONE, "quote-unverified",
                              "There are no quoted values to compare with");
                return 0;
        }
        r = vtpm_event_log_open(t->event_log.data, t->event_log.size, &log, &why);
        for (size_t i = 0; i < t->n_pcrs && r == 0; i++)
                r = replay_bank(c, &log, i, &why);
        if (r < 0)
                return bundle_settle_error(c, BUNDLE_PART_EVENT_LOG, BUNDLE_FAILED, r, &why, e);
        settle_log(c);
        return 0;
}
