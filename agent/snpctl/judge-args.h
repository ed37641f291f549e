/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The options that bring evidence to judge, the same for every verb that judges it offline. */

#include "agent/snpctl/args.h"
#include "agent/snpctl/judge.h"
#include "base/cleanup.h"
#include "base/error.h"

typedef struct JudgeArgs {
        const char *report, *certs, *vek, *crl;
        CtlTexts chain;
        const char *at, *data, *nonce, *request, *manifest, *trust_root;
} JudgeArgs;

/* Rows for a verb's table of options; @type is the struct of its arguments and @member the JudgeArgs in it. */
#define JUDGE_OPTIONS(type, member)                                                                                    \
        JUDGE_REPORT_OPTIONS(type, member),                                                                            \
        { "data", "HEX", "expected REPORT_DATA, zeros put behind", CTL_TEXT, offsetof(type, member.data) },            \
        { "nonce", "BASE64URL", "the same in base64url, as brokers have it", CTL_TEXT, offsetof(type, member.nonce) }, \
        { "request", "FILE", "the same from a request file of snpguest's", CTL_TEXT, offsetof(type, member.request) }, \
        { "manifest", "FILE", "the report is an SVSM's, of this manifest; those above are its nonce", CTL_TEXT,      \
          offsetof(type, member.manifest) }
/* Those for a verb that expects something else of REPORT_DATA than its user says. */
#define JUDGE_REPORT_OPTIONS(type, member)                                                                             \
        { "report", "FILE", "the report: raw (1184 bytes), or a form of go-sev-guest's or Azure's", CTL_TEXT,          \
          offsetof(type, member.report) },                                                                             \
        { "vek", "FILE", "the VCEK or VLEK certificate, DER or PEM", CTL_TEXT, offsetof(type, member.vek) },           \
        { "chain", "FILE", "ASK or ASVK, and ARK, DER or PEM", CTL_TEXTS, offsetof(type, member.chain) },              \
        { "certs", "PATH", "the host's certificate table or snpguest's directory, for what is left out", CTL_TEXT,     \
          offsetof(type, member.certs) },                                                                              \
        { "crl", "FILE", "the ARK's revocation list, DER or PEM; it must be current", CTL_TEXT,                        \
          offsetof(type, member.crl) },                                                                                \
        { "at", "TIME", "when the certificates must be valid: RFC 3339, or now (default)", CTL_TEXT,                   \
          offsetof(type, member.at) },                                                                                 \
        { "trust-root", "FILE", "trust this TEST ROOT instead of AMD's", CTL_TEXT, offsetof(type, member.trust_root) }

/**
 * judge_args_read() - what these options say and the files they name, into @in
 *
 * Leaves flags and product alone. Return: 0; -EINVAL with reason "usage"; else as file_read().
 */
WARN_UNUSED int judge_args_read(const JudgeArgs *args, JudgeInput *in, Error *e);

/* The same for a report that comes in other ways: leaves in->report alone, and needs no --report. */
WARN_UNUSED int judge_args_read_certs(const JudgeArgs *args, JudgeInput *in, Error *e);
