/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What a TPM says about itself: facts for people, and for deciding what to ask of it. None of it is signed, so none of
 * it is evidence. Source: TPM 2.0 Library Part 2, "TPM_PT", "TPMA_PERMANENT", "TPMA_STARTUP_CLEAR", "TPM_HT"; Part 3,
 * "TPM2_GetCapability", "TPM2_ReadClock".
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "vtpm/attest.h"
#include "vtpm/context.h"
#include "vtpm/pcr_values.h"

#define VTPM_INFO_ALGS_MAX 128u
#define VTPM_INFO_HANDLES_MAX 256u /* of one kind; a TPM with more is shown in part */
#define VTPM_INFO_KEYS_MAX 32u     /* persistent keys that are looked at */

typedef enum VtpmKeyRole {
        VTPM_KEY_OTHER,       /* what we have no name for, or cannot read */
        VTPM_KEY_ATTESTATION, /* passes vtpm_ak_public_new() */
        VTPM_KEY_ENDORSEMENT, /* restricted storage key where TCG puts endorsement keys: 0x81010000 to 0x8101ffff */
        VTPM_KEY_STORAGE,     /* restricted, decrypts: may be the parent of others */
        VTPM_KEY_SIGNING,     /* signs anything it is given */
} VtpmKeyRole;

typedef struct VtpmInfoKey {
        uint32_t handle;
        VtpmKeyRole role;
        uint16_t type;   /* VTPM_ALG_RSA, VTPM_ALG_ECC; 0: not known */
        uint16_t bits;   /* of an RSA key's modulus or an elliptic curve's coordinate */
        uint16_t scheme; /* VTPM_ALG_NULL: the key leaves it to its user; 0: not known */
        uint16_t scheme_hash;
} VtpmInfoKey;

/* Handles of one kind. */
typedef struct VtpmInfoHandles {
        size_t n;
        uint32_t list[VTPM_INFO_HANDLES_MAX];
} VtpmInfoHandles;

typedef struct VtpmInfo {
        /* texts are cleaned: printable ASCII, without trailing blanks */
        char family[5];       /* "2.0" */
        char manufacturer[5]; /* TCG Vendor ID Registry: "IBM", "MSFT", "AMD" */
        char vendor[17];
        uint32_t spec_level, spec_revision; /* 138 is revision 1.38 */
        uint32_t spec_year, spec_day;       /* day of that year */
        uint64_t firmware_version;

        uint32_t nv_index_max;  /* bytes of one index */
        uint32_t nv_buffer_max; /* bytes of one NV command; 0: not told */
        uint32_t input_buffer_max;

        bool owner_auth, endorsement_auth, lockout_auth; /* a password was set */
        bool clear_disabled;
        bool platform_enabled, owner_enabled, endorsement_enabled;
        bool orderly; /* it was shut down before this start */

        bool in_lockout; /* dictionary-attack protection holds */
        uint32_t lockout_count, lockout_max;
        uint32_t lockout_interval_sec, lockout_recovery_sec;

        VtpmClock clock; /* of TPM2_ReadClock: undisguised */
        VtpmPcrSelection banks;
        size_t n_algs;
        uint16_t algs[VTPM_INFO_ALGS_MAX];

        VtpmInfoHandles nv, persistent;
        VtpmInfoHandles transient, sessions; /* through a resource manager: of this connection alone */
        size_t n_keys;
        VtpmInfoKey keys[VTPM_INFO_KEYS_MAX]; /* the persistent handles, first ones first */
} VtpmInfo;

/**
 * vtpm_info_read() - ask for all of it; changes nothing
 *
 * What a TPM leaves out is zero. Return: 0; -EBADMSG the TPM answered something else; or as VTPM_CALL().
 */
WARN_UNUSED int vtpm_info_read(VtpmContext *ctx, VtpmInfo *ret, Error *e);

/* "attestation", "endorsement", "storage", "signing", "other" */
const char *vtpm_key_role_name(VtpmKeyRole role);
