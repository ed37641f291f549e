/* SPDX-License-Identifier: Apache-2.0 */

/*
 * snp/collateral-fetch.c: a scripted world. Each test says what its servers answer, drives the machine to its end on a
 * clock of its own, and looks at what was asked, how long was waited, and what came out.
 */

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/writer.h"
#include "snp/collateral-fetch.h"
#include "snp/thim.h"
#include "tests/unit/snp/forge.h"
#include "tests/unit/unit.h"

#define SECOND UINT64_C(1000000)
#define ASKED_MAX 64

static SimPki *genoa, *impostor;
static SnpTrust *trust;
static Blob chain, vcek, crl, other_vcek, forged_vcek, forged_chain, vlek_chain, vcek_pem;

static const SnpCrlPolicy off = { .mode = SNP_CRL_OFF }, soft = { .mode = SNP_CRL_SOFT }, hard = { .mode = SNP_CRL_HARD };

/* The world: what is answered, by part and by mirror; mirror 0 is also the only one, and CLOUD the endpoint. */
typedef struct Reply {
        int failure;
        unsigned status;
        const char *retry_after;
        const Blob *body; /* NULL with status 200: the right one */
        unsigned times;   /* 0: always; else only so often, then it is right */
} Reply;

typedef struct World {
        SnpCollateral *c;
        SnpFetch *f;
        SnpFetchNow now;
        Reply replies[SNP_N_PARTS][3], cloud;
        unsigned n_asked, n_part[SNP_N_PARTS], n_mirror[3], n_cloud;
        uint64_t waited, longest;
        SnpFetchStep last;
} World;

static SnpVekId vek_id(void) {
        SnpVekId id = { .product = SNP_PRODUCT_GENOA };

        (void) memcpy(id.chip_id, genoa->chip_id, sizeof(id.chip_id));
        sim_tcb_encode(SIM_GENOA, &genoa->tcb, id.tcb);
        return id;
}

static const char *const mirrors[] = { "http://a.example", "http://b.example", "http://c.example" };

static World begin_for(const SnpVekId *id, const SnpCrlPolicy *policy, const SnpFetchConfig *config) {
        World w = { .now = { .usec = 1000 * SECOND, .wall = FORGE_NOW } };

        ck_assert_int_eq(snp_collateral_new(trust, id, policy, &w.c, NULL), 0);
        ck_assert_int_eq(snp_fetch_new(w.c, config, &w.now, &w.f, NULL), 0);
        return w;
}

static World begin(const SnpCrlPolicy *policy, size_t n_mirrors) {
        SnpFetchConfig config = { .mirrors = mirrors, .n_mirrors = n_mirrors };
        SnpVekId id = vek_id();

        return begin_for(&id, policy, &config);
}

static void end(World *w) {
        snp_fetch_free(w->f);
        snp_collateral_free(w->c);
}

static const Blob *right(SnpPart part) {
        return part == SNP_PART_CHAIN ? &chain : part == SNP_PART_VEK ? &vcek : &crl;
}

static size_t mirror_of(const char *url) {
        for (size_t i = 0; i < N_ELEMENTS(mirrors); i++)
                if (strncmp(url, mirrors[i], strlen(mirrors[i])) == 0)
                        return i;
        return 0;
}

static void answer(World *w) {
        bool cloud = w->last.source == SNP_SOURCE_CLOUD;
        size_t mirror = mirror_of(w->last.url);
        Reply *reply = cloud ? &w->cloud : &w->replies[w->last.part][mirror];
        SnpFetchAnswer a = { .status = 200 };
        const Blob *body = cloud ? NULL : right(w->last.part);

        w->n_asked++;
        ck_assert_uint_lt(w->n_asked, ASKED_MAX);
        if (cloud)
                w->n_cloud++;
        else {
                w->n_part[w->last.part]++;
                w->n_mirror[mirror]++;
        }
        if (reply->status || reply->failure || reply->body) {
                a = (SnpFetchAnswer){ .failure = reply->failure, .status = reply->body ? 200 : reply->status,
                                      .retry_after = reply->retry_after };
                body = reply->body;
                if (reply->times > 0 && --reply->times == 0)
                        *reply = (Reply){};
        }
        if (body) {
                a.body = body->data;
                a.size = body->size;
        }
        ck_assert_int_eq(snp_fetch_answer(w->f, &w->now, &a, NULL), 0);
}

