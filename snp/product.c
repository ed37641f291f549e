/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Product lines. Bergamo and Siena have Zen 4c cores and no certificate authority of their own: they are Genoa to
 * everything that matters here. A CPU that is in no range below has no ARK that we could pin, so it stays unknown.
 */

#include "snp/product.h"

#include <string.h>

/* Combined family and model, CPUID Fn0000_0001_EAX, as AMD's processor programming references assign them. */
static const struct {
        uint8_t family, model_first, model_last;
        SnpProduct product;
} cpus[] = {
        { 0x19, 0x00, 0x0f, SNP_PRODUCT_MILAN },
        { 0x19, 0x10, 0x1f, SNP_PRODUCT_GENOA },
        { 0x19, 0xa0, 0xaf, SNP_PRODUCT_GENOA }, /* Bergamo, Siena */
        { 0x1a, 0x00, 0x11, SNP_PRODUCT_TURIN },
};

static const struct {
        const char *name;
        SnpProduct product;
} names[] = {
        { "Milan", SNP_PRODUCT_MILAN }, { "Genoa", SNP_PRODUCT_GENOA }, { "Bergamo", SNP_PRODUCT_GENOA },
        { "Siena", SNP_PRODUCT_GENOA }, { "Turin", SNP_PRODUCT_TURIN },
};

const char *snp_product_name(SnpProduct product) {
        switch (product) {
        case SNP_PRODUCT_MILAN:
                return "Milan";
        case SNP_PRODUCT_GENOA:
                return "Genoa";
        case SNP_PRODUCT_TURIN:
                return "Turin";
        case SNP_PRODUCT_UNKNOWN:
        case SNP_N_PRODUCTS:
        default:
                return "unknown";
        }
}

SnpProduct snp_product_from_name(const char *name, size_t len) {
        const char *dash = memchr(name, '-', len); /* "Milan-B0": the stepping is of no consequence */
        size_t n = dash ? (size_t) (dash - name) : len;

        for (size_t i = 0; i < N_ELEMENTS(names); i++)
                if (strlen(names[i].name) == n && memcmp(names[i].name, name, n) == 0)
                        return names[i].product;
        return SNP_PRODUCT_UNKNOWN;
}

SnpProduct snp_product_from_cpuid(uint8_t family, uint8_t model) {
        for (size_t i = 0; i < N_ELEMENTS(cpus); i++)
                if (cpus[i].family == family && model >= cpus[i].model_first && model <= cpus[i].model_last)
                        return cpus[i].product;
        return SNP_PRODUCT_UNKNOWN;
}

SnpTcbLayout snp_product_tcb_layout(SnpProduct product) {
        switch (product) {
        case SNP_PRODUCT_MILAN:
        case SNP_PRODUCT_GENOA:
                return SNP_TCB_LAYOUT_MILAN;
        case SNP_PRODUCT_TURIN:
                return SNP_TCB_LAYOUT_TURIN;
        case SNP_PRODUCT_UNKNOWN:
        case SNP_N_PRODUCTS:
        default:
                return SNP_TCB_LAYOUT_UNKNOWN;
        }
}
