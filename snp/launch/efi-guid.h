/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* GUIDs in the byte order of EFI: the first three groups little-endian (UEFI specification, appendix A). */

#include <stdint.h>

#define EFI_GUID_SIZE 16

/* EFI_GUID(0x00112233, 0x4455, 0x6677, 0x8899, 0xaabbccddeeff) initialises the bytes of
 * 00112233-4455-6677-8899-aabbccddeeff. */
#define EFI_GUID(a, b, c, d, e)                                                                                  \
        {                                                                                                        \
                EFI_BYTE(a, 0), EFI_BYTE(a, 8), EFI_BYTE(a, 16), EFI_BYTE(a, 24), EFI_BYTE(b, 0),                \
                        EFI_BYTE(b, 8), EFI_BYTE(c, 0), EFI_BYTE(c, 8), EFI_BYTE(d, 8), EFI_BYTE(d, 0),          \
                        EFI_BYTE(e, 40), EFI_BYTE(e, 32), EFI_BYTE(e, 24), EFI_BYTE(e, 16), EFI_BYTE(e, 8),      \
                        EFI_BYTE(e, 0),                                                                          \
        }
#define EFI_BYTE(v, shift) ((uint8_t) (UINT64_C(v) >> (shift)))
