/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The kernel's ABI of /dev/sev-guest (Linux, include/uapi/linux/sev-guest.h) and the firmware's answer in it
 * (AMD publication 56860, MSG_REPORT_RSP). Declared here because headers of the build machine may be older
 * than the kernel we run on; names of fields are the kernel's.
 */

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>

#include "snp/report.h"

/* struct snp_guest_request_ioctl. Older headers call the last eight bytes fw_err: same bits. */
typedef struct SevGuestRequest {
        uint8_t msg_version; /* 0 is refused */
        uint8_t pad[7];
        uint64_t req_data;  /* address */
        uint64_t resp_data; /* address */
        uint32_t fw_error;  /* written by the kernel only when the call fails */
        uint32_t vmm_error;
} SevGuestRequest;
static_assert(sizeof(SevGuestRequest) == 32, "uapi");
static_assert(offsetof(SevGuestRequest, req_data) == 8, "uapi");
static_assert(offsetof(SevGuestRequest, resp_data) == 16, "uapi");
static_assert(offsetof(SevGuestRequest, fw_error) == 24, "uapi");
static_assert(offsetof(SevGuestRequest, vmm_error) == 28, "uapi");

/* struct snp_report_req */
typedef struct SevGuestReportReq {
        uint8_t user_data[SNP_REPORT_DATA_SIZE];
        uint32_t vmpl;
        uint8_t rsvd[28];
} SevGuestReportReq;
static_assert(sizeof(SevGuestReportReq) == 96, "uapi");
static_assert(offsetof(SevGuestReportReq, vmpl) == 64, "uapi");

/* struct snp_ext_report_req */
typedef struct SevGuestExtReportReq {
        SevGuestReportReq data;
        uint64_t certs_address; /* 0: no certificates wanted */
        uint32_t certs_len;     /* multiple of a page, at most SNP_CERT_TABLE_MAX; the kernel writes what it takes */
        uint32_t pad;
} SevGuestExtReportReq;
static_assert(sizeof(SevGuestExtReportReq) == 112, "uapi");
static_assert(offsetof(SevGuestExtReportReq, certs_address) == 96, "uapi");
static_assert(offsetof(SevGuestExtReportReq, certs_len) == 104, "uapi");

/* struct snp_report_resp, whose 4000 bytes are MSG_REPORT_RSP */
typedef struct SevGuestReportResp {
        uint32_t status; /* of the firmware, also when the call succeeds */
        uint32_t report_size;
        uint8_t rsvd[24];
        uint8_t report[SNP_REPORT_SIZE];
        uint8_t rest[4000 - 32 - SNP_REPORT_SIZE];
} SevGuestReportResp;
static_assert(sizeof(SevGuestReportResp) == 4000, "uapi");
static_assert(offsetof(SevGuestReportResp, report_size) == 4, "56860");
static_assert(offsetof(SevGuestReportResp, report) == 32, "56860");

/* struct snp_derived_key_req: MSG_KEY_REQ without what firmware 1.58 has added at its end */
typedef struct SevGuestDerivedKeyReq {
        uint32_t root_key_select;
        uint32_t rsvd;
        uint64_t guest_field_select;
        uint32_t vmpl;
        uint32_t guest_svn;
        uint64_t tcb_version;
} SevGuestDerivedKeyReq;
static_assert(sizeof(SevGuestDerivedKeyReq) == 32, "uapi");
static_assert(offsetof(SevGuestDerivedKeyReq, guest_field_select) == 8, "uapi");
static_assert(offsetof(SevGuestDerivedKeyReq, vmpl) == 16, "uapi");
static_assert(offsetof(SevGuestDerivedKeyReq, guest_svn) == 20, "uapi");
static_assert(offsetof(SevGuestDerivedKeyReq, tcb_version) == 24, "uapi");

/* struct snp_derived_key_resp, whose 64 bytes are MSG_KEY_RSP */
typedef struct SevGuestDerivedKeyResp {
        uint32_t status;
        uint8_t rsvd[28];
        uint8_t key[32];
} SevGuestDerivedKeyResp;
static_assert(sizeof(SevGuestDerivedKeyResp) == 64, "uapi");
static_assert(offsetof(SevGuestDerivedKeyResp, key) == 32, "56860");

#define SEV_GUEST_GET_REPORT _IOWR('S', 0x0, SevGuestRequest)
#define SEV_GUEST_GET_DERIVED_KEY _IOWR('S', 0x1, SevGuestRequest)
#define SEV_GUEST_GET_EXT_REPORT _IOWR('S', 0x2, SevGuestRequest)
static_assert(SEV_GUEST_GET_REPORT == 0xC0205300, "uapi");
static_assert(SEV_GUEST_GET_DERIVED_KEY == 0xC0205301, "uapi");
static_assert(SEV_GUEST_GET_EXT_REPORT == 0xC0205302, "uapi");

/* Of every request. Version 2 of MSG_KEY_REQ is longer than what the kernel copies. */
#define SEV_GUEST_MSG_VERSION 1
#define SEV_GUEST_NO_FW_CALL 0xFFu    /* fw_error when the firmware was never asked; newer headers: all bits set */
#define SEV_GUEST_VMM_INVALID_LEN 1u  /* the host has more certificates than were asked for */
#define SEV_GUEST_VMM_BUSY 2u
#define SEV_GUEST_STATUS_INVALID_PARAM 0x16u
#define SEV_GUEST_STATUS_INVALID_KEY 0x27u
