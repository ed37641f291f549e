/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/token/luks2-check.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "tests/unit/unit.h"

/* As libcryptsetup writes it, with two keyslots and a token. */
static const char header[] =
        "{\"keyslots\":{"
        "\"0\":{\"type\":\"luks2\",\"key_size\":64,\"af\":{\"type\":\"luks1\",\"stripes\":4000,\"hash\":\"sha256\"},"
        "\"area\":{\"type\":\"raw\",\"offset\":\"32768\",\"size\":\"258048\",\"encryption\":\"aes-xts-plain64\","
        "\"key_size\":64},\"kdf\":{\"type\":\"pbkdf2\",\"hash\":\"sha256\",\"iterations\":1000,\"salt\":\"AAAA\"}},"
        "\"1\":{\"type\":\"luks2\",\"key_size\":64,\"priority\":2,\"af\":{\"type\":\"luks1\",\"stripes\":4000,"
        "\"hash\":\"sha256\"},\"area\":{\"type\":\"raw\",\"offset\":\"290816\",\"size\":\"258048\","
        "\"encryption\":\"aes-xts-plain64\",\"key_size\":64},\"kdf\":{\"type\":\"argon2id\",\"time\":4,"
        "\"memory\":65536,\"cpus\":1,\"salt\":\"AAAA\"}}},"
        "\"tokens\":{\"0\":{\"type\":\"snp-agent\",\"keyslots\":[\"1\"],\"v\":1,\"resource\":\"a/b/c\"}},"
        "\"segments\":{\"0\":{\"type\":\"crypt\",\"offset\":\"16777216\",\"size\":\"dynamic\",\"iv_tweak\":\"0\","
        "\"encryption\":\"aes-xts-plain64\",\"sector_size\":4096}},"
        "\"digests\":{\"0\":{\"type\":\"pbkdf2\",\"keyslots\":[\"0\",\"1\"],\"segments\":[\"0\"],\"hash\":\"sha256\","
        "\"iterations\":1000,\"salt\":\"AAAA\",\"digest\":\"AAAA\"}},"
        "\"config\":{\"json_size\":\"12288\",\"keyslots_size\":\"16744448\"}}";

/* @path as "segments.0.encryption"; @value is JSON text, NULL removes the member. */
static char *changed(const char *path, const char *value) {
        AUTO_JSON json_object *root = NULL;
        AUTO_FREE char *copy = strdup(path);
        json_object *at, *new = NULL;
        char *name, *save = NULL, *result;

        ck_assert_int_eq(json_parse(header, strlen(header), "header", &root, NULL), 0);
        ck_assert_ptr_nonnull(copy);
        at = root;
        name = strtok_r(copy, ".", &save);
        for (char *next = strtok_r(NULL, ".", &save); next; name = next, next = strtok_r(NULL, ".", &save))
                ck_assert(json_object_object_get_ex(at, name, &at));
        if (value) {
                ck_assert_int_eq(json_parse(value, strlen(value), "value", &new, NULL), 0);
                ck_assert_int_eq(json_object_object_add(at, name, new), 0);
        } else {
                ck_assert(json_object_object_get_ex(at, name, NULL));
                json_object_object_del(at, name);
        }
        result = strdup(json_object_to_json_string_ext(root, JSON_C_TO_STRING_PRETTY));
        ck_assert_ptr_nonnull(result);
        return result;
}

START_TEST(a_header_as_cryptsetup_writes_it_is_accepted) {
        Luks2Volume v = {};
        Error e = {};
        int r = luks2_check(header, strlen(header), &v, &e);

        ck_assert_msg(r == 0, "%s", e.text);
        ck_assert_str_eq(v.cipher, "aes-xts-plain64");
        ck_assert_uint_eq(v.keyslots, 3);
}
END_TEST

#define SLOT "\"type\":\"luks2\",\"key_size\":64,\"af\":{},\"kdf\":{}"
#define AREA "\"type\":\"raw\",\"offset\":\"0\",\"size\":\"0\",\"key_size\":64"
#define SEGMENT "\"type\":\"crypt\",\"offset\":\"0\",\"size\":\"1\",\"iv_tweak\":\"0\",\"sector_size\":512"

