/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Endorsement keys: storage keys that a TPM derives from its endorsement seed by a published template, so that its
 * maker, or whoever vouches for it, can name them beforehand. Source: TCG EK Credential Profile for TPM Family 2.0,
 * "Default EK Templates" and "NV index assignments". For vtpm/ alone where it names handles.
 */

#include <stddef.h>
#include <stdint.h>

#include "base/blob.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "vtpm/context.h"

typedef enum VtpmEkProfile {
        VTPM_EK_RSA2048,      /* L-1, the one every cloud has */
        VTPM_EK_ECC_P256,     /* L-2 */
        VTPM_EK_RSA2048_HIGH, /* H-1 */
        VTPM_EK_ECC_P256_HIGH, /* H-2 */
        VTPM_EK_ECC_P384,     /* H-3 */
        VTPM_N_EK_PROFILES,
} VtpmEkProfile;

/* "rsa2048", "ecc-p256", "rsa2048-high", "ecc-p256-high", "ecc-p384". */
const char *vtpm_ek_profile_name(VtpmEkProfile profile);
WARN_UNUSED int vtpm_ek_profile_parse(const char *text, VtpmEkProfile *ret, Error *e);

/* TPMT_PUBLIC that the key is made from. 0 or -ENOMEM. */
WARN_UNUSED int vtpm_ek_template(VtpmEkProfile profile, Blob *ret, Error *e);

/* The key's TPMT_PUBLIC, the key itself is flushed again. Checked to be what the template says. */
WARN_UNUSED int vtpm_ek_public(VtpmContext *ctx, VtpmEkProfile profile, Blob *ret_public, Error *e);

/*
 * The DER certificate from the NV index of the profile, without padding. 0; -ENOENT this TPM has none; -EBADMSG what is
 * there is no certificate, or not of the key @ek_public (may be NULL: not compared); or as vtpm_nv_read().
 */
WARN_UNUSED int vtpm_ek_certificate(VtpmContext *ctx, VtpmEkProfile profile, const Blob *ek_public, Blob *ret, Error *e);
