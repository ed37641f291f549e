/* SPDX-License-Identifier: Apache-2.0 */

/* Whatever one or two things are changed, the search names them, and only them. */

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "snp/launch/explain.h"
#include "tests/unit/snp-launch/image.h"
#include "tests/unit/unit.h"

#define CMDLINE "root=/dev/mapper/luks-root ro quiet"

static Blob firmware, other_firmware, plain_firmware;
static SnpNamedHash kernels[2], initrds[2];
static SnpNamedImage firmwares[3];
static SnpExplainInput believed;

static void name_hash(SnpNamedHash *h, const char *name) {
        h->name = name;
        ck_assert_int_eq(snp_blob_hash(name, strlen(name), h->hash, NULL), 0);
}

static void setup(void) {
        Image image = image_amdsev;

        firmware = image_make(&image);
        image.filler = 0x11;
        other_firmware = image_make(&image);
        image.filler = 0x22;
        image.hash_size = 0;
        plain_firmware = image_make(&image);
        firmwares[0] = (SnpNamedImage){ "no-firmware.txt", "text", 4 };
        firmwares[1] = (SnpNamedImage){ "other.fd", other_firmware.data, other_firmware.size };
        firmwares[2] = (SnpNamedImage){ "plain.fd", plain_firmware.data, plain_firmware.size };
        name_hash(&kernels[0], "vmlinuz-6.1");
        name_hash(&kernels[1], "vmlinuz-6.12");
        name_hash(&initrds[0], "initrd-6.1");
        name_hash(&initrds[1], "initrd-6.12");
        believed = (SnpExplainInput){
                .launch = {
                        .n_vcpus = 2,
                        .cpu_signature = snp_cpu_signature(25, 1, 1),
                        .features = 1,
                        .firmware = firmware.data,
                        .firmware_size = firmware.size,
                },
                .has_kernel = true,
                .hashes_on = true,
                .cmdline = CMDLINE,
                .kernels = kernels,
                .n_kernels = N_ELEMENTS(kernels),
                .initrds = initrds,
                .n_initrds = N_ELEMENTS(initrds),
                .firmwares = firmwares,
                .n_firmwares = N_ELEMENTS(firmwares),
                .max_vcpus = 16,
                .max_changes = 2,
        };
        ck_assert_int_eq(snp_blob_hash("kernel", 6, believed.hashes.kernel, NULL), 0);
        ck_assert_int_eq(snp_blob_hash("initrd", 6, believed.hashes.initrd, NULL), 0);
        ck_assert_int_eq(snp_cmdline_hash(CMDLINE, believed.hashes.cmdline, NULL), 0);
}

static void teardown(void) {
        blob_done(&firmware);
        blob_done(&other_firmware);
        blob_done(&plain_firmware);
}

/* The digest of a launch that is what is believed with changes; measured by the ordinary way. */
static SnpLaunchDigest measured(const SnpExplainInput *actual) {
        SnpLaunch launch = actual->launch;
        SnpLaunchDigest d;
        Error e = {};
        int r;

        launch.kernel = actual->has_kernel && actual->hashes_on ? &actual->hashes : NULL;
        r = snp_launch_measure(&launch, NULL, &d, &e);
        ck_assert_msg(r == 0, "%s", error_text(&e, r));
        return d;
}

static SnpExplainResult explain(const SnpExplainInput *in, const uint8_t *want) {
        SnpExplainResult result;
        Error e = {};
        int r = snp_explain(in, want, &result, &e);

        ck_assert_msg(r == 0, "%s", error_text(&e, r));
        return result;
}

