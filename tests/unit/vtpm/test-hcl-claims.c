/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "tests/simulator/hcl.h"
#include "tests/unit/unit.h"
#include "vtpm/hcl-claims.h"

static uint8_t ak[SIM_HCL_MODULUS_SIZE], ek[SIM_HCL_MODULUS_SIZE], user_data[SIM_HCL_USER_DATA_SIZE];

static void setup(void) {
        for (size_t i = 0; i < sizeof(ak); i++) {
                ak[i] = (uint8_t) (0x80 | i);
                ek[i] = (uint8_t) (0xff - i);
        }
        (void) memset(user_data, 0, sizeof(user_data));
        for (size_t i = 0; i < 48; i++)
                user_data[i] = (uint8_t) (0xa0 + i);
}

static Blob claims_of(const SimHclClaims *c) {
        Blob b = {};

        ck_assert_int_eq(sim_hcl_claims(c, &b), 0);
        return b;
}

static VtpmHclClaims parse(const Blob *b) {
        VtpmHclClaims c;
        Error e = {};

        ck_assert_msg(vtpm_hcl_claims_parse(b->data, b->size, &c, &e) == 0, "%s", e.text);
        return c;
}

static void must_refuse(const char *text, int code, const char *reason) {
        VtpmHclClaims c;
        Error e = {};
        int r = vtpm_hcl_claims_parse(text, strlen(text), &c, &e);

        ck_assert_msg(r == code && strcmp(error_reason(&e, r), reason) == 0, "%d %s: %s", r, error_reason(&e, r),
                      error_text(&e, r));
}

START_TEST(claims_of_todays_firmware_are_read) {
        SimHclClaims in = { .ak = ak, .ek = ek, .user_data = user_data };
        AUTO_BLOB Blob b = claims_of(&in);
        VtpmHclClaims c = parse(&b);

        ck_assert_uint_eq(c.ak.modulus_size, sizeof(ak));
        ck_assert_mem_eq(c.ak.modulus, ak, sizeof(ak));
        ck_assert_uint_eq(c.ak.exponent, 65537);
        ck_assert_uint_eq(c.ek.modulus_size, sizeof(ek));
        ck_assert_mem_eq(c.ek.modulus, ek, sizeof(ek));
        ck_assert(c.has_user_data);
        ck_assert_mem_eq(c.user_data, user_data, sizeof(user_data));
        ck_assert_int_eq(c.switches[VTPM_HCL_SECURE_BOOT], VTPM_HCL_YES);
        ck_assert_int_eq(c.switches[VTPM_HCL_TPM_PERSISTED], VTPM_HCL_YES);
        ck_assert_int_eq(c.switches[VTPM_HCL_INTERACTIVE_CONSOLE], VTPM_HCL_NO);
        ck_assert_int_eq(c.switches[VTPM_HCL_FILTERED_VPCI_DEVICES], VTPM_HCL_UNSAID);
        ck_assert_str_eq(c.vm_id, "5C3A1D7E-0F26-4B57-9E5C-6D1B2A3F4E50");
        ck_assert(!c.has_time);
} END_TEST

START_TEST(claims_of_old_firmware_are_read) {
        SimHclClaims in = { .ak = ak, .ak_key_ops = "encrypt",
                            .configuration = "{\"console-enabled\":true,\"current-time\":1678652405}" };
        AUTO_BLOB Blob b = claims_of(&in);
        VtpmHclClaims c = parse(&b);

        ck_assert_mem_eq(c.ak.modulus, ak, sizeof(ak));
        ck_assert_uint_eq(c.ek.modulus_size, 0);
        ck_assert(!c.has_user_data);
        ck_assert(c.has_time);
        ck_assert_uint_eq(c.time_sec, 1678652405);
        ck_assert(!vtpm_hcl_claims_say(&c, "", 0));
} END_TEST

START_TEST(everything_named_in_the_configuration_is_read) {
        SimHclClaims in = {
                .ak = ak,
                .configuration = "{\"root-cert-thumbprint\":\"6nZZnYaJ\",\"hardware-sealing-policy\":\"signer\","
                                 "\"filtered-vpci-devices-allowed\":true,\"vmgs-provisioner\":{\"id\":\"x\"},"
                                 "\"of-tomorrow\":[1,{\"a\":null}],\"secure-boot\":null}",
        };
        AUTO_BLOB Blob b = claims_of(&in);
        VtpmHclClaims c = parse(&b);

        ck_assert_str_eq(c.root_cert_thumbprint, "6nZZnYaJ");
        ck_assert_str_eq(c.sealing_policy, "signer");
        ck_assert_int_eq(c.switches[VTPM_HCL_FILTERED_VPCI_DEVICES], VTPM_HCL_YES);
        ck_assert_int_eq(c.switches[VTPM_HCL_SECURE_BOOT], VTPM_HCL_UNSAID);
        ck_assert_str_eq(c.vm_id, "");
} END_TEST

