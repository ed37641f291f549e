/* SPDX-License-Identifier: Apache-2.0 */

/* `snpctl disk enroll` on LUKS2 image files, looked at through cryptsetup and the header itself. */

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "tests/integration/ctl.h"
#include "tests/integration/luks2-image.h"
#include "tests/unit/unit.h"

#define OLD "the passphrase that the administrator has"
#define NEW "the key that the broker will release"

static char dir[] = "/tmp/snp-test-disk.XXXXXX";
static char image[64], old_key[64], new_key[64], made_key[64];

static void write_file(const char *path, const char *text) {
        ck_assert_int_eq(file_write_atomic(path, text, strlen(text), 0600, NULL), 0);
}

static void setup(void) {
        ck_assert_ptr_nonnull(mkdtemp(dir));
        (void) snprintf(image, sizeof(image), "%s/image", dir);
        (void) snprintf(old_key, sizeof(old_key), "%s/old", dir);
        (void) snprintf(new_key, sizeof(new_key), "%s/new", dir);
        (void) snprintf(made_key, sizeof(made_key), "%s/made", dir);
        write_file(old_key, OLD);
        write_file(new_key, NEW);
        luks2_image_create(image, OLD, strlen(OLD));
}

static void teardown(void) {
        (void) unlink(image);
        (void) unlink(old_key);
        (void) unlink(new_key);
        (void) unlink(made_key);
        ck_assert_int_eq(rmdir(dir), 0);
}

#define ENROLL(...) CTL("disk", "enroll", image, "--resource", "default/disk/root", __VA_ARGS__)

static bool opens_with(const char *key_file) {
        const Spawn s = {
                .argv = { "cryptsetup", "open", "--test-passphrase", "--disable-external-tokens", "--key-file",
                          key_file, image },
        };
        AUTO_SPAWN_RESULT SpawnResult r = spawn_run(&s);

        return r.status == 0;
}

static json_object *header(void) {
        AUTO_FREE char *text = luks2_image_json(image);
        json_object *o = NULL;

        ck_assert_int_eq(json_parse(text, strlen(text), "header", &o, NULL), 0);
        return o;
}

static void expect_unchanged(const char *before) {
        AUTO_FREE char *after = luks2_image_json(image);
        AUTO_JSON json_object *a = NULL, *b = NULL;

        ck_assert_int_eq(json_parse(before, strlen(before), "header", &a, NULL), 0);
        ck_assert_int_eq(json_parse(after, strlen(after), "header", &b, NULL), 0);
        ck_assert_msg(json_object_equal(a, b), "%s\n%s", before, after);
}

START_TEST(the_volume_opens_with_the_new_key_and_still_with_the_old) {
        AUTO_SPAWN_RESULT SpawnResult r = ENROLL("--unlock-key-file", old_key, "--key-file", new_key, "--json");
        AUTO_JSON json_object *o = ctl_json(&r);
        AUTO_JSON json_object *h = header();
        json_object *kdf;

        ck_assert_msg(r.status == 0, "%s", r.err);
        ck_assert(opens_with(new_key));
        ck_assert(opens_with(old_key));
        ck_assert_str_eq(ctl_str(o, "uuid"), LUKS2_IMAGE_UUID);
        ck_assert_str_eq(ctl_str(h, "tokens.0.type"), "snp-agent");
        ck_assert_str_eq(ctl_str(h, "tokens.0.resource"), "default/disk/root");
        ck_assert_str_eq(ctl_str(h, "keyslots.1.kdf.type"), "pbkdf2");
        ck_assert_str_eq(ctl_str(h, "keyslots.1.kdf.hash"), "sha256");
        ck_assert_str_eq(ctl_str(h, "keyslots.1.area.encryption"), "aes-xts-plain64");
        ck_assert(json_object_object_get_ex(h, "keyslots", &kdf) && json_object_object_get_ex(kdf, "1", &kdf) &&
                  !json_object_object_get_ex(kdf, "priority", NULL) && json_object_object_get_ex(kdf, "kdf", &kdf));
        ck_assert_int_eq(json_object_get_int(json_object_object_get(kdf, "iterations")), 1000);
        ck_assert_ptr_null(strstr(r.out, NEW));
}
END_TEST

