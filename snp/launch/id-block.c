/* SPDX-License-Identifier: Apache-2.0 */
#include "snp/launch/id-block.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/reader.h"
#include "base/writer.h"

/* ID authentication information. */
enum {
        AUTH_ID_ALGO = 0x000,
        AUTH_AUTHOR_ALGO = 0x004,
        AUTH_RESERVED_1 = 0x008,
        AUTH_ID_SIGNATURE = 0x040,
        AUTH_ID_KEY = 0x240,
        AUTH_RESERVED_2 = 0x644,
        AUTH_AUTHOR_SIGNATURE = 0x680,
        AUTH_AUTHOR_KEY = 0x880,
        AUTH_RESERVED_3 = 0xC84,
};

#define ALGO_NONE 0
#define ALGO_ECDSA_P384_SHA384 1

void snp_id_block_encode(const SnpIdBlock *block, uint8_t ret[static SNP_ID_BLOCK_SIZE]) {
        (void) memcpy(ret, block->ld, SNP_LD_SIZE);
        (void) memcpy(ret + 0x30, block->family_id, SNP_ID_SIZE);
        (void) memcpy(ret + 0x40, block->image_id, SNP_ID_SIZE);
        store_le32(ret + 0x50, SNP_ID_BLOCK_VERSION);
        store_le32(ret + 0x54, block->guest_svn);
        store_le64(ret + 0x58, block->policy);
}

int snp_id_block_parse(const void *data, size_t size, SnpIdBlock *ret, Error *e) {
        Reader r = rd_init(data, size);
        SnpIdBlock b;
        uint32_t version;

        rd_copy(&r, b.ld, SNP_LD_SIZE);
        rd_copy(&r, b.family_id, SNP_ID_SIZE);
        rd_copy(&r, b.image_id, SNP_ID_SIZE);
        version = rd_le32(&r);
        b.guest_svn = rd_le32(&r);
        b.policy = rd_le64(&r);
        if (rd_finish(&r, "ID block", NULL) < 0)
                return error_set(e, -EBADMSG, "bad-format", "An ID block has %d bytes, not %zu", SNP_ID_BLOCK_SIZE,
                                 size);
        if (version != SNP_ID_BLOCK_VERSION)
                return error_set(e, -EBADMSG, "bad-format", "The ID block is of version %u, not %d", version,
                                 SNP_ID_BLOCK_VERSION);
        *ret = b;
        return 0;
}

static int sign_with_author_key(EVP_PKEY *key, uint8_t *auth, Error *e) {
        int r = snp_id_key_encode(key, auth + AUTH_AUTHOR_KEY, e);

        store_le32(auth + AUTH_AUTHOR_ALGO, ALGO_ECDSA_P384_SHA384);
        return r < 0 ? r : snp_id_sign(key, auth + AUTH_ID_KEY, SNP_ID_KEY_SIZE, auth + AUTH_AUTHOR_SIGNATURE, e);
}

int snp_id_auth_sign(const uint8_t block[static SNP_ID_BLOCK_SIZE], EVP_PKEY *id_key, EVP_PKEY *author_key,
                     uint8_t ret[static SNP_ID_AUTH_SIZE], Error *e) {
        uint8_t auth[SNP_ID_AUTH_SIZE] = {};
        int r;

        store_le32(auth + AUTH_ID_ALGO, ALGO_ECDSA_P384_SHA384);
        r = snp_id_key_encode(id_key, auth + AUTH_ID_KEY, e);
        if (r == 0)
                r = snp_id_sign(id_key, block, SNP_ID_BLOCK_SIZE, auth + AUTH_ID_SIGNATURE, e);
        if (r == 0 && author_key)
                r = sign_with_author_key(author_key, auth, e);
        if (r == 0)
                (void) memcpy(ret, auth, sizeof(auth));
        return r;
}

static int bad(Error *e, const char *what) {
        return error_set(e, -EBADMSG, "bad-format", "ID authentication information: %s", what);
}

/* Numbers and reserved bytes; says whether there is an author key in @ret_has_author. */
static int check_form(const uint8_t *auth, bool author_key_enabled, bool *ret_has_author, Error *e) {
        uint32_t id_algo = load_le32(auth + AUTH_ID_ALGO), author_algo = load_le32(auth + AUTH_AUTHOR_ALGO);

        if (id_algo != ALGO_ECDSA_P384_SHA384)
                return bad(e, "the ID key's algorithm is unknown");
        if (author_algo != ALGO_ECDSA_P384_SHA384 && (author_algo != ALGO_NONE || author_key_enabled))
                return bad(e, author_algo == ALGO_NONE ? "there is no author key"
                                                       : "the author key's algorithm is unknown");
        if (!bytes_are_zero(auth + AUTH_RESERVED_1, AUTH_ID_SIGNATURE - AUTH_RESERVED_1) ||
            !bytes_are_zero(auth + AUTH_RESERVED_2, AUTH_AUTHOR_SIGNATURE - AUTH_RESERVED_2) ||
            !bytes_are_zero(auth + AUTH_RESERVED_3, SNP_ID_AUTH_SIZE - AUTH_RESERVED_3))
                return bad(e, "reserved bytes are not zero");
        /* Some tools write the algorithm although there is no key. */
        *ret_has_author = author_key_enabled || !bytes_are_zero(auth + AUTH_AUTHOR_KEY, SNP_ID_KEY_SIZE) ||
                          !bytes_are_zero(auth + AUTH_AUTHOR_SIGNATURE, SNP_ID_SIGNATURE_SIZE);
        if (*ret_has_author && author_algo == ALGO_NONE)
                return bad(e, "there is an author key without an algorithm");
        return 0;
}

