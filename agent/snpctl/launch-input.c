/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/snpctl/launch-input.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/snpctl/exit.h"
#include "base/file.h"
#include "base/hex.h"
#include "base/text.h"
#include "snp/launch/ovmf.h"
#include "snp/launch/uki.h"

void launch_input_done(LaunchInput *in) {
        blob_done(&in->firmware);
        blob_done(&in->svsm);
        free(in->cmdline);
        *in = (LaunchInput){};
}

bool launch_args_are_given(const LaunchArgs *a) {
        const char *const texts[] = {
                a->mode,   a->firmware, a->firmware_digest, a->vmm, a->vcpus, a->cpu,  a->features,
                a->kernel, a->initrd,   a->append,          a->uki, a->svsm,  a->vars, a->vars_size,
        };

        for (size_t i = 0; i < N_ELEMENTS(texts); i++)
                if (texts[i])
                        return true;
        return a->no_kernel_hashes || a->old_host || a->wide_vmsa || a->svsm_fcw;
}

/* The second name is the one that sev-snp-measure has for it. */
static const struct {
        const char *name, *alias;
        SnpLaunchMode mode;
        bool firmware_only;
} modes[] = {
        { "snp", "snp", SNP_LAUNCH_SNP, false },
        { "svsm", "snp:svsm", SNP_LAUNCH_SVSM, false },
        { "firmware", "snp:ovmf-hash", SNP_LAUNCH_SNP, true },
        { "sev-es", "seves", SNP_LAUNCH_SEV_ES, false },
        { "sev", "sev", SNP_LAUNCH_SEV, false },
};

static int read_mode(const LaunchArgs *args, LaunchInput *in, Error *e) {
        const char *name = args->mode ? args->mode : "snp";

        for (size_t i = 0; i < N_ELEMENTS(modes); i++)
                if (strcmp(name, modes[i].name) == 0 || strcmp(name, modes[i].alias) == 0) {
                        in->launch.mode = modes[i].mode;
                        in->firmware_only = modes[i].firmware_only;
                        return 0;
                }
        return ctl_usage(e, "--mode '%.40s' is not snp, svsm, sev-es, sev or firmware", name);
}

static int read_number(const char *option, const char *text, uint64_t max, uint64_t *ret, Error *e) {
        if (text && text_to_u64(text, 0, 0, max, ret) < 0)
                return ctl_usage(e, "%s '%.40s' is not a number up to %llu", option, text, (unsigned long long) max);
        return 0;
}

/* "25,17,0": three numbers with commas between them. */
static int read_triple(const char *text, uint32_t *ret) {
        AUTO_FREE char *copy = strdup(text);
        char *rest = copy;
        uint64_t n[3];

        if (!copy)
                return -ENOMEM;
        for (size_t i = 0; i < N_ELEMENTS(n); i++) {
                const char *word = strsep(&rest, ",");

                if (!word || text_to_u64(word, 0, 0, i == 2 ? 15 : 255, &n[i]) < 0)
                        return -EINVAL;
        }
        *ret = snp_cpu_signature((unsigned) n[0], (unsigned) n[1], (unsigned) n[2]);
        return rest ? -EINVAL : 0;
}

static int read_cpu(const LaunchArgs *args, LaunchInput *in, Error *e) {
        const SnpCpuModel *m = args->cpu ? snp_cpu_model_find(args->cpu) : NULL;
        uint64_t signature;

        if (!args->cpu) {
                if (in->launch.vmm == SNP_VMM_QEMU && in->launch.mode != SNP_LAUNCH_SEV && !in->firmware_only)
                        return ctl_usage(e, "--cpu is missing: QEMU's vCPUs show their model");
                return 0;
        }
        if (m)
                in->launch.cpu_signature = snp_cpu_signature(m->family, m->model, m->stepping);
        else if (text_to_u64(args->cpu, 0, 0, UINT32_MAX, &signature) == 0)
                in->launch.cpu_signature = (uint32_t) signature;
        else if (read_triple(args->cpu, &in->launch.cpu_signature) < 0)
                return ctl_usage(e, "--cpu '%.40s' is no model that QEMU starts SNP guests with, nor a signature",
                                 args->cpu);
        return 0;
}

static int read_vcpus(const LaunchArgs *args, LaunchInput *in, Error *e) {
        uint64_t vcpus = 1, features = SNP_FEATURE_SNP_ACTIVE;
        int r = read_number("--vcpus", args->vcpus, SNP_VCPUS_MAX, &vcpus, e);

        if (r == 0)
                r = read_number("--guest-features", args->features, UINT64_MAX, &features, e);
        if (r == 0 && args->vmm && snp_vmm_from_name(args->vmm, &in->launch.vmm) < 0)
                r = ctl_usage(e, "--vmm '%.40s' is not qemu, ec2, ec2_rdx0, gce or krun", args->vmm);
        if (r == 0)
                r = read_cpu(args, in, e);
        in->launch.n_vcpus = (uint32_t) vcpus;
        in->launch.features = features;
        in->launch.fpu_not_synced = args->old_host;
        in->launch.svsm_fcw = args->svsm_fcw;
        in->launch.vmsa_gpa = args->wide_vmsa ? SNP_VMSA_GPA_52 : 0;
        return r;
}

