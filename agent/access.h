/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The one access policy, for every door. Default deny: an answer is "allow" only where a rule of the
 * configuration says so and everything the peer sent agrees with that rule. Zero-initialised memory denies.
 */

#include "agent/config/config.h"
#include "agent/peer.h"
#include "agent/wire/bodies.h"
#include "base/error.h"

typedef enum AccessOutcome {
        ACCESS_DENY = 0,
        ACCESS_ALLOW = 1,
} AccessOutcome;

typedef struct AccessDecision {
        AccessOutcome outcome;
        const char *rule;     /* name of the rule that was looked at, borrowed from the configuration; NULL: none */
        const char *resource; /* what to fetch, borrowed from the configuration; NULL unless allowed */
        Error why;            /* when denied: -EPERM, or -EBADMSG when the request makes no sense */
} AccessDecision;

/* A volume's key: for root, for a configured volume, and only if token and cipher are as they should be. */
AccessDecision access_volume(const Config *config, const Peer *peer, const WireVolumeRequest *request);

/* A resource by name: for the users and units of its [Secret] rule. */
AccessDecision access_resource(const Config *config, const Peer *peer, const char *path);

/*
 * A report over bytes of the peer's choice: for root and EvidenceUser=. Not for everyone, because with such a
 * report its owner can attest to the broker in the guest's name, past every rule above.
 */
AccessDecision access_evidence(const Config *config, const Peer *peer);

/* A fresh handshake: for root. */
AccessDecision access_attest(const Peer *peer);
