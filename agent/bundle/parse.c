/* SPDX-License-Identifier: Apache-2.0 */

/*
 * From hostile bytes to a Bundle. Strict JSON first (base/json.h), then every object is held against the list of its
 * members: what is not listed is refused, and so is what stands there with another type or beyond its limit. Memory
 * is bounded by the file's own size.
 */

#include <errno.h>
#include <inttypes.h>
#include <json-c/linkhash.h>
#include <stdio.h>
#include <string.h>

#include "agent/bundle/bundle.h"
#include "base/base64.h"
#include "base/hex.h"
#include "base/json.h"
#include "base/text.h"
#include "snp/report.h"
#include "vtpm/attest.h"
#include "vtpm/event-log.h"
#include "vtpm/public.h"
#include "vtpm/signature.h"

static bool is_listed(const char *name, const char *const *names, size_t n) {
        for (size_t i = 0; i < n; i++)
                if (strcmp(name, names[i]) == 0)
                        return true;
        return false;
}

static int check_members(json_object *o, const char *const *names, size_t n, const char *where, Error *e) {
        json_object_object_foreach(o, name, value) {
                (void) value;
                if (!is_listed(name, names, n))
                        return error_set(e, -EBADMSG, "bundle-member", "%s has a member '%.40s', which version %u does "
                                                                       "not know", where, name, BUNDLE_VERSION);
        }
        return 0;
}

static int decode(const char *text, const char *what, size_t min, size_t max, Blob *ret, Error *e) {
        AUTO_BLOB Blob b = {};
        int r = base64_decode(BASE64_STD, text, strlen(text), max, &b);

        if (r == -ENOMEM)
                return error_oom(e);
        if (r == -E2BIG)
                return error_set(e, -E2BIG, "bundle-size", "Member '%s' has more than %zu bytes", what, max);
        if (r < 0)
                return error_set(e, -EBADMSG, "bundle-base64", "Member '%s' is not padded base64", what);
        if (b.size < min)
                return error_set(e, -EBADMSG, "bundle-size", "Member '%s' has %zu bytes, fewer than %zu", what, b.size,
                                 min);
        *ret = blob_take(&b);
        return 0;
}

/* Characters of the base64 of @n bytes, and some more: what is above that is told by decode(). */
static size_t text_max(size_t n) {
        return n / 3 * 4 + 16;
}

static int get_bytes(json_object *o, const char *name, size_t min, size_t max, Blob *ret, Error *e) {
        const char *text = NULL;
        int r = json_get_str(o, name, text_max(max), &text, e);

        return r < 0 ? r : decode(text, name, min, max, ret, e);
}

/* Absent, @ret stays empty; null is not "absent". */
static int get_opt_bytes(json_object *o, const char *name, size_t max, Blob *ret, Error *e) {
        return json_object_object_get_ex(o, name, NULL) ? get_bytes(o, name, 1, max, ret, e) : 0;
}

static int get_list(json_object *o, const char *name, size_t n_max, size_t size_max, Blob *list, size_t *ret_n,
                    Error *e) {
        json_object *array = NULL;
        int r = json_get_array(o, name, n_max, &array, e);

        for (size_t i = 0; r == 0 && i < json_object_array_length(array); i++) {
                json_object *item = json_object_array_get_idx(array, i);

                if (!json_object_is_type(item, json_type_string))
                        return error_set(e, -EBADMSG, "bundle-member", "Member '%s' is not a list of strings", name);
                r = decode(json_object_get_string(item), name, 1, size_max, &list[i], e);
                if (r == 0)
                        *ret_n = i + 1;
        }
        return r;
}

static int parse_rule(json_object *o, BundleRule *ret, Error *e) {
        const char *name = NULL;
        int r = json_get_str(o, "report_data", 40, &name, e);

        if (r < 0)
                return r;
        for (BundleRule i = 0; i < BUNDLE_N_RULES; i++)
                if (strcmp(name, bundle_rule_name(i)) == 0) {
                        *ret = i;
                        return 0;
                }
        return error_set(e, -EBADMSG, "bundle-rule", "'%s' is no rule by which REPORT_DATA is made", name);
}

