/* SPDX-License-Identifier: Apache-2.0 */

/* From a Bundle to a file. What bundle_parse() would refuse is not written. */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agent/bundle/bundle.h"
#include "base/base64.h"
#include "base/hex.h"
#include "base/json.h"
#include "snp/report.h"
#include "vtpm/attest.h"
#include "vtpm/event-log.h"
#include "vtpm/public.h"
#include "vtpm/signature.h"

static int add_bytes(json_object *o, const char *name, const void *data, size_t size) {
        AUTO_FREE char *text = base64_encode(BASE64_STD, data, size);

        return text ? json_add_str(o, name, text) : -ENOMEM;
}

static int add_opt_blob(json_object *o, const char *name, const Blob *b) {
        return b->size > 0 ? add_bytes(o, name, b->data, b->size) : 0;
}

static int add_list(json_object *o, const char *name, const Blob *list, size_t n) {
        AUTO_JSON json_object *array = json_object_new_array();

        for (size_t i = 0; i < n && array; i++) {
                AUTO_FREE char *text = base64_encode(BASE64_STD, list[i].data, list[i].size);
                AUTO_JSON json_object *item = text ? json_object_new_string(text) : NULL;

                if (!item || json_object_array_add(array, item) < 0)
                        return -ENOMEM;
                item = NULL; /* the array's */
        }
        return json_add_take(o, name, TAKE_PTR(array));
}

static int challenge_to_json(const Bundle *b, json_object *root) {
        AUTO_JSON json_object *o = json_object_new_object();
        int r = add_bytes(o, "nonce", b->nonce, b->nonce_size);

        if (r == 0)
                r = json_add_str(o, "report_data", bundle_rule_name(b->rule));
        return r < 0 ? r : json_add_take(root, "challenge", TAKE_PTR(o));
}

static int snp_to_json(const Bundle *b, json_object *root) {
        AUTO_JSON json_object *o = json_object_new_object();
        int r = add_bytes(o, "report", b->report.data, b->report.size);

        if (r == 0)
                r = add_bytes(o, "vek", b->vek.data, b->vek.size);
        if (r == 0)
                r = add_list(o, "chain", b->chain, b->n_chain);
        if (r == 0)
                r = add_list(o, "crls", b->crls, b->n_crls);
        return r < 0 ? r : json_add_take(root, "snp", TAKE_PTR(o));
}

static int svsm_to_json(const Bundle *b, json_object *root) {
        AUTO_JSON json_object *o = NULL;
        int r;

        if (b->svsm_manifest.size == 0)
                return 0;
        o = json_object_new_object();
        r = add_bytes(o, "manifest", b->svsm_manifest.data, b->svsm_manifest.size);
        if (r == 0)
                r = json_add_u64(o, "manifest_version", b->svsm_manifest_version);
        return r < 0 ? r : json_add_take(root, "svsm", TAKE_PTR(o));
}

static int bank_to_json(const VtpmPcrValues *bank, json_object *pcrs) {
        AUTO_JSON json_object *o = json_object_new_object();
        size_t size = vtpm_hash_size(bank->hash);
        int r = o ? 0 : -ENOMEM;

        for (unsigned i = 0; i < VTPM_N_PCRS && r == 0; i++) {
                char number[sizeof("23") + 8];

                if (!(bank->mask & UINT32_C(1) << i))
                        continue;
                (void) snprintf(number, sizeof(number), "%u", i);
                r = json_add_hex(o, number, bank->values[i], size);
        }
        return r < 0 ? r : json_add_take(pcrs, vtpm_hash_name(bank->hash), TAKE_PTR(o));
}

static int tpm_to_json(const Bundle *b, json_object *root) {
        AUTO_JSON json_object *o = NULL, *pcrs = NULL;
        const BundleTpm *t = &b->tpm;
        int r;

        if (!b->has_tpm)
                return 0;
        o = json_object_new_object();
        pcrs = json_object_new_object();
        r = pcrs ? 0 : -ENOMEM;
        if (r == 0)
                r = add_bytes(o, "attest", t->attest.data, t->attest.size);
        if (r == 0)
                r = add_bytes(o, "signature", t->signature.data, t->signature.size);
        if (r == 0)
                r = add_bytes(o, "ak", t->ak.data, t->ak.size);
        for (size_t i = 0; i < t->n_pcrs && r == 0; i++)
                r = bank_to_json(&t->pcrs[i], pcrs);
        if (r == 0)
                r = json_add_take(o, "pcrs", TAKE_PTR(pcrs));
        if (r == 0)
                r = add_opt_blob(o, "event_log", &t->event_log);
        if (r == 0)
                r = add_opt_blob(o, "ak_certificate", &t->ak_certificate);
        if (r == 0)
                r = add_opt_blob(o, "hcl_report", &t->hcl_report);
        return r < 0 ? r : json_add_take(root, "tpm", TAKE_PTR(o));
}

