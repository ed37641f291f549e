/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/snpctl/certs-args.h"

#include "base/blob.h"
#include "base/file.h"

#define TRUST_ROOT_SIZE_MAX (64u * 1024u) /* as the agent's TestRoot= */

int certs_args_trust(const CertsArgs *args, SnpTrust **ret, Error *e) {
        AUTO_BLOB Blob pem = {};
        int r;

        if (!args->trust_root)
                return snp_trust_new_amd(ret, e);
        r = file_read(args->trust_root, TRUST_ROOT_SIZE_MAX, &pem, e);
        if (r == 0)
                r = snp_trust_new_test(pem.data, pem.size, ret, e);
        if (r < 0)
                error_prefix(e, "--trust-root");
        return r;
}

int certs_args_cache(const CertsArgs *args, SnpCache **ret, Error *e) {
        return snp_cache_open(args->cache ? args->cache : CERTS_CACHE, ret, e);
}

const char *certs_trust_name(const SnpTrust *trust) {
        return snp_trust_is_test(trust) ? "TEST ROOT" : "AMD";
}

void certs_print_trust(const SnpTrust *trust, CtlOutput *out) {
        ctl_printf(out, "Trust: %s%s\n", certs_trust_name(trust),
                   snp_trust_is_test(trust) ? " (given by --trust-root: says nothing about AMD hardware)" : "");
}
