/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A whole guest in miniature: simulated platform, real TPM, reference broker, both daemons of ours. Every
 * function fails the running test when it does not work.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/blob.h"
#include "tests/broker/fixture.h"
#include "tests/integration/daemon.h"
#include "tests/integration/swtpm.h"
#include "tests/simulator/harness.h"

#define MACHINE_UUID "1ab0b1c4-0d4a-4a3f-9f3e-0f7f5f9f2b11"
#define MACHINE_TOKEN "{\"type\":\"snp-agent\",\"keyslots\":[\"0\"],\"v\":1,\"resource\":\"" FIXTURE_RESOURCE "\"}"
#define MACHINE_STRANGER 12345 /* a user of whom no rule knows, unless a test says so */

typedef struct Machine {
        char dir[64];
        char attester_socket[96], agent_socket[96], rest_socket[96];
        BrokerFixture broker;
        Daemon attester, agent;
} Machine;

/* NULL when all of this can run here, else why it cannot. */
const char *machine_unusable(void);

/* Platform, TPM and hierarchy, once for the whole suite: from main(), so that they outlive each test's process. */
void machine_platform_start(void);
/* @status: of the suite, which is returned unless stopping fails. */
int machine_platform_stop(int status);
/* Control file of the platform: "fail=..." */
void machine_platform_control(const char *text);
/* Stands for /sys/kernel/config/tsm/report. */
const char *machine_tsm_path(void);
/* An authentic report of the platform, raw. */
void machine_write_report(const char *path);
/* The platform's certificates as a TestRoot= file. */
const char *machine_test_root(void);

/*
 * Broker, attester and agent with the usual configuration: volume "root" (MACHINE_UUID) with FIXTURE_RESOURCE, and
 * the secrets that machine_configure() lists. @more: a drop-in that is read after it.
 */
void machine_start(Machine *m, const char *more);
void machine_stop(Machine *m);
/* Writes the configuration anew, with another drop-in. */
void machine_configure(const Machine *m, const char *more);
/* Failures of the broker, see tests/broker/mischief.h. */
void machine_broker_control(const Machine *m, const char *text);
void machine_broker_put(const Machine *m, const char *resource, const char *text);

typedef struct Reply {
        long status; /* 0: no answer */
        Blob body;
        char *headers; /* owned */
} Reply;
void reply_done(Reply *r);
#define AUTO_REPLY CLEANUP(reply_done)

typedef struct Call {
        const char *method;  /* NULL: GET */
        const char *body;    /* NULL: none */
        long timeout_msec;   /* 0: 30 s; when it passes the client hangs up */
} Call;

/* One HTTP request over the REST socket; @call may be NULL. */
Reply machine_rest(const Machine *m, const char *target, const Call *call);
/* As user MACHINE_STRANGER. Only the status. */
long machine_rest_as_stranger(const Machine *m, const char *target);
/* "reason" of a problem, or "" */
const char *reply_reason(const Reply *r, char buf[static 64]);
