/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/keybroker-client/fake-kbs.h"

#include <check.h>
#include <openssl/ec.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/hex.h"
#include "base/json.h"
#include "keybroker-client/report-data.h"
#include "tests/unit/keybroker-client/seal.h"

#define RESOURCE_PREFIX "/kbs/v0/resource/"

static TlsAction refuse(Writer *w, int status, const char *type, const char *detail) {
        char body[512];

        (void) snprintf(body, sizeof(body),
                        "{\"type\":\"https://github.com/confidential-containers/kbs/errors/%s\",\"detail\":\"%s\"}", type,
                        detail);
        http_answer(w, status, "", body);
        return TLS_KEEP;
}

static TlsAction large(Writer *w) {
        AUTO_FREE char *body = malloc(2u << 20);

        (void) memset(body, ' ', (2u << 20) - 1);
        body[0] = '"';
        body[(2u << 20) - 1] = 0;
        http_answer(w, 200, "", body);
        return TLS_KEEP;
}

/* True when the mishap has answered already. */
static bool have_mishap(Mishap m, Writer *w, TlsAction *ret) {
        *ret = TLS_KEEP;
        switch (m) {
        case FINE:
        case OTHER_KEY:
        case EMPTY:
        case NO_COOKIE:
                return false;
        case ATTEST_FAILED:
                *ret = refuse(w, 401, "AttestationError", "Attestation error: RCAR handshake Attest failed");
                return true;
        case VERSION_MISMATCH:
                *ret = refuse(w, 401, "AttestationError",
                              "Attestation error: RCAR handshake Auth failed: KBS Client Protocol Version Mismatch");
                return true;
        case TOKEN_NOT_FOUND:
                *ret = refuse(w, 401, "TokenNotFound", "Attestation Token not found");
                return true;
        case TOKEN_REFUSED:
                *ret = refuse(w, 401, "TokenVerifierError", "Token Verifier error");
                return true;
        case DENIED:
                *ret = refuse(w, 401, "PolicyDeny", "Access denied by policy");
                return true;
        case MISSING:
                *ret = refuse(w, 401, "PluginInternalError", "Plugin internal error");
                return true;
        case JWE_FAILED:
                *ret = refuse(w, 401, "JweError", "JWE failed");
                return true;
        case BUSY:
                http_answer(w, 503, "", "");
                return true;
        case BUSY_LONG:
                http_answer(w, 503, "Retry-After: 60\r\n", "");
                return true;
        case REDIRECT:
                http_answer(w, 302, "Location: /kbs/v0/auth\r\n", "");
                return true;
        case GARBAGE:
                http_answer(w, 200, "Set-Cookie: kbs-session-id=x\r\n", "<html>hello</html>");
                return true;
        case TOO_LARGE:
                *ret = large(w);
                return true;
        case TRUNCATED:
                wr_str(w, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"");
                *ret = TLS_CLOSE;
                return true;
        case DROPPED:
                *ret = TLS_CLOSE;
                return true;
        case SILENCE:
                *ret = TLS_STALL;
                return true;
        }
        ck_abort();
}

static TlsAction auth(FakeKbs *k, Mishap m, Writer *w) {
        char cookie[64], body[128];
        uint8_t bytes[32];
        AUTO_FREE char *nonce = NULL;

        ck_assert_int_eq(RAND_bytes(bytes, sizeof(bytes)), 1);
        nonce = base64_encode(BASE64_STD, bytes, sizeof(bytes));
        (void) snprintf(k->nonce, sizeof(k->nonce), "%s", nonce);
        (void) snprintf(cookie, sizeof(cookie), "Set-Cookie: kbs-session-id=s%u\r\n", ++k->n_sessions);
        (void) snprintf(body, sizeof(body), "{\"nonce\":\"%s\",\"extra-params\":\"\"}", nonce);
        http_answer(w, 200, m == NO_COOKIE ? "" : cookie, body);
        return TLS_KEEP;
}

static bool has_session(const TlsRequest *q, unsigned number) {
        char want[64];

        (void) snprintf(want, sizeof(want), "kbs-session-id=s%u", number);
        return number > 0 && strcmp(q->cookie, want) == 0;
}

