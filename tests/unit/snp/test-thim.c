/* SPDX-License-Identifier: Apache-2.0 */

/* snp/thim.c: Azure's answer, member by member. The recorded one is in test-collateral-recorded.c. */

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "snp/thim.h"
#include "tests/unit/unit.h"

#define GOOD "{\"vcekCert\":\"V\\n\",\"tcbm\":\"7308000000000003\",\"certificateChain\":\"C\\n\",\"cacheControl\":\"86400\"}"

START_TEST(members_are_taken_out) {
        static const uint8_t tcb[SNP_TCB_SIZE] = { 3, 0, 0, 0, 0, 0, 8, 0x73 };
        AUTO_SNP_THIM SnpThim thim = {};
        Error e = {};

        ck_assert_msg(snp_thim_parse(GOOD, strlen(GOOD), &thim, &e) == 0, "%s", e.text);
        ck_assert_mem_eq(thim.vek.data, "V\n", 2);
        ck_assert_uint_eq(thim.vek.size, 2);
        ck_assert_mem_eq(thim.chain.data, "C\n", 2);
        ck_assert_mem_eq(thim.tcb, tcb, sizeof(tcb));
        ck_assert_uint_eq(thim.cache_seconds, 86400);
}
END_TEST

START_TEST(cache_control_may_be_missing_and_others_may_come) {
        static const char text[] = "{\"vcekCert\":\"V\",\"tcbm\":\"DB19000000000018\",\"certificateChain\":\"C\",\"new\":[1]}";
        AUTO_SNP_THIM SnpThim thim = {};

        ck_assert_int_eq(snp_thim_parse(text, strlen(text), &thim, NULL), 0);
        ck_assert_uint_eq(thim.cache_seconds, 0);
        ck_assert_uint_eq(thim.tcb[7], 0xdb);
        ck_assert_uint_eq(thim.tcb[0], 0x18);
}
END_TEST

static const char *const bad[] = {
        "",
        "[]",
        "null",
        "{}",
        GOOD "x",
        "{\"tcbm\":\"7308000000000003\",\"certificateChain\":\"C\"}",
        "{\"vcekCert\":\"V\",\"tcbm\":\"7308000000000003\"}",
        "{\"vcekCert\":\"V\",\"certificateChain\":\"C\"}",
        "{\"vcekCert\":\"\",\"tcbm\":\"7308000000000003\",\"certificateChain\":\"C\"}",
        "{\"vcekCert\":1,\"tcbm\":\"7308000000000003\",\"certificateChain\":\"C\"}",
        "{\"vcekCert\":\"V\",\"tcbm\":7308000000000003,\"certificateChain\":\"C\"}",
        "{\"vcekCert\":\"V\",\"tcbm\":\"730800000000003\",\"certificateChain\":\"C\"}",
        "{\"vcekCert\":\"V\",\"tcbm\":\"73080000000000030\",\"certificateChain\":\"C\"}",
        "{\"vcekCert\":\"V\",\"tcbm\":\"730800000000000g\",\"certificateChain\":\"C\"}",
        "{\"vcekCert\":\"V\",\"tcbm\":\"7308000000000003\",\"certificateChain\":\"C\",\"cacheControl\":\"a day\"}",
        "{\"vcekCert\":\"V\",\"tcbm\":\"7308000000000003\",\"certificateChain\":\"C\",\"cacheControl\":86400}",
        "{\"vcekCert\":\"V\",\"tcbm\":\"7308000000000003\",\"tcbm\":\"7308000000000003\",\"certificateChain\":\"C\"}",
};

START_TEST(anything_else_is_refused) {
        SnpThim thim = {};
        Error e = {};

        ck_assert_msg(snp_thim_parse(bad[_i], strlen(bad[_i]), &thim, &e) == -EBADMSG, "%s", bad[_i]);
        ck_assert(e.text[0] && !thim.vek.data && !thim.chain.data);
}
END_TEST

START_TEST(every_truncation_is_refused) {
        for (size_t n = 0; n < strlen(GOOD); n++) {
                SnpThim thim = {};

                ck_assert_int_eq(snp_thim_parse(GOOD, n, &thim, NULL), -EBADMSG);
        }
}
END_TEST

START_TEST(size_has_a_limit) {
        static char large[SNP_THIM_SIZE_MAX + 1];
        SnpThim thim = {};
        Error e = {};

        (void) memset(large, ' ', sizeof(large));
        (void) memcpy(large, GOOD, strlen(GOOD));
        ck_assert_int_eq(snp_thim_parse(large, sizeof(large), &thim, &e), -E2BIG);
        ck_assert_str_eq(e.reason, "thim-size");
        ck_assert_int_eq(snp_thim_parse(large, sizeof(large) - 1, &thim, NULL), 0);
        snp_thim_done(&thim);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("snp/thim");
        TCase *tc = tcase_create("thim");

        tcase_add_test(tc, members_are_taken_out);
        tcase_add_test(tc, cache_control_may_be_missing_and_others_may_come);
        tcase_add_loop_test(tc, anything_else_is_refused, 0, N_ELEMENTS(bad));
        tcase_add_test(tc, every_truncation_is_refused);
        tcase_add_test(tc, size_has_a_limit);
        suite_add_tcase(suite, tc);
        return unit_run(suite);
}
