/* SPDX-License-Identifier: Apache-2.0 */

/* `snpctl idblock verify`: whether the firmware would take an ID block, and whether a report carries it. */

#include <errno.h>
#include <string.h>

#include "agent/snpctl/id-files.h"
#include "agent/snpctl/verbs.h"
#include "base/file.h"
#include "base/hex.h"
#include "base/json.h"
#include "base/reader.h"
#include "base/text.h"
#include "snp/launch/igvm.h"
#include "snp/report.h"

typedef struct VerifyArgs {
        const char *block, *auth, *igvm, *author_key, *report;
} VerifyArgs;

#define AT(member) offsetof(VerifyArgs, member)
static const CtlOption options[] = {
        { "block", "FILE", "the block, raw or base64", CTL_TEXT, AT(block) },
        { "auth", "FILE", "its authentication information, raw or base64", CTL_TEXT, AT(auth) },
        { "igvm", "FILE", "take both from an IGVM file", CTL_TEXT, AT(igvm) },
        { "author-key-enabled", "on|off", "as of the launch; by default on if there is such a key", CTL_TEXT,
          AT(author_key) },
        { "report", "FILE", "also compare with what this report carries; its signature is not judged", CTL_TEXT,
          AT(report) },
};

/* AUTHOR_KEY_ALGO (publication 56860, table "Structure of the ID Authentication Information"). */
#define AUTHOR_ALGO_AT 4

typedef struct Pair {
        Blob block, auth;
        bool author_key_enabled;
} Pair;

static void pair_done(Pair *p) {
        blob_done(&p->block);
        blob_done(&p->auth);
}

static int read_igvm(const char *path, Pair *p, Error *e) {
        uint8_t block[SNP_ID_BLOCK_SIZE], auth[SNP_ID_AUTH_SIZE];
        AUTO_BLOB Blob file = {};
        SnpIgvm igvm;
        int r = file_read(path, SNP_IGVM_FILE_MAX, &file, e);

        if (r == 0)
                r = snp_igvm_parse(file.data, file.size, &igvm, e);
        if (r == 0)
                r = snp_id_from_igvm(&igvm, block, auth, &p->author_key_enabled, e);
        if (r < 0)
                return r;
        if (blob_dup(block, sizeof(block), &p->block) < 0 || blob_dup(auth, sizeof(auth), &p->auth) < 0)
                return error_oom(e);
        return 0;
}

static int read_pair(const VerifyArgs *args, Pair *p, Error *e) {
        int r;

        if (args->igvm ? args->block || args->auth : !args->block || !args->auth)
                return ctl_usage(e, "either --block and --auth or --igvm is needed");
        if (args->igvm)
                r = read_igvm(args->igvm, p, e);
        else {
                r = id_file_read(args->block, SNP_ID_BLOCK_SIZE, &p->block, e);
                if (r == 0)
                        r = id_file_read(args->auth, SNP_ID_AUTH_SIZE, &p->auth, e);
                p->author_key_enabled =
                        p->auth.size == SNP_ID_AUTH_SIZE && load_le32(p->auth.data + AUTHOR_ALGO_AT) != 0;
        }
        if (r == 0 && args->author_key && text_to_bool(args->author_key, &p->author_key_enabled) < 0)
                return ctl_usage(e, "--author-key-enabled '%.20s' is neither on nor off", args->author_key);
        return r;
}

/* Where the report differs; NULL when it carries what the block says. */
static const char *difference(const SnpIdVerdict *v, bool author_key_enabled, const SnpReport *report) {
        const SnpIdBlock *b = &v->block;

        if (memcmp(report->measurement, b->ld, SNP_LD_SIZE) != 0)
                return "measurement";
        if (report->policy != b->policy)
                return "policy";
        if (report->guest_svn != b->guest_svn)
                return "guest_svn";
        if (memcmp(report->family_id, b->family_id, SNP_ID_SIZE) != 0)
                return "family_id";
        if (memcmp(report->image_id, b->image_id, SNP_ID_SIZE) != 0)
                return "image_id";
        if (memcmp(report->id_key_digest, v->id_key_digest, SNP_ID_KEY_DIGEST_SIZE) != 0)
                return "id_key_digest";
        if (report->author_key_en != author_key_enabled)
                return "author_key_en";
        if (memcmp(report->author_key_digest, v->author_key_digest, SNP_ID_KEY_DIGEST_SIZE) != 0)
                return "author_key_digest";
        return NULL;
}

