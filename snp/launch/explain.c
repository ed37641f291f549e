/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A depth-first search over one value per dimension. The dimensions are visited in the order in which a launch is put
 * together, each visit continues from the digest of the one before, and so whatever stays the same is hashed once: the
 * firmware per image, the sections before the kernel hashes per hypervisor, those behind it per table of hashes. The
 * number of vCPUs is the innermost loop, since one more is one more page. A pass looks at launches with exactly so many
 * changes; there are passes for none, one and two.
 */

#include "snp/launch/explain.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "snp/launch/explain-space.h"
#include "snp/launch/measure-internal.h"
#include "snp/launch/sections.h"

const char *snp_dimension_name(SnpDimension dimension) {
        static const char *const names[SNP_N_DIMENSIONS] = {
                [SNP_DIM_FIRMWARE] = "firmware",
                [SNP_DIM_VMM] = "hypervisor",
                [SNP_DIM_KERNEL_HASHES] = "kernel hashes",
                [SNP_DIM_KERNEL] = "kernel",
                [SNP_DIM_INITRD] = "initrd",
                [SNP_DIM_CMDLINE] = "command line",
                [SNP_DIM_MODEL] = "vCPU model",
                [SNP_DIM_FEATURES] = "guest features",
                [SNP_DIM_FPU] = "host kernel",
                [SNP_DIM_VMSA_GPA] = "VMSA address",
                [SNP_DIM_VCPUS] = "vCPUs",
        };

        return dimension < SNP_N_DIMENSIONS ? names[dimension] : "unknown";
}

/* An image, parsed and hashed when it is first needed. */
typedef struct Firmware {
        enum { FIRMWARE_NOT_SEEN, FIRMWARE_GOOD, FIRMWARE_BAD } state;
        bool takes_kernel;
        SnpOvmf ovmf;
        uint8_t ld[SNP_LD_SIZE];
} Firmware;

typedef struct Search {
        const SnpExplainInput *in;
        const uint8_t *want;
        SnpSpace space;
        Firmware *firmwares; /* owned; one per value */
        SnpGctx g;
        unsigned n_wanted; /* changes of this pass */
        size_t chosen[SNP_N_DIMENSIONS];
        unsigned n_changes; /* so far; vCPUs not counted */

        /* Where the launch stands after the dimensions visited so far. */
        const Firmware *firmware;
        SnpSectionWalk walk; /* behind the sections that precede the kernel hashes */
        bool has_hash_section;
        SnpSection hash_section;
        uint8_t ld_before_hashes[SNP_LD_SIZE], ld_sections[SNP_LD_SIZE];

        SnpExplainResult *result;
} Search;

static const SnpValue *value(const Search *s, SnpDimension d) {
        return &s->space.axes[d].values[s->chosen[d]];
}

/* Sections are measured again for every table of hashes. Firmware has about 1 MiB of them. */
#define SECTIONS_MAX (64u << 20)

static bool sections_are_few(const SnpOvmf *ovmf) {
        uint64_t sum = 0;

        for (size_t i = 0; i < ovmf->n_sections; i++)
                sum += snp_ovmf_section(ovmf, i).size;
        return sum <= SECTIONS_MAX;
}

static void load_firmware(Search *s, Firmware *f) {
        const SnpNamedImage *image = &value(s, SNP_DIM_FIRMWARE)->is.image;

        f->state = FIRMWARE_BAD;
        if (snp_ovmf_parse(image->data, image->size, &f->ovmf, NULL) < 0 ||
            snp_launch_check_firmware(&f->ovmf, false, NULL) < 0 || !sections_are_few(&f->ovmf))
                return;
        f->takes_kernel = snp_launch_check_firmware(&f->ovmf, true, NULL) == 0;
        if (s->chosen[SNP_DIM_FIRMWARE] == 0 && s->in->launch.firmware_ld) {
                (void) memcpy(f->ld, s->in->launch.firmware_ld, SNP_LD_SIZE);
        } else {
                (void) memset(s->g.ld, 0, SNP_LD_SIZE);
                snp_gctx_data(&s->g, snp_ovmf_gpa(&f->ovmf), f->ovmf.data, f->ovmf.size);
                (void) memcpy(f->ld, s->g.ld, SNP_LD_SIZE);
        }
        f->state = FIRMWARE_GOOD;
}

/* Each enter_*() returns false when the choice leads to no launch of its own. */
static bool enter_firmware(Search *s) {
        Firmware *f = &s->firmwares[s->chosen[SNP_DIM_FIRMWARE]];

        if (f->state == FIRMWARE_NOT_SEEN)
                load_firmware(s, f);
        s->firmware = f;
        if (f->state == FIRMWARE_BAD)
                s->result->n_impossible++;
        return f->state == FIRMWARE_GOOD;
}

