/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * An attestation key as a verifier holds it: checked once, used for many quotes. That this is the right
 * machine's key is for the caller to know (a certificate, a report that names it, enrolment).
 */

#include <stddef.h>
#include <stdint.h>

#include <openssl/types.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "vtpm/alg.h"
#include "vtpm/signature.h"

typedef struct VtpmAkPublic VtpmAkPublic;

/**
 * vtpm_ak_public_new() - a key from its TPMT_PUBLIC
 * @tpmt_public: not yet trusted
 *
 * The key must be one that signs nothing but what its TPM made (restricted, sign, not decrypt), that
 * cannot have been anywhere else (fixedTPM, sensitiveDataOrigin), and that has a scheme of its own without
 * SHA-1: TPM 2.0 Library Part 1, "Restricted Signing Keys"; TCG TPM v2.0 Provisioning Guidance on AKs.
 *
 * Return: 0; -EBADMSG malformed; -EKEYREJECTED the attributes or the scheme are not an attestation key's;
 * -EOPNOTSUPP algorithm; -ENOMEM; -EIO.
 */
WARN_UNUSED int vtpm_ak_public_new(const void *tpmt_public, size_t size, VtpmAkPublic **ret, Error *e);

/* The part of that which concerns attributes and scheme; also for a template, which has no key yet. */
struct VtpmPublic;
WARN_UNUSED int vtpm_ak_public_check(const struct VtpmPublic *pub, Error *e);

/**
 * vtpm_ak_public_new_from_key() - a key whose public area is not at hand
 * @key:     borrowed (its reference count is raised)
 * @scheme:  the only scheme it may sign with, VTPM_ALG_RSASSA, _RSAPSS or _ECDSA
 * @hash:    the only hash
 *
 * For keys whose attributes somebody trusted vouches for: nothing here can check them.
 *
 * Return: 0; -EINVAL @scheme does not fit @key; -EKEYREJECTED weak @hash or RSA below 2048 bits; -ENOMEM.
 */
WARN_UNUSED int vtpm_ak_public_new_from_key(EVP_PKEY *key, uint16_t scheme, uint16_t hash, VtpmAkPublic **ret,
                                            Error *e);

void vtpm_ak_public_free(VtpmAkPublic *ak);
DEFINE_CLEANUP(VtpmAkPublic *, vtpm_ak_public_free);

/* TPM name: hash id (2 bytes), digest of the TPMT_PUBLIC. Size 0 for a key without public area. */
const uint8_t *vtpm_ak_public_name(const VtpmAkPublic *ak, size_t *ret_size);
uint16_t vtpm_ak_public_scheme(const VtpmAkPublic *ak);
uint16_t vtpm_ak_public_hash(const VtpmAkPublic *ak);

/* 0; -EKEYREJECTED scheme or hash is not the key's own, or the signature does not hold; -ENOMEM. */
WARN_UNUSED int vtpm_ak_public_verify(const VtpmAkPublic *ak, const VtpmSignature *sig, const void *data, size_t size,
                                      Error *e);
