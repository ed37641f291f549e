/* SPDX-License-Identifier: Apache-2.0 */
#include "snp/guid.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "base/reader.h"

bool snp_guid_equal(const SnpGuid *a, const SnpGuid *b) {
        return memcmp(a->bytes, b->bytes, SNP_GUID_SIZE) == 0;
}

bool snp_guid_is_null(const SnpGuid *guid) {
        return bytes_are_zero(guid->bytes, SNP_GUID_SIZE);
}

SnpGuid snp_guid_swap(const SnpGuid *guid) {
        static const uint8_t order[SNP_GUID_SIZE] = { 3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15 };
        SnpGuid ret;

        for (size_t i = 0; i < SNP_GUID_SIZE; i++)
                ret.bytes[i] = guid->bytes[order[i]];
        return ret;
}

int snp_guid_parse(const char *text, SnpGuid *ret) {
        char digits[2 * SNP_GUID_SIZE];
        size_t n = 0;

        if (strlen(text) != SNP_GUID_TEXT_SIZE - 1)
                return -EINVAL;
        for (size_t i = 0; i < SNP_GUID_TEXT_SIZE - 1; i++)
                if (i == 8 || i == 13 || i == 18 || i == 23) {
                        if (text[i] != '-')
                                return -EINVAL;
                } else
                        digits[n++] = text[i];
        return hex_decode_exact(digits, n, ret->bytes, SNP_GUID_SIZE) < 0 ? -EINVAL : 0;
}

void snp_guid_format(const SnpGuid *guid, char ret[static SNP_GUID_TEXT_SIZE]) {
        const uint8_t *b = guid->bytes;

        (void) snprintf(ret, SNP_GUID_TEXT_SIZE,
                        "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1], b[2], b[3],
                        b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]);
}