static int parse_challenge(json_object *root, Bundle *b, Error *e) {
        static const char *const names[] = { "nonce", "report_data" };
        AUTO_BLOB Blob nonce = {};
        json_object *o = NULL;
        int r = json_get_obj(root, "challenge", &o, e);

        if (r == 0)
                r = check_members(o, names, N_ELEMENTS(names), "'challenge'", e);
        if (r == 0)
                r = get_bytes(o, "nonce", 1, BUNDLE_NONCE_MAX, &nonce, e);
        if (r == 0)
                r = parse_rule(o, &b->rule, e);
        if (r < 0)
                return r;
        (void) memcpy(b->nonce, nonce.data, nonce.size);
        b->nonce_size = nonce.size;
        return 0;
}

static int parse_snp(json_object *root, Bundle *b, Error *e) {
        static const char *const names[] = { "report", "vek", "chain", "crls" };
        json_object *o = NULL;
        int r = json_get_obj(root, "snp", &o, e);

        if (r == 0)
                r = check_members(o, names, N_ELEMENTS(names), "'snp'", e);
        if (r == 0)
                r = get_bytes(o, "report", SNP_REPORT_SIZE, SNP_REPORT_SIZE, &b->report, e);
        if (r == 0)
                r = get_bytes(o, "vek", 1, SNP_CERT_SIZE_MAX, &b->vek, e);
        if (r == 0)
                r = get_list(o, "chain", SNP_CERTS_MAX, SNP_CERT_SIZE_MAX, b->chain, &b->n_chain, e);
        if (r == 0)
                r = get_list(o, "crls", BUNDLE_CRLS_MAX, BUNDLE_CRL_SIZE_MAX, b->crls, &b->n_crls, e);
        return r;
}

static int parse_svsm(json_object *root, Bundle *b, Error *e) {
        static const char *const names[] = { "manifest", "manifest_version" };
        json_object *o = NULL;
        uint64_t version = 0;
        int r;

        if (!json_object_object_get_ex(root, "svsm", NULL))
                return 0;
        r = json_get_obj(root, "svsm", &o, e);
        if (r == 0)
                r = check_members(o, names, N_ELEMENTS(names), "'svsm'", e);
        if (r == 0)
                r = get_bytes(o, "manifest", 1, BUNDLE_MANIFEST_MAX, &b->svsm_manifest, e);
        if (r == 0)
                r = json_get_u64(o, "manifest_version", 1, &version, e);
        b->svsm_manifest_version = (uint32_t) version;
        return r;
}

/* "0" to "23", written in one way only. */
static int parse_pcr(const char *text, unsigned *ret, Error *e) {
        uint64_t n = 0;

        if (text_to_u64(text, 10, 0, VTPM_N_PCRS - 1, &n) < 0 || (text[0] == '0' && text[1]))
                return error_set(e, -EBADMSG, "bundle-pcr", "'%.20s' is no PCR", text);
        *ret = (unsigned) n;
        return 0;
}

static int parse_bank(const char *name, json_object *o, VtpmPcrValues *ret, Error *e) {
        size_t size;

        if (vtpm_hash_from_name(name, &ret->hash, NULL) < 0 || !json_object_is_type(o, json_type_object))
                return error_set(e, -EBADMSG, "bundle-bank", "'%.20s' is no bank of PCRs", name);
        size = vtpm_hash_size(ret->hash);
        json_object_object_foreach(o, number, value) {
                const char *hex = json_object_is_type(value, json_type_string) ? json_object_get_string(value) : "";
                unsigned pcr = 0;
                int r = parse_pcr(number, &pcr, e);

                if (r < 0)
                        return r;
                if (hex_decode_exact(hex, strlen(hex), ret->values[pcr], size) < 0)
                        return error_set(e, -EBADMSG, "bundle-pcr", "PCR %u of bank %s is not %zu bytes in hex", pcr,
                                         name, size);
                ret->mask |= UINT32_C(1) << pcr;
        }
        return 0;
}

static int parse_pcrs(json_object *tpm, BundleTpm *t, Error *e) {
        json_object *banks = NULL;
        int r = json_get_obj(tpm, "pcrs", &banks, e);

        if (r < 0)
                return r;
        json_object_object_foreach(banks, name, value) {
                if (t->n_pcrs == BUNDLE_BANKS_MAX)
                        return error_set(e, -E2BIG, "bundle-bank", "More than %u banks of PCRs", BUNDLE_BANKS_MAX);
                r = parse_bank(name, value, &t->pcrs[t->n_pcrs], e);
                if (r < 0)
                        return r;
                t->n_pcrs++;
        }
        return 0;
}

