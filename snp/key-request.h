/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What a derived key is made of (AMD publication 56860, MSG_KEY_REQ): the firmware mixes a root key of the chip or
 * of the guest with chosen properties of the guest that asks. Whoever can run a guest with the same properties on
 * the same chip gets the same key, so the choice is the protection.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"

#define SNP_DERIVED_KEY_SIZE 32

typedef enum SnpRootKey {
        SNP_ROOT_KEY_VCEK = 0, /* of the chip: the key is lost on another host */
        SNP_ROOT_KEY_VMRK = 1, /* of the guest, given by a migration agent and moved with it */
} SnpRootKey;

/* GUEST_FIELD_SELECT. */
#define SNP_KEY_POLICY (UINT64_C(1) << 0)
#define SNP_KEY_IMAGE_ID (UINT64_C(1) << 1)
#define SNP_KEY_FAMILY_ID (UINT64_C(1) << 2)
#define SNP_KEY_MEASUREMENT (UINT64_C(1) << 3)
#define SNP_KEY_GUEST_SVN (UINT64_C(1) << 4)
#define SNP_KEY_TCB_VERSION (UINT64_C(1) << 5)
/* Known, and refused: the request of the kernel's ABI has no room for the vector, which would be dropped silently. */
#define SNP_KEY_LAUNCH_MIT_VECTOR (UINT64_C(1) << 6)

typedef struct SnpKeyRequest {
        SnpRootKey root;
        uint64_t fields;    /* SNP_KEY_*; none: every guest on this chip gets the same key at this VMPL */
        uint32_t vmpl;      /* always mixed in; at least the kernel's own, or SNP_VMPL_AUTO for just that */
        uint32_t guest_svn; /* with SNP_KEY_GUEST_SVN, else 0; at most that of the launch */
        uint64_t tcb;       /* with SNP_KEY_TCB_VERSION, else 0; TCB_VERSION, at most the committed one */
} SnpKeyRequest;

/* -EINVAL for what cannot be meant, -EOPNOTSUPP for the launch mitigation vector. */
WARN_UNUSED int snp_key_request_check(const SnpKeyRequest *q, Error *e);

/* "policy", "image-id", "family-id", "measurement", "guest-svn", "tcb-version", "launch-mit-vector" for the bits 0 to 6;
 * NULL above. */
const char *snp_key_field_name(unsigned bit);
/* Its bit; 0 for a name that is none. @name need not be NUL-terminated. */
uint64_t snp_key_field_find(const char *name, size_t len);

/* "vcek", "vmrk". */
const char *snp_root_key_name(SnpRootKey root);
WARN_UNUSED int snp_root_key_find(const char *name, SnpRootKey *ret); /* 0 or -EINVAL */
