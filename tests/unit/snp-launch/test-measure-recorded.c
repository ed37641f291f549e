/* SPDX-License-Identifier: Apache-2.0 */

/* Launch digests that others have published or calculated, each step of them. */

#include <check.h>
#include <json-c/linkhash.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/hex.h"
#include "base/json.h"
#include "snp/launch/measure-internal.h"
#include "tests/unit/snp-launch/cases.h"
#include "tests/unit/unit.h"

#define VMSA_NAME_SIZE 16

typedef struct Input {
        Blob firmware, svsm;
        SnpKernelHashes hashes;
        uint8_t firmware_ld[SNP_LD_SIZE];
        SnpLaunch launch;
} Input;

static void input_done(Input *in) {
        blob_done(&in->firmware);
        blob_done(&in->svsm);
}

static SnpLaunchMode mode_of(const char *name) {
        static const char *const names[] = { "snp", "snp-svsm", "sev-es", "sev" };

        for (unsigned i = 0; i < N_ELEMENTS(names); i++)
                if (strcmp(name, names[i]) == 0)
                        return (SnpLaunchMode) i;
        ck_abort_msg("mode %s", name);
}

static void hash_member(json_object *c, const char *name, uint8_t ret[static SNP_HASH_SIZE]) {
        AUTO_BLOB Blob b = case_file(c, name);

        ck_assert_int_eq(snp_blob_hash(b.data, b.size, ret, NULL), 0);
}

static void take_boot(json_object *c, Input *in) {
        if (!case_opt_str(c, "kernel"))
                return;
        hash_member(c, "kernel", in->hashes.kernel);
        if (case_opt_str(c, "initrd"))
                hash_member(c, "initrd", in->hashes.initrd);
        else
                ck_assert_int_eq(snp_no_initrd_hash(in->hashes.initrd, NULL), 0);
        ck_assert_int_eq(snp_cmdline_hash(case_opt_str(c, "append"), in->hashes.cmdline, NULL), 0);
        in->launch.kernel = &in->hashes;
}

static void take_input(json_object *c, Input *in) {
        in->firmware = case_file(c, "firmware");
        in->launch = (SnpLaunch){
                .mode = mode_of(case_str(c, "mode")),
                .n_vcpus = (uint32_t) case_u64(c, "vcpus"),
                .cpu_signature = (uint32_t) case_u64(c, "vcpu_sig"),
                .features = case_u64(c, "guest_features"),
                .firmware = in->firmware.data,
                .firmware_size = in->firmware.size,
        };
        ck_assert_int_eq(snp_vmm_from_name(case_str(c, "vmm"), &in->launch.vmm), 0);
        take_boot(c, in);
        if (case_opt_str(c, "ovmf_hash")) {
                ck_assert_int_eq(hex_decode_exact(case_str(c, "ovmf_hash"), 96, in->firmware_ld, SNP_LD_SIZE), 0);
                in->launch.firmware_ld = in->firmware_ld;
        }
        if (case_opt_str(c, "svsm")) {
                in->svsm = case_file(c, "svsm");
                in->launch.svsm = in->svsm.data;
                in->launch.svsm_size = in->svsm.size;
                in->launch.vars_size = case_u64(c, "vars_size");
        }
}

typedef struct Recorded {
        json_object *stages; /* [name, digest], of vCPUs only some */
        size_t next;
} Recorded;

static void check_stage(void *user, const char *name, const uint8_t ld[static SNP_LD_SIZE]) {
        Recorded *recorded = user;
        json_object *stage = json_object_array_get_idx(recorded->stages, recorded->next);
        char hex[2 * SNP_LD_SIZE + 1];

        ck_assert_msg(stage != NULL, "%s is one too many", name);
        if (strcmp(json_object_get_string(json_object_array_get_idx(stage, 0)), name) != 0) {
                ck_assert_msg(strncmp(name, "vmsa", 4) == 0, "%s", name);
                return;
        }
        hex_encode_to(ld, SNP_LD_SIZE, hex);
        ck_assert_msg(strcmp(hex, json_object_get_string(json_object_array_get_idx(stage, 1))) == 0, "%s: %s", name,
                      hex);
        recorded->next++;
}

START_TEST(a_launch_is_judged_as_recorded) {
        json_object *c = cases_get("launch", (size_t) _i), *expect = case_member(c, "expect");
        Recorded recorded = { .stages = case_member(expect, "stages") };
        const SnpStages stages = { check_stage, &recorded };
        CLEANUP(input_done) Input in = {};
        const char *error = case_opt_str(expect, "error");
        SnpLaunchDigest digest = {};
        Error e = {};
        int r;

        take_input(c, &in);
        r = snp_launch_measure(&in.launch, recorded.stages ? &stages : NULL, &digest, &e);
        if (error) {
                ck_assert_msg(r < 0 && strcmp(e.reason, error) == 0, "%s: %d %s %s", case_str(c, "id"), r,
                              error_reason(&e, r), e.text);
                ck_assert_uint_eq(digest.size, 0);
                return;
        }
        ck_assert_msg(r == 0, "%s: %s", case_str(c, "id"), error_text(&e, r));
        case_expect_hex(expect, "launch_digest", digest.bytes, digest.size);
        if (recorded.stages)
                ck_assert_uint_eq(recorded.next, json_object_array_length(recorded.stages));
}
END_TEST

