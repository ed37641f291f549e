/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The structures a quote consists of (TPMS_ATTEST, TPMT_SIGNATURE, TPMT_PUBLIC): whatever is accepted encodes
 * to the very bytes that came in, so nothing is lost, normalised or invented between signing and judging.
 */

#include <assert.h>
#include <string.h>

#include "vtpm/ak_public.h"
#include "vtpm/attest.h"
#include "vtpm/certify.h"
#include "vtpm/public.h"
#include "vtpm/signature.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void same(int encoded, Blob *b, const uint8_t *data, size_t size) {
        assert(encoded == 0);
        assert(b->size == size && memcmp(b->data, data, size) == 0);
        blob_done(b);
}

/* A key that is accepted for attestation has what an attestation key must have. */
static void key(const uint8_t *data, size_t size, const VtpmPublic *pub) {
        CLEANUP(vtpm_ak_public_freep) VtpmAkPublic *ak = NULL;

        if (vtpm_ak_public_new(data, size, &ak, NULL) < 0)
                return;
        assert(pub->attributes & VTPM_OBJECT_RESTRICTED && pub->attributes & VTPM_OBJECT_SIGN);
        assert(!(pub->attributes & VTPM_OBJECT_DECRYPT));
        assert(vtpm_hash_is_sound(vtpm_ak_public_hash(ak)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        VtpmAttest attest;
        VtpmSignature signature;
        VtpmCertify certify;
        VtpmPublic pub;
        Error e = {};
        Blob b = {};

        if (vtpm_attest_parse(data, size, &attest, &e) == 0)
                same(vtpm_attest_encode(&attest, &b), &b, data, size);
        if (vtpm_certify_parse(data, size, &certify, NULL) == 0)
                same(vtpm_certify_encode(&certify, &b), &b, data, size);
        if (vtpm_signature_parse(data, size, &signature, NULL) == 0)
                same(vtpm_signature_encode(&signature, &b), &b, data, size);
        if (vtpm_public_parse(data, size, &pub, NULL) == 0) {
                same(vtpm_public_encode(&pub, &b), &b, data, size);
                key(data, size, &pub);
        }
        return 0;
}
