/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * By which signs the kernel shows that it runs as an SEV-SNP guest. They decide no question of trust, since the
 * host can give or withhold most of them; they tell apart why there is no report, so that the operator is sent the
 * right way: to another machine, to another kernel, to a driver, or to a reboot.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"

typedef struct SnpGuestSigns {
        /* The platform device that every SNP guest has since Linux 5.19, whether its driver is there or not. */
        const char *platform_path;
        const char *vmpl_path; /* VMPL of the kernel as text, in newer kernels */
        bool (*cpu_offers_snp)(void);
} SnpGuestSigns;

/* Of the machine that we run on. */
extern const SnpGuestSigns snp_guest_signs;

bool snp_guest_is_one(const SnpGuestSigns *signs);

/* VMPL of the kernel: 0 when it does not tell, as older kernels that run there do not. */
uint32_t snp_guest_vmpl(const SnpGuestSigns *signs);

/**
 * snp_guest_no_source() - say why there is no source of reports
 * @tried: what was looked for and what was found instead, for the end of the sentence
 *
 * Reasons: "snp-driver-missing" an SNP guest whose kernel offers no way to ask; "snp-kernel-missing" a processor that
 * offers SNP under a kernel that does not run as its guest; "no-snp-device" neither. Return: -ENODEV.
 */
int snp_guest_no_source(const SnpGuestSigns *signs, const char *tried, Error *e);