static const struct {
        const char *path, *value, *reason, *where;
} refused[] = {
        /* null ciphers, by name */
        { "segments.0.encryption", "\"cipher_null-ecb\"", "luks2-null-cipher", "segments.0.encryption" },
        { "segments.0.encryption", "\"cipher_null\"", "luks2-null-cipher", "segments.0.encryption" },
        { "segments.0.encryption", "\"capi:ecb(cipher_null)-plain\"", "luks2-null-cipher", "segments.0.encryption" },
        { "segments.0.encryption", "\"CIPHER_NULL-ecb\"", "luks2-null-cipher", "segments.0.encryption" },
        { "keyslots.0.area.encryption", "\"cipher_null-ecb\"", "luks2-null-cipher", "keyslots.0.area.encryption" },
        { "keyslots.1.area.encryption", "\"cipher_null-ecb\"", "luks2-null-cipher", "keyslots.1.area.encryption" },
        { "tokens.1", "{\"type\":\"x\",\"keyslots\":[],\"a\":[{\"encryption\":\"cipher_null-ecb\"}]}",
          "luks2-null-cipher", "tokens.1.a.encryption" },
        /* other ciphers */
        { "segments.0.encryption", "\"aes-ecb\"", "luks2-cipher", "segments.0.encryption" },
        { "segments.0.encryption", "\"aes-xts-plain64 \"", "luks2-cipher", "segments.0.encryption" },
        { "segments.0.encryption", "\"\"", "luks2-cipher", "segments.0.encryption" },
        { "keyslots.1.area.encryption", "\"aes-cbc-essiv:sha256\"", "luks2-cipher", "keyslots.1.area.encryption" },
        /* segments */
        { "segments.0.type", "\"linear\"", "luks2-type", "segments.0.type" },
        { "segments.0.flags", "[\"backup-final\"]", "luks2-member", "segments.0.flags" },
        { "segments.0.integrity", "{\"type\":\"none\"}", "luks2-member", "segments.0.integrity" },
        { "segments.0.encryption", NULL, "luks2-member", "segments.0.encryption: missing" },
        { "segments.0.encryption", "1", "luks2-malformed", "segments.0.encryption" },
        { "segments.0.encryption", "null", "luks2-malformed", "segments.0.encryption" },
        { "segments.1", "{" SEGMENT ",\"encryption\":\"aes-xts-plain64\"}", "luks2-segments", "segments: " },
        { "segments", "{\"1\":{" SEGMENT ",\"encryption\":\"aes-xts-plain64\"}}", "luks2-segments", "segments: " },
        { "segments", "{}", "luks2-segments", "segments: " },
        { "segments", "[]", "luks2-malformed", "segments: " },
        { "segments.0", "\"crypt\"", "luks2-malformed", "segments.0: " },
        { "segments.00", "{}", "luks2-malformed", "segments.00: " },
        { "segments.x", "{}", "luks2-malformed", "segments.x: " },
        { "segments.32", "{}", "luks2-malformed", "segments.32: " },
        { "segments.18446744073709551616", "{}", "luks2-malformed", "segments.18446744073709551616: " },
        /* keyslots */
        { "keyslots.0.type", "\"reencrypt\"", "luks2-type", "keyslots.0.type" },
        { "keyslots.0.area.type", "\"none\"", "luks2-type", "keyslots.0.area.type" },
        { "keyslots.0.mode", "\"reencrypt\"", "luks2-member", "keyslots.0.mode" },
        { "keyslots.0.area", NULL, "luks2-member", "keyslots.0.area: missing" },
        { "keyslots.0.area.encryption", NULL, "luks2-member", "keyslots.0.area.encryption: missing" },
        { "keyslots.2", "{" SLOT ",\"area\":{" AREA ",\"encryption\":\"aes-xts-plain64\"}}", "luks2-digests",
          "digests" },
        { "keyslots.1", NULL, "luks2-digests", "digests" },
        { "keyslots", "{}", "luks2-keyslots", "keyslots: " },
        /* digests */
        { "digests.1", "{}", "luks2-digests", "digests: " },
        { "digests", "{}", "luks2-digests", "digests: " },
        { "digests.0.type", "\"none\"", "luks2-type", "digests.0.type" },
        { "digests.0.segments", "[]", "luks2-digests", "digests.0.segments" },
        { "digests.0.segments", "[\"0\",\"1\"]", "luks2-digests", "digests.0.segments" },
        { "digests.0.segments", "[0]", "luks2-digests", "digests.0.segments" },
        { "digests.0.keyslots", "[\"0\"]", "luks2-digests", "digests" },
        { "digests.0.keyslots", "[\"0\",\"1\",\"2\"]", "luks2-digests", "digests" },
        { "digests.0.keyslots", "[\"0\",\"x\"]", "luks2-malformed", "digests.0.keyslots" },
        { "digests.0.keyslots", NULL, "luks2-member", "digests.0.keyslots: missing" },
        /* an unfinished reencryption, flags, and what no specification knows */
        { "config.requirements", "{\"mandatory\":[\"online-reencrypt-v2\"]}", "luks2-member", "config.requirements" },
        { "config.flags", "[\"allow-discards\"]", "luks2-member", "config.flags" },
        { "config", NULL, "luks2-member", "config: missing" },
        { "tokens", NULL, "luks2-member", "tokens: missing" },
        { "extra", "{}", "luks2-member", "extra: " },
};

