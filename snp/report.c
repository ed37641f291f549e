/* SPDX-License-Identifier: Apache-2.0 */

/*
 * ATTESTATION_REPORT from bytes (AMD publication 56860, table ATTESTATION_REPORT). The bytes come from the host's
 * hands or from a network peer. What is read here keeps the order of that table; a reader that runs out of bytes or
 * meets a reserved byte that is not zero remembers where, and the rules that need more than one field come after.
 *
 * The raw bytes stay with the report: they are what the signature covers. Nothing is ever encoded again.
 */

#include "snp/report.h"

#include <errno.h>
#include <string.h>

#include "base/reader.h"

#define VERSION_CPUID 3u /* CPUID bytes at 0x188 */
#define VERSION_OPAQUE_MITIGATIONS 4u
#define VERSION_MITIGATIONS 5u /* mitigation vectors at 0x1F8 */

#define ALGO_ECDSA_P384_SHA384 1u /* SIGNATURE_ALGO, the only one defined */
#define VMPL_MAX 3u
#define VMPL_HOST UINT32_MAX /* the host asked for the report */

/* Bits 63:26 are reserved, must be zero. */
#define POLICY_RESERVED_ZERO (~((SNP_POLICY_PAGE_SWAP_DISABLE << 1) - 1))

/* KEY_INFO at 0x48 */
#define KEY_INFO_AUTHOR_KEY_EN (1u << 0)
#define KEY_INFO_MASK_CHIP_KEY (1u << 1)
#define KEY_INFO_SIGNING_KEY_SHIFT 2u
#define KEY_INFO_SIGNING_KEY_MASK 7u
#define KEY_INFO_RESERVED (~31u)

static int check_size(size_t size, Error *e) {
        if (size < SNP_REPORT_SIZE)
                return error_set(e, -EBADMSG, "report-truncated", "Report has %zu bytes instead of %d", size,
                                 SNP_REPORT_SIZE);
        if (size > SNP_REPORT_SIZE)
                return error_set(e, -EBADMSG, "report-oversized", "Report has %zu bytes instead of %d", size,
                                 SNP_REPORT_SIZE);
        return 0;
}

/* Asked before the rest is read, because the layout depends on it. */
static int check_version(uint32_t version, Error *e) {
        if (version < SNP_REPORT_VERSION_MIN || version > SNP_REPORT_VERSION_MAX)
                return error_set(e, -EOPNOTSUPP, "report-version", "Report version %u is not known (%u to %u are)",
                                 version, SNP_REPORT_VERSION_MIN, SNP_REPORT_VERSION_MAX);
        return 0;
}

static void read_head(Reader *r, SnpReport *report, uint32_t *key_info) {
        report->version = rd_le32(r);                             /* 000 */
        report->guest_svn = rd_le32(r);                           /* 004 */
        report->policy = rd_le64(r);                              /* 008 */
        rd_copy(r, report->family_id, sizeof(report->family_id)); /* 010 */
        rd_copy(r, report->image_id, sizeof(report->image_id));   /* 020 */
        report->vmpl = rd_le32(r);                                /* 030 */
        report->signature_algo = rd_le32(r);                      /* 034 */
        rd_copy(r, report->current_tcb, SNP_TCB_SIZE);            /* 038 */
        report->platform_info = rd_le64(r);                       /* 040 */
        *key_info = rd_le32(r);                                   /* 048 */
        rd_zero(r, 4);                                            /* 04C */
}

static void read_identity(Reader *r, SnpReport *report) {
        rd_copy(r, report->report_data, sizeof(report->report_data));             /* 050 */
        rd_copy(r, report->measurement, sizeof(report->measurement));             /* 090 */
        rd_copy(r, report->host_data, sizeof(report->host_data));                 /* 0C0 */
        rd_copy(r, report->id_key_digest, sizeof(report->id_key_digest));         /* 0E0 */
        rd_copy(r, report->author_key_digest, sizeof(report->author_key_digest)); /* 110 */
        rd_copy(r, report->report_id, sizeof(report->report_id));                 /* 140 */
        rd_copy(r, report->report_id_ma, sizeof(report->report_id_ma));           /* 160 */
        rd_copy(r, report->reported_tcb, SNP_TCB_SIZE);                           /* 180 */
}

static void read_firmware_version(Reader *r, SnpFirmwareVersion *ret) {
        ret->build = rd_u8(r);
        ret->minor = rd_u8(r);
        ret->major = rd_u8(r);
        rd_zero(r, 1);
}

static void read_platform(Reader *r, SnpReport *report) {
        report->has_cpuid = report->version >= VERSION_CPUID;
        if (report->has_cpuid) {
                report->cpuid_family = rd_u8(r);   /* 188 */
                report->cpuid_model = rd_u8(r);    /* 189 */
                report->cpuid_stepping = rd_u8(r); /* 18A */
        } else
                rd_zero(r, 3);
        rd_zero(r, 21);                                       /* 18B */
        rd_copy(r, report->chip_id, sizeof(report->chip_id)); /* 1A0 */
        rd_copy(r, report->committed_tcb, SNP_TCB_SIZE);      /* 1E0 */
        read_firmware_version(r, &report->current);           /* 1E8 */
        read_firmware_version(r, &report->committed);         /* 1EC */
        rd_copy(r, report->launch_tcb, SNP_TCB_SIZE);         /* 1F0 */
}