static bool enter_vmm(Search *s) {
        SnpVmm vmm = value(s, SNP_DIM_VMM)->is.vmm;
        SnpSection section;

        (void) memcpy(s->g.ld, s->firmware->ld, SNP_LD_SIZE);
        s->walk = (SnpSectionWalk){};
        s->has_hash_section = false;
        while (snp_section_next(&s->firmware->ovmf, vmm, &s->walk, &section)) {
                if (section.type == SNP_SECTION_KERNEL_HASHES) {
                        s->has_hash_section = true;
                        s->hash_section = section;
                        break;
                }
                snp_section_measure(&s->g, vmm, &section, NULL);
        }
        (void) memcpy(s->ld_before_hashes, s->g.ld, SNP_LD_SIZE);
        return true;
}

static bool kernel_is_measured(const Search *s) {
        return value(s, SNP_DIM_KERNEL_HASHES)->is.on && !value(s, SNP_DIM_KERNEL)->absent;
}

/* What is not measured cannot make a difference. */
static bool enter_kernel(Search *s) {
        return s->chosen[SNP_DIM_KERNEL] == 0 || kernel_is_measured(s);
}

static bool enter_initrd(Search *s) {
        return s->chosen[SNP_DIM_INITRD] == 0 || kernel_is_measured(s);
}

static bool hash_table_page(Search *s, uint8_t ret[static SNP_LD_SIZE]) {
        SnpKernelHashes h;
        uint8_t page[SNP_PAGE_SIZE];

        if (!s->firmware->takes_kernel) {
                s->result->n_impossible++;
                return false;
        }
        (void) memcpy(h.kernel, value(s, SNP_DIM_KERNEL)->is.hash, SNP_HASH_SIZE);
        (void) memcpy(h.initrd, value(s, SNP_DIM_INITRD)->is.hash, SNP_HASH_SIZE);
        (void) memcpy(h.cmdline, value(s, SNP_DIM_CMDLINE)->is.hash, SNP_HASH_SIZE);
        snp_hash_page_make(&s->firmware->ovmf, &h, page);
        snp_gctx_hash(&s->g, page, sizeof(page), ret);
        return true;
}

/* The last one that decides about the hashes: the remaining sections follow. */
static bool enter_cmdline(Search *s) {
        SnpVmm vmm = value(s, SNP_DIM_VMM)->is.vmm;
        bool with_kernel = kernel_is_measured(s);
        SnpSectionWalk walk = s->walk;
        uint8_t page_hash[SNP_LD_SIZE];
        SnpSection section;

        if ((s->chosen[SNP_DIM_CMDLINE] != 0 && !with_kernel) || (with_kernel && !hash_table_page(s, page_hash)))
                return false;
        (void) memcpy(s->g.ld, s->ld_before_hashes, SNP_LD_SIZE);
        if (s->has_hash_section)
                snp_section_measure(&s->g, vmm, &s->hash_section, with_kernel ? page_hash : NULL);
        while (snp_section_next(&s->firmware->ovmf, vmm, &walk, &section))
                snp_section_measure(&s->g, vmm, &section, NULL);
        (void) memcpy(s->ld_sections, s->g.ld, SNP_LD_SIZE);
        return true;
}

/* Only QEMU's vCPUs show their model and have an FPU state. */
static bool enter_model(Search *s) {
        return s->chosen[SNP_DIM_MODEL] == 0 || value(s, SNP_DIM_VMM)->is.vmm == SNP_VMM_QEMU;
}

static bool enter_fpu(Search *s) {
        return s->chosen[SNP_DIM_FPU] == 0 || value(s, SNP_DIM_VMM)->is.vmm == SNP_VMM_QEMU;
}

static bool (*const enter[SNP_DIM_VCPUS])(Search *s) = {
        [SNP_DIM_FIRMWARE] = enter_firmware,
        [SNP_DIM_VMM] = enter_vmm,
        [SNP_DIM_KERNEL] = enter_kernel,
        [SNP_DIM_INITRD] = enter_initrd,
        [SNP_DIM_CMDLINE] = enter_cmdline,
        [SNP_DIM_MODEL] = enter_model,
        [SNP_DIM_FPU] = enter_fpu,
};

/* Text from files and command lines goes to terminals. */
static void put_text(char *ret, const char *text) {
        size_t i;

        for (i = 0; text[i] && i + 1 < SNP_CHANGE_TEXT_MAX; i++)
                ret[i] = text[i] >= 0x20 && text[i] < 0x7F ? text[i] : '?';
        ret[i] = 0;
        if (text[i])
                (void) memcpy(ret + i - 3, "...", 3);
}

static void found(Search *s, uint32_t n_vcpus) {
        SnpExplanation *x = &s->result->found[s->result->n_found];
        SnpChange *c = x->changes;

        if (s->result->n_found++ >= SNP_EXPLANATIONS_MAX)
                return;
        *x = (SnpExplanation){ .n_changes = s->n_wanted };
        for (unsigned d = 0; d < SNP_DIM_VCPUS; d++)
                if (s->chosen[d] != 0) {
                        c->dimension = (SnpDimension) d;
                        put_text(c->from, s->space.axes[d].values[0].text);
                        put_text(c->to, value(s, (SnpDimension) d)->text);
                        c++;
                }
        if (n_vcpus != s->in->launch.n_vcpus) {
                c->dimension = SNP_DIM_VCPUS;
                put_text(c->from, s->space.axes[SNP_DIM_VCPUS].values[0].text);
                (void) snprintf(c->to, sizeof(c->to), "%u", n_vcpus);
        }
}

