/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The other side of keybroker-client/jwe.h: what a broker does to a resource, with every part open to change. */

#include <json-c/json_object.h>
#include <openssl/evp.h>
#include <stddef.h>

typedef struct SealOptions {
        const char *alg;    /* NULL: RSA-OAEP-256 or ECDH-ES+A256KW, by the key */
        const char *enc;    /* written in the header only; NULL: A256GCM */
        const char *apu, *apv; /* base64url, NULL: absent */
        const char *aad;    /* base64url, NULL: absent */
        const char *extra;  /* more header members: ",\"name\":value" */
        const char *kdf_alg; /* AlgorithmID; NULL: alg */
        size_t cek_size;    /* 0: 32 */
} SealOptions;

/* Heap string with a JWE of @plain for the holder of @to; fails the test on any error. */
char *jwe_seal(EVP_PKEY *to, const void *plain, size_t size, const SealOptions *options);

/* The public key in @jwk, EC or RSA. */
EVP_PKEY *jwk_to_pkey(json_object *jwk);
EVP_PKEY *pem_to_pkey(const char *pem);