/* Evidence in these tests is {"report_data":"HEX"}. */
static bool is_bound(FakeKbs *k, json_object *message, json_object *jwk) {
        json_object *evidence = json_object_object_get(json_object_object_get(message, "tee-evidence"),
                                                       "primary_evidence");
        const char *got = json_object_get_string(json_object_object_get(evidence, "report_data"));
        KbcReportData want;

        ck_assert_int_eq(kbc_report_data(KBC_HASH_SHA384, k->nonce, jwk, "", &want, NULL), 0);
        hex_encode_to(want.bytes, sizeof(want.bytes), k->digest);
        return got && strcmp(got, k->digest) == 0;
}

static TlsAction attest(FakeKbs *k, const TlsRequest *q, Writer *w) {
        AUTO_FREE char *payload = NULL, *part = NULL, *body = NULL;
        AUTO_JSON json_object *message = NULL;
        json_object *jwk;

        if (!has_session(q, k->n_sessions) || json_parse(q->body, q->size, "message", &message, NULL) < 0)
                return refuse(w, 401, "AttestationError", "Attestation error: RCAR handshake Attest failed");
        jwk = json_object_object_get(json_object_object_get(message, "runtime-data"), "tee-pubkey");
        if (!is_bound(k, message, jwk))
                return refuse(w, 401, "AttestationError", "Attestation error: RCAR handshake Attest failed");
        EVP_PKEY_free(k->key);
        k->key = jwk_to_pkey(jwk);
        k->attested = k->n_sessions;
        ck_assert_int_gt(asprintf(&payload, "{\"iat\":1,\"exp\":%u}", 1 + k->token_seconds), 0);
        part = base64_encode(BASE64_URL, payload, strlen(payload));
        ck_assert_int_gt(asprintf(&body, "{\"token\":\"e30.%s.c2ln\"}", part), 0);
        http_answer(w, 200, "", body);
        return TLS_KEEP;
}

static TlsAction resource(FakeKbs *k, Mishap m, const TlsRequest *q, Writer *w) {
        const char *content = q->path + strlen(RESOURCE_PREFIX);
        AUTO_FREE char *jwe = NULL;
        EVP_PKEY *to;

        if (!has_session(q, k->attested))
                return refuse(w, 401, "TokenNotFound", "Attestation Token not found");
        to = m == OTHER_KEY ? EVP_EC_gen("prime256v1") : k->key;
        jwe = jwe_seal(to, content, m == EMPTY ? 0 : strlen(content), NULL);
        if (m == OTHER_KEY)
                EVP_PKEY_free(to);
        http_answer(w, 200, "", jwe);
        return TLS_KEEP;
}

static TlsAction handle(void *userdata, const TlsRequest *q, Writer *w) {
        FakeKbs *k = userdata;
        KbsEndpoint at;
        TlsAction action;
        unsigned n;
        Mishap m;

        if (strcmp(q->path, "/kbs/v0/auth") == 0)
                at = KBS_AUTH;
        else if (strcmp(q->path, "/kbs/v0/attest") == 0)
                at = KBS_ATTEST;
        else if (strncmp(q->path, RESOURCE_PREFIX, strlen(RESOURCE_PREFIX)) == 0)
                at = KBS_RESOURCE;
        else
                return refuse(w, 404, "PluginNotFound", "Plugin not found");
        n = k->n_requests[at]++;
        m = n < 4 ? k->mishaps[at][n] : FINE;
        if (k->for_ever)
                m = k->mishaps[at][0];
        if (have_mishap(m, w, &action))
                return action;
        return at == KBS_AUTH ? auth(k, m, w) : at == KBS_ATTEST ? attest(k, q, w) : resource(k, m, q, w);
}

void fake_kbs_start(FakeKbs *k) {
        if (k->token_seconds == 0)
                k->token_seconds = 300;
        k->server = tls_server_start(NULL, handle, k);
}

void fake_kbs_stop(FakeKbs *k) {
        if (k->server)
                tls_server_stop(k->server);
        k->server = NULL;
        EVP_PKEY_free(k->key);
        k->key = NULL;
}
