/* SPDX-License-Identifier: Apache-2.0 */

/* `snpctl certs import` and `snpctl certs export`: collateral carried by hand to machines without a way to AMD. */

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/snpctl/certs-args.h"
#include "agent/snpctl/verbs.h"
#include "agent/snpctl/when.h"
#include "base/file.h"
#include "base/json.h"
#include "snp/collateral-bundle.h"

typedef struct StoreArgs {
        CertsArgs certs;
        const char *at, *out;
} StoreArgs;

#define AT(member) offsetof(StoreArgs, member)
static const CtlOption import_options[] = {
        CERTS_OPTIONS(StoreArgs, certs),
        { "at", "TIME", "when everything must be valid: RFC 3339, or now (default)", CTL_TEXT, AT(at) },
};
static const CtlOption export_options[] = {
        CERTS_OPTIONS(StoreArgs, certs),
        { "at", "TIME", "when everything must be valid: RFC 3339, or now (default)", CTL_TEXT, AT(at) },
        { "out", "FILE", "the file to write", CTL_TEXT, AT(out) },
};

static int read_when(const StoreArgs *args, time_t *ret, Error *e) {
        if (ctl_when_parse(args->at ? args->at : "now", ret) < 0)
                return ctl_usage(e, "--at '%.40s' is neither RFC 3339 (2026-01-31T12:00:00Z) nor now", args->at);
        return 0;
}

/* What was said of each item, in both forms. */
typedef struct Items {
        CtlTable *table;
        json_object *list;
        int r;
} Items;

static void items_done(Items *items) {
        ctl_table_free(items->table);
        (void) json_object_put(items->list);
}

static int add_json_item(json_object *list, const char *what, int r, const Error *e) {
        AUTO_JSON json_object *o = json_object_new_object();

        if (json_add_str(o, "item", what) < 0 || json_add_bool(o, "stored", r == 0) < 0)
                return -ENOMEM;
        if (r < 0 && (json_add_str(o, "reason", error_reason(e, r)) < 0 ||
                      json_add_str(o, "message", error_text(e, r)) < 0))
                return -ENOMEM;
        if (json_object_array_add(list, o) < 0)
                return -ENOMEM;
        o = NULL;
        return 0;
}

static void on_item(void *userdata, const char *what, int r, const Error *e) {
        Items *items = userdata;
        const char *const cells[] = { what, r == 0 ? "stored" : error_text(e, r) };

        if (items->r == 0)
                items->r = ctl_table_add(items->table, cells, NULL);
        if (items->r == 0)
                items->r = add_json_item(items->list, what, r, e);
}

static int import_path(SnpCache *cache, const char *path, SnpImport *import, Error *e) {
        AUTO_BLOB Blob data = {};
        struct stat st;
        int r;

        if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
                return snp_cache_import_dir(cache, path, import, e);
        r = file_read(path, SNP_BUNDLE_SIZE_MAX, &data, e);
        return r < 0 ? r : snp_cache_import_bundle(cache, data.data, data.size, import, e);
}

static int print_import(const SnpImport *import, Items *items, CtlOutput *out, Error *e) {
        AUTO_JSON json_object *o = NULL;

        if (!out->want_json) {
                certs_print_trust(import->trust, out);
                ctl_printf(out, "Stored: %zu, refused: %zu\n\n", import->n_stored, import->n_refused);
                return ctl_table_print(items->table, out, e);
        }
        o = json_object_new_object();
        if (json_add_str(o, "trust", certs_trust_name(import->trust)) < 0 ||
            json_add_u64(o, "stored", import->n_stored) < 0 || json_add_u64(o, "refused", import->n_refused) < 0 ||
            json_add_take(o, "items", TAKE_PTR(items->list)) < 0)
                return error_oom(e);
        return ctl_output_set_json(out, TAKE_PTR(o), e);
}

static int run_import(const CtlCall *call, CtlOutput *out, Error *e) {
        static const char *const columns[] = { "ITEM", "RESULT" };
        const StoreArgs *args = call->args;
        CLEANUP(snp_trust_freep) SnpTrust *trust = NULL;
        CLEANUP(snp_cache_closep) SnpCache *cache = NULL;
        CLEANUP(items_done) Items items = { .list = json_object_new_array() };
        SnpImport import = { .on_item = on_item, .userdata = &items };
        int r;

        r = items.list ? read_when(args, &import.at, e) : error_oom(e);
        if (r == 0)
                r = certs_args_trust(&args->certs, &trust, e);
        if (r == 0)
                r = certs_args_cache(&args->certs, &cache, e);
        if (r == 0)
                r = ctl_table_new(columns, N_ELEMENTS(columns), &items.table, e);
        if (r < 0)
                return r;
        import.trust = trust;
        r = import_path(cache, call->operands[0], &import, e);
        if (items.r < 0)
                return error_oom(e);
        if (r < 0 && r != -EKEYREJECTED)
                return r;
        out->exit = r == 0 ? CTL_EXIT_OK : CTL_EXIT_NO;
        return print_import(&import, &items, out, e);
}

static int run_export(const CtlCall *call, CtlOutput *out, Error *e) {
        const StoreArgs *args = call->args;
        CLEANUP(snp_trust_freep) SnpTrust *trust = NULL;
        CLEANUP(snp_cache_closep) SnpCache *cache = NULL;
        AUTO_JSON json_object *o = NULL;
        AUTO_BLOB Blob bundle = {};
        time_t at = 0;
        int r;

        if (!args->out)
                return ctl_usage(e, "--out FILE is missing");
        r = read_when(args, &at, e);
        if (r == 0)
                r = certs_args_trust(&args->certs, &trust, e);
        if (r == 0)
                r = certs_args_cache(&args->certs, &cache, e);
        if (r == 0)
                r = snp_cache_export_bundle(cache, trust, at, &bundle, e);
        if (r == 0)
                r = file_write_atomic(args->out, bundle.data, bundle.size, 0644, e);
        if (r < 0)
                return r;
        if (!out->want_json) {
                certs_print_trust(trust, out);
                ctl_printf(out, "Written: %s (%zu bytes)\n", args->out, bundle.size);
                return 0;
        }
        o = json_object_new_object();
        if (json_add_str(o, "trust", certs_trust_name(trust)) < 0 || json_add_str(o, "file", args->out) < 0 ||
            json_add_u64(o, "size", bundle.size) < 0)
                return error_oom(e);
        return ctl_output_set_json(out, TAKE_PTR(o), e);
}

const CtlVerb ctl_verb_certs_import = {
        .name = "certs import",
        .operands = "FILE|DIR",
        .n_operands = 1,
        .summary = "Put certificates that were carried here into the cache",
        .details = "\nFILE is what 'snpctl certs export' wrote on a machine with a way to AMD; DIR holds files as\n"
                   "'snpctl certs fetch', snpguest and Trustee's stores name them. Nothing is stored that does not\n"
                   "verify up to AMD's roots, or to --trust-root. Exit status 1: something was refused.\n",
        .options = { import_options, N_ELEMENTS(import_options) },
        .args_size = sizeof(StoreArgs),
        .run = run_import,
};

const CtlVerb ctl_verb_certs_export = {
        .name = "certs export",
        .summary = "Write all that is in the cache and verifies to one file",
        .details = "\nFor 'snpctl certs import' on machines without a way to AMD; see docs/collateral-bundle.md.\n",
        .options = { export_options, N_ELEMENTS(export_options) },
        .args_size = sizeof(StoreArgs),
        .run = run_export,
};
