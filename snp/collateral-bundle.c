/* SPDX-License-Identifier: Apache-2.0 */

/* The bundle file: docs/collateral-bundle.md. Order does not matter to its reader, who takes the chains first. */

#include "snp/collateral-bundle.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/base64.h"
#include "base/json.h"
#include "snp/collateral-cache-internal.h"
#include "snp/collateral-import.h"
#include "snp/collateral-store.h"

#define TYPE "snp-collateral-bundle"
#define VERSION 1u
#define WORD_MAX 32
#define BASE64_MAX (SNP_CRL_SIZE_MAX / 3 * 4 + 8)

typedef enum Kind {
        KIND_CHAIN,
        KIND_VCEK,
        KIND_VCEK_CRL,
        KIND_VLEK_CRL,
        N_KINDS,
} Kind;

static const char *const kind_names[N_KINDS] = { "chain", "vcek", "vcek-crl", "vlek-crl" };

static Kind kind_of(SnpPart part, SnpSigningKey key) {
        if (part == SNP_PART_CHAIN)
                return KIND_CHAIN;
        if (part == SNP_PART_VEK)
                return KIND_VCEK;
        return key == SNP_SIGNING_KEY_VLEK ? KIND_VLEK_CRL : KIND_VCEK_CRL;
}

/* Member "pem" or "der", one of them. */
static int item_data(json_object *item, Blob *ret, Error *e) {
        const char *pem = NULL, *der = NULL;
        int r = json_get_opt_str(item, "pem", BASE64_MAX, &pem, e);

        if (r == 0)
                r = json_get_opt_str(item, "der", BASE64_MAX, &der, e);
        if (r < 0)
                return r;
        if (!pem == !der)
                return error_set(e, -EBADMSG, "bundle-item", "An item needs one of the members \"pem\" and \"der\"");
        r = pem ? blob_dup(pem, strlen(pem), ret)
                : base64_decode(BASE64_STD, der, strlen(der), SNP_CRL_SIZE_MAX, ret);
        if (r == -ENOMEM)
                return error_oom(e);
        return r < 0 ? error_set(e, r, "bundle-item", "Member \"der\" of an item is no base64, or too long") : 0;
}

static int store_chains(const SnpStore *s, const SnpCertList *list, Error *e) {
        size_t n = 0;

        for (SnpProduct product = SNP_PRODUCT_UNKNOWN + 1; product < SNP_N_PRODUCTS; product++)
                for (SnpSigningKey key = SNP_SIGNING_KEY_VCEK; key <= SNP_SIGNING_KEY_VLEK; key++) {
                        int r;

                        if (!snp_store_has_chain(list, product, key))
                                continue;
                        r = snp_store_chain(s, list, product, key, e);
                        if (r < 0)
                                return r;
                        n++;
                }
        return n > 0 ? 0 : error_set(e, -ENOENT, "cert-missing", "There is neither an ASK nor an ASVK in the chain");
}

static int store_certs(const SnpStore *s, Kind kind, const Blob *data, Error *e) {
        AUTO_CERT_LIST SnpCertList list = {};
        int r = snp_cert_list_add(&list, data->data, data->size, "The item", e);

        if (r < 0)
                return r;
        if (kind == KIND_CHAIN)
                return store_chains(s, &list, e);
        if (list.n != 1)
                return error_set(e, -EBADMSG, "cert-count", "%zu certificates instead of one VCEK", list.n);
        return snp_store_vek(s, list.certs[0], e);
}

static int item_kind(json_object *item, Kind *ret, Error *e) {
        const char *name = NULL;
        int r;

        if (!json_object_is_type(item, json_type_object))
                return error_set(e, -EBADMSG, "bundle-item", "An item is no object");
        r = json_get_str(item, "kind", WORD_MAX, &name, e);
        if (r < 0)
                return r;
        for (Kind kind = 0; kind < N_KINDS; kind++)
                if (strcmp(kind_names[kind], name) == 0) {
                        *ret = kind;
                        return 0;
                }
        return error_set(e, -EOPNOTSUPP, "bundle-item", "An item is of an unknown kind");
}

static int store_item(const SnpStore *s, json_object *item, Kind kind, Error *e) {
        AUTO_BLOB Blob data = {};
        int r = item_data(item, &data, e);

        if (r < 0)
                return r;
        if (kind == KIND_CHAIN || kind == KIND_VCEK)
                return store_certs(s, kind, &data, e);
        return snp_store_crl(s, kind == KIND_VLEK_CRL ? SNP_SIGNING_KEY_VLEK : SNP_SIGNING_KEY_VCEK, data.data,
                             data.size, e);
}

