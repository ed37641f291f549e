/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/broker/guest.h"

#include <errno.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/base64.h"
#include "base/json.h"
#include "base/reader.h"
#include "base/writer.h"
#include "tests/broker/http.h"

#define TIMEOUT_SECONDS 60L
#define MESSAGE_MAX (256u * 1024u)

void guest_answer_done(GuestAnswer *a) {
        blob_done(&a->body);
}

void guest_done(Guest *g) {
        curl_easy_cleanup(g->curl);
        EVP_PKEY_free(g->key);
        free(g->url);
        free(g->ca_file);
        free(g->jwk);
        *g = (Guest){};
}

static char *bn_base64(const EVP_PKEY *key, const char *param, int size) {
        BIGNUM *n = NULL;
        uint8_t bytes[1024];
        char *text = NULL;

        if (EVP_PKEY_get_bn_param(key, param, &n) == 1) {
                if (size == 0)
                        size = BN_num_bytes(n);
                if (BN_bn2binpad(n, bytes, size) == size)
                        text = base64_encode(BASE64_URL, bytes, (size_t) size);
        }
        BN_free(n);
        return text;
}

static char *ec_jwk(const EVP_PKEY *key, const char *crv, int size) {
        AUTO_FREE char *x = bn_base64(key, OSSL_PKEY_PARAM_EC_PUB_X, size);
        AUTO_FREE char *y = bn_base64(key, OSSL_PKEY_PARAM_EC_PUB_Y, size);
        char *jwk;

        if (!x || !y ||
            asprintf(&jwk, "{\"alg\":\"ECDH-ES+A256KW\",\"crv\":\"%s\",\"kty\":\"EC\",\"x\":\"%s\",\"y\":\"%s\"}", crv,
                     x, y) < 0)
                return NULL;
        return jwk;
}

static char *rsa_jwk(const EVP_PKEY *key, const char *alg) {
        AUTO_FREE char *n = bn_base64(key, OSSL_PKEY_PARAM_RSA_N, 0);
        AUTO_FREE char *exponent = bn_base64(key, OSSL_PKEY_PARAM_RSA_E, 0);
        char *jwk;

        if (!n || !exponent ||
            asprintf(&jwk, "{\"alg\":\"%s\",\"e\":\"%s\",\"kty\":\"RSA\",\"n\":\"%s\"}", alg, exponent, n) < 0)
                return NULL;
        return jwk;
}

static int make_key(GuestAlg alg, Guest *g, Error *e) {
        static const struct {
                const char *name; /* curve, or "alg" of an RSA key */
                int size;         /* of a coordinate; 0: RSA */
        } algs[GUEST_N_ALGS] = {
                { "P-256", 32 }, { "P-384", 48 }, { "P-521", 66 }, { "RSA-OAEP", 0 }, { "RSA-OAEP-256", 0 },
        };

        if (algs[alg].size > 0)
                g->key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", algs[alg].name);
        else
                g->key = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t) 2048);
        if (g->key)
                g->jwk = algs[alg].size > 0 ? ec_jwk(g->key, algs[alg].name, algs[alg].size) :
                                              rsa_jwk(g->key, algs[alg].name);
        return g->jwk ? 0 : error_set(e, -EIO, "guest", "Cannot make a TEE key");
}

static size_t on_body(char *data, size_t size, size_t n, void *userdata) {
        Writer *w = userdata;

        wr_bytes(w, data, size * n);
        return w->error < 0 ? 0 : size * n;
}

static size_t on_header(char *data, size_t size, size_t n, void *userdata) {
        GuestAnswer *a = userdata;
        const struct {
                const char *name;
                char *to;
                size_t size;
        } wanted[] = {
                { "Set-Cookie: ", a->set_cookie, sizeof(a->set_cookie) },
                { "Location: ", a->location, sizeof(a->location) },
                { "Retry-After: ", a->retry_after, sizeof(a->retry_after) },
                { "Content-Type: ", a->content_type, sizeof(a->content_type) },
        };
        size_t len = size * n;

        for (size_t i = 0; i < N_ELEMENTS(wanted); i++) {
                size_t m = strlen(wanted[i].name);

                if (len < m + 2 || strncasecmp(data, wanted[i].name, m) != 0 || len - m - 2 >= wanted[i].size)
                        continue;
                (void) memcpy(wanted[i].to, data + m, len - m - 2); /* without CR LF */
                wanted[i].to[len - m - 2] = 0;
        }
        return len;
}