/* Drives to the end. Answers take 10 ms each. */
static void run(World *w) {
        for (;;) {
                w->now.random = w->now.random * 1103515245u + 12345u;
                ck_assert_int_eq(snp_fetch_next(w->f, &w->now, &w->last, NULL), 0);
                if (w->last.action == SNP_FETCH_GET) {
                        ck_assert_uint_gt(w->last.timeout_usec, 0);
                        ck_assert_uint_gt(w->last.body_max, 0);
                        w->now.usec += SECOND / 100;
                        answer(w);
                } else if (w->last.action == SNP_FETCH_WAIT) {
                        ck_assert_uint_gt(w->last.wait_usec, 0);
                        w->waited += w->last.wait_usec;
                        if (w->last.wait_usec > w->longest)
                                w->longest = w->last.wait_usec;
                        w->now.usec += w->last.wait_usec;
                } else
                        return;
        }
}

static void expect_done(World *w) {
        CLEANUP(snp_vek_freep) SnpVek *vek = NULL;
        SnpCrlVerdict v = {};

        run(w);
        ck_assert_msg(w->last.action == SNP_FETCH_DONE, "%s", w->last.why->text);
        ck_assert_uint_eq(snp_collateral_missing(w->c), 0);
        ck_assert_int_eq(snp_collateral_vek(w->c, FORGE_NOW, &vek, &v, NULL), 0);
        ck_assert(v.accepted);
}

static void expect_give_up(World *w, const char *reason) {
        run(w);
        ck_assert_int_eq(w->last.action, SNP_FETCH_GIVE_UP);
        ck_assert_str_eq(w->last.why->reason, reason);
        ck_assert(w->last.why->text[0]);
        /* and it stays so */
        ck_assert_int_eq(snp_fetch_next(w->f, &w->now, &w->last, NULL), 0);
        ck_assert_int_eq(w->last.action, SNP_FETCH_GIVE_UP);
}

START_TEST(one_request_for_each_part_suffices) {
        World w = begin(&hard, 1);

        expect_done(&w);
        ck_assert_uint_eq(w.n_asked, 3);
        ck_assert_uint_eq(w.waited, 0);
        for (SnpPart part = 0; part < SNP_N_PARTS; part++) {
                ck_assert_uint_eq(w.n_part[part], 1);
                ck_assert_int_eq(snp_collateral_source(w.c, part), SNP_SOURCE_KDS);
        }
        end(&w);
}
END_TEST

START_TEST(amd_is_asked_when_there_is_no_mirror) {
        SnpFetchConfig config = {};
        SnpVekId id = vek_id();
        World w = begin_for(&id, &off, &config);

        ck_assert_int_eq(snp_fetch_next(w.f, &w.now, &w.last, NULL), 0);
        ck_assert_int_eq(w.last.action, SNP_FETCH_GET);
        ck_assert_str_eq(w.last.url, "https://kdsintf.amd.com/vcek/v1/Genoa/cert_chain");
        ck_assert_ptr_null(w.last.header);
        ck_assert_uint_eq(w.last.body_max, SNP_CHAIN_SIZE_MAX);
        ck_assert_uint_eq(w.last.timeout_usec, SNP_FETCH_REQUEST_DEFAULT);
        /* asking again without an answer changes nothing */
        ck_assert_int_eq(snp_fetch_next(w.f, &w.now, &w.last, NULL), 0);
        ck_assert_str_eq(w.last.url, "https://kdsintf.amd.com/vcek/v1/Genoa/cert_chain");
        end(&w);
}
END_TEST

START_TEST(nothing_is_asked_for_what_is_there) {
        World w = begin(&off, 1);

        ck_assert_int_eq(snp_collateral_offer(w.c, SNP_PART_VEK, SNP_SOURCE_HOST, vcek.data, vcek.size, FORGE_NOW, NULL), 0);
        ck_assert_int_eq(snp_collateral_offer(w.c, SNP_PART_CHAIN, SNP_SOURCE_CACHE, chain.data, chain.size, FORGE_NOW,
                                              NULL), 0);
        expect_done(&w);
        ck_assert_uint_eq(w.n_asked, 0);
        end(&w);
}
END_TEST

