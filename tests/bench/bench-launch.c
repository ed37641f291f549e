/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What a launch digest costs beyond the hashing that it consists of, and how long a search among launches takes. Ours
 * and bare libcrypto take turns in one process, each goes first half of the time, and the median of the ratios of
 * neighbours counts, in processor time. The search is timed by the wall clock.
 */

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/file.h"
#include "snp/launch/explain.h"
#include "tests/unit/snp-launch/image.h"

#define ROUNDS 25
#define FIRMWARE_SIZE (4u << 20)
#define INITRD_SIZE (32u << 20)
#define KERNEL_SIZE (1u << 20)
#define CMDLINE "root=/dev/mapper/luks-root ro quiet console=ttyS0"

typedef struct Input {
        Blob firmware, kernel, initrd;
        char initrd_path[32]; /* what the search is given is in a file */
} Input;

static void must(bool ok, const char *what) {
        if (!ok) {
                (void) fprintf(stderr, "bench-launch: %s failed\n", what);
                exit(EXIT_FAILURE);
        }
}

static double now_sec(clockid_t clock) {
        struct timespec ts;

        must(clock_gettime(clock, &ts) == 0, "clock_gettime");
        return (double) ts.tv_sec + (double) ts.tv_nsec / 1e9;
}

static Blob filled(size_t size, unsigned seed) {
        Blob b = { .data = malloc(size), .size = size };

        must(b.data, "malloc");
        for (size_t i = 0; i < size; i++)
                b.data[i] = (uint8_t) ((seed = seed * 1103515245u + 12345u) >> 16);
        return b;
}

static SnpLaunch launch_of(const Input *in) {
        return (SnpLaunch){
                .n_vcpus = 4,
                .cpu_signature = snp_cpu_signature(25, 17, 0),
                .features = SNP_FEATURE_SNP_ACTIVE,
                .firmware = in->firmware.data,
                .firmware_size = in->firmware.size,
        };
}

static void ours(const Input *in) {
        SnpLaunch launch = launch_of(in);
        SnpKernelHashes h;
        SnpLaunchDigest digest;

        must(snp_blob_hash(in->kernel.data, in->kernel.size, h.kernel, NULL) == 0 &&
             snp_blob_hash(in->initrd.data, in->initrd.size, h.initrd, NULL) == 0 &&
             snp_cmdline_hash(CMDLINE, h.cmdline, NULL) == 0, "snp_blob_hash");
        launch.kernel = &h;
        must(snp_launch_measure(&launch, NULL, &digest, NULL) == 0, "snp_launch_measure");
}

/* The same bytes in three calls. */
static void bare(const Input *in) {
        uint8_t out[EVP_MAX_MD_SIZE];

        must(EVP_Digest(in->firmware.data, in->firmware.size, out, NULL, EVP_sha384(), NULL) == 1 &&
             EVP_Digest(in->kernel.data, in->kernel.size, out, NULL, EVP_sha256(), NULL) == 1 &&
             EVP_Digest(in->initrd.data, in->initrd.size, out, NULL, EVP_sha256(), NULL) == 1, "EVP_Digest");
}

static int compare(const void *a, const void *b) {
        const double *x = a, *y = b;

        return (*x > *y) - (*x < *y);
}

static double median(double values[static ROUNDS]) {
        qsort(values, ROUNDS, sizeof(values[0]), compare);
        return values[ROUNDS / 2];
}

static double timed(void (*op)(const Input *in), const Input *in) {
        double begin = now_sec(CLOCK_PROCESS_CPUTIME_ID);

        op(in);
        return now_sec(CLOCK_PROCESS_CPUTIME_ID) - begin;
}

static void bench_digest(const Input *in) {
        double a[ROUNDS], b[ROUNDS], ratios[ROUNDS];

        ours(in);
        bare(in);
        for (size_t i = 0; i < ROUNDS; i++) {
                if (i % 2)
                        a[i] = timed(ours, in);
                b[i] = timed(bare, in);
                if (!(i % 2))
                        a[i] = timed(ours, in);
                ratios[i] = a[i] / b[i];
        }
        printf("launch-digest: ours %.2f ms, bare SHA-384 and SHA-256 %.2f ms (medians of %d rounds)\n",
               median(a) * 1e3, median(b) * 1e3, ROUNDS);
        printf("launch-digest ratio=%.3f goal=1.20\n", median(ratios));
}

/* From files to the answer, and the answer is that nothing fits, so that everything is tried. */
static void bench_explain(const Input *in) {
        static const uint8_t want[SNP_LD_SIZE] = { 1 };
        SnpExplainInput x = { .launch = launch_of(in), .has_kernel = true, .hashes_on = true, .cmdline = CMDLINE,
                              .max_vcpus = SNP_EXPLAIN_VCPUS_DEFAULT };
        SnpExplainResult result;
        double begin = now_sec(CLOCK_MONOTONIC), seconds;

        must(snp_blob_hash(in->kernel.data, in->kernel.size, x.hashes.kernel, NULL) == 0 &&
             snp_file_hash(in->initrd_path, x.hashes.initrd, NULL) == 0 &&
             snp_cmdline_hash(CMDLINE, x.hashes.cmdline, NULL) == 0, "hashes");
        for (x.max_changes = 1; x.max_changes <= SNP_EXPLAIN_CHANGES_MAX; x.max_changes++) {
                must(snp_explain(&x, want, &result, NULL) == 0, "snp_explain");
                if (result.n_variants >= 1000)
                        break;
        }
        seconds = now_sec(CLOCK_MONOTONIC) - begin;
        must(result.n_variants >= 1000, "finding 1,000 variants");
        printf("explain-1000: %llu variants in %.3f s, hashing %u MiB of files included\n",
               (unsigned long long) result.n_variants, seconds, (FIRMWARE_SIZE + KERNEL_SIZE + INITRD_SIZE) >> 20);
        printf("explain-1000 ratio=%.3f goal=1.00\n", seconds / 3);
}

static void write_initrd(Input *in) {
        int fd;

        (void) strcpy(in->initrd_path, "/tmp/bench-launch.XXXXXX");
        fd = mkstemp(in->initrd_path);
        must(fd >= 0 && file_write_fd(fd, "initrd", in->initrd.data, in->initrd.size, NULL) == 0, "writing a file");
        (void) close(fd);
}

int main(void) {
        Image image = image_amdsev;
        Input in = { .kernel = filled(KERNEL_SIZE, 1), .initrd = filled(INITRD_SIZE, 2) };

        image.size = FIRMWARE_SIZE;
        in.firmware = image_make(&image);
        write_initrd(&in);
        bench_digest(&in);
        bench_explain(&in);
        (void) unlink(in.initrd_path);
        blob_done(&in.firmware);
        blob_done(&in.kernel);
        blob_done(&in.initrd);
        return EXIT_SUCCESS;
}
