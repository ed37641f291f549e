/* SPDX-License-Identifier: Apache-2.0 */
#include "vtpm/hcl-claims.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/base64.h"
#include "base/hex.h"
#include "base/json.h"
#include "base/reader.h"
#include "base/writer.h"

#define KEYS_MAX 16u
#define NAME_MAX_HERE 64u /* of texts that are only compared */
#define MODULUS_TEXT_MAX 700u /* 512 bytes in base64url */
#define MODULUS_MIN 256u
#define EXPONENT_SIZE_MAX 4u
#define EXPONENT_DEFAULT 65537u /* TPM 2.0 Library Part 2, "TPMS_RSA_PARMS": 0 stands for it */

#define RH_ENDORSEMENT 0x4000000bu /* TPM 2.0 Library Part 2, "TPM_RH" */
#define SHA256_NAME_SIZE 34u

/* 0x00050472 */
#define AK_ATTRIBUTES                                                                                                  \
        (VTPM_OBJECT_FIXED_TPM | VTPM_OBJECT_FIXED_PARENT | VTPM_OBJECT_SENSITIVE_DATA_ORIGIN |                        \
         VTPM_OBJECT_USER_WITH_AUTH | VTPM_OBJECT_NO_DA | VTPM_OBJECT_RESTRICTED | VTPM_OBJECT_SIGN)

static const char *const switch_names[VTPM_HCL_N_SWITCHES] = {
        [VTPM_HCL_SECURE_BOOT] = "secure-boot",
        [VTPM_HCL_TPM_ENABLED] = "tpm-enabled",
        [VTPM_HCL_TPM_PERSISTED] = "tpm-persisted",
        [VTPM_HCL_CONSOLE] = "console-enabled",
        [VTPM_HCL_INTERACTIVE_CONSOLE] = "interactive-console-enabled",
        [VTPM_HCL_FILTERED_VPCI_DEVICES] = "filtered-vpci-devices-allowed",
};

const char *vtpm_hcl_switch_name(VtpmHclSwitch which) {
        return switch_names[which];
}

const char *vtpm_hcl_flag_name(VtpmHclFlag flag) {
        return flag == VTPM_HCL_YES ? "yes" : flag == VTPM_HCL_NO ? "no" : "unsaid";
}

static int parse_modulus(json_object *jwk, const char *kid, VtpmHclKey *to, Error *e) {
        const char *text = NULL;
        int r;

        r = json_get_str(jwk, "n", MODULUS_TEXT_MAX, &text, e);
        if (r < 0)
                return r;
        r = base64_decode_to(BASE64_URL, text, strlen(text), to->modulus, sizeof(to->modulus), &to->modulus_size);
        if (r < 0)
                return error_set(e, r, "hcl-key", "the modulus of %s is not base64url of at most %u bytes",
                                 kid, VTPM_RSA_SIZE_MAX);
        if (to->modulus_size < MODULUS_MIN || to->modulus[0] == 0)
                return error_set(e, -EBADMSG, "hcl-key", "%s is shorter than %u bits or begins with a zero",
                                 kid, 8 * MODULUS_MIN);
        return 0;
}

static int parse_exponent(json_object *jwk, const char *kid, VtpmHclKey *to, Error *e) {
        uint8_t bytes[EXPONENT_SIZE_MAX];
        const char *text = NULL;
        size_t n = 0;
        int r;

        r = json_get_str(jwk, "e", NAME_MAX_HERE, &text, e);
        if (r < 0)
                return r;
        r = base64_decode_to(BASE64_URL, text, strlen(text), bytes, sizeof(bytes), &n);
        if (r < 0 || n == 0 || bytes[0] == 0)
                return error_set(e, -EBADMSG, "hcl-key", "the exponent of %s is malformed", kid);
        for (size_t i = 0; i < n; i++)
                to->exponent = to->exponent << 8 | bytes[i];
        return 0;
}

static int parse_jwk(json_object *jwk, const char *kid, VtpmHclKey *to, Error *e) {
        VtpmHclKey key = {};
        const char *kty = NULL;
        int r;

        if (to->modulus_size > 0)
                return error_set(e, -EBADMSG, "hcl-key", "two keys are called %s", kid);
        r = json_get_str(jwk, "kty", NAME_MAX_HERE, &kty, e);
        if (r < 0)
                return r;
        if (strcmp(kty, "RSA") != 0)
                return error_set(e, -EOPNOTSUPP, "hcl-key", "%s is a key of type '%s', not RSA", kid, kty);
        r = parse_modulus(jwk, kid, &key, e);
        if (r < 0)
                return r;
        r = parse_exponent(jwk, kid, &key, e);
        if (r < 0)
                return r;
        *to = key;
        return 0;
}

static int parse_keys(json_object *o, VtpmHclClaims *to, Error *e) {
        json_object *keys = NULL;
        int r;

        r = json_get_array(o, "keys", KEYS_MAX, &keys, e);
        if (r < 0)
                return r;
        for (size_t i = 0; i < json_object_array_length(keys); i++) {
                json_object *jwk = json_object_array_get_idx(keys, i);
                const char *kid = NULL;

                r = json_get_str(jwk, "kid", NAME_MAX_HERE, &kid, e);
                if (r == 0 && strcmp(kid, "HCLAkPub") == 0)
                        r = parse_jwk(jwk, kid, &to->ak, e);
                else if (r == 0 && strcmp(kid, "HCLEkPub") == 0)
                        r = parse_jwk(jwk, kid, &to->ek, e);
                if (r < 0)
                        return r;
        }
        if (to->ak.modulus_size == 0)
                return error_set(e, -EBADMSG, "hcl-no-ak", "there is no key called HCLAkPub");
        return 0;
}

