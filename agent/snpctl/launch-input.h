/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* A launch as a command line describes it, with the files that it names. */

#include <stdbool.h>
#include <stdint.h>

#include "agent/snpctl/args.h"
#include "base/blob.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "snp/launch/measure.h"

typedef struct LaunchArgs {
        const char *mode, *firmware, *firmware_digest, *vmm, *vcpus, *cpu, *features;
        const char *kernel, *initrd, *append, *uki, *svsm, *vars, *vars_size;
        bool no_kernel_hashes, old_host, wide_vmsa, svsm_fcw;
} LaunchArgs;

/* Rows for a verb's table of options; @type is the struct of its arguments and @member the LaunchArgs in it. */
#define LAUNCH_OPTIONS(type, member)                                                                                   \
        { "mode", "MODE", "snp (default), svsm, sev-es, sev, or firmware: the digest after it alone", CTL_TEXT,        \
          offsetof(type, member.mode) },                                                                               \
        { "firmware", "FILE", "OVMF image, as of QEMU's -bios", CTL_TEXT, offsetof(type, member.firmware) },           \
        { "firmware-digest", "HEX", "what --mode firmware said, instead of hashing it again", CTL_TEXT,                \
          offsetof(type, member.firmware_digest) },                                                                    \
        { "vmm", "NAME", "qemu (default), ec2, ec2_rdx0, gce or krun", CTL_TEXT, offsetof(type, member.vmm) },         \
        { "vcpus", "N", "vCPUs at boot (1)", CTL_TEXT, offsetof(type, member.vcpus) },                                 \
        { "cpu", "MODEL", "EPYC-Milan, ..., or FAMILY,MODEL,STEPPING, or 0xSIGNATURE; QEMU only", CTL_TEXT,            \
          offsetof(type, member.cpu) },                                                                                \
        { "guest-features", "N", "SEV_FEATURES of the vCPUs (0x1)", CTL_TEXT, offsetof(type, member.features) },       \
        { "kernel", "FILE", "kernel of a direct boot with kernel-hashes=on", CTL_TEXT,                                 \
          offsetof(type, member.kernel) },                                                                             \
        { "initrd", "FILE", "its initrd", CTL_TEXT, offsetof(type, member.initrd) },                                   \
        { "append", "TEXT", "its command line", CTL_TEXT, offsetof(type, member.append) },                             \
        { "uki", "FILE", "take all three from a unified kernel image", CTL_TEXT, offsetof(type, member.uki) },         \
        { "no-kernel-hashes", NULL, "QEMU was not told kernel-hashes=on", CTL_FLAG,                                    \
          offsetof(type, member.no_kernel_hashes) },                                                                   \
        { "host-before-6.10", NULL, "the host's Linux does not copy the FPU's state", CTL_FLAG,                        \
          offsetof(type, member.old_host) },                                                                           \
        { "vmsa-52-bit", NULL, "VMSA address of 52 bits, as for Genoa at Google", CTL_FLAG,                            \
          offsetof(type, member.wide_vmsa) },                                                                          \
        { "svsm", "FILE", "SVSM image (--mode svsm)", CTL_TEXT, offsetof(type, member.svsm) },                         \
        { "vars", "FILE", "variables between SVSM and firmware, of which the size counts", CTL_TEXT,                   \
          offsetof(type, member.vars) },                                                                               \
        { "vars-size", "BYTES", "the same as a number", CTL_TEXT, offsetof(type, member.vars_size) },                  \
        { "svsm-fcw", NULL, "the SVSM's vCPUs start with FCW 0x37F", CTL_FLAG, offsetof(type, member.svsm_fcw) }

bool launch_args_are_given(const LaunchArgs *args);

typedef struct LaunchInput {
        SnpLaunch launch; /* points into the rest */
        bool firmware_only;
        Blob firmware, svsm;
        uint8_t firmware_ld[SNP_LD_SIZE];
        bool has_kernel;
        SnpKernelHashes hashes;
        char *cmdline; /* owned; NULL without a kernel */
} LaunchInput;
void launch_input_done(LaunchInput *in);
#define AUTO_LAUNCH_INPUT CLEANUP(launch_input_done)

/* Must not move once filled in. 0; -EINVAL with reason "usage"; what reading and parsing files returns. */
WARN_UNUSED int launch_input_read(const LaunchArgs *args, LaunchInput *in, Error *e);
