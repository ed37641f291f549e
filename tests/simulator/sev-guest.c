/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/simulator/sev-guest.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/reader.h"
#include "base/writer.h"
#include "tests/simulator/derived-key.h"

#define PAGE 4096u
/* struct snp_guest_request_ioctl */
#define AT_MSG_VERSION 0
#define AT_REQ_DATA 8
#define AT_RESP_DATA 16
#define AT_FW_ERROR 24
#define AT_VMM_ERROR 28
#define NO_FW_CALL 0xFFu
#define VMM_INVALID_LEN 1u
#define VMM_BUSY 2u
/* struct snp_report_req, struct snp_ext_report_req */
#define AT_VMPL 64
#define AT_CERTS_ADDRESS 96
#define AT_CERTS_LEN 104
/* MSG_REPORT_RSP */
#define AT_REPORT_SIZE 4
#define AT_REPORT 32
#define STATUS_INVALID_PARAM 0x16u

size_t sim_sev_req_size(uint32_t request) {
        return request == SIM_SEV_REPORT ? 96 : request == SIM_SEV_DERIVED_KEY ? 32 :
               request == SIM_SEV_EXT_REPORT ? 112 : 0;
}

size_t sim_sev_resp_size(uint32_t request) {
        return request == SIM_SEV_DERIVED_KEY ? 64 : request == SIM_SEV_REPORT || request == SIM_SEV_EXT_REPORT ? 4000 : 0;
}

uint64_t sim_sev_req_address(const SimSevCall *c) {
        return load_le64(c->ioctl + AT_REQ_DATA);
}

uint64_t sim_sev_resp_address(const SimSevCall *c) {
        return load_le64(c->ioctl + AT_RESP_DATA);
}

uint64_t sim_sev_certs_address(const SimSevCall *c) {
        return load_le64(c->req + AT_CERTS_ADDRESS);
}

uint32_t sim_sev_certs_len(const SimSevCall *c) {
        return c->request == SIM_SEV_EXT_REPORT && sim_sev_certs_address(c) != 0 ? load_le32(c->req + AT_CERTS_LEN) : 0;
}

static int fail_with(SimSevCall *c, int code, uint32_t fw_error, uint32_t vmm_error) {
        store_le32(c->ioctl + AT_FW_ERROR, fw_error);
        store_le32(c->ioctl + AT_VMM_ERROR, vmm_error);
        return code;
}

int sim_sev_check_ioctl(SimSevCall *c, bool *ret_silent) {
        *ret_silent = c->ioctl[AT_MSG_VERSION] == 0;
        if (*ret_silent)
                return -EINVAL;
        if (sim_sev_req_size(c->request) == 0)
                return fail_with(c, -ENOTTY, NO_FW_CALL, 0);
        if (sim_sev_req_address(c) == 0 || sim_sev_resp_address(c) == 0)
                return fail_with(c, -EINVAL, NO_FW_CALL, 0);
        return 0;
}

int sim_sev_check_req(const SimSevCall *c) {
        uint32_t n = sim_sev_certs_len(c);

        return n > SIM_SEV_CERTS_MAX || n % PAGE != 0 ? -EINVAL : 0;
}

/* Failures of host and firmware after which the driver does not use its key again. */
static int fail_and_wipe(SimSevGuest *g, SimSevCall *c, int code, uint32_t fw_error, uint32_t vmm_error) {
        g->wiped = true;
        return fail_with(c, code, fw_error, vmm_error);
}