static int parse_text(json_object *o, const char *name, char to[static VTPM_HCL_TEXT_MAX + 1], Error *e) {
        const char *text = NULL;
        int r;

        r = json_get_opt_str(o, name, VTPM_HCL_TEXT_MAX, &text, e);
        if (r < 0 || !text)
                return r;
        (void) snprintf(to, VTPM_HCL_TEXT_MAX + 1, "%s", text);
        for (char *p = to; *p; p++)
                if (*p < 0x20 || *p > 0x7e)
                        *p = '?';
        return 0;
}

static bool is_there(json_object *o, const char *name) {
        json_object *v = NULL;

        return json_object_object_get_ex(o, name, &v) && v;
}

static int parse_configuration(json_object *o, VtpmHclClaims *to, Error *e) {
        json_object *c = NULL;
        int r;

        r = json_get_opt_obj(o, "vm-configuration", &c, e);
        if (r < 0 || !c)
                return r;
        for (size_t i = 0; i < VTPM_HCL_N_SWITCHES; i++) {
                bool yes = false;

                if (!is_there(c, switch_names[i]))
                        continue;
                r = json_get_bool(c, switch_names[i], &yes, e);
                if (r < 0)
                        return r;
                to->switches[i] = yes ? VTPM_HCL_YES : VTPM_HCL_NO;
        }
        if (is_there(c, "current-time")) {
                r = json_get_u64(c, "current-time", INT64_MAX, &to->time_sec, e);
                if (r < 0)
                        return r;
                to->has_time = true;
        }
        r = parse_text(c, "vmUniqueId", to->vm_id, e);
        if (r == 0)
                r = parse_text(c, "root-cert-thumbprint", to->root_cert_thumbprint, e);
        return r < 0 ? r : parse_text(c, "hardware-sealing-policy", to->sealing_policy, e);
}

static int parse_user_data(json_object *o, VtpmHclClaims *to, Error *e) {
        const char *text = NULL;
        int r;

        r = json_get_opt_str(o, "user-data", 2 * VTPM_HCL_USER_DATA_SIZE, &text, e);
        if (r < 0 || !text)
                return r;
        r = hex_decode_exact(text, strlen(text), to->user_data, sizeof(to->user_data));
        if (r < 0)
                return error_set(e, -EBADMSG, "hcl-user-data", "user data are not %u bytes in hex",
                                 VTPM_HCL_USER_DATA_SIZE);
        to->has_user_data = true;
        return 0;
}

int vtpm_hcl_claims_parse(const void *text, size_t size, VtpmHclClaims *ret, Error *e) {
        AUTO_JSON json_object *o = NULL;
        VtpmHclClaims claims = {};
        int r;

        r = json_parse(text, size, "HCL claims", &o, e);
        if (r < 0)
                return r;
        if (!json_object_is_type(o, json_type_object))
                return error_set(e, -EBADMSG, "json-type", "HCL claims are no JSON object");
        r = parse_keys(o, &claims, e);
        if (r == 0)
                r = parse_configuration(o, &claims, e);
        if (r == 0)
                r = parse_user_data(o, &claims, e);
        if (r < 0) {
                error_prefix(e, "HCL claims");
                return r;
        }
        *ret = claims;
        return 0;
}

bool vtpm_hcl_claims_say(const VtpmHclClaims *claims, const void *data, size_t size) {
        return claims->has_user_data && size <= sizeof(claims->user_data) &&
               memcmp(claims->user_data, data, size) == 0 &&
               bytes_are_zero(claims->user_data + size, sizeof(claims->user_data) - size);
}

int vtpm_hcl_claims_ak(const VtpmHclClaims *claims, Blob *ret_public) {
        VtpmPublic pub = {
                .type = VTPM_ALG_RSA,
                .name_alg = VTPM_ALG_SHA256,
                .attributes = AK_ATTRIBUTES,
                .symmetric = VTPM_ALG_NULL,
                .scheme = VTPM_ALG_RSASSA,
                .scheme_hash = VTPM_ALG_SHA256,
                .rsa_bits = (uint16_t) (8 * claims->ak.modulus_size),
                .rsa_exponent = claims->ak.exponent == EXPONENT_DEFAULT ? 0 : claims->ak.exponent,
                .modulus_size = claims->ak.modulus_size,
        };

        (void) memcpy(pub.modulus, claims->ak.modulus, claims->ak.modulus_size);
        return vtpm_public_encode(&pub, ret_public);
}

/* TPM name of @data: what it is hashed with, and its digest. */
static int name_of(const void *data, size_t size, uint8_t ret[static SHA256_NAME_SIZE], Error *e) {
        store_be16(ret, VTPM_ALG_SHA256);
        return vtpm_hash_bytes(VTPM_ALG_SHA256, data, size, ret + 2, e);
}

int vtpm_hcl_claims_check_signer(const VtpmHclClaims *claims, const VtpmAttest *attest, Error *e) {
        uint8_t name[4 + SHA256_NAME_SIZE], qualified[SHA256_NAME_SIZE];
        AUTO_BLOB Blob pub = {};
        int r;

        if (vtpm_hcl_claims_ak(claims, &pub) < 0)
                return error_oom(e);
        store_be32(name, RH_ENDORSEMENT);
        r = name_of(pub.data, pub.size, name + 4, e);
        if (r < 0)
                return r;
        r = name_of(name, sizeof(name), qualified, e);
        if (r < 0)
                return r;
        if (attest->signer_size != sizeof(qualified) || memcmp(attest->signer, qualified, sizeof(qualified)) != 0)
                return error_set(e, -EKEYREJECTED, "hcl-signer",
                                 "The quote names another key as its signer than HCLAkPub of the claims");
        return 0;
}