START_TEST(an_outage_does_not_matter_to_what_is_cached) {
        World w = begin(&soft, 2);

        for (size_t i = 0; i < 2; i++)
                w.replies[SNP_PART_CRL][i] = (Reply){ .failure = -ETIMEDOUT };
        ck_assert_int_eq(snp_collateral_offer(w.c, SNP_PART_CHAIN, SNP_SOURCE_CACHE, chain.data, chain.size, FORGE_NOW,
                                              NULL), 0);
        ck_assert_int_eq(snp_collateral_offer(w.c, SNP_PART_VEK, SNP_SOURCE_CACHE, vcek.data, vcek.size, FORGE_NOW, NULL), 0);
        expect_done(&w);
        ck_assert_uint_eq(w.n_asked, 2); /* the list, once at each mirror */
        ck_assert_uint_eq(w.waited, 0);
        ck_assert_str_eq(w.last.why->reason, "answer-none");
        end(&w);
}
END_TEST

static const unsigned final_statuses[] = { 100, 204, 206, 301, 302, 304, 400, 401, 403, 404, 410 };

START_TEST(an_answer_of_no_is_not_asked_for_again) {
        World w = begin(&off, 1);

        w.replies[SNP_PART_VEK][0] = (Reply){ .status = final_statuses[_i] };
        expect_give_up(&w, final_statuses[_i] == 404 ? "kds-not-found" : "kds-status");
        ck_assert_uint_eq(w.n_part[SNP_PART_VEK], 1);
        ck_assert_uint_eq(w.waited, 0);
        end(&w);
}
END_TEST

START_TEST(another_mirror_may_know) {
        World w = begin(&off, 3);

        w.replies[SNP_PART_VEK][0] = (Reply){ .status = 404 };
        w.replies[SNP_PART_VEK][1] = (Reply){ .failure = -ECONNREFUSED };
        expect_done(&w);
        ck_assert_uint_eq(w.n_part[SNP_PART_VEK], 3);
        ck_assert_uint_eq(w.waited, 0);
        end(&w);
}
END_TEST

START_TEST(the_mirror_that_answered_is_asked_first) {
        World w = begin(&hard, 3);

        w.replies[SNP_PART_CHAIN][0] = (Reply){ .status = 503 };
        expect_done(&w);
        ck_assert_uint_eq(w.n_mirror[0], 1);
        ck_assert_uint_eq(w.n_mirror[1], 3);
        ck_assert_uint_eq(w.n_mirror[2], 0);
        end(&w);
}
END_TEST

static const Reply passing[] = {
        { .status = 408 }, { .status = 425 }, { .status = 429 },          { .status = 500 },
        { .status = 502 }, { .status = 503 }, { .failure = -ETIMEDOUT }, { .failure = -ECONNRESET },
};

START_TEST(what_passes_is_tried_again_after_a_pause) {
        World w = begin(&off, 1);

        w.replies[SNP_PART_VEK][0] = passing[_i];
        w.replies[SNP_PART_VEK][0].times = 2;
        expect_done(&w);
        ck_assert_uint_eq(w.n_part[SNP_PART_VEK], 3);
        /* 10 and 20 seconds, each less up to a half */
        ck_assert_uint_ge(w.waited, 14 * SECOND);
        ck_assert_uint_le(w.waited, 30 * SECOND);
        end(&w);
}
END_TEST

START_TEST(pauses_are_as_long_as_the_caller_says) {
        SnpFetchConfig config = { .mirrors = mirrors, .n_mirrors = 1, .pause_usec = SECOND / 100 };
        SnpVekId id = vek_id();
        World w = begin_for(&id, &off, &config);

        w.replies[SNP_PART_VEK][0] = (Reply){ .status = 503, .times = 4 };
        expect_done(&w);
        ck_assert_uint_eq(w.n_part[SNP_PART_VEK], 5);
        /* one, two, three and three hundredths of a second, each less up to a half */
        ck_assert_uint_ge(w.waited, 9 * SECOND / 200);
        ck_assert_uint_le(w.waited, 9 * SECOND / 100);
        end(&w);
}
END_TEST

