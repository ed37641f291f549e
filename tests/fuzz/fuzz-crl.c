/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Revocation lists: reading one and writing it out again changes nothing the second time, and no list is ever believed
 * that the ARK at hand has not signed, whatever it says about itself.
 */

#include <assert.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "snp/crl-internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const name[][2] = {
        { "OU", "Engineering" }, { "C", "US" }, { "L", "Santa Clara" },
        { "ST", "CA" }, { "O", "Advanced Micro Devices" }, { "CN", "ARK-Genoa" },
};

/* Has the name that lists in the corpus are issued under, and a key that nobody signs with. */
static X509 *make_ark(void) {
        X509 *ark = X509_new();
        EVP_PKEY *key = EVP_RSA_gen(1024);

        assert(ark && key && X509_set_pubkey(ark, key) == 1);
        EVP_PKEY_free(key);
        for (size_t i = 0; i < N_ELEMENTS(name); i++)
                assert(X509_NAME_add_entry_by_txt(X509_get_subject_name(ark), name[i][0], MBSTRING_UTF8,
                                                  (const unsigned char *) name[i][1], -1, -1, 0) == 1);
        return ark;
}

static void check_judgement(const uint8_t *data, size_t size) {
        static X509 *ark;
        const SnpCertBytes bytes = { .data = data, .size = size };

        if (!ark)
                ark = make_ark();
        for (SnpCrlMode mode = SNP_CRL_HARD; mode <= SNP_CRL_SOFT; mode++) {
                const SnpCrlPolicy policy = { .mode = mode, .stale_max = UINT64_MAX };
                SnpCrlVerdict v = {};
                Error e = {};
                int r = snp_crl_judge(ark, ark, &policy, &bytes, 1750000000, &v, &e);

                assert(r == (mode == SNP_CRL_SOFT ? 0 : -EKEYREJECTED));
                assert(v.state == SNP_CRL_UNUSABLE && v.why.code < 0 && v.why.text[0]);
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        AUTO_BLOB Blob der = {}, again = {};
        Error e = {};

        if (size == 0)
                return 0;
        if (snp_crl_to_der(data, size, &der, &e) < 0)
                assert(e.code < 0 && e.reason && e.text[0]);
        else {
                assert(snp_crl_to_der(der.data, der.size, &again, NULL) == 0);
                assert(blob_equal(&der, &again));
        }
        check_judgement(data, size);
        assert(ERR_peek_error() == 0);
        return 0;
}
