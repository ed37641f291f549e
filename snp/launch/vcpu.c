/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Hypervisors differ in a few bytes only, so the values that differ are a table row each and everything else is
 * written once. The rows were told by published digests of virtee's sev-snp-measure and sev; krun's has none.
 */

#include "snp/launch/vcpu.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/writer.h"

/* Offsets in the VMSA: Programmer's Manual, volume 2, table B-4. A segment is u16 selector, u16 attributes,
 * u32 limit, u64 base. */
enum {
        VMSA_ES = 0x00,
        VMSA_CS = 0x10,
        VMSA_SS = 0x20,
        VMSA_DS = 0x30,
        VMSA_FS = 0x40,
        VMSA_GS = 0x50,
        VMSA_GDTR = 0x60,
        VMSA_LDTR = 0x70,
        VMSA_IDTR = 0x80,
        VMSA_TR = 0x90,
        VMSA_EFER = 0xD0,
        VMSA_CR4 = 0x148,
        VMSA_CR0 = 0x158,
        VMSA_DR7 = 0x160,
        VMSA_DR6 = 0x168,
        VMSA_RFLAGS = 0x170,
        VMSA_RIP = 0x178,
        VMSA_G_PAT = 0x268,
        VMSA_RDX = 0x310,
        VMSA_SEV_FEATURES = 0x3B0,
        VMSA_XCR0 = 0x3E8,
        VMSA_MXCSR = 0x408,
        VMSA_X87_FCW = 0x410,
};

/* State after reset: Programmer's Manual, volume 2, section 14.1.3, table 14-1. */
#define EFER_SVME 0x1000u /* set by KVM for every guest */
#define CR4_MCE 0x40u     /* set by KVM */
#define CR0_ET 0x10u
#define CR0_ET_PE 0x11u
#define DR7_RESET 0x400u
#define DR6_RESET 0xFFFF0FF0u
#define RFLAGS_RESET 2u
#define PAT_RESET UINT64_C(0x0007040600070406)
#define PAT_GCE UINT64_C(0x0000000000070106)
#define XCR0_X87 1u
#define MXCSR_RESET 0x1F80u
#define FCW_RESET 0x37Fu
#define RDX_NONE_QEMU 0x600u /* what a 486 had, and what KVM puts there when nobody else does */
#define LIMIT_64K 0xFFFFu
#define LIMIT_4G 0xFFFFFFFFu

typedef struct Dialect {
        const char *name;
        uint16_t cs_attrib_bsp, cs_attrib_ap, ss_attrib, tr_attrib;
        uint64_t pat;
        bool rdx_is_signature, has_fpu;
        uint32_t rdx; /* unless it is the signature */
} Dialect;

static const Dialect dialects[SNP_N_VMMS] = {
        [SNP_VMM_QEMU] = { "qemu", 0x9B, 0x9B, 0x93, 0x8B, PAT_RESET, true, true, 0 },
        [SNP_VMM_EC2] = { "ec2", 0x9A, 0x9B, 0x92, 0x83, PAT_RESET, false, false, RDX_NONE_QEMU },
        [SNP_VMM_EC2_RDX0] = { "ec2_rdx0", 0x9A, 0x9B, 0x92, 0x83, PAT_RESET, false, false, 0 },
        [SNP_VMM_GCE] = { "gce", 0x9B, 0x9B, 0x93, 0x8B, PAT_GCE, false, false, RDX_NONE_QEMU },
        [SNP_VMM_KRUN] = { "krun", 0x9A, 0x9A, 0x92, 0x83, PAT_RESET, false, false, 0 },
};

const char *snp_vmm_name(SnpVmm vmm) {
        return vmm < SNP_N_VMMS ? dialects[vmm].name : "unknown";
}

int snp_vmm_from_name(const char *name, SnpVmm *ret) {
        for (unsigned i = 0; i < SNP_N_VMMS; i++)
                if (strcasecmp(name, dialects[i].name) == 0) {
                        *ret = (SnpVmm) i;
                        return 0;
                }
        return -EINVAL;
}

uint32_t snp_cpu_signature(unsigned family, unsigned model, unsigned stepping) {
        unsigned base = family > 0xF ? 0xF : family, extended = family > 0xF ? family - 0xF : 0;

        return (extended & 0xFF) << 20 | (model >> 4 & 0xF) << 16 | base << 8 | (model & 0xF) << 4 | (stepping & 0xF);
}

/* QEMU, target/i386/cpu.c, builtin_x86_defs. */
const SnpCpuModel snp_cpu_models[] = {
        { "EPYC", 23, 1, 2 },
        { "EPYC-Rome", 23, 49, 0 },
        { "EPYC-Milan", 25, 1, 1 },
        { "EPYC-Genoa", 25, 17, 0 },
        { "EPYC-Turin", 26, 0, 0 },
};
const size_t snp_n_cpu_models = N_ELEMENTS(snp_cpu_models);

/* What may follow a model's name: nothing, "-v" and a number, or "-IBPB", which is an old name of EPYC-v2. */
static bool is_version(const SnpCpuModel *model, const char *rest) {
        if (!*rest)
                return true;
        if (strcasecmp(rest, "-IBPB") == 0)
                return model == &snp_cpu_models[0];
        return strncasecmp(rest, "-v", 2) == 0 && rest[2] >= '1' && rest[2] <= '9' &&
               rest[3 + strspn(rest + 3, "0123456789")] == 0;
}