START_TEST(it_ends_at_the_deadline_without_waiting_for_nothing) {
        World w = begin(&off, 1);

        w.replies[SNP_PART_CHAIN][0] = (Reply){ .status = 503 };
        expect_give_up(&w, "kds-status");
        ck_assert_uint_ge(w.n_asked, 5); /* 120 s of pauses that grow to 30 s, less up to a half */
        ck_assert_uint_le(w.n_asked, 12);
        ck_assert_uint_le(w.longest, 30 * SECOND);
        ck_assert_uint_lt(w.now.usec, (1000 + 120) * SECOND); /* gave up when the next pause would have crossed it */
        ck_assert(strstr(w.last.why->text, "No time left"));
        end(&w);
}
END_TEST

START_TEST(a_late_answer_is_the_last) {
        World w = begin(&off, 2);

        ck_assert_int_eq(snp_fetch_next(w.f, &w.now, &w.last, NULL), 0);
        w.now.usec += 119 * SECOND;
        ck_assert_int_eq(snp_fetch_answer(w.f, &w.now, &(SnpFetchAnswer){ .failure = -ETIMEDOUT }, NULL), 0);
        ck_assert_int_eq(snp_fetch_next(w.f, &w.now, &w.last, NULL), 0);
        ck_assert_int_eq(w.last.action, SNP_FETCH_GET);
        ck_assert_uint_eq(w.last.timeout_usec, SECOND); /* what is left */
        w.now.usec += SECOND;
        ck_assert_int_eq(snp_fetch_answer(w.f, &w.now, &(SnpFetchAnswer){ .status = 200, .body = chain.data,
                                                                           .size = chain.size }, NULL), 0);
        expect_give_up(&w, "collateral-missing");
        ck_assert_ptr_nonnull(snp_collateral_get(w.c, SNP_PART_CHAIN)); /* but what came is kept */
        end(&w);
}
END_TEST

static const struct {
        const char *text;
        uint64_t least, most; /* seconds */
} waits[] = {
        { "0", 1, 2 },       { "7", 7, 9 },          { "60", 60, 75 },       { "61", 60, 75 },
        { "86400", 60, 75 }, { "soon", 5, 10 },      { "-1", 5, 10 },        { "99999999999999999999", 5, 10 },
        { "", 5, 10 },       { "Sun, 15 Jun 2025 15:07:20 GMT", 40, 50 },    { "Mon, 01 Jan 2024 00:00:00 GMT", 1, 2 },
        { "Sun, 15 Jun 2035 15:07:20 GMT", 60, 75 },
};

START_TEST(retry_after_is_honoured_and_capped) {
        World w = begin(&off, 1);

        w.replies[SNP_PART_CHAIN][0] = (Reply){ .status = 429, .retry_after = waits[_i].text, .times = 1 };
        expect_done(&w);
        ck_assert_msg(w.waited >= waits[_i].least * SECOND && w.waited <= waits[_i].most * SECOND, "'%s': %llu",
                      waits[_i].text, (unsigned long long) w.waited);
        end(&w);
}
END_TEST

START_TEST(retry_after_of_one_mirror_does_not_hold_up_another) {
        World w = begin(&off, 2);

        w.replies[SNP_PART_CHAIN][0] = (Reply){ .status = 429, .retry_after = "50" };
        w.replies[SNP_PART_VEK][0] = (Reply){ .status = 429, .retry_after = "50" };
        expect_done(&w);
        ck_assert_uint_eq(w.waited, 0);
        end(&w);
}
END_TEST

START_TEST(two_machines_do_not_come_back_together) {
        uint64_t waits_seen[4];

        for (uint32_t i = 0; i < 4; i++) {
                World w = begin(&off, 1);

                w.now.random = i * 0x31415926u;
                w.replies[SNP_PART_CHAIN][0] = (Reply){ .status = 503, .times = 1 };
                expect_done(&w);
                waits_seen[i] = w.waited;
                end(&w);
        }
        ck_assert(waits_seen[0] != waits_seen[1] && waits_seen[1] != waits_seen[2] && waits_seen[2] != waits_seen[3]);
}
END_TEST

