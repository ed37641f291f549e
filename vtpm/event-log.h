/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The firmware's log of what it extended into PCRs, as the kernel hands it out: an iterator over the bytes,
 * without memory of its own. Crypto-agile logs and the SHA-1 logs of TPM 1.2 times alike. All of it is a claim
 * of whoever wrote it, until replaying its digests (vtpm/event-log-replay.h) gives PCR values that a quote vouches
 * for; and then still only the digests are proven, not what the data says (vtpm/event-data.h).
 *
 * Source: TCG PC Client Platform Firmware Profile, "Event Logging": TCG_PCClientPCREvent, TCG_PCR_EVENT2 and
 * TCG_EfiSpecIDEvent. All numbers are little-endian.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/reader.h"
#include "vtpm/alg.h"

#define VTPM_EVENT_LOG_MAX (16u << 20) /* bytes; firmware reserves 64 KiB to 1 MiB */
#define VTPM_EVENT_ALGS_MAX 16u        /* banks, as HASH_COUNT in the TPM 2.0 Library */
#define VTPM_ALG_SM3_256 0x0012        /* named by logs; no bank we can recompute */

/* Where an event that is extended may go; EV_NO_ACTION may carry any number. */
#define VTPM_EVENT_PCR_MAX 23u

typedef enum VtpmEventType {
        VTPM_EV_PREBOOT_CERT = 0x00,
        VTPM_EV_POST_CODE = 0x01,
        VTPM_EV_NO_ACTION = 0x03, /* never extended */
        VTPM_EV_SEPARATOR = 0x04,
        VTPM_EV_ACTION = 0x05,
        VTPM_EV_EVENT_TAG = 0x06,
        VTPM_EV_S_CRTM_CONTENTS = 0x07,
        VTPM_EV_S_CRTM_VERSION = 0x08,
        VTPM_EV_CPU_MICROCODE = 0x09,
        VTPM_EV_PLATFORM_CONFIG_FLAGS = 0x0a,
        VTPM_EV_TABLE_OF_DEVICES = 0x0b,
        VTPM_EV_COMPACT_HASH = 0x0c,
        VTPM_EV_IPL = 0x0d,
        VTPM_EV_IPL_PARTITION_DATA = 0x0e,
        VTPM_EV_NONHOST_CODE = 0x0f,
        VTPM_EV_NONHOST_CONFIG = 0x10,
        VTPM_EV_NONHOST_INFO = 0x11,
        VTPM_EV_OMIT_BOOT_DEVICE_EVENTS = 0x12,
} VtpmEventType;

/* The others; beyond what an enumerator of a signed type may hold. */
#define VTPM_EV_EFI_VARIABLE_DRIVER_CONFIG UINT32_C(0x80000001)
#define VTPM_EV_EFI_VARIABLE_BOOT UINT32_C(0x80000002)
#define VTPM_EV_EFI_BOOT_SERVICES_APPLICATION UINT32_C(0x80000003)
#define VTPM_EV_EFI_BOOT_SERVICES_DRIVER UINT32_C(0x80000004)
#define VTPM_EV_EFI_RUNTIME_SERVICES_DRIVER UINT32_C(0x80000005)
#define VTPM_EV_EFI_GPT_EVENT UINT32_C(0x80000006)
#define VTPM_EV_EFI_ACTION UINT32_C(0x80000007)
#define VTPM_EV_EFI_PLATFORM_FIRMWARE_BLOB UINT32_C(0x80000008)
#define VTPM_EV_EFI_HANDOFF_TABLES UINT32_C(0x80000009)
#define VTPM_EV_EFI_PLATFORM_FIRMWARE_BLOB2 UINT32_C(0x8000000a)
#define VTPM_EV_EFI_HANDOFF_TABLES2 UINT32_C(0x8000000b)
#define VTPM_EV_EFI_VARIABLE_BOOT2 UINT32_C(0x8000000c)
#define VTPM_EV_EFI_HCRTM_EVENT UINT32_C(0x80000010)
#define VTPM_EV_EFI_VARIABLE_AUTHORITY UINT32_C(0x800000e0)

typedef struct VtpmEventDigest {
        uint16_t hash;
        uint16_t size;
        const uint8_t *bytes; /* borrowed from the log */
} VtpmEventDigest;

typedef struct VtpmEvent {
        size_t number; /* from 0, which is the Spec ID event of a crypto-agile log */
        size_t offset; /* in the log */
        uint32_t pcr;  /* or CC measurement register */
        uint32_t type; /* VTPM_EV_*, or anything */
        size_t n_digests;
        VtpmEventDigest digests[VTPM_EVENT_ALGS_MAX]; /* no algorithm twice */
        const uint8_t *data;                          /* borrowed from the log */
        size_t size;
} VtpmEvent;

/* A bank the log speaks of. */
typedef struct VtpmEventAlg {
        uint16_t hash; /* VTPM_ALG_*, or one we do not know */
        uint16_t size; /* of its digests, 1 to VTPM_DIGEST_MAX */
} VtpmEventAlg;

/* Plain data: a copy iterates on its own. */
typedef struct VtpmEventLog {
        Reader reader;   /* borrows the log; stands at the next event */
        size_t n_events; /* handed out so far */
        bool agile;      /* else a SHA-1 log, and the four members below are 0 */
        uint8_t spec_major, spec_minor, spec_errata;
        uint32_t platform_class; /* 0 client, 1 server */
        size_t n_algs;
        VtpmEventAlg algs[VTPM_EVENT_ALGS_MAX];
} VtpmEventLog;

/**
 * vtpm_event_log_open() - begin to read a log
 * @data:  borrowed as long as the log or an event of it is in use
 *
 * A log whose first event is no Spec ID event is a SHA-1 log. Only this first event is looked at.
 *
 * Return: 0; -EBADMSG empty, or the first event is truncated or malformed; -E2BIG beyond VTPM_EVENT_LOG_MAX.
 */
WARN_UNUSED int vtpm_event_log_open(const void *data, size_t size, VtpmEventLog *ret, Error *e);

/**
 * vtpm_event_log_next() - the next event, the Spec ID event included
 *
 * The log ends at the end of its bytes, or where only bytes of 0xff follow, with which logs of confidential
 * computing (ACPI table CCEL) are filled up.
 *
 * Return: 1 and the event; 0 at the end, @ret untouched; -EBADMSG the event is truncated or malformed, and so is
 * every later answer.
 */
WARN_UNUSED int vtpm_event_log_next(VtpmEventLog *log, VtpmEvent *ret, Error *e);

/* Back to the first event. */
void vtpm_event_log_rewind(VtpmEventLog *log);

bool vtpm_event_log_has_bank(const VtpmEventLog *log, uint16_t hash);

/* The digest for that bank, or NULL. */
const VtpmEventDigest *vtpm_event_digest(const VtpmEvent *event, uint16_t hash);

/* "EV_SEPARATOR"; NULL for a type that we do not know. */
const char *vtpm_event_type_name(uint32_t type);