/* One pass over the items: the chains, or all the others. */
static int import_items(const SnpStore *s, json_object *items, bool chains, SnpImport *import, Error *e) {
        for (size_t i = 0; i < json_object_array_length(items); i++) {
                json_object *item = json_object_array_get_idx(items, i);
                char what[64];
                Kind kind = N_KINDS;
                Error why = {};
                int r = item_kind(item, &kind, &why);

                if (chains != (kind == KIND_CHAIN))
                        continue;
                (void) snprintf(what, sizeof(what), "item %zu (%s)", i + 1, kind < N_KINDS ? kind_names[kind] : "?");
                if (r == 0)
                        r = store_item(s, item, kind, &why);
                r = snp_import_told(import, what, r, &why, e);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int check_header(json_object *root, Error *e) {
        const char *type = NULL;
        uint64_t version = 0;
        int r;

        if (!json_object_is_type(root, json_type_object))
                return error_set(e, -EBADMSG, "bundle-type", "The bundle is no JSON object");
        r = json_get_str(root, "type", WORD_MAX, &type, e);
        if (r == 0)
                r = json_get_u64(root, "version", UINT32_MAX, &version, e);
        if (r < 0)
                return r;
        if (strcmp(type, TYPE) != 0)
                return error_set(e, -EBADMSG, "bundle-type", "The file is no bundle of collateral");
        if (version != VERSION)
                return error_set(e, -EOPNOTSUPP, "bundle-version", "The bundle has version %llu, known is %u",
                                 (unsigned long long) version, VERSION);
        return 0;
}

int snp_cache_import_bundle(SnpCache *cache, const void *data, size_t size, SnpImport *import, Error *e) {
        const SnpStore s = { .cache = cache, .trust = import->trust, .at = import->at };
        AUTO_JSON json_object *root = NULL;
        json_object *items = NULL;
        int r;

        import->n_stored = import->n_refused = 0;
        if (size > SNP_BUNDLE_SIZE_MAX)
                return error_set(e, -E2BIG, "bundle-size", "The bundle has %zu bytes, more than %u", size,
                                 SNP_BUNDLE_SIZE_MAX);
        r = json_parse(data, size, "The bundle", &root, e);
        if (r == 0)
                r = check_header(root, e);
        if (r == 0)
                r = json_get_array(root, "items", SNP_BUNDLE_ITEMS_MAX, &items, e);
        if (r == 0)
                r = import_items(&s, items, true, import, e);
        if (r == 0)
                r = import_items(&s, items, false, import, e);
        return r < 0 ? r : snp_import_end(cache, import, e);
}

/* Export */

typedef struct Export {
        SnpStore store;
        json_object *items;
        bool chains; /* this pass */
} Export;

static int add_item(json_object *items, Kind kind, const char *name, const Blob *data) {
        json_object *item = json_object_new_object();
        AUTO_FREE char *base64 = NULL;
        int r = json_add_str(item, "kind", kind_names[kind]);

        if (r == 0)
                r = json_add_str(item, "name", name);
        if (r == 0 && kind == KIND_CHAIN)
                r = json_add_take(item, "pem", json_object_new_string_len((const char *) data->data, (int) data->size));
        else if (r == 0) {
                base64 = base64_encode(BASE64_STD, data->data, data->size);
                r = base64 ? json_add_str(item, "der", base64) : -ENOMEM;
        }
        if (r == 0 && json_object_array_add(items, item) < 0)
                r = -ENOMEM;
        if (r < 0)
                (void) json_object_put(item);
        return r;
}

static int export_file(void *userdata, const char *name, SnpPart part, SnpSigningKey key, SnpProduct product,
                       const Blob *data) {
        Export *x = userdata;

        if (x->chains != (part == SNP_PART_CHAIN) ||
            json_object_array_length(x->items) >= SNP_BUNDLE_ITEMS_MAX)
                return 0;
        if (snp_store_check(&x->store, part, key, product, data, NULL) < 0)
                return 0; /* no longer true, or never was: nothing to hand on */
        return add_item(x->items, kind_of(part, key), name, data);
}

static int bundle_to_text(json_object *items, time_t at, Blob *ret, Error *e) {
        AUTO_JSON json_object *root = json_object_new_object();
        char created[sizeof("2000-01-01T00:00:00Z") + 16];
        const char *text;
        struct tm tm;

        if (!gmtime_r(&at, &tm) || strftime(created, sizeof(created), "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
                return error_set(e, -EINVAL, "bundle-time", "The time of the bundle cannot be written");
        if (json_add_str(root, "type", TYPE) < 0 || json_add_u64(root, "version", VERSION) < 0 ||
            json_add_str(root, "created", created) < 0 || json_add_take(root, "items", json_object_get(items)) < 0)
                return error_oom(e);
        text = json_object_to_json_string_ext(root, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE);
        return !text || blob_dup(text, strlen(text), ret) < 0 ? error_oom(e) : 0;
}

int snp_cache_export_bundle(SnpCache *cache, const SnpTrust *trust, time_t at, Blob *ret, Error *e) {
        AUTO_JSON json_object *items = json_object_new_array();
        Export x = { .store = { .cache = cache, .trust = trust, .at = at }, .items = items, .chains = true };
        int r;

        if (!items)
                return error_oom(e);
        r = snp_cache_visit(cache, export_file, &x, e);
        x.chains = false;
        if (r == 0)
                r = snp_cache_visit(cache, export_file, &x, e);
        if (r == -ENOMEM)
                return error_oom(e);
        if (r < 0)
                return r;
        if (json_object_array_length(items) == 0)
                return error_set(e, -ENOENT, "bundle-empty", "The cache holds nothing that verifies");
        return bundle_to_text(items, at, ret, e);
}
