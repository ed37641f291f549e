/* SPDX-License-Identifier: Apache-2.0 */

/* `snpctl certs show`: what certificates, tables, lists and the cache hold, and whether one may believe them. */

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/snpctl/cert-show.h"
#include "agent/snpctl/certs-args.h"
#include "agent/snpctl/verbs.h"
#include "agent/snpctl/when.h"
#include "base/file.h"
#include "base/hex.h"
#include "base/json.h"
#include "snp/vek-ext.h"

#define FILE_SIZE_MAX SNP_CRL_SIZE_MAX /* the largest of these things */
#define FINGERPRINT_SIZE 32            /* SHA-256 */
#define NAME_SIZE 64

typedef struct ShowArgs {
        CertsArgs certs;
        const char *at;
} ShowArgs;

#define AT(member) offsetof(ShowArgs, member)
static const CtlOption options[] = {
        CERTS_OPTIONS(ShowArgs, certs),
        { "at", "TIME", "when certificates must be valid: RFC 3339, or now (default)", CTL_TEXT, AT(at) },
};

static int add_file(CertItems *items, const char *path, const char *name, Error *e) {
        AUTO_BLOB Blob data = {};
        int r = file_read(path, FILE_SIZE_MAX, &data, e);

        if (r < 0)
                return r;
        r = cert_items_add(items, name, data.data, data.size, e);
        if (r < 0)
                error_prefix(e, "%s", path);
        return r;
}

static int has_certificates(const struct dirent *d) {
        static const char *const endings[] = { ".pem", ".der", ".crt", ".cert", ".crl", ".bin", ".table" };

        for (size_t i = 0; i < N_ELEMENTS(endings); i++) {
                size_t n = strlen(d->d_name), k = strlen(endings[i]);

                if (n > k && strcmp(d->d_name + n - k, endings[i]) == 0)
                        return 1;
        }
        return 0;
}

/* Files that are something else are passed over: the folder may hold a report too. */
static int add_dir(CertItems *items, const char *dir, Error *e) {
        struct dirent **names = NULL;
        int n = scandir(dir, &names, has_certificates, alphasort), r = 0;

        if (n < 0)
                return error_set(e, -errno, "open-failed", "Cannot read the folder %s: %s", dir,
                                 error_text(NULL, -errno));
        for (int i = 0; i < n; i++) {
                AUTO_FREE char *path = NULL;
                Error why = {};

                if (asprintf(&path, "%s/%s", dir, names[i]->d_name) < 0)
                        path = NULL, r = error_oom(e);
                if (r == 0) {
                        r = add_file(items, path, names[i]->d_name, &why);
                        if (r == -EBADMSG)
                                r = 0;
                        else if (r < 0)
                                (void) error_set(e, r, why.reason, "%s", why.text);
                }
                free(names[i]);
        }
        free(names);
        return r;
}

static int gather(const char *path, CertItems *items, Error *e) {
        struct stat st;
        int r;

        if (stat(path, &st) < 0)
                return error_set(e, -errno, "open-failed", "Cannot open %s: %s", path, error_text(NULL, -errno));
        r = S_ISDIR(st.st_mode) ? add_dir(items, path, e) : add_file(items, path, path, e);
        if (r == 0 && items->n == 0)
                return error_set(e, -ENOENT, "no-certificate", "%s holds no certificates", path);
        return r;
}

/* What both forms of the output tell of one item. */
typedef struct Facts {
        const char *kind;
        char name[NAME_SIZE]; /* of a certificate: its subject; of a list: its issuer */
        char from[CTL_WHEN_SIZE], until[CTL_WHEN_SIZE];
        char fingerprint[2 * FINGERPRINT_SIZE + 1];
        bool has_ext;
        SnpVekExtensions ext;
        SnpTcb tcb;
        size_t n_revoked;
} Facts;

static void put_time(const ASN1_TIME *t, char ret[static CTL_WHEN_SIZE]) {
        struct tm tm;

        ret[0] = 0;
        if (t && ASN1_TIME_to_tm(t, &tm) == 1)
                ctl_when_format(timegm(&tm), ret);
}

