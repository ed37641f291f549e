/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/snpctl/tpm-args.h"

#include <string.h>

#include "agent/config/config.h"
#include "agent/snpctl/exit.h"

static VtpmAkSpec configured_ak(const ConfigTpm *tpm) {
        static const VtpmAkKind kinds[] = {
                [CONFIG_AK_RSA2048] = VTPM_AK_RSASSA,
                [CONFIG_AK_ECC_P256] = VTPM_AK_ECDSA_P256,
                [CONFIG_AK_ECC_P384] = VTPM_AK_ECDSA_P384,
                [CONFIG_AK_AZURE] = VTPM_AK_AZURE,
                [CONFIG_AK_GCP_RSA] = VTPM_AK_GCP_RSA,
                [CONFIG_AK_GCP_ECC] = VTPM_AK_GCP_ECC,
                [CONFIG_AK_AUTO] = VTPM_AK_AUTO,
                [CONFIG_AK_HANDLE] = VTPM_AK_PERSISTENT,
        };

        return (VtpmAkSpec){ .kind = kinds[tpm->ak], .handle = tpm->ak_handle };
}

static int copy_tcti(const char *tcti, char **ret, Error *e) {
        *ret = strdup(tcti);
        return *ret ? 0 : error_oom(e);
}

/* What the command line leaves open. @ret_ak may be NULL. */
static int read_config(const TpmArgs *args, char **ret_tcti, VtpmAkSpec *ret_ak, Error *e) {
        CLEANUP(config_freep) Config *config = NULL;
        const char *tcti;
        int r = config_load(args->config, &config, e);

        if (r < 0)
                return r;
        if (ret_ak && !args->ak)
                *ret_ak = configured_ak(&config->tpm);
        tcti = args->tcti ? args->tcti : config->tpm.tcti;
        return copy_tcti(tcti ? tcti : TPM_DEFAULT_TCTI, ret_tcti, e);
}

int tpm_args_resolve(const TpmArgs *args, char **ret_tcti, VtpmAkSpec *ret_ak, Error *e) {
        Error why = {};

        if (ret_ak && args->ak && vtpm_ak_spec_parse(args->ak, ret_ak, &why) < 0)
                return ctl_usage(e, "--ak: %s", why.text);
        if (args->tcti && (!ret_ak || args->ak))
                return copy_tcti(args->tcti, ret_tcti, e);
        return read_config(args, ret_tcti, ret_ak, e);
}

int tpm_args_open(const TpmArgs *args, VtpmContext **ret, Error *e) {
        AUTO_FREE char *tcti = NULL;
        int r = tpm_args_resolve(args, &tcti, NULL, e);

        return r < 0 ? r : vtpm_context_open(tcti, deadline_in(TPM_TIMEOUT_USEC), ret, e);
}