static bool set_up(Guest *g) {
        g->curl = curl_easy_init();
        return g->curl && curl_easy_setopt(g->curl, CURLOPT_CAINFO, g->ca_file) == CURLE_OK &&
               curl_easy_setopt(g->curl, CURLOPT_PROXY, "") == CURLE_OK &&
               curl_easy_setopt(g->curl, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
               curl_easy_setopt(g->curl, CURLOPT_TIMEOUT, TIMEOUT_SECONDS) == CURLE_OK &&
               curl_easy_setopt(g->curl, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK &&
               curl_easy_setopt(g->curl, CURLOPT_HEADERFUNCTION, on_header) == CURLE_OK;
}

int guest_open(const char *url, const char *ca_file, GuestAlg alg, Guest *ret, Error *e) {
        AUTO_GUEST Guest g = { .url = strdup(url), .ca_file = strdup(ca_file) };
        int r;

        if (!g.url || !g.ca_file || !set_up(&g))
                return error_oom(e);
        r = make_key(alg, &g, e);
        if (r < 0)
                return r;
        *ret = g;
        g = (Guest){};
        return 0;
}

static struct curl_slist *make_headers(const Guest *g, const char *bearer) {
        struct curl_slist *list = curl_slist_append(NULL, "Content-Type: application/json");
        AUTO_FREE char *cookie = NULL;
        AUTO_FREE char *authorization = NULL;

        if (g->cookie[0] && asprintf(&cookie, "Cookie: kbs-session-id=%s", g->cookie) > 0)
                list = curl_slist_append(list, cookie);
        if (bearer && asprintf(&authorization, "Authorization: Bearer %s", bearer) > 0)
                list = curl_slist_append(list, authorization);
        return list;
}

void guest_request(Guest *g, const char *method, const char *path, const char *body, const char *bearer,
                   GuestAnswer *ret) {
        AUTO_WRITER Writer w = wr_init(HTTP_BODY_MAX * 2);
        struct curl_slist *headers = make_headers(g, bearer);
        AUTO_FREE char *url = NULL;

        *ret = (GuestAnswer){ .code = CURLE_OUT_OF_MEMORY };
        if (asprintf(&url, "%s%s", g->url, path) < 0) {
                url = NULL;
                return;
        }
        (void) curl_easy_setopt(g->curl, CURLOPT_HTTPGET, 1L);
        if (body) {
                (void) curl_easy_setopt(g->curl, CURLOPT_POSTFIELDSIZE, (long) strlen(body));
                (void) curl_easy_setopt(g->curl, CURLOPT_POSTFIELDS, body);
        }
        (void) curl_easy_setopt(g->curl, CURLOPT_CUSTOMREQUEST, method);
        (void) curl_easy_setopt(g->curl, CURLOPT_URL, url);
        (void) curl_easy_setopt(g->curl, CURLOPT_HTTPHEADER, headers);
        (void) curl_easy_setopt(g->curl, CURLOPT_WRITEDATA, &w);
        (void) curl_easy_setopt(g->curl, CURLOPT_HEADERDATA, ret);
        ret->code = curl_easy_perform(g->curl);
        (void) curl_easy_getinfo(g->curl, CURLINFO_RESPONSE_CODE, &ret->status);
        (void) !wr_finish(&w, &ret->body);
        (void) curl_easy_setopt(g->curl, CURLOPT_HTTPHEADER, NULL);
        curl_slist_free_all(headers);
}

const char guest_auth_body[] = "{\"version\":\"0.4.0\",\"tee\":\"snp\",\"extra-params\":{\"supported-hash-algorithms\":"
                               "[\"sha256\",\"sha384\",\"sha512\",\"sm3\"]}}";

void guest_take_challenge(Guest *g, const GuestAnswer *a) {
        static const char prefix[] = "kbs-session-id=";
        AUTO_JSON json_object *o = NULL;
        const char *nonce;

        if (json_parse(a->body.data, a->body.size, "challenge", &o, NULL) == 0 &&
            json_get_str(o, "nonce", sizeof(g->nonce) - 1, &nonce, NULL) == 0)
                (void) snprintf(g->nonce, sizeof(g->nonce), "%s", nonce);
        if (strncmp(a->set_cookie, prefix, strlen(prefix)) == 0)
                (void) snprintf(g->cookie, sizeof(g->cookie), "%.*s",
                                (int) strcspn(a->set_cookie + strlen(prefix), ";"), a->set_cookie + strlen(prefix));
}

void guest_auth(Guest *g, GuestAnswer *ret) {
        g->cookie[0] = g->nonce[0] = 0;
        guest_request(g, "POST", "/kbs/v0/auth", guest_auth_body, NULL, ret);
        if (ret->status == 200)
                guest_take_challenge(g, ret);
}

int guest_report_data(const Guest *g, uint8_t ret[static SIM_REPORT_DATA_SIZE], Error *e) {
        AUTO_FREE char *text = NULL;

        if (asprintf(&text, "{\"additional-evidence\":\"\",\"nonce\":\"%s\",\"tee-pubkey\":%s}", g->nonce, g->jwk) < 0)
                return error_oom(e);
        (void) memset(ret, 0, SIM_REPORT_DATA_SIZE);
        (void) SHA384((const uint8_t *) text, strlen(text), ret);
        return 0;
}

static void write_bytes(Writer *w, const char *before, const uint8_t *p, size_t n) {
        char number[8];

        wr_str(w, before);
        for (size_t i = 0; i < n; i++) {
                (void) snprintf(number, sizeof(number), "%s%u", i ? "," : "[", p[i]);
                wr_str(w, number);
        }
        wr_str(w, "]");
}

static void write_number(Writer *w, const char *before, uint64_t value) {
        char number[24];

        (void) snprintf(number, sizeof(number), "%llu", (unsigned long long) value);
        wr_str(w, before);
        wr_str(w, number);
}

/* Byte positions of TCB_VERSION in its two layouts. */
static void write_tcb(Writer *w, const char *before, const uint8_t *tcb, bool turin) {
        wr_str(w, before);
        if (turin)
                write_number(w, "{\"fmc\":", tcb[0]);
        else
                wr_str(w, "{\"fmc\":null");
        write_number(w, ",\"bootloader\":", tcb[turin ? 1 : 0]);
        write_number(w, ",\"tee\":", tcb[turin ? 2 : 1]);
        write_number(w, ",\"snp\":", tcb[turin ? 3 : 6]);
        write_number(w, ",\"microcode\":", tcb[7]);
        wr_str(w, "}");
}

static void write_firmware(Writer *w, const char *before, const uint8_t *p) {
        wr_str(w, before);
        write_number(w, "{\"build\":", p[0]);
        write_number(w, ",\"minor\":", p[1]);
        write_number(w, ",\"major\":", p[2]);
        wr_str(w, "}");
}

static void write_report(Writer *w, const uint8_t *p) {
        bool turin = p[0x188] == 0x1A;

        write_number(w, "{\"version\":", load_le32(p));
        write_number(w, ",\"guest_svn\":", load_le32(p + 0x004));
        write_number(w, ",\"policy\":", load_le64(p + 0x008));
        write_bytes(w, ",\"family_id\":", p + 0x010, 16);
        write_bytes(w, ",\"image_id\":", p + 0x020, 16);
        write_number(w, ",\"vmpl\":", load_le32(p + 0x030));
        write_number(w, ",\"sig_algo\":", load_le32(p + 0x034));
        write_tcb(w, ",\"current_tcb\":", p + 0x038, turin);
        write_number(w, ",\"plat_info\":", load_le64(p + 0x040));
        write_number(w, ",\"key_info\":", load_le32(p + 0x048));
        write_bytes(w, ",\"report_data\":", p + 0x050, 64);
        write_bytes(w, ",\"measurement\":", p + 0x090, 48);
        write_bytes(w, ",\"host_data\":", p + 0x0C0, 32);
        write_bytes(w, ",\"id_key_digest\":", p + 0x0E0, 48);
        write_bytes(w, ",\"author_key_digest\":", p + 0x110, 48);
        write_bytes(w, ",\"report_id\":", p + 0x140, 32);
        write_bytes(w, ",\"report_id_ma\":", p + 0x160, 32);
        write_tcb(w, ",\"reported_tcb\":", p + 0x180, turin);
        write_number(w, ",\"cpuid_fam_id\":", p[0x188]);
        write_number(w, ",\"cpuid_mod_id\":", p[0x189]);
        write_number(w, ",\"cpuid_step\":", p[0x18A]);
        write_bytes(w, ",\"chip_id\":", p + 0x1A0, 64);
        write_tcb(w, ",\"committed_tcb\":", p + 0x1E0, turin);
        write_firmware(w, ",\"current\":", p + 0x1E8);
        write_firmware(w, ",\"committed\":", p + 0x1EC);
        write_tcb(w, ",\"launch_tcb\":", p + 0x1F0, turin);
        if (load_le32(p) >= 5) {
                write_number(w, ",\"launch_mit_vector\":", load_le64(p + 0x1F8));
                write_number(w, ",\"current_mit_vector\":", load_le64(p + 0x200));
        } else
                wr_str(w, ",\"launch_mit_vector\":null,\"current_mit_vector\":null");
        write_bytes(w, ",\"signature\":{\"r\":", p + 0x2A0, 72);
        write_bytes(w, ",\"s\":", p + 0x2E8, 72);
        wr_str(w, "}}");
}

int guest_attestation(const Guest *g, const uint8_t report[static SIM_REPORT_SIZE], const SimPki *pki, char **ret,
                      Error *e) {
        AUTO_WRITER Writer w = wr_init(MESSAGE_MAX);
        bool vlek = (load_le32(report + 0x048) >> 2 & 7) == SIM_SIGNER_VLEK; /* SIGNING_KEY */
        AUTO_BLOB Blob vek = {};
        int r;

        wr_str(&w, "{\"init-data\":null,\"runtime-data\":{\"nonce\":\"");
        wr_str(&w, g->nonce);
        wr_str(&w, "\",\"tee-pubkey\":");
        wr_str(&w, g->jwk);
        wr_str(&w, "},\"tee-evidence\":{\"primary_evidence\":{\"attestation_report\":");
        write_report(&w, report);
        if (pki) {
                r = sim_pki_cert_der(pki, vlek ? SIM_VLEK : SIM_VCEK, &vek, e);
                if (r < 0)
                        return r;
                wr_str(&w, ",\"cert_chain\":[{\"cert_type\":");
                write_bytes(&w, vlek ? "\"VLEK\",\"data\":" : "\"VCEK\",\"data\":", vek.data, vek.size);
                wr_str(&w, "}]");
        } else
                wr_str(&w, ",\"cert_chain\":null");
        wr_str(&w, "},\"additional_evidence\":\"\"}}");
        r = wr_finish_str(&w, ret);
        return r < 0 ? error_set(e, r, "guest", "Cannot write the attestation") : 0;
}

int guest_handshake(Guest *g, const SimPki *pki, const SimReport *report, GuestAnswer *ret, Error *e) {
        AUTO_GUEST_ANSWER GuestAnswer challenge = {};
        AUTO_FREE char *message = NULL;
        uint8_t bytes[SIM_REPORT_SIZE];
        SimReport fresh = *report;
        int r;

        guest_auth(g, &challenge);
        if (challenge.status != 200)
                return error_set(e, -EPROTO, "guest", "/auth: %s, status %ld", curl_easy_strerror(challenge.code),
                                 challenge.status);
        r = guest_report_data(g, fresh.report_data, e);
        if (r == 0)
                r = sim_report_make(&fresh, pki, bytes, e);
        if (r == 0)
                r = guest_attestation(g, bytes, pki, &message, e);
        if (r == 0)
                guest_request(g, "POST", "/kbs/v0/attest", message, NULL, ret);
        return r;
}
