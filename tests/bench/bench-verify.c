/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What verification costs beyond the cryptography that it cannot do without. Ours and bare libcrypto take turns in
 * one process, each goes first half of the time, and the ratio is the median over rounds of neighbours, so that the
 * machine's moods cancel out.
 *
 *     bench-verify [VECTORS]    a genuine report from VECTORS or $SNP_TEST_VECTORS, else one of the simulator's
 */

#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/file.h"
#include "snp/verify.h"
#include "tests/simulator/pki.h"
#include "tests/simulator/report.h"

#define ROUNDS 600
#define N_CERTS 3 /* VEK, ASK, ARK */
#define SCALAR_SIZE 48
#define GENUINE_TIME 1772845473 /* 2026-03-07, when every certificate below was valid */

typedef struct Input {
        Blob report_bytes, certs[N_CERTS];
        SnpReport report;
        time_t at;
        SnpTrust *trust;
        SnpCerts evidence;
        SnpVek *vek;
        EVP_PKEY *key;
        uint8_t signature[128]; /* DER */
        size_t signature_size;
} Input;

typedef void (*Operation)(const Input *in);

static void must(bool ok, const char *what) {
        if (!ok) {
                (void) fprintf(stderr, "bench-verify: %s failed\n", what);
                exit(EXIT_FAILURE);
        }
}

/* Processor time: nothing here waits, and on a busy machine an operation may well be interrupted by others. */
static uint64_t now_nsec(void) {
        struct timespec ts;

        must(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts) == 0, "clock_gettime");
        return (uint64_t) ts.tv_sec * 1000000000u + (uint64_t) ts.tv_nsec;
}

/* The bare operations do what a program without any doubts would do. */

static void bare_report(EVP_PKEY *key, const Input *in) {
        EVP_MD_CTX *ctx = EVP_MD_CTX_new();

        must(EVP_DigestVerifyInit(ctx, NULL, EVP_sha384(), NULL, key) == 1, "EVP_DigestVerifyInit");
        must(EVP_DigestVerify(ctx, in->signature, in->signature_size, in->report.raw, SNP_REPORT_SIGNED_SIZE) == 1,
             "EVP_DigestVerify");
        EVP_MD_CTX_free(ctx);
}

/* TBSCertificate as it stands in a certificate: both headers have the long form with two bytes of length. */
static const uint8_t *tbs_of(const Blob *cert, size_t *ret_size) {
        const uint8_t *p = cert->data + 4;

        must(cert->data[1] == 0x82 && p[1] == 0x82, "DER");
        *ret_size = 4u + (size_t) (p[2] << 8 | p[3]);
        return p;
}

static void bare_pss(const Blob *bytes, const X509 *cert, EVP_PKEY *issuer) {
        EVP_MD_CTX *ctx = EVP_MD_CTX_new();
        EVP_PKEY_CTX *key_ctx = NULL;
        const ASN1_BIT_STRING *signature = NULL;
        size_t size = 0;
        const uint8_t *tbs = tbs_of(bytes, &size);

        X509_get0_signature(&signature, NULL, cert);
        must(EVP_DigestVerifyInit(ctx, &key_ctx, EVP_sha384(), NULL, issuer) == 1, "EVP_DigestVerifyInit");
        must(EVP_PKEY_CTX_set_rsa_padding(key_ctx, RSA_PKCS1_PSS_PADDING) == 1, "padding");
        must(EVP_PKEY_CTX_set_rsa_pss_saltlen(key_ctx, RSA_PSS_SALTLEN_DIGEST) == 1, "salt length");
        must(EVP_DigestVerify(ctx, signature->data, (size_t) signature->length, tbs, size) == 1, "RSA-PSS");
        EVP_MD_CTX_free(ctx);
}

static void bare_cached(const Input *in) {
        bare_report(in->key, in);
}

static void bare_cold(const Input *in) {
        X509 *certs[N_CERTS];

        for (size_t i = 0; i < N_CERTS; i++) {
                const uint8_t *p = in->certs[i].data;

                certs[i] = d2i_X509(NULL, &p, (long) in->certs[i].size);
                must(certs[i], "d2i_X509");
        }
        for (size_t i = 0; i < N_CERTS; i++)
                bare_pss(&in->certs[i], certs[i], X509_get0_pubkey(certs[i + 1 < N_CERTS ? i + 1 : i]));
        bare_report(X509_get0_pubkey(certs[0]), in);
        for (size_t i = 0; i < N_CERTS; i++)
                X509_free(certs[i]);
}

static void judge(const Input *in, const SnpVek *vek) {
        SnpVerdict verdict;

        must(snp_report_verify(&in->report, vek, 0, &verdict, NULL) == 0 && verdict.outcome == SNP_ACCEPT,
             "snp_report_verify");
}

static void ours_cached(const Input *in) {
        judge(in, in->vek);
}

static void ours_cold(const Input *in) {
        CLEANUP(snp_vek_freep) SnpVek *vek = NULL;

        must(snp_vek_new(in->trust, &in->evidence, in->at, &vek, NULL) == 0, "snp_vek_new");
        judge(in, vek);
}

static int compare(const void *a, const void *b) {
        const double *x = a, *y = b;

        return (*x > *y) - (*x < *y);
}

static double median(double values[static ROUNDS]) {
        qsort(values, ROUNDS, sizeof(values[0]), compare);
        return values[ROUNDS / 2];
}

