/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What our client costs beyond the requests it cannot do without: one handshake and one resource, from nothing to the
 * secret in hand, over TLS on the loopback interface, against the reference broker (a real one: it verifies every
 * report, checks every nonce and seals every resource).
 *
 *   ours   a new KbcClient: CA file, key pair, TLS connection, /auth, report data, device call, evidence, /attest,
 *          token, resource, decryption; then its end
 *   bare   a curl handle without a connection: the same three requests, with bodies of the same kind, the TLS
 *          connection that the first of them makes, the device call, the end of the connection. The clock stands
 *          still while handle, key pair, digest and evidence text are made, and the answers are neither parsed nor
 *          decrypted.
 *
 * The device call is the same on both sides: the simulator's processor signing a report. Both take turns, each goes
 * first half of the time, and the ratio is the median over rounds of neighbours. Time is that of the clock on the
 * wall: whoever waits for a disk to open waits for the broker too.
 *
 *     bench-attest [ROUNDS]
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/text.h"
#include "keybroker-client/client.h"
#include "keybroker-client/evidence.h"
#include "tests/broker/fixture.h"
#include "tests/broker/guest.h"
#include "tests/simulator/report.h"

#define GOAL 1.3
#define ROUNDS_DEFAULT 200
#define ROUNDS_MAX 10000
#define PATIENCE (60 * USEC_PER_SEC)

typedef struct Bench {
        SimPki *pki;
        SimReport report;
        Blob table; /* certificates as the host gives them: the VCEK alone */
        BrokerFixture fixture;
        KbcClient *client;
        uint64_t device_nsec; /* of the round under way */
        int result;
        size_t secret_size;
} Bench;

typedef struct Sample {
        uint64_t total, device;
} Sample;

static void must(bool ok, const char *what) {
        if (!ok) {
                (void) fprintf(stderr, "bench-attest: %s failed\n", what);
                exit(EXIT_FAILURE);
        }
}

static uint64_t now_nsec(void) {
        struct timespec ts;

        must(clock_gettime(CLOCK_MONOTONIC, &ts) == 0, "clock_gettime");
        return (uint64_t) ts.tv_sec * 1000000000u + (uint64_t) ts.tv_nsec;
}

/* The device call. */
static void make_report(Bench *b, const uint8_t *report_data, uint8_t ret[static SIM_REPORT_SIZE]) {
        uint64_t begin = now_nsec();

        (void) memcpy(b->report.report_data, report_data, SIM_REPORT_DATA_SIZE);
        must(sim_report_make(&b->report, b->pki, ret, NULL) == 0, "sim_report_make");
        b->device_nsec = now_nsec() - begin;
}

static int on_evidence(void *userdata, const uint8_t *report_data, size_t size, Deadline deadline, Error *e) {
        Bench *b = userdata;
        uint8_t report[SIM_REPORT_SIZE];
        KbcEvidence evidence = {};
        int r;

        (void) deadline;
        must(size == SIM_REPORT_DATA_SIZE, "report data");
        make_report(b, report_data, report);
        r = kbc_evidence_snp(&(KbcSnpEvidence){ .report = report,
                                                .report_size = sizeof(report),
                                                .cert_table = b->table.data,
                                                .cert_table_size = b->table.size },
                             &evidence, NULL, e);
        if (r < 0)
                return r;
        kbc_client_evidence_ready(b->client, &evidence);
        blob_done(&evidence.json);
        return 0;
}

static void on_done(void *userdata, int r, Secret *secret, const Error *e) {
        Bench *b = userdata;

        b->result = r;
        b->secret_size = r == 0 ? secret->len : 0;
        if (r < 0)
                (void) fprintf(stderr, "bench-attest: %s\n", error_text(e, r));
}

static Sample run_ours(Bench *b) {
        KbcClientConfig config = {
                .url = b->fixture.url, .ca_file = b->fixture.ca_file, .tee = "snp", .alg = KBC_TEE_ALG_ECDH_P256,
                .evidence = on_evidence, .evidence_userdata = b,
        };
        uint64_t begin = now_nsec();
        KbcRequest *request;

        must(kbc_client_new(&config, &b->client, NULL) == 0, "kbc_client_new");
        must(kbc_client_get_resource(b->client, FIXTURE_RESOURCE, deadline_in(PATIENCE), on_done, b, &request,
                                     NULL) == 0, "kbc_client_get_resource");
        must(kbc_client_wait(b->client, deadline_in(PATIENCE), NULL) == 0, "kbc_client_wait");
        kbc_client_free(TAKE_PTR(b->client));
        must(b->result == 0 && b->secret_size == strlen(FIXTURE_SECRET), "the resource");
        return (Sample){ .total = now_nsec() - begin, .device = b->device_nsec };
}