static void put_fingerprint(const CertItem *item, Facts *f) {
        uint8_t digest[EVP_MAX_MD_SIZE];
        unsigned n = 0;
        int ok = item->cert ? X509_digest(item->cert, EVP_sha256(), digest, &n) :
                              X509_CRL_digest(item->crl, EVP_sha256(), digest, &n);

        if (ok == 1 && n == FINGERPRINT_SIZE)
                hex_encode_to(digest, n, f->fingerprint);
}

static Facts facts_of(const CertItem *item) {
        const char *role = item->role == SNP_ROLE_NONE ? "certificate" : snp_cert_role_name(item->role);
        Facts f = { .kind = item->crl ? "CRL" : role };
        STACK_OF(X509_REVOKED) *revoked;

        put_fingerprint(item, &f);
        if (item->crl) {
                cert_item_name(X509_CRL_get_issuer(item->crl), f.name, sizeof(f.name));
                put_time(X509_CRL_get0_lastUpdate(item->crl), f.from);
                put_time(X509_CRL_get0_nextUpdate(item->crl), f.until);
                revoked = X509_CRL_get_REVOKED(item->crl);
                f.n_revoked = revoked ? (size_t) sk_X509_REVOKED_num(revoked) : 0;
                return f;
        }
        cert_item_name(X509_get_subject_name(item->cert), f.name, sizeof(f.name));
        put_time(X509_get0_notBefore(item->cert), f.from);
        put_time(X509_get0_notAfter(item->cert), f.until);
        if (item->role == SNP_ROLE_VCEK || item->role == SNP_ROLE_VLEK)
                f.has_ext = snp_vek_extensions_parse(item->cert, &f.ext, NULL) == 0 &&
                            snp_tcb_decode(f.ext.layout, f.ext.tcb, &f.tcb) == 0;
        return f;
}

static json_object *tcb_to_json(const Facts *f) {
        json_object *o = json_object_new_object();
        int bad;

        bad = json_add_u64(o, "bootloader", f->tcb.boot_loader);
        bad |= json_add_u64(o, "tee", f->tcb.tee);
        bad |= json_add_u64(o, "snp", f->tcb.snp);
        bad |= json_add_u64(o, "microcode", f->tcb.microcode);
        if (f->ext.layout == SNP_TCB_LAYOUT_TURIN)
                bad |= json_add_u64(o, "fmc", f->tcb.fmc);
        if (bad == 0)
                return o;
        (void) json_object_put(o);
        return NULL;
}

static int item_to_json(const CertItem *item, json_object *o) {
        Facts f = facts_of(item);
        int bad;

        bad = json_add_str(o, "from", item->name);
        bad |= json_add_str(o, "kind", f.kind);
        bad |= json_add_str(o, item->crl ? "issuer" : "subject", f.name);
        if (item->product != SNP_PRODUCT_UNKNOWN)
                bad |= json_add_str(o, "product", snp_product_name(item->product));
        bad |= json_add_str(o, item->crl ? "this_update" : "not_before", f.from);
        bad |= json_add_str(o, item->crl ? "next_update" : "not_after", f.until);
        bad |= json_add_str(o, "sha256", f.fingerprint);
        if (f.has_ext) {
                bad |= json_add_take(o, "tcb", tcb_to_json(&f));
                if (f.ext.hwid_size > 0)
                        bad |= json_add_hex(o, "hwid", f.ext.hwid, f.ext.hwid_size);
                if (f.ext.has_csp_id)
                        bad |= json_add_str(o, "csp_id", f.ext.csp_id);
        }
        if (item->crl)
                bad |= json_add_u64(o, "revoked", f.n_revoked);
        bad |= json_add_bool(o, "verified", item->why.code == 0);
        if (item->why.code < 0)
                bad |= json_add_str(o, "reason", item->why.reason) | json_add_str(o, "message", item->why.text);
        return bad;
}

static int print_json(const CertItems *items, const SnpTrust *trust, CtlOutput *out, Error *e) {
        AUTO_JSON json_object *o = json_object_new_object(), *list = json_object_new_array();

        for (size_t i = 0; i < items->n; i++) {
                AUTO_JSON json_object *item = json_object_new_object();

                if (item_to_json(&items->list[i], item) != 0 || !list || json_object_array_add(list, item) < 0)
                        return error_oom(e);
                item = NULL;
        }
        if (json_add_str(o, "trust", certs_trust_name(trust)) < 0 || json_add_take(o, "items", TAKE_PTR(list)) < 0)
                return error_oom(e);
        return ctl_output_set_json(out, TAKE_PTR(o), e);
}

