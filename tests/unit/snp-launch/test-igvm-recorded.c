/* SPDX-License-Identifier: Apache-2.0 */

/* IGVM files whose digests were calculated independently, page by page. */

#include <check.h>
#include <errno.h>
#include <string.h>

#include "base/hex.h"
#include "snp/launch/igvm.h"
#include "tests/unit/snp-launch/cases.h"
#include "tests/unit/unit.h"

typedef struct Recorded {
        json_object *stages;
        size_t next;
} Recorded;

static void check_stage(void *user, const char *name, const uint8_t ld[static SNP_LD_SIZE]) {
        Recorded *recorded = user;
        json_object *stage = json_object_array_get_idx(recorded->stages, recorded->next++);
        char hex[2 * SNP_LD_SIZE + 1];

        hex_encode_to(ld, SNP_LD_SIZE, hex);
        ck_assert_msg(stage != NULL, "%s is one too many", name);
        ck_assert_str_eq(name, json_object_get_string(json_object_array_get_idx(stage, 0)));
        ck_assert_str_eq(hex, json_object_get_string(json_object_array_get_idx(stage, 1)));
}

START_TEST(an_igvm_file_is_judged_as_recorded) {
        json_object *c = cases_get("igvm", (size_t) _i), *expect = case_member(c, "expect");
        AUTO_BLOB Blob file = case_file(c, "file");
        Recorded recorded = { .stages = case_member(expect, "stages") };
        const SnpStages stages = { check_stage, &recorded };
        const char *error = case_opt_str(expect, "error");
        SnpLaunchDigest digest = {};
        SnpIgvm igvm = {};
        Error e = {};
        int r = snp_igvm_parse(file.data, file.size, &igvm, &e);

        if (error) {
                ck_assert_msg(r == -EBADMSG && strcmp(e.reason, error) == 0, "%s: %d %s", case_str(c, "id"), r, e.text);
                ck_assert_ptr_null(igvm.data);
                return;
        }
        ck_assert_msg(r == 0, "%s: %s", case_str(c, "id"), error_text(&e, r));
        ck_assert_int_eq(snp_igvm_measure(&igvm, json_object_get_boolean(case_member(c, "native_zero")), &stages,
                                          &digest, &e), 0);
        case_expect_hex(expect, "launch_digest", digest.bytes, digest.size);
        ck_assert_uint_eq(recorded.next, json_object_array_length(recorded.stages));
        ck_assert_uint_eq(igvm.policy, case_u64(expect, "policy"));
        ck_assert((igvm.id_block != NULL) == (case_opt_str(expect, "id_block") != NULL));
        if (igvm.id_block) /* the digest that it demands is at offset 8 */
                case_expect_hex(expect, "launch_digest", igvm.id_block + 8, SNP_LD_SIZE);
}
END_TEST

int main(void) {
        Suite *suite;
        TCase *tc;
        int status;

        if (!cases_load())
                return unit_skip("no recorded launch digests (SNP_TEST_VECTORS)");
        suite = suite_create("igvm-recorded");
        tc = tcase_create("igvm-recorded");
        tcase_add_loop_test(tc, an_igvm_file_is_judged_as_recorded, 0, (int) cases_count("igvm"));
        suite_add_tcase(suite, tc);
        status = unit_run(suite);
        cases_unload();
        return status;
}
