/* SPDX-License-Identifier: Apache-2.0 */
#include "vtpm/signature.h"

#include <errno.h>

#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "base/reader.h"
#include "base/writer.h"

static void md_ctx_free(EVP_MD_CTX *ctx) {
        EVP_MD_CTX_free(ctx);
}
DEFINE_CLEANUP(EVP_MD_CTX *, md_ctx_free);
static void ecdsa_sig_free(ECDSA_SIG *sig) {
        ECDSA_SIG_free(sig);
}
DEFINE_CLEANUP(ECDSA_SIG *, ecdsa_sig_free);
static void der_free(uint8_t *der) {
        OPENSSL_free(der);
}
DEFINE_CLEANUP(uint8_t *, der_free);

static void read_sized(Reader *r, uint8_t *dst, size_t max, size_t *ret_size) {
        size_t n = rd_be16(r);

        if (n == 0 || n > max)
                rd_fail(r);
        else
                rd_copy(r, dst, n);
        *ret_size = r->error < 0 ? 0 : n;
}

int vtpm_signature_parse(const void *data, size_t size, VtpmSignature *ret, Error *e) {
        VtpmSignature s = {};
        Reader r = rd_init(data, size);
        int q;

        if (size > VTPM_SIGNATURE_SIZE_MAX)
                return error_set(e, -E2BIG, "signature-too-large", "TPMT_SIGNATURE of %zu bytes exceeds %u", size,
                                 VTPM_SIGNATURE_SIZE_MAX);
        s.scheme = rd_be16(&r);
        s.hash = rd_be16(&r);
        q = rd_check(&r, "TPMT_SIGNATURE", e);
        if (q < 0)
                return q;
        switch (s.scheme) {
        case VTPM_ALG_RSASSA:
        case VTPM_ALG_RSAPSS:
                read_sized(&r, s.rsa, sizeof(s.rsa), &s.rsa_size);
                break;
        case VTPM_ALG_ECDSA:
                read_sized(&r, s.r, sizeof(s.r), &s.r_size);
                read_sized(&r, s.s, sizeof(s.s), &s.s_size);
                break;
        default:
                return error_set(e, -EOPNOTSUPP, "signature-scheme", "Signature scheme 0x%04x is not supported",
                                 s.scheme);
        }
        q = rd_finish(&r, "TPMT_SIGNATURE", e);
        if (q < 0)
                return q;
        *ret = s;
        return 0;
}

static void write_sized(Writer *w, const uint8_t *data, size_t size) {
        wr_be16(w, (uint16_t) size);
        wr_bytes(w, data, size);
}

int vtpm_signature_encode(const VtpmSignature *sig, Blob *ret) {
        AUTO_WRITER Writer w = wr_init(VTPM_SIGNATURE_SIZE_MAX);

        wr_be16(&w, sig->scheme);
        wr_be16(&w, sig->hash);
        if (sig->scheme == VTPM_ALG_ECDSA) {
                write_sized(&w, sig->r, sig->r_size);
                write_sized(&w, sig->s, sig->s_size);
        } else
                write_sized(&w, sig->rsa, sig->rsa_size);
        return wr_finish(&w, ret);
}

/* The DER form that OpenSSL wants (RFC 3279, section 2.2.3). */
static int ecdsa_to_der(const VtpmSignature *sig, uint8_t **ret, size_t *ret_size, Error *e) {
        CLEANUP(ecdsa_sig_freep) ECDSA_SIG *es = ECDSA_SIG_new();
        BIGNUM *r = BN_bin2bn(sig->r, (int) sig->r_size, NULL), *s = BN_bin2bn(sig->s, (int) sig->s_size, NULL);
        int n;

        if (!es || !r || !s || ECDSA_SIG_set0(es, r, s) != 1) {
                BN_free(r);
                BN_free(s);
                return error_oom(e);
        }
        n = i2d_ECDSA_SIG(es, ret);
        if (n <= 0)
                return error_oom(e);
        *ret_size = (size_t) n;
        return 0;
}

static int rejected(Error *e) {
        return error_set(e, -EKEYREJECTED, "quote-signature", "The signature does not hold under this attestation key");
}

/* A digest context ready for EVP_DigestVerify(). */
static int verify_begin(const VtpmSignature *sig, EVP_PKEY *key, const EVP_MD *md, EVP_MD_CTX **ret, Error *e) {
        CLEANUP(md_ctx_freep) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
        EVP_PKEY_CTX *pctx = NULL; /* belongs to ctx */

        if (!ctx)
                return error_oom(e);
        if (EVP_PKEY_is_a(key, sig->scheme == VTPM_ALG_ECDSA ? "EC" : "RSA") != 1 ||
            EVP_DigestVerifyInit(ctx, &pctx, md, NULL, key) != 1)
                return rejected(e);
        if (sig->scheme == VTPM_ALG_RSASSA && EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PADDING) != 1)
                return rejected(e);
        if (sig->scheme == VTPM_ALG_RSAPSS && (EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PSS_PADDING) != 1 ||
                                               EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx, RSA_PSS_SALTLEN_AUTO) != 1))
                return rejected(e);
        *ret = TAKE_PTR(ctx);
        return 0;
}

int vtpm_signature_verify(const VtpmSignature *sig, EVP_PKEY *key, const void *data, size_t size, Error *e) {
        CLEANUP(md_ctx_freep) EVP_MD_CTX *ctx = NULL;
        CLEANUP(der_freep) uint8_t *der = NULL;
        const EVP_MD *md = vtpm_hash_md(sig->hash);
        const uint8_t *raw = sig->rsa;
        size_t raw_size = sig->rsa_size;
        int r;

        if (!md)
                return error_set(e, -EOPNOTSUPP, "tpm-hash", "Hash algorithm 0x%04x is not supported", sig->hash);
        r = verify_begin(sig, key, md, &ctx, e);
        if (r < 0)
                return r;
        if (sig->scheme == VTPM_ALG_ECDSA) {
                r = ecdsa_to_der(sig, &der, &raw_size, e);
                if (r < 0)
                        return r;
                raw = der;
        }
        if (EVP_DigestVerify(ctx, raw, raw_size, data, size) != 1)
                return rejected(e);
        return 0;
}
