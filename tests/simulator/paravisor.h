/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Azure's paravisor, as far as a guest sees it: a TPM (swtpm behind it) with an NV index that holds an SNP report and
 * claims, makes new ones when it is read from its beginning and two seconds have passed, and takes what the guest wrote
 * into another index along. swtpm cannot have an index of that size (libtpms: 2048 bytes), so this stands on the bus
 * in front of it and answers for the index itself. Source: openvmm, vm/devices/tpm/tpm_device/src/lib.rs.
 *
 * Time is the guest's doing: it passes by a step with each reading from the beginning, so that a test knows which
 * readings are answered from memory.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/blob.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "tests/simulator/pki.h"
#include "tests/simulator/report.h"

#define SIM_PARAVISOR_NV_REPORT 0x01400001u
#define SIM_PARAVISOR_NV_USER_DATA 0x01400002u
#define SIM_PARAVISOR_AK 0x81000003u
#define SIM_PARAVISOR_EK 0x81010001u
#define SIM_PARAVISOR_WINDOW_MSEC 2000u

typedef struct SimParavisorOptions {
        const char *swtpm;       /* socket of the TPM behind, with its directory */
        const SimPki *pki;       /* signs the reports; may be NULL with @recorded */
        const Blob *recorded;    /* serves this and makes nothing new */
        uint64_t step_msec;      /* that pass with each reading from the beginning */
        uint16_t size;           /* of the index; 0: 2600 */
        uint16_t chunk_max;      /* reads of more are refused, whatever TPM_PT_NV_BUFFER_MAX says; 0: 1024 */
        unsigned n_torn;         /* so many readings have somebody else's report put under them after the first part */
        uint32_t vmpl;           /* of the report */
        uint32_t report_type;    /* in the frame; 0: 2, SNP */
        bool absent;             /* no such index: no paravisor */
        bool unwritten;          /* an index without content */
        bool old_firmware;       /* no EK, no user data, another key_ops */
        bool upper_case;         /* hex digits of user data */
        bool foreign_ak;         /* the claims name a key that the TPM does not have */
        bool long_report_data;   /* REPORT_DATA holds more than the digest */
} SimParavisorOptions;

typedef struct SimParavisor {
        pid_t pid;
        char dir[64];
        char path[96];  /* the socket; a control channel is beside it */
        char tcti[128]; /* "swtpm:path=PATH" */
} SimParavisor;

/**
 * sim_paravisor_start() - boot: make the attestation key unless there is one, make a first report, serve
 *
 * The key is a primary key of the endorsement hierarchy at SIM_PARAVISOR_AK, as Azure's. Serves from a child process
 * that ends with this one at the latest. 0 or negative errno.
 */
WARN_UNUSED int sim_paravisor_start(const SimParavisorOptions *options, SimParavisor *ret, Error *e);
void sim_paravisor_stop(SimParavisor *p); /* idempotent */
