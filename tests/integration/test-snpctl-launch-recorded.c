/* SPDX-License-Identifier: Apache-2.0 */

/* `snpctl measure` and `snpctl idblock` say of every recorded launch and ID block what is recorded. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/file.h"
#include "base/json.h"
#include "snp/launch/id-block.h"
#include "tests/integration/ctl.h"
#include "tests/unit/snp-launch/cases.h"
#include "tests/unit/unit.h"

#define PATH_BYTES 512
#define ARGS_MAX 36

typedef struct Args {
        const char *argv[ARGS_MAX];
        size_t n;
        char paths[6][PATH_BYTES];
        size_t n_paths;
        char numbers[2][24];
} Args;

static void add(Args *a, const char *option, const char *value) {
        ck_assert_uint_lt(a->n + 2, ARGS_MAX);
        a->argv[a->n++] = option;
        if (value)
                a->argv[a->n++] = value;
}

static void add_path(Args *a, const char *option, const char *file) {
        char *path = a->paths[a->n_paths++];

        if (!file)
                return;
        ck_assert_int_lt(snprintf(path, PATH_BYTES, "%s/measure/%s", vectors_dir(), file), PATH_BYTES);
        add(a, option, path);
}

static void add_opt(Args *a, const char *option, const char *value) {
        if (value)
                add(a, option, value);
}

static const char *digest_of(json_object *o) {
        return ctl_str(o, "measurement");
}

/* Without "usage" in the words, and with nothing printed but the error. */
static void expect_error(const SpawnResult *r, json_object *o, const char *reason, const char *id) {
        ck_assert_msg(r->status == 3, "%s: %d %s", id, r->status, r->out);
        ck_assert_msg(strcmp(ctl_str(o, "error.reason"), reason) == 0, "%s: %s", id, r->out);
}

static void launch_args(json_object *c, Args *a) {
        const char *mode = case_str(c, "mode"), *type = case_opt_str(c, "vcpu_type");

        add(a, "measure", "--json");
        add(a, "--mode", strcmp(mode, "snp-svsm") == 0 ? "svsm" : mode);
        add_path(a, "--firmware", case_str(c, "firmware"));
        (void) snprintf(a->numbers[0], sizeof(a->numbers[0]), "%llu", (unsigned long long) case_u64(c, "vcpus"));
        add(a, "--vcpus", a->numbers[0]);
        add(a, "--vmm", case_str(c, "vmm"));
        add(a, "--guest-features", case_str(c, "guest_features"));
        if (type || strcmp(case_str(c, "vmm"), "qemu") == 0)
                add(a, "--cpu", type ? type : case_str(c, "vcpu_sig"));
        add_path(a, "--kernel", case_opt_str(c, "kernel"));
        add_path(a, "--initrd", case_opt_str(c, "initrd"));
        add_opt(a, "--append", case_opt_str(c, "append"));
        add_opt(a, "--firmware-digest", case_opt_str(c, "ovmf_hash"));
        add_path(a, "--svsm", case_opt_str(c, "svsm"));
        if (case_opt_str(c, "svsm")) {
                (void) snprintf(a->numbers[1], sizeof(a->numbers[1]), "%llu",
                                (unsigned long long) case_u64(c, "vars_size"));
                add(a, "--vars-size", a->numbers[1]);
        }
        add(a, "--stages", NULL);
}

/* The last of the stages is the result, and the first is what --mode firmware says. */
static void check_stages(json_object *c, json_object *expect, json_object *o) {
        json_object *recorded = case_member(expect, "stages"), *stages = case_member(o, "stages");
        Args a = {};

        if (!recorded)
                return;
        ck_assert_str_eq(case_str(json_object_array_get_idx(stages, json_object_array_length(stages) - 1), "digest"),
                         digest_of(o));
        add(&a, "measure", "--json");
        add(&a, "--mode", "firmware");
        add_path(&a, "--firmware", case_str(c, "firmware"));
        {
                AUTO_SPAWN_RESULT SpawnResult r = ctl_run(a.argv);
                AUTO_JSON json_object *firmware = ctl_json(&r);
                json_object *first = json_object_array_get_idx(recorded, 0);

                ck_assert_str_eq(digest_of(firmware), json_object_get_string(json_object_array_get_idx(first, 1)));
        }
}

