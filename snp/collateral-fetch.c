/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The machine is a table: for every part and every mirror, whether there is any use in asking, and from when on. A step
 * looks for an entry that may be asked now, else for the earliest that may be asked later; an answer changes entries.
 */

#include "snp/collateral-fetch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "snp/retry-after.h"
#include "snp/thim.h"

#define USEC_PER_SEC UINT64_C(1000000)
#define NEVER UINT64_MAX

/* HTTP (RFC 9110, section 15; 425: RFC 8470; 429: RFC 6585) */
#define HTTP_OK 200u
#define HTTP_NOT_FOUND 404u
#define HTTP_TIMEOUT 408u
#define HTTP_TOO_EARLY 425u
#define HTTP_TOO_MANY 429u
#define HTTP_SERVER_ERROR 500u

typedef struct Try {
        bool over;           /* no use in asking again */
        unsigned n_failures; /* in passing */
        uint64_t not_before; /* usec, monotonic */
} Try;

struct SnpFetch {
        SnpCollateral *c; /* borrowed */
        char mirrors[SNP_FETCH_MIRRORS_MAX][SNP_KDS_BASE_MAX + 1];
        size_t n_mirrors;
        size_t first; /* the mirror that answered last: asked first */
        char *cloud_url;
        uint64_t deadline, request_usec, pause_usec;
        Try tries[SNP_N_PARTS][SNP_FETCH_MIRRORS_MAX];
        Try cloud;
        bool asked; /* a GET is out, for: */
        SnpPart part;
        SnpSource source;
        size_t mirror;
        char url[SNP_KDS_URL_MAX];
        Error last[SNP_N_PARTS]; /* why the last attempt at each part failed */
        Error why;
        SnpFetchAction end; /* once it is DONE, or finished tells that it gave up */
        bool finished;
};

static int copy_mirrors(SnpFetch *f, const SnpFetchConfig *config, Error *e) {
        static const char *const amd[] = { SNP_KDS_BASE };
        const char *const *mirrors = config->n_mirrors > 0 ? config->mirrors : amd;
        size_t n = config->n_mirrors > 0 ? config->n_mirrors : 1;

        if (config->no_kds)
                return 0;
        if (n > SNP_FETCH_MIRRORS_MAX)
                return error_set(e, -EINVAL, "kds-base", "%zu mirrors, more than %d", n, SNP_FETCH_MIRRORS_MAX);
        for (size_t i = 0; i < n; i++) {
                int r = snp_kds_base_check(mirrors[i], e);

                if (r < 0)
                        return r;
                (void) snprintf(f->mirrors[i], sizeof(f->mirrors[i]), "%s", mirrors[i]);
        }
        f->n_mirrors = n;
        return 0;
}

int snp_fetch_new(SnpCollateral *c, const SnpFetchConfig *config, const SnpFetchNow *now, SnpFetch **ret, Error *e) {
        CLEANUP(snp_fetch_freep) SnpFetch *f = calloc(1, sizeof(*f));
        uint64_t total = config->total_usec ? config->total_usec : SNP_FETCH_TOTAL_DEFAULT;
        int r;

        if (!f)
                return error_oom(e);
        f->c = c;
        f->deadline = total > NEVER - now->usec ? NEVER : now->usec + total;
        f->request_usec = config->request_usec ? config->request_usec : SNP_FETCH_REQUEST_DEFAULT;
        f->pause_usec = config->pause_usec ? config->pause_usec : SNP_FETCH_PAUSE_DEFAULT;
        r = copy_mirrors(f, config, e);
        if (r < 0)
                return r;
        if (config->cloud_url) {
                f->cloud_url = strdup(config->cloud_url);
                if (!f->cloud_url)
                        return error_oom(e);
        }
        *ret = TAKE_PTR(f);
        return 0;
}

void snp_fetch_free(SnpFetch *f) {
        if (!f)
                return;
        free(f->cloud_url);
        free(f);
}

/* @usec less up to a half of it. */
static uint64_t jitter_down(uint64_t usec, uint32_t random) {
        return usec - (usec / 2 >> 16) * (random >> 16);
}

