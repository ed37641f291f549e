/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Roots of trust are public keys, not certificates: a list of (product line, SHA-384 of SubjectPublicKeyInfo). AMD's
 * three are compiled in. The other kind of list is made from certificates that the operator names in configuration;
 * it replaces AMD's and remembers that it did, for the whole life of every verdict that rests on it. It keeps the
 * certificates too, so that evidence need not bring them again.
 */

#include "snp/trust.h"

#include <errno.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

#include "snp/cert.h"

typedef struct Pin {
        SnpProduct product;
        uint8_t spki[SNP_SPKI_DIGEST_SIZE];
} Pin;

struct SnpTrust {
        bool test;
        size_t n_pins;
        Pin pins[SNP_CERT_LIST_MAX];
        X509 *roots[SNP_CERT_LIST_MAX]; /* test: those that the pins are of */
};

/*
 * AMD's root keys, as served by https://kdsintf.amd.com/vcek/v1/{Milan,Genoa,Turin}/cert_chain and the vlek
 * counterparts, which carry the same three.
 */
static const Pin amd_pins[] = {
        { SNP_PRODUCT_MILAN,
          { 0x12, 0x49, 0xf6, 0x7f, 0x15, 0xcf, 0x22, 0x9a, 0x40, 0x69, 0x19, 0x5e, 0x1a, 0x9c, 0xe5, 0x37,
            0xd1, 0x76, 0x5e, 0xf7, 0x06, 0xa1, 0xf4, 0xa1, 0x23, 0xc3, 0x6b, 0xe9, 0x51, 0x87, 0x86, 0x51,
            0x5d, 0x25, 0xec, 0xc0, 0x07, 0xf3, 0x66, 0xb5, 0x64, 0xd2, 0xb3, 0xf3, 0x1c, 0x48, 0x08, 0x2e } },
        { SNP_PRODUCT_GENOA,
          { 0x32, 0xab, 0x53, 0xa6, 0xce, 0x5e, 0xc1, 0x49, 0x26, 0x20, 0x73, 0x96, 0xe5, 0xc4, 0x75, 0xae,
            0x76, 0x8a, 0x6a, 0x98, 0x31, 0xb7, 0xe8, 0x60, 0xb5, 0xac, 0xf2, 0xe1, 0xc1, 0xdf, 0xf2, 0x22,
            0xbc, 0x5a, 0x8b, 0xfc, 0x43, 0xeb, 0x5e, 0x06, 0x39, 0x31, 0x89, 0xc1, 0xf2, 0x46, 0xd8, 0x80 } },
        { SNP_PRODUCT_TURIN,
          { 0x34, 0x75, 0xf0, 0x8a, 0x97, 0x27, 0xf8, 0xac, 0x9a, 0x1d, 0xea, 0xea, 0x5f, 0x2a, 0x20, 0x97,
            0xaa, 0x59, 0xd6, 0x4d, 0x05, 0xc2, 0xa6, 0x78, 0xc2, 0x29, 0xc8, 0x73, 0xe6, 0x35, 0x9d, 0x3a,
            0x69, 0x26, 0x28, 0x7a, 0x2a, 0x22, 0xcd, 0x5f, 0x88, 0xa3, 0x85, 0xe3, 0x33, 0xa2, 0xfc, 0xc5 } },
};

int snp_trust_new_amd(SnpTrust **ret, Error *e) {
        SnpTrust *trust = calloc(1, sizeof(*trust));

        if (!trust)
                return error_oom(e);
        trust->n_pins = N_ELEMENTS(amd_pins);
        (void) memcpy(trust->pins, amd_pins, sizeof(amd_pins));
        *ret = trust;
        return 0;
}

/* A root that does not even sign itself would only fail later, far from the configuration that names it. */
static int check_self_signed(X509 *root, Error *e) {
        int r;

        (void) ERR_set_mark();
        r = X509_verify(root, X509_get0_pubkey(root));
        (void) ERR_pop_to_mark();
        if (r != 1)
                return error_set(e, -EKEYREJECTED, "test-root", "The signature of the root on itself does not hold");
        return 0;
}

static int pin_root(SnpTrust *trust, X509 *root, Error *e) {
        Pin *pin = &trust->pins[trust->n_pins];
        int r;

        if (snp_cert_role(root, &pin->product) != SNP_ROLE_ARK)
                return error_set(e, -EBADMSG, "test-root",
                                 "Subject and issuer are not both AMD's name for the ARK of a product line");
        r = snp_cert_check_profile(root, SNP_ROLE_ARK, e);
        if (r < 0)
                return r;
        r = check_self_signed(root, e);
        if (r < 0)
                return r;
        r = snp_cert_spki_digest(root, pin->spki, e);
        if (r < 0)
                return r;
        if (X509_up_ref(root) != 1)
                return error_oom(e);
        trust->roots[trust->n_pins++] = root;
        return 0;
}

int snp_trust_new_test(const void *pem_or_der, size_t size, SnpTrust **ret, Error *e) {
        CLEANUP(snp_trust_freep) SnpTrust *trust = calloc(1, sizeof(*trust));
        AUTO_CERT_LIST SnpCertList roots = {};
        int r;

        if (!trust)
                return error_oom(e);
        if (size > SNP_CERTS_MAX * SNP_CERT_SIZE_MAX)
                return error_set(e, -E2BIG, "test-root", "Test roots have %zu bytes, more than %u", size,
                                 SNP_CERTS_MAX * SNP_CERT_SIZE_MAX);
        trust->test = true;
        r = snp_cert_list_add(&roots, pem_or_der, size, "Test root", e);
        if (r < 0)
                return r;
        for (size_t i = 0; i < roots.n; i++) {
                r = pin_root(trust, roots.certs[i], e);
                if (r < 0) {
                        error_prefix(e, "Test root %zu", i + 1);
                        return r;
                }
        }
        *ret = TAKE_PTR(trust);
        return 0;
}

void snp_trust_free(SnpTrust *trust) {
        if (!trust)
                return;
        for (size_t i = 0; i < trust->n_pins; i++)
                X509_free(trust->roots[i]);
        free(trust);
}

bool snp_trust_is_test(const SnpTrust *trust) {
        return trust->test;
}

int snp_trust_has_root(const SnpTrust *trust, SnpProduct product, X509 *ark, bool *ret, Error *e) {
        uint8_t spki[SNP_SPKI_DIGEST_SIZE];
        int r = snp_cert_spki_digest(ark, spki, e);

        if (r < 0)
                return r;
        *ret = false;
        for (size_t i = 0; i < trust->n_pins; i++)
                if (trust->pins[i].product == product && memcmp(trust->pins[i].spki, spki, sizeof(spki)) == 0)
                        *ret = true;
        return 0;
}

X509 *snp_trust_root_at(const SnpTrust *trust, SnpProduct product, size_t index) {
        for (size_t i = 0; i < trust->n_pins; i++)
                if (trust->roots[i] && trust->pins[i].product == product && index-- == 0)
                        return trust->roots[i];
        return NULL;
}
