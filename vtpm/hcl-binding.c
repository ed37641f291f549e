/* SPDX-License-Identifier: Apache-2.0 */
#include "vtpm/hcl-binding.h"

#include <errno.h>
#include <string.h>

#include "base/reader.h"
#include "vtpm/alg.h"
#include "vtpm/public.h"

#define EXPONENT_DEFAULT 65537u

static int check_report(const VtpmHclWitness *w, VtpmBinding *ret, Error *e) {
        if (w->hcl->type != VTPM_HCL_SNP) {
                ret->why = "the paravisor's report is not one of SNP";
                return error_set(e, -EOPNOTSUPP, "hcl-not-snp", "The HCL report holds a report of type %s, not of SNP",
                                 vtpm_hcl_type_name(w->hcl->type));
        }
        if (w->vmpl != 0) {
                ret->why = "the report is not for VMPL 0, where the paravisor runs";
                return error_set(e, -EKEYREJECTED, "hcl-vmpl", "The report is for VMPL %u; the paravisor's is for 0",
                                 w->vmpl);
        }
        return 0;
}

static int check_digest(const VtpmHclWitness *w, VtpmBinding *ret, Error *e) {
        size_t size = vtpm_hash_size(w->hcl->hash);
        uint8_t digest[VTPM_DIGEST_MAX];
        int r;

        r = vtpm_hash_bytes(w->hcl->hash, w->hcl->claims, w->hcl->claims_size, digest, e);
        if (r < 0)
                return r;
        if (memcmp(digest, w->report_data, size) != 0) {
                ret->why = "the digest of the runtime claims is not in REPORT_DATA";
                return error_set(e, -EKEYREJECTED, "hcl-digest", "REPORT_DATA is not the %s of the runtime claims",
                                 vtpm_hash_name(w->hcl->hash));
        }
        if (!bytes_are_zero(w->report_data + size, VTPM_REPORT_DATA_SIZE - size)) {
                ret->why = "REPORT_DATA holds more than the digest of the runtime claims";
                return error_set(e, -EKEYREJECTED, "hcl-report-data",
                                 "REPORT_DATA holds more than the %s of the runtime claims",
                                 vtpm_hash_name(w->hcl->hash));
        }
        return 0;
}

static bool is_key(const VtpmPublic *pub, const VtpmHclKey *key) {
        uint32_t exponent = pub->rsa_exponent ? pub->rsa_exponent : EXPONENT_DEFAULT;

        return pub->type == VTPM_ALG_RSA && exponent == key->exponent && pub->modulus_size == key->modulus_size &&
               memcmp(pub->modulus, key->modulus, key->modulus_size) == 0;
}

static int check_key(const VtpmHclWitness *w, const VtpmHclClaims *claims, VtpmBinding *ret, Error *e) {
        VtpmPublic pub;
        int r;

        if (!w->ak)
                return 0;
        ret->why = "the attestation key is not the one in the runtime claims";
        r = vtpm_public_parse(w->ak, w->ak_size, &pub, e);
        if (r < 0)
                return r;
        if (!is_key(&pub, &claims->ak))
                return error_set(e, -EKEYREJECTED, "hcl-ak",
                                 "The attestation key is not HCLAkPub of the runtime claims");
        return 0;
}

int vtpm_hcl_bind(const VtpmHclWitness *witness, VtpmHclClaims *ret_claims, VtpmBinding *ret, Error *e) {
        VtpmHclClaims claims;
        int r;

        *ret = (VtpmBinding){ .why = "the binding could not be judged" };
        r = check_report(witness, ret, e);
        if (r < 0)
                return r;
        r = check_digest(witness, ret, e);
        if (r < 0)
                return r;
        ret->why = "the runtime claims cannot be read";
        r = vtpm_hcl_claims_parse(witness->hcl->claims, witness->hcl->claims_size, &claims, e);
        if (r < 0)
                return r;
        if (ret_claims)
                *ret_claims = claims;
        r = check_key(witness, &claims, ret, e);
        if (r < 0)
                return r;
        *ret = (VtpmBinding){
                .kind = VTPM_BINDING_HCL,
                .why = "the attestation key is in the runtime claims, whose digest is in REPORT_DATA",
        };
        return 0;
}