START_TEST(a_wrong_certificate_is_refused_and_not_asked_for_again) {
        const Blob *const wrong[] = { &other_vcek, &forged_vcek, &chain, &crl };
        static const char *const reasons[] = { "vek-other-chip", "cert-chain", NULL, "cert-malformed" };
        World w = begin(&off, 1);

        w.replies[SNP_PART_VEK][0] = (Reply){ .body = wrong[_i] };
        run(&w);
        ck_assert_int_eq(w.last.action, SNP_FETCH_GIVE_UP);
        ck_assert_msg(!reasons[_i] || strcmp(w.last.why->reason, reasons[_i]) == 0, "%s", w.last.why->reason);
        ck_assert_uint_eq(w.n_part[SNP_PART_VEK], 1);
        ck_assert_ptr_null(snp_collateral_get(w.c, SNP_PART_VEK));
        ck_assert_ptr_nonnull(snp_collateral_refusal(w.c, 0));
        ck_assert_int_eq(snp_collateral_refusal(w.c, 0)->source, SNP_SOURCE_KDS);
        end(&w);
}
END_TEST

START_TEST(a_mirror_with_another_root_is_passed_over) {
        World w = begin(&off, 2);

        w.replies[SNP_PART_CHAIN][0] = (Reply){ .body = &forged_chain };
        expect_done(&w);
        ck_assert_uint_eq(w.n_part[SNP_PART_CHAIN], 2);
        end(&w);
}
END_TEST

START_TEST(every_truncation_of_an_answer_is_refused) {
        for (SnpPart part = 0; part < SNP_N_PARTS; part++)
                for (size_t n = 0; n < right(part)->size - 1; n += n < 64 ? 1 : 37) {
                        Blob cut = { .data = right(part)->data, .size = n };
                        World w = begin(&hard, 1);

                        w.replies[part][0] = (Reply){ .body = &cut };
                        run(&w);
                        ck_assert_msg(w.last.action == SNP_FETCH_GIVE_UP, "%s of %zu bytes", snp_part_name(part), n);
                        ck_assert_ptr_null(snp_collateral_get(w.c, part));
                        end(&w);
                }
}
END_TEST

START_TEST(an_oversized_answer_is_not_asked_for_again) {
        World w = begin(&off, 1);
        static uint8_t large[SNP_VEK_SIZE_MAX + 1];
        Blob body = { .data = large, .size = sizeof(large) };

        w.replies[SNP_PART_VEK][0] = (Reply){ .failure = -E2BIG };
        expect_give_up(&w, "answer-size");
        ck_assert_uint_eq(w.n_part[SNP_PART_VEK], 1);
        end(&w);
        w = begin(&off, 1);
        w.replies[SNP_PART_VEK][0] = (Reply){ .body = &body }; /* a transport that did not care */
        expect_give_up(&w, "part-size");
        end(&w);
}
END_TEST

START_TEST(what_has_no_address_is_given_up_with_its_reason) {
        static const char *const reasons[] = { "kds-vlek", "kds-chip-id-masked", "kds-product-unknown" };
        SnpFetchConfig config = { .mirrors = mirrors, .n_mirrors = 2 };
        SnpVekId id = vek_id();
        World w;

        if (_i == 0)
                id.key = SNP_SIGNING_KEY_VLEK;
        else if (_i == 1)
                (void) memset(id.chip_id, 0, sizeof(id.chip_id));
        else
                id.product = SNP_PRODUCT_UNKNOWN;
        w = begin_for(&id, &off, &config);
        w.replies[SNP_PART_CHAIN][0].body = _i == 0 ? &vlek_chain : NULL;
        expect_give_up(&w, reasons[_i]);
        ck_assert_uint_eq(w.n_part[SNP_PART_VEK], 0);
        end(&w);
}
END_TEST

START_TEST(a_machine_without_kds_and_cloud_gives_up_at_once) {
        SnpFetchConfig config = { .no_kds = true };
        SnpVekId id = vek_id();
        World w = begin_for(&id, &off, &config);

        expect_give_up(&w, "collateral-missing");
        ck_assert_uint_eq(w.n_asked, 0);
        end(&w);
}
END_TEST