START_TEST(a_launch_is_measured_as_recorded) {
        json_object *c = cases_get("launch", (size_t) _i), *expect = case_member(c, "expect");
        const char *error = case_opt_str(expect, "error");
        Args a = {};

        launch_args(c, &a);
        {
                AUTO_SPAWN_RESULT SpawnResult r = ctl_run(a.argv);
                AUTO_JSON json_object *o = ctl_json(&r);

                if (error) {
                        expect_error(&r, o, error, case_str(c, "id"));
                        return;
                }
                ck_assert_msg(r.status == 0, "%s: %d %s", case_str(c, "id"), r.status, r.out);
                ck_assert_str_eq(digest_of(o), case_str(expect, "launch_digest"));
                check_stages(c, expect, o);
        }
}
END_TEST

START_TEST(an_igvm_file_is_measured_as_recorded) {
        json_object *c = cases_get("igvm", (size_t) _i), *expect = case_member(c, "expect");
        Args a = {};

        add(&a, "measure", "--json");
        add_path(&a, "--igvm", case_str(c, "file"));
        if (json_object_get_boolean(case_member(c, "native_zero")))
                add(&a, "--native-zero", NULL);
        {
                AUTO_SPAWN_RESULT SpawnResult r = ctl_run(a.argv);
                AUTO_JSON json_object *o = ctl_json(&r);

                if (case_opt_str(expect, "error")) {
                        expect_error(&r, o, case_str(expect, "error"), case_str(c, "id"));
                        return;
                }
                ck_assert_int_eq(r.status, 0);
                ck_assert_str_eq(digest_of(o), case_str(expect, "launch_digest"));
                ck_assert_uint_eq(case_u64(case_member(o, "igvm"), "policy"), case_u64(expect, "policy"));
        }
}
END_TEST

static void build_args(json_object *c, Args *a, const char *block, const char *auth, bool base64) {
        add(a, "idblock", "create");
        add(a, "--json", NULL);
        add(a, "--measurement", case_str(c, "launch_digest"));
        add(a, "--family-id", case_str(c, "family_id"));
        add(a, "--image-id", case_str(c, "image_id"));
        (void) snprintf(a->numbers[0], sizeof(a->numbers[0]), "%llu", (unsigned long long) case_u64(c, "guest_svn"));
        add(a, "--guest-svn", a->numbers[0]);
        add(a, "--policy", case_str(c, "policy"));
        add_path(a, "--id-key", case_str(c, "id_key"));
        add_path(a, "--author-key", case_opt_str(c, "author_key"));
        add(a, "--block", block);
        add(a, "--auth", auth);
        if (base64)
                add(a, "--base64", NULL);
}

static void check_built(json_object *c, const char *block, const char *auth, bool base64) {
        json_object *expect = case_member(c, "expect");
        AUTO_BLOB Blob file = {};
        AUTO_SPAWN_RESULT SpawnResult r = CTL("idblock", "verify", "--json", "--block", block, "--auth", auth);
        AUTO_JSON json_object *o = ctl_json(&r);

        ck_assert_int_eq(file_read(block, 4096, &file, NULL), 0);
        if (base64) {
                ck_assert_uint_eq(file.size, strlen(case_str(expect, "id_block_b64")));
                ck_assert_mem_eq(file.data, case_str(expect, "id_block_b64"), file.size);
        } else
                case_expect_hex(expect, "id_block", file.data, file.size);
        ck_assert_int_eq(r.status, 0);
        ck_assert_str_eq(ctl_str(o, "verdict"), "accept");
        ck_assert_str_eq(ctl_str(o, "id_key_digest"), case_str(expect, "id_key_digest"));
}

