/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/daemon/memory.h"

#include <openssl/evp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/unit.h"

static int written = 1;
static const char constant[] = "still the same";

/* KiB of libcrypto's text that this process has resident. */
static unsigned long resident_text(void) {
        FILE *f = fopen("/proc/self/smaps", "re");
        unsigned long total = 0, kib;
        bool inside = false;
        char line[4096];

        ck_assert_ptr_nonnull(f);
        while (fgets(line, sizeof(line), f)) {
                if (strstr(line, "-p ") || strstr(line, "xp "))
                        inside = strstr(line, "r-xp") && strstr(line, "/libcrypto.so");
                else if (inside && sscanf(line, "Rss: %lu kB", &kib) == 1)
                        total += kib;
        }
        (void) fclose(f);
        return total;
}

static void hash(uint8_t ret[static 64]) {
        ck_assert_int_eq(EVP_Digest("abc", 3, ret, NULL, EVP_sha512(), NULL), 1);
}

START_TEST(text_goes_and_comes_back_and_nothing_written_is_lost) {
        uint8_t before[64], after[64];
        unsigned long used;

        written = 42;
        hash(before);
        used = resident_text();
        ck_assert_uint_gt(used, 0);
        daemon_give_back_memory();
        ck_assert_uint_lt(resident_text(), used);
        hash(after);
        ck_assert_mem_eq(before, after, sizeof(before));
        ck_assert_int_eq(written, 42);
        ck_assert_str_eq(constant, "still the same");
}
END_TEST

int main(void) {
        Suite *suite = suite_create("memory");
        TCase *tc = tcase_create("memory");

        tcase_add_test(tc, text_goes_and_comes_back_and_nothing_written_is_lost);
        suite_add_tcase(suite, tc);
        return unit_run(suite);
}
