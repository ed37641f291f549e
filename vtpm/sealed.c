/* SPDX-License-Identifier: Apache-2.0 */
#include "vtpm/sealed.h"

#include <errno.h>
#include <string.h>

#include "base/reader.h"
#include "base/writer.h"
#include "vtpm/object.h"
#include "vtpm/public.h"

#define MAGIC 0x534e5053u /* "SNPS" */
#define VERSION 1u

/* TPMT_PUBLIC of a sealed object: TPM 2.0 Library Part 2, "TPMT_PUBLIC"; Part 1, "Data Objects" */
#define KEYEDHASH 0x0008u
#define ATTRIBUTES (VTPM_OBJECT_FIXED_TPM | VTPM_OBJECT_FIXED_PARENT) /* without userWithAuth: the policy alone */
#define POLICY_SIZE 32u
#define UNIQUE_SIZE 32u

void vtpm_sealed_done(VtpmSealed *s) {
        blob_done(&s->public);
        blob_done(&s->private);
        blob_done(&s->signer);
}

int vtpm_sealed_policy(const VtpmSealed *s, VtpmPolicy *ret, Error *e) {
        VtpmPcrSelection selection = { .n_banks = 1, .banks[0] = { .hash = s->pcrs.hash, .mask = s->pcrs.mask } };
        static const VtpmBytes no_ref;
        VtpmName name;
        int r;

        r = vtpm_policy_init(VTPM_ALG_SHA256, ret, e);
        if (r < 0)
                return r;
        if (s->kind == VTPM_SEAL_PCR)
                return vtpm_policy_pcr(ret, &selection, &s->pcrs, 1, e);
        r = vtpm_name_of(s->signer.data, s->signer.size, &name, e);
        if (r < 0)
                return r;
        return vtpm_policy_authorize(ret, (VtpmBytes){ name.bytes, name.size }, no_ref, e);
}

static void write_object(Writer *w, const VtpmPolicy *policy) {
        wr_be16(w, KEYEDHASH);
        wr_be16(w, VTPM_ALG_SHA256);
        wr_be32(w, ATTRIBUTES);
        wr_be16(w, (uint16_t) policy->size);
        wr_bytes(w, policy->digest, policy->size);
        wr_be16(w, VTPM_ALG_NULL); /* TPMT_KEYEDHASH_SCHEME */
}

int vtpm_sealed_template(const VtpmPolicy *policy, Blob *ret) {
        AUTO_WRITER Writer w = wr_init(VTPM_PUBLIC_SIZE_MAX);

        write_object(&w, policy);
        wr_be16(&w, 0);
        return wr_finish(&w, ret);
}

/* All but the policy, whose digest is left in @ret. */
static int read_object(const Blob *public, uint8_t ret[static POLICY_SIZE], Error *e) {
        Reader r = rd_init(public->data, public->size);
        bool fits;

        fits = rd_be16(&r) == KEYEDHASH;
        fits = rd_be16(&r) == VTPM_ALG_SHA256 && fits;
        fits = rd_be32(&r) == ATTRIBUTES && fits;
        fits = rd_be16(&r) == POLICY_SIZE && fits;
        rd_copy(&r, ret, POLICY_SIZE);
        fits = rd_be16(&r) == VTPM_ALG_NULL && fits;
        fits = rd_be16(&r) == UNIQUE_SIZE && fits;
        rd_skip(&r, UNIQUE_SIZE);
        if (rd_finish(&r, "Sealed object", NULL) < 0 || !fits)
                return error_set(e, -EBADMSG, "sealed-object", "This is no sealed object that obeys its policy alone");
        return 0;
}

int vtpm_sealed_check(const VtpmSealed *s, Error *e) {
        uint8_t policy[POLICY_SIZE];
        VtpmPolicy wanted;
        int r;

        r = read_object(&s->public, policy, e);
        if (r < 0)
                return r;
        r = vtpm_sealed_policy(s, &wanted, e);
        if (r < 0)
                return r;
        if (memcmp(policy, wanted.digest, sizeof(policy)) != 0)
                return error_set(e, -EBADMSG, "sealed-policy",
                                 "The sealed object's policy is not the one that its file describes");
        return 0;
}

