/* SPDX-License-Identifier: Apache-2.0 */

/*
 * One launch from beginning to end. Each mode is a sequence of steps on an SnpGctx; errors of hashing are sticky
 * there, so only the inputs are checked on the way.
 */

#include "snp/launch/measure.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "snp/launch/measure-internal.h"
#include "snp/launch/sections.h"
#include "snp/launch/sev.h"

#define FOUR_GIB (UINT64_C(1) << 32)

static void tell(const SnpStages *stages, const SnpGctx *g, const char *fmt, ...)
        __attribute__((__format__(__printf__, 3, 4)));

static void tell(const SnpStages *stages, const SnpGctx *g, const char *fmt, ...) {
        char name[80];
        va_list ap;

        if (!stages || g->error < 0)
                return;
        va_start(ap, fmt);
        (void) vsnprintf(name, sizeof(name), fmt, ap);
        va_end(ap);
        stages->add(stages->user, name, g->ld);
}

int snp_launch_check(const SnpLaunch *launch, Error *e) {
        if (launch->n_vcpus < 1 || launch->n_vcpus > SNP_VCPUS_MAX)
                return error_set(e, -EINVAL, "bad-vcpus", "A guest has 1 to %d vCPUs, not %" PRIu32, SNP_VCPUS_MAX,
                                 launch->n_vcpus);
        if (launch->mode == SNP_LAUNCH_SNP && !(launch->features & SNP_FEATURE_SNP_ACTIVE))
                return error_set(e, -EINVAL, "bad-features", "Guest features 0x%" PRIx64 " lack bit 0, without which "
                                 "a guest is no SNP guest", launch->features);
        if (launch->mode != SNP_LAUNCH_SNP && launch->vmm != SNP_VMM_QEMU)
                return error_set(e, -EOPNOTSUPP, "qemu-only", "Only QEMU starts guests in this mode, not %s",
                                 snp_vmm_name(launch->vmm));
        if (launch->mode == SNP_LAUNCH_SVSM && launch->kernel)
                return error_set(e, -EOPNOTSUPP, "kernel-hashes-unsupported",
                                 "There is no direct boot with kernel hashes under an SVSM");
        if (launch->mode != SNP_LAUNCH_SNP && launch->firmware_ld)
                return error_set(e, -EOPNOTSUPP, "snp-only", "In this mode the firmware itself must be hashed");
        return 0;
}

static int check_metadata(const SnpOvmf *ovmf, Error *e) {
        if (!ovmf->has_metadata)
                return error_set(e, -EBADMSG, "no-sev-metadata",
                                 "The firmware has no SEV metadata: it cannot start SNP guests");
        return 0;
}

int snp_launch_check_firmware(const SnpOvmf *ovmf, bool with_kernel, Error *e) {
        int r = check_metadata(ovmf, e);

        if (r < 0)
                return r;
        if (ovmf->ap_reset == 0)
                return error_set(e, -EBADMSG, "no-reset-block",
                                 "The firmware does not say where application processors start");
        return with_kernel ? snp_hash_area_check(ovmf, true, e) : 0;
}

void snp_vmsa_hash(SnpGctx *g, const SnpVcpu *vcpu, uint8_t ret[static SNP_LD_SIZE]) {
        uint8_t page[SNP_PAGE_SIZE];

        snp_vmsa_make(vcpu, page);
        snp_gctx_hash(g, page, sizeof(page), ret);
}

static SnpVcpu vcpu_of(const SnpLaunch *launch, SnpVcpuKind kind, uint32_t eip) {
        return (SnpVcpu){
                .kind = kind,
                .vmm = launch->vmm,
                .eip = eip,
                .signature = launch->cpu_signature,
                .features = launch->features,
                .fpu_not_synced = launch->fpu_not_synced,
                .svsm_fcw = launch->svsm_fcw,
        };
}

void snp_vmsa_hashes(SnpGctx *g, const SnpLaunch *launch, uint32_t ap_reset, SnpVmsaHashes *ret) {
        SnpVcpu bsp = vcpu_of(launch, SNP_VCPU_OVMF, SNP_RESET_EIP), ap = vcpu_of(launch, SNP_VCPU_OVMF, ap_reset);

        snp_vmsa_hash(g, &bsp, ret->bsp);
        snp_vmsa_hash(g, &ap, ret->ap);
}

static void measure_vcpus(SnpGctx *g, const SnpLaunch *launch, const SnpVmsaHashes *h, const SnpStages *stages) {
        uint64_t gpa = launch->vmsa_gpa ? launch->vmsa_gpa : SNP_VMSA_GPA;

        for (uint32_t i = 0; i < launch->n_vcpus; i++) {
                snp_gctx_page(g, SNP_PAGE_VMSA, gpa, i == 0 ? h->bsp : h->ap);
                tell(stages, g, "vmsa%" PRIu32, i);
        }
}

static void measure_sections(SnpGctx *g, const SnpLaunch *launch, const SnpOvmf *ovmf, const SnpStages *stages) {
        uint8_t page[SNP_PAGE_SIZE], hash[SNP_LD_SIZE];
        SnpSectionWalk walk = {};
        SnpSection s;

        if (launch->kernel) {
                snp_hash_page_make(ovmf, launch->kernel, page);
                snp_gctx_hash(g, page, sizeof(page), hash);
        }
        while (snp_section_next(ovmf, launch->vmm, &walk, &s)) {
                snp_section_measure(g, launch->vmm, &s, launch->kernel ? hash : NULL);
                tell(stages, g, "%s@0x%" PRIx32 "+0x%" PRIx32, snp_section_name(s.type), s.gpa, s.size);
        }
}

