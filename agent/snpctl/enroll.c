/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/snpctl/enroll.h"

#include <errno.h>
#include <libcryptsetup.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "agent/token/luks2-check.h"
#include "agent/token/token-json.h"

/*
 * The key has all the entropy there is, so a costly derivation adds nothing but boot time: the format's minimum
 * (libcryptsetup refuses less), and no benchmark to find a higher one.
 */
#define PBKDF_ITERATIONS 1000
#define AREA_CIPHER "aes-xts-plain64"
#define AREA_KEY_SIZE 64

#define LOG_TEXT_MAX 200

typedef struct Volume {
        struct crypt_device *cd;
        char said[LOG_TEXT_MAX]; /* libcryptsetup's first error message of the current step */
} Volume;

/* Tokens for the resource that are there already, and the keyslots which only they use. */
typedef struct Earlier {
        uint32_t tokens;
        uint32_t keyslots;
} Earlier;

static void volume_done(Volume *v) {
        crypt_free(v->cd);
        v->cd = NULL;
        crypt_set_log_callback(NULL, NULL, NULL); /* it held a pointer to @v */
}

/* Without a callback libcryptsetup would write to our standard output. */
static void keep_message(int level, const char *message, void *userdata) {
        Volume *v = userdata;

        if (level == CRYPT_LOG_ERROR && !v->said[0])
                (void) snprintf(v->said, sizeof(v->said), "%.*s", (int) strcspn(message, "\n"), message);
}

static int failed(Volume *v, int r, const char *reason, const char *what, Error *e) {
        r = error_set(e, r, reason, "%s: %s", what, v->said[0] ? v->said : error_text(NULL, r));
        v->said[0] = 0;
        return r;
}

static int open_volume(const char *device, Volume *v, Error *e) {
        int r;

        crypt_set_log_callback(NULL, keep_message, v);
        r = crypt_init(&v->cd, device);
        if (r < 0)
                return failed(v, r, "open-failed", device, e);
        crypt_set_log_callback(v->cd, keep_message, v);
        r = crypt_load(v->cd, CRYPT_LUKS2, NULL);
        if (r < 0)
                return failed(v, r, "not-luks2", "No LUKS2 header can be read", e);
        return 0;
}

static int check_header(Volume *v, Error *e) {
        Luks2Volume facts;
        const char *json;
        int r = crypt_dump_json(v->cd, &json, 0);

        if (r < 0)
                return failed(v, r, "luks2-malformed", "The header cannot be read", e);
        return luks2_check(json, strlen(json), &facts, e);
}

/* 0 and the hint when there is a token @id of our type; another token, or none, is -ENOENT. */
static int read_token(Volume *v, int id, TokenHint *ret) {
        const char *json;
        int r = crypt_token_json_get(v->cd, id, &json);

        v->said[0] = 0;
        return r < 0 ? -ENOENT : token_json_parse(json, strlen(json), ret, NULL);
}

static Earlier find_earlier(Volume *v, const char *resource) {
        Earlier found = {};
        TokenHint hint;

        for (int id = 0; id < crypt_token_max(CRYPT_LUKS2); id++)
                if (read_token(v, id, &hint) == 0 && strcmp(hint.resource, resource) == 0) {
                        found.tokens |= UINT32_C(1) << id;
                        found.keyslots |= hint.keyslots;
                }
        /* A keyslot that another token uses as well, whatever its type, is not ours to destroy. */
        for (int id = 0; id < crypt_token_max(CRYPT_LUKS2); id++)
                for (int slot = 0; slot < LUKS2_KEYSLOTS_MAX; slot++)
                        if (!(found.tokens & UINT32_C(1) << id) && crypt_token_is_assigned(v->cd, id, slot) == 0)
                                found.keyslots &= ~(UINT32_C(1) << slot);
        v->said[0] = 0;
        return found;
}

static int add_keyslot(Volume *v, const EnrollRequest *q, int *ret_slot, Error *e) {
        const struct crypt_pbkdf_type pbkdf = {
                .type = CRYPT_KDF_PBKDF2,
                .hash = "sha256",
                .iterations = PBKDF_ITERATIONS,
                .flags = CRYPT_PBKDF_NO_BENCHMARK,
        };
        int r;

        r = crypt_set_pbkdf_type(v->cd, &pbkdf);
        if (r == 0)
                r = crypt_keyslot_set_encryption(v->cd, AREA_CIPHER, AREA_KEY_SIZE);
        if (r < 0)
                return failed(v, r, "keyslot-failed", "The keyslot's parameters are refused", e);
        r = crypt_keyslot_add_by_passphrase(v->cd, CRYPT_ANY_SLOT, (const char *) q->unlock->bytes, q->unlock->len,
                                            (const char *) q->key->bytes, q->key->len);
        if (r == -EPERM)
                return error_set(e, r, "unlock-denied", "The volume does not open with the passphrase or key given");
        if (r < 0)
                return failed(v, r, "keyslot-failed", "No keyslot can be added", e);
        *ret_slot = r;
        return 0;
}

