/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The machine behind the kernel interfaces: secure processor and host. It answers report requests as its
 * settings say, and fails as they say. Settings come from the command line and, while it runs, from a
 * control file that is read again before every act, so that a test can change the machine under running
 * daemons.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/blob.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "tests/simulator/pki.h"
#include "tests/simulator/report.h"

typedef enum SimCerts {
        SIM_CERTS_FULL, /* VEK, its CA, ARK */
        SIM_CERTS_VEK,  /* the VEK alone */
        SIM_CERTS_NONE,
        SIM_CERTS_GARBAGE, /* a table whose first entry points outside */
} SimCerts;

typedef enum SimFailure {
        SIM_FAIL_NONE,
        SIM_FAIL_ENXIO,   /* no provider: mkdir is refused */
        SIM_FAIL_BUSY,    /* attribute writes are refused with EBUSY (invisibly so for inblob) */
        SIM_FAIL_ERRNO,   /* reading a report fails with SimFail.arg */
        SIM_FAIL_SLOW,    /* a report takes SimFail.arg milliseconds longer */
        SIM_FAIL_WRONG_GENERATION,  /* somebody else wrote while the report was made */
        SIM_FAIL_WRONG_REPORT_DATA, /* the report is over somebody else's REPORT_DATA */
        SIM_FAIL_WRONG_VMPL,        /* the report names another VMPL than asked for */
        SIM_FAIL_ZERO_REPORT,       /* 1184 zero bytes */
        SIM_FAIL_EMPTY_REPORT,      /* no bytes */
        SIM_FAIL_TRUNCATED,         /* one byte short */
        SIM_FAIL_OVERSIZED,         /* more than 32 KiB */
        SIM_FAIL_BAD_SIGNATURE,     /* well-formed, but a bit of the measurement is not what was signed */
        SIM_FAIL_VMPL,              /* the report is for VMPL SimFail.arg, whatever was asked for */
        SIM_FAIL_OTHER_MANIFEST,    /* of an SVSM: the manifest is not the one that the report was made over */
        SIM_FAIL_TRUNCATED_MANIFEST, /* of an SVSM: one byte short */
        SIM_FAIL_VMM_ERROR,         /* the host fails with code SimFail.arg */
        SIM_FAIL_FW_ERROR,          /* the firmware fails with code SimFail.arg instead of answering */
        SIM_FAIL_STATUS,            /* the firmware answers with status SimFail.arg */
        SIM_FAIL_CERTS_LEN,         /* the host wants SimFail.arg bytes for its certificates */
} SimFailure;

typedef enum SimPoint {
        SIM_AT_MKDIR,
        SIM_AT_STORE,
        SIM_AT_REPORT,
} SimPoint;

#define SIM_FAIL_TEXT_MAX 64
#define SIM_PROVIDER_MAX 32
#define SIM_FILE_MAX 256

typedef struct SimSettings {
        SimReport report; /* template: REPORT_DATA and VMPL come with the request */
        char provider[SIM_PROVIDER_MAX]; /* "sev_guest" on machines of this kind */
        uint32_t vmpl_floor;
        SimCerts certs;
        bool mask_chip_id;
        bool old_kernel; /* before Linux 6.10: knows nothing of an SVSM */
        char vtpm_manifest[SIM_FILE_MAX], vtpm_manifest_v1[SIM_FILE_MAX]; /* files; empty: the SVSM has none */
        uint32_t uefi_flags;
        char fail[SIM_FAIL_TEXT_MAX]; /* MODE[:ARG][*TIMES] */
} SimSettings;

typedef struct SimFail {
        SimFailure kind;
        uint32_t arg;
        uint64_t times; /* how often it will strike yet */
} SimFail;

typedef struct SimPlatform {
        SimPki *pki;
        SimSettings base;    /* from the command line */
        SimSettings now;     /* with the control file applied */
        const char *control; /* path, borrowed; NULL: none */
        struct stat control_seen;
        uint64_t n_changes; /* of the control file */
        SimFail fail;
} SimPlatform;

/* @pki is taken over. */
void sim_platform_init(SimPlatform *p, SimPki *pki, const char *control);
void sim_platform_done(SimPlatform *p);

/* One setting by name, as on the command line and in the control file. 0 or -EINVAL. */
WARN_UNUSED int sim_settings_set(SimSettings *s, const SimPki *pki, const char *key, const char *value, Error *e);

/* Names of all settings with a word about each, for option tables and usage texts; NULL ends the list. */
typedef struct SimSettingInfo {
        const char *key, *help;
} SimSettingInfo;
const SimSettingInfo *sim_settings_list(void);

/* Arms what s->fail says: MODE[:ARG][*TIMES]. 0 or -EINVAL. */
WARN_UNUSED int sim_fail_parse(const char *text, SimFail *ret, Error *e);

/* Reads the control file again; a missing file is an empty one. A changed file arms its failure anew. */
WARN_UNUSED int sim_platform_refresh(SimPlatform *p, Error *e);

/* The failure that strikes at @point now, or SIM_FAIL_NONE; counts it. */
SimFail sim_platform_fail(SimPlatform *p, SimPoint point);

/**
 * sim_platform_report() - what the secure processor and the host answer
 * @fail: as sim_platform_fail(p, SIM_AT_REPORT) gave it
 *
 * Return: 0; the negative errno that the kernel's driver would give, which is -EINVAL for a VMPL below the
 * floor; -EIO with @e when the simulator itself failed.
 */
WARN_UNUSED int sim_platform_report(SimPlatform *p, const uint8_t report_data[static SIM_REPORT_DATA_SIZE],
                                    uint32_t vmpl, SimFail fail, Blob *ret_report, Blob *ret_table, Error *e);

/* The same as the SVSM gets it: VMPL 0, whatever the floor for the guest's kernel. */
WARN_UNUSED int sim_platform_report_vmpl0(SimPlatform *p, const uint8_t report_data[static SIM_REPORT_DATA_SIZE],
                                          SimFail fail, Blob *ret_report, Blob *ret_table, Error *e);

/* Whether the guest's kernel runs below an SVSM and can talk to it. */
bool sim_platform_has_svsm(const SimPlatform *p);
