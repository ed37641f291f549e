/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A quote as files that tpm2_quote(1) and tpm2_checkquote(1) share with us: the message (TPMS_ATTEST), the signature
 * (TPMT_SIGNATURE, "tss"), the PCR file ("serialized") and the key (TPM2B_PUBLIC, or PEM).
 */

#include "agent/snpctl/args.h"
#include "base/blob.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "vtpm/ak_public.h"
#include "vtpm/pcr_values.h"

/* Names in a directory that holds a quote. */
#define TPM_FILE_MESSAGE "quote.msg"
#define TPM_FILE_SIGNATURE "quote.sig"
#define TPM_FILE_PCRS "quote.pcrs"
#define TPM_FILE_PUBLIC "ak.pub"
#define TPM_FILE_PEM "ak.pem"

/* Each may be NULL: with @dir the file in there, without it none. */
typedef struct TpmFileArgs {
        const char *dir, *message, *signature, *pcrs, *public;
} TpmFileArgs;

#define TPM_FILE_OPTIONS(type, member)                                                                                 \
        { "message", "FILE", "the quote itself (TPMS_ATTEST)", CTL_TEXT, offsetof(type, member.message) },             \
        { "signature", "FILE", "its signature (TPMT_SIGNATURE)", CTL_TEXT, offsetof(type, member.signature) },         \
        { "pcr-file", "FILE", "the PCR values (as tpm2_quote writes them)", CTL_TEXT, offsetof(type, member.pcrs) },   \
        { "public", "FILE", "the attestation key (TPM2B_PUBLIC)", CTL_TEXT, offsetof(type, member.public) }

typedef struct TpmFiles {
        Blob message, signature, pcrs, public;
} TpmFiles;
void tpm_files_done(TpmFiles *files);
#define AUTO_TPM_FILES CLEANUP(tpm_files_done)

/* All four. 0; -EINVAL with reason "usage" when one is not named; or as file_read(). */
WARN_UNUSED int tpm_files_read(const TpmFileArgs *args, TpmFiles *ret, Error *e);

/* Those that are named; a directory that is not there is made, and gets the key in PEM too. */
WARN_UNUSED int tpm_files_write(const TpmFileArgs *args, const TpmFiles *files, Error *e);

/* TPM2B_PUBLIC of a TPMT_PUBLIC. 0 or -ENOMEM. */
WARN_UNUSED int tpm_public_wrap(const Blob *tpmt, Blob *ret, Error *e);
/* The key of a TPMT_PUBLIC in PEM (SubjectPublicKeyInfo). */
WARN_UNUSED int tpm_public_pem(const Blob *tpmt, Blob *ret, Error *e);

/* The TPMT_PUBLIC in a file, borrowed from it: nothing for PEM. */
Blob tpm_public_unwrap(const Blob *file);

/**
 * tpm_public_read() - a key to verify with
 * @file:   TPM2B_PUBLIC, TPMT_PUBLIC, or PEM of a public key or a certificate
 * @scheme: for PEM, which does not say: "rsassa", "rsapss" or "ecdsa", with "-sha256", "-sha384" or "-sha512"; NULL:
 *          rsassa-sha256, ecdsa with the hash of the curve's strength
 * @ret_checked: the file showed that the key is an attestation key, and not one that signs anything
 *
 * Return: 0; -EINVAL with reason "usage"; -EBADMSG; -EKEYREJECTED no attestation key; -EOPNOTSUPP.
 */
WARN_UNUSED int tpm_public_read(const Blob *file, const char *scheme, VtpmAkPublic **ret, bool *ret_checked, Error *e);
