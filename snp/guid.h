/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * GUIDs, kept in the order of their text (RFC 4122). Tables of EFI and of an SVSM hold them mixed-endian: the first
 * three groups little-endian (UEFI specification, appendix A).
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"

#define SNP_GUID_SIZE 16
#define SNP_GUID_TEXT_SIZE 37 /* 36 characters and a NUL */

typedef struct SnpGuid {
        uint8_t bytes[SNP_GUID_SIZE];
} SnpGuid;

bool snp_guid_equal(const SnpGuid *a, const SnpGuid *b);
bool snp_guid_is_null(const SnpGuid *guid);

/* Either way between textual and mixed-endian order. */
SnpGuid snp_guid_swap(const SnpGuid *guid);

/* "c476f1eb-0123-45a5-9641-b4e7dde5bfe3", in either case of letters. 0 or -EINVAL. */
WARN_UNUSED int snp_guid_parse(const char *text, SnpGuid *ret);
void snp_guid_format(const SnpGuid *guid, char ret[static SNP_GUID_TEXT_SIZE]);
