/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Evidence of TEE type "snp" as Trustee's verifier takes it: not the raw report but one JSON member per field of it,
 * byte strings as arrays of numbers (the serde form of the crate virtee/sev that the verifier is built on), and the
 * certificates that go with it.
 */

#include <stddef.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "keybroker-client/client.h"

typedef struct KbcSnpEvidence {
        const void *report; /* SNP_REPORT_SIZE bytes */
        size_t report_size;
        const void *cert_table; /* as the host gave it; size 0 when it gave none */
        size_t cert_table_size;
        const void *vcek; /* DER from a cache or AMD's key service, used when the table has none; may be NULL */
        size_t vcek_size;
} KbcSnpEvidence;

/*
 * What an unmodified Trustee will refuse although the evidence is in order. It hides its reasons from us, so they are
 * told here, before it is asked. Warnings and not errors, because another broker may decide otherwise.
 */
#define KBC_EVIDENCE_WARN_VERSION (1u << 0)     /* report version 2 */
#define KBC_EVIDENCE_WARN_VMPL (1u << 1)        /* not VMPL 0: below an SVSM or a paravisor */
#define KBC_EVIDENCE_WARN_VLEK (1u << 2)        /* signed by a VLEK whose certificate the host did not give */
#define KBC_EVIDENCE_WARN_UNSIGNED (1u << 3)    /* the host has switched signing off */
#define KBC_EVIDENCE_WARN_MITIGATION (1u << 4)  /* version 4 with bytes where only version 5 has a JSON member */
#define KBC_EVIDENCE_WARN_TABLE (1u << 5)       /* the host's certificate table is malformed and was left out */
#define KBC_EVIDENCE_N_WARNINGS 6

/* A sentence for the one bit @warning. */
const char *kbc_evidence_warning_text(unsigned warning);

/**
 * kbc_evidence_snp() - build the primary evidence
 * @ret_warnings: KBC_EVIDENCE_WARN_* bits; may be NULL
 *
 * The list of certificates holds the one that signed the report (VCEK or VLEK, as the report says: the verifier takes
 * the first it finds), then ASK and ARK if the host gave them. Without the first there is no list at all but null: the
 * verifier then fetches a VCEK itself, whereas it refuses a list that has none.
 *
 * Return: 0; what snp_report_parse() returns; -E2BIG; -ENOMEM.
 */
WARN_UNUSED int kbc_evidence_snp(const KbcSnpEvidence *in, KbcEvidence *ret, unsigned *ret_warnings, Error *e);
