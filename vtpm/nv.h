/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * NV indices: the TPM's own storage, where platforms leave certificates and reports (TPM 2.0 Library Part 2,
 * "NV Storage Structures"; Part 3, "Non-volatile Storage"). Authorisation is by the owner hierarchy with an empty
 * password, and by the index itself where the owner may not.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/blob.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "vtpm/context.h"

#define VTPM_NV_SIZE_MAX (16u * 1024u) /* more than any TPM has; nothing larger is read or allocated */

/* TPMA_NV, TPM 2.0 Library Part 2; those we look at or set. */
#define VTPM_NV_PPWRITE 0x00000001u
#define VTPM_NV_OWNERWRITE 0x00000002u
#define VTPM_NV_AUTHWRITE 0x00000004u
#define VTPM_NV_PPREAD 0x00010000u
#define VTPM_NV_OWNERREAD 0x00020000u
#define VTPM_NV_AUTHREAD 0x00040000u
#define VTPM_NV_NO_DA 0x02000000u
#define VTPM_NV_WRITTEN 0x20000000u
#define VTPM_NV_PLATFORMCREATE 0x40000000u

typedef struct VtpmNvPublic {
        uint32_t index;
        uint16_t name_alg;
        uint32_t attributes; /* VTPM_NV_* and others */
        uint16_t size;       /* of its data, bytes */
} VtpmNvPublic;

/* 0; -ENOENT no such index ("nv-absent"); or as VTPM_CALL(). */
WARN_UNUSED int vtpm_nv_public(VtpmContext *ctx, uint32_t index, VtpmNvPublic *ret, Error *e);

/**
 * vtpm_nv_read() - all data of an index, in chunks that this TPM takes, from offset 0 upward
 *
 * Return: 0; -ENOENT no such index; -ENODATA it was never written ("nv-unwritten"); -EACCES neither owner nor index may
 * be read with an empty password; -E2BIG beyond @max; or as VTPM_CALL().
 */
WARN_UNUSED int vtpm_nv_read(VtpmContext *ctx, uint32_t index, size_t max, Blob *ret, Error *e);

/* At offset 0. 0; -ENOENT; -E2BIG larger than the index; -EACCES; or as VTPM_CALL(). */
WARN_UNUSED int vtpm_nv_write(VtpmContext *ctx, uint32_t index, const void *data, size_t size, Error *e);

/* An index of the owner's, OWNERREAD and OWNERWRITE, empty password, name of SHA-256. 0; -EEXIST; -E2BIG; -ENOSPC. */
WARN_UNUSED int vtpm_nv_define(VtpmContext *ctx, uint32_t index, uint16_t size, Error *e);
/* An index of the owner's. 0; -ENOENT; -EACCES. */
WARN_UNUSED int vtpm_nv_undefine(VtpmContext *ctx, uint32_t index, Error *e);
