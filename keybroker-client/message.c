/* SPDX-License-Identifier: Apache-2.0 */
#include "keybroker-client/message.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/deadline.h"
#include "base/text.h"

#define SESSION_COOKIE "kbs-session-id="
#define SECONDS_DIGITS_MAX 7
#define SESSION_CHARS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-"

void kbc_message_done(KbcMessage *m) {
        free(m->path);
        free(m->cookie);
        blob_done(&m->body);
        *m = (KbcMessage){};
}

KbcMessage kbc_message_take(KbcMessage *m) {
        KbcMessage taken = *m;

        *m = (KbcMessage){};
        return taken;
}

static void wipe_body(KbcReply *r) {
        if (r->body)
                explicit_bzero(r->body, r->allocated);
        free(r->body);
}

void kbc_reply_forget_body(KbcReply *r) {
        wipe_body(r);
        r->body = NULL;
        r->size = r->allocated = 0;
}

void kbc_reply_done(KbcReply *r) {
        wipe_body(r);
        *r = (KbcReply){};
}

/* The text after "@name:" without the white space around it, or NULL when the line is another field. */
static const char *field_value(const char *line, size_t len, const char *name, size_t *ret_len) {
        size_t n = strlen(name);

        if (len <= n || strncasecmp(line, name, n) != 0 || line[n] != ':')
                return NULL;
        line += n + 1;
        len -= n + 1;
        for (; len > 0 && (line[0] == ' ' || line[0] == '\t'); len--)
                line++;
        while (len > 0 && strchr(" \t\r\n", line[len - 1]))
                len--;
        *ret_len = len;
        return line;
}

static void take_cookie(KbcReply *r, const char *value, size_t len) {
        size_t prefix = strlen(SESSION_COOKIE), n = 0;

        if (len < prefix || memcmp(value, SESSION_COOKIE, prefix) != 0)
                return;
        r->session[0] = 0;
        for (value += prefix, len -= prefix; n < len && value[n] && strchr(SESSION_CHARS, value[n]);)
                n++;
        if (n > KBC_SESSION_ID_MAX || (n < len && value[n] != ';'))
                return;
        (void) memcpy(r->session, value, n);
        r->session[n] = 0;
}

static void take_retry_after(KbcReply *r, const char *value, size_t len) {
        uint64_t v;

        if (len > KBC_RETRY_AFTER_TEXT_MAX || memchr(value, 0, len))
                return;
        (void) memcpy(r->retry_after, value, len);
        r->retry_after[len] = 0;
        if (len > SECONDS_DIGITS_MAX || text_to_u64(r->retry_after, 10, 0, UINT64_MAX, &v) < 0)
                return;
        r->has_retry_after = true;
        r->retry_after_usec = (v < KBC_RETRY_AFTER_MAX_SEC ? v : KBC_RETRY_AFTER_MAX_SEC) * USEC_PER_SEC;
}

int kbc_reply_header(KbcReply *r, const char *line, size_t len) {
        const char *value;
        size_t n;

        if (len > KBC_REPLY_HEADER_MAX - r->header_size)
                return -E2BIG;
        r->header_size += len;
        if (len >= 5 && memcmp(line, "HTTP/", 5) == 0) {
                r->session[0] = 0;
                r->has_retry_after = false;
                r->retry_after_usec = 0;
                r->retry_after[0] = 0;
        }
        value = field_value(line, len, "Set-Cookie", &n);
        if (value)
                take_cookie(r, value, n);
        value = field_value(line, len, "Retry-After", &n);
        if (value)
                take_retry_after(r, value, n);
        return 0;
}

int kbc_reply_append(KbcReply *r, const void *data, size_t n, size_t max) {
        if (r->size > max || n > max - r->size)
                return -E2BIG;
        if (n > r->allocated - r->size) {
                size_t want = r->size + n < max / 2 ? 2 * (r->size + n) : max;
                uint8_t *p = malloc(want);

                if (!p)
                        return -ENOMEM;
                if (r->size > 0)
                        (void) memcpy(p, r->body, r->size);
                wipe_body(r);
                r->body = p;
                r->allocated = want;
        }
        if (n > 0)
                (void) memcpy(r->body + r->size, data, n);
        r->size += n;
        return 0;
}
