/* SPDX-License-Identifier: Apache-2.0 */

/* `snpctl idblock create|sign|digest`: who a guest is meant to be, and the keys that say so. */

#include <errno.h>
#include <string.h>

#include "agent/snpctl/id-files.h"
#include "agent/snpctl/verbs.h"
#include "base/base64.h"
#include "base/hex.h"
#include "base/json.h"
#include "base/text.h"
#include "snp/report.h"

typedef struct IdblockArgs {
        const char *measurement, *family_id, *image_id, *guest_svn, *policy;
        const char *id_key, *author_key, *block, *auth, *key;
        bool base64;
} IdblockArgs;

#define AT(member) offsetof(IdblockArgs, member)
#define KEY_OPTIONS                                                                                                    \
        { "id-key", "FILE", "private key that signs the block: P-384, PEM or DER", CTL_TEXT, AT(id_key) },             \
        { "author-key", "FILE", "private key that signs the ID key", CTL_TEXT, AT(author_key) },                       \
        { "auth", "FILE", "write the authentication information here", CTL_TEXT, AT(auth) },                           \
        { "base64", NULL, "write files in base64, as QEMU takes them", CTL_FLAG, AT(base64) }

static const CtlOption create_options[] = {
        { "measurement", "DIGEST", "launch digest, as of 'snpctl measure', hex or base64", CTL_TEXT, AT(measurement) },
        { "family-id", "HEX", "16 bytes of your own (zeros)", CTL_TEXT, AT(family_id) },
        { "image-id", "HEX", "16 bytes of your own (zeros)", CTL_TEXT, AT(image_id) },
        { "guest-svn", "N", "security version of the guest (0)", CTL_TEXT, AT(guest_svn) },
        { "policy", "N", "POLICY, the same as the guest's (0x30000)", CTL_TEXT, AT(policy) },
        { "block", "FILE", "write the block here", CTL_TEXT, AT(block) },
        KEY_OPTIONS,
};

static const CtlOption sign_options[] = {
        { "block", "FILE", "the block to sign, raw or base64", CTL_TEXT, AT(block) },
        KEY_OPTIONS,
};

static const CtlOption digest_options[] = {
        { "key", "FILE", "private or public key: P-384, PEM or DER", CTL_TEXT, AT(key) },
};

/* A block, and what signs it when there are keys. */
typedef struct Signed {
        uint8_t block[SNP_ID_BLOCK_SIZE], auth[SNP_ID_AUTH_SIZE];
        bool is_signed, has_author;
        SnpIdVerdict verdict; /* for the digests of the keys */
} Signed;

static int read_id(const char *option, const char *text, uint8_t ret[static SNP_ID_SIZE], Error *e) {
        if (text && hex_decode_exact(text, strlen(text), ret, SNP_ID_SIZE) < 0)
                return ctl_usage(e, "%s is not %d hexadecimal digits", option, 2 * SNP_ID_SIZE);
        return 0;
}

static int read_block(const IdblockArgs *args, SnpIdBlock *ret, Error *e) {
        uint64_t svn = 0, policy = SNP_POLICY_SMT | SNP_POLICY_RESERVED_ONE;
        int r;

        if (!args->measurement || id_digest_parse(args->measurement, ret->ld) < 0)
                return ctl_usage(e, "--measurement is needed, %d hexadecimal digits or base64 of as much",
                                 2 * SNP_LD_SIZE);
        if (args->guest_svn && text_to_u64(args->guest_svn, 0, 0, UINT32_MAX, &svn) < 0)
                return ctl_usage(e, "--guest-svn '%.40s' is not a number of 32 bits", args->guest_svn);
        if (args->policy && text_to_u64(args->policy, 0, 0, UINT64_MAX, &policy) < 0)
                return ctl_usage(e, "--policy '%.40s' is not a number of 64 bits", args->policy);
        if (!(policy & SNP_POLICY_RESERVED_ONE))
                return ctl_usage(e, "--policy 0x%llx lacks bit 17: no guest starts with it",
                                 (unsigned long long) policy);
        r = read_id("--family-id", args->family_id, ret->family_id, e);
        if (r == 0)
                r = read_id("--image-id", args->image_id, ret->image_id, e);
        ret->guest_svn = (uint32_t) svn;
        ret->policy = policy;
        return r;
}

