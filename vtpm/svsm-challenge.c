/* SPDX-License-Identifier: Apache-2.0 */
#include "vtpm/svsm-challenge.h"

#include <errno.h>

#include <openssl/rand.h>

#include "base/writer.h"
#include "vtpm/activate.h"
#include "vtpm/alg.h"

#define VALUE_SIZE 32 /* fits the name hash of every endorsement key there is */

void vtpm_svsm_challenge_done(VtpmSvsmChallenge *c) {
        blob_done(&c->ek);
        blob_done(&c->ak);
        vtpm_credential_done(&c->credential);
        secret_done(&c->expected);
}

int vtpm_svsm_challenge_new(const VtpmSvsmWitness *witness, const Blob *ak_public, VtpmSvsmChallenge *ret, Error *e) {
        AUTO_VTPM_SVSM_CHALLENGE VtpmSvsmChallenge c = {};
        AUTO_VTPM_SVSM_EK VtpmSvsmEk ek = {};
        int r = vtpm_svsm_ek(witness, &ek, e);

        if (r == 0)
                r = secret_alloc(VALUE_SIZE, &c.expected, e);
        if (r < 0)
                return r;
        if (RAND_priv_bytes(c.expected.bytes, VALUE_SIZE) != 1)
                return error_set(e, -EIO, "random", "No random numbers");
        r = vtpm_credential_make(&ek.public, ak_public, &c.expected, &c.credential, e);
        if (r < 0)
                return r;
        if (blob_dup(ak_public->data, ak_public->size, &c.ak) < 0)
                return error_oom(e);
        c.ek = blob_take(&ek.public);
        *ret = c;
        c = (VtpmSvsmChallenge){};
        return 0;
}

int vtpm_svsm_answer(VtpmContext *ctx, const VtpmSvsmEk *ek, const VtpmAkSpec *ak, const VtpmCredential *credential,
                     Secret *ret, Error *e) {
        uint16_t hash = vtpm_ek_name_alg(ek->profile);
        uint8_t name[2 + VTPM_DIGEST_MAX];
        VtpmActivation how = { .ak = *ak, .ek = ek->profile, .salt_name = name,
                               .salt_name_size = 2 + vtpm_hash_size(hash) };
        int r;

        store_be16(name, hash);
        r = vtpm_hash_bytes(hash, ek->public.data, ek->public.size, name + 2, e);
        if (r == 0)
                r = vtpm_svsm_check_tpm(ctx, ek, e);
        return r < 0 ? r : vtpm_credential_activate(ctx, &how, credential, ret, e);
}

int vtpm_svsm_challenge_check(const VtpmSvsmChallenge *c, const Blob *ek, const Blob *ak, const Secret *answer,
                              Error *e) {
        if (!blob_equal(&c->ek, ek) || !blob_equal(&c->ak, ak))
                return error_set(e, -EKEYREJECTED, "svsm-challenge", "The challenge was made for other keys");
        if (!answer || c->expected.len == 0 || !secret_equal(&c->expected, answer))
                return error_set(e, -EKEYREJECTED, "svsm-answer", "The answer to the challenge is wrong");
        return 0;
}
