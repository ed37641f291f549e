/* SPDX-License-Identifier: Apache-2.0 */

/*
 * One attempt at a time to get what is missing: wait for the turn at the cache, so that of all processes only one asks,
 * then do what SnpFetch says until it has everything or gives up. Nothing here calls back from inside a call of ours:
 * every step is taken from a timer or the end of a download.
 */

#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "agent/cloud.h"
#include "agent/collateral-internal.h"
#include "base/log.h"

#define TIMER_ACCURACY_USEC USEC_PER_MSEC
#define RETRY_MAX_USEC (86400 * USEC_PER_SEC) /* after many attempts in vain */

static SnpFetchNow now(void) {
        SnpFetchNow n = { .usec = now_monotonic_usec(), .wall = time(NULL) };

        (void) !getrandom(&n.random, sizeof(n.random), GRND_NONBLOCK); /* without chance it is regular, and no worse */
        return n;
}

static void arm(Collateral *c, uint64_t usec) {
        (void) sd_event_source_set_time_relative(c->fetch.timer, usec);
        (void) sd_event_source_set_enabled(c->fetch.timer, SD_EVENT_ONESHOT);
}

/* libcurl's own clock, which changes with whatever is done to it. */
static void arm_downloads(Collateral *c) {
        uint64_t due = kbc_downloads_timer_usec(c->fetch.downloads), n = now_monotonic_usec();

        (void) loop_kbc_ops.set_timer(c->fetch.loop, due == UINT64_MAX ? due : due > n ? due - n : 0);
}

static void on_fd(void *object, int fd, unsigned what) {
        Collateral *c = object;

        kbc_downloads_on_fd(c->fetch.downloads, fd, what);
        arm_downloads(c);
}

static void on_curl_timer(void *object) {
        Collateral *c = object;

        kbc_downloads_on_timer(c->fetch.downloads);
        arm_downloads(c);
}

static void end_attempt(CollateralFetch *f) {
        kbc_download_cancel(TAKE_PTR(f->download));
        snp_fetch_free(TAKE_PTR(f->machine));
        snp_cache_end(&f->turn);
        f->phase = FETCH_IDLE;
        (void) sd_event_source_set_enabled(f->timer, SD_EVENT_OFF);
}

static uint64_t retry_usec(const Collateral *c) {
        uint64_t usec = c->setup.config->retry_usec;

        for (unsigned i = 1; i < c->fetch.n_in_vain && usec < RETRY_MAX_USEC; i++)
                usec *= 2;
        if (usec > RETRY_MAX_USEC)
                usec = RETRY_MAX_USEC;
        return usec + now().random % (usec / 4 + 1); /* a fleet that failed together does not come back together */
}

/* @why: what was wanted and could not be had; code 0: nothing. */
static void finish(Collateral *c, const Error *why) {
        CollateralFetch *f = &c->fetch;

        f->last_error = *why; /* which may be the machine's, and go with it */
        why = &f->last_error;
        if (f->machine)
                collateral_save(c); /* what came is worth keeping, whatever did not */
        end_attempt(f);
        collateral_update_vek(c);
        if (why->code == 0 && snp_collateral_wanted(c->parts) != 0)
                (void) error_set(&f->last_error, -ESTALE, "crl-stale",
                                 "The revocation list that is to be had is not a current one");
        if (why->code < 0) {
                f->n_failures++;
                f->n_in_vain++;
                f->next_usec = now_monotonic_usec() + retry_usec(c);
                log_line(snp_collateral_missing(c->parts) ? LOG_WARNING : LOG_INFO, "Certificates of this machine: %s",
                         error_text(why, why->code));
        } else {
                f->n_in_vain = 0;
                f->next_usec = 0;
                log_info("Certificates of this machine are complete");
        }
        c->setup.changed(c->setup.userdata);
        if (f->phase == FETCH_IDLE && why->code < 0)
                collateral_fetch_want(c);
}

static void fail(Collateral *c, int r, const Error *e) {
        Error why = {};

        (void) error_set(&why, r, error_reason(e, r), "%s", error_text(e, r));
        finish(c, &why);
}

static void step(Collateral *c);

