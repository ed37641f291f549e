/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * snp-attesterd: evidence from the devices, for snp-agentd alone. One request at a time, blocking, because
 * device and TPM commands block and nothing else has to be done meanwhile. Started by its socket, gone
 * after some idle time. It has no network, and holds a secret only while the TPM seals or opens it, or
 * the firmware derives it, for the caller.
 */

#include <sys/socket.h>

#include "agent/config/config.h"
#include "agent/daemon/listen.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "snp/device.h"

/* How long a caller may take to send its request and to take its answer; it is a program of ours. */
#define ATTESTER_PEER_USEC (2 * USEC_PER_SEC)

typedef struct Attester {
        const Config *config; /* borrowed */
        DaemonListener listener;
        uid_t socket_owner; /* of the socket's file: whom the unit lets in with SocketUser= */
        int signals;        /* signalfd of SIGTERM and SIGINT */
        SnpDevice *device;  /* NULL until first needed, and again after it failed */
        SnpThrottle throttle; /* of all devices, since it is one platform behind them */
        struct ucred caller; /* of the request that is being served */
        uint64_t n_requests;
} Attester;

/* @socket: instead of the configured path; may be NULL. Blocks SIGTERM and SIGINT. *@ret is undefined on failure. */
WARN_UNUSED int attester_init(const Config *config, const char *socket, Attester *ret, Error *e);
void attester_done(Attester *a);

/* Serves until it is told to stop or nobody comes. 0 or negative errno. */
WARN_UNUSED int attester_run(Attester *a, Error *e);
