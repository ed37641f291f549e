/* SPDX-License-Identifier: Apache-2.0 */
#include "keybroker-client/rcar.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/writer.h"
#include "keybroker-client/jcs.h"

#define HTTP_OK 200
#define TEE_NAME_MAX 32
#define TEE_NAME_CHARS "abcdefghijklmnopqrstuvwxyz0123456789-"
/* Both alphabets of base64; none of these characters needs an escape in JSON. */
#define NONCE_CHARS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=_-"
#define SNP_REPORT_DATA_SIZE 64

/* Devices beside the TEE itself; we have none. */
#define ADDITIONAL_EVIDENCE ""

struct KbcRcar {
        KbcRcarState state;
        char tee[TEE_NAME_MAX + 1];
        KbcTeeKey *key;   /* owned until the session takes it */
        json_object *jwk; /* its public part: hashed and sent, the same object both times */
        char nonce[KBC_NONCE_MAX + 1];
        char session_id[KBC_SESSION_ID_MAX + 1];
};

void kbc_rcar_output_done(KbcRcarOutput *o) {
        kbc_message_done(&o->message);
        (void) kbc_session_unref(o->session);
        *o = (KbcRcarOutput){};
}

int kbc_rcar_new(const char *tee, KbcTeeAlg alg, KbcRcar **ret, Error *e) {
        CLEANUP(kbc_rcar_freep) KbcRcar *m = NULL;
        int r;

        if (!tee[0] || strlen(tee) > TEE_NAME_MAX || tee[strspn(tee, TEE_NAME_CHARS)])
                return error_set(e, -EINVAL, "tee-name", "'%s' is not the name of a TEE type", tee);
        m = calloc(1, sizeof(*m));
        if (!m)
                return error_oom(e);
        (void) strcpy(m->tee, tee);
        r = kbc_tee_key_generate(alg, &m->key, e);
        if (r == 0)
                r = kbc_tee_key_to_jwk(m->key, &m->jwk, e);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(m);
        return 0;
}

void kbc_rcar_free(KbcRcar *m) {
        if (!m)
                return;
        kbc_tee_key_free(m->key);
        (void) json_object_put(m->jwk);
        explicit_bzero(m, sizeof(*m));
        free(m);
}

KbcRcarState kbc_rcar_state(const KbcRcar *m) {
        return m->state;
}

const char *kbc_rcar_state_name(KbcRcarState state) {
        static const char *const names[KBC_RCAR_N_STATES] = { "start",    "waiting for the challenge",
                                                              "gathering evidence", "waiting for the verdict",
                                                              "done",     "failed" };

        return state < KBC_RCAR_N_STATES ? names[state] : "unknown";
}

/* A POST of what @w holds. @cookie is taken. */
static int make_post(const char *path, char *cookie, Writer *w, size_t reply_max, KbcMessage *ret, Error *e) {
        AUTO_MESSAGE KbcMessage m = { .post = true, .cookie = cookie, .reply_max = reply_max };
        int r;

        m.path = strdup(path);
        if (!m.path)
                return error_oom(e);
        r = wr_finish(w, &m.body);
        if (r < 0)
                return error_set(e, r, "request-too-large", "Request to the broker does not fit: %s",
                                 error_text(NULL, r));
        *ret = kbc_message_take(&m);
        return 0;
}

/* The hash algorithms are a wish of ours that servers ignore for all TEE types but one; still we name what we can. */
static int send_request(KbcRcar *m, const KbcRcarInput *in, KbcRcarOutput *out, Error *e) {
        AUTO_WRITER Writer w = wr_init(KBC_CHALLENGE_MAX);

        (void) in;
        wr_str(&w, "{\"version\":\"" KBC_PROTOCOL_VERSION "\",\"tee\":");
        kbc_jcs_string(&w, m->tee, strlen(m->tee));
        wr_str(&w, ",\"extra-params\":{\"supported-hash-algorithms\":[\"sha256\",\"sha384\",\"sha512\"]}}");
        return make_post("/kbs/v0/auth", NULL, &w, KBC_PROBLEM_MAX, &out->message, e);
}

/* "extra-params" is "" for most TEE types; only in an object can there be a choice of the hash. */
static int parse_hash(json_object *challenge, KbcHash *ret, Error *e) {
        json_object *extra, *name;

        if (!json_object_object_get_ex(challenge, "extra-params", &extra) ||
            !json_object_is_type(extra, json_type_object) ||
            !json_object_object_get_ex(extra, "selected-hash-algorithm", &name))
                return 0;
        if (!json_object_is_type(name, json_type_string))
                return error_set(e, -EBADMSG, "json-type", "Member 'selected-hash-algorithm' is not a string");
        return kbc_hash_from_name(json_object_get_string(name), ret, e);
}