static int sign_block(const IdblockArgs *args, Signed *s, Error *e) {
        AUTO_EVP_PKEY EVP_PKEY *id_key = NULL;
        AUTO_EVP_PKEY EVP_PKEY *author_key = NULL;
        int r = id_key_file_read(args->id_key, true, &id_key, e);

        if (r == 0)
                r = id_key_file_read(args->author_key, true, &author_key, e);
        if (r == 0)
                r = snp_id_auth_sign(s->block, id_key, author_key, s->auth, e);
        if (r == 0)
                r = snp_id_verify(s->block, sizeof(s->block), s->auth, sizeof(s->auth), author_key != NULL,
                                  &s->verdict, e);
        if (r == 0 && s->verdict.outcome != SNP_ID_ACCEPT)
                r = error_set(e, -EIO, "signing", "What was signed does not hold: %s",
                              error_text(&s->verdict.why, s->verdict.why.code));
        s->is_signed = true;
        s->has_author = author_key != NULL;
        return r;
}

static int write_files(const IdblockArgs *args, bool with_block, const Signed *s, Error *e) {
        int r = 0;

        if (with_block && args->block)
                r = id_file_write(args->block, args->base64, s->block, sizeof(s->block), e);
        if (r == 0 && args->auth)
                r = id_file_write(args->auth, args->base64, s->auth, sizeof(s->auth), e);
        return r;
}

static int print_json(const Signed *s, CtlOutput *out, Error *e) {
        AUTO_JSON json_object *o = json_object_new_object();
        AUTO_FREE char *block = base64_encode(BASE64_STD, s->block, sizeof(s->block));
        AUTO_FREE char *auth = base64_encode(BASE64_STD, s->auth, sizeof(s->auth));

        if (!block || !auth || json_add_str(o, "id_block", block) < 0)
                return error_oom(e);
        if (s->is_signed && (json_add_str(o, "id_auth", auth) < 0 ||
                             json_add_hex(o, "id_key_digest", s->verdict.id_key_digest, SNP_ID_KEY_DIGEST_SIZE) < 0))
                return error_oom(e);
        if (s->has_author &&
            json_add_hex(o, "author_key_digest", s->verdict.author_key_digest, SNP_ID_KEY_DIGEST_SIZE) < 0)
                return error_oom(e);
        return ctl_output_set_json(out, TAKE_PTR(o), e);
}

/* Options for QEMU's sev-snp-guest object, ready to be pasted. */
static int print_text(const Signed *s, CtlOutput *out, Error *e) {
        AUTO_FREE char *block = base64_encode(BASE64_STD, s->block, sizeof(s->block));
        AUTO_FREE char *auth = base64_encode(BASE64_STD, s->auth, sizeof(s->auth));
        char hex[2 * SNP_ID_KEY_DIGEST_SIZE + 1];

        if (!block || !auth)
                return error_oom(e);
        ctl_printf(out, "id-block=%s\n", block);
        if (!s->is_signed)
                return 0;
        ctl_printf(out, "id-auth=%s\nauthor-key-enabled=%s\n", auth, s->has_author ? "on" : "off");
        hex_encode_to(s->verdict.id_key_digest, SNP_ID_KEY_DIGEST_SIZE, hex);
        ctl_printf(out, "\nReports will carry ID_KEY_DIGEST     %s\n", hex);
        if (s->has_author) {
                hex_encode_to(s->verdict.author_key_digest, SNP_ID_KEY_DIGEST_SIZE, hex);
                ctl_printf(out, "                    AUTHOR_KEY_DIGEST %s\n", hex);
        }
        return 0;
}

