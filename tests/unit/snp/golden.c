/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/snp/golden.h"

#include <string.h>

static void fill(uint8_t *report, size_t offset, size_t n, uint8_t first) {
        for (size_t i = 0; i < n; i++)
                report[offset + i] = (uint8_t) (first + i);
}

void golden_report(uint32_t version, uint8_t ret[static SNP_REPORT_SIZE]) {
        (void) memset(ret, 0, SNP_REPORT_SIZE);
        ret[0x000] = (uint8_t) version;
        fill(ret, 0x004, 4, 0x04);                             /* GUEST_SVN */
        (void) memcpy(ret + 0x008, "\x1f\x05\xaf\x03", 4);      /* POLICY: ABI 5.31, all bits but 20 and 22 */
        fill(ret, 0x010, 16, 0x10);                            /* FAMILY_ID */
        fill(ret, 0x020, 16, 0x20);                            /* IMAGE_ID */
        ret[0x030] = 2;                                        /* VMPL */
        ret[0x034] = 1;                                        /* SIGNATURE_ALGO */
        fill(ret, 0x038, 8, 0x31);                             /* CURRENT_TCB */
        (void) memcpy(ret + 0x040, "\x65\x01\0\0\0\0\0\x80", 8); /* PLATFORM_INFO with bits 6, 8 and 63 */
        ret[0x048] = 0x05;                                     /* AUTHOR_KEY_EN, SIGNING_KEY 1 */
        fill(ret, 0x050, 64, 0x50);                            /* REPORT_DATA */
        fill(ret, 0x090, 48, 0x90);                            /* MEASUREMENT */
        fill(ret, 0x0C0, 32, 0xC0);                            /* HOST_DATA */
        fill(ret, 0x0E0, 48, 0xE0);                            /* ID_KEY_DIGEST */
        fill(ret, 0x110, 48, 0x11);                            /* AUTHOR_KEY_DIGEST */
        fill(ret, 0x140, 32, 0x41);                            /* REPORT_ID */
        fill(ret, 0x160, 32, 0x61);                            /* REPORT_ID_MA */
        fill(ret, 0x180, 8, 0x81);                             /* REPORTED_TCB */
        if (version >= 3)
                (void) memcpy(ret + 0x188, "\x1a\x11\x07", 3); /* CPUID family, model, stepping */
        fill(ret, 0x1A0, 64, 0xA1);                            /* CHIP_ID */
        fill(ret, 0x1E0, 8, 0xE1);                             /* COMMITTED_TCB */
        fill(ret, 0x1E8, 3, 0xE8);                             /* CURRENT build, minor, major */
        fill(ret, 0x1EC, 3, 0xEC);                             /* COMMITTED build, minor, major */
        fill(ret, 0x1F0, 8, 0xF1);                             /* LAUNCH_TCB */
        if (version >= 5) {
                fill(ret, 0x1F8, 8, 0x71);                     /* LAUNCH_MIT_VECTOR */
                fill(ret, 0x200, 8, 0x79);                     /* CURRENT_MIT_VECTOR */
        }
        fill(ret, 0x2A0, 72, 0x02);                            /* R */
        fill(ret, 0x2E8, 72, 0x52);                            /* S */
}