static int try_keyslot(Volume *v, const EnrollRequest *q, int slot, Error *e) {
        int r = crypt_activate_by_passphrase(v->cd, NULL, slot, (const char *) q->key->bytes, q->key->len, 0);

        if (r != slot)
                return failed(v, r < 0 ? r : -EIO, "keyslot-failed", "The new keyslot does not open", e);
        return check_header(v, e);
}

/* The first earlier token is replaced where it stands, in one header write. */
static int set_token(Volume *v, const EnrollRequest *q, const Earlier *earlier, EnrollResult *result, Error *e) {
        int id = earlier->tokens ? __builtin_ctz(earlier->tokens) : CRYPT_ANY_TOKEN;
        AUTO_FREE char *json = NULL;
        int r;

        r = token_json_format(q->resource, (unsigned) result->keyslot, &json, e);
        if (r < 0)
                return r;
        r = crypt_token_json_set(v->cd, id, json);
        if (r < 0)
                return failed(v, r, "token-failed", "The token cannot be written", e);
        result->token = r;
        return 0;
}

static void undo_keyslot(Volume *v, int slot, Error *e) {
        if (crypt_keyslot_destroy(v->cd, slot) < 0)
                error_prefix(e, "Keyslot %d stays behind, unused", slot);
}

/* Up to here everything can be undone; afterwards the volume is enrolled. */
static int put_in(Volume *v, const EnrollRequest *q, const Earlier *earlier, EnrollResult *result, Error *e) {
        int r = add_keyslot(v, q, &result->keyslot, e);

        if (r < 0)
                return r;
        r = try_keyslot(v, q, result->keyslot, e);
        if (r == 0)
                r = set_token(v, q, earlier, result, e);
        if (r < 0)
                undo_keyslot(v, result->keyslot, e);
        return r;
}

static void remove_token(Volume *v, int id, EnrollResult *result) {
        int r = crypt_token_json_set(v->cd, id, NULL);

        if (r < 0)
                (void) failed(v, r, "leftover", "Enrolled, but an earlier token stays behind", &result->leftover);
}

static void remove_keyslot(Volume *v, int slot, EnrollResult *result) {
        int r = crypt_keyslot_destroy(v->cd, slot);

        if (r < 0)
                (void) failed(v, r, "leftover", "Enrolled, but an earlier keyslot stays behind", &result->leftover);
        else
                result->removed_keyslots |= UINT32_C(1) << slot;
}

static void remove_earlier(Volume *v, const Earlier *earlier, EnrollResult *result) {
        for (int i = 0; i < 32; i++) {
                if (earlier->tokens & UINT32_C(1) << i && i != result->token)
                        remove_token(v, i, result);
                if (earlier->keyslots & UINT32_C(1) << i && i != result->keyslot)
                        remove_keyslot(v, i, result);
        }
}

static int enroll(Volume *v, const EnrollRequest *q, EnrollResult *result, Error *e) {
        const char *uuid = crypt_get_uuid(v->cd);
        Earlier earlier;
        int r;

        (void) snprintf(result->uuid, sizeof(result->uuid), "%s", uuid ? uuid : "");
        r = check_header(v, e);
        if (r < 0)
                return r;
        earlier = find_earlier(v, q->resource);
        if (earlier.tokens && !q->replace)
                return error_set(e, -EEXIST, "enrolled-already", "Token %d already names %s; --replace replaces it",
                                 __builtin_ctz(earlier.tokens), q->resource);
        r = put_in(v, q, &earlier, result, e);
        if (r == 0)
                remove_earlier(v, &earlier, result);
        return r;
}

int enroll_volume(const EnrollRequest *request, EnrollResult *ret, Error *e) {
        CLEANUP(volume_done) Volume v = {};
        EnrollResult result = {};
        sigset_t ending, before;
        int r;

        r = open_volume(request->device, &v, e);
        if (r < 0)
                return r;
        (void) sigemptyset(&ending);
        (void) sigaddset(&ending, SIGINT);
        (void) sigaddset(&ending, SIGTERM);
        (void) sigaddset(&ending, SIGHUP);
        (void) sigaddset(&ending, SIGQUIT);
        (void) sigprocmask(SIG_BLOCK, &ending, &before);
        r = enroll(&v, request, &result, e);
        (void) sigprocmask(SIG_SETMASK, &before, NULL);
        if (r == 0)
                *ret = result;
        return r;
}
