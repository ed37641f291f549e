/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <openssl/err.h>
#include <string.h>

#include "base/reader.h"
#include "base/writer.h"
#include "snp/launch/id-block.h"
#include "tests/unit/snp-launch/keys.h"
#include "tests/unit/unit.h"

static EVP_PKEY *id_key, *author_key;
static uint8_t block[SNP_ID_BLOCK_SIZE], auth[SNP_ID_AUTH_SIZE], lone_auth[SNP_ID_AUTH_SIZE];

static const SnpIdBlock fields = {
        .ld = { 1, 2, 3, [47] = 48 },
        .family_id = { 0xFA, [15] = 0xFB },
        .image_id = { 0x1A, [15] = 0x1B },
        .guest_svn = 0x01020304,
        .policy = 0x1122334455667788,
};

static void setup(void) {
        id_key = key_make("P-384");
        author_key = key_make("P-384");
        snp_id_block_encode(&fields, block);
        ck_assert_int_eq(snp_id_auth_sign(block, id_key, author_key, auth, NULL), 0);
        ck_assert_int_eq(snp_id_auth_sign(block, id_key, NULL, lone_auth, NULL), 0);
}

static void teardown(void) {
        EVP_PKEY_free(id_key);
        EVP_PKEY_free(author_key);
}

static SnpIdVerdict judge(const uint8_t *a, bool author_key_enabled) {
        SnpIdVerdict v = {};

        ck_assert_int_eq(snp_id_verify(block, sizeof(block), a, SNP_ID_AUTH_SIZE, author_key_enabled, &v, NULL), 0);
        return v;
}

static void expect(const char *why, const uint8_t *a, bool author_key_enabled, const char *reason) {
        SnpIdVerdict v = judge(a, author_key_enabled);

        if (reason)
                ck_assert_msg(v.outcome == SNP_ID_REJECT && strcmp(v.why.reason, reason) == 0, "%s: %s", why,
                              v.why.text);
        else
                ck_assert_msg(v.outcome == SNP_ID_ACCEPT, "%s: %s", why, v.why.text);
}

START_TEST(a_block_has_its_fields_where_they_belong) {
        SnpIdBlock again;
        Error e = {};

        ck_assert_mem_eq(block, fields.ld, 48);
        ck_assert_uint_eq(block[0x30], 0xFA);
        ck_assert_uint_eq(block[0x40], 0x1A);
        ck_assert_uint_eq(load_le32(block + 0x50), 1);
        ck_assert_uint_eq(load_le32(block + 0x54), 0x01020304);
        ck_assert_uint_eq(load_le64(block + 0x58), 0x1122334455667788);
        ck_assert_int_eq(snp_id_block_parse(block, sizeof(block), &again, NULL), 0);
        ck_assert_mem_eq(again.ld, fields.ld, 48);
        ck_assert_mem_eq(again.family_id, fields.family_id, 16);
        ck_assert_mem_eq(again.image_id, fields.image_id, 16);
        ck_assert_uint_eq(again.guest_svn, fields.guest_svn);
        ck_assert_uint_eq(again.policy, fields.policy);
        for (size_t n = 0; n < 100; n++)
                if (n != sizeof(block)) {
                        e = (Error){};
                        ck_assert_int_eq(snp_id_block_parse(lone_auth, n, &again, &e), -EBADMSG);
                        ck_assert_str_eq(e.reason, "bad-format");
                }
}
END_TEST

START_TEST(what_is_signed_holds) {
        SnpIdVerdict v = judge(auth, true);

        ck_assert_int_eq(v.outcome, SNP_ID_ACCEPT);
        ck_assert(!bytes_are_zero(v.id_key_digest, 48) && !bytes_are_zero(v.author_key_digest, 48));
        ck_assert_uint_eq(v.block.guest_svn, fields.guest_svn);
        v = judge(auth, false);
        ck_assert_int_eq(v.outcome, SNP_ID_ACCEPT);
        ck_assert(bytes_are_zero(v.author_key_digest, 48)); /* as the firmware reports it then */
        expect("no author", lone_auth, false, NULL);
        expect("no author, but enabled", lone_auth, true, "bad-format");
}
END_TEST

