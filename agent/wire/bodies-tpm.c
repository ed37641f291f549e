/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/wire/bodies-tpm.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "agent/wire/bodies-internal.h"

static_assert(2 * (2 + WIRE_TPM_PUBLIC_MAX) + 2 * (2 + WIRE_CERT_MAX) <= WIRE_BODY_MAX, "the largest answer fits");
static_assert(WIRE_UNSEAL_REQUEST_MAX <= SECRET_MAX, "every request fits into locked memory");

static int bad(const char *what, const char *field, Error *e) {
        return error_set(e, -EBADMSG, "wire-field", "Field '%s' of a %s is out of range", field, what);
}

static int check_profile(const char *what, uint8_t profile, Error *e) {
        return profile < WIRE_EK_PROFILES ? 0 : bad(what, "profile", e);
}

int wire_tpm_keys_request_encode(const WireTpmKeysRequest *q, Blob *ret) {
        AUTO_WRITER Writer w = wr_init(5);

        wr_le32(&w, q->deadline_msec);
        wr_u8(&w, q->ek_profile);
        return wr_finish(&w, ret);
}

int wire_tpm_keys_request_parse(const void *body, size_t size, WireTpmKeysRequest *ret, Error *e) {
        static const char what[] = "TPM keys request";
        Reader r = rd_init(body, size);
        WireTpmKeysRequest q = {};
        int rc;

        q.deadline_msec = rd_le32(&r);
        q.ek_profile = rd_u8(&r);
        rc = rd_finish(&r, what, e);
        if (rc == 0)
                rc = wire_check_deadline(what, q.deadline_msec, e);
        if (rc == 0)
                rc = check_profile(what, q.ek_profile, e);
        if (rc == 0)
                *ret = q;
        return rc;
}

int wire_tpm_keys_answer_encode(const WireTpmKeysAnswer *a, Blob *ret) {
        AUTO_WRITER Writer w = wr_init(WIRE_BODY_MAX);

        wire_put_bytes(&w, a->ak_public, WIRE_TPM_PUBLIC_MAX);
        wire_put_bytes(&w, a->ak_cert, WIRE_CERT_MAX);
        wire_put_bytes(&w, a->ek_public, WIRE_TPM_PUBLIC_MAX);
        wire_put_bytes(&w, a->ek_cert, WIRE_CERT_MAX);
        return wr_finish(&w, ret);
}

int wire_tpm_keys_answer_parse(const void *body, size_t size, WireTpmKeysAnswer *ret, Error *e) {
        Reader r = rd_init(body, size);
        WireTpmKeysAnswer a = {};
        int rc;

        a.ak_public = wire_get_bytes(&r, WIRE_TPM_PUBLIC_MAX);
        a.ak_cert = wire_get_bytes(&r, WIRE_CERT_MAX);
        a.ek_public = wire_get_bytes(&r, WIRE_TPM_PUBLIC_MAX);
        a.ek_cert = wire_get_bytes(&r, WIRE_CERT_MAX);
        if (a.ak_public.size == 0 || a.ek_public.size == 0)
                rd_fail(&r);
        rc = rd_finish(&r, "TPM keys answer", e);
        if (rc == 0)
                *ret = a;
        return rc;
}

int wire_activate_request_encode(const WireActivateRequest *q, Blob *ret) {
        AUTO_WRITER Writer w = wr_init(WIRE_ACTIVATE_REQUEST_MAX);

        wr_le32(&w, q->deadline_msec);
        wr_u8(&w, q->ek_profile);
        wire_put_bytes(&w, q->salt_name, WIRE_TPM_NAME_MAX);
        wire_put_bytes(&w, q->credential, WIRE_CREDENTIAL_MAX);
        return wr_finish(&w, ret);
}

int wire_activate_request_parse(const void *body, size_t size, WireActivateRequest *ret, Error *e) {
        static const char what[] = "activation request";
        Reader r = rd_init(body, size);
        WireActivateRequest q = {};
        int rc;

        q.deadline_msec = rd_le32(&r);
        q.ek_profile = rd_u8(&r);
        q.salt_name = wire_get_bytes(&r, WIRE_TPM_NAME_MAX);
        q.credential = wire_get_bytes(&r, WIRE_CREDENTIAL_MAX);
        rc = rd_finish(&r, what, e);
        if (rc == 0)
                rc = wire_check_deadline(what, q.deadline_msec, e);
        if (rc == 0)
                rc = check_profile(what, q.ek_profile, e);
        if (rc == 0)
                *ret = q;
        return rc;
}

