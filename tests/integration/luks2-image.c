/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/integration/luks2-image.h"

#include <check.h>
#include <fcntl.h>
#include <json-c/json_tokener.h>
#include <libcryptsetup.h>
#include <openssl/evp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/json.h"

/* LUKS2 On-Disk Format Specification 1.1, section 2.1: struct luks2_hdr_disk, big-endian, 4096 bytes. */
#define BINARY_SIZE 4096
#define CSUM_OFFSET 448
#define CSUM_FIELD 64
#define CSUM_SIZE 32 /* sha256 */

/* Room for three keyslots only, so that images stay small. */
#define METADATA_SIZE 16384
#define KEYSLOTS_SIZE (3 * 258048)
#define IMAGE_SIZE (2 << 20)

static void free_device(struct crypt_device **cd) {
        crypt_free(*cd);
}

static void ignore_log(int level, const char *message, void *userdata) {
        (void) level;
        (void) message;
        (void) userdata;
}

void luks2_image_create(const char *path, const void *key, size_t key_size) {
        struct crypt_pbkdf_type pbkdf = {
                .type = CRYPT_KDF_PBKDF2, .hash = "sha256", .iterations = 1000, .flags = CRYPT_PBKDF_NO_BENCHMARK
        };
        struct crypt_params_luks2 params = { .pbkdf = &pbkdf, .sector_size = 512 };
        CLEANUP(free_device) struct crypt_device *cd = NULL;
        AUTO_FD int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(ftruncate(fd, IMAGE_SIZE), 0);
        crypt_set_log_callback(NULL, ignore_log, NULL); /* it warns about the small keyslots area */
        ck_assert_int_eq(crypt_init(&cd, path), 0);
        ck_assert_int_eq(crypt_set_metadata_size(cd, METADATA_SIZE, KEYSLOTS_SIZE), 0);
        ck_assert_int_eq(crypt_format(cd, CRYPT_LUKS2, "aes", "xts-plain64", LUKS2_IMAGE_UUID, NULL, 64, &params), 0);
        ck_assert_int_eq(crypt_keyslot_add_by_volume_key(cd, 0, NULL, 0, key, key_size), 0);
}

void luks2_image_set_token(const char *path, const char *json) {
        CLEANUP(free_device) struct crypt_device *cd = NULL;

        ck_assert_int_eq(crypt_init(&cd, path), 0);
        ck_assert_int_eq(crypt_load(cd, CRYPT_LUKS2, NULL), 0);
        ck_assert_int_eq(crypt_token_json_set(cd, 0, json), 0);
}

static void read_copy(int fd, off_t at, uint8_t copy[static METADATA_SIZE]) {
        ck_assert_int_eq(pread(fd, copy, METADATA_SIZE, at), METADATA_SIZE);
        ck_assert_mem_eq(copy, at == 0 ? "LUKS\xba\xbe" : "SKUL\xba\xbe", 6);
}

static void set_member(json_object *root, const char *member, const char *value) {
        AUTO_FREE char *copy = strdup(member);
        char *save = NULL, *name = strtok_r(copy, ".", &save);
        json_object *at = root;

        for (char *next = strtok_r(NULL, ".", &save); next; name = next, next = strtok_r(NULL, ".", &save))
                ck_assert(json_object_object_get_ex(at, name, &at));
        if (value)
                ck_assert_int_eq(json_object_object_add(at, name, json_tokener_parse(value)), 0);
        else
                json_object_object_del(at, name);
}

static void edit_copy(uint8_t copy[static METADATA_SIZE], const char *member, const char *value) {
        AUTO_JSON json_object *root = json_tokener_parse((const char *) copy + BINARY_SIZE);
        unsigned n = 0;
        const char *text;

        ck_assert_ptr_nonnull(root);
        set_member(root, member, value);
        text = json_object_to_json_string_ext(root, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
        ck_assert_uint_lt(strlen(text), METADATA_SIZE - BINARY_SIZE);
        (void) memset(copy + BINARY_SIZE, 0, METADATA_SIZE - BINARY_SIZE);
        (void) memcpy(copy + BINARY_SIZE, text, strlen(text));
        (void) memset(copy + CSUM_OFFSET, 0, CSUM_FIELD);
        ck_assert_int_eq(EVP_Digest(copy, METADATA_SIZE, copy + CSUM_OFFSET, &n, EVP_sha256(), NULL), 1);
        ck_assert_uint_eq(n, CSUM_SIZE);
}

void luks2_image_edit(const char *path, const char *member, const char *value) {
        AUTO_FD int fd = open(path, O_RDWR | O_CLOEXEC);

        ck_assert_int_ge(fd, 0);
        for (off_t at = 0; at <= METADATA_SIZE; at += METADATA_SIZE) {
                uint8_t copy[METADATA_SIZE];

                read_copy(fd, at, copy);
                edit_copy(copy, member, value);
                ck_assert_int_eq(pwrite(fd, copy, sizeof(copy), at), METADATA_SIZE);
        }
}

char *luks2_image_json(const char *path) {
        AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
        uint8_t copy[METADATA_SIZE];
        char *text;

        ck_assert_int_ge(fd, 0);
        read_copy(fd, 0, copy);
        text = strdup((const char *) copy + BINARY_SIZE);
        ck_assert_ptr_nonnull(text);
        return text;
}
