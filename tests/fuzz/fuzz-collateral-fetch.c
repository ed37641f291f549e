/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The machine that fetches, with a world that answers as the input says, two bytes for each answer. It always comes to
 * an end, within its deadline and a bounded number of requests; it never waits for nothing, and it never says that
 * all is there.
 */

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "snp/collateral-fetch.h"
#include "snp/thim.h"

#define START UINT64_C(1000000000)
#define TOTAL UINT64_C(300000000)
#define REQUESTS_MAX 400

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct Tape {
        const uint8_t *data;
        size_t size, pos;
} Tape;

static uint8_t next(Tape *t) {
        return t->pos < t->size ? t->data[t->pos++] : 0;
}

static SnpFetchAnswer answer_of(Tape *t) {
        static const unsigned statuses[] = { 200, 404, 408, 425, 429, 500, 503, 302, 0, 100 };
        static const int failures[] = { 0, 0, 0, -ETIMEDOUT, -ECONNRESET, -E2BIG, -EIO };
        static const char *const waits[] = { NULL, "0", "1", "59", "100000", "soon", "Sun, 15 Jun 2025 15:07:20 GMT" };
        uint8_t a = next(t), b = next(t);

        return (SnpFetchAnswer){
                .status = statuses[a % N_ELEMENTS(statuses)],
                .failure = failures[b % N_ELEMENTS(failures)],
                .retry_after = waits[(a >> 4) % N_ELEMENTS(waits)],
                .body = t->data + t->pos,
                .size = t->size - t->pos,
        };
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        static const char *const mirrors[] = { "http://a.example", "http://b.example", "http://c.example" };
        CLEANUP(snp_trust_freep) SnpTrust *trust = NULL;
        CLEANUP(snp_collateral_freep) SnpCollateral *c = NULL;
        CLEANUP(snp_fetch_freep) SnpFetch *f = NULL;
        Tape tape = { .data = data, .size = size };
        uint8_t shape = next(&tape);
        SnpFetchConfig config = { .mirrors = mirrors, .n_mirrors = shape % 4, .no_kds = shape & 4, .total_usec = TOTAL,
                                  .cloud_url = shape & 8 ? SNP_THIM_URL : NULL };
        const SnpCrlPolicy policy = { .mode = shape >> 4 & 1 ? SNP_CRL_HARD : SNP_CRL_SOFT };
        const SnpVekId id = { .product = shape >> 5 & 3, .chip_id = { shape >> 7 } };
        SnpFetchNow now = { .usec = START, .wall = 1750000000 };
        unsigned n = 0;

        assert(snp_trust_new_amd(&trust, NULL) == 0);
        assert(snp_collateral_new(trust, &id, &policy, &c, NULL) == 0);
        assert(snp_fetch_new(c, &config, &now, &f, NULL) == 0);
        for (;;) {
                SnpFetchStep step;

                now.random = now.random * 1664525u + 1013904223u;
                assert(snp_fetch_next(f, &now, &step, NULL) == 0);
                assert(now.usec <= START + TOTAL);
                if (step.action == SNP_FETCH_GET) {
                        SnpFetchAnswer answer = answer_of(&tape);

                        assert(++n <= REQUESTS_MAX && strlen(step.url) < SNP_KDS_URL_MAX);
                        assert(step.timeout_usec > 0 && now.usec + step.timeout_usec <= START + TOTAL);
                        now.usec += answer.failure == -ETIMEDOUT ? step.timeout_usec : 1000;
                        if (now.usec > START + TOTAL)
                                now.usec = START + TOTAL;
                        assert(snp_fetch_answer(f, &now, &answer, NULL) == 0);
                } else if (step.action == SNP_FETCH_WAIT) {
                        assert(step.wait_usec > 0);
                        now.usec += step.wait_usec;
                } else {
                        assert(step.action == SNP_FETCH_GIVE_UP && step.why->code < 0 && step.why->text[0]);
                        return 0;
                }
        }
}
