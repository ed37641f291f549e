/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What the AMD secure processor and the host produce: an ATTESTATION_REPORT (publication 56860, table of
 * that name) signed by a VCEK or VLEK, and the certificate table of the extended request (56421). Written
 * as offsets from those tables, sharing nothing with snp/.
 */

#include <openssl/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/blob.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "tests/simulator/pki.h"
#include "tests/simulator/product.h"

#define SIM_REPORT_SIZE 1184
#define SIM_REPORT_DATA_SIZE 64

typedef enum SimSigner {
        SIM_SIGNER_VCEK = 0, /* SIGNING_KEY */
        SIM_SIGNER_VLEK = 1,
        SIM_SIGNER_NONE = 7, /* MASK_CHIP_KEY is set too and the signature is zero */
} SimSigner;

typedef struct SimReport {
        uint32_t version; /* 2, 3, 4 or 5 */
        uint32_t guest_svn;
        uint64_t policy;
        uint8_t family_id[16], image_id[16];
        uint32_t vmpl;
        uint32_t signature_algo;
        SimTcb current, reported, committed, launch;
        uint64_t platform_info;
        bool author_key_en;
        SimSigner signer;
        uint8_t report_data[SIM_REPORT_DATA_SIZE];
        uint8_t measurement[48];
        uint8_t host_data[32];
        uint8_t id_key_digest[48], author_key_digest[48];
        uint8_t report_id[32], report_id_ma[32];
        uint8_t cpuid_family, cpuid_model, cpuid_stepping; /* zero in version 2 reports, whatever stands here */
        uint8_t chip_id[SIM_CHIP_ID_SIZE];                 /* all zero: masked */
        uint8_t current_version[3], committed_version[3];  /* major, minor, build */
        uint64_t launch_mit_vector, current_mit_vector;    /* zero before version 5, whatever stands here */
} SimReport;

/* A version 5 report of an ordinary guest on the chip of @pki. */
SimReport sim_report_defaults(const SimPki *pki);

/* Unsigned bytes; @product decides the TCB layout. */
void sim_report_encode(const SimReport *report, SimProduct product, uint8_t ret[static SIM_REPORT_SIZE]);

/* ECDSA P-384 with SHA-384 over the first 2A0h bytes, R and S little-endian in 72 bytes each. */
WARN_UNUSED int sim_report_sign(uint8_t report[static SIM_REPORT_SIZE], EVP_PKEY *vek, Error *e);

/* Both, with the key of @pki that report->signer names. -ENOENT when there is none. */
WARN_UNUSED int sim_report_make(const SimReport *report, const SimPki *pki, uint8_t ret[static SIM_REPORT_SIZE],
                                Error *e);

/* GUIDs of the certificate table, in textual order. */
typedef enum SimGuid {
        SIM_GUID_VCEK,
        SIM_GUID_VLEK,
        SIM_GUID_ASK, /* ASVK too */
        SIM_GUID_ARK,
        SIM_GUID_CRL,
        SIM_N_GUIDS,
} SimGuid;
extern const uint8_t sim_guids[SIM_N_GUIDS][16];

typedef struct SimTableEntry {
        const uint8_t *guid;
        const void *data;
        size_t size;
} SimTableEntry;

/* Entries, zero entry, certificates in order. Without trailing padding. */
WARN_UNUSED int sim_cert_table_make(const SimTableEntry *entries, size_t n, Blob *ret, Error *e);

/* The table of a host that knows all: VEK of @signer, its CA, ARK; only the VEK unless @with_cas. */
WARN_UNUSED int sim_cert_table_of(const SimPki *pki, SimSigner signer, bool with_cas, Blob *ret, Error *e);
