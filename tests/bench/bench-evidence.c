/* SPDX-License-Identifier: Apache-2.0 */

/*
 * All that a guest shows at once, end to end: a report of the simulated platform, a quote of a real TPM (swtpm) over the
 * same nonce, and an event log of 200 events replayed against the quoted PCRs. By the clock, since others do the work.
 *
 *     evidence    our library, as a multiple of its parts made bare one after the other: files of configfs as the
 *                 kernel's documentation has them, the ESAPI calls of quote-bare.c, a hash for each event. Ours asks who
 *                 provides configfs first, in an entry of its own: dear here, where the report itself costs nothing
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <openssl/evp.h>

#include "base/writer.h"
#include "snp/device.h"
#include "snp/throttle.h"
#include "tests/bench/quote-bare.h"
#include "tests/integration/swtpm.h"
#include "tests/simulator/harness.h"
#include "vtpm/event-log-replay.h"
#include "vtpm/quote.h"

#define ROUNDS 31
#define AT_ONCE 4
#define N_EVENTS 200u

typedef enum Part {
        PART_REPORT,
        PART_QUOTE,
        PART_LOG,
        N_PARTS,
} Part;

static const char *const part_names[N_PARTS] = { "report", "quote", "log" };

static Swtpm tpm;
static SimTsmRun tsm;
static Blob event_log;
static const uint8_t nonce[SNP_REPORT_DATA_SIZE] = { 0xe7, 0x1d };

static void must(bool ok, const char *what) {
        if (ok)
                return;
        (void) fprintf(stderr, "bench-evidence: %s failed\n", what);
        swtpm_stop(&tpm);
        (void) sim_tsm_stop(&tsm);
        exit(EXIT_FAILURE);
}

static Blob make_log(void) {
        Writer w = wr_init(VTPM_EVENT_LOG_MAX);
        Blob b = {};

        wr_le32(&w, 0);
        wr_le32(&w, VTPM_EV_NO_ACTION);
        wr_zeros(&w, 20);
        wr_le32(&w, 29 + 4);
        wr_bytes(&w, "Spec ID Event03", 16);
        wr_zeros(&w, 8);
        wr_le32(&w, 1);
        wr_le16(&w, VTPM_ALG_SHA256);
        wr_le16(&w, 32);
        wr_u8(&w, 0);
        for (uint32_t n = 1; n < N_EVENTS; n++) {
                wr_le32(&w, n % 16);
                wr_le32(&w, VTPM_EV_IPL);
                wr_le32(&w, 1);
                wr_le16(&w, VTPM_ALG_SHA256);
                for (unsigned i = 0; i < 32; i++)
                        wr_u8(&w, (uint8_t) (n + i));
                wr_le32(&w, 24);
                wr_bytes(&w, "grub_cmd: load something", 24);
        }
        must(wr_finish(&w, &b) == 0, "log");
        return b;
}

/* ---- ours ---- */

static void ours_report(void) {
        AUTO_SNP_DEVICE_REPORT SnpDeviceReport report = {};
        CLEANUP(snp_device_freep) SnpDevice *device = NULL;
        SnpThrottle none = {}; /* else we would measure how long we hold back */

        must(snp_device_open_configfs(tsm.mountpoint, &device, NULL) == 0, "configfs");
        snp_device_set_throttle(device, &none);
        must(snp_device_get_report(device, nonce, SNP_VMPL_AUTO, deadline_in(60 * USEC_PER_SEC), &report, NULL) == 0,
             "report");
}

static void ours_quote(VtpmPcrValues *ret) {
        AUTO_VTPM_QUOTE VtpmQuote quote = {};
        const VtpmQuoteRequest q = {
                .tcti = tpm.tcti,
                .ak = { .kind = VTPM_AK_ECDSA_P256 },
                .nonce = nonce,
                .nonce_size = sizeof(nonce),
                .pcrs = { 1, { { VTPM_ALG_SHA256, VTPM_PCR_MASK_ALL } } },
                .deadline = deadline_in(60 * USEC_PER_SEC),
        };

        must(vtpm_quote_run(&q, &quote, NULL) == 0, "quote");
        *ret = quote.pcrs[0];
}

static void ours_log(const VtpmPcrValues *quoted) {
        VtpmPcrValues replayed;
        VtpmEventLog log;

        must(vtpm_event_log_open(event_log.data, event_log.size, &log, NULL) == 0, "event log");
        must(vtpm_event_log_replay(&log, VTPM_ALG_SHA256, &replayed, NULL) == 0, "replay");
        must(vtpm_event_log_explains(&replayed, quoted) & 1u << 23, "comparison"); /* nobody extends it */
}

static void ours(Part part, VtpmPcrValues *pcrs) {
        if (part == PART_REPORT)
                ours_report();
        else if (part == PART_QUOTE)
                ours_quote(pcrs);
        else
                ours_log(pcrs);
}

/* ---- bare ---- */

static void read_bare(const char *entry, const char *name) {
        static uint8_t bytes[65536];
        char path[SIM_PATH_MAX + 32];
        AUTO_FD int fd = -1;

        (void) snprintf(path, sizeof(path), "%s/%s", entry, name);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        must(fd >= 0, path);
        while (read(fd, bytes, sizeof(bytes)) > 0)
                ;
}