static void hash_vmsas(Search *s, SnpVmsaHashes *ret) {
        const SnpLaunch launch = {
                .vmm = value(s, SNP_DIM_VMM)->is.vmm,
                .cpu_signature = value(s, SNP_DIM_MODEL)->is.signature,
                .features = value(s, SNP_DIM_FEATURES)->is.number,
                .fpu_not_synced = value(s, SNP_DIM_FPU)->is.on,
        };

        snp_vmsa_hashes(&s->g, &launch, s->firmware->ovmf.ap_reset, ret);
}

/* With all changes made only the believed number of vCPUs is compared, with one left every other number. */
static void walk_vcpus(Search *s) {
        uint32_t believed = s->in->launch.n_vcpus;
        bool any_number = s->n_changes < s->n_wanted;
        uint32_t last = any_number ? s->in->max_vcpus : believed;
        uint64_t gpa = value(s, SNP_DIM_VMSA_GPA)->is.number;
        SnpVmsaHashes h;

        hash_vmsas(s, &h);
        (void) memcpy(s->g.ld, s->ld_sections, SNP_LD_SIZE);
        for (uint32_t n = 1; n <= last; n++) {
                snp_gctx_page(&s->g, SNP_PAGE_VMSA, gpa, n == 1 ? h.bsp : h.ap);
                if ((n == believed) == any_number)
                        continue;
                s->result->n_variants++;
                if (memcmp(s->g.ld, s->want, SNP_LD_SIZE) == 0)
                        found(s, n);
        }
}

/* Tries every value of @d and of the dimensions behind it. A launch with more than one change too few is of an earlier
 * pass. */
static void visit(Search *s, SnpDimension d) {
        const SnpAxis *axis = &s->space.axes[d];
        unsigned before = s->n_changes;

        if (d == SNP_DIM_VCPUS) {
                if (s->n_changes + 1 >= s->n_wanted)
                        walk_vcpus(s);
                return;
        }
        for (size_t i = 0; i < axis->n && s->g.error == 0; i++) {
                s->chosen[d] = i;
                s->n_changes = before + (i > 0);
                if (s->n_changes > s->n_wanted)
                        break;
                s->g.n_pages = 0; /* the limit is for one launch */
                if (!enter[d] || enter[d](s))
                        visit(s, (SnpDimension) (d + 1));
        }
        s->chosen[d] = 0;
        s->n_changes = before;
}

static void count_values(const Search *s) {
        for (unsigned d = 0; d < SNP_DIM_VCPUS; d++)
                s->result->n_values[d] = s->space.axes[d].n - 1;
        s->result->n_values[SNP_DIM_VCPUS] = s->in->max_vcpus - (s->in->launch.n_vcpus <= s->in->max_vcpus);
}

static int check_input(const SnpExplainInput *in, Error *e) {
        if (in->launch.mode != SNP_LAUNCH_SNP)
                return error_set(e, -EOPNOTSUPP, "snp-only", "Only SNP launches without SVSM can be explained");
        if (in->max_vcpus < 1 || in->max_vcpus > SNP_VCPUS_MAX || in->max_changes > SNP_EXPLAIN_CHANGES_MAX)
                return error_set(e, -EINVAL, "bad-limit", "There can be %d changes and %d vCPUs at most",
                                 SNP_EXPLAIN_CHANGES_MAX, SNP_VCPUS_MAX);
        return snp_launch_check(&in->launch, e);
}

static void search(Search *s) {
        for (s->n_wanted = 0; s->n_wanted <= s->in->max_changes && s->result->n_found == 0 && s->g.error == 0;
             s->n_wanted++) {
                s->result->max_changes_tried = s->n_wanted;
                visit(s, SNP_DIM_FIRMWARE);
        }
}

int snp_explain(const SnpExplainInput *in, const uint8_t want[static SNP_LD_SIZE], SnpExplainResult *ret, Error *e) {
        SnpExplainResult result = {};
        Search s = { .in = in, .want = want, .result = &result };
        int r = check_input(in, e);

        if (r == 0)
                r = snp_gctx_init(&s.g, e);
        if (r == 0)
                r = snp_space_init(in, &s.space, e);
        if (r == 0) {
                s.firmwares = calloc(s.space.axes[SNP_DIM_FIRMWARE].n, sizeof(*s.firmwares));
                if (!s.firmwares)
                        r = error_oom(e);
        }
        if (r == 0) {
                count_values(&s);
                search(&s);
                r = snp_gctx_check(&s.g, e);
        }
        if (r == 0)
                *ret = result;
        free(s.firmwares);
        snp_space_done(&s.space);
        snp_gctx_done(&s.g);
        return r;
}