START_TEST(user_data_are_compared_as_bytes_and_whole) {
        SimHclClaims in = { .ak = ak, .user_data = user_data, .upper_case = _i == 1 };
        AUTO_BLOB Blob b = claims_of(&in);
        VtpmHclClaims c = parse(&b);
        uint8_t longer[SIM_HCL_USER_DATA_SIZE + 1] = {};

        (void) memcpy(longer, user_data, sizeof(user_data));
        ck_assert(vtpm_hcl_claims_say(&c, user_data, 48));
        ck_assert(vtpm_hcl_claims_say(&c, user_data, 64));
        ck_assert(!vtpm_hcl_claims_say(&c, user_data, 47)); /* a prefix is not the whole */
        ck_assert(!vtpm_hcl_claims_say(&c, user_data, 0));
        ck_assert(!vtpm_hcl_claims_say(&c, longer, sizeof(longer)));
        user_data[47] ^= 1;
        ck_assert(!vtpm_hcl_claims_say(&c, user_data, 48));
} END_TEST

#define N256 \
        "gIGCg4SFhoeIiYqLjI2Oj5CRkpOUlZaXmJmam5ydnp-goaKjpKWmp6ipqqusra6vsLGys7S1tre4ubq7vL2-v8DBwsPExcbHyMnKy8zNzs_Q0dLT" \
        "1NXW19jZ2tvc3d7f4OHi4-Tl5ufo6err7O3u7_Dx8vP09fb3-Pn6-_z9_v-AgYKDhIWGh4iJiouMjY6PkJGSk5SVlpeYmZqbnJ2en6ChoqOkpaan" \
        "qKmqq6ytrq-wsbKztLW2t7i5uru8vb6_wMHCw8TFxsfIycrLzM3Oz9DR0tPU1dbX2Nna29zd3t_g4eLj5OXm5-jp6uvs7e7v8PHy8_T19vf4-fr7" \
        "_P3-_w"
#define AK "{\"kid\":\"HCLAkPub\",\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\"" N256 "\"}"