static void bare_report(void) {
        char entry[SIM_PATH_MAX + 8], path[SIM_PATH_MAX + 32];
        int fd;

        (void) snprintf(entry, sizeof(entry), "%s/bare", tsm.mountpoint);
        (void) snprintf(path, sizeof(path), "%s/inblob", entry);
        must(mkdir(entry, 0700) == 0, "mkdir");
        read_bare(entry, "provider");
        read_bare(entry, "generation");
        fd = open(path, O_WRONLY | O_CLOEXEC);
        must(fd >= 0 && write(fd, nonce, sizeof(nonce)) == sizeof(nonce) && close(fd) == 0, "inblob");
        read_bare(entry, "outblob");
        read_bare(entry, "auxblob");
        read_bare(entry, "generation");
        must(rmdir(entry) == 0, "rmdir");
}

/* Over the digests where they stand: 65 bytes of Spec ID event, then 74 bytes for each. */
static void bare_log(void) {
        static uint8_t pcrs[24][32];
        EVP_MD_CTX *ctx = EVP_MD_CTX_new();

        for (size_t at = 65; at + 74 <= event_log.size; at += 74) {
                uint8_t *pcr = pcrs[event_log.data[at] % 24];

                must(EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1 && EVP_DigestUpdate(ctx, pcr, 32) == 1 &&
                     EVP_DigestUpdate(ctx, event_log.data + at + 14, 32) == 1 &&
                     EVP_DigestFinal_ex(ctx, pcr, NULL) == 1, "hash");
        }
        EVP_MD_CTX_free(ctx);
}

static void bare(Part part) {
        if (part == PART_REPORT)
                bare_report();
        else if (part == PART_QUOTE)
                must(quote_bare(tpm.tcti, QUOTE_TRANSPORT, true), "bare quote");
        else
                bare_log();
}

/* ---- figures ---- */

static double timed_part(Part part, bool is_ours) {
        VtpmPcrValues pcrs = { .hash = VTPM_ALG_SHA256, .mask = 1u << 23 };
        uint64_t begin = now_monotonic_usec();

        for (unsigned i = 0; i < AT_ONCE; i++)
                if (is_ours)
                        ours(part, &pcrs);
                else
                        bare(part);
        return (double) (now_monotonic_usec() - begin) / AT_ONCE;
}

/* As the parts come in life: one after the other, with what one hands to the next. */
static double timed_whole(bool is_ours) {
        uint64_t begin = now_monotonic_usec();

        for (unsigned i = 0; i < AT_ONCE; i++) {
                VtpmPcrValues pcrs;

                for (Part part = 0; part < N_PARTS; part++)
                        if (is_ours)
                                ours(part, &pcrs);
                        else
                                bare(part);
        }
        return (double) (now_monotonic_usec() - begin) / AT_ONCE;
}

static int compare(const void *a, const void *b) {
        const double *x = a, *y = b;

        return (*x > *y) - (*x < *y);
}

static double median(double values[static ROUNDS]) {
        qsort(values, ROUNDS, sizeof(values[0]), compare);
        return values[ROUNDS / 2];
}

static void measure(void) {
        double parts[2][N_PARTS][ROUNDS], whole[2][ROUNDS], ratios[ROUNDS];

        for (size_t i = 0; i < ROUNDS; i++) {
                for (size_t k = 0; k < 2; k++) {
                        size_t is_ours = (i + k) % 2; /* none is always the first */

                        whole[is_ours][i] = timed_whole(is_ours);
                        for (Part part = 0; part < N_PARTS; part++)
                                parts[is_ours][part][i] = timed_part(part, is_ours);
                }
                ratios[i] = whole[1][i] / whole[0][i];
        }
        printf("evidence: %.0f us, bare %.0f us (medians of %d);", median(whole[1]), median(whole[0]), ROUNDS);
        for (Part part = 0; part < N_PARTS; part++)
                printf(" %s %.0f us, bare %.0f us%s", part_names[part], median(parts[1][part]),
                       median(parts[0][part]), part + 1 < N_PARTS ? ";" : "\n");
        printf("evidence ratio=%.3f goal=%.2f\n", median(ratios), 1.25);
}

/* The simulator is in BUILD, and this is BUILD/tests/bench/bench-evidence. */
static void find_build(const char *program, char build[static SIM_PATH_MAX]) {
        const char *slash = strrchr(program, '/');
        int len = slash ? (int) (slash - program) : 1;

        must(snprintf(build, SIM_PATH_MAX, "%.*s/../..", len, slash ? program : ".") < SIM_PATH_MAX, "path");
}

int main(int argc, char **argv) {
        char build[SIM_PATH_MAX];
        Error e = {};

        (void) argc;
        if (!swtpm_available() || sim_tsm_unusable()) {
                printf("bench-evidence: %s, skipped\n", sim_tsm_unusable() ? sim_tsm_unusable() : "no swtpm");
                return EXIT_SUCCESS;
        }
        find_build(argv[0], build);
        (void) setenv("SNP_TEST_BUILD", build, 0);
        (void) setenv("TSS2_LOG", "all+none", 0);
        must(swtpm_start(NULL, &tpm) == 0, "swtpm");
        must(sim_tsm_start(SIM_TURIN, NULL, &tsm, &e) == 0, error_text(&e, -EIO));
        event_log = make_log();
        measure();
        blob_done(&event_log);
        (void) sim_tsm_stop(&tsm);
        swtpm_stop(&tpm);
        return EXIT_SUCCESS;
}
