/* SPDX-License-Identifier: Apache-2.0 */
#include <tss2/tss2_tpm2_types.h>

#include "vtpm/alg.h"

/* TCG Algorithm Registry, table "TPM_ALG_ID" */
static const struct {
        uint16_t alg;
        const char *name;
} names[] = {
        { TPM2_ALG_RSA, "rsa" },
        { TPM2_ALG_TDES, "tdes" },
        { TPM2_ALG_SHA1, "sha1" },
        { TPM2_ALG_HMAC, "hmac" },
        { TPM2_ALG_AES, "aes" },
        { TPM2_ALG_MGF1, "mgf1" },
        { TPM2_ALG_KEYEDHASH, "keyedhash" },
        { TPM2_ALG_XOR, "xor" },
        { TPM2_ALG_SHA256, "sha256" },
        { TPM2_ALG_SHA384, "sha384" },
        { TPM2_ALG_SHA512, "sha512" },
        { TPM2_ALG_NULL, "null" },
        { TPM2_ALG_SM3_256, "sm3_256" },
        { TPM2_ALG_SM4, "sm4" },
        { TPM2_ALG_RSASSA, "rsassa" },
        { TPM2_ALG_RSAES, "rsaes" },
        { TPM2_ALG_RSAPSS, "rsapss" },
        { TPM2_ALG_OAEP, "oaep" },
        { TPM2_ALG_ECDSA, "ecdsa" },
        { TPM2_ALG_ECDH, "ecdh" },
        { TPM2_ALG_ECDAA, "ecdaa" },
        { TPM2_ALG_SM2, "sm2" },
        { TPM2_ALG_ECSCHNORR, "ecschnorr" },
        { TPM2_ALG_ECMQV, "ecmqv" },
        { TPM2_ALG_KDF1_SP800_56A, "kdf1_sp800_56a" },
        { TPM2_ALG_KDF2, "kdf2" },
        { TPM2_ALG_KDF1_SP800_108, "kdf1_sp800_108" },
        { TPM2_ALG_ECC, "ecc" },
        { TPM2_ALG_SYMCIPHER, "symcipher" },
        { TPM2_ALG_CAMELLIA, "camellia" },
        { TPM2_ALG_SHA3_256, "sha3_256" },
        { TPM2_ALG_SHA3_384, "sha3_384" },
        { TPM2_ALG_SHA3_512, "sha3_512" },
        { TPM2_ALG_CMAC, "cmac" },
        { TPM2_ALG_CTR, "ctr" },
        { TPM2_ALG_OFB, "ofb" },
        { TPM2_ALG_CBC, "cbc" },
        { TPM2_ALG_CFB, "cfb" },
        { TPM2_ALG_ECB, "ecb" },
};

const char *vtpm_alg_name(uint16_t alg) {
        for (size_t i = 0; i < N_ELEMENTS(names); i++)
                if (names[i].alg == alg)
                        return names[i].name;
        return NULL;
}