START_TEST(nothing_judged_is_a_rejection) {
        const SnpIdVerdict v = {};

        ck_assert_int_eq(v.outcome, SNP_ID_REJECT);
}
END_TEST

START_TEST(every_length_but_the_right_ones_is_refused) {
        SnpIdVerdict v;

        for (size_t n = 0; n < SNP_ID_AUTH_SIZE; n++) {
                ck_assert_int_eq(snp_id_verify(block, sizeof(block), auth, n, true, &v, NULL), 0);
                ck_assert(v.outcome == SNP_ID_REJECT && strcmp(v.why.reason, "bad-format") == 0);
        }
        for (size_t n = 0; n < SNP_ID_BLOCK_SIZE; n++) {
                ck_assert_int_eq(snp_id_verify(block, n, auth, sizeof(auth), true, &v, NULL), 0);
                ck_assert(v.outcome == SNP_ID_REJECT && strcmp(v.why.reason, "bad-format") == 0);
        }
}
END_TEST

/* Nothing in the authentication information is left unlooked at, nor in the block. */
START_TEST(every_flipped_bit_is_refused) {
        uint8_t copy[SNP_ID_AUTH_SIZE];

        memcpy(copy, auth, sizeof(copy));
        for (size_t at = (size_t) _i; at < sizeof(copy); at += 8)
                for (unsigned bit = 0; bit < 8; bit++) {
                        copy[at] ^= (uint8_t) (1u << bit);
                        ck_assert_msg(judge(copy, true).outcome == SNP_ID_REJECT, "bit %u of byte %zu", bit, at);
                        copy[at] ^= (uint8_t) (1u << bit);
                }
        for (size_t at = (size_t) _i; at < sizeof(block); at += 8) {
                block[at] ^= 4;
                ck_assert_msg(judge(auth, true).outcome == SNP_ID_REJECT, "block, byte %zu", at);
                block[at] ^= 4;
        }
}
END_TEST

static const struct {
        const char *why;
        size_t at;
        uint32_t value; /* 32 bits */
        bool author_key_enabled;
        const char *reason;
} changes[] = {
        { "ID key without algorithm", 0, 0, true, "bad-format" },
        { "unknown ID algorithm", 0, 2, false, "bad-format" },
        { "unknown author algorithm", 4, 2, false, "bad-format" },
        { "author key without algorithm", 4, 0, false, "bad-format" },
        { "reserved bytes", 8, 1, false, "bad-format" },
        { "reserved bytes between the keys", 0x644, 1, false, "bad-format" },
        { "reserved bytes at the end", 4092, 1, false, "bad-format" },
        { "R beyond 48 bytes", 0x40 + 48, 1, false, "bad-format" },
        { "S beyond 48 bytes", 0x40 + 72 + 68, 1, false, "bad-format" },
        { "signature's reserved bytes", 0x40 + 144, 1, false, "bad-format" },
        { "curve P-256", 0x240, 1, false, "bad-format" },
        { "X beyond 48 bytes", 0x240 + 4 + 48, 1, false, "bad-format" },
        { "key's reserved bytes", 0x240 + 148, 1, false, "bad-format" },
        { "another R", 0x40, 1, false, "bad-id-block-signature" },
        { "another author's signature", 0x680, 1, true, "bad-id-key-signature" },
        { "the same, nobody asks", 0x680, 1, false, NULL },
        { "author's curve, nobody asks, but it is no key", 0x880, 3, false, "bad-format" },
        { "author signature's reserved bytes", 0x680 + 144, 1, false, "bad-format" },
};

START_TEST(each_place_has_its_reason) {
        uint8_t copy[SNP_ID_AUTH_SIZE];

        memcpy(copy, auth, sizeof(copy));
        store_le32(copy + changes[_i].at, changes[_i].value);
        expect(changes[_i].why, copy, changes[_i].author_key_enabled, changes[_i].reason);
}
END_TEST

START_TEST(an_algorithm_without_a_key_is_tolerated_when_nobody_asks) {
        uint8_t copy[SNP_ID_AUTH_SIZE];

        memcpy(copy, lone_auth, sizeof(copy));
        store_le32(copy + 4, 1);
        expect("as igvmmeasure writes it", copy, false, NULL);
        expect("but enabled", copy, true, "bad-format");
}
END_TEST