static uint64_t pause_after(const SnpFetch *f, const SnpFetchAnswer *answer, unsigned n_failures,
                            const SnpFetchNow *now) {
        uint64_t seconds = 0;

        if (answer->failure == 0 && answer->retry_after &&
            snp_retry_after_parse(answer->retry_after, now->wall, &seconds) == 0) {
                uint64_t usec = seconds >= SNP_FETCH_RETRY_AFTER_MAX / USEC_PER_SEC ? SNP_FETCH_RETRY_AFTER_MAX
                                : seconds == 0                                      ? USEC_PER_SEC
                                                                                    : seconds * USEC_PER_SEC;

                return usec + (usec / 4 >> 16) * (now->random >> 16);
        }
        return jitter_down((n_failures < 3 ? n_failures : 3) * f->pause_usec, now->random);
}

static void fail_in_passing(const SnpFetch *f, Try *t, const SnpFetchAnswer *answer, const SnpFetchNow *now) {
        t->n_failures++;
        t->not_before = now->usec + pause_after(f, answer, t->n_failures, now);
}

static bool is_passing(const SnpFetchAnswer *answer) {
        if (answer->failure < 0)
                return answer->failure != -E2BIG;
        return answer->status == HTTP_TIMEOUT || answer->status == HTTP_TOO_EARLY || answer->status == HTTP_TOO_MANY ||
               answer->status >= HTTP_SERVER_ERROR;
}

static const char *host_of(const SnpFetch *f) {
        return f->source == SNP_SOURCE_CLOUD ? "the cloud's endpoint" : f->mirrors[f->mirror];
}

/* Why there was no body to judge. */
static void describe(const SnpFetch *f, const SnpFetchAnswer *answer, Error *ret) {
        const char *part = snp_part_name(f->part);

        *ret = (Error){};
        if (answer->failure == -E2BIG)
                (void) error_set(ret, -E2BIG, "answer-size", "%s from %s is larger than %zu bytes", part, host_of(f),
                                 snp_part_size_max(f->part));
        else if (answer->failure < 0)
                (void) error_set(ret, answer->failure, "answer-none", "No answer for the %s from %s: %s", part,
                                 host_of(f), error_text(NULL, answer->failure));
        else if (answer->status == HTTP_NOT_FOUND)
                (void) error_set(ret, -ENOENT, "kds-not-found",
                                 "%s does not know this %s: not a production part, or another chip, TCB or product",
                                 host_of(f), part);
        else if (answer->status == HTTP_TOO_MANY)
                (void) error_set(ret, -EBUSY, "kds-throttled", "%s asks us to slow down (HTTP 429)", host_of(f));
        else
                (void) error_set(ret, -EIO, "kds-status", "%s answered the request for the %s with HTTP %u", host_of(f),
                                 part, answer->status);
}

static int take_part(SnpFetch *f, const SnpFetchNow *now, const SnpFetchAnswer *answer, Error *e) {
        Try *t = &f->tries[f->part][f->mirror];
        Error why = {};
        int r;

        if (answer->failure == 0 && answer->status == HTTP_OK) {
                r = snp_collateral_offer(f->c, f->part, SNP_SOURCE_KDS, answer->body, answer->size, now->wall, &why);
                if (r == -ENOMEM)
                        return error_oom(e);
                if (r < 0)
                        error_prefix(&why, "%s", host_of(f));
                else
                        f->first = f->mirror;
                t->over = true; /* right or wrong, the same would come again */
        } else {
                describe(f, answer, &why);
                if (is_passing(answer))
                        fail_in_passing(f, t, answer, now);
                else
                        t->over = true;
        }
        if (why.code < 0)
                f->last[f->part] = why;
        return 0;
}

