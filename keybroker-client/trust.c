/* SPDX-License-Identifier: Apache-2.0 */
#include "keybroker-client/trust.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "base/file.h"

/* Number of certificates, or -EBADMSG when there is one that cannot be read. */
static int count_certificates(const Blob *pem) {
        BIO *bio = BIO_new_mem_buf(pem->data, (int) pem->size);
        int n = 0;

        if (!bio)
                return -ENOMEM;
        for (X509 *cert; (cert = PEM_read_bio_X509(bio, NULL, NULL, NULL)); n++)
                X509_free(cert);
        /* The loop ends with an error in any case; only this one says that the text was over. */
        if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
                n = -EBADMSG;
        ERR_clear_error();
        BIO_free(bio);
        return n;
}

int kbc_trust_load(const char *path, Blob *ret, Error *e) {
        AUTO_BLOB Blob pem = {};
        int r;

        r = file_read(path, KBC_CA_FILE_MAX, &pem, e);
        if (r < 0)
                return r;
        r = count_certificates(&pem);
        if (r == -ENOMEM)
                return error_oom(e);
        if (r <= 0)
                return error_set(e, -EBADMSG, "ca-file", "'%s' has no certificate, or one that cannot be read", path);
        *ret = blob_take(&pem);
        return 0;
}