static void change_vcpus(SnpExplainInput *x) { x->launch.n_vcpus = 7; }
static void change_vcpus_down(SnpExplainInput *x) { x->launch.n_vcpus = 1; }
static void change_model(SnpExplainInput *x) { x->launch.cpu_signature = snp_cpu_signature(25, 17, 0); }
static void change_silicon(SnpExplainInput *x) { x->launch.cpu_signature = snp_cpu_signature(26, 2, 1); }
static void change_features(SnpExplainInput *x) { x->launch.features = 0x21; }
static void change_feature_bit(SnpExplainInput *x) { x->launch.features = 0x41; }
static void change_to_ec2(SnpExplainInput *x) { x->launch.vmm = SNP_VMM_EC2; }
static void change_to_ec2_rdx0(SnpExplainInput *x) { x->launch.vmm = SNP_VMM_EC2_RDX0; }
static void change_to_gce(SnpExplainInput *x) { x->launch.vmm = SNP_VMM_GCE; }
static void change_to_krun(SnpExplainInput *x) { x->launch.vmm = SNP_VMM_KRUN; }
static void change_fpu(SnpExplainInput *x) { x->launch.fpu_not_synced = true; }
static void change_gpa(SnpExplainInput *x) { x->launch.vmsa_gpa = SNP_VMSA_GPA_52; }
static void change_hashes_off(SnpExplainInput *x) { x->hashes_on = false; }
static void change_kernel(SnpExplainInput *x) { memcpy(x->hashes.kernel, kernels[1].hash, 32); }
static void change_initrd(SnpExplainInput *x) { memcpy(x->hashes.initrd, initrds[0].hash, 32); }

static void set_cmdline(SnpExplainInput *x, const char *text) {
        ck_assert_int_eq(snp_cmdline_hash(text, x->hashes.cmdline, NULL), 0);
}

static void change_no_initrd(SnpExplainInput *x) { ck_assert_int_eq(snp_no_initrd_hash(x->hashes.initrd, NULL), 0); }
static void change_without_quiet(SnpExplainInput *x) { set_cmdline(x, "root=/dev/mapper/luks-root ro"); }
static void change_newline(SnpExplainInput *x) { set_cmdline(x, CMDLINE "\n"); }
static void change_console(SnpExplainInput *x) { set_cmdline(x, CMDLINE " console=ttyS0"); }
static void change_rw(SnpExplainInput *x) { set_cmdline(x, "root=/dev/mapper/luks-root rw quiet"); }
static void change_order(SnpExplainInput *x) { set_cmdline(x, "root=/dev/mapper/luks-root quiet ro"); }

static void change_firmware(SnpExplainInput *x) {
        x->launch.firmware = other_firmware.data;
        x->launch.firmware_size = other_firmware.size;
}

static const struct {
        const char *why;
        void (*change)(SnpExplainInput *x);
        SnpDimension dimension;
        const char *to;
} changes[] = {
        { "more vCPUs", change_vcpus, SNP_DIM_VCPUS, "7" },
        { "fewer vCPUs", change_vcpus_down, SNP_DIM_VCPUS, "1" },
        { "another model", change_model, SNP_DIM_MODEL, "EPYC-Genoa (0x00a10f10)" },
        { "the host's own model", change_silicon, SNP_DIM_MODEL, "Turin (0x00b00f21)" },
        { "DebugSwap", change_features, SNP_DIM_FEATURES, "0x21" },
        { "another feature", change_feature_bit, SNP_DIM_FEATURES, "0x41" },
        { "EC2", change_to_ec2, SNP_DIM_VMM, "ec2" },
        { "EC2, other dialect", change_to_ec2_rdx0, SNP_DIM_VMM, "ec2_rdx0" },
        { "GCE", change_to_gce, SNP_DIM_VMM, "gce" },
        { "krun", change_to_krun, SNP_DIM_VMM, "krun" },
        { "old host", change_fpu, SNP_DIM_FPU, "before Linux 6.10" },
        { "52 bits", change_gpa, SNP_DIM_VMSA_GPA, "0xffffffffff000" },
        { "hashes off", change_hashes_off, SNP_DIM_KERNEL_HASHES, "off" },
        { "kernel of a folder", change_kernel, SNP_DIM_KERNEL, "vmlinuz-6.12" },
        { "initrd of a folder", change_initrd, SNP_DIM_INITRD, "initrd-6.1" },
        { "no initrd", change_no_initrd, SNP_DIM_INITRD, "none" },
        { "word too many", change_without_quiet, SNP_DIM_CMDLINE, "without 'quiet'" },
        { "newline", change_newline, SNP_DIM_CMDLINE, "with a newline at its end" },
        { "added word", change_console, SNP_DIM_CMDLINE, "with 'console=ttyS0' at its end" },
        { "rw", change_rw, SNP_DIM_CMDLINE, "'rw' instead of 'ro'" },
        { "order", change_order, SNP_DIM_CMDLINE, "with 'ro' and 'quiet' swapped" },
        { "firmware of a folder", change_firmware, SNP_DIM_FIRMWARE, "other.fd" },
};

