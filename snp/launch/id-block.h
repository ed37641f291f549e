/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * ID block: who a guest is meant to be, signed. The firmware starts the guest only if digest and policy are those of
 * the block, and puts the rest of it and the digests of the keys into every report (AMD publication 56860,
 * SNP_LAUNCH_FINISH, tables "Structure of the ID Block" and "Structure of the ID Authentication Information").
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "snp/launch/gctx.h"
#include "snp/launch/id-key.h"
#include "snp/launch/igvm.h"

#define SNP_ID_BLOCK_SIZE 96
#define SNP_ID_AUTH_SIZE 4096
#define SNP_ID_BLOCK_VERSION 1
#define SNP_ID_SIZE 16

typedef struct SnpIdBlock {
        uint8_t ld[SNP_LD_SIZE];
        uint8_t family_id[SNP_ID_SIZE], image_id[SNP_ID_SIZE]; /* the owner's own */
        uint32_t guest_svn;
        uint64_t policy; /* SNP_POLICY_* of snp/report.h */
} SnpIdBlock;

void snp_id_block_encode(const SnpIdBlock *block, uint8_t ret[static SNP_ID_BLOCK_SIZE]);
/* -EBADMSG reason "bad-format": size or version. */
WARN_UNUSED int snp_id_block_parse(const void *data, size_t size, SnpIdBlock *ret, Error *e);

/**
 * snp_id_auth_sign() - the authentication information that goes with a block
 * @id_key: private; signs the block
 * @author_key: private; signs the ID key. NULL: no author key, to be used with author-key-enabled=off
 */
WARN_UNUSED int snp_id_auth_sign(const uint8_t block[static SNP_ID_BLOCK_SIZE], EVP_PKEY *id_key, EVP_PKEY *author_key,
                                 uint8_t ret[static SNP_ID_AUTH_SIZE], Error *e);

typedef enum SnpIdOutcome {
        SNP_ID_REJECT = 0,
        SNP_ID_ACCEPT,
} SnpIdOutcome;

typedef struct SnpIdVerdict {
        SnpIdOutcome outcome;
        Error why; /* of a rejection: reason "bad-format", "bad-id-block-signature" or "bad-id-key-signature" */
        /* What a report will carry; valid when accepted. */
        SnpIdBlock block;
        uint8_t id_key_digest[SNP_ID_KEY_DIGEST_SIZE];
        uint8_t author_key_digest[SNP_ID_KEY_DIGEST_SIZE]; /* zero without author key */
} SnpIdVerdict;

/**
 * snp_id_verify() - whether the firmware would take a pair
 * @author_key_enabled: as the launch will say; if not, nothing is asked of the author's signature
 *
 * Return: 0 judged, either way; -ENOMEM, -EIO.
 */
WARN_UNUSED int snp_id_verify(const void *block, size_t block_size, const void *auth, size_t auth_size,
                              bool author_key_enabled, SnpIdVerdict *ret, Error *e);

/**
 * snp_id_from_igvm() - the pair that a loader makes of IGVM_VHS_SNP_ID_BLOCK
 *
 * Return: 0; -ENOENT the file has none. Whether it holds: snp_id_verify().
 */
WARN_UNUSED int snp_id_from_igvm(const SnpIgvm *igvm, uint8_t ret_block[static SNP_ID_BLOCK_SIZE],
                                 uint8_t ret_auth[static SNP_ID_AUTH_SIZE], bool *ret_author_key_enabled, Error *e);
