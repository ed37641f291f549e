/* SPDX-License-Identifier: Apache-2.0 */
#include "keybroker-client/client.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "base/deadline.h"
#include "base/hex.h"
#include "tests/unit/keybroker-client/fake-kbs.h"
#include "tests/unit/unit.h"

#define FDS_MAX 32
#define PATIENCE (20 * USEC_PER_SEC)

/* A broker, a client, and how its evidence comes. */
typedef struct Stage {
        FakeKbs kbs;
        KbcClient *client;

        enum { AT_ONCE, LATER, FAILS, REFUSES } evidence;
        unsigned n_asked;
        char asked[8][129]; /* report data of each call */

        bool has_loop;
        struct pollfd fds[FDS_MAX];
        size_t n_fds;
        uint64_t timer_usec;
} Stage;

static void answer_evidence(Stage *s, unsigned call) {
        char text[256];
        KbcEvidence evidence = { .json = { (uint8_t *) text, 0 } };

        evidence.json.size = (size_t) snprintf(text, sizeof(text), "{\"report_data\":\"%s\"}", s->asked[call]);
        kbc_client_evidence_ready(s->client, &evidence);
}

static int give_evidence(void *userdata, const uint8_t *data, size_t size, Deadline deadline, Error *e) {
        Stage *s = userdata;
        Error own = {};

        ck_assert_uint_eq(size, 64);
        ck_assert(!deadline_expired(deadline));
        ck_assert_uint_lt(s->n_asked, N_ELEMENTS(s->asked));
        hex_encode_to(data, size, s->asked[s->n_asked++]);
        switch (s->evidence) {
        case AT_ONCE:
                answer_evidence(s, s->n_asked - 1);
                return 0;
        case LATER:
                return 0;
        case FAILS:
                (void) error_set(&own, -ENODEV, "no-device", "There is no such device");
                kbc_client_evidence_failed(s->client, -ENODEV, &own);
                return 0;
        case REFUSES:
        default:
                return error_set(e, -ESTALE, "stale", "Something is stale");
        }
}

static int set_fd(void *loop, int fd, unsigned what) {
        Stage *s = loop;
        size_t i = 0;

        while (i < s->n_fds && s->fds[i].fd != fd)
                i++;
        if (what == 0) {
                if (i < s->n_fds)
                        s->fds[i] = s->fds[--s->n_fds];
                return 0;
        }
        ck_assert_uint_lt(i, FDS_MAX);
        if (i == s->n_fds)
                s->n_fds++;
        s->fds[i] = (struct pollfd){
                .fd = fd,
                .events = (short) ((what & KBC_IO_IN ? POLLIN : 0) | (what & KBC_IO_OUT ? POLLOUT : 0)),
        };
        return 0;
}

static int set_timer(void *loop, uint64_t usec) {
        ((Stage *) loop)->timer_usec = usec == UINT64_MAX ? UINT64_MAX : now_monotonic_usec() + usec;
        return 0;
}

static const KbcLoopOps loop_ops = { set_fd, set_timer };

static void open_stage(Stage *s) {
        KbcClientConfig config = {
                .tee = "snp",
                .loop_ops = s->has_loop ? &loop_ops : NULL,
                .loop = s,
                .evidence = give_evidence,
                .evidence_userdata = s,
        };
        Error e = {};

        s->timer_usec = UINT64_MAX;
        fake_kbs_start(&s->kbs);
        config.url = tls_server_url(s->kbs.server);
        config.ca_file = tls_server_ca_file(s->kbs.server);
        ck_assert_msg(kbc_client_new(&config, &s->client, &e) == 0, "%s", e.text);
}

static void close_stage(Stage *s) {
        kbc_client_free(s->client);
        fake_kbs_stop(&s->kbs);
}