static int to_json(const Bundle *b, json_object **ret) {
        AUTO_JSON json_object *root = json_object_new_object();
        int r = json_add_str(root, "format", BUNDLE_FORMAT);

        if (r == 0)
                r = json_add_u64(root, "version", BUNDLE_VERSION);
        if (r == 0)
                r = json_add_str(root, "writer", b->writer);
        if (r == 0)
                r = json_add_u64(root, "captured_at", (uint64_t) b->captured_at);
        if (r == 0)
                r = challenge_to_json(b, root);
        if (r == 0)
                r = snp_to_json(b, root);
        if (r == 0)
                r = svsm_to_json(b, root);
        if (r == 0)
                r = tpm_to_json(b, root);
        if (r == 0)
                *ret = TAKE_PTR(root);
        return r;
}

typedef struct Measure {
        const char *name;
        size_t size, min, max;
} Measure;

static int check_sizes(const Measure *m, size_t n, Error *e) {
        for (size_t i = 0; i < n; i++)
                if (m[i].size < m[i].min || m[i].size > m[i].max)
                        return error_set(e, -EINVAL, "bundle-incomplete",
                                         "The bundle's %s has %zu bytes instead of %zu to %zu", m[i].name, m[i].size,
                                         m[i].min, m[i].max);
        return 0;
}

static int check_lists(const Bundle *b, Error *e) {
        int r = 0;

        for (size_t i = 0; i < b->n_chain && r == 0; i++)
                r = check_sizes(&(Measure){ "chain certificate", b->chain[i].size, 1, SNP_CERT_SIZE_MAX }, 1, e);
        for (size_t i = 0; i < b->n_crls && r == 0; i++)
                r = check_sizes(&(Measure){ "revocation list", b->crls[i].size, 1, BUNDLE_CRL_SIZE_MAX }, 1, e);
        return r;
}

static int check(const Bundle *b, Error *e) {
        size_t tpm = b->has_tpm; /* its parts are there, or none of them */
        const Measure sizes[] = {
                { "nonce", b->nonce_size, 1, BUNDLE_NONCE_MAX },
                { "report", b->report.size, SNP_REPORT_SIZE, SNP_REPORT_SIZE },
                { "VCEK or VLEK certificate", b->vek.size, 1, SNP_CERT_SIZE_MAX },
                { "SVSM manifest", b->svsm_manifest.size, 0, BUNDLE_MANIFEST_MAX },
                { "quote", b->tpm.attest.size, tpm, tpm * VTPM_ATTEST_SIZE_MAX },
                { "quote's signature", b->tpm.signature.size, tpm, tpm * VTPM_SIGNATURE_SIZE_MAX },
                { "attestation key", b->tpm.ak.size, tpm, tpm * VTPM_PUBLIC_SIZE_MAX },
                { "event log", b->tpm.event_log.size, 0, tpm * VTPM_EVENT_LOG_MAX },
                { "attestation key's certificate", b->tpm.ak_certificate.size, 0, tpm * BUNDLE_TPM_BLOB_MAX },
                { "HCL report", b->tpm.hcl_report.size, 0, tpm * BUNDLE_TPM_BLOB_MAX },
        };
        int r = check_sizes(sizes, N_ELEMENTS(sizes), e);

        if (r == 0)
                r = check_lists(b, e);
        if (r < 0)
                return r;
        if (b->captured_at < 0 || b->captured_at > BUNDLE_TIME_MAX || b->svsm_manifest_version > 1)
                return error_set(e, -EINVAL, "bundle-incomplete", "The bundle's time or version is out of range");
        return 0;
}

int bundle_encode(const Bundle *bundle, Blob *ret, Error *e) {
        AUTO_JSON json_object *root = NULL;
        AUTO_BLOB Blob b = {};
        const char *text;
        size_t n = 0;
        int r = check(bundle, e);

        if (r < 0)
                return r;
        if (to_json(bundle, &root) < 0)
                return error_oom(e);
        text = json_object_to_json_string_length(
                root, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED | JSON_C_TO_STRING_NOSLASHESCAPE, &n);
        if (!text)
                return error_oom(e);
        if (n + 1 > BUNDLE_SIZE_MAX)
                return error_set(e, -E2BIG, "bundle-size", "The evidence bundle has more than %u bytes",
                                 BUNDLE_SIZE_MAX);
        if (blob_dup(text, n + 1, &b) < 0)
                return error_oom(e);
        b.data[n] = '\n';
        *ret = blob_take(&b);
        return 0;
}
