/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/snpctl/service-args.h"

#include <errno.h>
#include <string.h>

#include "agent/snpctl/exit.h"
#include "base/hex.h"
#include "base/json.h"
#include "base/text.h"
#include "base/writer.h"
#include "snp/svsm-manifest.h"
#include "vtpm/public.h"

int service_args_read(const ServiceArgs *args, SnpServiceRequest *ret, Error *e) {
        Error why = {};
        uint64_t version = 0;

        if (snp_svsm_service_parse(args->service, &ret->service, &why) < 0)
                return ctl_usage(e, "--service: %s", error_text(&why, -EINVAL));
        if (args->version && text_to_u64(args->version, 10, 0, SNP_SVSM_MANIFEST_VERSION_MAX, &version) < 0)
                return ctl_usage(e, "--manifest-version '%.20s' is neither 0 nor 1", args->version);
        if (version != 0 && snp_guid_is_null(&ret->service))
                return ctl_usage(e, "The manifest of all services has no versions");
        ret->manifest_version = (uint32_t) version;
        return 0;
}

/* As the manifests of all services and of one are: a list, of one in the latter case. */
static int list_services(const SnpServiceRequest *q, const Blob *manifest, SnpSvsmServices *ret, Error *e) {
        if (snp_guid_is_null(&q->service))
                return snp_svsm_services_parse(manifest->data, manifest->size, ret, e);
        *ret = (SnpSvsmServices){
                .services = { { .guid = q->service, .manifest = manifest->data, .size = manifest->size } },
                .n_services = 1,
        };
        return 0;
}

typedef struct KeyFacts {
        bool known;
        const char *type, *use; /* static */
        unsigned bits;
        const char *curve;
        char name[2 * (2 + VTPM_DIGEST_MAX) + 1];
} KeyFacts;

static int look_at_key(const SnpSvsmKey *key, KeyFacts *ret, Error *e) {
        uint8_t name[2 + VTPM_DIGEST_MAX];
        VtpmPublic pub;
        int r;

        *ret = (KeyFacts){};
        if (vtpm_public_parse(key->tpmt_public, key->size, &pub, NULL) < 0 || vtpm_hash_size(pub.name_alg) == 0)
                return 0;
        store_be16(name, pub.name_alg);
        r = vtpm_hash_bytes(pub.name_alg, key->tpmt_public, key->size, name + 2, e);
        if (r < 0)
                return r;
        ret->known = true;
        ret->type = pub.type == VTPM_ALG_RSA ? "rsa" : "ecc";
        ret->bits = pub.rsa_bits;
        ret->curve = pub.type == VTPM_ALG_ECC ? vtpm_curve_group(pub.curve) : NULL;
        ret->use = pub.attributes & VTPM_OBJECT_SIGN    ? "signing" :
                   pub.attributes & VTPM_OBJECT_DECRYPT ? "storage" : "none";
        hex_encode_to(name, 2 + vtpm_hash_size(pub.name_alg), ret->name);
        return 0;
}

static int key_to_json(const SnpSvsmKey *key, json_object **ret, Error *e) {
        AUTO_JSON json_object *o = json_object_new_object();
        KeyFacts k;
        int r = look_at_key(key, &k, e);

        if (r < 0)
                return r;
        if (k.known && (json_add_str(o, "type", k.type) < 0 || json_add_str(o, "use", k.use) < 0 ||
                        (k.bits > 0 && json_add_u64(o, "bits", k.bits) < 0) ||
                        (k.curve && json_add_str(o, "curve", k.curve) < 0) || json_add_str(o, "name", k.name) < 0))
                return error_oom(e);
        if (json_add_hex(o, "public", key->tpmt_public, key->size) < 0)
                return error_oom(e);
        *ret = TAKE_PTR(o);
        return 0;
}

static int add_keys(const SnpSvsmKeys *keys, json_object *o, Error *e) {
        AUTO_JSON json_object *list = json_object_new_array();

        for (size_t i = 0; i < keys->n_keys; i++) {
                json_object *key = NULL;
                int r = key_to_json(&keys->keys[i], &key, e);

                if (r < 0)
                        return r;
                if (!list || json_object_array_add(list, key) < 0) {
                        (void) json_object_put(key);
                        return error_oom(e);
                }
        }
        return json_add_take(o, "keys", TAKE_PTR(list)) < 0 ? error_oom(e) : 0;
}

static int add_flags(uint32_t flags, json_object *o, Error *e) {
        if (json_add_u64(o, "flags", flags) < 0 ||
            json_add_bool(o, "persistent", flags & SNP_SVSM_UEFI_PERSISTENT) < 0 ||
            json_add_bool(o, "secure_boot", flags & SNP_SVSM_UEFI_SECURE_BOOT) < 0 ||
            json_add_bool(o, "secure_boot_update", flags & SNP_SVSM_UEFI_SECURE_BOOT_UPDATE) < 0)
                return error_oom(e);
        return 0;
}