START_TEST(one_change_is_found_and_named) {
        SnpExplainInput actual = believed;
        SnpExplainResult result;

        changes[_i].change(&actual);
        result = explain(&believed, measured(&actual).bytes);
        ck_assert_msg(result.n_found == 1, "%s: %zu", changes[_i].why, result.n_found);
        ck_assert_uint_eq(result.max_changes_tried, 1);
        ck_assert_uint_eq(result.found[0].n_changes, 1);
        ck_assert_uint_eq(result.found[0].changes[0].dimension, changes[_i].dimension);
        ck_assert_str_eq(result.found[0].changes[0].to, changes[_i].to);
}
END_TEST

static bool names(const SnpExplanation *x, size_t change) {
        for (size_t i = 0; i < x->n_changes; i++)
                if (x->changes[i].dimension == changes[change].dimension &&
                    strcmp(x->changes[i].to, changes[change].to) == 0)
                        return true;
        return false;
}

/* Without a measured kernel the hashes are in no digest, and only QEMU's vCPUs show model and FPU. */
static bool hides(size_t a, size_t b) {
        SnpDimension by = changes[a].dimension, what = changes[b].dimension;

        if (by == SNP_DIM_KERNEL_HASHES)
                return what == SNP_DIM_KERNEL || what == SNP_DIM_INITRD || what == SNP_DIM_CMDLINE;
        return by == SNP_DIM_VMM && (what == SNP_DIM_MODEL || what == SNP_DIM_FPU);
}

static void explain_pair(size_t a, size_t b) {
        SnpExplainInput actual = believed;
        SnpExplainResult result;

        changes[a].change(&actual);
        changes[b].change(&actual);
        result = explain(&believed, measured(&actual).bytes);
        ck_assert_msg(result.n_found == 1, "%s and %s: %zu", changes[a].why, changes[b].why, result.n_found);
        if (hides(a, b) || hides(b, a)) {
                ck_assert_uint_eq(result.found[0].n_changes, 1);
                ck_assert(names(&result.found[0], hides(a, b) ? a : b));
                return;
        }
        ck_assert_uint_eq(result.found[0].n_changes, 2);
        ck_assert_msg(names(&result.found[0], a) && names(&result.found[0], b), "%s and %s", changes[a].why,
                      changes[b].why);
}

START_TEST(two_changes_are_found_and_named) {
        for (size_t b = (size_t) _i + 1; b < N_ELEMENTS(changes); b++)
                if (changes[_i].dimension != changes[b].dimension)
                        explain_pair((size_t) _i, b);
}
END_TEST

START_TEST(the_believed_launch_needs_no_explanation) {
        SnpExplainResult result = explain(&believed, measured(&believed).bytes);

        ck_assert_uint_eq(result.n_found, 1);
        ck_assert_uint_eq(result.found[0].n_changes, 0);
        ck_assert_uint_eq(result.n_variants, 1);
}
END_TEST

START_TEST(what_is_not_to_be_found_has_been_tried) {
        const uint8_t want[SNP_LD_SIZE] = { 1 };
        SnpExplainResult result = explain(&believed, want);

        ck_assert_uint_eq(result.n_found, 0);
        ck_assert_uint_eq(result.max_changes_tried, 2);
        ck_assert_uint_gt(result.n_variants, 5000);
        ck_assert_uint_gt(result.n_impossible, 0);
        ck_assert_uint_eq(result.n_values[SNP_DIM_FIRMWARE], 3);
        ck_assert_uint_eq(result.n_values[SNP_DIM_VCPUS], 15);
        ck_assert_uint_eq(result.n_values[SNP_DIM_KERNEL], 2);
        ck_assert_uint_eq(result.n_values[SNP_DIM_INITRD], 3);
        for (unsigned d = 0; d < SNP_N_DIMENSIONS; d++)
                ck_assert_msg(result.n_values[d] > 0, "%s", snp_dimension_name((SnpDimension) d));
}
END_TEST

