/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/evidence-json.h"

#include <json-c/json_object.h>
#include <stdio.h>
#include <string.h>

#include "base/base64.h"
#include "base/json.h"
#include "keybroker-client/evidence-az.h"
#include "snp/cert_table.h"

static int add_base64(json_object *o, const char *name, Base64Variant variant, const void *data, size_t size) {
        AUTO_FREE char *text = base64_encode(variant, data, size);

        return text ? json_add_str(o, name, text) : -1;
}

static int add_bytes(json_object *o, const char *name, WireBytes b) {
        return add_base64(o, name, BASE64_STD, b.data, b.size);
}

static int add_certificate(json_object *array, const SnpCertEntry *entry) {
        json_object *o = json_object_new_object();
        int bad;

        bad = json_add_str(o, "kind", snp_cert_kind_name(entry->kind));
        bad |= json_add_hex(o, "guid", entry->guid, sizeof(entry->guid));
        bad |= add_base64(o, "data", BASE64_STD, entry->data, entry->size);
        if (bad == 0 && json_object_array_add(array, o) == 0)
                return 0;
        (void) json_object_put(o);
        return -1;
}

static int add_certificates(json_object *o, WireBytes bytes) {
        json_object *array = json_object_new_array();
        SnpCertTable table = {};
        int bad = array ? 0 : -1;

        if (snp_cert_table_parse(bytes.data, bytes.size, &table, NULL) < 0)
                table = (SnpCertTable){};
        for (size_t i = 0; i < table.n_entries && bad == 0; i++)
                bad = add_certificate(array, &table.entries[i]);
        return bad | json_add_take(o, "certificates", array);
}

static int add_pcrs(json_object *o, const WireQuoteAnswer *q) {
        json_object *pcrs = json_object_new_object();
        size_t n = 0;
        int bad = 0;

        for (unsigned i = 0; i < WIRE_PCRS && n < q->n_digests; i++) {
                char name[8];

                if (!(EVIDENCE_PCR_MASK >> i & 1))
                        continue;
                (void) snprintf(name, sizeof(name), "%u", i);
                bad |= json_add_hex(pcrs, name, q->digests[n].data, q->digests[n].size);
                n++;
        }
        return bad | json_add_take(o, "pcrs", pcrs);
}

static int add_quote(json_object *o, const WireQuoteAnswer *q) {
        json_object *quote = json_object_new_object();
        int bad;

        bad = add_bytes(quote, "attest", q->attest);
        bad |= add_bytes(quote, "signature", q->signature);
        bad |= add_bytes(quote, "ak_public", q->ak_public);
        bad |= json_add_str(quote, "bank", "sha256");
        bad |= add_pcrs(quote, q);
        return bad | json_add_take(o, "quote", quote);
}

int evidence_to_json(const Evidence *evidence, const void *nonce, size_t nonce_size, char **ret, Error *e) {
        AUTO_JSON json_object *o = json_object_new_object();
        const char *text;
        char *copy;
        int bad;

        bad = json_add_str(o, "tee", evidence->is_azure ? KBC_TEE_AZ_SNP_VTPM : "snp");
        bad |= add_base64(o, "nonce", BASE64_URL, nonce, nonce_size);
        bad |= add_bytes(o, "report", evidence->report.report);
        bad |= add_certificates(o, evidence->report.certs);
        if (evidence->is_azure)
                bad |= add_bytes(o, "hcl_report", evidence->azure.hcl);
        if (evidence->is_azure && evidence->azure.ak_cert.size > 0)
                bad |= add_bytes(o, "ak_certificate", evidence->azure.ak_cert);
        if (evidence->has_quote)
                bad |= add_quote(o, &evidence->quote);
        text = bad == 0 ? json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE) :
                          NULL;
        copy = text ? strdup(text) : NULL;
        if (!copy)
                return error_oom(e);
        *ret = copy;
        return 0;
}