static int measure_snp(SnpGctx *g, const SnpLaunch *launch, const SnpStages *stages, Error *e) {
        SnpVmsaHashes vmsa;
        SnpOvmf ovmf;
        int r = snp_ovmf_parse(launch->firmware, launch->firmware_size, &ovmf, e);

        if (r < 0)
                return r;
        r = snp_launch_check_firmware(&ovmf, launch->kernel, e);
        if (r < 0)
                return r;
        if (launch->firmware_ld)
                (void) memcpy(g->ld, launch->firmware_ld, SNP_LD_SIZE);
        else
                snp_gctx_data(g, snp_ovmf_gpa(&ovmf), ovmf.data, ovmf.size);
        tell(stages, g, "firmware");
        measure_sections(g, launch, &ovmf, stages);
        snp_vmsa_hashes(g, launch, ovmf.ap_reset, &vmsa);
        measure_vcpus(g, launch, &vmsa, stages);
        return 0;
}

/* Where the SVSM's image lies: below the firmware and its variables. */
static int svsm_base(const SnpLaunch *launch, uint64_t *ret, Error *e) {
        uint64_t below = FOUR_GIB - launch->firmware_size;

        if (launch->vars_size % SNP_PAGE_SIZE != 0 || launch->vars_size > below ||
            launch->svsm_size > below - launch->vars_size)
                return error_set(e, -EINVAL, "bad-vars-size",
                                 "Variables of %" PRIu64 " bytes are no whole pages, or too many, between firmware and "
                                 "SVSM", launch->vars_size);
        *ret = below - launch->vars_size - launch->svsm_size;
        return 0;
}

static int parse_svsm(const SnpLaunch *launch, SnpOvmf *ret, Error *e) {
        int r = snp_ovmf_parse(launch->svsm, launch->svsm_size, ret, e);

        if (r == 0)
                r = check_metadata(ret, e);
        if (r == 0 && !ret->has_svsm_entry)
                r = error_set(e, -EBADMSG, "no-svsm-entry", "The SVSM's image does not say where it starts");
        if (r < 0)
                error_prefix(e, "SVSM");
        return r;
}

static int measure_svsm(SnpGctx *g, const SnpLaunch *launch, const SnpStages *stages, Error *e) {
        SnpVmsaHashes vmsa;
        SnpOvmf svsm;
        SnpVcpu vcpu;
        uint64_t base = 0;
        int r = snp_firmware_check_size(launch->firmware_size, e);

        if (r == 0)
                r = parse_svsm(launch, &svsm, e);
        if (r == 0)
                r = svsm_base(launch, &base, e);
        if (r < 0)
                return r;
        snp_gctx_data(g, FOUR_GIB - launch->firmware_size, launch->firmware, launch->firmware_size);
        tell(stages, g, "firmware");
        snp_gctx_data(g, base, svsm.data, svsm.size);
        tell(stages, g, "svsm@0x%" PRIx64, base);
        measure_sections(g, launch, &svsm, stages);
        vcpu = vcpu_of(launch, SNP_VCPU_SVSM, (uint32_t) base + svsm.svsm_entry);
        snp_vmsa_hash(g, &vcpu, vmsa.bsp);
        (void) memcpy(vmsa.ap, vmsa.bsp, SNP_LD_SIZE);
        measure_vcpus(g, launch, &vmsa, stages);
        return 0;
}

int snp_launch_measure(const SnpLaunch *launch, const SnpStages *stages, SnpLaunchDigest *ret, Error *e) {
        AUTO_SNP_GCTX SnpGctx g = {};
        int r = snp_launch_check(launch, e);

        if (r < 0)
                return r;
        if (launch->mode == SNP_LAUNCH_SEV || launch->mode == SNP_LAUNCH_SEV_ES)
                return snp_sev_measure(launch, ret, e);
        r = snp_gctx_init(&g, e);
        if (r < 0)
                return r;
        r = launch->mode == SNP_LAUNCH_SVSM ? measure_svsm(&g, launch, stages, e) : measure_snp(&g, launch, stages, e);
        if (r == 0)
                r = snp_gctx_check(&g, e);
        if (r < 0)
                return r;
        ret->size = SNP_LD_SIZE;
        (void) memcpy(ret->bytes, g.ld, SNP_LD_SIZE);
        return 0;
}

int snp_firmware_measure(const void *firmware, size_t size, uint8_t ret[static SNP_LD_SIZE], Error *e) {
        AUTO_SNP_GCTX SnpGctx g = {};
        int r = snp_firmware_check_size(size, e);

        if (r == 0)
                r = snp_gctx_init(&g, e);
        if (r < 0)
                return r;
        snp_gctx_data(&g, FOUR_GIB - size, firmware, size);
        r = snp_gctx_check(&g, e);
        if (r == 0)
                (void) memcpy(ret, g.ld, SNP_LD_SIZE);
        return r;
}