/* Every launch is looked at once: the numbers of values multiply. Kernel and firmware, which hide others, left out. */
START_TEST(every_pair_is_tried_once) {
        const uint8_t want[SNP_LD_SIZE] = { 1 };
        SnpExplainInput in = believed;
        SnpExplainResult result;
        uint64_t ones = 0, pairs = 0, hidden;

        in.has_kernel = false;
        in.n_kernels = in.n_initrds = in.n_firmwares = 0;
        result = explain(&in, want);
        for (unsigned d = 0; d < SNP_N_DIMENSIONS; d++) {
                if (d >= SNP_DIM_KERNEL_HASHES && d <= SNP_DIM_CMDLINE)
                        continue;
                pairs += ones * result.n_values[d];
                ones += result.n_values[d];
        }
        hidden = result.n_values[SNP_DIM_VMM] * (result.n_values[SNP_DIM_MODEL] + result.n_values[SNP_DIM_FPU]);
        ck_assert_uint_eq(result.n_variants, 1 + ones + pairs - hidden);
}
END_TEST

START_TEST(a_kernel_that_was_not_believed_in_is_found) {
        SnpExplainInput in = believed, actual = believed;
        SnpExplainResult result;

        in.has_kernel = false;
        in.cmdline = NULL;
        set_cmdline(&actual, "");
        memcpy(actual.hashes.kernel, kernels[0].hash, SNP_HASH_SIZE);
        memcpy(actual.hashes.initrd, initrds[1].hash, SNP_HASH_SIZE);
        result = explain(&in, measured(&actual).bytes);
        ck_assert_uint_eq(result.n_found, 1);
        ck_assert_uint_eq(result.found[0].n_changes, 2);
        ck_assert_str_eq(result.found[0].changes[0].to, "vmlinuz-6.1");
        ck_assert_str_eq(result.found[0].changes[0].from, "none");
        ck_assert_str_eq(result.found[0].changes[1].to, "initrd-6.12");
}
END_TEST

START_TEST(a_given_command_line_is_tried) {
        static const char *const given[] = { "something=else", "root=/dev/vda3\tfoo" };
        SnpExplainInput in = believed, actual = believed;
        SnpExplainResult result;

        in.cmdlines = given;
        in.n_cmdlines = 2;
        set_cmdline(&actual, given[1]);
        result = explain(&in, measured(&actual).bytes);
        ck_assert_uint_eq(result.n_found, 1);
        ck_assert_str_eq(result.found[0].changes[0].to, "root=/dev/vda3?foo"); /* a tab might be anything */
}
END_TEST

START_TEST(firmware_that_cannot_launch_the_believed_is_passed_over) {
        SnpExplainInput in = believed, actual = believed;
        SnpExplainResult result;

        in.launch.firmware = plain_firmware.data; /* has no place for kernel hashes */
        change_firmware(&actual);
        result = explain(&in, measured(&actual).bytes);
        ck_assert_uint_eq(result.n_found, 1);
        ck_assert_uint_eq(result.found[0].n_changes, 1);
        ck_assert_str_eq(result.found[0].changes[0].to, "other.fd");
}
END_TEST

START_TEST(a_seed_stands_for_the_believed_firmware) {
        uint8_t ld[SNP_LD_SIZE];
        SnpExplainInput in = believed, actual = believed;
        SnpExplainResult result;

        ck_assert_int_eq(snp_firmware_measure(other_firmware.data, other_firmware.size, ld, NULL), 0);
        in.launch.firmware_ld = ld;
        change_firmware(&actual);
        result = explain(&in, measured(&actual).bytes);
        ck_assert_uint_eq(result.found[0].n_changes, 0);
        result = explain(&in, measured(&believed).bytes);
        ck_assert_uint_eq(result.n_found, 0);
}
END_TEST

