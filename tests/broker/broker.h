/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A reference key broker for tests: the server side of the KBS protocol 0.4.0 (confidential-containers/trustee) for
 * SNP guests, over TLS, with our own verifier behind it, a policy file and failures on demand. It refuses as
 * Trustee does, which tells the guest nearly nothing; its journal tells the tester everything.
 */

#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"

typedef struct Broker Broker;

#define BROKER_CHAINS_MAX 4

typedef struct BrokerConfig {
        const char *listen;                    /* NULL: 127.0.0.1:0 */
        const char *cert_file, *key_file;      /* PEM, of the TLS server */
        const char *trust_root;                /* test root(s) for evidence; NULL: AMD's and no other */
        const char *chains[BROKER_CHAINS_MAX]; /* PEM certificates that go with any evidence; NULLs at the end */
        const char *vek_dir;                   /* NULL: no store */
        const char *resources;                 /* directory of repository/type/tag files */
        const char *policy;                    /* read again at every attestation and resource */
        const char *control;                   /* mischief.h; NULL: none */
        const char *log;                       /* NULL: standard error */
        uint64_t session_seconds;              /* from /auth on */
        uint64_t token_seconds;
} BrokerConfig;

/* Strings are copied. */
WARN_UNUSED int broker_start(const BrokerConfig *config, Broker **ret, Error *e);
/* Finishes what is under way and frees everything. */
void broker_stop(Broker *broker);
DEFINE_CLEANUP(Broker *, broker_stop);

uint16_t broker_port(const Broker *broker);
