/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Inside of snp/: what a VCEK or VLEK certificate says about its chip or provider, in AMD's own extensions. */

#include <openssl/x509.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "snp/product.h"
#include "snp/tcb.h"

#define SNP_HWID_MAX 64
#define SNP_CSP_ID_MAX 127 /* what a one-byte DER length can say */

typedef struct SnpVekExtensions {
        SnpProduct product;             /* from productName */
        SnpTcbLayout layout;            /* from structVersion */
        uint8_t tcb[SNP_TCB_SIZE];      /* in the byte order of a report, with its reserved parts */
        uint8_t hwid[SNP_HWID_MAX];     /* VCEK: 64 bytes, or 8 in the Turin layout */
        size_t hwid_size;               /* 0: no hwID */
        char csp_id[SNP_CSP_ID_MAX + 1]; /* VLEK; printable */
        bool has_csp_id;
} SnpVekExtensions;

/*
 * Exactly the set of extensions that structVersion asks for, each at most once, hwID and CSP_ID never together.
 * Whether one of those two is there, and the right one, is for the caller to judge. 0 or -EBADMSG.
 */
WARN_UNUSED int snp_vek_extensions_parse(const X509 *cert, SnpVekExtensions *ret, Error *e);
