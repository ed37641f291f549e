/* SPDX-License-Identifier: Apache-2.0 */
/* `snpctl key derive` against the ioctls: part of the program in test-sev-guest.c. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "tests/integration/uml/guest.h"
#include "tests/unit/unit.h"

#define KEY "/run/key"
#define FILE_MAX (64u * 1024u)
#define DERIVE(...) guest_snpctl((const char *const[]){ "snpctl", "key", "derive", __VA_ARGS__, NULL })

static Blob contents(const char *path) {
        Blob b = {};
        Error e = {};
        int r = file_read(path, FILE_MAX, &b, &e);

        ck_assert_msg(r == 0, "%s", error_text(&e, r));
        return b;
}

static bool says(const char *path, const char *text) {
        AUTO_BLOB Blob b = contents(path);

        return b.size > 0 && memmem(b.data, b.size, text, strlen(text)) != NULL;
}

static bool has(const char *path, const Secret *key) {
        AUTO_BLOB Blob b = contents(path);

        return b.size >= key->len && memmem(b.data, b.size, key->bytes, key->len) != NULL;
}

/* The same key by the library. */
static Secret expected(const SnpKeyRequest *q) {
        CLEANUP(snp_device_freep) SnpDevice *device = NULL;
        Secret key = {};

        ck_assert_int_eq(snp_device_open_ioctl("/dev/sev-guest", &device, NULL), 0);
        ck_assert_int_eq(snp_device_derive_key(device, q, deadline_in(30 * USEC_PER_SEC), &key, NULL), 0);
        return key;
}

static void expect_key_in(const char *path, const SnpKeyRequest *q) {
        AUTO_SECRET Secret key = expected(q);
        AUTO_BLOB Blob b = contents(path);

        ck_assert_uint_eq(b.size, key.len);
        ck_assert_mem_eq(b.data, key.bytes, key.len);
}

static void restore(void) {
        (void) unlink(KEY);
        guest_restore();
}

START_TEST(key_goes_to_a_new_file_of_its_owner) {
        const SnpKeyRequest q = { .fields = SNP_KEY_POLICY | SNP_KEY_MEASUREMENT, .vmpl = SNP_VMPL_AUTO };
        AUTO_SECRET Secret key = expected(&q);
        struct stat st;

        ck_assert_int_eq(DERIVE("--fields", "policy,measurement", "--out", KEY), 0);
        expect_key_in(KEY, &q);
        ck_assert_int_eq(stat(KEY, &st), 0);
        ck_assert_uint_eq(st.st_mode & 07777, 0600);
        ck_assert_int_eq(st.st_size, SNP_DERIVED_KEY_SIZE);
        ck_assert(says("/run/err", "another host"));
        ck_assert(!has("/run/err", &key));
        ck_assert_int_eq(stat("/run/out", &st), 0);
        ck_assert_int_eq(st.st_size, 0);
} END_TEST

START_TEST(key_goes_to_standard_output_that_is_no_terminal) {
        const SnpKeyRequest q = { .root = SNP_ROOT_KEY_VMRK, .vmpl = 2 };

        ck_assert_int_eq(DERIVE("--fields", "none", "--root", "vmrk", "--vmpl", "2"), 0);
        expect_key_in("/run/out", &q);
} END_TEST

START_TEST(json_tells_everything_but_the_key) {
        const SnpKeyRequest q = { .fields = SNP_KEY_TCB_VERSION | SNP_KEY_GUEST_SVN, .vmpl = SNP_VMPL_AUTO, .tcb = 1 };
        AUTO_SECRET Secret key = expected(&q);
        AUTO_BLOB Blob out = {};
        AUTO_JSON json_object *o = NULL;
        json_object *list = NULL; /* borrowed */
        const char *text;

        ck_assert_int_eq(DERIVE("--fields", "tcb-version,guest-svn", "--tcb", "0x1", "--guest-svn", "0", "--out", KEY,
                                "--json"), 0);
        expect_key_in(KEY, &q);
        ck_assert(!has("/run/out", &key));
        out = contents("/run/out");
        ck_assert_int_eq(json_parse(out.data, out.size, "output", &o, NULL), 0);
        ck_assert_int_eq(json_get_str(o, "root", 16, &text, NULL), 0);
        ck_assert_str_eq(text, "vcek");
        ck_assert_int_eq(json_get_str(o, "tcb", 32, &text, NULL), 0);
        ck_assert_str_eq(text, "0x0000000000000001");
        ck_assert_int_eq(json_get_array(o, "fields", 8, &list, NULL), 0);
        ck_assert_uint_eq(json_object_array_length(list), 2);
} END_TEST

START_TEST(file_that_is_there_stays_as_it_is) {
        AUTO_BLOB Blob b = {};

        ck_assert_int_eq(file_write_atomic(KEY, "old", 3, 0600, NULL), 0);
        ck_assert_int_eq(DERIVE("--fields", "policy", "--out", KEY), 3);
        b = contents(KEY);
        ck_assert_uint_eq(b.size, 3);
} END_TEST

START_TEST(disk_needs_force) {
        char path[512];

        (void) snprintf(path, sizeof(path), "%s/key", getenv("SNP_UML_DIR"));
        ck_assert_int_eq(DERIVE("--fields", "policy", "--out", path), 2);
        ck_assert_int_lt(access(path, F_OK), 0);
        ck_assert_int_eq(DERIVE("--fields", "policy", "--out", path, "--force"), 0);
        expect_key_in(path, &(SnpKeyRequest){ .fields = SNP_KEY_POLICY });
        ck_assert_int_eq(unlink(path), 0);
} END_TEST

static const struct {
        const char *control, *fields, *device, *says;
        int status;
} failures[] = {
        { "fail=status:0x16", "policy", "/dev/sev-guest", "INVALID_PARAM", 3 },
        { "fail=enotty", "policy", "/dev/sev-guest", "sev-guest", 3 },
        { "fail=zero-report", "policy", "/dev/sev-guest", "zeros", 3 },
        { "", "policy", "/dev/none", "/dev/none", 3 },
        { "", "policy,launch-mit-vector", "/dev/sev-guest", "mitigation vector", 3 },
        { "", "chip", "/dev/sev-guest", "--fields", 2 },
};

START_TEST(failure_leaves_no_file) {
        guest_control(failures[_i].control);
        ck_assert_int_eq(DERIVE("--fields", failures[_i].fields, "--device", failures[_i].device, "--out", KEY),
                         failures[_i].status);
        ck_assert(says("/run/err", failures[_i].says));
        ck_assert_int_lt(access(KEY, F_OK), 0);
} END_TEST

START_TEST(json_without_a_file_is_refused) {
        ck_assert_int_eq(DERIVE("--fields", "policy", "--json"), 2);
        ck_assert(says("/run/out", "\"usage\""));
} END_TEST

TCase *test_key_derive(void) {
        TCase *tc = tcase_create("snpctl-key-derive");

        tcase_add_checked_fixture(tc, restore, restore);
        tcase_add_test(tc, key_goes_to_a_new_file_of_its_owner);
        tcase_add_test(tc, key_goes_to_standard_output_that_is_no_terminal);
        tcase_add_test(tc, json_tells_everything_but_the_key);
        tcase_add_test(tc, file_that_is_there_stays_as_it_is);
        tcase_add_test(tc, disk_needs_force);
        tcase_add_loop_test(tc, failure_leaves_no_file, 0, N_ELEMENTS(failures));
        tcase_add_test(tc, json_without_a_file_is_refused);
        return tc;
}