/* All but the secret, for which locked memory is made. */
int wire_seal_request_encode(const WireSealRequest *q, Secret *ret) {
        AUTO_WRITER Writer w = wr_init(WIRE_SEAL_REQUEST_MAX);
        AUTO_BLOB Blob head = {};
        Secret s = {};
        int r;

        if (q->secret.size == 0 || q->secret.size > WIRE_SEAL_SECRET_MAX)
                return -E2BIG;
        wr_le32(&w, q->deadline_msec);
        wr_le16(&w, q->bank);
        wr_le32(&w, q->pcr_mask);
        wr_u8(&w, q->persistent);
        wire_put_bytes(&w, q->salt_name, WIRE_TPM_NAME_MAX);
        wire_put_bytes(&w, q->signer, WIRE_TPM_PUBLIC_MAX);
        r = wr_finish(&w, &head);
        if (r == 0)
                r = secret_alloc(head.size + q->secret.size, &s, NULL);
        if (r < 0)
                return r;
        (void) memcpy(s.bytes, head.data, head.size);
        (void) memcpy(s.bytes + head.size, q->secret.data, q->secret.size);
        *ret = s;
        return 0;
}

int wire_seal_request_parse(const void *body, size_t size, WireSealRequest *ret, Error *e) {
        static const char what[] = "seal request";
        Reader r = rd_init(body, size);
        WireSealRequest q = {};
        uint8_t persistent;
        int rc;

        q.deadline_msec = rd_le32(&r);
        q.bank = rd_le16(&r);
        q.pcr_mask = rd_le32(&r);
        persistent = rd_u8(&r);
        q.salt_name = wire_get_bytes(&r, WIRE_TPM_NAME_MAX);
        q.signer = wire_get_bytes(&r, WIRE_TPM_PUBLIC_MAX);
        q.secret.size = rd_left(&r);
        q.secret.data = rd_take(&r, q.secret.size);
        rc = rd_finish(&r, what, e);
        if (rc == 0)
                rc = wire_check_deadline(what, q.deadline_msec, e);
        if (rc < 0)
                return rc;
        if (persistent > 1)
                return bad(what, "persistent", e);
        if (q.secret.size == 0 || q.secret.size > WIRE_SEAL_SECRET_MAX)
                return bad(what, "secret", e);
        if (q.pcr_mask == 0 || q.pcr_mask >> WIRE_PCRS != 0)
                return bad(what, "pcr mask", e);
        if (wire_bank_digest_size(q.bank) == 0)
                return bad(what, "bank", e);
        q.persistent = persistent;
        *ret = q;
        return 0;
}

int wire_unseal_request_encode(const WireUnsealRequest *q, Blob *ret) {
        AUTO_WRITER Writer w = wr_init(WIRE_UNSEAL_REQUEST_MAX);

        if (q->signatures.len > WIRE_SIGNATURES_MAX)
                return -E2BIG;
        wr_le32(&w, q->deadline_msec);
        wire_put_bytes(&w, q->salt_name, WIRE_TPM_NAME_MAX);
        wire_put_bytes(&w, q->sealed, WIRE_SEALED_MAX);
        wr_bytes(&w, q->signatures.text, q->signatures.len);
        return wr_finish(&w, ret);
}

int wire_unseal_request_parse(const void *body, size_t size, WireUnsealRequest *ret, Error *e) {
        static const char what[] = "unseal request";
        Reader r = rd_init(body, size);
        WireUnsealRequest q = {};
        int rc;

        q.deadline_msec = rd_le32(&r);
        q.salt_name = wire_get_bytes(&r, WIRE_TPM_NAME_MAX);
        q.sealed = wire_get_bytes(&r, WIRE_SEALED_MAX);
        q.signatures.len = rd_left(&r);
        q.signatures.text = (const char *) rd_take(&r, q.signatures.len);
        rc = rd_finish(&r, what, e);
        if (rc == 0)
                rc = wire_check_deadline(what, q.deadline_msec, e);
        if (rc < 0)
                return rc;
        if (q.signatures.len > WIRE_SIGNATURES_MAX || memchr(q.signatures.text, 0, q.signatures.len))
                return bad(what, "signatures", e);
        *ret = q;
        return 0;
}
