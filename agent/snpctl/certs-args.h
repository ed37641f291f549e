/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What the verbs about certificates share: where they are kept, and whom to believe. */

#include "agent/snpctl/args.h"
#include "agent/snpctl/output.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "snp/collateral-cache.h"
#include "snp/verify.h"

#define CERTS_CACHE "/var/lib/snp-agent/collateral" /* as Cache= of the agent's configuration */

typedef struct CertsArgs {
        const char *cache, *trust_root;
} CertsArgs;

/* Rows for a verb's table of options; @type is the struct of its arguments and @member the CertsArgs in it. */
#define CERTS_OPTIONS(type, member)                                                                                    \
        { "cache", "DIR", "where certificates are kept (" CERTS_CACHE ")", CTL_TEXT, offsetof(type, member.cache) },   \
        { "trust-root", "FILE", "trust this TEST ROOT instead of AMD's", CTL_TEXT, offsetof(type, member.trust_root) }

WARN_UNUSED int certs_args_trust(const CertsArgs *args, SnpTrust **ret, Error *e);
WARN_UNUSED int certs_args_cache(const CertsArgs *args, SnpCache **ret, Error *e);

const char *certs_trust_name(const SnpTrust *trust); /* "AMD" or "TEST ROOT" */
void certs_print_trust(const SnpTrust *trust, CtlOutput *out);
