/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Hostile files cannot make us allocate: the parsers allocate nothing at all, and a file is read into a buffer of its
 * own size. And while libcrypto's memory runs out a forged ID block is not taken. Linked with --wrap, so that every
 * allocation of our own code is seen, and none of libcrypto's.
 */

#include <check.h>
#include <errno.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/writer.h"
#include "snp/launch/explain.h"
#include "snp/launch/id-block.h"
#include "snp/launch/igvm.h"
#include "snp/launch/ovmf.h"
#include "snp/launch/uki.h"
#include "tests/unit/snp-launch/igvm-file.h"
#include "tests/unit/snp-launch/image.h"
#include "tests/unit/snp-launch/keys.h"
#include "tests/unit/snp-launch/pe-file.h"
#include "tests/unit/unit.h"

static size_t n_allocations, largest;
static size_t fail_at; /* 0: never */

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__real_reallocarray(void *p, size_t n, size_t size);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
void *__wrap_reallocarray(void *p, size_t n, size_t size);

static bool take(size_t n) {
        if (n > largest)
                largest = n;
        return ++n_allocations != fail_at;
}

void *__wrap_malloc(size_t n) {
        return take(n) ? __real_malloc(n) : NULL;
}

void *__wrap_calloc(size_t n, size_t size) {
        return take(n * size) ? __real_calloc(n, size) : NULL;
}

void *__wrap_realloc(void *p, size_t n) {
        return take(n) ? __real_realloc(p, n) : NULL;
}

void *__wrap_reallocarray(void *p, size_t n, size_t size) {
        return take(n * size) ? __real_reallocarray(p, n, size) : NULL;
}

static void count_from_here(void) {
        n_allocations = largest = 0;
}

/* Allocations since then. Check allocates too, so this comes before any ck_assert. */
static size_t counted(void) {
        return n_allocations;
}

/* libcrypto's own, which are not wrapped. */
static size_t n_crypto, crypto_fail_at;

static void *crypto_malloc(size_t n, const char *file, int line) {
        (void) file, (void) line;
        return ++n_crypto == crypto_fail_at ? NULL : __real_malloc(n);
}

static void *crypto_realloc(void *p, size_t n, const char *file, int line) {
        (void) file, (void) line;
        return ++n_crypto == crypto_fail_at ? NULL : __real_realloc(p, n);
}

static void crypto_free(void *p, const char *file, int line) {
        (void) file, (void) line;
        free(p);
}

START_TEST(parsing_a_firmware_image_allocates_nothing) {
        const ImageSection section = { 0, 4096, 1 };
        const Image hostile[] = {
                image_amdsev,
                { .size = 4096, .sections = &section, .n_sections = 1, .metadata_count = 0x7FFFFFFF },
                { .size = 4096, .sections = &section, .n_sections = 1, .table_length = 60000 },
        };

        for (size_t i = 0; i < N_ELEMENTS(hostile); i++) {
                AUTO_BLOB Blob b = image_make(&hostile[i]);
                SnpOvmf o;
                size_t n;
                int r;

                count_from_here();
                r = snp_ovmf_parse(b.data, b.size, &o, NULL);
                n = counted();
                ck_assert_int_eq(r, i == 0 ? 0 : -EBADMSG);
                ck_assert_uint_eq(n, 0);
        }
}
END_TEST

START_TEST(measuring_a_launch_allocates_nothing_of_its_size) {
        AUTO_BLOB Blob b = image_make(&image_amdsev);
        const SnpLaunch launch = { .n_vcpus = 300, .features = 1, .firmware = b.data, .firmware_size = b.size };
        SnpLaunchDigest digest;
        size_t n;
        int r;

        count_from_here();
        r = snp_launch_measure(&launch, NULL, &digest, NULL);
        n = counted();
        ck_assert_int_eq(r, 0);
        ck_assert_uint_eq(n, 0);
}
END_TEST

START_TEST(parsing_and_measuring_an_igvm_file_allocates_nothing) {
        static IgvmFile file;
        AUTO_BLOB Blob b = {};
        SnpLaunchDigest digest;
        SnpIgvm igvm;
        size_t n;
        int r;

        igvm_add_platform(&file, 1, 2);
        igvm_add_policy(&file, 0x30000, 1);
        igvm_add(&file, 0x301, (const uint32_t[]){ 0x10000000, 0, 5, 0 }, 16); /* 256 MiB */
        igvm_add(&file, 0x303, (const uint32_t[]){ 0x10000, 0, 1, 5 }, 16);
        b = igvm_make(&file);
        count_from_here();
        r = snp_igvm_parse(b.data, b.size, &igvm, NULL);
        if (r == 0)
                r = snp_igvm_measure(&igvm, false, NULL, &digest, NULL);
        n = counted();
        ck_assert_int_eq(r, 0);
        ck_assert_uint_eq(n, 0);
}
END_TEST

