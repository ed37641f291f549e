/* SPDX-License-Identifier: Apache-2.0 */

/* ID blocks that other tools have made, and pairs that must not be taken. */

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/base64.h"
#include "base/hex.h"
#include "snp/launch/id-block.h"
#include "tests/unit/snp-launch/cases.h"
#include "tests/unit/unit.h"

static void key_file(json_object *c, const char *name, Secret *ret) {
        AUTO_FREE char *path = NULL;
        AUTO_FD int fd = -1;

        ck_assert_int_gt(asprintf(&path, "%s/measure/%s", vectors_dir(), case_str(c, name)), 0);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        ck_assert_int_eq(secret_read_fd(fd, SECRET_MAX, ret, NULL), 0);
}

static EVP_PKEY *key_of(json_object *c, const char *name) {
        AUTO_SECRET Secret file = {};
        EVP_PKEY *key = NULL;
        Error e = {};
        int r;

        if (!case_opt_str(c, name))
                return NULL;
        key_file(c, name, &file);
        r = snp_id_key_load_private(&file, &key, &e);
        ck_assert_msg(r == 0, "%s", error_text(&e, r));
        return key;
}

static SnpIdBlock block_of(json_object *c) {
        SnpIdBlock b = { .guest_svn = (uint32_t) case_u64(c, "guest_svn"), .policy = case_u64(c, "policy") };

        ck_assert_int_eq(hex_decode_exact(case_str(c, "launch_digest"), 96, b.ld, 48), 0);
        ck_assert_int_eq(hex_decode_exact(case_str(c, "family_id"), 32, b.family_id, 16), 0);
        ck_assert_int_eq(hex_decode_exact(case_str(c, "image_id"), 32, b.image_id, 16), 0);
        return b;
}

static void check_digests(json_object *expect, const SnpIdVerdict *v) {
        case_expect_hex(expect, "id_key_digest", v->id_key_digest, sizeof(v->id_key_digest));
        if (case_opt_str(expect, "author_key_digest"))
                case_expect_hex(expect, "author_key_digest", v->author_key_digest, sizeof(v->author_key_digest));
        else
                for (size_t i = 0; i < sizeof(v->author_key_digest); i++)
                        ck_assert_uint_eq(v->author_key_digest[i], 0);
}

static void check_auth_but_for_signatures(json_object *expect, const uint8_t *auth) {
        uint8_t copy[SNP_ID_AUTH_SIZE], hash[32];

        memcpy(copy, auth, sizeof(copy));
        memset(copy + 0x40, 0, 144);
        memset(copy + 0x680, 0, 144);
        ck_assert_int_eq(EVP_Digest(copy, sizeof(copy), hash, NULL, EVP_sha256(), NULL), 1);
        case_expect_hex(expect, "id_auth_without_signatures_sha256", hash, sizeof(hash));
}

START_TEST(an_id_block_is_built_as_recorded) {
        json_object *c = cases_get("id_block_build", (size_t) _i), *expect = case_member(c, "expect");
        AUTO_EVP_PKEY EVP_PKEY *id_key = key_of(c, "id_key");
        AUTO_EVP_PKEY EVP_PKEY *author = key_of(c, "author_key");
        const SnpIdBlock b = block_of(c);
        uint8_t block[SNP_ID_BLOCK_SIZE], auth[SNP_ID_AUTH_SIZE];
        AUTO_FREE char *base64 = NULL;
        AUTO_BLOB Blob recorded = case_file(expect, "id_auth_file");
        SnpIdVerdict v = {};

        snp_id_block_encode(&b, block);
        case_expect_hex(expect, "id_block", block, sizeof(block));
        base64 = base64_encode(BASE64_STD, block, sizeof(block));
        ck_assert_str_eq(base64, case_str(expect, "id_block_b64"));
        ck_assert_int_eq(snp_id_auth_sign(block, id_key, author, auth, NULL), 0);
        check_auth_but_for_signatures(expect, auth);
        ck_assert_int_eq(snp_id_verify(block, sizeof(block), auth, sizeof(auth), author != NULL, &v, NULL), 0);
        ck_assert_msg(v.outcome == SNP_ID_ACCEPT, "%s", v.why.text);
        check_digests(expect, &v);
        ck_assert_int_eq(snp_id_verify(block, sizeof(block), recorded.data, recorded.size, author != NULL, &v, NULL),
                         0);
        ck_assert_msg(v.outcome == SNP_ID_ACCEPT, "%s", v.why.text);
        check_digests(expect, &v);
}
END_TEST

