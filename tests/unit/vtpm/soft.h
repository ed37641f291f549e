/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * An attestation key made by OpenSSL, and quotes signed with it: so that a test can have a correctly signed
 * quote of any content, also of one that no TPM would sign. Fails the running test when something goes wrong.
 */

#include <stddef.h>
#include <stdint.h>

#include <openssl/evp.h>

#include "base/blob.h"
#include "vtpm/attest.h"
#include "vtpm/pcr_values.h"
#include "vtpm/public.h"
#include "vtpm/signature.h"
#include "vtpm/verify.h"

typedef struct SoftAk {
        EVP_PKEY *key;
        VtpmPublic pub; /* as a TPM would describe it; a test may change it */
} SoftAk;

/* @scheme: VTPM_ALG_RSASSA, _RSAPSS (2048 bits) or _ECDSA (@curve: VtpmCurve). */
SoftAk soft_ak_new(uint16_t scheme, uint16_t hash, uint16_t curve);
void soft_ak_done(SoftAk *ak);
#define AUTO_SOFT_AK CLEANUP(soft_ak_done)

/* The TPMT_PUBLIC of @ak as it is now. */
Blob soft_public(const SoftAk *ak);
/* The key as a verifier holds it. */
VtpmAkPublic *soft_ak_public(const SoftAk *ak);
/* A signature with the scheme and hash of ak->pub. */
VtpmSignature soft_sign_raw(const SoftAk *ak, const void *data, size_t size);
Blob soft_sign(const SoftAk *ak, const void *data, size_t size);

/* Values of PCRs 0 to 23: the number of the PCR, repeated. */
VtpmPcrValues soft_pcrs(uint16_t hash, uint32_t mask);

#define SOFT_NONCE_SIZE 20
extern const uint8_t soft_nonce[SOFT_NONCE_SIZE];

/* A quote of @n banks of @pcrs, over soft_nonce, as a TPM makes it. The digest uses @hash. */
VtpmAttest soft_attest(const VtpmPcrValues *pcrs, size_t n, uint16_t hash);
/* What asks for exactly those. */
VtpmQuoteAsked soft_asked(const VtpmPcrValues *pcrs, size_t n);
Blob soft_attest_bytes(const VtpmAttest *attest);