START_TEST(parsing_a_unified_kernel_image_allocates_nothing) {
        const PeSection parts[] = { { ".linux", "kernel", 0 }, { ".cmdline", "quiet", 0 } };
        AUTO_BLOB Blob b = pe_make(parts, 2);
        AUTO_FREE char *cmdline = NULL;
        SnpUki uki;
        size_t n;
        int r;

        count_from_here();
        r = snp_uki_parse(b.data, b.size, &uki, NULL);
        n = counted();
        ck_assert_int_eq(r, 0);
        ck_assert_uint_eq(n, 0);
        count_from_here();
        r = snp_uki_cmdline(&uki, &cmdline, NULL);
        n = largest;
        ck_assert_int_eq(r, 0);
        ck_assert_uint_eq(n, sizeof("quiet"));
}
END_TEST

START_TEST(a_file_is_read_into_a_buffer_of_its_size) {
        char path[] = "/tmp/test-launch-memory.XXXXXX";
        AUTO_BLOB Blob firmware = image_make(&image_amdsev), b = {};
        int fd = mkstemp(path), r;
        size_t n, size;

        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(file_write_fd(fd, path, firmware.data, firmware.size, NULL), 0);
        (void) close(fd);
        count_from_here();
        r = file_read(path, SNP_FIRMWARE_MAX, &b, NULL);
        n = counted();
        size = largest;
        ck_assert_int_eq(r, 0);
        ck_assert_uint_eq(n, 1);
        ck_assert_uint_eq(size, firmware.size + 1);
        ck_assert_int_eq(unlink(path), 0);
}
END_TEST

/* The N-th allocation of our own fails, for every N: an error, no crash, and nothing lost (ASan says). */
START_TEST(a_search_without_memory_fails) {
        static const char *const lines[] = { "quiet" };
        static const uint8_t want[SNP_LD_SIZE] = { 1 };
        AUTO_BLOB Blob b = image_make(&image_amdsev);
        const SnpExplainInput in = {
                .launch = { .n_vcpus = 1, .features = 1, .firmware = b.data, .firmware_size = b.size },
                .has_kernel = true,
                .hashes_on = true,
                .cmdline = "root=/dev/vda ro",
                .cmdlines = lines,
                .n_cmdlines = 1,
                .max_vcpus = 1,
        };
        SnpExplainResult result;
        int r = -ENOMEM;
        size_t n;

        for (n = 1; r == -ENOMEM; n++) {
                Error e = {};

                count_from_here();
                fail_at = n;
                r = snp_explain(&in, want, &result, &e);
                fail_at = 0;
                ck_assert_msg(r == 0 || r == -ENOMEM, "%d %s", r, e.text);
        }
        ck_assert_int_eq(r, 0);
        ck_assert_uint_gt(n, 15); /* at least the arrays of values, as they grow */
}
END_TEST

typedef struct Pair {
        uint8_t block[SNP_ID_BLOCK_SIZE], auth[SNP_ID_AUTH_SIZE];
} Pair;

static void sweep(const Pair *p, bool genuine) {
        bool reached = true;
        size_t n_refused = 0;

        for (size_t n = 1; reached; n++) {
                SnpIdVerdict v = {};
                int r;

                n_crypto = 0;
                crypto_fail_at = n;
                r = snp_id_verify(p->block, sizeof(p->block), p->auth, sizeof(p->auth), true, &v, NULL);
                reached = n_crypto >= n;
                crypto_fail_at = 0;
                ck_assert_msg(genuine || v.outcome == SNP_ID_REJECT, "allocation %zu", n);
                n_refused += r < 0 || v.outcome == SNP_ID_REJECT;
                if (!reached)
                        ck_assert_msg(r == 0 && (v.outcome == SNP_ID_ACCEPT) == genuine, "allocation %zu", n);
        }
        ck_assert_uint_gt(n_refused, 10);
}

START_TEST(a_forged_block_is_not_taken_without_memory) {
        AUTO_EVP_PKEY EVP_PKEY *id_key = key_make("P-384");
        AUTO_EVP_PKEY EVP_PKEY *author_key = key_make("P-384");
        const SnpIdBlock block = { .policy = 0x30000 };
        Pair p;

        snp_id_block_encode(&block, p.block);
        ck_assert_int_eq(snp_id_auth_sign(p.block, id_key, author_key, p.auth, NULL), 0);
        sweep(&p, true);
        p.block[0x5A] ^= 8; /* DEBUG */
        sweep(&p, false);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("launch-memory");
        TCase *tc = tcase_create("launch-memory");

        if (CRYPTO_set_mem_functions(crypto_malloc, crypto_realloc, crypto_free) != 1)
                return EXIT_FAILURE;
        tcase_add_test(tc, parsing_a_firmware_image_allocates_nothing);
        tcase_add_test(tc, measuring_a_launch_allocates_nothing_of_its_size);
        tcase_add_test(tc, parsing_and_measuring_an_igvm_file_allocates_nothing);
        tcase_add_test(tc, parsing_a_unified_kernel_image_allocates_nothing);
        tcase_add_test(tc, a_file_is_read_into_a_buffer_of_its_size);
        tcase_add_test(tc, a_search_without_memory_fails);
        tcase_add_test(tc, a_forged_block_is_not_taken_without_memory);
        suite_add_tcase(suite, tc);
        return unit_run(suite);
}