START_TEST(signatures_of_others_do_not_hold) {
        AUTO_EVP_PKEY EVP_PKEY *stranger = key_make("P-384");
        uint8_t other[SNP_ID_AUTH_SIZE], mixed[SNP_ID_AUTH_SIZE];

        ck_assert_int_eq(snp_id_auth_sign(block, stranger, author_key, other, NULL), 0);
        memcpy(mixed, auth, sizeof(mixed));
        memcpy(mixed + 0x40, other + 0x40, 512);
        expect("signature by another ID key", mixed, true, "bad-id-block-signature");
        memcpy(mixed, auth, sizeof(mixed));
        memcpy(mixed + 0x40, other + 0x40, 512);
        memcpy(mixed + 0x240, other + 0x240, 1028);
        expect("ID key that the author has not signed", mixed, true, "bad-id-key-signature");
        memset(mixed + 0x40, 0, 144);
        expect("R and S zero", mixed, true, "bad-id-block-signature");
}
END_TEST

static bool is_private_form(int form) {
        return form <= KEY_SEC1_DER;
}

START_TEST(keys_are_read_in_every_form) {
        AUTO_SECRET Secret file = key_file(id_key, (KeyForm) _i);
        AUTO_EVP_PKEY EVP_PKEY *a = NULL;
        AUTO_EVP_PKEY EVP_PKEY *b = NULL;
        Error e = {};
        int r = snp_id_key_load_private(&file, &a, &e);

        if (is_private_form(_i)) {
                ck_assert_msg(r == 0, "%s", error_text(&e, r));
                ck_assert_int_eq(EVP_PKEY_eq(a, id_key), 1);
        } else if (_i == KEY_ENCRYPTED_PEM)
                ck_assert_msg(r == -EOPNOTSUPP && strcmp(e.reason, "key-encrypted") == 0, "%d %s", r, e.text);
        else
                ck_assert_msg(r == -EBADMSG && strcmp(e.reason, "bad-key") == 0, "%d %s", r, e.text);
        r = snp_id_key_load_public(&file, &b, NULL);
        ck_assert_int_eq(r, _i == KEY_ENCRYPTED_PEM ? -EOPNOTSUPP : 0);
        if (r == 0)
                ck_assert_int_eq(EVP_PKEY_eq(b, id_key), 1);
        ck_assert_uint_eq(ERR_peek_error(), 0);
}
END_TEST

START_TEST(other_curves_are_refused) {
        static const char *const curves[] = { "P-256", "P-521", "secp256k1", "brainpoolP384r1" };
        AUTO_EVP_PKEY EVP_PKEY *key = key_make(curves[_i]);
        AUTO_SECRET Secret file = key_file(key, KEY_PKCS8_PEM);
        EVP_PKEY *loaded = NULL;
        Error e = {};

        ck_assert_int_eq(snp_id_key_load_private(&file, &loaded, &e), -EOPNOTSUPP);
        ck_assert_str_eq(e.reason, "wrong-curve");
        ck_assert_ptr_null(loaded);
}
END_TEST

START_TEST(a_key_whose_halves_differ_is_refused) {
        AUTO_SECRET Secret a = key_file(id_key, KEY_SEC1_DER);
        AUTO_SECRET Secret b = key_file(author_key, KEY_SEC1_DER);
        EVP_PKEY *key = NULL;
        Error e = {};

        ck_assert_uint_eq(a.len, b.len);
        memcpy(a.bytes + a.len - 97, b.bytes + b.len - 97, 97); /* the public point comes last (RFC 5915, section 3) */
        ck_assert_int_eq(snp_id_key_load_private(&a, &key, &e), -EBADMSG);
        ck_assert_str_eq(e.reason, "bad-key");
        ck_assert_ptr_null(key);
}
END_TEST

