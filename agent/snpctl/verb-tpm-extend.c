/* SPDX-License-Identifier: Apache-2.0 */

/* `snpctl tpm extend`: what happened, once and for all until the TPM is reset. */

#include <errno.h>

#include "agent/snpctl/tpm-args.h"
#include "agent/snpctl/tpm-print.h"
#include "agent/snpctl/verbs.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "vtpm/pcr-extend.h"
#include "vtpm/pcr-text.h"
#include "vtpm/pcr.h"

#define DATA_MAX (64u << 20)

/* Anybody may reset these (PC Client Platform TPM Profile, "PCR Attributes"): debug, application. */
#define RESETTABLE (1u << 16 | 1u << 23)

typedef struct ExtendArgs {
        TpmArgs tpm;
        CtlTexts digests;
        const char *data;
        bool yes;
} ExtendArgs;

static const CtlOption options[] = {
        { "digest", "BANK:HEX", "extend this bank with this digest", CTL_TEXTS, offsetof(ExtendArgs, digests) },
        { "data", "FILE", "extend every bank with its digest of this file", CTL_TEXT, offsetof(ExtendArgs, data) },
        { "yes", NULL, "also a PCR that only a reboot resets: all but 16 and 23", CTL_FLAG, offsetof(ExtendArgs, yes) },
        TPM_OPTIONS(ExtendArgs, tpm),
};

typedef struct Extension {
        unsigned pcr;
        size_t n;
        VtpmPcrDigest digests[VTPM_HASHES_MAX];
} Extension;

static int read_digests(const CtlTexts *texts, Extension *x, Error *e) {
        for (x->n = 0; x->n < texts->n; x->n++) {
                Error why = {};

                if (x->n == VTPM_HASHES_MAX)
                        return ctl_usage(e, "--digest: at most one for each of %u banks", VTPM_HASHES_MAX);
                if (vtpm_pcr_digest_parse(texts->items[x->n], &x->digests[x->n], &why) < 0)
                        return ctl_usage(e, "--digest: %s", why.text);
                for (size_t i = 0; i < x->n; i++)
                        if (x->digests[i].hash == x->digests[x->n].hash)
                                return ctl_usage(e, "--digest: two for bank %s", vtpm_hash_name(x->digests[i].hash));
        }
        return 0;
}

static int read_args(const CtlCall *call, Extension *x, Error *e) {
        const ExtendArgs *args = call->args;
        uint64_t pcr;

        if (text_to_u64(call->operands[0], 10, 0, VTPM_N_PCRS - 1, &pcr) < 0)
                return ctl_usage(e, "'%.20s' is no PCR from 0 to %u", call->operands[0], VTPM_N_PCRS - 1);
        x->pcr = (unsigned) pcr;
        if ((args->digests.n > 0) == (args->data != NULL))
                return ctl_usage(e, "either --digest BANK:HEX or --data FILE is needed");
        if (!args->yes && !(RESETTABLE >> pcr & 1))
                return ctl_usage(e, "nothing but a reboot will undo it: repeat with --yes to extend PCR %u", x->pcr);
        return read_digests(&args->digests, x, e);
}

/* Read before the TPM is touched. */
static int digest_data(VtpmContext *ctx, const Blob *data, Extension *x, Error *e) {
        VtpmPcrSelection banks;
        int r = vtpm_pcr_banks(ctx, &banks, e);

        return r < 0 ? r : vtpm_pcr_digests(&banks, x->pcr, data->data, data->size, x->digests, &x->n, e);
}

/* The new values, of the banks that were extended. */
static int print(VtpmContext *ctx, const Extension *x, CtlOutput *out, Error *e) {
        VtpmPcrSelection selection = { .n_banks = x->n };
        VtpmPcrValues pcrs[VTPM_HASHES_MAX];
        json_object *o = NULL;
        int r;

        for (size_t i = 0; i < x->n; i++)
                selection.banks[i] = (VtpmPcrBank){ .hash = x->digests[i].hash, .mask = 1u << x->pcr };
        r = vtpm_pcr_read_selection(ctx, &selection, pcrs, e);
        if (r < 0)
                return r;
        if (!out->want_json) {
                tpm_print_pcrs(pcrs, x->n, out);
                return 0;
        }
        return tpm_pcrs_to_json(pcrs, x->n, &o) < 0 ? error_oom(e) : ctl_output_set_json(out, o, e);
}

static int run_extend(const CtlCall *call, CtlOutput *out, Error *e) {
        const ExtendArgs *args = call->args;
        CLEANUP(vtpm_context_freep) VtpmContext *ctx = NULL;
        AUTO_BLOB Blob data = {};
        Extension x = {};
        int r;

        r = read_args(call, &x, e);
        if (r == 0 && args->data)
                r = file_read(args->data, DATA_MAX, &data, e);
        if (r == 0)
                r = tpm_args_open(&args->tpm, &ctx, e);
        if (r == 0 && args->data)
                r = digest_data(ctx, &data, &x, e);
        if (r == 0)
                r = vtpm_pcr_extend(ctx, x.pcr, x.digests, x.n, e);
        return r < 0 ? r : print(ctx, &x, out, e);
}

const CtlVerb ctl_verb_tpm_extend = {
        .name = "tpm extend",
        .operands = "PCR",
        .n_operands = 1,
        .summary = "Extend a PCR by a digest or a file",
        .details = "\nBanks without a --digest keep their value, so that anything can still be put there: with\n"
                   "--data no bank is left out. Nothing asks back; --yes is the consent, and PCRs 16 and 23,\n"
                   "which can be reset, do not need it. Prints the new values.\n",
        .options = { options, N_ELEMENTS(options) },
        .args_size = sizeof(ExtendArgs),
        .run = run_extend,
};
