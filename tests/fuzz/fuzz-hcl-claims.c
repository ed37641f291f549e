/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Runtime claims: accepted ones have a key, whose public area is one that our own reader of public areas takes and
 * reads the same key from; and they say their user data and nothing shorter.
 */

#include <assert.h>
#include <string.h>

#include "vtpm/ak_public.h"
#include "vtpm/hcl-claims.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_user_data(const VtpmHclClaims *c) {
        size_t n = VTPM_HCL_USER_DATA_SIZE;

        assert(vtpm_hcl_claims_say(c, c->user_data, n) == c->has_user_data);
        while (n > 0 && c->user_data[n - 1] == 0)
                n--;
        assert(vtpm_hcl_claims_say(c, c->user_data, n) == c->has_user_data);
        assert(n == 0 || !vtpm_hcl_claims_say(c, c->user_data, n - 1));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        CLEANUP(vtpm_ak_public_freep) VtpmAkPublic *ak = NULL;
        AUTO_BLOB Blob pub = {};
        VtpmHclClaims c;
        VtpmPublic p;

        if (vtpm_hcl_claims_parse(data, size, &c, NULL) < 0)
                return 0;
        assert(c.ak.modulus_size >= 256 && c.ak.modulus_size <= sizeof(c.ak.modulus));
        assert(strlen(c.vm_id) <= VTPM_HCL_TEXT_MAX);
        for (const char *t = c.vm_id; *t; t++)
                assert(*t >= 0x20 && *t <= 0x7e);
        check_user_data(&c);
        assert(vtpm_hcl_claims_ak(&c, &pub) == 0);
        assert(vtpm_public_parse(pub.data, pub.size, &p, NULL) == 0);
        assert(p.modulus_size == c.ak.modulus_size && memcmp(p.modulus, c.ak.modulus, p.modulus_size) == 0);
        assert(p.rsa_exponent == (c.ak.exponent == 65537 ? 0 : c.ak.exponent));
        if (vtpm_ak_public_new(pub.data, pub.size, &ak, NULL) == 0)
                assert(vtpm_ak_public_scheme(ak) == VTPM_ALG_RSASSA);
        return 0;
}