const SnpCpuModel *snp_cpu_model_find(const char *name) {
        for (size_t i = 0; i < snp_n_cpu_models; i++) {
                const SnpCpuModel *m = &snp_cpu_models[i];
                size_t len = strlen(m->name);

                if (strncasecmp(name, m->name, len) == 0 && is_version(m, name + len))
                        return m;
        }
        return NULL;
}

const SnpCpuModel *snp_cpu_model_of(uint32_t signature) {
        for (size_t i = 0; i < snp_n_cpu_models; i++) {
                const SnpCpuModel *m = &snp_cpu_models[i];

                if (snp_cpu_signature(m->family, m->model, m->stepping) == signature)
                        return m;
        }
        return NULL;
}

typedef struct Segment {
        uint16_t selector, attrib;
        uint32_t limit, base;
} Segment;

static void put_segment(uint8_t *vmsa, size_t at, Segment s) {
        store_le16(vmsa + at, s.selector);
        store_le16(vmsa + at + 2, s.attrib);
        store_le32(vmsa + at + 4, s.limit);
        store_le64(vmsa + at + 8, s.base);
}

static void put_real_mode(const SnpVcpu *v, const Dialect *d, uint8_t *vmsa) {
        const Segment data = { 0, 0x93, LIMIT_64K, 0 };

        put_segment(vmsa, VMSA_ES, data);
        put_segment(vmsa, VMSA_CS, (Segment){
                .selector = 0xF000,
                .attrib = v->eip == SNP_RESET_EIP ? d->cs_attrib_bsp : d->cs_attrib_ap,
                .limit = LIMIT_64K,
                .base = v->eip & 0xFFFF0000u,
        });
        put_segment(vmsa, VMSA_SS, (Segment){ 0, d->ss_attrib, LIMIT_64K, 0 });
        put_segment(vmsa, VMSA_DS, data);
        put_segment(vmsa, VMSA_FS, data);
        put_segment(vmsa, VMSA_GS, data);
        put_segment(vmsa, VMSA_TR, (Segment){ 0, d->tr_attrib, LIMIT_64K, 0 });
        store_le64(vmsa + VMSA_CR0, CR0_ET);
        store_le64(vmsa + VMSA_RIP, v->eip & 0xFFFF);
}

/* Flat 32-bit segments, and no mask on RIP (sev-snp-measure, mode snp:svsm). */
static void put_protected_mode(const SnpVcpu *v, uint8_t *vmsa) {
        const Segment data = { 0x10, 0xC93, LIMIT_4G, 0 };

        put_segment(vmsa, VMSA_ES, data);
        put_segment(vmsa, VMSA_CS, (Segment){ 0x08, 0xC9B, LIMIT_4G, 0 });
        put_segment(vmsa, VMSA_SS, data);
        put_segment(vmsa, VMSA_DS, data);
        put_segment(vmsa, VMSA_FS, data);
        put_segment(vmsa, VMSA_GS, (Segment){ 0, 0x93, LIMIT_64K, 0 });
        put_segment(vmsa, VMSA_TR, (Segment){ 0, 0x8B, LIMIT_64K, 0 });
        store_le64(vmsa + VMSA_CR0, CR0_ET_PE);
        store_le64(vmsa + VMSA_RIP, v->eip);
}

static void put_fpu(const SnpVcpu *v, const Dialect *d, uint8_t *vmsa) {
        if (!d->has_fpu || v->fpu_not_synced)
                return;
        store_le32(vmsa + VMSA_MXCSR, MXCSR_RESET);
        if (v->kind != SNP_VCPU_SVSM || v->svsm_fcw)
                store_le16(vmsa + VMSA_X87_FCW, FCW_RESET);
}

static uint64_t features_of(const SnpVcpu *v) {
        switch (v->kind) {
        case SNP_VCPU_SVSM:
                return SNP_FEATURE_SNP_ACTIVE; /* whatever was asked for */
        case SNP_VCPU_SEV_ES:
                return 0;
        case SNP_VCPU_OVMF:
                break;
        }
        return v->features;
}

void snp_vmsa_make(const SnpVcpu *vcpu, uint8_t ret[static SNP_PAGE_SIZE]) {
        const Dialect *d = &dialects[vcpu->vmm];

        (void) memset(ret, 0, SNP_PAGE_SIZE);
        if (vcpu->kind == SNP_VCPU_SVSM)
                put_protected_mode(vcpu, ret);
        else
                put_real_mode(vcpu, d, ret);
        put_segment(ret, VMSA_GDTR, (Segment){ 0, 0, LIMIT_64K, 0 });
        put_segment(ret, VMSA_IDTR, (Segment){ 0, 0, LIMIT_64K, 0 });
        put_segment(ret, VMSA_LDTR, (Segment){ 0, 0x82, LIMIT_64K, 0 });
        store_le64(ret + VMSA_EFER, EFER_SVME);
        store_le64(ret + VMSA_CR4, CR4_MCE);
        store_le64(ret + VMSA_DR7, DR7_RESET);
        store_le64(ret + VMSA_DR6, DR6_RESET);
        store_le64(ret + VMSA_RFLAGS, RFLAGS_RESET);
        store_le64(ret + VMSA_G_PAT, d->pat);
        store_le64(ret + VMSA_RDX, d->rdx_is_signature ? vcpu->signature : d->rdx);
        store_le64(ret + VMSA_SEV_FEATURES, features_of(vcpu));
        store_le64(ret + VMSA_XCR0, XCR0_X87);
        put_fpu(vcpu, d, ret);
}