static int add_contents(const SnpSvsmService *s, uint32_t version, json_object *o, Error *e) {
        SnpSvsmKeys keys;
        uint32_t flags;
        int r = 0;

        if (s->size > 0 && snp_guid_equal(&s->guid, &snp_svsm_guid_vtpm)) {
                r = snp_svsm_vtpm_parse(s->manifest, s->size, version, &keys, e);
                return r < 0 ? r : add_keys(&keys, o, e);
        }
        if (s->size > 0 && snp_guid_equal(&s->guid, &snp_svsm_guid_uefi_mm)) {
                r = snp_svsm_uefi_parse(s->manifest, s->size, &flags, e);
                return r < 0 ? r : add_flags(flags, o, e);
        }
        return 0;
}

static int one_to_json(const SnpSvsmService *s, uint32_t version, json_object **ret, Error *e) {
        AUTO_JSON json_object *o = json_object_new_object();
        const char *name = snp_svsm_service_name(&s->guid);
        char guid[SNP_GUID_TEXT_SIZE];
        int r;

        snp_guid_format(&s->guid, guid);
        if (json_add_str(o, "guid", guid) < 0 || (name && json_add_str(o, "name", name) < 0) ||
            json_add_u64(o, "size", s->size) < 0)
                return error_oom(e);
        r = add_contents(s, version, o, e);
        if (r == 0)
                *ret = TAKE_PTR(o);
        return r;
}

int service_to_json(const SnpServiceRequest *q, const Blob *manifest, json_object **ret, Error *e) {
        AUTO_JSON json_object *o = json_object_new_object(), *list = json_object_new_array();
        SnpSvsmServices services;
        int r = list_services(q, manifest, &services, e);

        for (size_t i = 0; r == 0 && i < services.n_services; i++) {
                json_object *one = NULL;

                r = one_to_json(&services.services[i], q->manifest_version, &one, e);
                if (r == 0 && (!list || json_object_array_add(list, one) < 0)) {
                        (void) json_object_put(one);
                        r = error_oom(e);
                }
        }
        if (r < 0)
                return r;
        if (json_add_hex(o, "nonce", q->nonce, sizeof(q->nonce)) < 0 ||
            json_add_u64(o, "version", q->manifest_version) < 0 ||
            json_add_hex(o, "manifest", manifest->data, manifest->size) < 0 ||
            json_add_take(o, "services", TAKE_PTR(list)) < 0)
                return error_oom(e);
        *ret = TAKE_PTR(o);
        return 0;
}

static int print_keys(const SnpSvsmKeys *keys, CtlOutput *out, Error *e) {
        for (size_t i = 0; i < keys->n_keys; i++) {
                KeyFacts k;
                int r = look_at_key(&keys->keys[i], &k, e);

                if (r < 0)
                        return r;
                if (!k.known)
                        ctl_printf(out, "  key of %zu bytes that is not understood\n", keys->keys[i].size);
                else if (k.bits > 0)
                        ctl_printf(out, "  %s key, %s %u bits, name %s\n", k.use, k.type, k.bits, k.name);
                else
                        ctl_printf(out, "  %s key, %s %s, name %s\n", k.use, k.type, k.curve ? k.curve : "?", k.name);
        }
        return 0;
}

static int print_contents(const SnpSvsmService *s, uint32_t version, CtlOutput *out, Error *e) {
        SnpSvsmKeys keys;
        uint32_t flags;
        int r;

        if (s->size > 0 && snp_guid_equal(&s->guid, &snp_svsm_guid_vtpm)) {
                r = snp_svsm_vtpm_parse(s->manifest, s->size, version, &keys, e);
                return r < 0 ? r : print_keys(&keys, out, e);
        }
        if (s->size > 0 && snp_guid_equal(&s->guid, &snp_svsm_guid_uefi_mm)) {
                r = snp_svsm_uefi_parse(s->manifest, s->size, &flags, e);
                if (r < 0)
                        return r;
                ctl_printf(out, "  variables survive a boot: %s, secure boot: %s, db and dbx can be updated: %s\n",
                           flags & SNP_SVSM_UEFI_PERSISTENT ? "yes" : "no",
                           flags & SNP_SVSM_UEFI_SECURE_BOOT ? "yes" : "no",
                           flags & SNP_SVSM_UEFI_SECURE_BOOT_UPDATE ? "yes" : "no");
        }
        return 0;
}

int service_print(const SnpServiceRequest *q, const Blob *manifest, CtlOutput *out, Error *e) {
        char nonce[2 * SNP_REPORT_DATA_SIZE + 1];
        SnpSvsmServices services;
        int r = list_services(q, manifest, &services, e);

        if (r < 0)
                return r;
        hex_encode_to(q->nonce, sizeof(q->nonce), nonce);
        ctl_printf(out, "Nonce: %s\nREPORT_DATA is the SHA-512 of nonce and manifest (%zu bytes).\n", nonce,
                   manifest->size);
        for (size_t i = 0; r == 0 && i < services.n_services; i++) {
                const SnpSvsmService *s = &services.services[i];
                const char *name = snp_svsm_service_name(&s->guid);
                char guid[SNP_GUID_TEXT_SIZE];

                snp_guid_format(&s->guid, guid);
                ctl_printf(out, "Service %s%s%s%s: manifest version %u, %zu bytes\n", guid, name ? " (" : "",
                           name ? name : "", name ? ")" : "", q->manifest_version, s->size);
                r = print_contents(s, q->manifest_version, out, e);
        }
        return r;
}
