/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Addresses of AMD's key distribution service. Everything in them is a name from a table, hex digits or a decimal
 * number, so nothing that a report or a host says can change their shape.
 */

#include "snp/kds.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "base/reader.h"
#include "base/text.h"
#include "snp/crl.h"
#include "snp/vek.h"

#define TURIN_HWID_SIZE 8u /* 57230: Turin's hwID; the longer form is answered with 404 */

size_t snp_part_size_max(SnpPart part) {
        switch (part) {
        case SNP_PART_CHAIN:
                return SNP_CHAIN_SIZE_MAX;
        case SNP_PART_VEK:
                return SNP_VEK_SIZE_MAX;
        case SNP_PART_CRL:
                return SNP_CRL_SIZE_MAX;
        case SNP_N_PARTS:
        default:
                return 0;
        }
}

const char *snp_part_name(SnpPart part) {
        static const char *const names[SNP_N_PARTS] = { "chain", "vek", "crl" };

        return part < SNP_N_PARTS ? names[part] : "unknown";
}

int snp_vek_id_of_report(const SnpReport *report, SnpProduct fallback, SnpVekId *ret, Error *e) {
        if (report->mask_chip_key ||
            (report->signing_key != SNP_SIGNING_KEY_VCEK && report->signing_key != SNP_SIGNING_KEY_VLEK))
                return error_set(e, -ENOENT, "no-signing-key", "The report is not signed, so no certificate goes with it");
        *ret = (SnpVekId){ .product = snp_report_product(report, fallback), .key = report->signing_key };
        (void) memcpy(ret->tcb, report->reported_tcb, sizeof(ret->tcb));
        if (ret->key == SNP_SIGNING_KEY_VCEK)
                (void) memcpy(ret->chip_id, report->chip_id, sizeof(ret->chip_id));
        return 0;
}

void snp_vek_id_of_vek(const SnpVek *vek, SnpVekId *ret) {
        *ret = (SnpVekId){ .product = vek->product, .key = vek->kind };
        (void) memcpy(ret->tcb, vek->ext.tcb, sizeof(ret->tcb));
        if (vek->kind == SNP_SIGNING_KEY_VCEK)
                (void) memcpy(ret->chip_id, vek->ext.hwid, vek->ext.hwid_size);
}

bool snp_vek_id_is_masked(const SnpVekId *id) {
        return id->key == SNP_SIGNING_KEY_VCEK && bytes_are_zero(id->chip_id, sizeof(id->chip_id));
}

static bool is_host_char(char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || strchr("-._:[]", c);
}

static bool is_path_char(char c) {
        return is_host_char(c) || strchr("/~%+,=!$&'()*;", c);
}

int snp_kds_base_check(const char *base, Error *e) {
        const char *host = text_starts_with(base, "https://")  ? base + strlen("https://")
                           : text_starts_with(base, "http://") ? base + strlen("http://")
                                                               : NULL;
        size_t n = 0;

        if (!host || strlen(base) > SNP_KDS_BASE_MAX)
                return error_set(e, -EINVAL, "kds-base", "'%.80s' does not begin with https:// or http://, or is too long",
                                 base);
        while (host[n] && is_host_char(host[n]))
                n++;
        if (n == 0 || (host[n] && host[n] != '/'))
                return error_set(e, -EINVAL, "kds-base", "'%.80s' has no plain host name", base);
        while (host[n] && is_path_char(host[n]))
                n++;
        if (host[n])
                return error_set(e, -EINVAL, "kds-base", "'%.80s' is more than scheme, host, port and path", base);
        return 0;
}

/* Chip ID as the service wants it; its digits and a NUL. */
static int format_hwid(const SnpVekId *id, char ret[static 2 * SNP_CHIP_ID_SIZE + 1], Error *e) {
        size_t n = id->product == SNP_PRODUCT_TURIN ? TURIN_HWID_SIZE : SNP_CHIP_ID_SIZE;

        if (bytes_are_zero(id->chip_id, sizeof(id->chip_id)))
                return error_set(e, -EOPNOTSUPP, "kds-chip-id-masked",
                                 "The host hides the chip ID, so AMD cannot be asked for the VCEK");
        if (!bytes_are_zero(id->chip_id + n, SNP_CHIP_ID_SIZE - n))
                return error_set(e, -EOPNOTSUPP, "kds-chip-id", "A chip ID of %s has only %zu bytes",
                                 snp_product_name(id->product), n);
        hex_encode_to(id->chip_id, n, ret);
        return 0;
}

/* Two digits at least, as AMD's own tools write them. */
static int vcek_path(const SnpVekId *id, char *ret, size_t size, Error *e) {
        char hwid[2 * SNP_CHIP_ID_SIZE + 1], fmc[sizeof("fmcSPL=000&")] = "";
        SnpTcb tcb = {};
        int r;

        if (id->key == SNP_SIGNING_KEY_VLEK)
                return error_set(e, -EOPNOTSUPP, "kds-vlek",
                                 "AMD hands VLEKs to cloud providers only; it must come from the host");
        r = format_hwid(id, hwid, e);
        if (r < 0)
                return r;
        r = snp_tcb_decode(snp_product_tcb_layout(id->product), id->tcb, &tcb);
        if (r < 0)
                return error_set(e, r, "kds-product-unknown", "The TCB layout of this product is not known");
        if (id->product == SNP_PRODUCT_TURIN)
                (void) snprintf(fmc, sizeof(fmc), "fmcSPL=%02u&", tcb.fmc);
        (void) snprintf(ret, size, "/vcek/v1/%s/%s?%sblSPL=%02u&teeSPL=%02u&snpSPL=%02u&ucodeSPL=%02u",
                        snp_product_name(id->product), hwid, fmc, tcb.boot_loader, tcb.tee, tcb.snp, tcb.microcode);
        return 0;
}

int snp_kds_url(const SnpVekId *id, SnpPart part, const char *base, char ret[static SNP_KDS_URL_MAX], Error *e) {
        const char *front = base ? base : SNP_KDS_BASE;
        size_t n = strlen(front);
        char path[SNP_KDS_URL_MAX - SNP_KDS_BASE_MAX];

        if (id->product <= SNP_PRODUCT_UNKNOWN || id->product >= SNP_N_PRODUCTS)
                return error_set(e, -EOPNOTSUPP, "kds-product-unknown",
                                 "The report does not tell its product line, so AMD cannot be asked");
        if (n > SNP_KDS_BASE_MAX)
                return error_set(e, -E2BIG, "kds-base", "The mirror's address has %zu characters", n);
        while (n > 0 && front[n - 1] == '/')
                n--;
        if (part == SNP_PART_VEK) {
                int r = vcek_path(id, path, sizeof(path), e);

                if (r < 0)
                        return r;
        } else
                (void) snprintf(path, sizeof(path), "/%s/v1/%s/%s", id->key == SNP_SIGNING_KEY_VLEK ? "vlek" : "vcek",
                                snp_product_name(id->product), part == SNP_PART_CRL ? "crl" : "cert_chain");
        (void) snprintf(ret, SNP_KDS_URL_MAX, "%.*s%s", (int) n, front, path);
        return 0;
}