static int parse_challenge(KbcRcar *m, const KbcReply *reply, KbcHash *ret_hash, Error *e) {
        AUTO_JSON json_object *o = NULL;
        const char *nonce;
        int r;

        if (reply->size > KBC_CHALLENGE_MAX)
                return error_set(e, -E2BIG, "reply-too-large", "Challenge exceeds the limit of %u bytes",
                                 KBC_CHALLENGE_MAX);
        r = json_parse(reply->body, reply->size, "Challenge", &o, e);
        if (r == 0)
                r = json_get_str(o, "nonce", KBC_NONCE_MAX, &nonce, e);
        if (r < 0)
                return r;
        if (strlen(nonce) < KBC_NONCE_MIN || nonce[strspn(nonce, NONCE_CHARS)])
                return error_set(e, -EBADMSG, "challenge-nonce", "Nonce of the challenge is too short or not base64");
        r = parse_hash(o, ret_hash, e);
        if (r < 0)
                return r;
        if (!reply->session[0])
                return error_set(e, -EBADMSG, "challenge-cookie", "Challenge comes without a usable session cookie");
        (void) strcpy(m->nonce, nonce);
        (void) strcpy(m->session_id, reply->session);
        return 0;
}

static int take_challenge(KbcRcar *m, const KbcRcarInput *in, KbcRcarOutput *out, Error *e) {
        KbcHash hash = KBC_HASH_SHA384;
        int r;

        if (in->reply->status != HTTP_OK)
                return kbc_problem_classify(KBC_STEP_AUTH, in->reply, &out->remedy, e);
        r = parse_challenge(m, in->reply, &hash, e);
        if (r == 0)
                r = kbc_report_data(hash, m->nonce, m->jwk, ADDITIONAL_EVIDENCE, &out->report_data, e);
        if (r < 0)
                return r;
        out->report_data_size =
                strcmp(m->tee, "snp") == 0 ? SNP_REPORT_DATA_SIZE : out->report_data.digest_size;
        return 0;
}

static int send_attestation(KbcRcar *m, const KbcRcarInput *in, KbcRcarOutput *out, Error *e) {
        AUTO_WRITER Writer w = wr_init(KBC_ATTESTATION_MAX);
        char *cookie;
        int r;

        wr_str(&w, "{\"init-data\":null,\"runtime-data\":{\"nonce\":");
        kbc_jcs_string(&w, m->nonce, strlen(m->nonce));
        wr_str(&w, ",\"tee-pubkey\":");
        r = kbc_jcs_write(m->jwk, &w, e);
        if (r < 0)
                return r;
        wr_str(&w, "},\"tee-evidence\":{\"primary_evidence\":");
        wr_bytes(&w, in->evidence->json.data, in->evidence->json.size);
        wr_str(&w, ",\"additional_evidence\":");
        kbc_jcs_string(&w, ADDITIONAL_EVIDENCE, strlen(ADDITIONAL_EVIDENCE));
        wr_str(&w, "}}");
        cookie = kbc_session_cookie(m->session_id);
        if (!cookie)
                return error_oom(e);
        return make_post("/kbs/v0/attest", cookie, &w, KBC_RESPONSE_MAX, &out->message, e);
}

static int parse_token(const KbcReply *reply, uint64_t *ret_lifetime_usec, Error *e) {
        AUTO_JSON json_object *o = NULL;
        const char *token;
        int r;

        r = json_parse(reply->body, reply->size, "Answer to the attestation", &o, e);
        if (r == 0)
                r = json_get_str(o, "token", KBC_TOKEN_MAX, &token, e);
        if (r == 0)
                r = kbc_token_lifetime(token, strlen(token), ret_lifetime_usec, e);
        return r;
}

static int take_token(KbcRcar *m, const KbcRcarInput *in, KbcRcarOutput *out, Error *e) {
        const char *id = in->reply->session[0] ? in->reply->session : m->session_id;
        uint64_t lifetime;
        int r;

        if (in->reply->status != HTTP_OK)
                return kbc_problem_classify(KBC_STEP_ATTEST, in->reply, &out->remedy, e);
        r = parse_token(in->reply, &lifetime, e);
        if (r < 0)
                return r;
        r = kbc_session_new(m->key, id, in->now_usec, lifetime, &out->session, e);
        if (r < 0)
                return r;
        m->key = NULL; /* is the session's now */
        return 0;
}

static const struct {
        KbcRcarState state;
        KbcRcarEvent event;
        int (*action)(KbcRcar *m, const KbcRcarInput *in, KbcRcarOutput *out, Error *e);
        KbcRcarState next;
} transitions[] = {
        { KBC_RCAR_START, KBC_RCAR_ON_BEGIN, send_request, KBC_RCAR_CHALLENGE },
        { KBC_RCAR_CHALLENGE, KBC_RCAR_ON_REPLY, take_challenge, KBC_RCAR_EVIDENCE },
        { KBC_RCAR_EVIDENCE, KBC_RCAR_ON_EVIDENCE, send_attestation, KBC_RCAR_TOKEN },
        { KBC_RCAR_TOKEN, KBC_RCAR_ON_REPLY, take_token, KBC_RCAR_DONE },
};

int kbc_rcar_step(KbcRcar *m, KbcRcarEvent event, const KbcRcarInput *in, KbcRcarOutput *out, Error *e) {
        KbcRcarState before = m->state;

        m->state = KBC_RCAR_FAILED;
        for (size_t i = 0; i < N_ELEMENTS(transitions); i++) {
                int r;

                if (transitions[i].state != before || transitions[i].event != event)
                        continue;
                r = transitions[i].action(m, in, out, e);
                if (r == 0)
                        m->state = transitions[i].next;
                return r;
        }
        return error_set(e, -EPROTO, "handshake-order", "Handshake got an event that it did not wait for (%s)",
                         kbc_rcar_state_name(before));
}
