/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Certificates, up to the point where a signature would be asked: names, profile, AMD's extensions. What is said
 * about a certificate is the same twice and keeps to its bounds, and no input ever makes a chain.
 */

#include <assert.h>
#include <errno.h>
#include <openssl/err.h>
#include <string.h>

#include "snp/cert.h"
#include "snp/vek-ext.h"
#include "snp/verify.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_extensions(const SnpVekExtensions *ext) {
        assert(ext->product > SNP_PRODUCT_UNKNOWN && ext->product < SNP_N_PRODUCTS);
        assert(ext->hwid_size == 0 || ext->hwid_size == (ext->layout == SNP_TCB_LAYOUT_TURIN ? 8 : SNP_HWID_MAX));
        assert(!ext->has_csp_id || ext->hwid_size == 0);
        assert(memchr(ext->csp_id, 0, sizeof(ext->csp_id)));
        for (const char *p = ext->csp_id; *p; p++)
                assert(*p >= 0x20 && *p < 0x7f);
}

static void check_cert(X509 *cert) {
        SnpVekExtensions ext = {}, again = {};
        SnpProduct product;
        SnpCertRole role = snp_cert_role(cert, &product);
        Error e = {};
        int r;

        assert((role == SNP_ROLE_NONE) == (product == SNP_PRODUCT_UNKNOWN));
        r = snp_cert_check_profile(cert, role, &e);
        assert(r == 0 || (r == -EBADMSG && e.text[0]));
        r = snp_vek_extensions_parse(cert, &ext, NULL);
        assert(snp_vek_extensions_parse(cert, &again, NULL) == r);
        assert(memcmp(ext.tcb, again.tcb, sizeof(ext.tcb)) == 0 && ext.hwid_size == again.hwid_size);
        if (r == 0)
                check_extensions(&ext);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        CLEANUP(snp_trust_freep) SnpTrust *trust = NULL;
        AUTO_CERT_LIST SnpCertList list = {};
        SnpVek *vek = NULL;
        SnpCerts certs = { .vek = { data, size }, .others = { { data, size } }, .n_others = 1 };
        Error e = {};

        if (snp_cert_list_add(&list, data, size, "input", &e) < 0)
                assert(e.code < 0 && e.reason && e.text[0]);
        for (size_t i = 0; i < list.n; i++)
                check_cert(list.certs[i]);
        assert(snp_trust_new_amd(&trust, NULL) == 0);
        assert(snp_vek_new(trust, &certs, 1750000000, &vek, NULL) < 0 && !vek);
        assert(ERR_peek_error() == 0);
        return 0;
}
