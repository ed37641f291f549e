/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "base/writer.h"
#include "tests/simulator/hcl.h"
#include "tests/unit/unit.h"
#include "vtpm/alg.h"
#include "vtpm/hcl.h"

#define CLAIMS "{\"keys\":[]}" /* the frame does not look into them */
#define CLAIMS_SIZE (sizeof(CLAIMS) - 1)
#define SIZE_WHOLE (VTPM_HCL_CLAIMS_OFFSET + CLAIMS_SIZE)

/* Offsets of the fields, as the specification's table has them. */
enum {
        AT_VERSION = 0x004,
        AT_REPORT_SIZE = 0x008,
        AT_STATUS = 0x010,
        AT_DATA_SIZE = 0x4C0,
        AT_REQUEST_VERSION = 0x4C4,
        AT_TYPE = 0x4C8,
        AT_HASH = 0x4CC,
        AT_CLAIMS_SIZE = 0x4D0,
};

static Blob frame(size_t padded) {
        uint8_t report[SIM_HCL_SLOT_SIZE];
        SimHclFrame f = { .report = report, .report_size = sizeof(report), .claims = CLAIMS, .claims_size = CLAIMS_SIZE,
                          .size = padded };
        Blob b = {};

        for (size_t i = 0; i < sizeof(report); i++)
                report[i] = (uint8_t) (i * 7);
        ck_assert_int_eq(sim_hcl_frame(&f, &b), 0);
        return b;
}

static void must_refuse(const Blob *b, int code, const char *reason) {
        VtpmHcl hcl, untouched;
        Error e = {};

        (void) memset(&hcl, 0x5a, sizeof(hcl));
        untouched = hcl;
        ck_assert_int_eq(vtpm_hcl_parse(b->data, b->size, &hcl, &e), code);
        ck_assert_str_eq(e.reason, reason);
        ck_assert_mem_eq(&hcl, &untouched, sizeof(hcl));
}

static const size_t paddings[] = { 0, SIZE_WHOLE, 2048, 2600, 2900, 16384 };

START_TEST(every_part_is_found) {
        AUTO_BLOB Blob b = frame(paddings[_i]);
        VtpmHcl hcl;
        Error e = {};

        ck_assert_msg(vtpm_hcl_parse(b.data, b.size, &hcl, &e) == 0, "%s", e.text);
        ck_assert_uint_eq(hcl.version, 2);
        ck_assert_uint_eq(hcl.type, VTPM_HCL_SNP);
        ck_assert_uint_eq(hcl.hash, VTPM_ALG_SHA256);
        ck_assert_ptr_eq(hcl.report, b.data + 0x20);
        ck_assert_ptr_eq(hcl.claims, b.data + 0x4D4);
        ck_assert_uint_eq(hcl.claims_size, CLAIMS_SIZE);
} END_TEST

START_TEST(every_truncation_is_refused) {
        AUTO_BLOB Blob b = frame(0);

        for (size_t n = 0; n < b.size; n++) {
                Blob cut = { .data = b.data, .size = n };

                must_refuse(&cut, -EBADMSG, "malformed");
        }
} END_TEST

START_TEST(other_magic_is_no_report) {
        AUTO_BLOB Blob b = frame(0);

        for (size_t i = 0; i < 4; i++) {
                b.data[i] ^= 0x20;
                must_refuse(&b, -EBADMSG, "hcl-magic");
                ck_assert(!vtpm_hcl_is(b.data, b.size));
                b.data[i] ^= 0x20;
        }
        ck_assert(vtpm_hcl_is(b.data, b.size));
        ck_assert(!vtpm_hcl_is(b.data, 3));
} END_TEST

/* Nothing of the frame is measured: what is not needed to find the parts decides nothing. */
static const struct {
        const char *why;
        size_t at;
        uint32_t value;
} hints[] = {
        { "version 1", AT_VERSION, 1 },
        { "a later version", AT_VERSION, 3 },
        { "report size", AT_REPORT_SIZE, UINT32_MAX },
        { "status", AT_STATUS, 5 },
        { "data size", AT_DATA_SIZE, 1 },
};

START_TEST(unmeasured_fields_decide_nothing) {
        AUTO_BLOB Blob b = frame(2600);
        VtpmHcl hcl;

        store_le32(b.data + hints[_i].at, hints[_i].value);
        ck_assert_msg(vtpm_hcl_parse(b.data, b.size, &hcl, NULL) == 0, "%s", hints[_i].why);
        ck_assert_ptr_eq(hcl.claims, b.data + 0x4D4);
} END_TEST