/* Nobody waits for what is wanted besides, revocation lists as a rule. */
static void tell_early(Collateral *c) {
        if (c->vek || snp_collateral_missing(c->parts) != 0)
                return;
        collateral_update_vek(c);
        c->setup.changed(c->setup.userdata);
}

static void on_download(void *userdata, int r, const KbcReply *reply, KbcRemedy remedy, const Error *e) {
        Collateral *c = userdata;
        SnpFetchAnswer answer = { .failure = r };
        SnpFetchNow n = now();
        Error own = {};

        (void) remedy; /* SnpFetch has rules of its own */
        c->fetch.download = NULL;
        if (r == 0) {
                answer.status = (unsigned) reply->status;
                answer.retry_after = reply->retry_after[0] ? reply->retry_after : NULL;
                answer.body = reply->body;
                answer.size = reply->size;
        } else
                log_debug("Certificates of this machine: %s", error_text(e, r));
        r = snp_fetch_answer(c->fetch.machine, &n, &answer, &own);
        if (r == 0)
                tell_early(c);
        if (r < 0)
                fail(c, r, &own);
        else if (c->fetch.machine) /* nobody who was told gave the attempt up */
                step(c);
}

/* One request. What cannot even be asked counts as an answer that did not come. */
static int get(Collateral *c, const SnpFetchStep *s, Error *e) {
        const KbcDownloadRequest request = {
                .url = s->url, .header = s->header, .size_max = s->body_max, .timeout_usec = s->timeout_usec,
        };
        SnpFetchNow n = now();
        Error why = {};
        int r;

        c->fetch.n_requests++;
        c->fetch.phase = FETCH_RUNNING;
        r = kbc_download_start(c->fetch.downloads, &request, on_download, c, &c->fetch.download, &why);
        if (r == 0) {
                arm_downloads(c);
                return 0;
        }
        log_debug("Certificates of this machine: %s", error_text(&why, r));
        r = snp_fetch_answer(c->fetch.machine, &n, &(SnpFetchAnswer){ .failure = r }, e);
        return r < 0 ? r : 1; /* go on */
}

static void step(Collateral *c) {
        static const Error nothing = {};
        SnpFetchStep s = {};
        Error e = {};
        int r;

        do {
                SnpFetchNow n = now();

                r = snp_fetch_next(c->fetch.machine, &n, &s, &e);
                if (r == 0 && s.action == SNP_FETCH_GET)
                        r = get(c, &s, &e);
        } while (r > 0);
        if (r < 0)
                fail(c, r, &e);
        else if (s.action == SNP_FETCH_WAIT) {
                c->fetch.phase = FETCH_PAUSED;
                arm(c, s.wait_usec);
        } else if (s.action != SNP_FETCH_GET)
                finish(c, s.why ? s.why : &nothing);
}

static int make_machine(Collateral *c, Error *e) {
        const ConfigCollateral *config = c->setup.config;
        const SnpFetchConfig f = {
                .mirrors = (const char *const *) config->kds.urls, .n_mirrors = config->kds.n,
                .no_kds = config->kds.none, .cloud_url = cloud_certificates_url(config),
                .total_usec = config->deadline_usec, .request_usec = config->request_timeout_usec,
                .pause_usec = config->pause_usec,
        };
        SnpFetchNow n = now();

        return snp_fetch_new(c->parts, &f, &n, &c->fetch.machine, e);
}

/* Somebody may have stored it while we waited for our turn. */
static int fill_again(Collateral *c, Error *e) {
        int r = snp_cache_fill(c->cache, c->parts, time(NULL), e);

        if (r == 0)
                collateral_update_vek(c);
        return r;
}

static void begin(Collateral *c) {
        static const Error nothing = {};
        CollateralFetch *f = &c->fetch;
        Error e = {}, unlocked = {};
        int r = 0;

        collateral_open_cache(c);
        if (c->cache)
                r = snp_cache_begin(c->cache, snp_collateral_id(c->parts), &f->turn, &unlocked);
        if (r == -EBUSY && !deadline_expired(f->patience)) {
                f->phase = FETCH_WAITING;
                arm(c, SNP_CACHE_POLL_USEC);
                return;
        }
        if (r == -EBUSY || r == -ENOMEM) {
                fail(c, r, &unlocked);
                return;
        }
        r = c->cache ? fill_again(c, &e) : 0;
        if (r == 0 && snp_collateral_wanted(c->parts) == 0) {
                finish(c, &nothing);
                return;
        }
        if (r == 0)
                r = make_machine(c, &e);
        if (r < 0)
                fail(c, r, &e);
        else
                step(c);
}

