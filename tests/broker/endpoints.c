/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What the three requests of the protocol do. Answers follow confidential-containers/trustee, kbs/src: statuses and
 * bodies of error.rs (nearly everything is 401, and the cause of a refused attestation is not told), the session
 * states of attestation/mod.rs, the order of checks of api_server.rs.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/json.h"
#include "base/secret.h"
#include "base/text.h"
#include "base/writer.h"
#include "tests/broker/appraise.h"
#include "tests/broker/broker-internal.h"
#include "tests/broker/claims.h"
#include "tests/broker/message.h"
#include "tests/broker/policy.h"
#include "tests/broker/seal.h"

#define ERROR_TYPE_PREFIX "https://github.com/confidential-containers/kbs/errors/"
#define JSON_TYPE "application/json"
#define EXPIRED_TOKEN_AGE 7200

void broker_answer_error(HttpAnswer *answer, const char *variant, const char *fmt, ...) {
        bool not_found = strcmp(variant, "PluginNotFound") == 0 || strcmp(variant, "InvalidRequestPath") == 0;
        AUTO_WRITER Writer w = wr_init(4096);
        char detail[1024];
        va_list ap;

        va_start(ap, fmt);
        (void) vsnprintf(detail, sizeof(detail), fmt, ap);
        va_end(ap);
        wr_str(&w, "{\"type\":\"" ERROR_TYPE_PREFIX);
        wr_str(&w, variant);
        wr_str(&w, "\",\"detail\":");
        broker_canonical_string(&w, detail);
        wr_str(&w, "}");
        http_answer_set(answer, not_found ? 404 : 401, JSON_TYPE, w.data, w.size);
}

static const struct BrokerFault *fault(const Broker *b, BrokerEndpoint where, BrokerFaultKind kind) {
        return broker_mischief_fault(&b->mischief, where, kind);
}

static void set_cookie(HttpAnswer *answer, const BrokerSession *session) {
        char cookie[128];

        broker_session_cookie(session, cookie, sizeof(cookie));
        http_answer_header(answer, "Set-Cookie", cookie);
}

/* Challenges no guest should accept, chosen by name; the sound one for any other name. */
static void write_challenge(Writer *w, const BrokerSession *session, const char *kind, const char *extra) {
        if (strcmp(kind, "array") == 0) {
                wr_str(w, "[]");
                return;
        }
        wr_str(w, "{");
        if (strcmp(kind, "number-nonce") == 0)
                wr_str(w, "\"nonce\":42,");
        else if (strcmp(kind, "long-nonce") == 0) {
                wr_str(w, "\"nonce\":\"");
                for (int i = 0; i < 20000; i++)
                        wr_u8(w, 'A');
                wr_str(w, "\",");
        } else if (strcmp(kind, "no-nonce") != 0) {
                wr_str(w, "\"nonce\":");
                broker_canonical_string(w, session->nonce);
                wr_str(w, ",");
        }
        wr_str(w, "\"extra-params\":");
        if (strcmp(kind, "hash-number") == 0)
                wr_str(w, "{\"selected-hash-algorithm\":512}");
        else if (extra) {
                wr_str(w, "{\"selected-hash-algorithm\":");
                broker_canonical_string(w, extra);
                wr_str(w, "}");
        } else
                wr_str(w, "\"\"");
        wr_str(w, "}");
}

static void answer_challenge(Broker *b, const BrokerSession *session, HttpAnswer *answer) {
        const struct BrokerFault *challenge = fault(b, BROKER_AUTH, BROKER_FAULT_CHALLENGE);
        const struct BrokerFault *hash = fault(b, BROKER_AUTH, BROKER_FAULT_HASH);
        AUTO_WRITER Writer w = wr_init(64u * 1024u);

        write_challenge(&w, session, challenge ? challenge->argument : "", hash ? hash->argument : NULL);
        http_answer_set(answer, 200, JSON_TYPE, w.data, w.size);
        if (!fault(b, BROKER_AUTH, BROKER_FAULT_NO_COOKIE))
                set_cookie(answer, session);
}

