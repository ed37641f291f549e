/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Bundles of guests that never were: reports of the simulated chip, quotes signed by a key of OpenSSL's, an event log
 * made by hand that leads to the quoted values. Everything here fails the running test on error.
 */

#include "agent/bundle/bundle.h"
#include "tests/simulator/pki.h"
#include "tests/simulator/report.h"
#include "tests/unit/vtpm/soft.h"

#define FIXTURE_NONCE_SIZE 32

/* A report over the nonce, with its chain and the two lists of its hierarchy. */
Bundle fixture_bundle(const SimPki *pki);
/* The same of a report as a test wants it. */
Bundle fixture_bundle_of(const SimPki *pki, const SimReport *report);
/* The nonce as REPORT_DATA. */
void fixture_ask(SimReport *report);

/* A quote of PCRs 0 to 7 of two banks over the nonce, and the log that leads there. Nothing vouches for the key. */
void fixture_add_tpm(Bundle *b, const SoftAk *ak);
/* Signs the bundle's PCR values and nonce anew, after a test has changed them. */
void fixture_quote(Bundle *b, const SoftAk *ak);

/* As on Azure: @ak (RSA) in the runtime claims. */
Bundle fixture_azure(const SimPki *pki, const SoftAk *ak);
/* As under an SVSM: the manifest of version 1 has @ak, that of version 0 only another key. */
Bundle fixture_svsm(const SimPki *pki, const SoftAk *ak, uint32_t version);

/* An event log with Secure Boot on or off. */
Blob fixture_event_log(bool secure_boot);
/*
 * With Secure Boot off, of a system that extends PCR 7 with the words that would say "on", and calls firmware's own words
 * something else: types are not measured. Cut short: before firmware's separators.
 */
Blob fixture_forged_event_log(bool cut_short);
/* The bundle's values become those that its log leads to. */
void fixture_replay(Bundle *b);