static void read_tail(Reader *r, SnpReport *report) {
        report->has_mitigation_vectors = report->version >= VERSION_MITIGATIONS;
        if (report->has_mitigation_vectors) {
                report->launch_mit_vector = rd_le64(r);  /* 1F8 */
                report->current_mit_vector = rd_le64(r); /* 200 */
        } else if (report->version == VERSION_OPAQUE_MITIGATIONS)
                rd_skip(r, 16); /* Turin firmware fills them in version 4 too, without saying what they mean */
        else
                rd_zero(r, 16);
        rd_zero(r, 152);                                              /* 208 */
        rd_copy(r, report->signature_r, sizeof(report->signature_r)); /* 2A0 */
        rd_copy(r, report->signature_s, sizeof(report->signature_s)); /* 2E8 */
        rd_zero(r, 368);                                              /* 330 */
}

static int check_reserved(Reader *r, Error *e) {
        /* The length is known to be right, so a reader can only have failed on a reserved byte. */
        if (rd_finish(r, "Report", NULL) < 0)
                return error_set(e, -EBADMSG, "report-reserved", "Report has a reserved byte that is not zero at "
                                 "offset 0x%zx", rd_offset(r));
        return 0;
}

static int check_policy(const SnpReport *report, Error *e) {
        if (!(report->policy & SNP_POLICY_RESERVED_ONE))
                return error_set(e, -EBADMSG, "report-policy", "POLICY 0x%llx lacks bit 17, which is always one",
                                 (unsigned long long) report->policy);
        if (report->policy & POLICY_RESERVED_ZERO)
                return error_set(e, -EBADMSG, "report-policy", "POLICY 0x%llx has reserved bits set",
                                 (unsigned long long) report->policy);
        return 0;
}

static int decode_key_info(uint32_t key_info, SnpReport *report, Error *e) {
        uint32_t key = key_info >> KEY_INFO_SIGNING_KEY_SHIFT & KEY_INFO_SIGNING_KEY_MASK;

        if (key_info & KEY_INFO_RESERVED)
                return error_set(e, -EBADMSG, "report-key-info", "KEY_INFO 0x%x has reserved bits set", key_info);
        report->author_key_en = key_info & KEY_INFO_AUTHOR_KEY_EN;
        report->mask_chip_key = key_info & KEY_INFO_MASK_CHIP_KEY;
        switch (key) {
        case SNP_SIGNING_KEY_VCEK:
        case SNP_SIGNING_KEY_VLEK:
        case SNP_SIGNING_KEY_NONE:
                report->signing_key = (SnpSigningKey) key;
                return 0;
        default:
                return error_set(e, -EBADMSG, "report-signing-key", "SIGNING_KEY %u is reserved", key);
        }
}

static int check_fields(const SnpReport *report, Error *e) {
        if (report->signature_algo != ALGO_ECDSA_P384_SHA384)
                return error_set(e, -EOPNOTSUPP, "report-signature-algo",
                                 "SIGNATURE_ALGO %u is not known (1, ECDSA P-384 with SHA-384, is)",
                                 report->signature_algo);
        if (report->vmpl > VMPL_MAX && report->vmpl != VMPL_HOST)
                return error_set(e, -EBADMSG, "report-vmpl", "VMPL %u does not exist", report->vmpl);
        return check_policy(report, e);
}

static int identify_product(SnpReport *report, Error *e) {
        if (!report->has_cpuid)
                return 0;
        report->product = snp_product_from_cpuid(report->cpuid_family, report->cpuid_model);
        if (report->product == SNP_PRODUCT_UNKNOWN)
                return error_set(e, -EOPNOTSUPP, "report-cpu",
                                 "CPUID family 0x%02x, model 0x%02x is no known SEV-SNP product line",
                                 report->cpuid_family, report->cpuid_model);
        return 0;
}

int snp_report_parse(const void *data, size_t size, SnpReport *ret, Error *e) {
        SnpReport report = {};
        uint32_t key_info = 0;
        Reader r;
        int k;

        k = check_size(size, e);
        if (k < 0)
                return k;
        r = rd_init(data, size);
        (void) memcpy(report.raw, data, SNP_REPORT_SIZE);
        k = check_version(load_le32(report.raw), e);
        if (k < 0)
                return k;
        read_head(&r, &report, &key_info);
        read_identity(&r, &report);
        read_platform(&r, &report);
        read_tail(&r, &report);
        k = check_reserved(&r, e);
        if (k < 0)
                return k;
        k = check_fields(&report, e);
        if (k < 0)
                return k;
        k = decode_key_info(key_info, &report, e);
        if (k < 0)
                return k;
        k = identify_product(&report, e);
        if (k < 0)
                return k;
        *ret = report;
        return 0;
}

SnpProduct snp_report_product(const SnpReport *report, SnpProduct fallback) {
        return report->has_cpuid ? report->product : fallback;
}