static int compare_report(const char *path, const Pair *p, SnpIdVerdict *v, Error *e) {
        AUTO_BLOB Blob b = {};
        SnpReport report;
        const char *where;
        int r = file_read(path, SNP_REPORT_SIZE, &b, e);

        if (r == 0)
                r = snp_report_parse(b.data, b.size, &report, e);
        if (r < 0)
                return r;
        where = difference(v, p->author_key_enabled, &report);
        if (where) {
                v->outcome = SNP_ID_REJECT;
                (void) error_set(&v->why, -EKEYREJECTED, "other-report", "The report carries another %s", where);
        }
        return 0;
}

static int add_fields(json_object *o, const SnpIdVerdict *v) {
        const SnpIdBlock *b = &v->block;

        if (json_add_hex(o, "measurement", b->ld, SNP_LD_SIZE) < 0 ||
            json_add_hex(o, "family_id", b->family_id, SNP_ID_SIZE) < 0 ||
            json_add_hex(o, "image_id", b->image_id, SNP_ID_SIZE) < 0 ||
            json_add_u64(o, "guest_svn", b->guest_svn) < 0 || json_add_u64(o, "policy", b->policy) < 0)
                return -1;
        return json_add_hex(o, "id_key_digest", v->id_key_digest, SNP_ID_KEY_DIGEST_SIZE) < 0 ||
               json_add_hex(o, "author_key_digest", v->author_key_digest, SNP_ID_KEY_DIGEST_SIZE) < 0 ? -1 : 0;
}

static int print_json(const SnpIdVerdict *v, bool author_key_enabled, CtlOutput *out, Error *e) {
        AUTO_JSON json_object *o = json_object_new_object();
        bool ok = v->outcome == SNP_ID_ACCEPT;

        if (json_add_str(o, "verdict", ok ? "accept" : "reject") < 0 ||
            json_add_bool(o, "author_key_enabled", author_key_enabled) < 0)
                return error_oom(e);
        if (ok ? add_fields(o, v) < 0 : json_add_str(o, "reason", error_reason(&v->why, v->why.code)) < 0 ||
                                        json_add_str(o, "message", error_text(&v->why, v->why.code)) < 0)
                return error_oom(e);
        return ctl_output_set_json(out, TAKE_PTR(o), e);
}

static void print_hex(CtlOutput *out, const char *name, const void *data, size_t n) {
        char hex[2 * SNP_LD_SIZE + 1];

        hex_encode_to(data, n, hex);
        ctl_printf(out, "%-18s %s\n", name, hex);
}

static int print_text(const SnpIdVerdict *v, bool author_key_enabled, CtlOutput *out) {
        if (v->outcome != SNP_ID_ACCEPT) {
                ctl_printf(out, "REJECT: %s\n", error_text(&v->why, v->why.code));
                return 0;
        }
        ctl_printf(out, "ACCEPT, author key %s\n\n", author_key_enabled ? "enabled" : "not enabled");
        print_hex(out, "Measurement", v->block.ld, SNP_LD_SIZE);
        print_hex(out, "Family ID", v->block.family_id, SNP_ID_SIZE);
        print_hex(out, "Image ID", v->block.image_id, SNP_ID_SIZE);
        ctl_printf(out, "%-18s %u\n%-18s 0x%llx\n", "Guest SVN", v->block.guest_svn, "Policy",
                   (unsigned long long) v->block.policy);
        print_hex(out, "ID key digest", v->id_key_digest, SNP_ID_KEY_DIGEST_SIZE);
        print_hex(out, "Author key digest", v->author_key_digest, SNP_ID_KEY_DIGEST_SIZE);
        return 0;
}

static int run_verify(const CtlCall *call, CtlOutput *out, Error *e) {
        const VerifyArgs *args = call->args;
        CLEANUP(pair_done) Pair p = {};
        SnpIdVerdict v = {};
        int r = read_pair(args, &p, e);

        if (r == 0)
                r = snp_id_verify(p.block.data, p.block.size, p.auth.data, p.auth.size, p.author_key_enabled, &v, e);
        if (r == 0 && args->report && v.outcome == SNP_ID_ACCEPT)
                r = compare_report(args->report, &p, &v, e);
        if (r < 0)
                return r;
        out->exit = v.outcome == SNP_ID_ACCEPT ? CTL_EXIT_OK : CTL_EXIT_NO;
        return out->want_json ? print_json(&v, p.author_key_enabled, out, e)
                              : print_text(&v, p.author_key_enabled, out);
}

const CtlVerb ctl_verb_idblock_verify = {
        .name = "idblock verify",
        .summary = "Judge whether the firmware would take an ID block",
        .details = "\nForm first, then the ID key's signature over the block, then the author key's over the ID\n"
                   "key. With --report also whether the guest that sent it was started with this block.\n",
        .options = { options, N_ELEMENTS(options) },
        .args_size = sizeof(VerifyArgs),
        .run = run_verify,
};