typedef struct Keys {
        EVP_PKEY *id, *author; /* owned; the second is NULL when there is none */
} Keys;

static void keys_done(Keys *k) {
        EVP_PKEY_free(k->id);
        EVP_PKEY_free(k->author);
}

static int take_keys(const uint8_t *auth, bool has_author, Keys *ret, Error *e) {
        int r = snp_id_signature_check(auth + AUTH_ID_SIGNATURE, e);

        if (r == 0)
                r = snp_id_key_decode(auth + AUTH_ID_KEY, &ret->id, e);
        if (r == 0 && has_author)
                r = snp_id_signature_check(auth + AUTH_AUTHOR_SIGNATURE, e);
        if (r == 0 && has_author)
                r = snp_id_key_decode(auth + AUTH_AUTHOR_KEY, &ret->author, e);
        return r;
}

static int check_signature(EVP_PKEY *key, const uint8_t *signature, const void *message, size_t size,
                           const char *reason, Error *e) {
        int r = snp_ecdsa_verify(key, signature, signature + SNP_ECDSA_COMPONENT_SIZE, message, size);

        if (r == -EKEYREJECTED)
                return error_set(e, r, reason, "The signature over the %s does not hold",
                                 size == SNP_ID_BLOCK_SIZE ? "ID block by the ID key" : "ID key by the author key");
        return r < 0 ? error_set(e, r, "signature-unjudged", "A signature could not be judged") : 0;
}

static int verify(const void *block, const uint8_t *auth, bool author_key_enabled, SnpIdVerdict *v, Error *e) {
        CLEANUP(keys_done) Keys keys = {};
        bool has_author = false;
        int r;

        r = check_form(auth, author_key_enabled, &has_author, e);
        if (r == 0)
                r = take_keys(auth, has_author, &keys, e);
        if (r == 0)
                r = check_signature(keys.id, auth + AUTH_ID_SIGNATURE, block, SNP_ID_BLOCK_SIZE,
                                    "bad-id-block-signature", e);
        if (r == 0 && author_key_enabled)
                r = check_signature(keys.author, auth + AUTH_AUTHOR_SIGNATURE, auth + AUTH_ID_KEY, SNP_ID_KEY_SIZE,
                                    "bad-id-key-signature", e);
        if (r == 0)
                r = snp_id_key_digest(auth + AUTH_ID_KEY, v->id_key_digest, e);
        if (r == 0 && author_key_enabled)
                r = snp_id_key_digest(auth + AUTH_AUTHOR_KEY, v->author_key_digest, e);
        return r;
}

int snp_id_verify(const void *block, size_t block_size, const void *auth, size_t auth_size, bool author_key_enabled,
                  SnpIdVerdict *ret, Error *e) {
        SnpIdVerdict v = {};
        int r = snp_id_block_parse(block, block_size, &v.block, &v.why);

        if (r == 0 && auth_size != SNP_ID_AUTH_SIZE)
                r = error_set(&v.why, -EBADMSG, "bad-format", "ID authentication information has %d bytes, not %zu",
                              SNP_ID_AUTH_SIZE, auth_size);
        if (r == 0)
                r = verify(block, auth, author_key_enabled, &v, &v.why);
        if (r < 0 && r != -EBADMSG && r != -EKEYREJECTED)
                return error_set(e, r, error_reason(&v.why, r), "%s", error_text(&v.why, r));
        v.outcome = r == 0 ? SNP_ID_ACCEPT : SNP_ID_REJECT;
        *ret = v;
        return 0;
}

/* IGVM's form of a key has another 4 bytes between curve and coordinates. */
static void take_igvm_key(Reader *r, uint8_t *ret) {
        rd_copy(r, ret, 4);
        rd_skip(r, 4);
        rd_copy(r, ret + 4, 2 * SNP_ECDSA_COMPONENT_SIZE);
}

int snp_id_from_igvm(const SnpIgvm *igvm, uint8_t ret_block[static SNP_ID_BLOCK_SIZE],
                     uint8_t ret_auth[static SNP_ID_AUTH_SIZE], bool *ret_author_key_enabled, Error *e) {
        Reader r;

        if (!igvm->id_block)
                return error_set(e, -ENOENT, "no-id-block", "The IGVM file holds no ID block");
        r = rd_init(igvm->id_block, SNP_IGVM_ID_BLOCK_SIZE);
        rd_skip(&r, 4); /* compatibility mask */
        *ret_author_key_enabled = rd_u8(&r) != 0;
        rd_skip(&r, 3);
        rd_copy(&r, ret_block, 0x58); /* up to the SVN the order is that of the ID block */
        store_le64(ret_block + 0x58, igvm->policy);
        (void) memset(ret_auth, 0, SNP_ID_AUTH_SIZE);
        rd_copy(&r, ret_auth + AUTH_ID_ALGO, 4);
        rd_copy(&r, ret_auth + AUTH_AUTHOR_ALGO, 4);
        rd_copy(&r, ret_auth + AUTH_ID_SIGNATURE, 2 * SNP_ECDSA_COMPONENT_SIZE);
        take_igvm_key(&r, ret_auth + AUTH_ID_KEY);
        rd_copy(&r, ret_auth + AUTH_AUTHOR_SIGNATURE, 2 * SNP_ECDSA_COMPONENT_SIZE);
        take_igvm_key(&r, ret_auth + AUTH_AUTHOR_KEY);
        return rd_finish(&r, "IGVM ID block", e);
}