static int parse_tpm(json_object *root, Bundle *b, Error *e) {
        static const char *const names[] = { "attest", "signature", "ak", "pcrs", "event_log", "ak_certificate",
                                             "hcl_report" };
        BundleTpm *t = &b->tpm;
        json_object *o = NULL;
        int r;

        if (!json_object_object_get_ex(root, "tpm", NULL))
                return 0;
        b->has_tpm = true;
        r = json_get_obj(root, "tpm", &o, e);
        if (r == 0)
                r = check_members(o, names, N_ELEMENTS(names), "'tpm'", e);
        if (r == 0)
                r = get_bytes(o, "attest", 1, VTPM_ATTEST_SIZE_MAX, &t->attest, e);
        if (r == 0)
                r = get_bytes(o, "signature", 1, VTPM_SIGNATURE_SIZE_MAX, &t->signature, e);
        if (r == 0)
                r = get_bytes(o, "ak", 1, VTPM_PUBLIC_SIZE_MAX, &t->ak, e);
        if (r == 0)
                r = parse_pcrs(o, t, e);
        if (r == 0)
                r = get_opt_bytes(o, "event_log", VTPM_EVENT_LOG_MAX, &t->event_log, e);
        if (r == 0)
                r = get_opt_bytes(o, "ak_certificate", BUNDLE_TPM_BLOB_MAX, &t->ak_certificate, e);
        if (r == 0)
                r = get_opt_bytes(o, "hcl_report", BUNDLE_TPM_BLOB_MAX, &t->hcl_report, e);
        return r;
}

/* Before anything else: a later version may have other members. */
static int check_version(json_object *root, Error *e) {
        const char *format = NULL;
        uint64_t version = 0;
        int r;

        if (!json_object_is_type(root, json_type_object))
                return error_set(e, -EBADMSG, "bundle-format", "The evidence bundle is no JSON object");
        r = json_get_str(root, "format", 64, &format, e);
        if (r < 0)
                return r;
        if (strcmp(format, BUNDLE_FORMAT) != 0)
                return error_set(e, -EBADMSG, "bundle-format", "'%s' is no evidence bundle", format);
        r = json_get_u64(root, "version", UINT32_MAX, &version, e);
        if (r < 0)
                return r;
        if (version != BUNDLE_VERSION)
                return error_set(e, -EOPNOTSUPP, "bundle-version", "Evidence bundles of version %" PRIu64 " are not "
                                                                   "known", version);
        return 0;
}

static int parse_about(json_object *root, Bundle *b, Error *e) {
        const char *writer = NULL;
        uint64_t at = 0;
        int r = json_get_str(root, "writer", BUNDLE_WRITER_MAX, &writer, e);

        if (r == 0)
                r = json_get_u64(root, "captured_at", BUNDLE_TIME_MAX, &at, e);
        if (r < 0)
                return r;
        for (const char *c = writer; *c; c++)
                if (*c < 0x20 || *c > 0x7e)
                        return error_set(e, -EBADMSG, "bundle-member", "Member 'writer' is not printable ASCII");
        (void) snprintf(b->writer, sizeof(b->writer), "%s", writer);
        b->captured_at = (int64_t) at;
        return 0;
}

static int parse_root(json_object *root, Bundle *b, Error *e) {
        static const char *const names[] = { "format", "version", "writer", "captured_at", "challenge", "snp", "svsm",
                                             "tpm" };
        int r = check_version(root, e);

        if (r == 0)
                r = check_members(root, names, N_ELEMENTS(names), "The evidence bundle", e);
        if (r == 0)
                r = parse_about(root, b, e);
        if (r == 0)
                r = parse_challenge(root, b, e);
        if (r == 0)
                r = parse_snp(root, b, e);
        if (r == 0)
                r = parse_svsm(root, b, e);
        if (r == 0)
                r = parse_tpm(root, b, e);
        return r;
}

int bundle_parse(const void *data, size_t size, Bundle *ret, Error *e) {
        AUTO_JSON json_object *root = NULL;
        AUTO_BUNDLE Bundle b = {};
        int r;

        if (size > BUNDLE_SIZE_MAX)
                return error_set(e, -E2BIG, "bundle-size", "The evidence bundle has more than %u bytes",
                                 BUNDLE_SIZE_MAX);
        r = json_parse(data, size, "The evidence bundle", &root, e);
        if (r == 0)
                r = parse_root(root, &b, e);
        if (r < 0)
                return r;
        *ret = b;
        b = (Bundle){};
        return 0;
}
