/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The program that `snpctl verify` is measured against: it links libcrypto and nothing else, believes what it is given
 * and prints one word. The same signatures are checked: ARK, ASK and VCEK, then the report.
 *
 *     verify-bare REPORT VCEK ASK ARK    all DER but the report
 */

#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>

#define FILE_MAX 16384
#define N_CERTS 3
#define SIGNED_SIZE 0x2a0
#define REPORT_SIZE 1184
#define R_OFFSET 0x2a0
#define S_OFFSET (0x2a0 + 72)
#define SCALAR_SIZE 48

static void must(int ok, const char *what) {
        if (!ok) {
                (void) fprintf(stderr, "verify-bare: %s failed\n", what);
                exit(EXIT_FAILURE);
        }
}

static size_t load(const char *path, unsigned char data[static FILE_MAX]) {
        FILE *f = fopen(path, "rbe");
        size_t n;

        must(f != NULL, path);
        n = fread(data, 1, FILE_MAX, f);
        must(fclose(f) == 0 && n > 0, path);
        return n;
}

static void verify_report(const unsigned char *report, X509 *vek) {
        ECDSA_SIG *sig = ECDSA_SIG_new();
        EVP_MD_CTX *ctx = EVP_MD_CTX_new();
        unsigned char der[128], *out = der;
        int n;

        must(sig && ctx, "allocation");
        must(ECDSA_SIG_set0(sig, BN_lebin2bn(report + R_OFFSET, SCALAR_SIZE, NULL),
                            BN_lebin2bn(report + S_OFFSET, SCALAR_SIZE, NULL)), "ECDSA_SIG_set0");
        n = i2d_ECDSA_SIG(sig, &out);
        must(n > 0, "i2d_ECDSA_SIG");
        must(EVP_DigestVerifyInit(ctx, NULL, EVP_sha384(), NULL, X509_get0_pubkey(vek)) == 1, "EVP_DigestVerifyInit");
        must(EVP_DigestVerify(ctx, der, (size_t) n, report, SIGNED_SIZE) == 1, "the report's signature");
        ECDSA_SIG_free(sig);
        EVP_MD_CTX_free(ctx);
}

int main(int argc, char **argv) {
        unsigned char data[FILE_MAX];
        X509 *certs[N_CERTS];

        must(argc == 2 + N_CERTS, "usage: REPORT VCEK ASK ARK");
        for (int i = 0; i < N_CERTS; i++) {
                const unsigned char *p = data;

                certs[i] = d2i_X509(NULL, &p, (long) load(argv[2 + i], data));
                must(certs[i] != NULL, argv[2 + i]);
        }
        for (int i = 0; i < N_CERTS; i++)
                must(X509_verify(certs[i], X509_get0_pubkey(certs[i + 1 < N_CERTS ? i + 1 : i])) == 1, argv[2 + i]);
        must(load(argv[1], data) == REPORT_SIZE, argv[1]);
        verify_report(data, certs[0]);
        for (int i = 0; i < N_CERTS; i++)
                X509_free(certs[i]);
        return puts("ACCEPT") >= 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
