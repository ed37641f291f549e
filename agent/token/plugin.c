/* SPDX-License-Identifier: Apache-2.0 */

/*
 * libcryptsetup-token-snp-agent.so: the way of a disk key from the agent into cryptsetup, systemd-cryptsetup
 * and every other program that opens LUKS2 volumes through libcryptsetup (2.4 and later, external tokens).
 *
 * It runs inside those programs, as root: no threads, no signals, no standard output, no exit, no state
 * between calls, and every wait has an end. It judges the header before it asks for a key, and it judges the
 * metadata that libcryptsetup holds in memory, because that is what will be used: the host may rewrite
 * the disk in between.
 *
 * Return codes decide how libcryptsetup goes on: -ENOENT, -EPERM and -EINVAL to the next token, -EAGAIN likewise but
 * remembered as "not ready", anything else ends the search at once. We end it for a header that is not safe.
 */

#include <errno.h>
#include <libcryptsetup.h>
#include <stdlib.h>
#include <string.h>

#include "agent/token/key-request.h"
#include "agent/token/luks2-check.h"
#include "agent/token/token-json.h"
#include "agent/wire/wire.h"
#include "base/text.h"

#define EXPORT __attribute__((__visibility__("default")))

/* The agent gives up on a broker earlier than that; see its request timeout. */
#define ASK_TIMEOUT_USEC (90 * USEC_PER_SEC)
#define ASK_TIMEOUT_MAX_USEC (600 * USEC_PER_SEC)

/* Declared by libcryptsetup.h as function types only. */
int cryptsetup_token_open(struct crypt_device *cd, int token, char **ret_buffer, size_t *ret_len, void *userdata);
void cryptsetup_token_buffer_free(void *buffer, size_t len);
int cryptsetup_token_validate(struct crypt_device *cd, const char *json);
void cryptsetup_token_dump(struct crypt_device *cd, const char *json);
const char *cryptsetup_token_version(void);

/* Ignored in programs that run with more rights than their caller. */
static const char *socket_path(void) {
        const char *path = secure_getenv("SNP_AGENT_SOCKET");

        return path && *path ? path : WIRE_AGENT_SOCKET;
}

static Deadline ask_deadline(void) {
        const char *text = secure_getenv("SNP_AGENT_TIMEOUT");
        uint64_t usec;

        if (!text || text_to_usec(text, &usec) < 0 || usec > ASK_TIMEOUT_MAX_USEC)
                usec = ASK_TIMEOUT_USEC;
        return deadline_in(usec);
}

static void say(struct crypt_device *cd, int level, const Error *e, int r) {
        crypt_logf(cd, level, "snp-agent: %s\n", error_text(e, r));
}

/* The volume as libcryptsetup holds it in memory. */
static int check_header(struct crypt_device *cd, Luks2Volume *ret, Error *e) {
        const char *json;
        int r = crypt_dump_json(cd, &json, 0);

        if (r < 0)
                return error_set(e, r, "luks2-malformed", "Cannot read the LUKS2 header: %s", error_text(NULL, r));
        return luks2_check(json, strlen(json), ret, e);
}

static int read_token(struct crypt_device *cd, int token, const char **ret_json, Error *e) {
        TokenHint hint;
        const char *json;
        int r = crypt_token_json_get(cd, token, &json);

        if (r < 0)
                return error_set(e, -ENOENT, "token-type", "There is no token %d", token);
        r = token_json_parse(json, strlen(json), &hint, e);
        if (r < 0)
                return r == -ENOENT || r == -ENOMEM ? r : -EINVAL;
        *ret_json = json;
        return 0;
}

/*
 * The buffer that libcryptsetup gets is a secret's own locked memory, of exactly the length that it hands back to
 * cryptsetup_token_buffer_free().
 */
static int hand_over(const Secret *key, char **ret_buffer, size_t *ret_len, Error *e) {
        Secret out = {};
        int r = secret_alloc(key->len, &out, e);

        if (r < 0)
                return r;
        (void) memcpy(out.bytes, key->bytes, key->len);
        *ret_buffer = (char *) out.bytes;
        *ret_len = out.len;
        return 0;
}

static int ask(const KeyRequest *request, char **ret_buffer, size_t *ret_len, Error *e) {
        AUTO_SECRET Secret key = {};

        switch (key_request_run(socket_path(), request, ask_deadline(), &key, e)) {
        case KEY_RELEASED:
                return hand_over(&key, ret_buffer, ret_len, e);
        case KEY_NOT_READY:
                return -EAGAIN;
        case KEY_DENIED:
        default:
                return -EPERM;
        }
}

EXPORT int cryptsetup_token_open(struct crypt_device *cd, int token, char **ret_buffer, size_t *ret_len,
                                 void *userdata) {
        KeyRequest request = {};
        Luks2Volume volume = {};
        Error e = {};
        int r;

        (void) userdata;
        r = read_token(cd, token, &request.token_json, &e);
        if (r < 0) {
                say(cd, CRYPT_LOG_DEBUG, &e, r);
                return r;
        }
        r = check_header(cd, &volume, &e);
        if (r < 0) {
                error_prefix(&e, "No key is requested for this volume");
                say(cd, CRYPT_LOG_ERROR, &e, r);
                return -EBADMSG;
        }
        request.uuid = crypt_get_uuid(cd);
        request.device = crypt_get_device_name(cd);
        request.cipher = volume.cipher;
        r = ask(&request, ret_buffer, ret_len, &e);
        if (r < 0)
                say(cd, CRYPT_LOG_ERROR, &e, r);
        return r;
}

EXPORT void cryptsetup_token_buffer_free(void *buffer, size_t len) {
        Secret s = { .bytes = buffer, .len = len, .size = len };

        secret_done(&s);
}

EXPORT int cryptsetup_token_validate(struct crypt_device *cd, const char *json) {
        TokenHint hint;
        Error e = {};
        int r = token_json_parse(json, strlen(json), &hint, &e);

        if (r == 0)
                return 0;
        say(cd, CRYPT_LOG_DEBUG, &e, r);
        return -EINVAL;
}

EXPORT void cryptsetup_token_dump(struct crypt_device *cd, const char *json) {
        TokenHint hint;

        if (token_json_parse(json, strlen(json), &hint, NULL) == 0)
                crypt_logf(cd, CRYPT_LOG_NORMAL, "\tresource: %s\n", hint.resource);
}

EXPORT const char *cryptsetup_token_version(void) {
        return SNP_AGENT_VERSION;
}
