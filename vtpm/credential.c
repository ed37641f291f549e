/* SPDX-License-Identifier: Apache-2.0 */
#include "vtpm/credential.h"

#include <errno.h>

#include "base/reader.h"
#include "base/writer.h"
#include "vtpm/alg.h"

#define MAGIC 0xbadcc0deu /* tpm2-tools, lib/files.c */
#define VERSION 1u

void vtpm_credential_done(VtpmCredential *c) {
        blob_done(&c->id_object);
        blob_done(&c->secret);
}

static bool is_hash_size(size_t n) {
        return n == vtpm_hash_size(VTPM_ALG_SHA256) || n == vtpm_hash_size(VTPM_ALG_SHA384) ||
               n == vtpm_hash_size(VTPM_ALG_SHA512);
}

/* TPMS_ID_OBJECT: what is encrypted is a TPM2B_DIGEST, two bytes of size and at least one of contents. */
static void check_id_object(Reader *r) {
        size_t hmac = rd_be16(r);

        if (!is_hash_size(hmac))
                rd_fail(r);
        rd_skip(r, hmac);
        if (rd_left(r) < 3 || rd_left(r) > 2 + VTPM_CREDENTIAL_VALUE_MAX)
                rd_fail(r);
        rd_skip(r, rd_left(r));
}

int vtpm_credential_parse(const void *data, size_t size, VtpmCredential *ret, Error *e) {
        AUTO_VTPM_CREDENTIAL VtpmCredential c = {};
        Reader r = rd_init(data, size), object, inner, secret;
        uint32_t version;
        int q;

        if (size > VTPM_CREDENTIAL_FILE_MAX)
                return error_set(e, -E2BIG, "credential-too-large", "A credential of %zu bytes exceeds %u", size,
                                 VTPM_CREDENTIAL_FILE_MAX);
        if (rd_be32(&r) != MAGIC)
                rd_fail(&r);
        version = rd_be32(&r);
        if (r.error == 0 && version != VERSION)
                return error_set(e, -EOPNOTSUPP, "credential-version", "Version %u of credential files is not known",
                                 version);
        object = rd_sub(&r, rd_be16(&r));
        secret = rd_sub(&r, rd_be16(&r));
        if (secret.size == 0 || secret.size > VTPM_CREDENTIAL_SECRET_MAX)
                rd_fail(&r);
        q = rd_finish(&r, "The credential", e);
        if (q < 0)
                return q;
        inner = object;
        check_id_object(&inner);
        q = rd_finish(&inner, "The credential", e);
        if (q < 0)
                return q;
        if (blob_dup(object.data, object.size, &c.id_object) < 0 || blob_dup(secret.data, secret.size, &c.secret) < 0)
                return error_oom(e);
        *ret = c;
        c = (VtpmCredential){};
        return 0;
}

int vtpm_credential_encode(const VtpmCredential *c, Blob *ret) {
        AUTO_WRITER Writer w = wr_init(VTPM_CREDENTIAL_FILE_MAX);

        wr_be32(&w, MAGIC);
        wr_be32(&w, VERSION);
        wr_be16(&w, (uint16_t) c->id_object.size);
        wr_bytes(&w, c->id_object.data, c->id_object.size);
        wr_be16(&w, (uint16_t) c->secret.size);
        wr_bytes(&w, c->secret.data, c->secret.size);
        return wr_finish(&w, ret);
}
