/* SPDX-License-Identifier: Apache-2.0 */
#include "keybroker-client/session.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "keybroker-client/client.h"
#include "keybroker-client/jwe.h"

#define HTTP_OK 200

struct KbcSession {
        unsigned n_refs;
        KbcTeeKey *key; /* owned */
        char id[KBC_SESSION_ID_MAX + 1];
        uint64_t attested_at_usec, expires_at_usec;
};

int kbc_session_new(KbcTeeKey *key, const char *id, uint64_t now_usec, uint64_t lifetime_usec, KbcSession **ret,
                    Error *e) {
        KbcSession *s;

        if (!id[0] || strlen(id) > KBC_SESSION_ID_MAX)
                return error_set(e, -EINVAL, "session-id", "Session identifier is empty or too long");
        s = calloc(1, sizeof(*s));
        if (!s)
                return error_oom(e);
        s->n_refs = 1;
        s->key = key;
        (void) strcpy(s->id, id);
        s->attested_at_usec = now_usec;
        s->expires_at_usec = now_usec + lifetime_usec;
        *ret = s;
        return 0;
}

KbcSession *kbc_session_ref(KbcSession *s) {
        s->n_refs++;
        return s;
}

KbcSession *kbc_session_unref(KbcSession *s) {
        if (!s || --s->n_refs > 0)
                return NULL;
        kbc_tee_key_free(s->key);
        explicit_bzero(s, sizeof(*s));
        free(s);
        return NULL;
}

bool kbc_session_is_live(const KbcSession *s, uint64_t now_usec) {
        return s && now_usec < s->expires_at_usec;
}

uint64_t kbc_session_attested_at_usec(const KbcSession *s) {
        return s->attested_at_usec;
}

uint64_t kbc_session_expires_at_usec(const KbcSession *s) {
        return s->expires_at_usec;
}

char *kbc_session_cookie(const char *id) {
        char *cookie = NULL;

        return asprintf(&cookie, "kbs-session-id=%s", id) < 0 ? NULL : cookie;
}

bool kbc_resource_path_is_valid(const char *path) {
        return text_is_resource_path(path);
}

int kbc_session_request(const KbcSession *s, const char *path, KbcMessage *ret, Error *e) {
        AUTO_MESSAGE KbcMessage m = { .reply_max = KBC_JWE_MAX };

        if (!kbc_resource_path_is_valid(path))
                return error_set(e, -EINVAL, "resource-path", "'%s' is not the name of a resource", path);
        if (asprintf(&m.path, "/kbs/v0/resource/%s", path) < 0) {
                m.path = NULL;
                return error_oom(e);
        }
        m.cookie = kbc_session_cookie(s->id);
        if (!m.cookie)
                return error_oom(e);
        *ret = kbc_message_take(&m);
        return 0;
}

int kbc_session_open(const KbcSession *s, const KbcReply *reply, Secret *ret, KbcRemedy *ret_remedy, Error *e) {
        AUTO_SECRET Secret secret = {};
        int r;

        if (reply->status != HTTP_OK)
                return kbc_problem_classify(KBC_STEP_RESOURCE, reply, ret_remedy, e);
        *ret_remedy = KBC_REMEDY_NONE;
        r = kbc_jwe_open(reply->body, reply->size, s->key, &secret, e);
        if (r < 0)
                return r;
        if (secret.len == 0)
                return error_set(e, -EBADMSG, "resource-empty", "The resource is empty");
        *ret = secret_take(&secret);
        return 0;
}