/* 0 with *@ret_other telling whether the answer is for another TCB. */
static int take_thim(SnpFetch *f, const SnpFetchNow *now, const SnpFetchAnswer *answer, bool *ret_other, Error *e) {
        AUTO_SNP_THIM SnpThim thim = {};
        int r = snp_thim_parse(answer->body, answer->size, &thim, e);

        if (r < 0)
                return r;
        r = snp_collateral_offer(f->c, SNP_PART_CHAIN, SNP_SOURCE_CLOUD, thim.chain.data, thim.chain.size, now->wall,
                                 e);
        if (r < 0)
                return r;
        *ret_other = memcmp(thim.tcb, snp_collateral_id(f->c)->tcb, sizeof(thim.tcb)) != 0;
        if (*ret_other)
                return error_set(e, -ESTALE, "thim-other-tcb",
                                 "The cloud's endpoint speaks for another TCB than the report's: is the host being "
                                 "updated?");
        return snp_collateral_offer(f->c, SNP_PART_VEK, SNP_SOURCE_CLOUD, thim.vek.data, thim.vek.size, now->wall, e);
}

static int take_cloud(SnpFetch *f, const SnpFetchNow *now, const SnpFetchAnswer *answer, Error *e) {
        bool passing = is_passing(answer);
        Error why = {};

        if (answer->failure == 0 && answer->status == HTTP_OK) {
                if (take_thim(f, now, answer, &passing, &why) == -ENOMEM)
                        return error_oom(e);
        } else
                describe(f, answer, &why);
        if (passing)
                fail_in_passing(f, &f->cloud, answer, now);
        f->cloud.over = !passing || f->cloud.n_failures >= SNP_FETCH_CLOUD_TRIES;
        if (why.code < 0)
                f->last[SNP_PART_CHAIN] = f->last[SNP_PART_VEK] = why;
        return 0;
}

int snp_fetch_answer(SnpFetch *f, const SnpFetchNow *now, const SnpFetchAnswer *answer, Error *e) {
        if (!f->asked)
                return error_set(e, -EINVAL, "answer-unasked", "An answer to no request");
        f->asked = false;
        return f->source == SNP_SOURCE_CLOUD ? take_cloud(f, now, answer, e) : take_part(f, now, answer, e);
}

static bool uses_cloud(const SnpFetch *f, SnpPart part) {
        return f->cloud_url && !f->cloud.over && part != SNP_PART_CRL &&
               snp_collateral_id(f->c)->key == SNP_SIGNING_KEY_VCEK;
}

/* A mirror that may be asked for @part now, starting with the one that answered last. */
static bool find_mirror(const SnpFetch *f, SnpPart part, bool needed, uint64_t usec, size_t *ret) {
        for (size_t i = 0; i < f->n_mirrors; i++) {
                size_t k = (f->first + i) % f->n_mirrors;
                const Try *t = &f->tries[part][k];

                if (!t->over && t->not_before <= usec && (needed || t->n_failures == 0)) {
                        *ret = k;
                        return true;
                }
        }
        return false;
}

/* When @part can be asked for again; NEVER: nowhere. */
static uint64_t next_chance(const SnpFetch *f, SnpPart part) {
        uint64_t earliest = uses_cloud(f, part) ? f->cloud.not_before : NEVER;

        for (size_t i = 0; i < f->n_mirrors; i++)
                if (!f->tries[part][i].over && f->tries[part][i].not_before < earliest)
                        earliest = f->tries[part][i].not_before;
        return earliest;
}

static void ask(SnpFetch *f, SnpPart part, SnpSource source, size_t mirror) {
        f->asked = true;
        f->part = part;
        f->source = source;
        f->mirror = mirror;
}

/* Whether there is an address for @part; if not, no mirror has one. */
static bool has_address(SnpFetch *f, SnpPart part, size_t mirror) {
        Error why = {};

        if (snp_kds_url(snp_collateral_id(f->c), part, f->mirrors[mirror], f->url, &why) == 0)
                return true;
        for (size_t i = 0; i < f->n_mirrors; i++)
                f->tries[part][i].over = true;
        if (f->last[part].code == 0)
                f->last[part] = why;
        return false;
}

