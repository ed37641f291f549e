/* SPDX-License-Identifier: Apache-2.0 */
#include "vtpm/nv-cert.h"

#include <errno.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "base/reader.h"
#include "vtpm/nv.h"
#include "vtpm/public.h"

#define DER_SEQUENCE 0x30u
#define DER_LONG 0x80u /* X.690, 8.1.3.5: the low bits count the octets of the length */

static void x509_free(X509 *x) {
        X509_free(x);
}
DEFINE_CLEANUP(X509 *, x509_free);
static void pkey_free(EVP_PKEY *key) {
        EVP_PKEY_free(key);
}
DEFINE_CLEANUP(EVP_PKEY *, pkey_free);

/* Size of the DER sequence that @data begins with, header included: X.690, 8.1.3. An index holds less than 64 KiB. */
static int der_size(const void *data, size_t size, size_t *ret, Error *e) {
        Reader r = rd_init(data, size);
        size_t n;

        if (rd_u8(&r) != DER_SEQUENCE)
                rd_fail(&r);
        n = rd_u8(&r);
        if (n == (DER_LONG | 1))
                n = rd_u8(&r);
        else if (n == (DER_LONG | 2))
                n = rd_be16(&r);
        else if (n & DER_LONG)
                rd_fail(&r);
        rd_skip(&r, n);
        *ret = r.pos;
        return rd_check(&r, "The certificate in the TPM", e);
}

static int check_key(X509 *cert, const Blob *tpmt_public, Error *e) {
        CLEANUP(pkey_freep) EVP_PKEY *key = NULL;
        VtpmPublic pub;
        int r;

        r = vtpm_public_parse(tpmt_public->data, tpmt_public->size, &pub, e);
        if (r < 0)
                return r;
        r = vtpm_public_to_key(&pub, &key, e);
        if (r < 0)
                return r;
        r = EVP_PKEY_eq(key, X509_get0_pubkey(cert));
        ERR_clear_error();
        if (r != 1)
                return error_set(e, -EBADMSG, "nv-cert-key", "The certificate in the TPM is of another key");
        return 0;
}

int vtpm_nv_cert_cut(const void *data, size_t size, const Blob *tpmt_public, Blob *ret, Error *e) {
        CLEANUP(x509_freep) X509 *cert = NULL;
        const unsigned char *p = data;
        size_t n;
        int r;

        r = der_size(data, size, &n, e);
        if (r < 0)
                return r;
        cert = d2i_X509(NULL, &p, (long) n);
        ERR_clear_error();
        if (!cert || p != (const unsigned char *) data + n || !X509_get0_pubkey(cert))
                return error_set(e, -EBADMSG, "nv-cert", "What the TPM keeps as a certificate is none");
        if (tpmt_public) {
                r = check_key(cert, tpmt_public, e);
                if (r < 0)
                        return r;
        }
        return blob_dup(data, n, ret) < 0 ? error_oom(e) : 0;
}

int vtpm_nv_certificate(VtpmContext *ctx, uint32_t index, const Blob *tpmt_public, Blob *ret, Error *e) {
        AUTO_BLOB Blob content = {};
        Error why = {};
        int r;

        r = vtpm_nv_read(ctx, index, VTPM_NV_SIZE_MAX, &content, &why);
        if (r == -ENOENT || r == -ENODATA) /* planned for, but nothing was put there: all the same here */
                return error_set(e, -ENOENT, "nv-cert-absent", "NV index 0x%08x holds no certificate", index);
        if (r < 0)
                return error_set(e, r, error_reason(&why, r), "%s", error_text(&why, r));
        return vtpm_nv_cert_cut(content.data, content.size, tpmt_public, ret, e);
}
