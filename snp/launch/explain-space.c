/* SPDX-License-Identifier: Apache-2.0 */
#include "snp/launch/explain-space.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "snp/launch/cmdline-edits.h"

/* Processors that SNP runs on, for guests that see the host's own signature (-cpu host, and custom models): family
 * 0x19 models 0x00-0x0F Milan, 0x10-0x1F Genoa, 0xA0-0xAF Bergamo and Siena, family 0x1A Turin; steppings as made. */
static const struct {
        uint8_t family, model, steppings;
        const char *name;
} silicon[] = {
        { 25, 0x01, 3, "Milan" },
        { 25, 0x11, 3, "Genoa" },
        { 25, 0xA0, 3, "Bergamo or Siena" },
        { 26, 0x02, 3, "Turin" },
        { 26, 0x11, 2, "Turin Dense" },
};

/* What kernels and QEMU have switched on so far: nothing, DebugSwap (Linux 6.6 and 6.7), SecureTSC (QEMU 10.2). */
static const uint64_t usual_features[] = {
        SNP_FEATURE_SNP_ACTIVE,
        SNP_FEATURE_SNP_ACTIVE | SNP_FEATURE_DEBUG_SWAP,
        SNP_FEATURE_SNP_ACTIVE | SNP_FEATURE_SECURE_TSC,
        SNP_FEATURE_SNP_ACTIVE | SNP_FEATURE_DEBUG_SWAP | SNP_FEATURE_SECURE_TSC,
};
#define FEATURE_BITS 16

void snp_space_done(SnpSpace *space) {
        for (size_t d = 0; d < SNP_N_DIMENSIONS; d++) {
                for (size_t i = 0; i < space->axes[d].n; i++)
                        free(space->axes[d].values[i].text);
                free(space->axes[d].values);
        }
        *space = (SnpSpace){};
}

static int grow(SnpAxis *axis) {
        size_t want = axis->allocated ? 2 * axis->allocated : 8;
        SnpValue *values;

        if (axis->n < axis->allocated)
                return 0;
        values = reallocarray(axis->values, want, sizeof(SnpValue));
        if (!values)
                return -ENOMEM;
        axis->values = values;
        axis->allocated = want;
        return 0;
}

static int add(SnpSpace *space, SnpDimension d, SnpValue value, const char *fmt, ...)
        __attribute__((__format__(__printf__, 4, 5)));

static int add(SnpSpace *space, SnpDimension d, SnpValue value, const char *fmt, ...) {
        SnpAxis *axis = &space->axes[d];
        va_list ap;
        int n;

        if (grow(axis) < 0)
                return -ENOMEM;
        va_start(ap, fmt);
        n = vasprintf(&value.text, fmt, ap);
        va_end(ap);
        if (n < 0)
                return -ENOMEM;
        axis->values[axis->n++] = value;
        return 0;
}

static int add_firmwares(const SnpExplainInput *in, SnpSpace *space) {
        SnpValue v = { .is.image = { .data = in->launch.firmware, .size = in->launch.firmware_size } };
        int r = add(space, SNP_DIM_FIRMWARE, v, "as given");

        for (size_t i = 0; r == 0 && i < in->n_firmwares; i++) {
                v.is.image = in->firmwares[i];
                r = add(space, SNP_DIM_FIRMWARE, v, "%s", in->firmwares[i].name);
        }
        return r;
}

static int add_vmms(const SnpExplainInput *in, SnpSpace *space) {
        SnpValue v = { .is.vmm = in->launch.vmm };
        int r = add(space, SNP_DIM_VMM, v, "%s", snp_vmm_name(in->launch.vmm));

        for (unsigned i = 0; r == 0 && i < SNP_N_VMMS; i++) {
                v.is.vmm = (SnpVmm) i;
                if (v.is.vmm != in->launch.vmm)
                        r = add(space, SNP_DIM_VMM, v, "%s", snp_vmm_name(v.is.vmm));
        }
        return r;
}

static int add_switch(SnpSpace *space, SnpDimension d, bool on, const char *text_on, const char *text_off) {
        int r = add(space, d, (SnpValue){ .is.on = on }, "%s", on ? text_on : text_off);

        return r == 0 ? add(space, d, (SnpValue){ .is.on = !on }, "%s", !on ? text_on : text_off) : r;
}

