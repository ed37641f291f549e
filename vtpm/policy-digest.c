/* SPDX-License-Identifier: Apache-2.0 */
#include "vtpm/policy-digest.h"

#include <errno.h>
#include <string.h>

#include "base/writer.h"

/* TPM 2.0 Library Part 2, "TPM_CC" */
#define CC_POLICY_NV 0x00000149u
#define CC_POLICY_SECRET 0x00000151u
#define CC_POLICY_AUTHORIZE 0x0000016au
#define CC_POLICY_AUTH_VALUE 0x0000016bu
#define CC_POLICY_OR 0x00000171u
#define CC_POLICY_PCR 0x0000017fu
#define CC_POLICY_AUTHORIZE_NV 0x00000192u

#define INPUT_MAX 2048u
#define BRANCHES_MIN 2u /* TPM 2.0 Library Part 2, "TPML_DIGEST" */
#define BRANCHES_MAX 8u

int vtpm_policy_init(uint16_t hash, VtpmPolicy *ret, Error *e) {
        if (!vtpm_hash_is_sound(hash))
                return error_set(e, -EOPNOTSUPP, "tpm-hash", "Policies are not made with hash 0x%04x (%s)", hash,
                                 vtpm_hash_name(hash));
        *ret = (VtpmPolicy){ .hash = hash, .size = vtpm_hash_size(hash) };
        return 0;
}

/* Digest of what was written, in place of the old one. */
static int replace(VtpmPolicy *p, Writer *w, Error *e) {
        AUTO_BLOB Blob input = {};

        if (wr_finish(w, &input) < 0)
                return error_oom(e);
        return vtpm_hash_bytes(p->hash, input.data, input.size, p->digest, e);
}

static Writer continue_from(const VtpmPolicy *p, uint32_t command) {
        Writer w = wr_init(INPUT_MAX);

        wr_bytes(&w, p->digest, p->size);
        wr_be32(&w, command);
        return w;
}

/* Part 3, "PolicyUpdate()": a second round takes in the reference, also when it is empty. */
static int update(VtpmPolicy *p, uint32_t command, VtpmBytes name, VtpmBytes policy_ref, Error *e) {
        AUTO_WRITER Writer first = continue_from(p, command);
        AUTO_WRITER Writer second = wr_init(INPUT_MAX);
        int r;

        wr_bytes(&first, name.data, name.size);
        r = replace(p, &first, e);
        if (r < 0)
                return r;
        wr_bytes(&second, p->digest, p->size);
        wr_bytes(&second, policy_ref.data, policy_ref.size);
        return replace(p, &second, e);
}

static void forget(VtpmPolicy *p) {
        (void) memset(p->digest, 0, sizeof(p->digest));
}

int vtpm_policy_pcr(VtpmPolicy *p, const VtpmPcrSelection *selection, const VtpmPcrValues *values, size_t n_values,
                    Error *e) {
        AUTO_WRITER Writer w = continue_from(p, CC_POLICY_PCR);
        uint8_t digest[VTPM_DIGEST_MAX];
        int r;

        r = vtpm_pcr_digest(selection, values, n_values, p->hash, digest, e);
        if (r < 0)
                return r;
        wr_be32(&w, (uint32_t) selection->n_banks);
        for (size_t i = 0; i < selection->n_banks; i++) {
                const VtpmPcrBank *b = &selection->banks[i];

                wr_be16(&w, b->hash);
                wr_u8(&w, VTPM_PCR_SELECT_SIZE);
                wr_u8(&w, (uint8_t) b->mask);
                wr_u8(&w, (uint8_t) (b->mask >> 8));
                wr_u8(&w, (uint8_t) (b->mask >> 16));
        }
        wr_bytes(&w, digest, p->size);
        return replace(p, &w, e);
}

int vtpm_policy_auth_value(VtpmPolicy *p, Error *e) {
        AUTO_WRITER Writer w = continue_from(p, CC_POLICY_AUTH_VALUE);

        return replace(p, &w, e);
}

int vtpm_policy_secret(VtpmPolicy *p, VtpmBytes entity_name, VtpmBytes policy_ref, Error *e) {
        return update(p, CC_POLICY_SECRET, entity_name, policy_ref, e);
}

int vtpm_policy_authorize(VtpmPolicy *p, VtpmBytes key_name, VtpmBytes policy_ref, Error *e) {
        forget(p);
        return update(p, CC_POLICY_AUTHORIZE, key_name, policy_ref, e);
}

int vtpm_policy_authorize_nv(VtpmPolicy *p, VtpmBytes nv_name, Error *e) {
        AUTO_WRITER Writer w = {};

        forget(p);
        w = continue_from(p, CC_POLICY_AUTHORIZE_NV);
        wr_bytes(&w, nv_name.data, nv_name.size);
        return replace(p, &w, e);
}

int vtpm_policy_nv(VtpmPolicy *p, VtpmBytes nv_name, VtpmBytes operand, uint16_t offset, VtpmPolicyOperation operation,
                   Error *e) {
        AUTO_WRITER Writer args = wr_init(INPUT_MAX);
        AUTO_WRITER Writer w = continue_from(p, CC_POLICY_NV);
        VtpmPolicy of_args = *p;
        int r;

        wr_bytes(&args, operand.data, operand.size);
        wr_be16(&args, offset);
        wr_be16(&args, (uint16_t) operation);
        r = replace(&of_args, &args, e);
        if (r < 0)
                return r;
        wr_bytes(&w, of_args.digest, of_args.size);
        wr_bytes(&w, nv_name.data, nv_name.size);
        return replace(p, &w, e);
}

int vtpm_policy_or(const VtpmPolicy branches[], size_t n, VtpmPolicy *ret, Error *e) {
        VtpmPolicy p = {};
        AUTO_WRITER Writer w = {};
        int r;

        if (n < BRANCHES_MIN || n > BRANCHES_MAX)
                return error_set(e, -EINVAL, "policy-branches", "A policy has %u to %u branches, not %zu", BRANCHES_MIN,
                                 BRANCHES_MAX, n);
        r = vtpm_policy_init(branches[0].hash, &p, e);
        if (r < 0)
                return r;
        w = continue_from(&p, CC_POLICY_OR);
        for (size_t i = 0; i < n; i++) {
                if (branches[i].hash != p.hash)
                        return error_set(e, -EINVAL, "policy-branches", "Branches of a policy are of different hashes");
                wr_bytes(&w, branches[i].digest, branches[i].size);
        }
        r = replace(&p, &w, e);
        if (r == 0)
                *ret = p;
        return r;
}