/* One round of a loop as programs have it. */
static void turn(Stage *s) {
        struct pollfd fds[FDS_MAX];
        size_t n = s->n_fds;
        uint64_t now = now_monotonic_usec();
        uint64_t wait = s->timer_usec > now ? s->timer_usec - now : 0;

        (void) memcpy(fds, s->fds, sizeof(fds));
        (void) poll(fds, n, wait > 20 * USEC_PER_MSEC ? 20 : (int) ((wait + 999) / 1000)); /* the test may want to look */
        if (s->timer_usec <= now_monotonic_usec()) {
                s->timer_usec = UINT64_MAX;
                kbc_client_on_timer(s->client);
                return; /* the descriptors may be others now */
        }
        for (size_t i = 0; i < n; i++)
                if (fds[i].revents) {
                        kbc_client_on_fd(s->client, fds[i].fd,
                                         (fds[i].revents & (POLLIN | POLLHUP | POLLERR) ? KBC_IO_IN : 0) |
                                                 (fds[i].revents & POLLOUT ? KBC_IO_OUT : 0));
                        return;
                }
}

typedef struct Result {
        Stage *stage;
        bool done, forbidden; /* a callback now would come from inside a function of ours */
        int r;
        char content[128];
        Error e;
        void (*then)(struct Result *result);
        KbcRequest *request;
        struct Result *other;
} Result;

static void take_result(void *userdata, int r, Secret *secret, const Error *e) {
        Result *result = userdata;

        ck_assert(!result->done && !result->forbidden);
        result->done = true;
        result->r = r;
        result->e = *e;
        ck_assert_int_eq(e->code, r);
        ck_assert_int_eq(r < 0, e->text[0] != 0);
        if (secret) {
                Secret taken = secret_take(secret);

                ck_assert_int_eq(r, 0);
                ck_assert_uint_lt(taken.len, sizeof(result->content));
                (void) memcpy(result->content, taken.bytes, taken.len);
                secret_done(&taken);
        }
        if (result->then)
                result->then(result);
}

static void ask_until(Stage *s, const char *path, Deadline deadline, Result *ret) {
        Error e = {};
        int r;

        ret->stage = s;
        ret->forbidden = true;
        if (path)
                r = kbc_client_get_resource(s->client, path, deadline, take_result, ret, &ret->request, &e);
        else
                r = kbc_client_attest(s->client, deadline, take_result, ret, &ret->request, &e);
        ck_assert_msg(r == 0, "%s", e.text);
        ret->forbidden = false;
}

static void ask(Stage *s, const char *path, Result *ret) {
        ask_until(s, path, deadline_in(PATIENCE), ret);
}

static void wait_for(Stage *s, const Result *result) {
        if (!s->has_loop) {
                ck_assert_int_eq(kbc_client_wait(s->client, deadline_in(PATIENCE), NULL), 0);
                ck_assert(result->done);
        }
        while (!result->done)
                turn(s);
}

/* Lets the client go on until its evidence source has been asked so often. */
static void turn_until_asked(Stage *s, unsigned n) {
        while (s->n_asked < n)
                turn(s);
}

static unsigned count(const Stage *s, KbsEndpoint at) {
        return s->kbs.n_requests[at];
}

START_TEST(resource_arrives_after_a_handshake) {
        Stage s = { .has_loop = _i & 1, .evidence = AT_ONCE };
        KbcClientStatus status;
        Result a = {}, b = {};

        open_stage(&s);
        kbc_client_get_status(s.client, &status);
        ck_assert(!status.attested && status.attested_at_usec == 0);
        ask(&s, "default/key/1", &a);
        wait_for(&s, &a);
        ck_assert_msg(a.r == 0, "%s", a.e.text);
        ck_assert_str_eq(a.content, "default/key/1");

        /* The session serves the next one too. */
        ask(&s, "default/key/2", &b);
        wait_for(&s, &b);
        ck_assert_str_eq(b.content, "default/key/2");
        ck_assert_uint_eq(count(&s, KBS_AUTH), 1);
        ck_assert_uint_eq(count(&s, KBS_RESOURCE), 2);
        ck_assert_uint_eq(tls_server_n_connections(s.kbs.server), 1);

        kbc_client_get_status(s.client, &status);
        ck_assert(status.attested);
        ck_assert_uint_eq(status.expires_at_usec - status.attested_at_usec, 300 * USEC_PER_SEC);
        ck_assert_uint_eq(status.n_handshakes, 1);
        ck_assert_uint_eq(status.n_resources, 2);
        ck_assert_uint_eq(status.n_failures, 0);
        ck_assert_int_eq(status.last_code, 0);
        close_stage(&s);
}
END_TEST

