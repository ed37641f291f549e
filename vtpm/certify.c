/* SPDX-License-Identifier: Apache-2.0 */
#include "vtpm/certify.h"

#include <errno.h>
#include <string.h>

#include <openssl/crypto.h>

#include "base/reader.h"
#include "base/writer.h"
#include "vtpm/signature.h"

static void read_sized(Reader *r, uint8_t *dst, size_t max, size_t *ret_size) {
        size_t n = rd_be16(r);

        if (n > max)
                rd_fail(r);
        else
                rd_copy(r, dst, n);
        *ret_size = r->error < 0 ? 0 : n;
}

static int read_kind(Reader *r, Error *e) {
        uint32_t magic = rd_be32(r);
        uint16_t type = rd_be16(r);
        int q = rd_check(r, "TPMS_ATTEST", e);

        if (q < 0)
                return q;
        if (magic != VTPM_GENERATED)
                return error_set(e, -EBADMSG, "attest-magic", "TPMS_ATTEST does not start with TPM_GENERATED_VALUE");
        if (type != VTPM_ST_ATTEST_CERTIFY)
                return error_set(e, -EPROTO, "attest-not-certify", "Attestation type 0x%04x certifies no key (0x%04x)",
                                 type, VTPM_ST_ATTEST_CERTIFY);
        return 0;
}

int vtpm_certify_parse(const void *data, size_t size, VtpmCertify *ret, Error *e) {
        Reader r = rd_init(data, size);
        VtpmCertify c = {};
        uint8_t safe;
        int q;

        if (size > VTPM_ATTEST_SIZE_MAX)
                return error_set(e, -E2BIG, "attest-too-large", "TPMS_ATTEST of %zu bytes exceeds %u", size,
                                 VTPM_ATTEST_SIZE_MAX);
        q = read_kind(&r, e);
        if (q < 0)
                return q;
        read_sized(&r, c.signer, sizeof(c.signer), &c.signer_size);
        read_sized(&r, c.extra, sizeof(c.extra), &c.extra_size);
        c.clock.clock_msec = rd_be64(&r);
        c.clock.reset_count = rd_be32(&r);
        c.clock.restart_count = rd_be32(&r);
        safe = rd_u8(&r);
        if (safe > 1)
                rd_fail(&r);
        c.clock.safe = safe == 1;
        c.firmware_version = rd_be64(&r);
        read_sized(&r, c.name, sizeof(c.name), &c.name_size);
        read_sized(&r, c.qualified_name, sizeof(c.qualified_name), &c.qualified_name_size);
        q = rd_finish(&r, "TPMS_ATTEST", e);
        if (q == 0)
                *ret = c;
        return q;
}

static void write_sized(Writer *w, const uint8_t *data, size_t size) {
        wr_be16(w, (uint16_t) size);
        wr_bytes(w, data, size);
}

int vtpm_certify_encode(const VtpmCertify *c, Blob *ret) {
        AUTO_WRITER Writer w = wr_init(VTPM_ATTEST_SIZE_MAX);

        wr_be32(&w, VTPM_GENERATED);
        wr_be16(&w, VTPM_ST_ATTEST_CERTIFY);
        write_sized(&w, c->signer, c->signer_size);
        write_sized(&w, c->extra, c->extra_size);
        wr_be64(&w, c->clock.clock_msec);
        wr_be32(&w, c->clock.reset_count);
        wr_be32(&w, c->clock.restart_count);
        wr_u8(&w, c->clock.safe);
        wr_be64(&w, c->firmware_version);
        write_sized(&w, c->name, c->name_size);
        write_sized(&w, c->qualified_name, c->qualified_name_size);
        return wr_finish(&w, ret);
}

static int check_signature(const VtpmAkPublic *by, const VtpmCertifyBytes *what, Error *e) {
        VtpmSignature sig;
        int r = vtpm_signature_parse(what->signature.data, what->signature.size, &sig, e);

        return r < 0 ? r : vtpm_ak_public_verify(by, &sig, what->attest.data, what->attest.size, e);
}

static int check_name(const VtpmCertify *c, const VtpmAkPublic *certified, Error *e) {
        size_t size;
        const uint8_t *name = vtpm_ak_public_name(certified, &size);

        if (c->name_size != size || memcmp(c->name, name, size) != 0)
                return error_set(e, -EKEYREJECTED, "certify-other-key", "It is another key that was certified");
        return 0;
}

int vtpm_certify_verify(const VtpmAkPublic *by, const VtpmCertifyBytes *what, VtpmBytes nonce, VtpmAkPublic **ret,
                        Error *e) {
        CLEANUP(vtpm_ak_public_freep) VtpmAkPublic *certified = NULL;
        VtpmCertify c;
        int r;

        if (nonce.size == 0)
                return error_set(e, -EINVAL, "nonce-size", "A certification without a nonce proves nothing");
        r = vtpm_certify_parse(what->attest.data, what->attest.size, &c, e);
        if (r == 0)
                r = check_signature(by, what, e);
        if (r == 0)
                r = vtpm_ak_public_new(what->public.data, what->public.size, &certified, e);
        if (r == 0)
                r = check_name(&c, certified, e);
        if (r < 0)
                return r;
        if (c.extra_size != nonce.size || CRYPTO_memcmp(c.extra, nonce.data, nonce.size) != 0)
                return error_set(e, -ESTALE, "certify-nonce", "The certification answers another nonce");
        *ret = TAKE_PTR(certified);
        return 0;
}
