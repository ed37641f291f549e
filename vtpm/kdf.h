/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Key derivation as TPMs do it: TPM 2.0 Library Part 1, "KDFa()" (SP 800-108 in counter mode with HMAC) and "KDFe()"
 * (SP 800-56C, one step). Labels are given without their NUL, which is always hashed too. Outputs are secrets: the
 * caller gives room for them in one.
 */

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "vtpm/bytes.h"

/* @ret: @size bytes, the number of bits asked for divided by eight. 0; -EOPNOTSUPP unknown hash; -EIO. */
WARN_UNUSED int vtpm_kdfa(uint16_t hash, VtpmBytes key, const char *label, VtpmBytes context_u, uint8_t *ret,
                          size_t size, Error *e);
WARN_UNUSED int vtpm_kdfe(uint16_t hash, VtpmBytes z, const char *label, VtpmBytes party_u, VtpmBytes party_v,
                          uint8_t *ret, size_t size, Error *e);