START_TEST(an_id_block_is_built_as_recorded) {
        json_object *c = cases_get("id_block_build", (size_t) _i / 2), *expect = case_member(c, "expect");
        char dir[] = "/tmp/test-snpctl-launch.XXXXXX", block[64], auth[64];
        Args a = {};

        ck_assert_ptr_nonnull(mkdtemp(dir));
        (void) snprintf(block, sizeof(block), "%s/block", dir);
        (void) snprintf(auth, sizeof(auth), "%s/auth", dir);
        build_args(c, &a, block, auth, _i % 2);
        {
                AUTO_SPAWN_RESULT SpawnResult r = ctl_run(a.argv);
                AUTO_JSON json_object *o = ctl_json(&r);

                ck_assert_msg(r.status == 0, "%s", r.out);
                ck_assert_str_eq(ctl_str(o, "id_block"), case_str(expect, "id_block_b64"));
                ck_assert_str_eq(ctl_str(o, "id_key_digest"), case_str(expect, "id_key_digest"));
                ck_assert(!!case_member(o, "author_key_digest") == !!case_opt_str(expect, "author_key_digest"));
                if (case_opt_str(expect, "author_key_digest"))
                        ck_assert_str_eq(ctl_str(o, "author_key_digest"), case_str(expect, "author_key_digest"));
        }
        check_built(c, block, auth, _i % 2);
        ck_assert_int_eq(unlink(block) | unlink(auth) | rmdir(dir), 0);
}
END_TEST

START_TEST(a_pair_is_judged_as_recorded) {
        json_object *c = cases_get("id_block_verify", (size_t) _i);
        const char *expect = case_str(c, "expect");
        bool ok = strcmp(expect, "ok") == 0;
        Args a = {};

        add(&a, "idblock", "verify");
        add(&a, "--json", NULL);
        add_path(&a, "--block", case_str(c, "id_block"));
        add_path(&a, "--auth", case_str(c, "id_auth"));
        add(&a, "--author-key-enabled", json_object_get_boolean(case_member(c, "author_key_enabled")) ? "on" : "off");
        {
                AUTO_SPAWN_RESULT SpawnResult r = ctl_run(a.argv);
                AUTO_JSON json_object *o = ctl_json(&r);

                ck_assert_msg(r.status == (ok ? 0 : 1), "%s: %s", case_str(c, "id"), r.out);
                ck_assert_str_eq(ctl_str(o, "verdict"), ok ? "accept" : "reject");
                if (!ok)
                        ck_assert_str_eq(ctl_str(o, "reason"), expect);
        }
}
END_TEST

START_TEST(a_key_has_the_recorded_digest) {
        json_object *c = cases_get("id_block_build", (size_t) _i);
        Args a = {};

        add(&a, "idblock", "digest");
        add_path(&a, "--key", case_str(c, "id_key"));
        {
                AUTO_SPAWN_RESULT SpawnResult r = ctl_run(a.argv);

                ck_assert_int_eq(r.status, 0);
                ck_assert_uint_eq(r.out_size, 97);
                ck_assert_mem_eq(r.out, case_str(case_member(c, "expect"), "id_key_digest"), 96);
        }
}
END_TEST

int main(int argc, char **argv) {
        Suite *suite;
        TCase *tc;
        int status;

        if (argc != 2)
                return EXIT_FAILURE;
        ctl_set_program(argv[1]);
        if (!cases_load())
                return unit_skip("no recorded launch digests (SNP_TEST_VECTORS)");
        suite = suite_create("snpctl-launch-recorded");
        tc = tcase_create("snpctl-launch-recorded");
        tcase_add_loop_test(tc, a_launch_is_measured_as_recorded, 0, (int) cases_count("launch"));
        tcase_add_loop_test(tc, an_igvm_file_is_measured_as_recorded, 0, (int) cases_count("igvm"));
        tcase_add_loop_test(tc, an_id_block_is_built_as_recorded, 0, 2 * (int) cases_count("id_block_build"));
        tcase_add_loop_test(tc, a_pair_is_judged_as_recorded, 0, (int) cases_count("id_block_verify"));
        tcase_add_loop_test(tc, a_key_has_the_recorded_digest, 0, (int) cases_count("id_block_build"));
        suite_add_tcase(suite, tc);
        status = unit_run(suite);
        cases_unload();
        return status;
}
