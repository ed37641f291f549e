/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Evidence as local callers get it:
 *
 *   {"tee":"snp","nonce":BASE64URL,"report":BASE64,
 *    "certificates":[{"kind":"VCEK","guid":HEX,"data":BASE64},...],
 *    "quote":{"attest":BASE64,"signature":BASE64,"ak_public":BASE64,"bank":"sha256","pcrs":{"0":HEX,...}}}
 *
 * REPORT_DATA of the report is the nonce with zeros behind it up to 64 bytes; the quote's extraData is the
 * nonce as it is. "quote" is there when a TPM is configured.
 */

#include "agent/evidence.h"

/* Heap text. A certificate table that cannot be parsed is left out; the report stands for itself. */
WARN_UNUSED int evidence_to_json(const Evidence *evidence, const void *nonce, size_t nonce_size, char **ret, Error *e);
