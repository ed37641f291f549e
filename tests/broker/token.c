/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/broker/token.h"

#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/json.h"
#include "base/writer.h"

#define ES256_HALF 32 /* R and S, RFC 7518 section 3.4 */
#define CLAIM_TEXT_MAX 1024

int broker_signer_new(BrokerSigner *ret, Error *e) {
        ret->key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
        return ret->key ? 0 : error_set(e, -EIO, "crypto", "Cannot make a token key");
}

void broker_signer_done(BrokerSigner *signer) {
        EVP_PKEY_free(signer->key);
        signer->key = NULL;
}

static int sign(const BrokerSigner *signer, const char *text, uint8_t ret[static 2 * ES256_HALF], Error *e) {
        EVP_MD_CTX *ctx = EVP_MD_CTX_new();
        uint8_t der[128];
        const uint8_t *p = der;
        size_t n = sizeof(der);
        ECDSA_SIG *sig = NULL;
        bool ok;

        ok = ctx && EVP_DigestSignInit_ex(ctx, NULL, "SHA256", NULL, NULL, signer->key, NULL) == 1 &&
             EVP_DigestSign(ctx, der, &n, (const uint8_t *) text, strlen(text)) == 1 &&
             (sig = d2i_ECDSA_SIG(NULL, &p, (long) n)) != NULL &&
             BN_bn2binpad(ECDSA_SIG_get0_r(sig), ret, ES256_HALF) == ES256_HALF &&
             BN_bn2binpad(ECDSA_SIG_get0_s(sig), ret + ES256_HALF, ES256_HALF) == ES256_HALF;
        ECDSA_SIG_free(sig);
        EVP_MD_CTX_free(ctx);
        return ok ? 0 : error_set(e, -EIO, "crypto", "Cannot sign a token");
}

static bool signature_holds(const BrokerSigner *signer, const char *text, size_t text_len,
                            const uint8_t sig[static 2 * ES256_HALF]) {
        ECDSA_SIG *s = ECDSA_SIG_new();
        BIGNUM *bn_r = BN_bin2bn(sig, ES256_HALF, NULL), *bn_s = BN_bin2bn(sig + ES256_HALF, ES256_HALF, NULL);
        EVP_MD_CTX *ctx = EVP_MD_CTX_new();
        uint8_t *der = NULL;
        int n = -1;
        bool ok = false;

        if (s && bn_r && bn_s && ECDSA_SIG_set0(s, bn_r, bn_s) == 1) {
                bn_r = bn_s = NULL; /* now the signature's */
                n = i2d_ECDSA_SIG(s, &der);
        }
        if (n > 0 && ctx)
                ok = EVP_DigestVerifyInit_ex(ctx, NULL, "SHA256", NULL, NULL, signer->key, NULL) == 1 &&
                     EVP_DigestVerify(ctx, der, (size_t) n, (const uint8_t *) text, text_len) == 1;
        OPENSSL_free(der);
        EVP_MD_CTX_free(ctx);
        BN_free(bn_r);
        BN_free(bn_s);
        ECDSA_SIG_free(s);
        return ok;
}

/* Header with the signer's public key, as the EAR tokens of Trustee carry it. */
static int write_header(const BrokerSigner *signer, Writer *w, Error *e) {
        AUTO_FREE char *x = NULL;
        AUTO_FREE char *y = NULL;
        uint8_t point[1 + 2 * ES256_HALF];
        size_t n;

        if (EVP_PKEY_get_octet_string_param(signer->key, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point), &n) != 1 ||
            n != sizeof(point))
                return error_set(e, -EIO, "crypto", "Cannot export the token key");
        x = base64_encode(BASE64_URL, point + 1, ES256_HALF);
        y = base64_encode(BASE64_URL, point + 1 + ES256_HALF, ES256_HALF);
        if (!x || !y)
                return error_oom(e);
        wr_str(w, "{\"typ\":\"JWT\",\"alg\":\"ES256\",\"jwk\":");
        wr_str(w, "{\"kty\":\"EC\",\"crv\":\"P-256\",\"alg\":\"ES256\",\"x\":\"");
        wr_str(w, x);
        wr_str(w, "\",\"y\":\"");
        wr_str(w, y);
        wr_str(w, "\"}}");
        return w->error < 0 ? error_oom(e) : 0;
}