static void print_ext(const Facts *f, CtlOutput *out) {
        char hwid[2 * SNP_HWID_MAX + 1];

        if (!f->has_ext)
                return;
        ctl_printf(out, "  TCB:       ");
        if (f->ext.layout == SNP_TCB_LAYOUT_TURIN)
                ctl_printf(out, "FMC %u, ", f->tcb.fmc);
        ctl_printf(out, "boot loader %u, TEE %u, SNP %u, microcode %u\n", f->tcb.boot_loader, f->tcb.tee, f->tcb.snp,
                   f->tcb.microcode);
        if (f->ext.hwid_size > 0) {
                hex_encode_to(f->ext.hwid, f->ext.hwid_size, hwid);
                ctl_printf(out, "  Chip:      %s\n", hwid);
        }
        if (f->ext.has_csp_id)
                ctl_printf(out, "  Provider:  %s\n", f->ext.csp_id);
}

static void print_item(const CertItem *item, CtlOutput *out) {
        Facts f = facts_of(item);

        ctl_printf(out, "\n%s\n", item->name);
        ctl_printf(out, "  Kind:      %s, %s %s", f.kind, item->crl ? "by" : "for", f.name);
        ctl_printf(out, "%s%s\n", item->product != SNP_PRODUCT_UNKNOWN ? ", " : "",
                   item->product != SNP_PRODUCT_UNKNOWN ? snp_product_name(item->product) : "");
        print_ext(&f, out);
        if (item->crl)
                ctl_printf(out, "  Revoked:   %zu\n", f.n_revoked);
        ctl_printf(out, "  Valid:     %s to %s\n", f.from, f.until[0] ? f.until : "(open end)");
        ctl_printf(out, "  SHA-256:   %s\n", f.fingerprint);
        if (item->why.code == 0)
                ctl_printf(out, "  Verified:  yes\n");
        else
                ctl_printf(out, "  Verified:  NO: %s\n", item->why.text);
}

static int run_show(const CtlCall *call, CtlOutput *out, Error *e) {
        const ShowArgs *args = call->args;
        bool cache = strcmp(call->operands[0], "cache") == 0;
        CLEANUP(snp_trust_freep) SnpTrust *trust = NULL;
        AUTO_CERT_ITEMS CertItems items = {};
        time_t at = 0;
        int r;

        if (args->certs.cache && !cache)
                return ctl_usage(e, "--cache goes with 'certs show cache'");
        if (ctl_when_parse(args->at ? args->at : "now", &at) < 0)
                return ctl_usage(e, "--at '%.40s' is neither RFC 3339 (2026-01-31T12:00:00Z) nor now", args->at);
        r = certs_args_trust(&args->certs, &trust, e);
        if (r == 0)
                r = gather(!cache ? call->operands[0] : args->certs.cache ? args->certs.cache : CERTS_CACHE, &items, e);
        if (r == 0)
                r = cert_items_judge(&items, trust, at, e);
        if (r < 0)
                return r;
        for (size_t i = 0; i < items.n; i++)
                if (items.list[i].why.code < 0)
                        out->exit = CTL_EXIT_NO;
        if (out->want_json)
                return print_json(&items, trust, out, e);
        certs_print_trust(trust, out);
        for (size_t i = 0; i < items.n; i++)
                print_item(&items.list[i], out);
        return 0;
}

const CtlVerb ctl_verb_certs_show = {
        .name = "certs show",
        .operands = "FILE|DIR|cache",
        .n_operands = 1,
        .summary = "Show certificates, tables and revocation lists, and whether they verify",
        .details = "\nDER, PEM and the host's certificate table are told apart by their bytes. Everything that is\n"
                   "shown together is used to build chains; none of it becomes a root. Exit status 1: something does not\n"
                   "verify.\n",
        .options = { options, N_ELEMENTS(options) },
        .args_size = sizeof(ShowArgs),
        .run = run_show,
};
