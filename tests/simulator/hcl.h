/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What Azure's paravisor writes into NV index 0x01400001: runtime claims, and the frame that holds them together with
 * the hardware report. Written from openvmm's definitions and recorded reports, sharing nothing with vtpm/.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/blob.h"
#include "base/cleanup.h"

#define SIM_HCL_MODULUS_SIZE 256u
#define SIM_HCL_USER_DATA_SIZE 64u
#define SIM_HCL_SLOT_SIZE 1184u

typedef struct SimHclClaims {
        const uint8_t *ak; /* RSA-2048 moduli */
        const uint8_t *ek; /* NULL: firmware that does not tell it */
        const uint8_t *user_data; /* NULL: firmware that takes none */
        bool upper_case;          /* its hex digits */
        const char *ak_key_ops;   /* NULL: "sign"; old firmware says "encrypt" */
        const char *configuration; /* JSON object; NULL: an ordinary one */
} SimHclClaims;

/* The JSON text, as compact as the paravisor writes it. 0 or -ENOMEM. */
WARN_UNUSED int sim_hcl_claims(const SimHclClaims *claims, Blob *ret);

typedef struct SimHclFrame {
        uint32_t version;   /* of the header; 0: 2 */
        uint32_t type;      /* 0: 2, SNP */
        uint32_t hash_type; /* 0: 1, SHA-256 */
        const void *report; /* at most SIM_HCL_SLOT_SIZE bytes */
        size_t report_size;
        const void *claims;
        size_t claims_size;
        size_t size; /* of the whole, filled up with zeros; 0: as long as it is */
} SimHclFrame;

/* 0; -E2BIG when it does not fit into @size; -ENOMEM. */
WARN_UNUSED int sim_hcl_frame(const SimHclFrame *frame, Blob *ret);