static const struct {
        const char *text;
        int code;
        const char *reason;
} bad[] = {
        { "", -EBADMSG, "json-syntax" },
        { "[]", -EBADMSG, "json-type" },
        { "null", -EBADMSG, "json-type" },
        { "{}", -EBADMSG, "json-type" },
        { "{\"keys\":{}}", -EBADMSG, "json-type" },
        { "{\"keys\":[]}", -EBADMSG, "hcl-no-ak" },
        { "{\"keys\":[7]}", -EBADMSG, "json-type" },
        { "{\"keys\":[null]}", -EBADMSG, "json-type" },
        { "{\"keys\":[{\"kid\":7}]}", -EBADMSG, "json-type" },
        { "{\"keys\":[{\"kid\":\"HCLEkPub\",\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\"" N256 "\"}]}", -EBADMSG, "hcl-no-ak" },
        { "{\"keys\":[{\"kid\":\"hclakpub\",\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\"" N256 "\"}]}", -EBADMSG, "hcl-no-ak" },
        { "{\"keys\":[" AK "," AK "]}", -EBADMSG, "hcl-key" },
        { "{\"keys\":[" AK "],\"keys\":[" AK "]}", -EBADMSG, "json-syntax" },
        { "{\"keys\":[{\"kid\":\"HCLAkPub\",\"e\":\"AQAB\",\"n\":\"" N256 "\"}]}", -EBADMSG, "json-type" },
        { "{\"keys\":[{\"kid\":\"HCLAkPub\",\"kty\":\"EC\",\"crv\":\"P-256\"}]}", -EOPNOTSUPP, "hcl-key" },
        { "{\"keys\":[{\"kid\":\"HCLAkPub\",\"kty\":\"RSA\",\"n\":\"" N256 "\"}]}", -EBADMSG, "json-type" },
        { "{\"keys\":[{\"kid\":\"HCLAkPub\",\"kty\":\"RSA\",\"e\":\"\",\"n\":\"" N256 "\"}]}", -EBADMSG, "hcl-key" },
        { "{\"keys\":[{\"kid\":\"HCLAkPub\",\"kty\":\"RSA\",\"e\":\"AAEAAQ\",\"n\":\"" N256 "\"}]}", -EBADMSG, "hcl-key" },
        { "{\"keys\":[{\"kid\":\"HCLAkPub\",\"kty\":\"RSA\",\"e\":\"AQABAQE\",\"n\":\"" N256 "\"}]}", -EBADMSG, "hcl-key" },
        { "{\"keys\":[{\"kid\":\"HCLAkPub\",\"kty\":\"RSA\",\"e\":\"AQAB\"}]}", -EBADMSG, "json-type" },
        { "{\"keys\":[{\"kid\":\"HCLAkPub\",\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\"\"}]}", -EBADMSG, "hcl-key" },
        { "{\"keys\":[{\"kid\":\"HCLAkPub\",\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\"gIGC\"}]}", -EBADMSG, "hcl-key" },
        { "{\"keys\":[{\"kid\":\"HCLAkPub\",\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\"" N256 "==\"}]}", -EBADMSG, "hcl-key" },
        { "{\"keys\":[{\"kid\":\"HCLAkPub\",\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\"AAAA" N256 "\"}]}", -EBADMSG, "hcl-key" },
        { "{\"keys\":[{\"kid\":\"HCLAkPub\",\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\"" N256 N256 N256 "\"}]}", -E2BIG,
          "json-too-long" },
        { "{\"keys\":[" AK "],\"vm-configuration\":[]}", -EBADMSG, "json-type" },
        { "{\"keys\":[" AK "],\"vm-configuration\":{\"secure-boot\":1}}", -EBADMSG, "json-type" },
        { "{\"keys\":[" AK "],\"vm-configuration\":{\"current-time\":-1}}", -EBADMSG, "json-type" },
        { "{\"keys\":[" AK "],\"vm-configuration\":{\"current-time\":\"now\"}}", -EBADMSG, "json-type" },
        { "{\"keys\":[" AK "],\"vm-configuration\":{\"vmUniqueId\":{}}}", -EBADMSG, "json-type" },
        { "{\"keys\":[" AK "],\"vm-configuration\":{\"root-cert-thumbprint\":true}}", -EBADMSG, "json-type" },
        { "{\"keys\":[" AK "],\"vm-configuration\":{\"hardware-sealing-policy\":0}}", -EBADMSG, "json-type" },
        { "{\"keys\":[" AK "],\"user-data\":0}", -EBADMSG, "json-type" },
        { "{\"keys\":[" AK "],\"user-data\":\"\"}", -EBADMSG, "hcl-user-data" },
        { "{\"keys\":[" AK "],\"user-data\":\"00\"}", -EBADMSG, "hcl-user-data" },
        { "{\"keys\":[" AK "],\"user-data\":\"" N256 "\"}", -E2BIG, "json-too-long" },
        { "{\"keys\":[" AK "]}x", -EBADMSG, "json-syntax" },
};

START_TEST(malformed_claims_are_refused) {
        must_refuse(bad[_i].text, bad[_i].code, bad[_i].reason);
} END_TEST

START_TEST(claims_need_nothing_but_the_key) {
        static const char text[] = "{\"keys\":[" AK ",{\"kid\":\"HCLTransferKey\",\"kty\":\"oct\"}]}";
        Blob b = { .data = (uint8_t *) (uintptr_t) text, .size = sizeof(text) - 1 };
        VtpmHclClaims c = parse(&b);

        ck_assert_uint_eq(c.ak.modulus_size, 256);
        ck_assert(!c.has_user_data);
} END_TEST

START_TEST(texts_cannot_write_to_a_terminal) {
        static const char text[] = "{\"keys\":[" AK "],\"vm-configuration\":"
                                   "{\"vmUniqueId\":\"a\\u001b[2J\\nb\\u00e9\"}}";
        Blob b = { .data = (uint8_t *) (uintptr_t) text, .size = strlen(text) };
        VtpmHclClaims c = parse(&b);

        ck_assert_str_eq(c.vm_id, "a?[2J?b??");
}
END_TEST

START_TEST(too_many_keys_are_refused) {
        char text[1024] = "{\"keys\":[{\"kid\":\"x\"}";

        for (int i = 0; i < 16; i++)
                (void) strcat(text, ",{\"kid\":\"x\"}");
        (void) strcat(text, "]}");
        must_refuse(text, -E2BIG, "json-too-long");
} END_TEST

START_TEST(every_truncation_is_refused) {
        SimHclClaims in = { .ak = ak, .ek = ek, .user_data = user_data };
        AUTO_BLOB Blob b = claims_of(&in);
        VtpmHclClaims c;

        for (size_t n = 0; n < b.size; n++)
                ck_assert_int_eq(vtpm_hcl_claims_parse(b.data, n, &c, NULL), -EBADMSG);
} END_TEST

