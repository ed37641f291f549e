/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What evidence is bound to: a digest over the broker's nonce and our public key, as the key-broker protocol of
 * Trustee defines it (kbs/docs/kbs_attestation_protocol.md, version 0.4.0).
 */

#include <json-c/json_object.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"

typedef enum KbcHash {
        KBC_HASH_SHA384, /* unless the challenge selects another */
        KBC_HASH_SHA256,
        KBC_HASH_SHA512,
} KbcHash;

#define KBC_DIGEST_MAX 64

typedef struct KbcReportData {
        uint8_t bytes[KBC_DIGEST_MAX]; /* the digest, then zeros: all 64 bytes are REPORT_DATA of an SNP report */
        size_t digest_size;            /* what a TPM quote takes as qualifying data */
} KbcReportData;

/* "sha256", "sha384", "sha512" in either case. 0; -EOPNOTSUPP "sm3", -EBADMSG anything else. */
WARN_UNUSED int kbc_hash_from_name(const char *name, KbcHash *ret, Error *e);

/**
 * kbc_report_data() - H(JCS({"additional-evidence": ..., "nonce": ..., "tee-pubkey": ...}))
 * @nonce:                exactly as received; never decoded
 * @tee_pubkey:           the JWK that the broker gets, borrowed
 * @additional_evidence:  exactly as sent, "" when there is none; NULL leaves the member out, which is the form
 *                        that additional devices are bound to
 */
WARN_UNUSED int kbc_report_data(KbcHash hash, const char *nonce, json_object *tee_pubkey,
                                const char *additional_evidence, KbcReportData *ret, Error *e);