START_TEST(bad_mirrors_are_refused_at_the_start) {
        const char *many[SNP_FETCH_MIRRORS_MAX + 1] = {};
        const char *const bad[] = { "http://a.example", "file:///etc/passwd" };
        SnpFetchConfig config = { .mirrors = bad, .n_mirrors = 2 };
        SnpFetchNow now = {};
        SnpVekId id = vek_id();
        SnpCollateral *c = NULL;
        SnpFetch *f = NULL;
        Error e = {};

        ck_assert_int_eq(snp_collateral_new(trust, &id, &off, &c, NULL), 0);
        ck_assert_int_eq(snp_fetch_new(c, &config, &now, &f, &e), -EINVAL);
        ck_assert_str_eq(e.reason, "kds-base");
        for (size_t i = 0; i < N_ELEMENTS(many); i++)
                many[i] = "http://a.example";
        config = (SnpFetchConfig){ .mirrors = many, .n_mirrors = N_ELEMENTS(many) };
        ck_assert_int_eq(snp_fetch_new(c, &config, &now, &f, NULL), -EINVAL);
        ck_assert_ptr_null(f);
        snp_collateral_free(c);
}
END_TEST

START_TEST(an_answer_to_no_request_is_a_mistake) {
        World w = begin(&off, 1);
        Error e = {};

        ck_assert_int_eq(snp_fetch_answer(w.f, &w.now, &(SnpFetchAnswer){ .status = 200 }, &e), -EINVAL);
        ck_assert_str_eq(e.reason, "answer-unasked");
        end(&w);
}
END_TEST

/* The cloud's endpoint */

static void add_json(Writer *w, const char *name, const Blob *pem) {
        wr_str(w, "\"");
        wr_str(w, name);
        wr_str(w, "\":\"");
        for (size_t i = 0; i < pem->size; i++)
                if (pem->data[i] == '\n')
                        wr_str(w, "\\n");
                else
                        wr_u8(w, pem->data[i]);
        wr_str(w, "\",");
}

static Blob thim_body(const Blob *vek, const Blob *certs, bool other_tcb) {
        AUTO_WRITER Writer w = wr_init(SNP_THIM_SIZE_MAX);
        SnpVekId id = vek_id();
        char digit[3];
        Blob ret = {};

        wr_str(&w, "{");
        add_json(&w, "vcekCert", vek);
        add_json(&w, "certificateChain", certs);
        wr_str(&w, "\"tcbm\":\"");
        for (size_t i = SNP_TCB_SIZE; i-- > 0;) {
                (void) snprintf(digit, sizeof(digit), "%02x", id.tcb[i] ^ (other_tcb && i == 7 ? 1u : 0u));
                wr_str(&w, digit);
        }
        wr_str(&w, "\",\"cacheControl\":\"86400\"}");
        ck_assert_int_eq(wr_finish(&w, &ret), 0);
        return ret;
}

static World begin_azure(bool no_kds) {
        SnpFetchConfig config = { .mirrors = mirrors, .n_mirrors = 1, .no_kds = no_kds, .cloud_url = SNP_THIM_URL };
        SnpVekId id = vek_id();

        return begin_for(&id, &off, &config);
}

START_TEST(the_cloud_is_asked_first_and_as_it_wants) {
        AUTO_BLOB Blob body = thim_body(&vcek_pem, &chain, false);
        World w = begin_azure(false);

        w.cloud.body = &body;
        ck_assert_int_eq(snp_fetch_next(w.f, &w.now, &w.last, NULL), 0);
        ck_assert_str_eq(w.last.url, SNP_THIM_URL);
        ck_assert_str_eq(w.last.header, "Metadata: true");
        ck_assert_uint_eq(w.last.body_max, SNP_THIM_SIZE_MAX);
        ck_assert_uint_eq(w.last.timeout_usec, SNP_FETCH_CLOUD_REQUEST_MAX);
        expect_done(&w);
        ck_assert_uint_eq(w.n_asked, 1);
        ck_assert_int_eq(snp_collateral_source(w.c, SNP_PART_VEK), SNP_SOURCE_CLOUD);
        ck_assert_int_eq(snp_collateral_source(w.c, SNP_PART_CHAIN), SNP_SOURCE_CLOUD);
        end(&w);
}
END_TEST

