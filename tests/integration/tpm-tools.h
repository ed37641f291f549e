/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What tests against a real TPM do over and over. Each fails the running test when something goes wrong. */

#include <stddef.h>
#include <stdint.h>

#include <openssl/evp.h>

#include "base/blob.h"
#include "base/deadline.h"
#include "tests/integration/swtpm.h"
#include "vtpm/context.h"
#include "vtpm/esys.h"

#define TPM_USEC (30 * USEC_PER_SEC) /* a busy machine under sanitizers */

VtpmContext *tpm_open(const char *tcti);

/* @r is @want, and the reason is @reason (NULL for success). */
void tpm_must_be(int r, int want, const char *reason, const Error *e);

/* No transient object and no session is in the TPM. */
void tpm_must_be_clean(const Swtpm *tpm);

/* Runs a program of tpm2-tools that must succeed; arguments up to NULL. */
void tpm_tool(const Swtpm *tpm, const char *first, ...) __attribute__((__sentinel__));

/* A file in the TPM's directory. */
Blob tpm_file_read(const Swtpm *tpm, const char *name);
void tpm_file_write(const Swtpm *tpm, const char *name, const void *data, size_t size);

/* A self-signed certificate of @key, DER. @signer: with a key that can sign; NULL: @key itself can. */
Blob tpm_certificate(EVP_PKEY *key, EVP_PKEY *signer);
/* Defines a platform's index and fills it with these bytes. */
void tpm_nv_put(const Swtpm *tpm, uint32_t index, const void *data, size_t size);