START_TEST(a_pair_is_judged_as_recorded) {
        json_object *c = cases_get("id_block_verify", (size_t) _i);
        AUTO_BLOB Blob block = case_file(c, "id_block"), auth = case_file(c, "id_auth");
        const char *expect = case_str(c, "expect");
        SnpIdVerdict v = {};

        ck_assert_int_eq(snp_id_verify(block.data, block.size, auth.data, auth.size,
                                       json_object_get_boolean(case_member(c, "author_key_enabled")), &v, NULL), 0);
        if (strcmp(expect, "ok") == 0)
                ck_assert_msg(v.outcome == SNP_ID_ACCEPT, "%s: %s", case_str(c, "id"), v.why.text);
        else
                ck_assert_msg(v.outcome == SNP_ID_REJECT && strcmp(v.why.reason, expect) == 0, "%s: %s %s",
                              case_str(c, "id"), v.why.reason, v.why.text);
}
END_TEST

START_TEST(keys_of_other_curves_are_refused) {
        AUTO_FREE char *path = NULL;
        AUTO_SECRET Secret file = {};
        AUTO_FD int fd = -1;
        EVP_PKEY *key = NULL;
        Error e = {};

        ck_assert_int_gt(asprintf(&path, "%s/measure/keys/bad_p256_key.pem", vectors_dir()), 0);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        ck_assert_int_eq(secret_read_fd(fd, SECRET_MAX, &file, NULL), 0);
        ck_assert_int_eq(snp_id_key_load_private(&file, &key, &e), -EOPNOTSUPP);
        ck_assert_str_eq(e.reason, "wrong-curve");
        ck_assert_ptr_null(key);
}
END_TEST

START_TEST(the_id_block_of_an_igvm_file_is_as_recorded) {
        json_object *c = cases_get("igvm", (size_t) _i), *expect = case_member(c, "expect");
        uint8_t block[SNP_ID_BLOCK_SIZE], auth[SNP_ID_AUTH_SIZE];
        AUTO_BLOB Blob file = {};
        bool author = false;
        SnpIdVerdict v = {};
        SnpIgvm igvm;

        if (!case_opt_str(expect, "id_block"))
                return;
        file = case_file(c, "file");
        ck_assert_int_eq(snp_igvm_parse(file.data, file.size, &igvm, NULL), 0);
        ck_assert_int_eq(snp_id_from_igvm(&igvm, block, auth, &author, NULL), 0);
        case_expect_hex(expect, "id_block", block, sizeof(block));
        ck_assert_int_eq(snp_id_verify(block, sizeof(block), auth, sizeof(auth), author, &v, NULL), 0);
        ck_assert_msg(v.outcome == SNP_ID_ACCEPT, "%s", v.why.text);
}
END_TEST

int main(void) {
        Suite *suite;
        TCase *tc;
        int status;

        if (!cases_load())
                return unit_skip("no recorded ID blocks (SNP_TEST_VECTORS)");
        suite = suite_create("id-block-recorded");
        tc = tcase_create("id-block-recorded");
        tcase_add_loop_test(tc, an_id_block_is_built_as_recorded, 0, (int) cases_count("id_block_build"));
        tcase_add_loop_test(tc, a_pair_is_judged_as_recorded, 0, (int) cases_count("id_block_verify"));
        tcase_add_test(tc, keys_of_other_curves_are_refused);
        tcase_add_loop_test(tc, the_id_block_of_an_igvm_file_is_as_recorded, 0, (int) cases_count("igvm"));
        suite_add_tcase(suite, tc);
        status = unit_run(suite);
        cases_unload();
        return status;
}