/* Without a kernel there is nothing to switch on or off. */
static int add_hash_switch(const SnpExplainInput *in, SnpSpace *space) {
        if (!in->has_kernel)
                return add(space, SNP_DIM_KERNEL_HASHES, (SnpValue){ .is.on = true }, "on");
        return add_switch(space, SNP_DIM_KERNEL_HASHES, in->hashes_on, "on", "off");
}

static SnpValue hash_value(const uint8_t hash[static SNP_HASH_SIZE]) {
        SnpValue v = {};

        (void) memcpy(v.is.hash, hash, SNP_HASH_SIZE);
        return v;
}

/* The same file under another name is no change. */
static int add_hash(SnpSpace *space, SnpDimension d, const uint8_t hash[static SNP_HASH_SIZE], const char *text) {
        const SnpAxis *axis = &space->axes[d];

        for (size_t i = 0; i < axis->n; i++)
                if (!axis->values[i].absent && memcmp(axis->values[i].is.hash, hash, SNP_HASH_SIZE) == 0)
                        return 0;
        return add(space, d, hash_value(hash), "%s", text);
}

static int add_hashes(SnpSpace *space, SnpDimension d, const SnpNamedHash *hashes, size_t n) {
        int r = 0;

        for (size_t i = 0; r == 0 && i < n; i++)
                r = add_hash(space, d, hashes[i].hash, hashes[i].name);
        return r;
}

static int add_kernels(const SnpExplainInput *in, SnpSpace *space) {
        SnpValue v = hash_value(in->hashes.kernel);
        int r;

        v.absent = !in->has_kernel;
        r = add(space, SNP_DIM_KERNEL, v, "%s", v.absent ? "none" : "as given");
        return r == 0 ? add_hashes(space, SNP_DIM_KERNEL, in->kernels, in->n_kernels) : r;
}

static int add_initrds(const SnpExplainInput *in, SnpSpace *space) {
        uint8_t none[SNP_HASH_SIZE];
        bool given;
        int r = snp_no_initrd_hash(none, NULL);

        if (r < 0)
                return r;
        given = in->has_kernel && memcmp(none, in->hashes.initrd, SNP_HASH_SIZE) != 0;
        r = add_hash(space, SNP_DIM_INITRD, given ? in->hashes.initrd : none, given ? "as given" : "none");
        if (r == 0)
                r = add_hash(space, SNP_DIM_INITRD, none, "none");
        return r == 0 ? add_hashes(space, SNP_DIM_INITRD, in->initrds, in->n_initrds) : r;
}

#define AXIS_IS_FULL 1

static int add_cmdline(void *user, const char *cmdline, const char *how) {
        SnpSpace *space = user;
        uint8_t hash[SNP_HASH_SIZE];

        if (space->axes[SNP_DIM_CMDLINE].n > SNP_EXPLAIN_CMDLINES_MAX)
                return AXIS_IS_FULL;
        if (snp_cmdline_hash(cmdline, hash, NULL) < 0)
                return -ENOMEM;
        return add_hash(space, SNP_DIM_CMDLINE, hash, how);
}

static int add_cmdlines(const SnpExplainInput *in, SnpSpace *space) {
        const char *cmdline = in->cmdline ? in->cmdline : "";
        AUTO_FREE char *text = NULL;
        int r;

        if (asprintf(&text, "'%s'", cmdline) < 0)
                return text = NULL, -ENOMEM;
        r = add_cmdline(space, cmdline, text);
        for (size_t i = 0; r == 0 && i < in->n_cmdlines; i++)
                r = add_cmdline(space, in->cmdlines[i], in->cmdlines[i]);
        if (r == 0)
                r = snp_cmdline_edits(cmdline, add_cmdline, space);
        return r == AXIS_IS_FULL ? 0 : r; /* long enough to have more edits than anybody waits for */
}

static int add_model(SnpSpace *space, uint32_t signature, const char *name) {
        const SnpAxis *axis = &space->axes[SNP_DIM_MODEL];

        for (size_t i = 0; i < axis->n; i++)
                if (axis->values[i].is.signature == signature)
                        return 0;
        return add(space, SNP_DIM_MODEL, (SnpValue){ .is.signature = signature }, "%s (0x%08" PRIx32 ")", name,
                   signature);
}

