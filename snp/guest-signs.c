/* SPDX-License-Identifier: Apache-2.0 */
#include "snp/guest-signs.h"

#include <cpuid.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "snp/device-internal.h"

#define VMPL_TEXT_MAX 64
/* AMD publication 24594 (APM volume 3), CPUID Fn8000_001F: encrypted memory capabilities. */
#define CPUID_ENCRYPTED_MEMORY 0x8000001Fu
#define CPUID_SNP (1u << 4) /* EAX */

static bool cpuid_offers_snp(void) {
        unsigned eax = 0, ebx, ecx, edx;

        return __get_cpuid(CPUID_ENCRYPTED_MEMORY, &eax, &ebx, &ecx, &edx) == 1 && (eax & CPUID_SNP) != 0;
}

const SnpGuestSigns snp_guest_signs = {
        .platform_path = "/sys/devices/platform/sev-guest",
        .vmpl_path = "/sys/devices/system/cpu/sev/vmpl",
        .cpu_offers_snp = cpuid_offers_snp,
};

bool snp_guest_is_one(const SnpGuestSigns *signs) {
        return access(signs->platform_path, F_OK) == 0 || access(signs->vmpl_path, F_OK) == 0;
}

uint32_t snp_guest_vmpl(const SnpGuestSigns *signs) {
        AUTO_FREE char *text = NULL;
        uint64_t vmpl;

        if (file_read_text(signs->vmpl_path, VMPL_TEXT_MAX, &text, NULL) < 0)
                return 0;
        text[strcspn(text, "\n")] = 0;
        return text_to_u64(text, 10, 0, SNP_VMPL_MAX, &vmpl) < 0 ? 0 : (uint32_t) vmpl;
}

int snp_guest_no_source(const SnpGuestSigns *signs, const char *tried, Error *e) {
        if (snp_guest_is_one(signs))
                return error_set(e, -ENODEV, "snp-driver-missing", "This is an SEV-SNP guest, but its kernel offers no "
                                 "way to ask for reports; load the driver sev-guest (Linux 5.19, CONFIG_SEV_GUEST): "
                                 "%s", tried);
        if (signs->cpu_offers_snp())
                return error_set(e, -ENODEV, "snp-kernel-missing", "The processor offers SEV-SNP, but this kernel is "
                                 "no SNP guest; launch the VM as one, with Linux 5.19 or later: %s", tried);
        return error_set(e, -ENODEV, "no-snp-device", "This machine is no SEV-SNP guest: %s", tried);
}