START_TEST(junk_is_no_key) {
        AUTO_SECRET Secret junk = {};
        EVP_PKEY *key = NULL;

        ck_assert_int_eq(secret_alloc(200, &junk, NULL), 0);
        memset(junk.bytes, 0x30, junk.len);
        ck_assert_int_eq(snp_id_key_load_private(&junk, &key, NULL), -EBADMSG);
        ck_assert_int_eq(snp_id_key_load_public(&junk, &key, NULL), -EBADMSG);
        ck_assert_ptr_null(key);
}
END_TEST

START_TEST(a_key_survives_the_firmwares_form) {
        AUTO_EVP_PKEY EVP_PKEY *again = NULL;
        uint8_t bytes[SNP_ID_KEY_SIZE];

        ck_assert_int_eq(snp_id_key_encode(id_key, bytes, NULL), 0);
        ck_assert_mem_eq(bytes, auth + 0x240, sizeof(bytes));
        ck_assert_int_eq(snp_id_key_decode(bytes, &again, NULL), 0);
        ck_assert_int_eq(EVP_PKEY_eq(again, id_key), 1);
}
END_TEST

START_TEST(an_igvm_file_without_a_block_has_none) {
        const SnpIgvm igvm = {};
        Error e = {};
        bool enabled;
        uint8_t a[SNP_ID_BLOCK_SIZE], b[SNP_ID_AUTH_SIZE];

        ck_assert_int_eq(snp_id_from_igvm(&igvm, a, b, &enabled, &e), -ENOENT);
        ck_assert_str_eq(e.reason, "no-id-block");
}
END_TEST

/* As a builder of IGVM files would write what we have signed. */
START_TEST(a_block_comes_out_of_an_igvm_file_as_it_went_in) {
        uint8_t bytes[SNP_IGVM_ID_BLOCK_SIZE] = { 1, 0, 0, 0, 1 }, a[SNP_ID_BLOCK_SIZE], b[SNP_ID_AUTH_SIZE];
        const SnpIgvm igvm = { .id_block = bytes, .policy = fields.policy };
        bool enabled = false;

        memcpy(bytes + 8, block, 0x58);
        memcpy(bytes + 96, auth, 8);
        memcpy(bytes + 104, auth + 0x40, 144);
        memcpy(bytes + 248, auth + 0x240, 4);
        memcpy(bytes + 256, auth + 0x244, 144);
        memcpy(bytes + 400, auth + 0x680, 144);
        memcpy(bytes + 544, auth + 0x880, 4);
        memcpy(bytes + 552, auth + 0x884, 144);
        ck_assert_int_eq(snp_id_from_igvm(&igvm, a, b, &enabled, NULL), 0);
        ck_assert(enabled);
        ck_assert_mem_eq(a, block, sizeof(block));
        ck_assert_mem_eq(b, auth, sizeof(auth));
}
END_TEST

int main(void) {
        Suite *suite = suite_create("id-block");
        TCase *tc = tcase_create("id-block");

        tcase_add_unchecked_fixture(tc, setup, teardown);
        tcase_add_test(tc, a_block_has_its_fields_where_they_belong);
        tcase_add_test(tc, what_is_signed_holds);
        tcase_add_test(tc, nothing_judged_is_a_rejection);
        tcase_add_test(tc, every_length_but_the_right_ones_is_refused);
        tcase_add_loop_test(tc, every_flipped_bit_is_refused, 0, 8);
        tcase_add_loop_test(tc, each_place_has_its_reason, 0, N_ELEMENTS(changes));
        tcase_add_test(tc, an_algorithm_without_a_key_is_tolerated_when_nobody_asks);
        tcase_add_test(tc, signatures_of_others_do_not_hold);
        tcase_add_loop_test(tc, keys_are_read_in_every_form, 0, KEY_N_FORMS);
        tcase_add_loop_test(tc, other_curves_are_refused, 0, 4);
        tcase_add_test(tc, a_key_whose_halves_differ_is_refused);
        tcase_add_test(tc, junk_is_no_key);
        tcase_add_test(tc, a_key_survives_the_firmwares_form);
        tcase_add_test(tc, an_igvm_file_without_a_block_has_none);
        tcase_add_test(tc, a_block_comes_out_of_an_igvm_file_as_it_went_in);
        suite_add_tcase(suite, tc);
        return unit_run(suite);
}