static const struct {
        const char *why;
        size_t at;
        uint32_t value;
        int code;
        const char *reason;
} bad[] = {
        { "request version 0", AT_REQUEST_VERSION, 0, -EOPNOTSUPP, "hcl-version" },
        { "request version 2, which has a word more", AT_REQUEST_VERSION, 2, -EOPNOTSUPP, "hcl-version" },
        { "invalid type", AT_TYPE, 0, -EBADMSG, "hcl-type" },
        { "invalid hash", AT_HASH, 0, -EOPNOTSUPP, "hcl-hash" },
        { "unknown hash", AT_HASH, 4, -EOPNOTSUPP, "hcl-hash" },
        { "any hash", AT_HASH, UINT32_MAX, -EOPNOTSUPP, "hcl-hash" },
        { "claims one byte beyond the end", AT_CLAIMS_SIZE, CLAIMS_SIZE + 1, -EBADMSG, "malformed" },
        { "as many claims as are allowed, and not there", AT_CLAIMS_SIZE, VTPM_HCL_CLAIMS_MAX, -EBADMSG, "malformed" },
        { "one more", AT_CLAIMS_SIZE, VTPM_HCL_CLAIMS_MAX + 1, -E2BIG, "hcl-claims-size" },
        { "claims whose end is before their beginning", AT_CLAIMS_SIZE, UINT32_MAX - 0x400, -E2BIG, "hcl-claims-size" },
};

START_TEST(fields_that_lead_astray_are_refused) {
        AUTO_BLOB Blob b = frame(0);

        store_le32(b.data + bad[_i].at, bad[_i].value);
        must_refuse(&b, bad[_i].code, bad[_i].reason);
} END_TEST

START_TEST(largest_claims_are_accepted) {
        static uint8_t claims[VTPM_HCL_CLAIMS_MAX];
        SimHclFrame f = { .claims = claims, .claims_size = sizeof(claims) };
        AUTO_BLOB Blob b = {};
        VtpmHcl hcl;

        ck_assert_int_eq(sim_hcl_frame(&f, &b), 0);
        ck_assert_int_eq(vtpm_hcl_parse(b.data, b.size, &hcl, NULL), 0);
        ck_assert_uint_eq(hcl.claims_size, sizeof(claims));
} END_TEST

static const struct {
        uint32_t type;
        uint16_t hash;
        const char *name;
} kinds[] = {
        { 1, VTPM_ALG_SHA256, "VBS" }, { 2, VTPM_ALG_SHA384, "SNP" }, { 3, VTPM_ALG_SHA512, "TVM" },
        { 4, VTPM_ALG_SHA256, "TDX" }, { 5, VTPM_ALG_SHA256, "CCA" }, { 6, VTPM_ALG_SHA256, "unknown" },
        { UINT32_MAX, VTPM_ALG_SHA256, "unknown" },
};

START_TEST(reports_of_other_kinds_are_told_apart) {
        uint32_t hash = kinds[_i].hash - (uint32_t) VTPM_ALG_SHA256 + 1;
        SimHclFrame f = { .type = kinds[_i].type, .hash_type = hash, .claims = CLAIMS, .claims_size = CLAIMS_SIZE };
        AUTO_BLOB Blob b = {};
        VtpmHcl hcl;

        ck_assert_int_eq(sim_hcl_frame(&f, &b), 0);
        ck_assert_int_eq(vtpm_hcl_parse(b.data, b.size, &hcl, NULL), 0);
        ck_assert_uint_eq(hcl.type, kinds[_i].type);
        ck_assert_uint_eq(hcl.hash, kinds[_i].hash);
        ck_assert_str_eq(vtpm_hcl_type_name(hcl.type), kinds[_i].name);
} END_TEST

START_TEST(no_bit_makes_it_read_beyond_its_end) {
        AUTO_BLOB Blob b = frame(0);

        for (size_t bit = 0; bit < 8 * b.size; bit++) {
                VtpmHcl hcl;

                b.data[bit / 8] ^= (uint8_t) (1u << bit % 8);
                if (vtpm_hcl_parse(b.data, b.size, &hcl, NULL) == 0)
                        ck_assert(hcl.claims + hcl.claims_size <= b.data + b.size);
                b.data[bit / 8] ^= (uint8_t) (1u << bit % 8);
        }
} END_TEST

static Suite *suite(void) {
        Suite *s = suite_create("hcl");
        TCase *tc = tcase_create("parse");

        tcase_add_loop_test(tc, every_part_is_found, 0, N_ELEMENTS(paddings));
        tcase_add_test(tc, every_truncation_is_refused);
        tcase_add_test(tc, other_magic_is_no_report);
        tcase_add_loop_test(tc, unmeasured_fields_decide_nothing, 0, N_ELEMENTS(hints));
        tcase_add_loop_test(tc, fields_that_lead_astray_are_refused, 0, N_ELEMENTS(bad));
        tcase_add_test(tc, largest_claims_are_accepted);
        tcase_add_loop_test(tc, reports_of_other_kinds_are_told_apart, 0, N_ELEMENTS(kinds));
        tcase_add_test(tc, no_bit_makes_it_read_beyond_its_end);
        suite_add_tcase(s, tc);
        return s;
}

int main(void) {
        return unit_run(suite());
}
