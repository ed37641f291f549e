/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Keys made for a test, in the forms in which people keep them. */

#include <openssl/evp.h>

#include "base/secret.h"
#include "snp/cert.h"

typedef enum KeyForm {
        KEY_PKCS8_PEM,
        KEY_SEC1_PEM,
        KEY_PKCS8_DER,
        KEY_SEC1_DER,
        KEY_ENCRYPTED_PEM,
        KEY_PUBLIC_PEM,
        KEY_PUBLIC_DER,
        KEY_N_FORMS,
} KeyForm;

EVP_PKEY *key_make(const char *curve); /* "P-384" */
Secret key_file(EVP_PKEY *key, KeyForm form);