START_TEST(those_who_come_together_share_one_handshake) {
        Stage s = { .has_loop = true, .evidence = LATER };
        Result results[12] = {};

        open_stage(&s);
        for (size_t i = 0; i < 6; i++)
                ask(&s, "default/key/1", &results[i]);
        turn_until_asked(&s, 1);
        for (size_t i = 6; i < 11; i++) /* late, and still in time */
                ask(&s, "default/key/2", &results[i]);
        ask(&s, NULL, &results[11]);
        answer_evidence(&s, 0);
        for (size_t i = 0; i < N_ELEMENTS(results); i++) {
                wait_for(&s, &results[i]);
                ck_assert_int_eq(results[i].r, 0);
                ck_assert_str_eq(results[i].content, i < 6 ? "default/key/1" : i < 11 ? "default/key/2" : "");
        }
        ck_assert_uint_eq(count(&s, KBS_AUTH), 1);
        ck_assert_uint_eq(count(&s, KBS_ATTEST), 1);
        ck_assert_uint_eq(count(&s, KBS_RESOURCE), 11);
        close_stage(&s);
}
END_TEST

START_TEST(attesting_is_always_afresh) {
        Stage s = { .evidence = AT_ONCE };
        Result a = {}, b = {}, c = {};

        open_stage(&s);
        ask(&s, NULL, &a);
        wait_for(&s, &a);
        ask(&s, NULL, &b);
        wait_for(&s, &b);
        ask(&s, "a/b/c", &c);
        wait_for(&s, &c);
        ck_assert_int_eq(a.r, 0);
        ck_assert_int_eq(b.r, 0);
        ck_assert_str_eq(c.content, "a/b/c");
        ck_assert_uint_eq(count(&s, KBS_AUTH), 2);
        ck_assert_str_ne(s.asked[0], s.asked[1]);
        close_stage(&s);
}
END_TEST

static const struct {
        const char *why;
        Mishap mishaps[KBS_N_ENDPOINTS][4];
        bool for_ever;
        int want;
        const char *reason;
        unsigned n_auth, n_attest, n_resource;
} refusals[] = {
        { "version", { { VERSION_MISMATCH } }, true, -EPROTO, "protocol-version", 1, 0, 0 },
        { "auth redirects", { { REDIRECT } }, true, -EPROTO, "redirect", 1, 0, 0 },
        { "auth answers something else", { { GARBAGE } }, true, -EBADMSG, "json-syntax", 1, 0, 0 },
        { "auth answers too much", { { TOO_LARGE } }, true, -E2BIG, "reply-too-large", 1, 0, 0 },
        { "no cookie", { { NO_COOKIE } }, true, -EBADMSG, "challenge-cookie", 1, 0, 0 },
        { "auth busy for a while", { { BUSY, DROPPED, TRUNCATED } }, false, 0, NULL, 4, 1, 1 },
        { "evidence refused", { {}, { ATTEST_FAILED } }, true, -EKEYREJECTED, "attestation-refused", 2, 2, 0 },
        { "evidence refused once", { {}, { ATTEST_FAILED } }, false, 0, NULL, 2, 2, 1 },
        { "attest busy", { {}, { BUSY } }, false, 0, NULL, 2, 2, 1 },
        { "attest answers something else", { {}, { GARBAGE } }, true, -EBADMSG, "json-syntax", 1, 1, 0 },
        { "attest answers too much", { {}, { TOO_LARGE } }, true, -E2BIG, "reply-too-large", 1, 1, 0 },
        { "attest drops a used connection, which libcurl makes good", { {}, { DROPPED } }, false, 0, NULL, 1, 2, 1 },
        { "denied", { {}, {}, { DENIED } }, true, -EPERM, "policy-denied", 1, 1, 1 },
        { "missing", { {}, {}, { MISSING } }, true, -ENOENT, "resource-unavailable", 1, 1, 1 },
        { "not encrypted", { {}, {}, { JWE_FAILED } }, true, -EPROTO, "jwe-refused", 1, 1, 1 },
        { "session lost", { {}, {}, { TOKEN_NOT_FOUND } }, true, -EKEYREJECTED, "session-lost", 2, 2, 2 },
        { "session lost once", { {}, {}, { TOKEN_NOT_FOUND } }, false, 0, NULL, 2, 2, 2 },
        { "token refused once", { {}, {}, { TOKEN_REFUSED } }, false, 0, NULL, 2, 2, 2 },
        { "token refused", { {}, {}, { TOKEN_REFUSED } }, true, -EKEYREJECTED, "token-refused", 2, 2, 2 },
        { "resource busy", { {}, {}, { BUSY, TRUNCATED, DROPPED } }, false, 0, NULL, 1, 1, 4 },
        { "resource redirects", { {}, {}, { REDIRECT } }, true, -EPROTO, "redirect", 1, 1, 1 },
        { "resource is no JWE", { {}, {}, { GARBAGE } }, true, -EBADMSG, "json-syntax", 1, 1, 1 },
        { "resource too large", { {}, {}, { TOO_LARGE } }, true, -E2BIG, "reply-too-large", 1, 1, 1 },
        { "resource for another", { {}, {}, { OTHER_KEY } }, true, -EKEYREJECTED, "jwe-not-decrypted", 1, 1, 1 },
        { "empty resource", { {}, {}, { EMPTY } }, true, -EBADMSG, "resource-empty", 1, 1, 1 },
        { "asked to wait for longer than there is time", { { BUSY_LONG } }, true, -EBUSY, "broker-busy", 1, 0, 0 },
        { "the same for a resource", { {}, {}, { BUSY_LONG } }, true, -EBUSY, "broker-busy", 1, 1, 1 },
};