START_TEST(a_new_key_is_made_for_the_owner_of_the_file_alone) {
        AUTO_SPAWN_RESULT SpawnResult r = ENROLL("--unlock-key-file", old_key, "--new-key-out", made_key, "--force");
        struct stat st;

        ck_assert_msg(r.status == 0, "%s", r.err);
        ck_assert_int_eq(stat(made_key, &st), 0);
        ck_assert_uint_eq(st.st_mode & 07777, 0600);
        ck_assert_int_eq(st.st_size, 32);
        ck_assert(opens_with(made_key));
}
END_TEST

START_TEST(a_second_enrolment_needs_to_say_replace) {
        AUTO_SPAWN_RESULT SpawnResult first =
                ENROLL("--unlock-key-file", old_key, "--new-key-out", made_key, "--force");
        AUTO_FREE char *before = luks2_image_json(image);
        AUTO_SPAWN_RESULT SpawnResult again = ENROLL("--unlock-key-file", old_key, "--key-file", new_key);

        ck_assert_int_eq(first.status, 0);
        ctl_expect_failure(&again, 3, "Token 0 already names default/disk/root");
        expect_unchanged(before);
        {
                AUTO_SPAWN_RESULT SpawnResult r =
                        ENROLL("--unlock-key-file", made_key, "--key-file", new_key, "--replace", "--json");
                AUTO_JSON json_object *o = ctl_json(&r);

                ck_assert_msg(r.status == 0, "%s", r.err);
                ck_assert_uint_eq(json_object_array_length(json_object_object_get(o, "removed_keyslots")), 1);
        }
        ck_assert(opens_with(new_key));
        ck_assert(opens_with(old_key));
        ck_assert(!opens_with(made_key));
}
END_TEST

START_TEST(a_keyslot_that_another_token_uses_survives_replace) {
        AUTO_SPAWN_RESULT SpawnResult r = {};

        luks2_image_set_token(image, "{\"type\":\"snp-agent\",\"keyslots\":[\"0\"],\"v\":1,"
                                     "\"resource\":\"default/disk/root\"}");
        luks2_image_edit(image, "tokens.1", "{\"type\":\"somebody-else\",\"keyslots\":[\"0\"]}");
        r = ENROLL("--unlock-key-file", old_key, "--key-file", new_key, "--replace");
        ck_assert_msg(r.status == 0, "%s", r.err);
        ck_assert(opens_with(old_key));
        ck_assert(opens_with(new_key));
}
END_TEST

START_TEST(a_wrong_passphrase_leaves_the_volume_as_it_was_and_no_new_key) {
        AUTO_FREE char *before = luks2_image_json(image);
        AUTO_SPAWN_RESULT SpawnResult r = ENROLL("--unlock-key-file", new_key, "--new-key-out", made_key, "--force");

        ctl_expect_failure(&r, 1, "does not open with the passphrase or key given");
        expect_unchanged(before);
        ck_assert_int_lt(access(made_key, F_OK), 0);
}
END_TEST

START_TEST(no_room_for_another_keyslot_leaves_the_volume_as_it_was) {
        AUTO_SPAWN_RESULT SpawnResult first = ENROLL("--unlock-key-file", old_key, "--key-file", new_key);
        AUTO_SPAWN_RESULT SpawnResult second = CTL("disk", "enroll", image, "--resource", "default/disk/two",
                                                   "--unlock-key-file", old_key, "--key-file", new_key);
        AUTO_FREE char *before = luks2_image_json(image);
        AUTO_SPAWN_RESULT SpawnResult r = CTL("disk", "enroll", image, "--resource", "default/disk/three",
                                              "--unlock-key-file", old_key, "--new-key-out", made_key, "--force");

        ck_assert_int_eq(first.status, 0);
        ck_assert_int_eq(second.status, 0);
        ctl_expect_failure(&r, 3, "No keyslot can be added");
        expect_unchanged(before);
        ck_assert_int_lt(access(made_key, F_OK), 0);
}
END_TEST