void broker_auth(Broker *b, const HttpRequest *request, HttpAnswer *answer) {
        const struct BrokerFault *hash = fault(b, BROKER_AUTH, BROKER_FAULT_HASH);
        static const char failed[] = "Attestation error: RCAR handshake Auth failed";
        BrokerSession *session;
        BrokerRequest message;
        Error e = {};
        int r = broker_request_parse(request->body, request->body_size, &message, &e);

        if (r == 0 && (!broker_version_is_accepted(message.version) ||
                       fault(b, BROKER_AUTH, BROKER_FAULT_WRONG_VERSION)))
                r = error_set(&e, -EPROTO, "version",
                              "KBS Client Protocol Version Mismatch: expect =" BROKER_PROTOCOL_VERSION
                              " while the request is %s", message.version);
        if (r == 0)
                r = broker_session_new(&b->sessions, message.tee, hash ? hash->argument : "sha384", &session, &e);
        if (r < 0) {
                broker_journal_line(&b->journal, "decision=auth verdict=deny reason=\"%s\"", error_text(&e, r));
                broker_answer_error(answer, "AttestationError", "%s: %s", failed, error_text(&e, r));
                return;
        }
        broker_journal_line(&b->journal, "decision=auth verdict=allow tee=%s nonce=%s session=%s", session->tee,
                            session->nonce, session->id);
        answer_challenge(b, session, answer);
}

static void answer_token(Broker *b, const BrokerSession *session, HttpAnswer *answer) {
        const char *token = fault(b, BROKER_ATTEST, BROKER_FAULT_BAD_TOKEN) ? "no.token" : session->token;
        AUTO_WRITER Writer w = wr_init(2 * BROKER_TOKEN_MAX);

        wr_str(&w, "{");
        if (!fault(b, BROKER_ATTEST, BROKER_FAULT_NO_TOKEN)) {
                wr_str(&w, "\"token\":");
                broker_canonical_string(&w, token);
        }
        wr_str(&w, "}");
        http_answer_set(answer, 200, JSON_TYPE, w.data, w.size);
        set_cookie(answer, session);
}

/* Every reason is one line here and the same four words to the guest. */
static void refuse_attest(Broker *b, const char *session, const char *reason, const char *detail, HttpAnswer *answer) {
        broker_journal_line(&b->journal, "decision=attest verdict=deny reason=%s session=%s%s%s%s", reason, session,
                            detail ? " detail=\"" : "", detail ? detail : "", detail ? "\"" : "");
        broker_answer_error(answer, "AttestationError", "Attestation error: RCAR handshake Attest failed");
}

/* Says in the journal whose nonce it was, if it was ours: that is what a replay looks like. */
static bool nonce_is_fresh(Broker *b, const BrokerSession *session, const char *nonce, HttpAnswer *answer) {
        const BrokerSession *owner;
        char detail[96];

        if (broker_journal_claim(&b->journal, session->id, "nonce", strcmp(session->nonce, nonce) == 0, session->nonce,
                                 nonce))
                return true;
        owner = broker_session_of_nonce(&b->sessions, nonce);
        (void) snprintf(detail, sizeof(detail), "nonce was given to session %s", owner ? owner->id : "unknown");
        refuse_attest(b, session->id, owner ? "stale-nonce" : "unknown-nonce", owner ? detail : NULL, answer);
        return false;
}

static int appraise_session(Broker *b, BrokerSession *session, const BrokerAttestation *attestation,
                            BrokerAppraisal *appraisal, Error *e) {
        AUTO_JSON json_object *payload = NULL;
        BrokerPolicy policy;
        time_t now = time(NULL), age = fault(b, BROKER_ATTEST, BROKER_FAULT_EXPIRED) ? EXPIRED_TOKEN_AGE : 0;
        int r = broker_policy_load(b->policy, &policy, e);

        if (r < 0)
                return r;
        broker_appraise(&(BrokerAppraiser){ .journal = &b->journal,
                                            .collateral = &b->collateral,
                                            .trust = b->trust,
                                            .policy = &policy },
                        session, attestation, appraisal);
        if (!appraisal->authentic)
                return error_set(e, -EKEYREJECTED, appraisal->failed ? appraisal->failed : "evidence",
                                 "The evidence is not accepted");
        r = broker_claims(appraisal, attestation, &payload);
        if (r < 0)
                return error_oom(e);
        return broker_token_issue(&b->signer, payload, now - age, now - age + (time_t) b->token_seconds,
                                  &session->token, e);
}