static int read_sized(Reader *r, size_t max, Blob *ret) {
        size_t n = rd_be16(r);
        const uint8_t *p;

        if (n > max)
                rd_fail(r);
        p = rd_take(r, n);
        return p && n > 0 ? blob_dup(p, n, ret) : 0;
}

static void read_pcrs(Reader *r, VtpmPcrValues *ret) {
        size_t size;

        ret->hash = rd_be16(r);
        ret->mask = rd_be32(r);
        size = vtpm_hash_size(ret->hash);
        if (!vtpm_hash_is_sound(ret->hash) || ret->mask == 0 || ret->mask & ~VTPM_PCR_MASK_ALL)
                rd_fail(r);
        for (unsigned i = 0; r->error == 0 && i < VTPM_N_PCRS; i++)
                if (ret->mask >> i & 1)
                        rd_copy(r, ret->values[i], size);
}

static void read_head(Reader *r, VtpmSealed *s) {
        uint16_t kind = rd_be16(r);

        if (kind != VTPM_SEAL_PCR && kind != VTPM_SEAL_SIGNED)
                rd_fail(r);
        s->kind = (VtpmSealKind) kind;
        s->parent = rd_be16(r);
        if (s->parent != VTPM_ALG_ECC && s->parent != VTPM_ALG_RSA)
                rd_fail(r);
        read_pcrs(r, &s->pcrs);
}

int vtpm_sealed_parse(const void *data, size_t size, VtpmSealed *ret, Error *e) {
        AUTO_VTPM_SEALED VtpmSealed s = {};
        Reader r = rd_init(data, size);
        uint16_t version;
        int q;

        if (size > VTPM_SEALED_SIZE_MAX)
                return error_set(e, -E2BIG, "sealed-too-large", "A sealed object of %zu bytes exceeds %u", size,
                                 VTPM_SEALED_SIZE_MAX);
        if (rd_be32(&r) != MAGIC)
                rd_fail(&r);
        version = rd_be16(&r);
        if (r.error == 0 && version != VERSION)
                return error_set(e, -EOPNOTSUPP, "sealed-version", "Version %u of sealed objects is not known",
                                 version);
        read_head(&r, &s);
        if (read_sized(&r, VTPM_PUBLIC_SIZE_MAX, &s.public) < 0 ||
            read_sized(&r, VTPM_SEALED_PRIVATE_MAX, &s.private) < 0 ||
            read_sized(&r, VTPM_PUBLIC_SIZE_MAX, &s.signer) < 0)
                return error_oom(e);
        if (s.private.size == 0 || (s.signer.size > 0) != (s.kind == VTPM_SEAL_SIGNED))
                rd_fail(&r);
        q = rd_finish(&r, "The sealed object's file", e);
        if (q == 0)
                q = vtpm_sealed_check(&s, e);
        if (q < 0)
                return q;
        *ret = s;
        s = (VtpmSealed){};
        return 0;
}

static void write_sized(Writer *w, const Blob *b) {
        wr_be16(w, (uint16_t) b->size);
        wr_bytes(w, b->data, b->size);
}

int vtpm_sealed_encode(const VtpmSealed *s, Blob *ret) {
        AUTO_WRITER Writer w = wr_init(VTPM_SEALED_SIZE_MAX);

        wr_be32(&w, MAGIC);
        wr_be16(&w, VERSION);
        wr_be16(&w, (uint16_t) s->kind);
        wr_be16(&w, s->parent);
        wr_be16(&w, s->pcrs.hash);
        wr_be32(&w, s->pcrs.mask);
        for (unsigned i = 0; i < VTPM_N_PCRS; i++)
                if (s->pcrs.mask >> i & 1)
                        wr_bytes(&w, s->pcrs.values[i], vtpm_hash_size(s->pcrs.hash));
        write_sized(&w, &s->public);
        write_sized(&w, &s->private);
        write_sized(&w, &s->signer);
        return wr_finish(&w, ret);
}
