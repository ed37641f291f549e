/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Measurements made while the system runs, in the form of Confidential Containers' attestation agent event log (AAEL): a
 * crypto-agile event of type EV_EVENT_TAG with one digest, whose data is a tagged event of the text
 * "DOMAIN OPERATION CONTENT". The digest is of the whole tagged event. Verifiers replay it like firmware's log.
 *
 * Source: confidential-containers/trustee, kbs/docs/confidential-containers-eventlog.md; TCG PC Client Platform Firmware
 * Profile, "TCG_PCR_EVENT2", "TCG_PCClientTaggedEvent" and "TCG_EfiSpecIDEvent".
 */

#include <stddef.h>
#include <stdint.h>

#include "base/blob.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "vtpm/alg.h"
#include "vtpm/event-log.h"

#define VTPM_AAEL_WORD_MAX 256u     /* of domain and of operation, bytes */
#define VTPM_AAEL_CONTENT_MAX 4096u

typedef struct VtpmAaelText {
        const char *text; /* borrowed, not NUL-terminated */
        size_t len;
} VtpmAaelText;

typedef struct VtpmAaelEntry {
        VtpmAaelText domain, operation; /* printable ASCII without space, not empty */
        VtpmAaelText content;           /* without control characters; may be empty */
} VtpmAaelEntry;

/* What the log cannot carry is -EINVAL ("measurement-text"). */
WARN_UNUSED int vtpm_aael_check(const VtpmAaelEntry *entry, Error *e);

/**
 * vtpm_aael_encode() - the event for a log
 * @ret:        TCG_PCR_EVENT2; owned by the caller
 * @ret_digest: what the PCR is extended with; room for vtpm_hash_size(@hash) bytes
 *
 * Return: 0; as vtpm_aael_check(); -EOPNOTSUPP unknown hash; -ENOMEM; -EIO.
 */
WARN_UNUSED int vtpm_aael_encode(const VtpmAaelEntry *entry, uint32_t pcr, uint16_t hash, Blob *ret,
                                 uint8_t ret_digest[static VTPM_DIGEST_MAX], Error *e);

/**
 * vtpm_aael_parse() - what an event of a log says
 *
 * Return: 0, @ret borrows from the event; -ENOENT it is an event of another kind; -EBADMSG it bears the tag and has not
 * the form, or its digest is not that of its data.
 */
WARN_UNUSED int vtpm_aael_parse(const VtpmEvent *event, VtpmAaelEntry *ret, Error *e);

/* The event that a log of one bank begins with, so that whatever reads firmware's logs reads this one too. */
#define VTPM_AAEL_HEADER_SIZE 65u
void vtpm_aael_header(uint16_t hash, uint8_t ret[static VTPM_AAEL_HEADER_SIZE]);