static int check_keys(const IdblockArgs *args, Error *e) {
        if ((args->author_key || args->auth) && !args->id_key)
                return ctl_usage(e, "--author-key and --auth need --id-key");
        return 0;
}

static int run_create(const CtlCall *call, CtlOutput *out, Error *e) {
        const IdblockArgs *args = call->args;
        SnpIdBlock block = {};
        Signed s = {};
        int r = check_keys(args, e);

        if (r == 0)
                r = read_block(args, &block, e);
        if (r < 0)
                return r;
        snp_id_block_encode(&block, s.block);
        if (args->id_key)
                r = sign_block(args, &s, e);
        if (r == 0)
                r = write_files(args, true, &s, e);
        if (r < 0)
                return r;
        return out->want_json ? print_json(&s, out, e) : print_text(&s, out, e);
}

static int run_sign(const CtlCall *call, CtlOutput *out, Error *e) {
        const IdblockArgs *args = call->args;
        AUTO_BLOB Blob bytes = {};
        SnpIdBlock block;
        Signed s = {};
        int r;

        if (!args->block || !args->id_key)
                return ctl_usage(e, "--block and --id-key are needed");
        r = id_file_read(args->block, SNP_ID_BLOCK_SIZE, &bytes, e);
        if (r == 0)
                r = snp_id_block_parse(bytes.data, bytes.size, &block, e);
        if (r < 0)
                return r;
        snp_id_block_encode(&block, s.block);
        r = sign_block(args, &s, e);
        if (r == 0)
                r = write_files(args, false, &s, e);
        if (r < 0)
                return r;
        return out->want_json ? print_json(&s, out, e) : print_text(&s, out, e);
}

static int run_digest(const CtlCall *call, CtlOutput *out, Error *e) {
        const IdblockArgs *args = call->args;
        AUTO_EVP_PKEY EVP_PKEY *key = NULL;
        uint8_t bytes[SNP_ID_KEY_SIZE], digest[SNP_ID_KEY_DIGEST_SIZE];
        AUTO_JSON json_object *o = NULL;
        char hex[2 * SNP_ID_KEY_DIGEST_SIZE + 1];
        int r;

        if (!args->key)
                return ctl_usage(e, "--key is missing");
        r = id_key_file_read(args->key, false, &key, e);
        if (r == 0)
                r = snp_id_key_encode(key, bytes, e);
        if (r == 0)
                r = snp_id_key_digest(bytes, digest, e);
        if (r < 0)
                return r;
        hex_encode_to(digest, sizeof(digest), hex);
        if (!out->want_json) {
                ctl_printf(out, "%s\n", hex);
                return 0;
        }
        o = json_object_new_object();
        if (json_add_str(o, "digest", hex) < 0)
                return error_oom(e);
        return ctl_output_set_json(out, TAKE_PTR(o), e);
}

const CtlVerb ctl_verb_idblock_create = {
        .name = "idblock create",
        .summary = "Make an ID block, signed when keys are given",
        .details = "\nThe firmware starts a guest with an ID block only if digest and policy are those of the\n"
                   "block. Prints what QEMU's sev-snp-guest object takes.\n",
        .options = { create_options, N_ELEMENTS(create_options) },
        .args_size = sizeof(IdblockArgs),
        .run = run_create,
};

const CtlVerb ctl_verb_idblock_sign = {
        .name = "idblock sign",
        .summary = "Sign an ID block made elsewhere",
        .details = "\nFor keys that live on a machine of their own.\n",
        .options = { sign_options, N_ELEMENTS(sign_options) },
        .args_size = sizeof(IdblockArgs),
        .run = run_sign,
};

const CtlVerb ctl_verb_idblock_digest = {
        .name = "idblock digest",
        .summary = "Tell the digest of a key as reports carry it",
        .options = { digest_options, N_ELEMENTS(digest_options) },
        .args_size = sizeof(IdblockArgs),
        .run = run_digest,
};
