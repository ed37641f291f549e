/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What `snpctl verify` costs as a whole process, from exec to exit, against a program that only links libcrypto and
 * checks the same signatures (verify-bare.c). Processor time of user and kernel: loading, relocating and reading files
 * is in it, waiting for other processes is not. Both take turns, and the ratio is the median over neighbours.
 *
 *     bench-verify-process [VECTORS]    a genuine report from VECTORS or $SNP_TEST_VECTORS, else the simulator's
 */

#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "tests/simulator/pki.h"
#include "tests/simulator/report.h"

#define ROUNDS 120
#define N_FILES 4 /* report, VCEK, ASK, ARK */
#define GOAL 2.00

static char files[N_FILES][PATH_MAX];
static char dir[] = "/tmp/snp-bench-process.XXXXXX";

static void must(bool ok, const char *what) {
        if (!ok) {
                (void) fprintf(stderr, "bench-verify-process: %s failed\n", what);
                exit(EXIT_FAILURE);
        }
}

static bool find_genuine(const char *vectors) {
        static const char *const names[N_FILES] = { "snp/reports/turin-v5-1.report.bin",
                                                    "snp/veks/turin-vcek-59790fb1-20260205-49d521.der",
                                                    "snp/amd/turin-ask.der", "snp/amd/turin-ark.der" };

        for (size_t i = 0; i < N_FILES; i++) {
                (void) snprintf(files[i], sizeof(files[i]), "%s/%s", vectors, names[i]);
                if (access(files[i], R_OK) < 0)
                        return false;
        }
        return true;
}

static void make_simulated(void) {
        static const SimKey keys[N_FILES] = { [1] = SIM_VCEK, [2] = SIM_ASK, [3] = SIM_ARK };
        SimPkiParams params = sim_pki_params(SIM_TURIN);
        CLEANUP(sim_pki_freep) SimPki *pki = NULL;
        uint8_t bytes[SIM_REPORT_SIZE];
        SimReport report;

        must(sim_pki_new(&params, NULL, &pki, NULL) == 0, "sim_pki_new");
        report = sim_report_defaults(pki);
        must(sim_report_make(&report, pki, bytes, NULL) == 0, "sim_report_make");
        must(mkdtemp(dir) != NULL, "mkdtemp");
        for (size_t i = 0; i < N_FILES; i++) {
                AUTO_BLOB Blob b = {};

                (void) snprintf(files[i], sizeof(files[i]), "%s/%zu", dir, i);
                must((i == 0 ? blob_dup(bytes, sizeof(bytes), &b) : sim_pki_cert_der(pki, keys[i], &b, NULL)) == 0,
                     "sim_pki_cert_der");
                must(file_write_atomic(files[i], b.data, b.size, 0600, NULL) == 0, files[i]);
        }
}

static double usec_of(const struct timeval *tv) {
        return (double) tv->tv_sec * 1e6 + (double) tv->tv_usec;
}

/* Processor time in microseconds of one run, which must accept. */
static double run(const char *const *argv) {
        struct rusage usage;
        int status = 0;
        pid_t pid = fork();

        must(pid >= 0, "fork");
        if (pid == 0) {
                int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);

                if (fd >= 0 && dup2(fd, STDOUT_FILENO) == STDOUT_FILENO)
                        (void) execv(argv[0], (char *const *) (const void *) argv);
                _exit(127);
        }
        must(wait4(pid, &status, 0, &usage) == pid, "wait4");
        must(WIFEXITED(status) && WEXITSTATUS(status) == 0, argv[0]);
        return usec_of(&usage.ru_utime) + usec_of(&usage.ru_stime);
}

static int compare(const void *a, const void *b) {
        const double *x = a, *y = b;

        return (*x > *y) - (*x < *y);
}

static double median(double values[static ROUNDS]) {
        qsort(values, ROUNDS, sizeof(values[0]), compare);
        return values[ROUNDS / 2];
}

static void measure(const char *const *ours, const char *const *bare) {
        static double a[ROUNDS], b[ROUNDS], ratios[ROUNDS];

        (void) run(ours); /* into the page cache */
        (void) run(bare);
        for (size_t i = 0; i < ROUNDS; i++) {
                if (i % 2)
                        a[i] = run(ours);
                b[i] = run(bare);
                if (i % 2 == 0)
                        a[i] = run(ours);
                ratios[i] = a[i] / b[i];
        }
        printf("verify-process: snpctl %.1f ms, bare libcrypto %.1f ms (medians of %d rounds)\n", median(a) / 1e3,
               median(b) / 1e3, ROUNDS);
        printf("verify-process ratio=%.3f goal=%.2f\n", median(ratios), GOAL);
}

int main(int argc, char **argv) {
        const char *vectors = argc > 1 ? argv[1] : getenv("SNP_TEST_VECTORS");
        bool genuine = vectors && find_genuine(vectors);
        char self[PATH_MAX] = {}, *here;
        AUTO_FREE char *snpctl = NULL, *bare = NULL;

        if (!genuine)
                make_simulated();
        must(readlink("/proc/self/exe", self, sizeof(self) - 1) > 0, "readlink");
        here = dirname(self); /* BUILD/tests/bench */
        must(asprintf(&snpctl, "%s/../../agent/snpctl/snpctl", here) > 0, "asprintf");
        must(asprintf(&bare, "%s/verify-bare", here) > 0, "asprintf");
        {
                const char *const ours[] = { snpctl,   "verify", "--report", files[0], "--vek", files[1], "--chain",
                                             files[2], "--chain", files[3],  "--at",  genuine ? "2026-03-07T00:00:00Z" :
                                                                                                "now",
                                             genuine ? NULL : "--trust-root", files[3], NULL };
                const char *const theirs[] = { bare, files[0], files[1], files[2], files[3], NULL };

                measure(ours, theirs);
        }
        if (!genuine) {
                for (size_t i = 0; i < N_FILES; i++)
                        (void) unlink(files[i]);
                (void) rmdir(dir);
        }
        return EXIT_SUCCESS;
}
