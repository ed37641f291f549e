/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * One attestation key says of another that both live in one TPM: TPM2_Certify. So trust in a key that a platform
 * vouches for (Azure's in its report, Google's by a certificate) extends to one of the kind that a verifier likes
 * better.
 */

#include <stddef.h>
#include <stdint.h>

#include "base/blob.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "vtpm/ak_public.h"
#include "vtpm/ak_spec.h"
#include "vtpm/attest.h"
#include "vtpm/bytes.h"
#include "vtpm/context.h"

#define VTPM_ST_ATTEST_CERTIFY 0x8017u

/* TPMS_ATTEST of a certified object: TPM 2.0 Library Part 2, "TPMS_CERTIFY_INFO". */
typedef struct VtpmCertify {
        uint8_t signer[VTPM_NAME_MAX]; /* qualified name of the key that signed */
        size_t signer_size;
        uint8_t extra[VTPM_EXTRA_DATA_MAX]; /* the nonce */
        size_t extra_size;
        VtpmClock clock;
        uint64_t firmware_version;
        uint8_t name[VTPM_NAME_MAX]; /* of the object certified */
        size_t name_size;
        uint8_t qualified_name[VTPM_NAME_MAX];
        size_t qualified_name_size;
} VtpmCertify;

/* Decodes the form alone. 0; -EBADMSG; -EPROTO an attestation of another kind; -E2BIG. */
WARN_UNUSED int vtpm_certify_parse(const void *data, size_t size, VtpmCertify *ret, Error *e);
/* The bytes vtpm_certify_parse() reads back. 0 or -ENOMEM. */
WARN_UNUSED int vtpm_certify_encode(const VtpmCertify *c, Blob *ret);

/* What there is to judge; all borrowed, none trusted. */
typedef struct VtpmCertifyBytes {
        VtpmBytes attest;    /* TPMS_ATTEST */
        VtpmBytes signature; /* TPMT_SIGNATURE */
        VtpmBytes public;    /* TPMT_PUBLIC of the key that is said to be certified */
} VtpmCertifyBytes;

/**
 * vtpm_certify_verify() - the key that @by has certified, for use like @by itself
 * @nonce: what the caller has asked with
 *
 * Return: 0; -EKEYREJECTED signature, or another key than @what->public, or one that is no attestation key; -ESTALE
 * another nonce; -EBADMSG malformed; -EPROTO no certification; -EINVAL @nonce is empty; -ENOMEM, -EIO.
 */
WARN_UNUSED int vtpm_certify_verify(const VtpmAkPublic *by, const VtpmCertifyBytes *what, VtpmBytes nonce,
                                    VtpmAkPublic **ret, Error *e);

typedef struct VtpmCertification {
        Blob attest, signature;
        Blob by, public; /* TPMT_PUBLIC of both keys */
} VtpmCertification;
void vtpm_certification_done(VtpmCertification *c);
#define AUTO_VTPM_CERTIFICATION CLEANUP(vtpm_certification_done)

/* Has @by certify @what, over a nonce of 1 to 64 bytes. 0; -EINVAL; or as vtpm_ak_load() and VTPM_CALL(). */
WARN_UNUSED int vtpm_certify(VtpmContext *ctx, const VtpmAkSpec *by, const VtpmAkSpec *what, VtpmBytes nonce,
                             VtpmCertification *ret, Error *e);