START_TEST(fewer_changes_may_be_asked_for) {
        SnpExplainInput in = believed, actual = believed;
        SnpExplainResult result;

        in.max_changes = 1;
        change_fpu(&actual);
        change_vcpus(&actual);
        result = explain(&in, measured(&actual).bytes);
        ck_assert_uint_eq(result.n_found, 0);
        ck_assert_uint_eq(result.max_changes_tried, 1);
}
END_TEST

START_TEST(long_texts_are_cut) {
        SnpExplainInput in = believed;
        char line[1000];
        SnpExplainResult result;

        memset(line, 'x', sizeof(line) - 1);
        line[sizeof(line) - 1] = 0;
        in.cmdline = line;
        result = explain(&in, measured(&believed).bytes); /* the believed hash is that of another line */
        ck_assert_uint_eq(result.n_found, 0);
        in = believed;
        in.cmdlines = (const char *const[]){ line };
        in.n_cmdlines = 1;
        {
                SnpExplainInput actual = believed;

                set_cmdline(&actual, line);
                result = explain(&in, measured(&actual).bytes);
        }
        ck_assert_uint_eq(result.n_found, 1);
        ck_assert_uint_eq(strlen(result.found[0].changes[0].to), SNP_CHANGE_TEXT_MAX - 1);
        ck_assert_str_eq(result.found[0].changes[0].to + SNP_CHANGE_TEXT_MAX - 5, "x...");
}
END_TEST

START_TEST(limits_are_kept) {
        const uint8_t want[SNP_LD_SIZE] = {};
        SnpExplainResult result;
        SnpExplainInput in = believed;
        Error e = {};

        in.n_kernels = SNP_EXPLAIN_FILES_MAX + 1;
        ck_assert_int_eq(snp_explain(&in, want, &result, &e), -E2BIG);
        ck_assert_str_eq(e.reason, "too-many-files");
        in = believed;
        in.n_cmdlines = SNP_EXPLAIN_CMDLINES_MAX + 1;
        ck_assert_int_eq(snp_explain(&in, want, &result, NULL), -E2BIG);
        in = believed;
        in.max_vcpus = SNP_VCPUS_MAX + 1;
        ck_assert_int_eq(snp_explain(&in, want, &result, NULL), -EINVAL);
        in = believed;
        in.max_changes = 3;
        ck_assert_int_eq(snp_explain(&in, want, &result, NULL), -EINVAL);
        in = believed;
        in.launch.n_vcpus = 0;
        ck_assert_int_eq(snp_explain(&in, want, &result, NULL), -EINVAL);
        in = believed;
        in.launch.mode = SNP_LAUNCH_SVSM;
        ck_assert_int_eq(snp_explain(&in, want, &result, NULL), -EOPNOTSUPP);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("explain");
        TCase *tc = tcase_create("explain");

        tcase_add_unchecked_fixture(tc, setup, teardown);
        tcase_add_loop_test(tc, one_change_is_found_and_named, 0, N_ELEMENTS(changes));
        tcase_add_loop_test(tc, two_changes_are_found_and_named, 0, N_ELEMENTS(changes));
        tcase_add_test(tc, the_believed_launch_needs_no_explanation);
        tcase_add_test(tc, what_is_not_to_be_found_has_been_tried);
        tcase_add_test(tc, every_pair_is_tried_once);
        tcase_add_test(tc, a_kernel_that_was_not_believed_in_is_found);
        tcase_add_test(tc, a_given_command_line_is_tried);
        tcase_add_test(tc, firmware_that_cannot_launch_the_believed_is_passed_over);
        tcase_add_test(tc, a_seed_stands_for_the_believed_firmware);
        tcase_add_test(tc, fewer_changes_may_be_asked_for);
        tcase_add_test(tc, long_texts_are_cut);
        tcase_add_test(tc, limits_are_kept);
        suite_add_tcase(suite, tc);
        return unit_run(suite);
}