static int on_time(sd_event_source *source, uint64_t usec, void *userdata) {
        Collateral *c = userdata;

        (void) source;
        (void) usec;
        switch (c->fetch.phase) {
        case FETCH_IDLE:
                collateral_fetch_want(c);
                break;
        case FETCH_STARTING:
                c->fetch.n_attempts++;
                c->fetch.patience = deadline_in(c->setup.config->deadline_usec);
                begin(c);
                break;
        case FETCH_WAITING:
                begin(c);
                break;
        case FETCH_PAUSED:
                step(c);
                break;
        case FETCH_RUNNING: /* the end of the download is waited for */
                break;
        }
        return 0;
}

void collateral_fetch_want(Collateral *c) {
        CollateralFetch *f = &c->fetch;
        uint64_t n = now_monotonic_usec();

        if (!f->loop || f->phase != FETCH_IDLE || !c->parts)
                return;
        if (f->next_usec > n) {
                arm(c, f->next_usec - n);
                return;
        }
        f->phase = FETCH_STARTING;
        arm(c, 0);
}

bool collateral_is_fetching(const Collateral *c) {
        return c->fetch.loop && c->fetch.phase != FETCH_IDLE;
}

void collateral_fetch_cancel(Collateral *c) {
        CollateralFetch *f = &c->fetch;

        if (!f->loop)
                return;
        end_attempt(f);
        f->next_usec = 0;
        f->n_in_vain = 0;
        f->last_error = (Error){};
        arm_downloads(c);
}

static int check_addresses(const ConfigCollateral *config, Error *e) {
        int r = config->cloud_url ? kbc_download_check_url(config->cloud_url, e) : 0;

        for (size_t i = 0; i < config->kds.n && r == 0; i++) {
                r = snp_kds_base_check(config->kds.urls[i], e);
                if (r == 0)
                        r = kbc_download_check_url(config->kds.urls[i], e);
        }
        return r;
}

int collateral_fetch_init(Collateral *c, Error *e) {
        static const LoopKbcTarget target = { .on_fd = on_fd, .on_timer = on_curl_timer };
        const ConfigCollateral *config = c->setup.config;
        LoopKbcTarget t = target;
        int r;

        r = check_addresses(config, e);
        if (r < 0 || !c->setup.event || config->fetch == CONFIG_FETCH_NEVER)
                return r;
        r = sd_event_add_time_relative(c->setup.event, &c->fetch.timer, CLOCK_MONOTONIC, 0, TIMER_ACCURACY_USEC,
                                       on_time, c);
        if (r >= 0)
                r = sd_event_source_set_enabled(c->fetch.timer, SD_EVENT_OFF);
        if (r < 0)
                return error_set(e, r, "event-loop", "Cannot set up a timer: %s", error_text(NULL, r));
        r = loop_kbc_new(c->setup.event, &c->fetch.loop, e);
        if (r < 0)
                return r;
        r = kbc_downloads_new(&(KbcTransfersConfig){ .ca_file = config->kds_ca, .loop_ops = &loop_kbc_ops,
                                                     .loop = c->fetch.loop }, &c->fetch.downloads, e);
        if (r < 0) {
                error_prefix(e, "KdsCA=");
                return r;
        }
        t.object = c;
        loop_kbc_set_target(c->fetch.loop, &t);
        return 0;
}

void collateral_fetch_done(Collateral *c) {
        CollateralFetch *f = &c->fetch;

        if (f->timer)
                end_attempt(f);
        kbc_downloads_free(TAKE_PTR(f->downloads));
        loop_kbc_free(TAKE_PTR(f->loop));
        f->timer = sd_event_source_disable_unref(f->timer);
}
