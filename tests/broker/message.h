/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The two messages a guest sends (KBS protocol 0.4.0, messages Request and Attestation), and what the digest in
 * its report must be. Written without a look at keybroker-client/, so that the two check each other.
 */

#include <json-c/json_object.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "tests/broker/teekey.h"

#define BROKER_PROTOCOL_VERSION "0.4.0"
#define BROKER_REPORT_DATA_SIZE 64
#define BROKER_NONCE_TEXT_MAX 128
#define BROKER_INIT_DATA_MAX (256u * 1024u)
#define BROKER_ADDITIONAL_MAX (64u * 1024u)

typedef struct BrokerRequest {
        char version[32];
        char tee[24];
} BrokerRequest;

/* Unknown members are ignored, extra-params may hold anything but must be there; an unknown TEE is -EOPNOTSUPP. */
WARN_UNUSED int broker_request_parse(const void *text, size_t size, BrokerRequest *ret, Error *e);

/* A semantic version that matches "=0.4.0": no pre-release, build metadata without meaning. */
bool broker_version_is_accepted(const char *version);

typedef struct BrokerAttestation {
        json_object *document; /* owned; what follows is borrowed from it */
        const char *init_data_format, *init_data_body; /* both NULL without init-data */
        const char *nonce;
        BrokerTeeKey key;
        json_object *evidence;
        const char *additional_evidence;
} BrokerAttestation;

WARN_UNUSED int broker_attestation_parse(const void *text, size_t size, BrokerAttestation *ret, Error *e);
void broker_attestation_done(BrokerAttestation *a);
#define AUTO_BROKER_ATTESTATION CLEANUP(broker_attestation_done)

/* JSON text over which the digest goes: RFC 8785, from the typed key. NUL-terminated heap string in *ret. */
WARN_UNUSED int broker_runtime_text(const BrokerAttestation *a, char **ret);

/* Digest of that text by OpenSSL's @hash, zero-padded. 0, -ENOMEM or -EOPNOTSUPP. */
WARN_UNUSED int broker_report_data(const BrokerAttestation *a, const char *hash,
                                   uint8_t ret[static BROKER_REPORT_DATA_SIZE], Error *e);

/* The same, unpadded; its size in @ret_size. */
WARN_UNUSED int broker_challenge(const BrokerAttestation *a, const char *hash,
                                 uint8_t ret[static BROKER_REPORT_DATA_SIZE], size_t *ret_size, Error *e);

/**
 * broker_init_data_digest() - what HOST_DATA must be for this init-data
 *
 * The document names its own algorithm (sha256, sha384, sha512); the digest over its bytes is cut or
 * zero-padded to 32 bytes.
 *
 * Return: 0; -EBADMSG format, or no algorithm in it.
 */
WARN_UNUSED int broker_init_data_digest(const BrokerAttestation *a, uint8_t ret[static 32], Error *e);