START_TEST(refusal_is_final_or_tried_again_as_it_deserves) {
        Stage s = { .evidence = AT_ONCE, .has_loop = _i & 1 };
        KbcClientStatus status;
        Result a = {};

        (void) memcpy(s.kbs.mishaps, refusals[_i].mishaps, sizeof(s.kbs.mishaps));
        s.kbs.for_ever = refusals[_i].for_ever;
        open_stage(&s);
        ask(&s, "default/key/1", &a);
        wait_for(&s, &a);
        ck_assert_msg(a.r == refusals[_i].want, "%s: %d %s", refusals[_i].why, a.r, a.e.text);
        ck_assert_str_eq(a.content, a.r == 0 ? "default/key/1" : "");
        if (refusals[_i].reason)
                ck_assert_str_eq(a.e.reason, refusals[_i].reason);
        ck_assert_msg(count(&s, KBS_AUTH) == refusals[_i].n_auth && count(&s, KBS_ATTEST) == refusals[_i].n_attest &&
                              count(&s, KBS_RESOURCE) == refusals[_i].n_resource,
                      "%s: %u %u %u", refusals[_i].why, count(&s, KBS_AUTH), count(&s, KBS_ATTEST),
                      count(&s, KBS_RESOURCE));
        kbc_client_get_status(s.client, &status);
        ck_assert_int_eq(status.last_code, a.r);
        ck_assert_str_eq(status.last_error, a.e.text);
        ck_assert_uint_eq(status.n_failures, a.r < 0);
        close_stage(&s);
}
END_TEST

START_TEST(lost_session_costs_one_handshake_for_all) {
        Stage s = { .has_loop = true, .evidence = AT_ONCE };
        Result first = {}, results[3] = {};

        open_stage(&s);
        ask(&s, NULL, &first);
        wait_for(&s, &first);
        s.kbs.attested = 0; /* as when the broker starts anew */
        for (size_t i = 0; i < N_ELEMENTS(results); i++)
                ask(&s, "a/b/c", &results[i]);
        for (size_t i = 0; i < N_ELEMENTS(results); i++) {
                wait_for(&s, &results[i]);
                ck_assert_str_eq(results[i].content, "a/b/c");
        }
        ck_assert_uint_eq(count(&s, KBS_AUTH), 2);
        close_stage(&s);
}
END_TEST