START_TEST(amd_is_asked_where_the_cloud_fails) {
        AUTO_BLOB Blob other_chip = thim_body(&other_vcek, &chain, false);
        AUTO_BLOB Blob other_root = thim_body(&vcek_pem, &forged_chain, false);
        Blob junk = { .data = (uint8_t *) (uintptr_t) "{}", .size = 2 };
        const Reply replies[] = { { .status = 404 }, { .status = 500 }, { .failure = -ECONNREFUSED },
                                  { .body = &junk }, { .body = &other_chip }, { .body = &other_root } };

        for (size_t i = 0; i < N_ELEMENTS(replies); i++) {
                World w = begin_azure(false);

                w.cloud = replies[i];
                expect_done(&w);
                ck_assert_uint_eq(w.n_cloud, 1);
                ck_assert_uint_eq(w.waited, 0);
                ck_assert_int_eq(snp_collateral_source(w.c, SNP_PART_VEK), SNP_SOURCE_KDS);
                end(&w);
        }
}
END_TEST

START_TEST(an_answer_for_another_tcb_is_waited_out_when_amd_does_not_help) {
        AUTO_BLOB Blob updating = thim_body(&vcek_pem, &chain, true);
        AUTO_BLOB Blob updated = thim_body(&vcek_pem, &chain, false);
        World w = begin_azure(true);

        w.cloud.body = &updating;
        while (w.n_cloud == 0 || w.last.action == SNP_FETCH_GET) {
                ck_assert_int_eq(snp_fetch_next(w.f, &w.now, &w.last, NULL), 0);
                if (w.last.action == SNP_FETCH_GET)
                        answer(&w);
        }
        ck_assert_int_eq(w.last.action, SNP_FETCH_WAIT);
        ck_assert_ptr_nonnull(snp_collateral_get(w.c, SNP_PART_CHAIN)); /* which has no TCB */
        w.cloud.body = &updated;
        expect_done(&w);
        ck_assert_uint_eq(w.n_cloud, 2);
        end(&w);
}
END_TEST

START_TEST(an_answer_for_another_tcb_is_not_waited_for_when_amd_helps) {
        AUTO_BLOB Blob updating = thim_body(&vcek_pem, &chain, true);
        World w = begin_azure(false);

        w.cloud.body = &updating;
        expect_done(&w);
        ck_assert_uint_eq(w.waited, 0);
        ck_assert_int_eq(snp_collateral_source(w.c, SNP_PART_VEK), SNP_SOURCE_KDS);
        end(&w);
}
END_TEST

START_TEST(the_cloud_is_not_asked_for_ever) {
        AUTO_BLOB Blob updating = thim_body(&vcek_pem, &chain, true);
        World w = begin_azure(true);

        w.cloud.body = &updating;
        expect_give_up(&w, "thim-other-tcb");
        ck_assert_uint_eq(w.n_cloud, SNP_FETCH_CLOUD_TRIES);
        end(&w);
}
END_TEST

START_TEST(the_cloud_has_no_vlek) {
        SnpFetchConfig config = { .no_kds = true, .cloud_url = SNP_THIM_URL };
        SnpVekId id = vek_id();
        World w;

        id.key = SNP_SIGNING_KEY_VLEK;
        w = begin_for(&id, &off, &config);
        expect_give_up(&w, "collateral-missing");
        ck_assert_uint_eq(w.n_cloud, 0);
        end(&w);
}
END_TEST

static void make_world(void) {
        CLEANUP(sim_pki_freep) SimPki *other = NULL;
        SimPkiParams params = sim_pki_params(SIM_GENOA);

        params.not_before = genoa->not_before;
        params.chip_id[5] ^= 1;
        ck_assert_int_eq(sim_pki_new(&params, genoa, &other, NULL), 0);
        trust = forge_trust(genoa);
        ck_assert_int_eq(sim_pki_chain_pem(genoa, SIM_VCEK, &chain, NULL), 0);
        ck_assert_int_eq(sim_pki_chain_pem(genoa, SIM_VLEK, &vlek_chain, NULL), 0);
        ck_assert_int_eq(sim_pki_cert_der(genoa, SIM_VCEK, &vcek, NULL), 0);
        ck_assert_int_eq(sim_pki_cert_pem(genoa, SIM_VCEK, &vcek_pem, NULL), 0);
        ck_assert_int_eq(sim_pki_crl_der(genoa, SIM_CRL_VCEK, &crl, NULL), 0);
        ck_assert_int_eq(sim_pki_cert_pem(other, SIM_VCEK, &other_vcek, NULL), 0);
        ck_assert_int_eq(sim_pki_chain_pem(impostor, SIM_VCEK, &forged_chain, NULL), 0);
        ck_assert_int_eq(sim_pki_cert_der(impostor, SIM_VCEK, &forged_vcek, NULL), 0);
}

