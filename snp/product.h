/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* AMD product lines with SEV-SNP, as certificates and the key distribution service name them. */

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "snp/tcb.h"

typedef enum SnpProduct {
        SNP_PRODUCT_UNKNOWN,
        SNP_PRODUCT_MILAN,
        SNP_PRODUCT_GENOA, /* with Bergamo and Siena */
        SNP_PRODUCT_TURIN,
        SNP_N_PRODUCTS,
} SnpProduct;

/* "Milan", "Genoa", "Turin"; "unknown" otherwise. */
const char *snp_product_name(SnpProduct product);

/* From a productName extension or a user's word: the text before '-' decides, case-sensitively; "Bergamo" and "Siena"
 * are Genoa. UNKNOWN when there is no such line. */
SnpProduct snp_product_from_name(const char *name, size_t len);

/* From the combined family and model bytes of reports of version 3 and later. */
SnpProduct snp_product_from_cpuid(uint8_t family, uint8_t model);

SnpTcbLayout snp_product_tcb_layout(SnpProduct product);