static double timed(Operation op, const Input *in) {
        uint64_t begin = now_nsec();

        op(in);
        return (double) (now_nsec() - begin) / 1e3;
}

static void measure(const char *name, Operation ours, Operation bare, const Input *in, double goal) {
        static double a[ROUNDS], b[ROUNDS], ratios[ROUNDS];

        ours(in);
        bare(in);
        for (size_t i = 0; i < ROUNDS; i++) {
                if (i % 2)
                        a[i] = timed(ours, in);
                b[i] = timed(bare, in);
                if (i % 2 == 0)
                        a[i] = timed(ours, in);
                ratios[i] = a[i] / b[i];
        }
        printf("%s: ours %.1f us, bare libcrypto %.1f us (medians of %d rounds)\n", name, median(a), median(b),
               ROUNDS);
        printf("%s ratio=%.3f goal=%.2f\n", name, median(ratios), goal);
}

static bool load_genuine(const char *vectors, Input *in) {
        static const char *const files[] = {
                "snp/reports/turin-v5-1.report.bin",
                "snp/veks/turin-vcek-59790fb1-20260205-49d521.der",
                "snp/amd/turin-ask.der",
                "snp/amd/turin-ark.der",
        };

        for (size_t i = 0; i < N_ELEMENTS(files); i++) {
                AUTO_FREE char *path = NULL;

                must(asprintf(&path, "%s/%s", vectors, files[i]) > 0, "asprintf");
                if (file_read(path, 1u << 16, i == 0 ? &in->report_bytes : &in->certs[i - 1], NULL) < 0)
                        return false;
        }
        in->at = GENUINE_TIME;
        must(snp_trust_new_amd(&in->trust, NULL) == 0, "snp_trust_new_amd");
        return true;
}

static void make_simulated(Input *in) {
        static const SimKey keys[N_CERTS] = { SIM_VCEK, SIM_ASK, SIM_ARK };
        SimPkiParams params = sim_pki_params(SIM_TURIN);
        CLEANUP(sim_pki_freep) SimPki *pki = NULL;
        uint8_t bytes[SIM_REPORT_SIZE];
        SimReport report;

        must(sim_pki_new(&params, NULL, &pki, NULL) == 0, "sim_pki_new");
        report = sim_report_defaults(pki);
        must(sim_report_make(&report, pki, bytes, NULL) == 0, "sim_report_make");
        must(blob_dup(bytes, sizeof(bytes), &in->report_bytes) == 0, "blob_dup");
        for (size_t i = 0; i < N_CERTS; i++) {
                blob_done(&in->certs[i]);
                must(sim_pki_cert_der(pki, keys[i], &in->certs[i], NULL) == 0, "sim_pki_cert_der");
        }
        in->at = time(NULL);
        must(snp_trust_new_test(in->certs[2].data, in->certs[2].size, &in->trust, NULL) == 0, "snp_trust_new_test");
}

static void prepare_bare(Input *in) {
        ECDSA_SIG *sig = ECDSA_SIG_new();
        const uint8_t *p = in->certs[0].data;
        X509 *cert = d2i_X509(NULL, &p, (long) in->certs[0].size);
        uint8_t *out = in->signature;
        int n;

        must(ECDSA_SIG_set0(sig, BN_lebin2bn(in->report.signature_r, SCALAR_SIZE, NULL),
                            BN_lebin2bn(in->report.signature_s, SCALAR_SIZE, NULL)) == 1, "ECDSA_SIG_set0");
        n = i2d_ECDSA_SIG(sig, &out);
        must(n > 0, "i2d_ECDSA_SIG");
        in->signature_size = (size_t) n;
        in->key = X509_get_pubkey(cert);
        X509_free(cert);
        ECDSA_SIG_free(sig);
}

static void prepare(Input *in) {
        must(snp_report_parse(in->report_bytes.data, in->report_bytes.size, &in->report, NULL) == 0,
             "snp_report_parse");
        in->evidence.vek = (SnpCertBytes){ in->certs[0].data, in->certs[0].size };
        in->evidence.n_others = N_CERTS - 1;
        for (size_t i = 1; i < N_CERTS; i++)
                in->evidence.others[i - 1] = (SnpCertBytes){ in->certs[i].data, in->certs[i].size };
        must(snp_vek_new(in->trust, &in->evidence, in->at, &in->vek, NULL) == 0, "snp_vek_new");
        prepare_bare(in);
}

static void input_done(Input *in) {
        blob_done(&in->report_bytes);
        for (size_t i = 0; i < N_CERTS; i++)
                blob_done(&in->certs[i]);
        EVP_PKEY_free(in->key);
        snp_vek_free(in->vek);
        snp_trust_free(in->trust);
}

int main(int argc, char **argv) {
        const char *vectors = argc > 1 ? argv[1] : getenv("SNP_TEST_VECTORS");
        Input in = {};
        bool genuine = vectors && load_genuine(vectors, &in);

        if (!genuine)
                make_simulated(&in);
        prepare(&in);
        printf("%s Turin report, %s\n", genuine ? "genuine" : "simulated", OpenSSL_version(OPENSSL_VERSION));
        measure("verify-cached", ours_cached, bare_cached, &in, 1.05);
        measure("verify-cold", ours_cold, bare_cold, &in, 1.15);
        input_done(&in);
        return EXIT_SUCCESS;
}
