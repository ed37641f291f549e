/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * TSS2_RC, the response codes of the TPM and of the software stack above it, in our errno vocabulary.
 * Source: TPM 2.0 Library Part 2, "Response Codes"; TCG TSS 2.0 Overview and Common Structures, "Return
 * Codes" (bits 16 to 23 name the layer).
 *
 *   EACCES      wrong authorisation or hierarchy; "tpm-lockout": dictionary-attack lockout, retrying makes it worse
 *   EBUSY       asked again until the retries were used up ("tpm-retry", "tpm-yielded", "tpm-testing", "tpm-nv-rate",
 *               "tpm-nv-unavailable"); or out of object, session or memory slots ("tpm-full")
 *   ENOENT      no such handle
 *   EEXIST      NV index defined already; ENODATA: never written; ENOSPC: no room for one; E2BIG: beyond its end
 *   EOPNOTSUPP  algorithm, curve, scheme or command not implemented
 *   ECONNRESET  the TPM is gone (the transport under it failed)
 *   EBADMSG     the answer is no TPM response
 *   EKEYREJECTED the answer's authentication does not hold
 *   EIO         anything else; "tpm-not-started" and "tpm-failure-mode" are told apart
 */

#include <stdbool.h>

#include <tss2/tss2_common.h>

#include "base/error.h"

/* True when the same command may succeed in a moment: RETRY, YIELDED, TESTING, NV_RATE. */
bool vtpm_rc_is_retryable(TSS2_RC rc);

/* True when the TPM itself answered, so that the connection to it is still good. */
bool vtpm_rc_is_from_tpm(TSS2_RC rc);

/* True for format-one codes (about a handle, session or parameter) whose error number is that of @code. */
bool vtpm_rc_is(TSS2_RC rc, TSS2_RC code);

/* Records @rc (not success) as the outcome of @what, with layer and name of the code. Return: negative errno. */
int vtpm_rc_error(TSS2_RC rc, const char *what, Error *e);