START_TEST(vmsa_pages_are_as_recorded) {
        json_object *c = cases_get("launch", (size_t) _i), *expect = case_member(c, "expect");
        AUTO_SNP_GCTX SnpGctx g = {};
        CLEANUP(input_done) Input in = {};
        SnpVmsaHashes h;

        if (!case_opt_str(expect, "bsp_vmsa_sha384"))
                return;
        take_input(c, &in);
        ck_assert_int_eq(snp_gctx_init(&g, NULL), 0);
        snp_vmsa_hashes(&g, &in.launch, (uint32_t) case_u64(expect, "ap_eip"), &h);
        case_expect_hex(expect, "bsp_vmsa_sha384", h.bsp, sizeof(h.bsp));
        if (case_opt_str(expect, "ap_vmsa_sha384"))
                case_expect_hex(expect, "ap_vmsa_sha384", h.ap, sizeof(h.ap));
}
END_TEST

START_TEST(the_table_of_kernel_hashes_is_as_recorded) {
        json_object *c = cases_get("launch", (size_t) _i), *expect = case_member(c, "expect");
        uint8_t table[SNP_HASH_TABLE_SIZE];
        CLEANUP(input_done) Input in = {};

        if (!case_opt_str(expect, "hash_table"))
                return;
        take_input(c, &in);
        snp_kernel_hashes_encode(&in.hashes, table);
        case_expect_hex(expect, "hash_table", table, sizeof(table));
}
END_TEST

START_TEST(cpu_models_have_the_recorded_signatures) {
        json_object *c = cases_get("launch", (size_t) _i);
        const char *name = case_opt_str(c, "vcpu_type");
        const SnpCpuModel *m = name ? snp_cpu_model_find(name) : NULL;

        if (!name)
                return;
        ck_assert_msg(m != NULL, "%s", name);
        ck_assert_uint_eq(snp_cpu_signature(m->family, m->model, m->stepping), case_u64(c, "vcpu_sig"));
}
END_TEST

static void measure_distribution(json_object *c, const Blob *firmware, const char *how, const char *want) {
        SnpLaunch launch = { .features = SNP_FEATURE_SNP_ACTIVE, .firmware = firmware->data,
                             .firmware_size = firmware->size };
        char model[32], hex[2 * SNP_LD_SIZE + 1];
        SnpLaunchDigest digest = {};
        const SnpCpuModel *m;
        unsigned vcpus;
        Error e = {};
        int r;

        ck_assert_int_eq(sscanf(how, "qemu %31s vcpus=%u features=0x1", model, &vcpus), 2);
        m = snp_cpu_model_find(model);
        ck_assert(m);
        launch.n_vcpus = vcpus;
        launch.cpu_signature = snp_cpu_signature(m->family, m->model, m->stepping);
        r = snp_launch_measure(&launch, NULL, &digest, &e);
        hex_encode_to(digest.bytes, SNP_LD_SIZE, hex);
        if (strncmp(want, "error:", 6) == 0)
                ck_assert_msg(r < 0 && strcmp(e.reason, want + 6) == 0, "%s: %d", case_str(c, "path"), r);
        else
                ck_assert_msg(r == 0 && strcmp(hex, want) == 0, "%s %s: %d %s", case_str(c, "path"), how, r, hex);
}

/* The images are not copied into the vectors: they are checked where the same version of the package is installed. */
START_TEST(firmware_of_the_distribution_is_measured_as_recorded) {
        json_object *c = cases_get("distro_firmware", (size_t) _i), *expect = case_member(c, "expect");
        AUTO_BLOB Blob firmware = {};
        uint8_t hash[SNP_HASH_SIZE];
        char hex[2 * SNP_HASH_SIZE + 1];

        if (file_read(case_str(c, "path"), SNP_FIRMWARE_MAX, &firmware, NULL) < 0)
                return;
        ck_assert_int_eq(snp_blob_hash(firmware.data, firmware.size, hash, NULL), 0);
        hex_encode_to(hash, sizeof(hash), hex);
        if (strcmp(hex, case_str(c, "sha256")) != 0)
                return;
        json_object_object_foreach(expect, how, want)
                measure_distribution(c, &firmware, how, json_object_get_string(want));
}
END_TEST

int main(void) {
        Suite *suite;
        TCase *tc;
        int n, status;

        if (!cases_load())
                return unit_skip("no recorded launch digests (SNP_TEST_VECTORS)");
        suite = suite_create("measure-recorded");
        tc = tcase_create("measure-recorded");
        n = (int) cases_count("launch");
        tcase_add_loop_test(tc, a_launch_is_judged_as_recorded, 0, n);
        tcase_add_loop_test(tc, vmsa_pages_are_as_recorded, 0, n);
        tcase_add_loop_test(tc, the_table_of_kernel_hashes_is_as_recorded, 0, n);
        tcase_add_loop_test(tc, cpu_models_have_the_recorded_signatures, 0, n);
        tcase_add_loop_test(tc, firmware_of_the_distribution_is_measured_as_recorded, 0,
                            (int) cases_count("distro_firmware"));
        suite_add_tcase(suite, tc);
        status = unit_run(suite);
        cases_unload();
        return status;
}
