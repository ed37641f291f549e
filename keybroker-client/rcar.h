/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The handshake of the key-broker protocol 0.4.0 (request, challenge, attestation, response), as a state machine that
 * does no I/O: answers go in, messages come out. One machine is one attempt; it has a key pair and a nonce of its own
 * and ends in a session or not at all.
 *
 *      state          event      does                                           next
 *      START          BEGIN      POST /auth                                     CHALLENGE
 *      CHALLENGE      REPLY      checks nonce and cookie, makes the report data EVIDENCE
 *      EVIDENCE       EVIDENCE   POST /attest                                   TOKEN
 *      TOKEN          REPLY      reads the token's lifetime, makes the session  DONE
 *      anything else, or a step that fails                                      FAILED
 */

#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "keybroker-client/client.h"
#include "keybroker-client/message.h"
#include "keybroker-client/problem.h"
#include "keybroker-client/report-data.h"
#include "keybroker-client/session.h"
#include "keybroker-client/token.h"

#define KBC_PROTOCOL_VERSION "0.4.0" /* servers ask for exactly this one */

/* Trustee's nonce has 44 characters (32 bytes in base64). It is text to us. */
#define KBC_NONCE_MIN 16
#define KBC_NONCE_MAX 256
#define KBC_CHALLENGE_MAX 4096u
/* Around a token: one member name and braces. */
#define KBC_RESPONSE_MAX (KBC_TOKEN_MAX + 4096u)
/* Trustee takes 2 MiB by default. */
#define KBC_ATTESTATION_MAX (2u * 1024u * 1024u)

typedef enum KbcRcarState {
        KBC_RCAR_START,
        KBC_RCAR_CHALLENGE,
        KBC_RCAR_EVIDENCE,
        KBC_RCAR_TOKEN,
        KBC_RCAR_DONE,
        KBC_RCAR_FAILED,
        KBC_RCAR_N_STATES,
} KbcRcarState;

typedef enum KbcRcarEvent {
        KBC_RCAR_ON_BEGIN,
        KBC_RCAR_ON_REPLY,
        KBC_RCAR_ON_EVIDENCE,
        KBC_RCAR_N_EVENTS,
} KbcRcarEvent;

typedef struct KbcRcarInput {
        const KbcReply *reply;       /* for REPLY */
        const KbcEvidence *evidence; /* for EVIDENCE; its JSON is from our own side and copied as it is */
        uint64_t now_usec;           /* monotonic; for REPLY */
} KbcRcarInput;

/* Filled as far as the step makes something. The caller owns it. */
typedef struct KbcRcarOutput {
        KbcMessage message;
        KbcReportData report_data;
        size_t report_data_size; /* 64 for "snp", else the size of the digest: az-snp-vtpm takes it without padding */
        KbcSession *session;
        KbcRemedy remedy; /* on failure */
} KbcRcarOutput;

void kbc_rcar_output_done(KbcRcarOutput *o);
#define AUTO_RCAR_OUTPUT CLEANUP(kbc_rcar_output_done)

typedef struct KbcRcar KbcRcar;

/* Makes the key pair. @tee: name of the TEE type, of [a-z0-9-]. */
WARN_UNUSED int kbc_rcar_new(const char *tee, KbcTeeAlg alg, KbcRcar **ret, Error *e);
void kbc_rcar_free(KbcRcar *m);
DEFINE_CLEANUP(KbcRcar *, kbc_rcar_free);

KbcRcarState kbc_rcar_state(const KbcRcar *m);
const char *kbc_rcar_state_name(KbcRcarState state);

/**
 * kbc_rcar_step() - one row of the table
 *
 * Return: 0; the codes of KbcDoneFn, after which the machine has failed for good and out->remedy tells what may help.
 */
WARN_UNUSED int kbc_rcar_step(KbcRcar *m, KbcRcarEvent event, const KbcRcarInput *in, KbcRcarOutput *out, Error *e);
