/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The driver of /dev/sev-guest, as far as its callers can tell (Linux, drivers/virt/coco/sev-guest/sev-guest.c):
 * what an ioctl does to the caller's memory. How that memory is reached is sev-guest-main.c's.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "tests/simulator/platform.h"

#define SIM_SEV_REPORT 0xC0205300u
#define SIM_SEV_DERIVED_KEY 0xC0205301u
#define SIM_SEV_EXT_REPORT 0xC0205302u

#define SIM_SEV_IOCTL_SIZE 32
#define SIM_SEV_REQ_MAX 112
#define SIM_SEV_RESP_MAX 4000
#define SIM_SEV_CERTS_MAX 0x4000u /* SEV_FW_BLOB_MAX_SIZE */

typedef struct SimSevGuest {
        SimPlatform *platform; /* borrowed */
        bool wiped;            /* the message key, until the machine "boots" again: with the next change of the settings */
        uint64_t boot;
} SimSevGuest;

/* One ioctl: what was copied from the caller, and what is to be copied back. */
typedef struct SimSevCall {
        uint32_t request;
        uint8_t ioctl[SIM_SEV_IOCTL_SIZE];
        uint8_t req[SIM_SEV_REQ_MAX];
        uint8_t resp[SIM_SEV_RESP_MAX];
        uint8_t certs[SIM_SEV_CERTS_MAX];
        bool wrote_req, wrote_resp; /* the latter with certs, if any; ioctl is always to be copied back */
} SimSevCall;

/* Sizes of request and response structure; 0 for a number that is no ioctl of this driver. */
size_t sim_sev_req_size(uint32_t request);
size_t sim_sev_resp_size(uint32_t request);

uint64_t sim_sev_req_address(const SimSevCall *c);
uint64_t sim_sev_resp_address(const SimSevCall *c);
/* Of an extended request: 0 when the caller wants no certificates. */
uint64_t sim_sev_certs_address(const SimSevCall *c);
uint32_t sim_sev_certs_len(const SimSevCall *c);

/* What the driver checks of c->ioctl before it looks any further. 0; -EINVAL with nothing to copy back at all when
 * *@ret_silent, else with c->ioctl; -ENOTTY. */
WARN_UNUSED int sim_sev_check_ioctl(SimSevCall *c, bool *ret_silent);
/* What it checks of an extended request. 0 or -EINVAL. */
WARN_UNUSED int sim_sev_check_req(const SimSevCall *c);

/* Answers a checked call. Return: as the ioctl. */
WARN_UNUSED int sim_sev_act(SimSevGuest *g, SimSevCall *c);