/* 32 tokens are all that fit; the keyslot is in by the time that shows. */
START_TEST(no_room_for_the_token_takes_the_keyslot_out_again) {
        AUTO_FREE char *before = NULL;
        AUTO_SPAWN_RESULT SpawnResult r = {};

        for (int i = 0; i < 32; i++) {
                char name[16];

                (void) snprintf(name, sizeof(name), "tokens.%d", i);
                luks2_image_edit(image, name, "{\"type\":\"somebody-else\",\"keyslots\":[]}");
        }
        before = luks2_image_json(image);
        r = ENROLL("--unlock-key-file", old_key, "--key-file", new_key);
        ctl_expect_failure(&r, 3, "The token cannot be written");
        expect_unchanged(before);
        ck_assert(!opens_with(new_key));
        ck_assert(opens_with(old_key));
}
END_TEST

START_TEST(a_forged_header_is_refused_before_anything_is_written) {
        AUTO_FREE char *before = NULL;
        AUTO_SPAWN_RESULT SpawnResult r = {};

        luks2_image_edit(image, "segments.0.encryption", "\"cipher_null-ecb\"");
        before = luks2_image_json(image);
        r = ENROLL("--unlock-key-file", old_key, "--key-file", new_key);
        ctl_expect_failure(&r, 1, "'cipher_null-ecb' does not encrypt");
        expect_unchanged(before);
}
END_TEST

START_TEST(what_is_no_luks2_volume_is_told) {
        AUTO_SPAWN_RESULT SpawnResult missing = CTL("disk", "enroll", "/nowhere", "--resource", "a/b/c",
                                                    "--unlock-key-file", old_key, "--key-file", new_key);
        AUTO_SPAWN_RESULT SpawnResult other = CTL("disk", "enroll", "/bin/sh", "--resource", "a/b/c",
                                                  "--unlock-key-file", old_key, "--key-file", new_key);

        ctl_expect_failure(&missing, 3, "/nowhere");
        ctl_expect_failure(&other, 3, "No LUKS2 header can be read");
}
END_TEST

START_TEST(without_terminal_or_key_file_nobody_is_asked) {
        AUTO_SPAWN_RESULT SpawnResult r = ENROLL("--key-file", new_key);

        ctl_expect_failure(&r, 2, "--unlock-key-file is missing");
}
END_TEST

START_TEST(the_passphrase_may_be_typed) {
        const char *const args[] = { "disk", "enroll", image, "--resource", "a/b/c", "--key-file", new_key, NULL };
        AUTO_SPAWN_RESULT SpawnResult wrong = ctl_run_at_terminal(args, "not this\n");
        AUTO_SPAWN_RESULT SpawnResult cancelled = ctl_run_at_terminal(args, "\x03");
        AUTO_SPAWN_RESULT SpawnResult right = ctl_run_at_terminal(args, OLD "\n");

        ck_assert_int_eq(wrong.status, 1);
        ck_assert_int_eq(cancelled.status, 3);
        ck_assert_msg(right.status == 0, "%s", right.err);
        ck_assert_ptr_null(strstr(right.out, OLD));
        ck_assert(opens_with(new_key));
}
END_TEST

int main(int argc, char **argv) {
        Suite *s = suite_create("snpctl-disk");
        TCase *c = tcase_create("enroll");

        if (argc != 2)
                return EXIT_FAILURE;
        ctl_set_program(argv[1]);
        tcase_add_checked_fixture(c, setup, teardown);
        tcase_add_test(c, the_volume_opens_with_the_new_key_and_still_with_the_old);
        tcase_add_test(c, a_new_key_is_made_for_the_owner_of_the_file_alone);
        tcase_add_test(c, a_second_enrolment_needs_to_say_replace);
        tcase_add_test(c, a_keyslot_that_another_token_uses_survives_replace);
        tcase_add_test(c, a_wrong_passphrase_leaves_the_volume_as_it_was_and_no_new_key);
        tcase_add_test(c, no_room_for_another_keyslot_leaves_the_volume_as_it_was);
        tcase_add_test(c, no_room_for_the_token_takes_the_keyslot_out_again);
        tcase_add_test(c, a_forged_header_is_refused_before_anything_is_written);
        tcase_add_test(c, what_is_no_luks2_volume_is_told);
        tcase_add_test(c, without_terminal_or_key_file_nobody_is_asked);
        tcase_add_test(c, the_passphrase_may_be_typed);
        suite_add_tcase(s, c);
        return unit_run(s);
}