void broker_attest(Broker *b, const HttpRequest *request, HttpAnswer *answer) {
        BrokerSession *session = broker_session_find(&b->sessions, http_request_cookie(request, BROKER_COOKIE_NAME));
        AUTO_BROKER_ATTESTATION BrokerAttestation attestation = {};
        BrokerAppraisal appraisal = {};
        Error e = {};
        int r;

        if (!session) {
                refuse_attest(b, "none", "no-session", NULL, answer);
                return;
        }
        r = broker_attestation_parse(request->body, request->body_size, &attestation, &e);
        if (r < 0) {
                refuse_attest(b, session->id, "malformed-message", error_text(&e, r), answer);
                return;
        }
        if (session->token) { /* attested before: the same token again, and no verification */
                broker_journal_line(&b->journal, "decision=attest verdict=repeat session=%s", session->id);
                answer_token(b, session, answer);
                return;
        }
        if (!nonce_is_fresh(b, session, attestation.nonce, answer))
                return;
        r = appraise_session(b, session, &attestation, &appraisal, &e);
        if (r < 0) {
                refuse_attest(b, session->id, error_reason(&e, r), error_text(&e, r), answer);
                return;
        }
        broker_journal_line(&b->journal, "decision=attest verdict=allow status=%s denied=%s session=%s",
                            appraisal.denied[0] ? "contraindicated" : "affirming",
                            appraisal.denied[0] ? appraisal.denied : "none", session->id);
        answer_token(b, session, answer);
}

static void refuse_resource(Broker *b, const char *path, const char *session, const char *reason, const char *variant,
                            const char *text, HttpAnswer *answer) {
        broker_journal_line(&b->journal, "decision=resource resource=%s verdict=deny reason=%s session=%s", path,
                            reason, session);
        broker_answer_error(answer, variant, "%s", text);
}

/* An attested session's token comes first, a bearer token second. */
static const char *find_token(Broker *b, const HttpRequest *request, const char **ret_session) {
        const char *authorization = http_request_header(request, "Authorization");
        const char *cookie = http_request_cookie(request, BROKER_COOKIE_NAME);
        const BrokerSession *session = broker_session_find(&b->sessions, cookie);

        *ret_session = "bearer";
        if (session && session->token) {
                *ret_session = session->id;
                return session->token;
        }
        if (authorization && text_starts_with(authorization, "Bearer "))
                return authorization + strlen("Bearer ");
        *ret_session = "none";
        return NULL;
}

/* Trustee, plugins/implementations/resource/backend.rs: three segments of [a-zA-Z0-9_-]+[a-zA-Z0-9_.-]*. */
static bool resource_path_is_valid(const char *path) {
        static const char word[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";
        const char *p = path;

        for (int i = 0; i < 3; i++) {
                size_t n = strspn(p, word);

                if (n == 0 || p[0] == '.' || p[n] != (i < 2 ? '/' : 0))
                        return false;
                p += n + 1;
        }
        return strlen(path) < 384;
}

static int read_resource(const Broker *b, const char *path, Secret *ret, Error *e) {
        AUTO_FREE char *file = NULL;
        AUTO_FD int fd = -1;
        struct stat st;

        if (!resource_path_is_valid(path))
                return error_set(e, -EINVAL, "illegal-name", "'%s' is no resource path", path);
        if (asprintf(&file, "%s/%s", b->resources, path) < 0)
                return error_oom(e);
        fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY);
        if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
                return error_set(e, -ENOENT, "no-such-resource", "No file %s", file);
        return st.st_size == 0 ? 0 : secret_read_fd(fd, SECRET_MAX, ret, e); /* an empty resource stays a NULL Secret */
}

