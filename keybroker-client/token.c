/* SPDX-License-Identifier: Apache-2.0 */
#include "keybroker-client/token.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "base/base64.h"
#include "base/deadline.h"
#include "base/json.h"

static int malformed(const char *why, Error *e) {
        return error_set(e, -EBADMSG, "token-malformed", "Attestation token %s", why);
}

/* The middle one of exactly three parts, none of them empty. */
static int find_payload(const char *jwt, size_t len, const char **ret, size_t *ret_len, Error *e) {
        const char *first = memchr(jwt, '.', len), *second;
        size_t rest;

        if (!first || first == jwt)
                return malformed("has no header", e);
        rest = len - (size_t) (first + 1 - jwt);
        second = memchr(first + 1, '.', rest);
        if (!second || second == first + 1)
                return malformed("has no payload", e);
        rest -= (size_t) (second + 1 - (first + 1));
        if (rest == 0 || memchr(second + 1, '.', rest))
                return malformed("does not have three parts", e);
        *ret = first + 1;
        *ret_len = (size_t) (second - (first + 1));
        return 0;
}

static int lifetime_of(json_object *payload, uint64_t *ret_usec, Error *e) {
        uint64_t iat, exp, sec = KBC_TOKEN_LIFETIME_DEFAULT_SEC;
        int r;

        if (!json_object_is_type(payload, json_type_object))
                return malformed("payload is not an object", e);
        if (json_object_object_get_ex(payload, "exp", NULL)) {
                r = json_get_u64(payload, "exp", INT64_MAX, &exp, e);
                if (r == 0)
                        r = json_get_u64(payload, "iat", INT64_MAX, &iat, e);
                if (r < 0)
                        return r;
                if (exp <= iat)
                        return malformed("expires before it was issued", e);
                sec = exp - iat;
        }
        *ret_usec = (sec < KBC_TOKEN_LIFETIME_MAX_SEC ? sec : KBC_TOKEN_LIFETIME_MAX_SEC) * USEC_PER_SEC;
        return 0;
}

int kbc_token_lifetime(const char *jwt, size_t len, uint64_t *ret_usec, Error *e) {
        AUTO_BLOB Blob text = {};
        AUTO_JSON json_object *payload = NULL;
        const char *part = NULL;
        size_t n = 0;
        int r;

        if (len > KBC_TOKEN_MAX)
                return malformed("is too large", e);
        r = find_payload(jwt, len, &part, &n, e);
        if (r < 0)
                return r;
        r = base64_decode(BASE64_URL, part, n, KBC_TOKEN_MAX, &text);
        if (r == -ENOMEM)
                return error_oom(e);
        if (r < 0)
                return malformed("payload is not base64url", e);
        r = json_parse(text.data, text.size, "Attestation token payload", &payload, e);
        if (r < 0)
                return r;
        return lifetime_of(payload, ret_usec, e);
}