static void unmake_world(void) {
        Blob *all[] = { &chain, &vcek, &crl, &other_vcek, &forged_vcek, &forged_chain, &vlek_chain, &vcek_pem };

        for (size_t i = 0; i < N_ELEMENTS(all); i++)
                blob_done(all[i]);
        snp_trust_free(trust);
}

static void add_kds_tests(TCase *tc) {
        tcase_add_test(tc, one_request_for_each_part_suffices);
        tcase_add_test(tc, amd_is_asked_when_there_is_no_mirror);
        tcase_add_test(tc, nothing_is_asked_for_what_is_there);
        tcase_add_test(tc, an_outage_does_not_matter_to_what_is_cached);
        tcase_add_loop_test(tc, an_answer_of_no_is_not_asked_for_again, 0, N_ELEMENTS(final_statuses));
        tcase_add_test(tc, another_mirror_may_know);
        tcase_add_test(tc, the_mirror_that_answered_is_asked_first);
        tcase_add_loop_test(tc, what_passes_is_tried_again_after_a_pause, 0, N_ELEMENTS(passing));
        tcase_add_test(tc, pauses_are_as_long_as_the_caller_says);
        tcase_add_test(tc, it_ends_at_the_deadline_without_waiting_for_nothing);
        tcase_add_test(tc, a_late_answer_is_the_last);
        tcase_add_loop_test(tc, retry_after_is_honoured_and_capped, 0, N_ELEMENTS(waits));
        tcase_add_test(tc, retry_after_of_one_mirror_does_not_hold_up_another);
        tcase_add_test(tc, two_machines_do_not_come_back_together);
        tcase_add_loop_test(tc, a_wrong_certificate_is_refused_and_not_asked_for_again, 0, 4);
        tcase_add_test(tc, a_mirror_with_another_root_is_passed_over);
        tcase_add_test(tc, every_truncation_of_an_answer_is_refused);
        tcase_add_test(tc, an_oversized_answer_is_not_asked_for_again);
        tcase_add_loop_test(tc, what_has_no_address_is_given_up_with_its_reason, 0, 3);
        tcase_add_test(tc, a_machine_without_kds_and_cloud_gives_up_at_once);
        tcase_add_test(tc, bad_mirrors_are_refused_at_the_start);
        tcase_add_test(tc, an_answer_to_no_request_is_a_mistake);
}

static void add_cloud_tests(TCase *tc) {
        tcase_add_test(tc, the_cloud_is_asked_first_and_as_it_wants);
        tcase_add_test(tc, amd_is_asked_where_the_cloud_fails);
        tcase_add_test(tc, an_answer_for_another_tcb_is_waited_out_when_amd_does_not_help);
        tcase_add_test(tc, an_answer_for_another_tcb_is_not_waited_for_when_amd_helps);
        tcase_add_test(tc, the_cloud_is_not_asked_for_ever);
        tcase_add_test(tc, the_cloud_has_no_vlek);
}

int main(void) {
        Suite *suite = suite_create("snp/collateral-fetch");
        TCase *tc = tcase_create("fetch");
        int r;

        genoa = forge_pki(SIM_GENOA);
        impostor = forge_impostor(SIM_GENOA);
        tcase_add_unchecked_fixture(tc, make_world, unmake_world);
        add_kds_tests(tc);
        add_cloud_tests(tc);
        suite_add_tcase(suite, tc);
        r = unit_run(suite);
        sim_pki_free(genoa);
        sim_pki_free(impostor);
        return r;
}
