/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Inside of agent/bundle/: the table of every key of section [TPM]. Parser, writer and explanation read it. */

#include "agent/bundle/tpm-policy.h"

#define TPM_PCR_KEY "Pcr" /* the number of a PCR follows */

typedef struct TpmKey {
        const char *name, *syntax, *example, *about;
        /* One word of the value; @pcr is that of a PcrN. 0, -EINVAL or -E2BIG. */
        int (*parse)(TpmPolicy *p, unsigned pcr, const char *word, Error *e);
        void (*print)(const TpmPolicy *p, unsigned pcr, size_t index, Writer *w);
        size_t (*count)(const TpmPolicy *p, unsigned pcr); /* values there are; NULL: always one */
} TpmKey;

extern const TpmKey tpm_keys[];
extern const size_t tpm_n_keys;
extern const TpmKey tpm_pcr_key; /* one for all PcrN */