START_TEST(public_area_of_the_key_is_the_paravisors) {
        SimHclClaims in = { .ak = ak };
        AUTO_BLOB Blob b = claims_of(&in), pub = {};
        VtpmHclClaims c = parse(&b);
        VtpmPublic p;

        ck_assert_int_eq(vtpm_hcl_claims_ak(&c, &pub), 0);
        ck_assert_uint_eq(pub.size, 2 + 2 + 4 + 2 + 2 + 4 + 2 + 4 + 2 + 256);
        ck_assert_int_eq(vtpm_public_parse(pub.data, pub.size, &p, NULL), 0);
        ck_assert_uint_eq(p.attributes, 0x00050472);
        ck_assert_uint_eq(p.scheme, VTPM_ALG_RSASSA);
        ck_assert_uint_eq(p.scheme_hash, VTPM_ALG_SHA256);
        ck_assert_uint_eq(p.rsa_bits, 2048);
        ck_assert_uint_eq(p.rsa_exponent, 0);
        ck_assert_mem_eq(p.modulus, ak, sizeof(ak));
} END_TEST

/* 000B, SHA-256(4000000B, 000B, SHA-256(TPMT_PUBLIC)): done here by hand once more. */
START_TEST(signer_of_a_quote_is_compared) {
        SimHclClaims in = { .ak = ak };
        AUTO_BLOB Blob b = claims_of(&in), pub = {};
        VtpmHclClaims c = parse(&b);
        uint8_t name[38] = { 0x40, 0, 0, 0x0b, 0, 0x0b };
        VtpmAttest attest = { .signer = { 0, 0x0b }, .signer_size = 34 };
        Error e = {};

        ck_assert_int_eq(vtpm_hcl_claims_ak(&c, &pub), 0);
        ck_assert_int_eq(vtpm_hash_bytes(VTPM_ALG_SHA256, pub.data, pub.size, name + 6, NULL), 0);
        ck_assert_int_eq(vtpm_hash_bytes(VTPM_ALG_SHA256, name, sizeof(name), attest.signer + 2, NULL), 0);
        ck_assert_int_eq(vtpm_hcl_claims_check_signer(&c, &attest, &e), 0);
        attest.signer_size--;
        ck_assert_int_eq(vtpm_hcl_claims_check_signer(&c, &attest, &e), -EKEYREJECTED);
        ck_assert_str_eq(e.reason, "hcl-signer");
        attest.signer_size++;
        attest.signer[33] ^= 1;
        ck_assert_int_eq(vtpm_hcl_claims_check_signer(&c, &attest, NULL), -EKEYREJECTED);
} END_TEST

START_TEST(names_are_those_of_the_claims) {
        ck_assert_str_eq(vtpm_hcl_switch_name(VTPM_HCL_SECURE_BOOT), "secure-boot");
        ck_assert_str_eq(vtpm_hcl_switch_name(VTPM_HCL_FILTERED_VPCI_DEVICES), "filtered-vpci-devices-allowed");
        ck_assert_str_eq(vtpm_hcl_flag_name(VTPM_HCL_YES), "yes");
        ck_assert_str_eq(vtpm_hcl_flag_name(VTPM_HCL_NO), "no");
        ck_assert_str_eq(vtpm_hcl_flag_name(VTPM_HCL_UNSAID), "unsaid");
} END_TEST

static Suite *suite(void) {
        Suite *s = suite_create("hcl-claims");
        TCase *tc = tcase_create("parse");

        tcase_add_checked_fixture(tc, setup, NULL);
        tcase_add_test(tc, claims_of_todays_firmware_are_read);
        tcase_add_test(tc, claims_of_old_firmware_are_read);
        tcase_add_test(tc, everything_named_in_the_configuration_is_read);
        tcase_add_loop_test(tc, user_data_are_compared_as_bytes_and_whole, 0, 2);
        tcase_add_loop_test(tc, malformed_claims_are_refused, 0, N_ELEMENTS(bad));
        tcase_add_test(tc, claims_need_nothing_but_the_key);
        tcase_add_test(tc, texts_cannot_write_to_a_terminal);
        tcase_add_test(tc, too_many_keys_are_refused);
        tcase_add_test(tc, every_truncation_is_refused);
        tcase_add_test(tc, public_area_of_the_key_is_the_paravisors);
        tcase_add_test(tc, signer_of_a_quote_is_compared);
        tcase_add_test(tc, names_are_those_of_the_claims);
        suite_add_tcase(s, tc);
        return s;
}

int main(void) {
        return unit_run(suite());
}
