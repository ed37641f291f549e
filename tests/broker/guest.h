/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A guest reduced to its requests: libcurl, a key pair and a report of the simulator, nothing of keybroker-client/.
 * It can say wrong things. Tests of the broker speak through it; the benchmark uses it as the bare minimum.
 */

#include <curl/curl.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/blob.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "tests/simulator/pki.h"
#include "tests/simulator/report.h"

typedef enum GuestAlg {
        GUEST_P256,
        GUEST_P384,
        GUEST_P521,
        GUEST_RSA_OAEP,
        GUEST_RSA_OAEP_256,
        GUEST_N_ALGS,
} GuestAlg;

typedef struct GuestAnswer {
        long status;
        CURLcode code; /* of the transfer; status and body are as far as it came */
        Blob body;
        char set_cookie[256], location[256], retry_after[32], content_type[64]; /* "" when absent */
} GuestAnswer;
void guest_answer_done(GuestAnswer *a);
#define AUTO_GUEST_ANSWER CLEANUP(guest_answer_done)

typedef struct Guest {
        CURL *curl; /* keeps its connection */
        char *url, *ca_file;
        EVP_PKEY *key;
        char *jwk;       /* the public part, as the broker canonicalises it */
        char cookie[64]; /* session id; "" for none */
        char nonce[64];  /* of the last challenge */
} Guest;

WARN_UNUSED int guest_open(const char *url, const char *ca_file, GuestAlg alg, Guest *ret, Error *e);
void guest_done(Guest *g);
#define AUTO_GUEST CLEANUP(guest_done)

/* One exchange; @body NULL for none. Sends the cookie if there is one, and @bearer unless NULL. */
void guest_request(Guest *g, const char *method, const char *path, const char *body, const char *bearer,
                   GuestAnswer *ret);

/* The body of POST /auth for TEE "snp". */
extern const char guest_auth_body[];
/* Cookie and nonce of a challenge; what is not there stays as it was. */
void guest_take_challenge(Guest *g, const GuestAnswer *answer);
/* Forgets the session, asks for another, and takes cookie and nonce from a 200. */
void guest_auth(Guest *g, GuestAnswer *ret);
/* SHA-384 of the runtime data, zero-padded. */
WARN_UNUSED int guest_report_data(const Guest *g, uint8_t ret[static SIM_REPORT_DATA_SIZE], Error *e);

/**
 * guest_attestation() - the message for POST /attest, heap string
 * @report:     1184 bytes
 * @pki:        source of the VCEK or VLEK in "cert_chain"; NULL for a null one
 */
WARN_UNUSED int guest_attestation(const Guest *g, const uint8_t report[static SIM_REPORT_SIZE], const SimPki *pki,
                                  char **ret, Error *e);
/* All of it: auth, a report as @report says but over the right data, attest. 0 or what went wrong before /attest. */
WARN_UNUSED int guest_handshake(Guest *g, const SimPki *pki, const SimReport *report, GuestAnswer *ret, Error *e);