/* A request in time: adds what it took to *total. */
static void timed_request(Guest *g, const char *method, const char *path, const char *body, GuestAnswer *ret,
                          uint64_t *total) {
        uint64_t begin = now_nsec();

        guest_request(g, method, path, body, NULL, ret);
        *total += now_nsec() - begin;
        must(ret->code == CURLE_OK && ret->status == 200, path);
}

static Sample run_bare(Bench *b) {
        AUTO_GUEST Guest g = {};
        AUTO_GUEST_ANSWER GuestAnswer challenge = {};
        AUTO_GUEST_ANSWER GuestAnswer token = {};
        AUTO_GUEST_ANSWER GuestAnswer resource = {};
        uint8_t data[SIM_REPORT_DATA_SIZE], report[SIM_REPORT_SIZE];
        AUTO_FREE char *message = NULL;
        uint64_t total = 0, begin;

        must(guest_open(b->fixture.url, b->fixture.ca_file, GUEST_P256, &g, NULL) == 0, "guest_open");
        timed_request(&g, "POST", "/kbs/v0/auth", guest_auth_body, &challenge, &total);
        guest_take_challenge(&g, &challenge);
        must(guest_report_data(&g, data, NULL) == 0, "guest_report_data");
        make_report(b, data, report);
        total += b->device_nsec;
        must(guest_attestation(&g, report, b->pki, &message, NULL) == 0, "guest_attestation");
        timed_request(&g, "POST", "/kbs/v0/attest", message, &token, &total);
        timed_request(&g, "GET", "/kbs/v0/resource/" FIXTURE_RESOURCE, NULL, &resource, &total);
        begin = now_nsec();
        curl_easy_cleanup(TAKE_PTR(g.curl)); /* closes the connection, as ours does */
        return (Sample){ .total = total + now_nsec() - begin, .device = b->device_nsec };
}

static int compare(const void *a, const void *b) {
        const double *x = a, *y = b;

        return (*x > *y) - (*x < *y);
}

static double median(double *values, size_t n) {
        qsort(values, n, sizeof(*values), compare);
        return values[n / 2];
}

static void measure(Bench *b, size_t rounds) {
        static double ours[ROUNDS_MAX], bare[ROUNDS_MAX], device[ROUNDS_MAX], ratios[ROUNDS_MAX];

        (void) run_ours(b);
        (void) run_bare(b);
        for (size_t i = 0; i < rounds; i++) {
                bool ours_first = i % 2 == 0;
                Sample first = ours_first ? run_ours(b) : run_bare(b);
                Sample second = ours_first ? run_bare(b) : run_ours(b);

                ours[i] = (double) (ours_first ? first : second).total / 1e3;
                bare[i] = (double) (ours_first ? second : first).total / 1e3;
                device[i] = (double) first.device / 1e3;
                ratios[i] = ours[i] / bare[i];
        }
        printf("attest and resource: ours %.0f us, bare requests and device call %.0f us (device call %.0f us), "
               "medians of %zu rounds\n",
               median(ours, rounds), median(bare, rounds), median(device, rounds), rounds);
        printf("attest-and-resource ratio=%.3f goal=%.1f\n", median(ratios, rounds), GOAL);
}

static void prepare(Bench *b) {
        SimPkiParams params = sim_pki_params(SIM_GENOA);
        Error e = {};
        int r = sim_pki_new(&params, NULL, &b->pki, &e);

        if (r == 0)
                r = sim_cert_table_of(b->pki, SIM_SIGNER_VCEK, false, &b->table, &e);
        if (r == 0)
                r = fixture_open(b->pki, &b->fixture, &e);
        if (r < 0)
                (void) fprintf(stderr, "bench-attest: %s\n", error_text(&e, r));
        must(r == 0, "preparation");
        b->report = sim_report_defaults(b->pki);
}

int main(int argc, char **argv) {
        uint64_t rounds = ROUNDS_DEFAULT;
        Bench b = {};

        if (argc > 1 && text_to_u64(argv[1], 10, 1, ROUNDS_MAX, &rounds) < 0) {
                (void) fprintf(stderr, "usage: bench-attest [ROUNDS]\n");
                return 2;
        }
        prepare(&b);
        measure(&b, (size_t) rounds);
        fixture_done(&b.fixture);
        blob_done(&b.table);
        sim_pki_free(b.pki);
        return EXIT_SUCCESS;
}