static int read_firmware(const LaunchArgs *args, LaunchInput *in, Error *e) {
        int r;

        if (!args->firmware)
                return ctl_usage(e, "--firmware is missing");
        r = file_read(args->firmware, SNP_FIRMWARE_MAX, &in->firmware, e);
        in->launch.firmware = in->firmware.data;
        in->launch.firmware_size = in->firmware.size;
        if (r < 0 || !args->firmware_digest)
                return r;
        if (hex_decode_exact(args->firmware_digest, strlen(args->firmware_digest), in->firmware_ld, SNP_LD_SIZE) < 0)
                return ctl_usage(e, "--firmware-digest is not %d hexadecimal digits", 2 * SNP_LD_SIZE);
        in->launch.firmware_ld = in->firmware_ld;
        return 0;
}

static int read_vars_size(const LaunchArgs *args, LaunchInput *in, Error *e) {
        struct stat st;

        if (args->vars && args->vars_size)
                return ctl_usage(e, "--vars and --vars-size say the same; give one");
        if (!args->vars)
                return read_number("--vars-size", args->vars_size, UINT32_MAX, &in->launch.vars_size, e);
        if (stat(args->vars, &st) < 0)
                return error_set(e, -errno, "open-failed", "Cannot open %s: %s", args->vars, error_text(NULL, -errno));
        in->launch.vars_size = (uint64_t) st.st_size;
        return 0;
}

static int read_svsm(const LaunchArgs *args, LaunchInput *in, Error *e) {
        int r;

        if (in->launch.mode != SNP_LAUNCH_SVSM)
                return args->svsm || args->vars || args->vars_size || args->svsm_fcw
                               ? ctl_usage(e, "--svsm and what belongs to it need --mode svsm") : 0;
        if (!args->svsm || !(args->vars || args->vars_size))
                return ctl_usage(e, "--mode svsm needs --svsm, and --vars or --vars-size");
        r = read_vars_size(args, in, e);
        if (r == 0)
                r = file_read(args->svsm, SNP_FIRMWARE_MAX, &in->svsm, e);
        in->launch.svsm = in->svsm.data;
        in->launch.svsm_size = in->svsm.size;
        return r;
}

static int read_uki(const char *path, LaunchInput *in, Error *e) {
        AUTO_BLOB Blob image = {};
        SnpUki uki;
        int r = file_read(path, SNP_UKI_MAX, &image, e);

        if (r == 0)
                r = snp_uki_parse(image.data, image.size, &uki, e);
        if (r == 0)
                r = snp_uki_cmdline(&uki, &in->cmdline, e);
        if (r == 0)
                r = snp_blob_hash(uki.linux_image.data, uki.linux_image.size, in->hashes.kernel, e);
        return r == 0 ? snp_blob_hash(uki.initrd.data, uki.initrd.size, in->hashes.initrd, e) : r;
}

static int read_kernel_files(const LaunchArgs *args, LaunchInput *in, Error *e) {
        int r = snp_file_hash(args->kernel, in->hashes.kernel, e);

        if (r == 0)
                r = args->initrd ? snp_file_hash(args->initrd, in->hashes.initrd, e)
                                 : snp_no_initrd_hash(in->hashes.initrd, e);
        if (r < 0)
                return r;
        in->cmdline = strdup(args->append ? args->append : "");
        return in->cmdline ? 0 : error_oom(e);
}

static int read_kernel(const LaunchArgs *args, LaunchInput *in, Error *e) {
        int r;

        if (args->uki && (args->kernel || args->initrd || args->append))
                return ctl_usage(e, "--uki brings kernel, initrd and command line itself");
        in->has_kernel = args->kernel || args->uki;
        if (!in->has_kernel)
                return args->initrd || args->append ? ctl_usage(e, "--initrd and --append need --kernel") : 0;
        r = args->uki ? read_uki(args->uki, in, e) : read_kernel_files(args, in, e);
        if (r == 0)
                r = snp_cmdline_hash(in->cmdline, in->hashes.cmdline, e);
        if (r == 0 && !args->no_kernel_hashes)
                in->launch.kernel = &in->hashes;
        return r;
}

int launch_input_read(const LaunchArgs *args, LaunchInput *in, Error *e) {
        int r = read_mode(args, in, e);

        if (r == 0)
                r = read_vcpus(args, in, e);
        if (r == 0)
                r = read_firmware(args, in, e);
        if (r == 0)
                r = read_svsm(args, in, e);
        return r == 0 ? read_kernel(args, in, e) : r;
}
