/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What an event says happened. Data of an event is what somebody wrote beside a digest: it may be believed only where
 * the digest is the hash of that very data, which vtpm_event_data_check() finds out, and never more than the digest is.
 *
 * Sources: TCG PC Client Platform Firmware Profile, "Event Logging", event types, UEFI_VARIABLE_DATA,
 * UEFI_IMAGE_LOAD_EVENT, UEFI_PLATFORM_FIRMWARE_BLOB(2), TCG_PCClientTaggedEvent; GRUB manual, "Measuring boot
 * components"; systemd, "TPM2 PCR Measurements Made by systemd"; UEFI specification, "Device Path Protocol".
 */

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "vtpm/event-log.h"

#define VTPM_EVENT_TEXT_MAX 512u /* of a description, with its NUL; longer ones are cut and end in "..." */

#define VTPM_EVENT_TAG_AAEL UINT32_C(0x4141454c) /* Confidential Containers' attestation agent */

/* The layout of an event's data; what does not have the layout of its type is VTPM_DATA_RAW. */
typedef enum VtpmEventDataKind {
        VTPM_DATA_RAW,
        VTPM_DATA_SIGNATURE, /* EV_NO_ACTION: value is its 16-byte signature, up to the first NUL */
        VTPM_DATA_LOCALITY,  /* number is the startup locality */
        VTPM_DATA_SEPARATOR, /* number: 0 or 0xffffffff; 1 tells of an error */
        VTPM_DATA_TEXT,      /* value is printable ASCII or UTF-8, without final NULs */
        VTPM_DATA_TEXT16,    /* value is UTF-16LE, without final NUL; also the section names of systemd-stub */
        VTPM_DATA_GRUB,      /* name: "grub_cmd", "kernel_cmdline", "module_cmdline"; value: text without NULs */
        VTPM_DATA_VARIABLE,  /* guid; name: UTF-16LE; value: may be empty, when the variable is not set */
        VTPM_DATA_IMAGE,     /* number: address in memory; length: bytes there; value: device path */
        VTPM_DATA_BLOB,      /* number and length of firmware memory; name: ASCII, may be empty */
        VTPM_DATA_TAG,       /* number: id; value: data */
} VtpmEventDataKind;

typedef struct VtpmBytes {
        const uint8_t *data; /* borrowed from the log */
        size_t size;
} VtpmBytes;

/* Members that the kind does not speak of are zero. */
typedef struct VtpmEventData {
        VtpmEventDataKind kind;
        VtpmBytes name, value;
        uint64_t number, length;
        uint8_t guid[16]; /* as in memory: the first three numbers little-endian */
        size_t n_measured;
        VtpmBytes measured[2]; /* what digests of this type of event are of, the candidates; none: not in the log */
} VtpmEventData;

/* Never fails. @ret borrows from the log. */
void vtpm_event_data_parse(const VtpmEvent *event, VtpmEventData *ret);

typedef enum VtpmEventProof {
        VTPM_PROOF_NONE,    /* the digest is of something else, or of nobody knows what; the data is hearsay */
        VTPM_PROOF_MATCHES, /* the digest is that of the data */
        VTPM_PROOF_DIFFERS, /* it should be, and is not; old releases of shim do that to their "Shim" certificate */
} VtpmEventProof;

/**
 * vtpm_event_data_check() - is the digest for @hash that of the data?
 *
 * Return: 0; -ENOENT the event has no such digest; -EOPNOTSUPP unknown hash; -EIO.
 */
WARN_UNUSED int vtpm_event_data_check(const VtpmEvent *event, const VtpmEventData *data, uint16_t hash,
                                      VtpmEventProof *ret, Error *e);

/* "matches", "differs", "unknown" */
const char *vtpm_event_proof_name(VtpmEventProof proof);

/* A description of one line for people, of printable ASCII only; other characters are escaped as \xNN or \uNNNN. */
void vtpm_event_data_text(const VtpmEventData *data, char ret[static VTPM_EVENT_TEXT_MAX]);