static BrokerSealFlaw chosen_flaw(const Broker *b) {
        static const struct {
                BrokerFaultKind kind;
                BrokerSealFlaw flaw;
        } flaws[] = {
                { BROKER_FAULT_BAD_TAG, BROKER_SEAL_BAD_TAG },     { BROKER_FAULT_BAD_ALG, BROKER_SEAL_BAD_ALG },
                { BROKER_FAULT_BAD_ENC, BROKER_SEAL_BAD_ENC },     { BROKER_FAULT_BAD_EPK, BROKER_SEAL_BAD_EPK },
                { BROKER_FAULT_NO_IV, BROKER_SEAL_NO_IV },         { BROKER_FAULT_OTHER_KEY, BROKER_SEAL_OTHER_KEY },
        };

        for (size_t i = 0; i < N_ELEMENTS(flaws); i++)
                if (fault(b, BROKER_RESOURCE, flaws[i].kind))
                        return flaws[i].flaw;
        return BROKER_SEAL_SOUND;
}

static void release_resource(Broker *b, const char *path, const char *session, json_object *payload,
                             HttpAnswer *answer) {
        AUTO_SECRET Secret secret = {};
        AUTO_BLOB Blob jwe = {};
        BrokerTeeKey key;
        Error e = {};
        int r = read_resource(b, path, &secret, &e);

        if (r < 0) {
                refuse_resource(b, path, session, error_reason(&e, r), "PluginInternalError", "Plugin internal error",
                                answer);
                return;
        }
        r = broker_token_key(payload, &key, &e);
        if (r == 0)
                r = broker_seal(&key, secret.bytes, secret.len, chosen_flaw(b), &jwe, &e);
        if (r < 0) {
                refuse_resource(b, path, session, error_reason(&e, r), "JweError", "JWE failed", answer);
                return;
        }
        broker_journal_line(&b->journal, "decision=resource resource=%s verdict=allow session=%s", path, session);
        http_answer_set(answer, 200, JSON_TYPE, jwe.data, jwe.size);
}

/* Resource rule first, then the guest's standing. NULL: allowed; else the reason. */
static const char *policy_objection(Broker *b, const char *path, json_object *payload, char *buf, size_t size) {
        const struct BrokerRule *rule;
        BrokerPolicy policy;
        const char *denied;

        if (broker_policy_load(b->policy, &policy, NULL) < 0)
                return "no-policy";
        rule = broker_policy_rule(&policy, path);
        if (!rule)
                return "no-rule";
        if (!rule->allow)
                return "rule";
        if (broker_token_is_affirming(payload, &denied))
                return NULL;
        (void) snprintf(buf, size, "claims:%s", denied);
        return buf;
}

void broker_resource(Broker *b, const HttpRequest *request, const char *path, HttpAnswer *answer) {
        AUTO_JSON json_object *payload = NULL;
        const char *session, *token = find_token(b, request, &session), *objection;
        char buf[BROKER_DENIED_MAX + 16];
        int r;

        if (!token) {
                refuse_resource(b, path, session, "no-token", "TokenNotFound", "Attestation Token not found", answer);
                return;
        }
        r = broker_token_verify(&b->signer, token, time(NULL), &payload, NULL);
        if (r == 0 && fault(b, BROKER_RESOURCE, BROKER_FAULT_EXPIRED))
                r = -ESTALE;
        if (r < 0) {
                refuse_resource(b, path, session, r == -ESTALE ? "token-expired" : "token-not-ours",
                                "TokenVerifierError", "Token Verifier error", answer);
                return;
        }
        objection = policy_objection(b, path, payload, buf, sizeof(buf));
        if (objection) {
                refuse_resource(b, path, session, objection, "PolicyDeny", "Access denied by policy", answer);
                return;
        }
        release_resource(b, path, session, payload, answer);
}
