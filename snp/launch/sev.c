/* SPDX-License-Identifier: Apache-2.0 */
#include "snp/launch/sev.h"

#include <errno.h>

#include "snp/launch/ovmf.h"

DEFINE_CLEANUP(EVP_MD_CTX *, EVP_MD_CTX_free);

static bool add_vcpu(EVP_MD_CTX *md, const SnpLaunch *launch, uint32_t eip) {
        const SnpVcpu vcpu = {
                .kind = SNP_VCPU_SEV_ES,
                .vmm = launch->vmm,
                .eip = eip,
                .signature = launch->cpu_signature,
                .fpu_not_synced = launch->fpu_not_synced,
        };
        uint8_t page[SNP_PAGE_SIZE];

        snp_vmsa_make(&vcpu, page);
        return EVP_DigestUpdate(md, page, sizeof(page)) == 1;
}

static bool add_vcpus(EVP_MD_CTX *md, const SnpLaunch *launch, uint32_t ap_reset) {
        for (uint32_t i = 0; i < launch->n_vcpus; i++)
                if (!add_vcpu(md, launch, i == 0 ? SNP_RESET_EIP : ap_reset))
                        return false;
        return true;
}

static bool add_kernel(EVP_MD_CTX *md, const SnpKernelHashes *kernel) {
        uint8_t table[SNP_HASH_TABLE_SIZE];

        snp_kernel_hashes_encode(kernel, table);
        return EVP_DigestUpdate(md, table, sizeof(table)) == 1;
}

static bool measure(const SnpLaunch *launch, uint32_t ap_reset, SnpLaunchDigest *ret) {
        CLEANUP(EVP_MD_CTX_freep) EVP_MD_CTX *md = EVP_MD_CTX_new();

        return md && EVP_DigestInit_ex2(md, EVP_sha256(), NULL) == 1 &&
               EVP_DigestUpdate(md, launch->firmware, launch->firmware_size) == 1 &&
               (!launch->kernel || add_kernel(md, launch->kernel)) &&
               (launch->mode == SNP_LAUNCH_SEV || add_vcpus(md, launch, ap_reset)) &&
               EVP_DigestFinal_ex(md, ret->bytes, NULL) == 1;
}

int snp_sev_measure(const SnpLaunch *launch, SnpLaunchDigest *ret, Error *e) {
        SnpLaunchDigest digest = { .size = SNP_HASH_SIZE };
        SnpOvmf ovmf;
        int r = snp_ovmf_parse(launch->firmware, launch->firmware_size, &ovmf, e);

        if (r == 0 && launch->kernel)
                r = snp_hash_area_check(&ovmf, false, e);
        if (r == 0 && launch->mode == SNP_LAUNCH_SEV_ES && ovmf.ap_reset == 0)
                r = error_set(e, -EBADMSG, "no-reset-block",
                              "The firmware does not say where application processors start");
        if (r < 0)
                return r;
        if (!measure(launch, ovmf.ap_reset, &digest))
                return error_oom(e);
        *ret = digest;
        return 0;
}