static bool try_part(SnpFetch *f, SnpPart part, bool needed, uint64_t usec) {
        size_t mirror;

        if (uses_cloud(f, part) && f->cloud.not_before <= usec) {
                ask(f, SNP_PART_VEK, SNP_SOURCE_CLOUD, 0);
                return true;
        }
        if (!find_mirror(f, part, needed, usec, &mirror) || !has_address(f, part, mirror))
                return false;
        ask(f, part, SNP_SOURCE_KDS, mirror);
        return true;
}

static void finish(SnpFetch *f, SnpFetchAction end, const Error *why) {
        f->finished = true;
        f->end = end;
        if (why)
                f->why = *why;
}

static void give_up(SnpFetch *f, SnpPart part, bool late) {
        Error why = f->last[part];

        if (why.code == 0)
                (void) error_set(&why, -ENOENT, "collateral-missing", "There is nowhere to ask for the %s",
                                 snp_part_name(part));
        if (late)
                error_prefix(&why, "No time left for the %s", snp_part_name(part));
        finish(f, SNP_FETCH_GIVE_UP, &why);
}

/* Every part that is needed has its next chance in time, or all is over. */
static uint64_t judge_waiting(SnpFetch *f, unsigned missing, uint64_t usec) {
        uint64_t earliest = NEVER;

        for (SnpPart part = 0; part < SNP_N_PARTS; part++) {
                uint64_t chance;

                if (!(missing & 1u << part))
                        continue;
                chance = next_chance(f, part);
                if (chance == NEVER || chance >= f->deadline) {
                        give_up(f, part, chance != NEVER);
                        return usec;
                }
                if (chance < earliest)
                        earliest = chance;
                if (part == SNP_PART_CHAIN)
                        break; /* the others are not asked for before it is there */
        }
        return earliest;
}

static void advance(SnpFetch *f, const SnpFetchNow *now, uint64_t *ret_until) {
        unsigned missing = snp_collateral_missing(f->c), wanted = snp_collateral_wanted(f->c);
        bool late = now->usec >= f->deadline;

        for (SnpPart part = 0; part < SNP_N_PARTS && !late; part++) {
                if (!(wanted & 1u << part))
                        continue;
                if (try_part(f, part, missing & 1u << part, now->usec))
                        return;
                if (part == SNP_PART_CHAIN)
                        break;
        }
        if (missing == 0)
                finish(f, SNP_FETCH_DONE, wanted ? &f->last[SNP_PART_CRL] : NULL);
        else if (late)
                give_up(f, (SnpPart) __builtin_ctz(missing), true);
        else
                *ret_until = judge_waiting(f, missing, now->usec);
}

static void describe_get(const SnpFetch *f, const SnpFetchNow *now, SnpFetchStep *ret) {
        bool cloud = f->source == SNP_SOURCE_CLOUD;
        uint64_t timeout = f->request_usec, left = f->deadline > now->usec ? f->deadline - now->usec : 0;

        if (cloud && timeout > SNP_FETCH_CLOUD_REQUEST_MAX)
                timeout = SNP_FETCH_CLOUD_REQUEST_MAX;
        *ret = (SnpFetchStep){
                .action = SNP_FETCH_GET,
                .url = cloud ? f->cloud_url : f->url,
                .header = cloud ? SNP_THIM_HEADER : NULL,
                .body_max = cloud ? SNP_THIM_SIZE_MAX : snp_part_size_max(f->part),
                .timeout_usec = timeout < left ? timeout : left,
                .part = f->part,
                .source = f->source,
                .why = &f->why,
        };
}

int snp_fetch_next(SnpFetch *f, const SnpFetchNow *now, SnpFetchStep *ret, Error *e) {
        uint64_t until = now->usec;

        (void) e; /* nothing is allocated today; callers should not have to care */
        if (!f->asked && !f->finished)
                advance(f, now, &until);
        if (f->asked)
                describe_get(f, now, ret);
        else if (f->finished)
                *ret = (SnpFetchStep){ .action = f->end, .why = &f->why };
        else
                *ret = (SnpFetchStep){ .action = SNP_FETCH_WAIT, .wait_usec = until - now->usec, .why = &f->why };
        return 0;
}
