/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A broker with everything around it in a private directory, for tests and benchmarks: TLS certificates, a trust
 * root, a policy, resources, a control file, a log. The broker runs in this process on a port of the kernel's choice.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "tests/broker/broker.h"
#include "tests/broker/proxy.h"
#include "tests/simulator/pki.h"

#define FIXTURE_RESOURCE "default/disk/root"
#define FIXTURE_SECRET "a passphrase that only the broker and the guest know"
#define FIXTURE_PATH_MAX 512

typedef struct BrokerFixture {
        char dir[64]; /* "" until made */
        char url[64];
        char ca_file[FIXTURE_PATH_MAX];
        Broker *broker; /* owned */
        pid_t janitor;  /* removes the directory when this process ends without fixture_done() */
        int janitor_fd; /* held open as long as it need not */
} BrokerFixture;

/**
 * fixture_open() - make the directory, and start a broker for guests of @pki
 *
 * The policy allows the measurement of sim_report_defaults() and the resources default/... except default/denied/...;
 * FIXTURE_RESOURCE holds FIXTURE_SECRET, default/disk/empty nothing.
 */
WARN_UNUSED int fixture_open(const SimPki *pki, BrokerFixture *ret, Error *e);
/* Stops the broker and removes the directory, which also goes when a test ends in any other way. */
void fixture_done(BrokerFixture *f);
#define AUTO_FIXTURE CLEANUP(fixture_done)

/* Path of a file of the fixture: "tls/ca.pem", "log", "policy", "control", "resources/...", "store/vcek/...". */
void fixture_path(const BrokerFixture *f, const char *name, char ret[static FIXTURE_PATH_MAX]);
/* Replaces a file, whole or not at all; makes the directories to it. */
WARN_UNUSED int fixture_write(const BrokerFixture *f, const char *name, const void *data, size_t size, Error *e);
WARN_UNUSED int fixture_write_text(const BrokerFixture *f, const char *name, const char *text, Error *e);

typedef struct FixtureOptions {
        const char *identity; /* of the TLS server: "server", "expired", ...; NULL: "server" */
        bool amd_trust;       /* AMD's roots in place of the fixture's */
        uint64_t session_seconds, token_seconds;
} FixtureOptions;
#define FIXTURE_DEFAULTS ((FixtureOptions){ .session_seconds = 300, .token_seconds = 300 })
/* Stops the broker and starts it anew, with another port and no memory. */
WARN_UNUSED int fixture_restart(BrokerFixture *f, const FixtureOptions *options, Error *e);

/* A proxy to this broker, with its log in "proxy-log". */
WARN_UNUSED int fixture_start_proxy(const BrokerFixture *f, ProxyMode mode, Proxy **ret, Error *e);

/* How many lines of @log ("log" or "proxy-log") hold all of @a and, unless NULL, @b; an absent log has none. */
size_t fixture_count_log(const BrokerFixture *f, const char *log, const char *a, const char *b);