START_TEST(session_of_a_guest_no_longer_believed_is_dropped) {
        Stage s = { .has_loop = true, .evidence = AT_ONCE };
        KbcClientStatus status;
        Result a = {}, b = {};

        s.kbs.mishaps[KBS_ATTEST][1] = s.kbs.mishaps[KBS_ATTEST][2] = ATTEST_FAILED;
        open_stage(&s);
        ask(&s, NULL, &a);
        wait_for(&s, &a);
        ask(&s, NULL, &b);
        wait_for(&s, &b);
        ck_assert_int_eq(b.r, -EKEYREJECTED);
        kbc_client_get_status(s.client, &status);
        ck_assert(!status.attested);
        close_stage(&s);
}
END_TEST

START_TEST(session_outlives_a_broker_out_of_reach) {
        Stage s = { .has_loop = true, .evidence = AT_ONCE };
        KbcClientStatus status;
        Result a = {}, b = {};

        s.kbs.mishaps[KBS_AUTH][1] = BUSY_LONG;
        open_stage(&s);
        ask(&s, NULL, &a);
        wait_for(&s, &a);
        ask(&s, NULL, &b);
        wait_for(&s, &b);
        ck_assert_int_eq(b.r, -EBUSY);
        kbc_client_get_status(s.client, &status);
        ck_assert(status.attested);
        close_stage(&s);
}
END_TEST

START_TEST(expired_token_is_replaced_before_it_is_used) {
        Stage s = { .has_loop = true, .evidence = AT_ONCE, .kbs.token_seconds = 1 };
        KbcClientStatus status;
        Result a = {}, b = {};

        open_stage(&s);
        ask(&s, NULL, &a);
        wait_for(&s, &a);
        kbc_client_get_status(s.client, &status);
        while (now_monotonic_usec() < status.expires_at_usec)
                (void) deadline_sleep(deadline_never(), status.expires_at_usec - now_monotonic_usec());
        kbc_client_get_status(s.client, &status);
        ck_assert(!status.attested);
        ask(&s, "a/b/c", &b);
        wait_for(&s, &b);
        ck_assert_str_eq(b.content, "a/b/c");
        ck_assert_uint_eq(count(&s, KBS_AUTH), 2);
        ck_assert_uint_eq(count(&s, KBS_RESOURCE), 1);
        close_stage(&s);
}
END_TEST

START_TEST(absent_broker_is_tried_until_time_is_over) {
        Stage s = { .has_loop = _i & 1, .evidence = AT_ONCE };
        uint64_t before = now_monotonic_usec();
        Result a = {};

        open_stage(&s);
        fake_kbs_stop(&s.kbs);
        ask_until(&s, "a/b/c", deadline_in(USEC_PER_SEC), &a);
        wait_for(&s, &a);
        ck_assert_msg(a.r == -ECONNREFUSED, "%d %s", a.r, a.e.text);
        ck_assert_uint_ge(now_monotonic_usec() - before, 125 * USEC_PER_MSEC); /* the shortest first pause */
        ck_assert_uint_lt(now_monotonic_usec() - before, 2 * USEC_PER_SEC);
        close_stage(&s);
}
END_TEST

static const struct {
        KbsEndpoint at;
        const char *text;
} silent[] = {
        { KBS_AUTH, "challenge" },
        { KBS_ATTEST, "verdict" },
        { KBS_RESOURCE, "a/b/c" },
};

START_TEST(silence_ends_at_the_deadline) {
        Stage s = { .has_loop = true, .evidence = AT_ONCE };
        uint64_t before = now_monotonic_usec();
        Result a = {}, b = {};

        s.kbs.mishaps[silent[_i].at][0] = SILENCE;
        open_stage(&s);
        ask_until(&s, "a/b/c", deadline_in(300 * USEC_PER_MSEC), &a);
        wait_for(&s, &a);
        ck_assert_int_eq(a.r, -ETIMEDOUT);
        ck_assert_uint_ge(now_monotonic_usec() - before, 300 * USEC_PER_MSEC);
        if (silent[_i].at != KBS_RESOURCE) /* there, the exchange may end first, with libcurl's words */
                ck_assert_msg(strstr(a.e.text, silent[_i].text), "%s", a.e.text);
        ask(&s, "a/b/c", &b); /* nothing of the old attempt is in the way */
        wait_for(&s, &b);
        ck_assert_str_eq(b.content, "a/b/c");
        close_stage(&s);
}
END_TEST