/* 1: the failure does not strike here. */
static int strike(SimSevGuest *g, SimSevCall *c, SimFail fail) {
        switch ((int) fail.kind) {
        case SIM_FAIL_VMM_ERROR:
                return fail_and_wipe(g, c, -EIO, 0, fail.arg);
        case SIM_FAIL_FW_ERROR:
                return fail_and_wipe(g, c, -EIO, fail.arg, 0);
        case SIM_FAIL_CERTS_LEN:
                if (c->request != SIM_SEV_EXT_REPORT)
                        return 1;
                store_le32(c->req + AT_CERTS_LEN, fail.arg);
                c->wrote_req = true;
                return fail_with(c, -EIO, 0, VMM_INVALID_LEN);
        case SIM_FAIL_ERRNO:
                if (fail.arg == ETIMEDOUT)
                        return fail_and_wipe(g, c, -ETIMEDOUT, 0, VMM_BUSY);
                if (fail.arg == EBADMSG || fail.arg == EIO)
                        return fail_and_wipe(g, c, -(int) fail.arg, NO_FW_CALL, 0);
                return fail_with(c, -(int) fail.arg, NO_FW_CALL, 0);
        default:
                return 1;
        }
}

static int broken(const char *what, const Error *e, int r) {
        fprintf(stderr, "snp-sim-sev-guest: %s: %s\n", what, error_text(e, r));
        return -EREMOTEIO;
}

static void put_status(SimSevCall *c, uint32_t status) {
        store_le32(c->resp, status);
        c->wrote_resp = true;
}

static int act_key(SimSevGuest *g, SimSevCall *c, SimFail fail) {
        Error e = {};
        int r = sim_derived_key(g->platform, c->req, c->resp, &e);

        if (r < 0)
                return broken("derived key", &e, r);
        if (fail.kind == SIM_FAIL_ZERO_REPORT)
                (void) memset(c->resp, 0, sim_sev_resp_size(c->request));
        c->wrote_resp = true;
        return 0;
}

static int act_report(SimSevGuest *g, SimSevCall *c, SimFail fail) {
        AUTO_BLOB Blob report = {}, table = {};
        uint32_t room = sim_sev_certs_len(c);
        size_t n;
        Error e = {};
        int r;

        r = sim_platform_report(g->platform, c->req, load_le32(c->req + AT_VMPL), fail, &report, &table, &e);
        if (r == -EINVAL) { /* of the firmware, for the VMPL */
                put_status(c, STATUS_INVALID_PARAM);
                return 0;
        }
        if (r < 0)
                return broken("report", &e, r);
        if (c->request == SIM_SEV_EXT_REPORT && table.size > room) {
                store_le32(c->req + AT_CERTS_LEN, (uint32_t) ((table.size + PAGE - 1) / PAGE * PAGE));
                c->wrote_req = true;
                return fail_with(c, -EIO, 0, VMM_INVALID_LEN);
        }
        if (c->request == SIM_SEV_EXT_REPORT && table.size > 0)
                (void) memcpy(c->certs, table.data, table.size);
        n = report.size < SIM_SEV_RESP_MAX - AT_REPORT ? report.size : SIM_SEV_RESP_MAX - AT_REPORT;
        store_le32(c->resp + AT_REPORT_SIZE, (uint32_t) report.size);
        if (n > 0)
                (void) memcpy(c->resp + AT_REPORT, report.data, n);
        c->wrote_resp = true;
        return 0;
}

int sim_sev_act(SimSevGuest *g, SimSevCall *c) {
        Error e = {};
        SimFail fail;
        int r;

        r = sim_platform_refresh(g->platform, &e);
        if (r < 0)
                return broken("control file", &e, r);
        if (g->boot != g->platform->n_changes)
                g->wiped = false;
        g->boot = g->platform->n_changes;
        if (g->wiped)
                return fail_with(c, -ENOTTY, NO_FW_CALL, 0);
        fail = sim_platform_fail(g->platform, SIM_AT_REPORT);
        r = strike(g, c, fail);
        if (r <= 0)
                return r;
        if (fail.kind == SIM_FAIL_STATUS) {
                put_status(c, fail.arg);
                return 0;
        }
        return c->request == SIM_SEV_DERIVED_KEY ? act_key(g, c, fail) : act_report(g, c, fail);
}
