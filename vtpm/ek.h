/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Endorsement keys: storage keys that a TPM derives from its endorsement seed by a published template, so that its
 * maker, or whoever vouches for it, can name them beforehand. Source: TCG EK Credential Profile for TPM Family 2.0,
 * "Default EK Templates" and "NV index assignments". For vtpm/ alone where it names handles.
 */

#include <stdbool.h>
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

/* Hash of the key's name: VTPM_ALG_SHA256 or _SHA384. */
uint16_t vtpm_ek_name_alg(VtpmEkProfile profile);
/* True when the key may be used with its (empty) password; else only in a session with PolicySecret(endorsement). */
bool vtpm_ek_uses_password(VtpmEkProfile profile);

/* 0; -EKEYREJECTED @tpmt_public differs from the template in more than the key itself ("ek-template"); -EBADMSG. */
WARN_UNUSED int vtpm_ek_check(VtpmEkProfile profile, const Blob *tpmt_public, Error *e);

/**
 * vtpm_ek_load() - make the key usable
 * @ret_key:     the persistent one where there is one at the conventional handle, else transient; owned by the caller
 * @ret_public:  its TPMT_PUBLIC, as vtpm_ek_check() wants it; owned by the caller
 *
 * What lies at the conventional handle and is no such key is left alone, and the key derived anew. That it is the right
 * TPM's key is for the caller to know: see vtpm/session.h.
 *
 * Return: 0; -EKEYREJECTED the TPM made something else ("ek-template"); -EOPNOTSUPP it has no such algorithm; or as
 * VTPM_CALL().
 */
struct VtpmHandle; /* vtpm/esys.h */
WARN_UNUSED int vtpm_ek_load(VtpmContext *ctx, VtpmEkProfile profile, struct VtpmHandle *ret_key, Blob *ret_public,
                             Error *e);

/* The key's TPMT_PUBLIC; the key itself is flushed again. As vtpm_ek_load(). */
WARN_UNUSED int vtpm_ek_public(VtpmContext *ctx, VtpmEkProfile profile, Blob *ret_public, Error *e);

/*
 * The DER certificate from the NV index of the profile, without padding. 0; -ENOENT this TPM has none; -EBADMSG what is
 * there is no certificate, or not of the key @ek_public (may be NULL: not compared); or as vtpm_nv_read().
 */
WARN_UNUSED int vtpm_ek_certificate(VtpmContext *ctx, VtpmEkProfile profile, const Blob *ek_public, Blob *ret, Error *e);