START_TEST(waiting_ends_at_its_own_deadline_too) {
        Stage s = { .evidence = AT_ONCE, .kbs.mishaps = { { SILENCE } } };
        Result a = {};
        Error e = {};

        open_stage(&s);
        ask(&s, "a/b/c", &a);
        ck_assert_int_eq(kbc_client_wait(s.client, deadline_in(100 * USEC_PER_MSEC), &e), -ETIMEDOUT);
        ck_assert(!a.done);
        ck_assert_int_eq(kbc_client_wait(s.client, deadline_in(0), &e), -ETIMEDOUT);
        kbc_request_cancel(a.request);
        ck_assert_int_eq(kbc_client_wait(s.client, deadline_in(PATIENCE), NULL), 0);
        ck_assert(!a.done);
        close_stage(&s);
}
END_TEST

START_TEST(evidence_that_fails_fails_those_who_wait) {
        Stage s = { .evidence = _i == 0 ? FAILS : REFUSES };
        Result a = {}, b = {};

        open_stage(&s);
        ask(&s, "a/b/c", &a);
        ask(&s, NULL, &b);
        wait_for(&s, &a);
        ck_assert_int_eq(a.r, _i == 0 ? -ENODEV : -ESTALE);
        ck_assert_str_eq(a.e.reason, _i == 0 ? "no-device" : "stale");
        ck_assert_int_eq(b.r, a.r);
        ck_assert_uint_eq(count(&s, KBS_AUTH), 1);
        ck_assert_uint_eq(count(&s, KBS_ATTEST), 0);
        s.evidence = AT_ONCE;
        b = (Result){};
        ask(&s, NULL, &b);
        wait_for(&s, &b);
        ck_assert_int_eq(b.r, 0);
        close_stage(&s);
}
END_TEST

START_TEST(evidence_for_a_handshake_given_up_is_not_used) {
        Stage s = { .has_loop = true, .evidence = LATER };
        Result a = {}, b = {};

        open_stage(&s);
        ask(&s, "a/b/c", &a);
        turn_until_asked(&s, 1);
        kbc_request_cancel(a.request);
        turn(&s);
        ask(&s, "a/b/d", &b);
        while (count(&s, KBS_AUTH) < 2)
                turn(&s);
        for (int i = 0; i < 3; i++)
                turn(&s);
        ck_assert_uint_eq(s.n_asked, 1); /* the source still owes its first answer */
        answer_evidence(&s, 0);
        turn_until_asked(&s, 2);
        ck_assert_str_ne(s.asked[0], s.asked[1]);
        answer_evidence(&s, 1);
        wait_for(&s, &b);
        ck_assert_str_eq(b.content, "a/b/d");
        ck_assert(!a.done);
        ck_assert_uint_eq(count(&s, KBS_ATTEST), 1);
        ck_assert_str_eq(s.kbs.digest, s.asked[1]);
        close_stage(&s);
}
END_TEST

START_TEST(answers_nobody_asked_for_are_ignored) {
        Stage s = { .has_loop = true, .evidence = LATER };
        Result a = {};

        open_stage(&s);
        (void) strcpy(s.asked[0], "nothing");
        answer_evidence(&s, 0);
        ask(&s, "a/b/c", &a);
        turn_until_asked(&s, 1);
        answer_evidence(&s, 0);
        kbc_client_evidence_failed(s.client, -EIO, NULL); /* once more */
        wait_for(&s, &a);
        ck_assert_str_eq(a.content, "a/b/c");
        close_stage(&s);
}
END_TEST

START_TEST(cancelled_requests_are_never_heard_of) {
        Stage s = { .has_loop = true, .evidence = LATER };
        Result before = {}, during = {}, fetching = {}, stays = {};

        s.kbs.mishaps[KBS_RESOURCE][0] = SILENCE;
        open_stage(&s);
        ask(&s, "a/b/1", &before);
        kbc_request_cancel(before.request);
        ask(&s, "a/b/2", &during);
        ask(&s, "a/b/3", &fetching);
        turn_until_asked(&s, 1);
        kbc_request_cancel(during.request);
        answer_evidence(&s, 0);
        while (count(&s, KBS_RESOURCE) < 1)
                turn(&s);
        kbc_request_cancel(fetching.request);
        ask(&s, "a/b/4", &stays);
        wait_for(&s, &stays);
        ck_assert_str_eq(stays.content, "a/b/4");
        ck_assert(!before.done && !during.done && !fetching.done);
        ck_assert_uint_eq(count(&s, KBS_AUTH), 1);
        close_stage(&s);
}
END_TEST

