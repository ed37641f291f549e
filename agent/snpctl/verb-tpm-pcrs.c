/* SPDX-License-Identifier: Apache-2.0 */

/* `snpctl tpm pcrs`: the values of all PCRs in all banks that the TPM keeps, of one moment. */

#include <errno.h>

#include "agent/snpctl/tpm-args.h"
#include "agent/snpctl/tpm-print.h"
#include "agent/snpctl/verbs.h"
#include "base/json.h"
#include "vtpm/pcr-text.h"
#include "vtpm/pcr.h"

typedef struct PcrsArgs {
        TpmArgs tpm;
        const char *pcrs;
} PcrsArgs;

static const CtlOption options[] = {
        { "pcrs", "SELECTION", "only these: sha256:0,1,7+sha384:all", CTL_TEXT, offsetof(PcrsArgs, pcrs) },
        TPM_OPTIONS(PcrsArgs, tpm),
};

/* All banks that can be told by name: others have digests of a size that we do not know. */
static int all_banks(VtpmContext *ctx, VtpmPcrSelection *ret, Error *e) {
        VtpmPcrSelection banks;
        int r = vtpm_pcr_banks(ctx, &banks, e);

        if (r < 0)
                return r;
        *ret = (VtpmPcrSelection){};
        for (size_t i = 0; i < banks.n_banks; i++)
                if (vtpm_hash_size(banks.banks[i].hash) > 0)
                        ret->banks[ret->n_banks++] = banks.banks[i];
        return 0;
}

static int run_pcrs(const CtlCall *call, CtlOutput *out, Error *e) {
        const PcrsArgs *args = call->args;
        CLEANUP(vtpm_context_freep) VtpmContext *ctx = NULL;
        VtpmPcrValues pcrs[VTPM_HASHES_MAX];
        VtpmPcrSelection selection;
        json_object *o = NULL;
        Error why = {};
        int r;

        if (args->pcrs && vtpm_pcr_selection_parse(args->pcrs, &selection, &why) < 0)
                return ctl_usage(e, "--pcrs: %s", why.text);
        r = tpm_args_open(&args->tpm, &ctx, e);
        if (r == 0 && !args->pcrs)
                r = all_banks(ctx, &selection, e);
        if (r == 0)
                r = vtpm_pcr_read_selection(ctx, &selection, pcrs, e);
        if (r < 0)
                return r;
        if (!out->want_json) {
                tpm_print_pcrs(pcrs, selection.n_banks, out);
                return 0;
        }
        return tpm_pcrs_to_json(pcrs, selection.n_banks, &o) < 0 ? error_oom(e) : ctl_output_set_json(out, o, e);
}

const CtlVerb ctl_verb_tpm_pcrs = {
        .name = "tpm pcrs",
        .summary = "Show the PCRs of the TPM, all banks",
        .details = "\nWhat a TPM says without signing it is no evidence: see snpctl tpm quote.\n",
        .options = { options, N_ELEMENTS(options) },
        .args_size = sizeof(PcrsArgs),
        .run = run_pcrs,
};
