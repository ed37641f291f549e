/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/snpctl/certs-fetch.h"

#include <errno.h>
#include <openssl/rand.h>
#include <time.h>

#include "base/deadline.h"
#include "keybroker-client/download.h"

typedef struct Run {
        SnpFetch *machine;
        KbcDownloads *downloads;
        bool done;     /* the download has ended */
        int r;         /* of telling the machine */
        Error *e;
} Run;

static SnpFetchNow now(void) {
        SnpFetchNow n = { .usec = now_monotonic_usec(), .wall = time(NULL) };

        (void) !RAND_bytes((unsigned char *) &n.random, sizeof(n.random)); /* jitter, no secret */
        return n;
}

static void on_download(void *userdata, int r, const KbcReply *reply, KbcRemedy remedy, const Error *e) {
        Run *run = userdata;
        SnpFetchAnswer answer = { .failure = r };
        SnpFetchNow n = now();

        (void) remedy, (void) e;
        if (r == 0) {
                answer.status = (unsigned) reply->status;
                answer.retry_after = reply->retry_after[0] ? reply->retry_after : NULL;
                answer.body = reply->body;
                answer.size = reply->size;
        }
        run->r = snp_fetch_answer(run->machine, &n, &answer, run->e);
        run->done = true;
}

static int get(Run *run, const SnpFetchStep *s) {
        const KbcDownloadRequest request = {
                .url = s->url, .header = s->header, .size_max = s->body_max, .timeout_usec = s->timeout_usec,
        };
        KbcDownload *download = NULL;
        SnpFetchNow n = now();
        int r;

        run->done = false;
        r = kbc_download_start(run->downloads, &request, on_download, run, &download, NULL);
        if (r < 0)
                return snp_fetch_answer(run->machine, &n, &(SnpFetchAnswer){ .failure = r }, run->e);
        while (!run->done)
                kbc_downloads_poll(run->downloads, USEC_PER_SEC);
        return run->r;
}

/* Until there is nothing more to do; the last step tells how it ended. */
static int drive(Run *run, CertsFetch *fetch, SnpFetchStep *ret) {
        for (;;) {
                SnpFetchNow n = now();
                int r = snp_fetch_next(run->machine, &n, ret, run->e);

                if (r == 0 && ret->action == SNP_FETCH_GET) {
                        fetch->n_requests++;
                        r = get(run, ret);
                } else if (r == 0 && ret->action == SNP_FETCH_WAIT)
                        r = deadline_sleep(deadline_never(), ret->wait_usec);
                else
                        return r;
                if (r < 0)
                        return r;
        }
}

static int fetch_missing(SnpCollateral *c, CertsFetch *fetch, Error *e) {
        CLEANUP(kbc_downloads_freep) KbcDownloads *downloads = NULL;
        CLEANUP(snp_fetch_freep) SnpFetch *machine = NULL;
        SnpFetchNow n = now();
        SnpFetchStep last = {};
        Run run;
        int r;

        r = kbc_downloads_new(&(KbcTransfersConfig){ .ca_file = fetch->ca_file }, &downloads, e);
        if (r == 0)
                r = snp_fetch_new(c, &fetch->config, &n, &machine, e);
        if (r < 0)
                return r;
        run = (Run){ .machine = machine, .downloads = downloads, .e = e };
        r = drive(&run, fetch, &last);
        if (r < 0)
                return r;
        /* What came is worth keeping, whatever did not. */
        if (fetch->cache)
                (void) !snp_cache_keep(fetch->cache, c, &fetch->not_kept);
        if (last.why && last.action == SNP_FETCH_DONE)
                fetch->incomplete = *last.why;
        if (last.action == SNP_FETCH_DONE)
                return 0;
        if (!last.why || last.why->code >= 0)
                return error_set(e, -ENOENT, "certificate-missing", "Nobody could be asked for what is missing");
        return error_set(e, last.why->code, last.why->reason, "%s", last.why->text);
}

int certs_fetch(SnpCollateral *c, CertsFetch *fetch, Error *e) {
        uint64_t patience = fetch->config.total_usec ? fetch->config.total_usec : SNP_FETCH_TOTAL_DEFAULT;
        AUTO_SNP_CACHE_TURN SnpCacheTurn turn = {};
        Error unlocked = {};
        int r;

        if (!fetch->cache)
                return snp_collateral_wanted(c) ? fetch_missing(c, fetch, e) : 0;
        r = snp_cache_fill(fetch->cache, c, time(NULL), e);
        if (r < 0 || !snp_collateral_wanted(c))
                return r;
        r = snp_cache_begin_wait(fetch->cache, snp_collateral_id(c), deadline_in(patience), &turn, &unlocked);
        if (r == -ETIMEDOUT || r == -ENOMEM)
                return error_set(e, r == -ETIMEDOUT ? -EBUSY : r, unlocked.reason, "%s", unlocked.text);
        /* A cache that can only be read has no turns, and others may fetch the same. */
        r = snp_cache_fill(fetch->cache, c, time(NULL), e);
        if (r < 0 || !snp_collateral_wanted(c))
                return r;
        return fetch_missing(c, fetch, e);
}