START_TEST(client_can_be_freed_at_any_time) {
        Stage s = { .has_loop = true, .evidence = LATER };
        Result a = {}, b = {};

        open_stage(&s);
        ask(&s, "a/b/1", &a);
        ask(&s, NULL, &b);
        for (int i = 0; i < _i; i++)
                turn(&s);
        close_stage(&s);
        ck_assert(!a.done && !b.done);
        ck_assert_uint_eq(s.n_fds, 0);
}
END_TEST

static void ask_again(Result *r) {
        r->then = NULL;
        r->done = false;
        ask(r->stage, "a/b/again", r);
}

static void cancel_other(Result *r) {
        kbc_request_cancel(r->request); /* its own: too late, and harmless */
        if (!r->other->done)
                kbc_request_cancel(r->other->request);
}

static void free_client(Result *r) {
        kbc_client_free(r->stage->client);
        r->stage->client = NULL;
}

START_TEST(callback_may_ask_again) {
        Stage s = { .has_loop = _i & 1, .evidence = AT_ONCE };
        Result a = { .then = ask_again };

        open_stage(&s);
        ask(&s, "a/b/c", &a);
        wait_for(&s, &a);
        while (a.then)
                turn(&s);
        wait_for(&s, &a);
        ck_assert_str_eq(a.content, "a/b/again");
        close_stage(&s);
}
END_TEST

START_TEST(callback_may_cancel_others) {
        Stage s = { .has_loop = true, .evidence = _i == 0 ? AT_ONCE : FAILS };
        Result a = { .then = cancel_other }, b = { .then = cancel_other }, last = {};

        a.other = &b;
        b.other = &a;
        open_stage(&s);
        ask(&s, "a/b/c", &a);
        ask(&s, "a/b/d", &b);
        while (!a.done && !b.done)
                turn(&s);
        ck_assert(a.done != b.done);
        s.evidence = AT_ONCE;
        ask(&s, "a/b/e", &last);
        wait_for(&s, &last);
        ck_assert_str_eq(last.content, "a/b/e");
        ck_assert(a.done != b.done);
        close_stage(&s);
}
END_TEST

START_TEST(callback_may_free_the_client) {
        Stage s = { .has_loop = _i & 1, .evidence = AT_ONCE };
        Result a = { .then = free_client }, b = {}, c = {};

        open_stage(&s);
        ask(&s, NULL, &a);
        ask_until(&s, "a/b/d", deadline_never(), &b);
        ask(&s, "a/b/e", &c);
        if (s.has_loop)
                while (!a.done)
                        turn(&s);
        else
                ck_assert_int_eq(kbc_client_wait(s.client, deadline_in(PATIENCE), NULL), 0);
        ck_assert(a.done && !b.done && !c.done);
        ck_assert_uint_eq(s.n_fds, 0);
        close_stage(&s);
}
END_TEST

START_TEST(requests_have_a_limit) {
        Stage s = { .has_loop = true, .evidence = LATER };
        static Result results[65];
        Error e = {};

        open_stage(&s);
        for (size_t i = 0; i < 64; i++)
                ask(&s, "a/b/c", &results[i]);
        ck_assert_int_eq(kbc_client_attest(s.client, deadline_never(), take_result, &results[64], NULL, &e), -EBUSY);
        kbc_request_cancel(results[0].request);
        ask(&s, NULL, &results[64]);
        turn_until_asked(&s, 1);
        answer_evidence(&s, 0);
        for (size_t i = 1; i < N_ELEMENTS(results); i++) {
                wait_for(&s, &results[i]);
                ck_assert_int_eq(results[i].r, 0);
        }
        close_stage(&s);
}
END_TEST

