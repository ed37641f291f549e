/* SPDX-License-Identifier: Apache-2.0 */
#include "snp/collateral-cache-name.h"

#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "base/reader.h"
#include "base/text.h"

#define TURIN_HWID_SIZE 8u
#define VEK_SUFFIX ".der"

static const char *const suffixes[SNP_N_PARTS] = {
        [SNP_PART_CHAIN] = "-chain.pem",
        [SNP_PART_VEK] = VEK_SUFFIX,
        [SNP_PART_CRL] = "-crl.der",
};

static size_t hwid_size(SnpProduct product) {
        return product == SNP_PRODUCT_TURIN ? TURIN_HWID_SIZE : SNP_CHIP_ID_SIZE;
}

static const char *key_name(SnpSigningKey key) {
        return key == SNP_SIGNING_KEY_VLEK ? "vlek" : "vcek";
}

bool snp_cache_name_format(const SnpVekId *id, SnpPart part, char ret[static SNP_CACHE_NAME_MAX]) {
        char hwid[2 * SNP_CHIP_ID_SIZE + 1], tcb[2 * SNP_TCB_SIZE + 1];
        size_t n = hwid_size(id->product);

        if (id->product <= SNP_PRODUCT_UNKNOWN || id->product >= SNP_N_PRODUCTS)
                return false;
        if (part != SNP_PART_VEK) {
                (void) snprintf(ret, SNP_CACHE_NAME_MAX, "%s-%s%s", key_name(id->key), snp_product_name(id->product),
                                suffixes[part]);
                return true;
        }
        if (id->key == SNP_SIGNING_KEY_VLEK || snp_vek_id_is_masked(id) ||
            !bytes_are_zero(id->chip_id + n, SNP_CHIP_ID_SIZE - n))
                return false;
        hex_encode_to(id->chip_id, n, hwid);
        hex_encode_to(id->tcb, SNP_TCB_SIZE, tcb);
        (void) snprintf(ret, SNP_CACHE_NAME_MAX, "vcek-%s-%s-%s" VEK_SUFFIX, snp_product_name(id->product), hwid, tcb);
        return true;
}

static const char *skip(const char *text, const char *prefix) {
        return text && text_starts_with(text, prefix) ? text + strlen(prefix) : NULL;
}

/* What follows @n lower-case hex digits, or NULL. */
static const char *skip_hex(const char *text, size_t n) {
        return text && strspn(text, "0123456789abcdef") == n ? text + n : NULL;
}

bool snp_cache_name_parse(const char *name, SnpCacheName *ret) {
        SnpCacheName found = { .key = text_starts_with(name, "vlek-") ? SNP_SIGNING_KEY_VLEK : SNP_SIGNING_KEY_VCEK };
        const char *rest = NULL, *vek;

        while (!rest && ++found.product < SNP_N_PRODUCTS)
                rest = skip(skip(skip(name, key_name(found.key)), "-"), snp_product_name(found.product));
        if (!rest)
                return false;
        vek = skip_hex(skip(skip_hex(skip(rest, "-"), 2 * hwid_size(found.product)), "-"), 2 * SNP_TCB_SIZE);
        if (strcmp(rest, suffixes[SNP_PART_CHAIN]) == 0)
                found.part = SNP_PART_CHAIN;
        else if (strcmp(rest, suffixes[SNP_PART_CRL]) == 0)
                found.part = SNP_PART_CRL;
        else if (vek && found.key == SNP_SIGNING_KEY_VCEK && strcmp(vek, VEK_SUFFIX) == 0)
                found.part = SNP_PART_VEK;
        else
                return false;
        *ret = found;
        return true;
}
