/* SPDX-License-Identifier: Apache-2.0 */
#include "keybroker-client/report-data.h"

#include <errno.h>
#include <openssl/evp.h>
#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "base/writer.h"
#include "keybroker-client/jcs.h"

/* Evidence of additional devices is part of the text; brokers take bodies of 2 MiB. */
#define CANONICAL_MAX (2u * 1024u * 1024u)

static const struct {
        const char *name;
        const EVP_MD *(*md)(void);
} hashes[] = {
        [KBC_HASH_SHA384] = { "sha384", EVP_sha384 },
        [KBC_HASH_SHA256] = { "sha256", EVP_sha256 },
        [KBC_HASH_SHA512] = { "sha512", EVP_sha512 },
};

int kbc_hash_from_name(const char *name, KbcHash *ret, Error *e) {
        for (size_t i = 0; i < N_ELEMENTS(hashes); i++)
                if (strcasecmp(name, hashes[i].name) == 0) {
                        *ret = (KbcHash) i;
                        return 0;
                }
        if (strcasecmp(name, "sm3") == 0)
                return error_set(e, -EOPNOTSUPP, "hash-unsupported", "Hash algorithm 'sm3' is not supported");
        return error_set(e, -EBADMSG, "hash-unknown", "Hash algorithm '%s' is not known", name);
}

static int build(const char *nonce, json_object *tee_pubkey, const char *additional_evidence, json_object **ret) {
        AUTO_JSON json_object *o = json_object_new_object();

        if (json_add_str(o, "nonce", nonce) < 0 ||
            json_add_take(o, "tee-pubkey", json_object_get(tee_pubkey)) < 0 ||
            (additional_evidence && json_add_str(o, "additional-evidence", additional_evidence) < 0))
                return -ENOMEM;
        *ret = TAKE_PTR(o);
        return 0;
}

int kbc_report_data(KbcHash hash, const char *nonce, json_object *tee_pubkey, const char *additional_evidence,
                    KbcReportData *ret, Error *e) {
        AUTO_WRITER Writer w = wr_init(CANONICAL_MAX);
        AUTO_JSON json_object *o = NULL;
        KbcReportData data = {};
        unsigned n = 0;
        int r;

        if (build(nonce, tee_pubkey, additional_evidence, &o) < 0)
                return error_oom(e);
        r = kbc_jcs_write(o, &w, e);
        if (r < 0)
                return r;
        if (EVP_Digest(w.data, w.size, data.bytes, &n, hashes[hash].md(), NULL) != 1)
                return error_oom(e);
        data.digest_size = n;
        *ret = data;
        return 0;
}