START_TEST(names_that_are_no_resources_are_refused_at_once) {
        Stage s = { .evidence = AT_ONCE };
        static const char *const bad[] = { "", "a", "a/b", "a/b/c/d", "a/b/../c", "a/b/c?x=y", "a/b/c d" };
        Result a = {};

        open_stage(&s);
        for (size_t i = 0; i < N_ELEMENTS(bad); i++)
                ck_assert_int_eq(kbc_client_get_resource(s.client, bad[i], deadline_never(), take_result, &a, NULL, NULL),
                                 -EINVAL);
        ck_assert_int_eq(kbc_client_wait(s.client, deadline_in(PATIENCE), NULL), 0);
        close_stage(&s);
}
END_TEST

START_TEST(configuration_is_checked) {
        const KbcClientConfig good = {
                .url = "https://broker.invalid", .use_system_ca = true, .tee = "snp", .evidence = give_evidence,
        };
        KbcClientConfig c;
        KbcClient *client = NULL;

        c = good, c.url = NULL;
        ck_assert_int_eq(kbc_client_new(&c, &client, NULL), -EINVAL);
        c = good, c.url = "http://broker.invalid";
        ck_assert_int_eq(kbc_client_new(&c, &client, NULL), -EINVAL);
        c = good, c.tee = NULL;
        ck_assert_int_eq(kbc_client_new(&c, &client, NULL), -EINVAL);
        c = good, c.evidence = NULL;
        ck_assert_int_eq(kbc_client_new(&c, &client, NULL), -EINVAL);
        c = good, c.use_system_ca = false;
        ck_assert_int_eq(kbc_client_new(&c, &client, NULL), -EINVAL);
        c = good, c.ca_file = "/nonexistent";
        ck_assert_int_eq(kbc_client_new(&c, &client, NULL), -EINVAL);
        c.use_system_ca = false;
        ck_assert_int_eq(kbc_client_new(&c, &client, NULL), -ENOENT);
        ck_assert_ptr_null(client);
        ck_assert_int_eq(kbc_client_new(&good, &client, NULL), 0);
        kbc_client_free(client);
        kbc_client_free(NULL);
}
END_TEST

int main(void) {
        Suite *s = suite_create("keybroker-client");
        TCase *t = tcase_create("client");

        tcase_add_loop_test(t, resource_arrives_after_a_handshake, 0, 2);
        tcase_add_test(t, those_who_come_together_share_one_handshake);
        tcase_add_test(t, attesting_is_always_afresh);
        tcase_add_loop_test(t, refusal_is_final_or_tried_again_as_it_deserves, 0, N_ELEMENTS(refusals));
        tcase_add_test(t, lost_session_costs_one_handshake_for_all);
        tcase_add_test(t, session_of_a_guest_no_longer_believed_is_dropped);
        tcase_add_test(t, session_outlives_a_broker_out_of_reach);
        tcase_add_test(t, expired_token_is_replaced_before_it_is_used);
        tcase_add_loop_test(t, absent_broker_is_tried_until_time_is_over, 0, 2);
        tcase_add_loop_test(t, silence_ends_at_the_deadline, 0, N_ELEMENTS(silent));
        tcase_add_test(t, waiting_ends_at_its_own_deadline_too);
        tcase_add_loop_test(t, evidence_that_fails_fails_those_who_wait, 0, 2);
        tcase_add_test(t, evidence_for_a_handshake_given_up_is_not_used);
        tcase_add_test(t, answers_nobody_asked_for_are_ignored);
        tcase_add_test(t, cancelled_requests_are_never_heard_of);
        tcase_add_loop_test(t, client_can_be_freed_at_any_time, 0, 12);
        tcase_add_loop_test(t, callback_may_ask_again, 0, 2);
        tcase_add_loop_test(t, callback_may_cancel_others, 0, 2);
        tcase_add_loop_test(t, callback_may_free_the_client, 0, 2);
        tcase_add_test(t, requests_have_a_limit);
        tcase_add_test(t, names_that_are_no_resources_are_refused_at_once);
        tcase_add_test(t, configuration_is_checked);
        suite_add_tcase(s, t);
        return unit_run(s);
}