START_TEST(a_header_that_strays_from_the_allow_list_is_refused_with_path_and_reason) {
        AUTO_FREE char *json = changed(refused[_i].path, refused[_i].value);
        Luks2Volume v = { .cipher = "untouched", .keyslots = 77 };
        Error e = {};
        int r = luks2_check(json, strlen(json), &v, &e);

        ck_assert_msg(r == -EPERM || r == -EBADMSG, "%s = %s: got %d", refused[_i].path, refused[_i].value, r);
        ck_assert_str_eq(e.reason, refused[_i].reason);
        ck_assert_msg(strstr(e.text, refused[_i].where) != NULL, "'%s' does not name %s", e.text, refused[_i].where);
        ck_assert_str_eq(v.cipher, "untouched");
        ck_assert_uint_eq(v.keyslots, 77);
}
END_TEST

START_TEST(a_foreign_token_is_no_reason_to_refuse) {
        AUTO_FREE char *json =
                changed("tokens.5", "{\"type\":\"systemd-tpm2\",\"keyslots\":[\"0\"],\"x\":{\"y\":[1]}}");
        Luks2Volume v;
        Error e = {};
        int r = luks2_check(json, strlen(json), &v, &e);

        ck_assert_msg(r == 0, "%s", e.text);
}
END_TEST

START_TEST(duplicate_members_are_refused) {
        static const char twice[] = "{\"segments\":{},\"segments\":{}}";
        Luks2Volume v;
        Error e = {};

        ck_assert_int_eq(luks2_check(twice, strlen(twice), &v, &e), -EBADMSG);
        ck_assert_ptr_nonnull(strstr(e.text, "uplicate"));
}
END_TEST

START_TEST(other_json_than_an_object_is_refused) {
        static const char *const texts[] = { "[]", "null", "1", "\"\"", "" };
        Luks2Volume v;

        for (size_t i = 0; i < N_ELEMENTS(texts); i++)
                ck_assert_msg(luks2_check(texts[i], strlen(texts[i]), &v, NULL) == -EBADMSG, "%s", texts[i]);
}
END_TEST

START_TEST(a_header_beyond_the_size_of_the_format_is_refused_unread) {
        Luks2Volume v;

        ck_assert_int_eq(luks2_check(header, (size_t) LUKS2_JSON_MAX + 1, &v, NULL), -E2BIG);
}
END_TEST

START_TEST(every_truncation_is_refused) {
        Luks2Volume v;

        for (size_t n = 0; n < strlen(header); n++) {
                AUTO_FREE char *cut = malloc(n + 1); /* exact size: a read beyond it is seen by the sanitizer */

                ck_assert_ptr_nonnull(cut);
                (void) memcpy(cut, header, n);
                ck_assert_msg(luks2_check(cut, n, &v, NULL) == -EBADMSG, "%zu bytes", n);
        }
}
END_TEST

START_TEST(no_single_bit_flip_yields_another_cipher) {
        AUTO_FREE char *json = strdup(header);
        size_t accepted = 0;

        ck_assert_ptr_nonnull(json);
        for (size_t bit = 0; bit < 8 * strlen(header); bit++) {
                Luks2Volume v = {};

                json[bit / 8] = (char) (json[bit / 8] ^ (1 << bit % 8));
                if (luks2_check(json, strlen(header), &v, NULL) == 0) {
                        accepted++;
                        ck_assert_str_eq(v.cipher, "aes-xts-plain64");
                        ck_assert_uint_eq(v.keyslots, 3);
                }
                json[bit / 8] = (char) (json[bit / 8] ^ (1 << bit % 8));
        }
        /* Bits of salts, sizes and the token are not this check's to judge. */
        ck_assert_uint_lt(accepted, 8 * strlen(header) / 2);
}
END_TEST

int main(void) {
        Suite *s = suite_create("luks2-check");
        TCase *c = tcase_create("check");

        tcase_add_test(c, a_header_as_cryptsetup_writes_it_is_accepted);
        tcase_add_loop_test(c, a_header_that_strays_from_the_allow_list_is_refused_with_path_and_reason, 0,
                            (int) N_ELEMENTS(refused));
        tcase_add_test(c, a_foreign_token_is_no_reason_to_refuse);
        tcase_add_test(c, duplicate_members_are_refused);
        tcase_add_test(c, other_json_than_an_object_is_refused);
        tcase_add_test(c, a_header_beyond_the_size_of_the_format_is_refused_unread);
        tcase_add_test(c, every_truncation_is_refused);
        tcase_add_test(c, no_single_bit_flip_yields_another_cipher);
        suite_add_tcase(s, c);
        return unit_run(s);
}
