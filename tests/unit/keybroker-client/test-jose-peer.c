/* SPDX-License-Identifier: Apache-2.0 */

/* latchset's jose(1) as an independent peer: what it encrypts to our public key must open. */

#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "base/file.h"
#include "base/json.h"
#include "keybroker-client/jwe.h"
#include "tests/unit/unit.h"

/* The elliptic curves first: jose 11 built with OpenSSL 3, as in Debian 12, has no RSA-OAEP. */
static const KbcTeeAlg algs[] = {
        KBC_TEE_ALG_ECDH_P256, KBC_TEE_ALG_ECDH_P384,    KBC_TEE_ALG_ECDH_P521,
        KBC_TEE_ALG_RSA_OAEP,  KBC_TEE_ALG_RSA_OAEP_256,
};
#define N_CURVES 3

static const char plain[] = "sealed by somebody else";

static void run(char *const argv[]) {
        int status;
        pid_t pid;

        ck_assert_int_eq(posix_spawnp(&pid, argv[0], NULL, NULL, argv, environ), 0);
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert_int_eq(status, 0);
}

/* jose writes a protected header with everything in it only in compact form: five parts between dots. */
static char *compact_to_json(char *compact) {
        static const char *const names[] = { "protected", "encrypted_key", "iv", "ciphertext", "tag" };
        AUTO_JSON json_object *o = json_object_new_object();

        for (size_t i = 0; i < N_ELEMENTS(names); i++)
                ck_assert_int_eq(json_add_str(o, names[i], strtok_r(i == 0 ? compact : NULL, ".\n", &compact)), 0);
        return strdup(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN));
}

static char *seal(const KbcTeeKey *key, const char *dir) {
        AUTO_FREE char *template = NULL, *jwk_path = NULL, *plain_path = NULL, *out_path = NULL, *compact = NULL;
        AUTO_JSON json_object *jwk = NULL;
        const char *text;
        char jose[] = "jose", jwe[] = "jwe", enc[] = "enc", i[] = "-i", in[] = "-I", k[] = "-k", c[] = "-c", o[] = "-o";

        ck_assert_int_gt(asprintf(&template, "{\"protected\":{\"alg\":\"%s\",\"enc\":\"A256GCM\"}}",
                                  kbc_tee_key_alg_name(key)), 0);
        ck_assert_int_gt(asprintf(&jwk_path, "%s/jwk", dir), 0);
        ck_assert_int_gt(asprintf(&plain_path, "%s/plain", dir), 0);
        ck_assert_int_gt(asprintf(&out_path, "%s/out", dir), 0);
        ck_assert_int_eq(kbc_tee_key_to_jwk(key, &jwk, NULL), 0);
        text = json_object_to_json_string_ext(jwk, JSON_C_TO_STRING_PLAIN);
        ck_assert_int_eq(file_write_atomic(jwk_path, text, strlen(text), 0600, NULL), 0);
        ck_assert_int_eq(file_write_atomic(plain_path, plain, strlen(plain), 0600, NULL), 0);
        run((char *[]){ jose, jwe, enc, i, template, in, plain_path, k, jwk_path, c, o, out_path, NULL });
        ck_assert_int_eq(file_read_text(out_path, 65536, &compact, NULL), 0);
        (void) unlink(jwk_path);
        (void) unlink(plain_path);
        (void) unlink(out_path);
        return compact_to_json(compact);
}

START_TEST(what_jose_encrypts_opens) {
        CLEANUP(kbc_tee_key_freep) KbcTeeKey *key = NULL;
        char dir[] = "/tmp/kbc-jose-XXXXXX";
        AUTO_FREE char *text = NULL;
        AUTO_SECRET Secret s = {};
        Error e = {};

        ck_assert_ptr_nonnull(mkdtemp(dir));
        ck_assert_int_eq(kbc_tee_key_generate(algs[_i], &key, NULL), 0);
        text = seal(key, dir);
        (void) rmdir(dir);
        ck_assert_msg(kbc_jwe_open(text, strlen(text), key, &s, &e) == 0, "%s", e.text);
        ck_assert_uint_eq(s.len, strlen(plain));
        ck_assert_mem_eq(s.bytes, plain, strlen(plain));
}
END_TEST

int main(void) {
        Suite *s = suite_create("keybroker-client");
        TCase *t = tcase_create("jose-peer");

        if (system("command -v jose >/dev/null") != 0)
                return unit_skip("jose is not installed");
        tcase_add_loop_test(t, what_jose_encrypts_opens, 0,
                            system("jose alg | grep -qx RSA-OAEP-256") == 0 ? (int) N_ELEMENTS(algs) : N_CURVES);
        suite_add_tcase(s, t);
        return unit_run(s);
}
