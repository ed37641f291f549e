/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/broker/message.h"

#include <ctype.h>
#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/writer.h"

int broker_request_parse(const void *text, size_t size, BrokerRequest *ret, Error *e) {
        static const char *const tees[] = { "snp", "az-snp-vtpm", "az-tdx-vtpm", "tdx",  "sgx",       "cca",    "csv",
                                            "se",  "tpm",         "nvidia",      "hygondcu", "sample", "sampledevice" };
        AUTO_JSON json_object *o = NULL;
        const char *version, *tee;
        int r = json_parse(text, size, "request", &o, e);

        if (r == 0)
                r = json_get_str(o, "version", sizeof(ret->version) - 1, &version, e);
        if (r == 0)
                r = json_get_str(o, "tee", sizeof(ret->tee) - 1, &tee, e);
        if (r < 0)
                return r;
        if (!json_object_object_get_ex(o, "extra-params", NULL))
                return error_set(e, -EBADMSG, "member-missing", "missing field `extra-params`");
        for (size_t i = 0; i < N_ELEMENTS(tees); i++)
                if (strcmp(tees[i], tee) == 0) {
                        (void) snprintf(ret->version, sizeof(ret->version), "%s", version);
                        (void) snprintf(ret->tee, sizeof(ret->tee), "%s", tee);
                        return 0;
                }
        return error_set(e, -EOPNOTSUPP, "unknown-tee", "unknown variant `%s`", tee);
}

bool broker_version_is_accepted(const char *version) {
        size_t n = strlen(BROKER_PROTOCOL_VERSION);

        if (strncmp(version, BROKER_PROTOCOL_VERSION, n) != 0)
                return false;
        if (version[n] == 0)
                return true;
        return version[n] == '+' && version[n + 1] != 0 &&
               strspn(version + n + 1, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-.") ==
                       strlen(version + n + 1);
}

static int parse_init_data(BrokerAttestation *a, Error *e) {
        json_object *init;
        int r = json_get_opt_obj(a->document, "init-data", &init, e);

        if (r == 0 && init) {
                r = json_get_str(init, "format", 16, &a->init_data_format, e);
                if (r == 0)
                        r = json_get_str(init, "body", BROKER_INIT_DATA_MAX, &a->init_data_body, e);
        }
        return r;
}

static int parse_runtime_data(BrokerAttestation *a, Error *e) {
        json_object *runtime, *key;
        int r = json_get_obj(a->document, "runtime-data", &runtime, e);

        if (r == 0)
                r = json_get_str(runtime, "nonce", BROKER_NONCE_TEXT_MAX, &a->nonce, e);
        if (r == 0)
                r = json_get_obj(runtime, "tee-pubkey", &key, e);
        if (r == 0)
                r = broker_teekey_parse(key, &a->key, e);
        return r;
}

static int parse_evidence(BrokerAttestation *a, Error *e) {
        json_object *tee;
        int r = json_get_obj(a->document, "tee-evidence", &tee, e);

        if (r == 0)
                r = json_get_obj(tee, "primary_evidence", &a->evidence, e);
        if (r == 0)
                r = json_get_str(tee, "additional_evidence", BROKER_ADDITIONAL_MAX, &a->additional_evidence, e);
        return r;
}

int broker_attestation_parse(const void *text, size_t size, BrokerAttestation *ret, Error *e) {
        AUTO_BROKER_ATTESTATION BrokerAttestation a = {};
        int r = json_parse(text, size, "attestation", &a.document, e);

        if (r == 0)
                r = parse_init_data(&a, e);
        if (r == 0)
                r = parse_runtime_data(&a, e);
        if (r == 0)
                r = parse_evidence(&a, e);
        if (r < 0)
                return r;
        *ret = a;
        a.document = NULL;
        return 0;
}

void broker_attestation_done(BrokerAttestation *a) {
        if (a->document)
                (void) json_object_put(a->document);
        *a = (BrokerAttestation){};
}

/* Members in order of their names' UTF-16 code units, which for these is ASCII order. */
int broker_runtime_text(const BrokerAttestation *a, char **ret) {
        AUTO_WRITER Writer w = wr_init(BROKER_ADDITIONAL_MAX * 2);

        wr_str(&w, "{\"additional-evidence\":");
        broker_canonical_string(&w, a->additional_evidence);
        wr_str(&w, ",\"nonce\":");
        broker_canonical_string(&w, a->nonce);
        wr_str(&w, ",\"tee-pubkey\":");
        broker_teekey_write(&w, &a->key);
        wr_str(&w, "}");
        return wr_finish_str(&w, ret);
}

int broker_challenge(const BrokerAttestation *a, const char *hash, uint8_t ret[static BROKER_REPORT_DATA_SIZE],
                     size_t *ret_size, Error *e) {
        AUTO_FREE char *text = NULL;
        uint8_t digest[EVP_MAX_MD_SIZE] = {};
        size_t n;
        int r = broker_runtime_text(a, &text);

        if (r < 0)
                return error_set(e, r, "runtime-data", "Cannot write runtime data: %s", error_text(NULL, r));
        if (EVP_Q_digest(NULL, hash, NULL, text, strlen(text), digest, &n) != 1)
                return error_set(e, -EOPNOTSUPP, "unknown-hash", "No digest '%s' here", hash);
        (void) memcpy(ret, digest, BROKER_REPORT_DATA_SIZE); /* no digest of ours is longer; the rest is zero */
        *ret_size = n;
        return 0;
}

int broker_report_data(const BrokerAttestation *a, const char *hash, uint8_t ret[static BROKER_REPORT_DATA_SIZE],
                       Error *e) {
        size_t n;

        return broker_challenge(a, hash, ret, &n, e);
}

/* Value of the top-level string key `algorithm` of a TOML document, which precedes the first table. */
static bool toml_algorithm(const char *text, char *ret, size_t size) {
        for (const char *line = text; line && *line && *line != '['; line = strchr(line, '\n'), line += line != NULL) {
                const char *p = line, *end;

                if (strncmp(p, "algorithm", 9) != 0)
                        continue;
                p += 9;
                p += strspn(p, " \t");
                if (*p++ != '=')
                        continue;
                p += strspn(p, " \t");
                end = *p == '"' || *p == '\'' ? strchr(p + 1, *p) : NULL;
                if (!end || (size_t) (end - p) > size)
                        return false;
                (void) snprintf(ret, size, "%.*s", (int) (end - p - 1), p + 1);
                return true;
        }
        return false;
}

int broker_init_data_digest(const BrokerAttestation *a, uint8_t ret[static 32], Error *e) {
        uint8_t digest[EVP_MAX_MD_SIZE] = {};
        char algorithm[16];
        size_t n;

        if (strcmp(a->init_data_format, "toml") != 0)
                return error_set(e, -EBADMSG, "init-data", "Init-data format '%s' is not known", a->init_data_format);
        if (!toml_algorithm(a->init_data_body, algorithm, sizeof(algorithm)) ||
            (strcmp(algorithm, "sha256") != 0 && strcmp(algorithm, "sha384") != 0 && strcmp(algorithm, "sha512") != 0))
                return error_set(e, -EBADMSG, "init-data", "Init-data names no algorithm that is known");
        if (EVP_Q_digest(NULL, algorithm, NULL, a->init_data_body, strlen(a->init_data_body), digest, &n) != 1)
                return error_oom(e);
        (void) memcpy(ret, digest, 32);
        return 0;
}