static int add_models(const SnpExplainInput *in, SnpSpace *space) {
        const SnpCpuModel *given = snp_cpu_model_of(in->launch.cpu_signature);
        int r = add_model(space, in->launch.cpu_signature, given ? given->name : "as given");

        for (size_t i = 0; r == 0 && i < snp_n_cpu_models; i++) {
                const SnpCpuModel *m = &snp_cpu_models[i];

                r = add_model(space, snp_cpu_signature(m->family, m->model, m->stepping), m->name);
        }
        for (size_t i = 0; r == 0 && i < N_ELEMENTS(silicon); i++)
                for (unsigned s = 0; r == 0 && s < silicon[i].steppings; s++)
                        r = add_model(space, snp_cpu_signature(silicon[i].family, silicon[i].model, s),
                                      silicon[i].name);
        return r;
}

static int add_feature_set(SnpSpace *space, uint64_t features) {
        const SnpAxis *axis = &space->axes[SNP_DIM_FEATURES];

        for (size_t i = 0; i < axis->n; i++)
                if (axis->values[i].is.number == features)
                        return 0;
        return add(space, SNP_DIM_FEATURES, (SnpValue){ .is.number = features }, "0x%" PRIx64, features);
}

/* The usual ones, and every bit toggled but the one without which there is no SNP. */
static int add_features(const SnpExplainInput *in, SnpSpace *space) {
        int r = add_feature_set(space, in->launch.features);

        for (size_t i = 0; r == 0 && i < N_ELEMENTS(usual_features); i++)
                r = add_feature_set(space, usual_features[i]);
        for (unsigned bit = 1; r == 0 && bit < FEATURE_BITS; bit++)
                r = add_feature_set(space, in->launch.features ^ UINT64_C(1) << bit);
        return r;
}

static int add_vmsa_gpas(const SnpExplainInput *in, SnpSpace *space) {
        uint64_t given = in->launch.vmsa_gpa ? in->launch.vmsa_gpa : SNP_VMSA_GPA;
        uint64_t other = given == SNP_VMSA_GPA ? SNP_VMSA_GPA_52 : SNP_VMSA_GPA;
        int r = add(space, SNP_DIM_VMSA_GPA, (SnpValue){ .is.number = given }, "0x%" PRIx64, given);

        return r == 0 ? add(space, SNP_DIM_VMSA_GPA, (SnpValue){ .is.number = other }, "0x%" PRIx64, other) : r;
}

static int fill(const SnpExplainInput *in, SnpSpace *space) {
        int r = add_firmwares(in, space);

        if (r == 0)
                r = add_vmms(in, space);
        if (r == 0)
                r = add_hash_switch(in, space);
        if (r == 0)
                r = add_kernels(in, space);
        if (r == 0)
                r = add_initrds(in, space);
        if (r == 0)
                r = add_cmdlines(in, space);
        if (r == 0)
                r = add_models(in, space);
        if (r == 0)
                r = add_features(in, space);
        if (r == 0)
                r = add_switch(space, SNP_DIM_FPU, in->launch.fpu_not_synced, "before Linux 6.10",
                               "Linux 6.10 or later");
        if (r == 0)
                r = add_vmsa_gpas(in, space);
        return r == 0 ? add(space, SNP_DIM_VCPUS, (SnpValue){ .is.number = in->launch.n_vcpus }, "%" PRIu32,
                            in->launch.n_vcpus) : r;
}

int snp_space_init(const SnpExplainInput *in, SnpSpace *ret, Error *e) {
        AUTO_SNP_SPACE SnpSpace space = {};

        if (in->n_kernels > SNP_EXPLAIN_FILES_MAX || in->n_initrds > SNP_EXPLAIN_FILES_MAX ||
            in->n_firmwares > SNP_EXPLAIN_FILES_MAX)
                return error_set(e, -E2BIG, "too-many-files", "More than %d files of one kind to try",
                                 SNP_EXPLAIN_FILES_MAX);
        if (in->n_cmdlines > SNP_EXPLAIN_CMDLINES_MAX)
                return error_set(e, -E2BIG, "too-many-cmdlines", "More than %d command lines to try",
                                 SNP_EXPLAIN_CMDLINES_MAX);
        if (fill(in, &space) < 0)
                return error_oom(e);
        *ret = space;
        space = (SnpSpace){};
        return 0;
}