static int add_registered(json_object *payload, time_t iat, time_t exp) {
        json_object *verifier = json_object_new_object();

        if (json_add_str(payload, "eat_profile", "tag:github.com,2024:confidential-containers/Trustee") < 0 ||
            json_add_str(payload, "iss", "CoCo-Attestation-Service") < 0 ||
            json_add_u64(payload, "iat", (uint64_t) iat) < 0 || json_add_u64(payload, "exp", (uint64_t) exp) < 0 ||
            json_add_str(verifier, "developer", "https://confidentialcontainers.org") < 0 ||
            json_add_str(verifier, "build", "attestation-service 0.1.0") < 0) {
                (void) json_object_put(verifier);
                return -ENOMEM;
        }
        return json_add_take(payload, "ear.verifier-id", verifier);
}

int broker_token_issue(const BrokerSigner *signer, json_object *payload, time_t iat, time_t exp, char **ret, Error *e) {
        AUTO_WRITER Writer header = wr_init(1024);
        AUTO_FREE char *h = NULL;
        AUTO_FREE char *p = NULL;
        AUTO_FREE char *s = NULL;
        AUTO_FREE char *input = NULL;
        uint8_t signature[2 * ES256_HALF];
        const char *text;
        int r = write_header(signer, &header, e);

        if (r < 0)
                return r;
        if (add_registered(payload, iat, exp) < 0)
                return error_oom(e);
        text = json_object_to_json_string_ext(payload, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
        h = base64_encode(BASE64_URL, header.data, header.size);
        p = text ? base64_encode(BASE64_URL, text, strlen(text)) : NULL;
        if (!h || !p || asprintf(&input, "%s.%s", h, p) < 0)
                return error_oom(e);
        r = sign(signer, input, signature, e);
        if (r < 0)
                return r;
        s = base64_encode(BASE64_URL, signature, sizeof(signature));
        if (!s || asprintf(ret, "%s.%s", input, s) < 0)
                return error_oom(e);
        return 0;
}

int broker_token_verify(const BrokerSigner *signer, const char *token, time_t now, json_object **ret, Error *e) {
        AUTO_JSON json_object *payload = NULL;
        AUTO_BLOB Blob body = {};
        const char *dot1 = strchr(token, '.'), *dot2 = dot1 ? strchr(dot1 + 1, '.') : NULL;
        uint8_t signature[2 * ES256_HALF];
        uint64_t exp;
        size_t n;

        if (!dot2 ||
            base64_decode_to(BASE64_URL, dot2 + 1, strlen(dot2 + 1), signature, sizeof(signature), &n) < 0 ||
            n != sizeof(signature) || !signature_holds(signer, token, (size_t) (dot2 - token), signature))
                return error_set(e, -EKEYREJECTED, "token", "The token is not ours");
        if (base64_decode(BASE64_URL, dot1 + 1, (size_t) (dot2 - dot1 - 1), BROKER_TOKEN_MAX, &body) < 0 ||
            json_parse(body.data, body.size, "token", &payload, e) < 0 ||
            json_get_u64(payload, "exp", INT64_MAX, &exp, e) < 0)
                return error_set(e, -EKEYREJECTED, "token", "The token has no payload");
        if ((time_t) exp <= now)
                return error_set(e, -ESTALE, "token", "The token expired %lld s ago",
                                 (long long) now - (long long) exp);
        *ret = TAKE_PTR(payload);
        return 0;
}

static int get_cpu0(json_object *payload, json_object **ret, Error *e) {
        json_object *submods;
        int r = json_get_obj(payload, "submods", &submods, e);

        return r < 0 ? r : json_get_obj(submods, "cpu0", ret, e);
}

int broker_token_key(json_object *payload, BrokerTeeKey *ret, Error *e) {
        json_object *o;
        int r = get_cpu0(payload, &o, e);

        if (r == 0)
                r = json_get_obj(o, "ear.veraison.annotated-evidence", &o, e);
        if (r == 0)
                r = json_get_obj(o, "runtime_data_claims", &o, e);
        if (r == 0)
                r = json_get_obj(o, "tee-pubkey", &o, e);
        return r < 0 ? r : broker_teekey_parse(o, ret, e);
}

bool broker_token_is_affirming(json_object *payload, const char **ret_denied) {
        json_object *cpu0, *claims;
        const char *status;

        *ret_denied = "";
        if (get_cpu0(payload, &cpu0, NULL) < 0 || json_get_str(cpu0, "ear.status", 32, &status, NULL) < 0)
                return false;
        if (json_get_obj(cpu0, "ear.veraison.policy-claims", &claims, NULL) < 0 ||
            json_get_str(claims, "denied", CLAIM_TEXT_MAX, ret_denied, NULL) < 0)
                return false;
        return strcmp(status, "affirming") == 0;
}
