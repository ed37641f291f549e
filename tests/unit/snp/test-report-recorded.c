/* SPDX-License-Identifier: Apache-2.0 */

/* snp/report.c on recorded reports: every field against what others read in them. */

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "base/json.h"
#include "snp/report.h"
#include "tests/unit/snp/recorded.h"
#include "tests/unit/unit.h"

#define N_REPORTS 64

static void expect_u64(json_object *fields, const char *name, uint64_t got) {
        json_object *value = recorded_member(fields, name);
        uint64_t want;

        if (json_object_is_type(value, json_type_string))
                want = strtoull(json_object_get_string(value), NULL, 16); /* "0x30000" */
        else
                want = json_object_get_uint64(value);
        ck_assert_msg(want == got, "%s is %#llx instead of %#llx", name, (unsigned long long) got,
                      (unsigned long long) want);
}

static void expect_hex(json_object *fields, const char *name, const void *data, size_t n) {
        AUTO_FREE char *hex = hex_encode(data, n);

        ck_assert_ptr_nonnull(hex);
        ck_assert_msg(strcmp(hex, recorded_str(fields, name)) == 0, "%s is %s", name, hex);
}

static void expect_version(json_object *fields, const char *name, const SnpFirmwareVersion *v) {
        char text[16];

        (void) snprintf(text, sizeof(text), "%u.%u.%u", v->major, v->minor, v->build);
        ck_assert_str_eq(text, recorded_str(fields, name));
}

static void expect_tcb(json_object *parts, SnpProduct product, const uint8_t raw[static SNP_TCB_SIZE]) {
        SnpTcb tcb;

        ck_assert_int_eq(snp_tcb_decode(snp_product_tcb_layout(product), raw, &tcb), 0);
        expect_u64(parts, "bl", tcb.boot_loader);
        expect_u64(parts, "tee", tcb.tee);
        expect_u64(parts, "snp", tcb.snp);
        expect_u64(parts, "ucode", tcb.microcode);
        ck_assert(json_object_object_get_ex(parts, "fmc", NULL) == (product == SNP_PRODUCT_TURIN));
        if (product == SNP_PRODUCT_TURIN)
                expect_u64(parts, "fmc", tcb.fmc);
}

static SnpProduct product_of(json_object *entry) {
        const char *lower = recorded_str(entry, "product");

        for (SnpProduct p = SNP_PRODUCT_UNKNOWN + 1; p < SNP_N_PRODUCTS; p++)
                if (strcasecmp(lower, snp_product_name(p)) == 0)
                        return p;
        ck_abort_msg("'%s'", lower);
        return SNP_PRODUCT_UNKNOWN;
}

static void expect_key_info(json_object *fields, const SnpReport *r) {
        static const char *const names[] = { [SNP_SIGNING_KEY_VCEK] = "VCEK", [SNP_SIGNING_KEY_VLEK] = "VLEK" };

        ck_assert(r->author_key_en == recorded_is_true(fields, "author_key_en"));
        ck_assert(r->mask_chip_key == recorded_is_true(fields, "mask_chip_key"));
        ck_assert_uint_lt(r->signing_key, N_ELEMENTS(names));
        ck_assert_str_eq(recorded_str(fields, "signing_key"), names[r->signing_key]);
        expect_u64(fields, "signer_info",
                   (uint64_t) r->author_key_en | (uint64_t) r->mask_chip_key << 1 | (uint64_t) r->signing_key << 2);
}

static void expect_bytes(json_object *fields, const SnpReport *r) {
        expect_hex(fields, "family_id", r->family_id, sizeof(r->family_id));
        expect_hex(fields, "image_id", r->image_id, sizeof(r->image_id));
        expect_hex(fields, "current_tcb", r->current_tcb, sizeof(r->current_tcb));
        expect_hex(fields, "report_data", r->report_data, sizeof(r->report_data));
        expect_hex(fields, "measurement", r->measurement, sizeof(r->measurement));
        expect_hex(fields, "host_data", r->host_data, sizeof(r->host_data));
        expect_hex(fields, "id_key_digest", r->id_key_digest, sizeof(r->id_key_digest));
        expect_hex(fields, "author_key_digest", r->author_key_digest, sizeof(r->author_key_digest));
        expect_hex(fields, "report_id", r->report_id, sizeof(r->report_id));
        expect_hex(fields, "report_id_ma", r->report_id_ma, sizeof(r->report_id_ma));
        expect_hex(fields, "reported_tcb", r->reported_tcb, sizeof(r->reported_tcb));
        expect_hex(fields, "chip_id", r->chip_id, sizeof(r->chip_id));
        expect_hex(fields, "committed_tcb", r->committed_tcb, sizeof(r->committed_tcb));
        expect_hex(fields, "launch_tcb", r->launch_tcb, sizeof(r->launch_tcb));
}

START_TEST(every_field_is_what_others_read) {
        json_object *entry = recorded_get("report", (size_t) _i), *fields = recorded_member(entry, "fields");
        SnpReport r = recorded_report(recorded_str(entry, "file"));
        SnpProduct product = product_of(entry);
        uint8_t cpuid[3] = { r.cpuid_family, r.cpuid_model, r.cpuid_stepping };

        expect_u64(entry, "report_version", r.version);
        expect_u64(fields, "guest_svn", r.guest_svn);
        expect_u64(fields, "policy", r.policy);
        expect_u64(fields, "vmpl", r.vmpl);
        expect_u64(fields, "signature_algo", r.signature_algo);
        expect_u64(fields, "platform_info", r.platform_info);
        expect_key_info(fields, &r);
        expect_bytes(fields, &r);
        expect_tcb(recorded_member(fields, "reported_tcb_parts"), product, r.reported_tcb);
        expect_hex(fields, "cpuid_fms", cpuid, sizeof(cpuid));
        expect_version(fields, "current_version", &r.current);
        expect_version(fields, "committed_version", &r.committed);
        expect_u64(fields, "launch_mit_vector", r.launch_mit_vector);
        expect_u64(fields, "current_mit_vector", r.current_mit_vector);
        ck_assert_int_eq(snp_report_product(&r, product), product);
}
END_TEST

START_TEST(every_report_can_be_printed) {
        json_object *entry = recorded_get("report", (size_t) _i);
        SnpReport r = recorded_report(recorded_str(entry, "file"));
        AUTO_JSON json_object *o = NULL;
        AUTO_FREE char *text = NULL;
        json_object *measurement = NULL;

        ck_assert_int_eq(snp_report_to_json(&r, SNP_PRODUCT_UNKNOWN, &o), 0);
        ck_assert(json_object_object_get_ex(o, "measurement", &measurement));
        ck_assert_str_eq(json_object_get_string(measurement),
                         recorded_str(recorded_member(entry, "fields"), "measurement"));
        ck_assert_int_eq(snp_report_to_text(&r, SNP_PRODUCT_UNKNOWN, &text), 0);
        ck_assert_ptr_nonnull(strstr(text, json_object_get_string(measurement)));
}
END_TEST

int main(void) {
        Suite *suite;
        TCase *tc = tcase_create("recorded");
        int r;

        if (!recorded_load())
                return unit_skip("no recorded reports");
        suite = suite_create("snp/report, recorded");
        tcase_add_loop_test(tc, every_field_is_what_others_read, 0, N_REPORTS);
        tcase_add_loop_test(tc, every_report_can_be_printed, 0, N_REPORTS);
        suite_add_tcase(suite, tc);
        r = unit_run(suite);
        recorded_unload();
        return r;
}
