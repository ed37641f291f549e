/* SPDX-License-Identifier: Apache-2.0 */

/* `snpctl tpm quote`: PCR values that the TPM signs together with somebody's nonce. */

#include <errno.h>
#include <string.h>

#include "agent/snpctl/tpm-args.h"
#include "agent/snpctl/tpm-files.h"
#include "agent/snpctl/tpm-print.h"
#include "agent/snpctl/verbs.h"
#include "base/hex.h"
#include "base/json.h"
#include "vtpm/pcr-file.h"
#include "vtpm/pcr-text.h"
#include "vtpm/quote.h"

#define DEFAULT_PCRS "sha256:all"

typedef struct QuoteArgs {
        TpmArgs tpm;
        TpmFileArgs files;
        const char *nonce, *pcrs;
} QuoteArgs;

static const CtlOption options[] = {
        { "nonce", "HEX", "what the verifier wants to see in it, 1 to 64 bytes", CTL_TEXT, offsetof(QuoteArgs, nonce) },
        { "pcrs", "SELECTION", "sha256:0,1,7+sha384:all; by default " DEFAULT_PCRS, CTL_TEXT,
          offsetof(QuoteArgs, pcrs) },
        TPM_AK_OPTION(QuoteArgs, tpm),
        { "out", "DIR", "write all of the files below into this directory", CTL_TEXT, offsetof(QuoteArgs, files.dir) },
        TPM_FILE_OPTIONS(QuoteArgs, files),
        TPM_OPTIONS(QuoteArgs, tpm),
};

static int read_question(const QuoteArgs *args, Blob *nonce, VtpmPcrSelection *pcrs, Error *e) {
        Error why = {};

        if (!args->nonce)
                return ctl_usage(e, "--nonce HEX is missing");
        if (hex_decode(args->nonce, strlen(args->nonce), VTPM_NONCE_MAX, nonce) < 0 || nonce->size < VTPM_NONCE_MIN)
                return ctl_usage(e, "--nonce is not %u to %u bytes in hex", VTPM_NONCE_MIN, VTPM_NONCE_MAX);
        if (vtpm_pcr_selection_parse(args->pcrs ? args->pcrs : DEFAULT_PCRS, pcrs, &why) < 0)
                return ctl_usage(e, "--pcrs: %s", why.text);
        return 0;
}

static int write_files(const QuoteArgs *args, const VtpmQuote *quote, Error *e) {
        AUTO_BLOB Blob pcrs = {}, public = {};
        TpmFiles files;
        int r;

        r = vtpm_pcr_file_encode(quote->pcrs, quote->n_pcrs, &pcrs, e);
        if (r == 0)
                r = tpm_public_wrap(&quote->ak, &public, e);
        if (r < 0)
                return r;
        files = (TpmFiles){ .message = quote->attest, .signature = quote->signature, .pcrs = pcrs, .public = public };
        return tpm_files_write(&args->files, &files, e);
}

static int print_json(const VtpmQuote *quote, CtlOutput *out, Error *e) {
        AUTO_JSON json_object *o = json_object_new_object(), *pcrs = NULL;

        if (tpm_pcrs_to_json(quote->pcrs, quote->n_pcrs, &pcrs) < 0 ||
            json_add_hex(o, "message", quote->attest.data, quote->attest.size) < 0 ||
            json_add_hex(o, "signature", quote->signature.data, quote->signature.size) < 0 ||
            json_add_hex(o, "public", quote->ak.data, quote->ak.size) < 0 ||
            json_add_take(o, "pcrs", TAKE_PTR(pcrs)) < 0)
                return error_oom(e);
        return ctl_output_set_json(out, TAKE_PTR(o), e);
}

static int print_text(const VtpmQuote *quote, CtlOutput *out, Error *e) {
        char key[TPM_KEY_TEXT_MAX];
        VtpmAttest attest;
        int r = vtpm_attest_parse(quote->attest.data, quote->attest.size, &attest, e);

        if (r < 0)
                return r;
        tpm_key_text(&quote->ak, key);
        ctl_printf(out, "Key: %s\n", key);
        tpm_print_clock(&attest.clock, out);
        ctl_printf(out, "\n");
        tpm_print_pcrs(quote->pcrs, quote->n_pcrs, out);
        return 0;
}

static int run_quote(const CtlCall *call, CtlOutput *out, Error *e) {
        const QuoteArgs *args = call->args;
        AUTO_VTPM_QUOTE VtpmQuote quote = {};
        AUTO_FREE char *tcti = NULL;
        AUTO_BLOB Blob nonce = {};
        VtpmQuoteRequest q = {};
        int r;

        r = read_question(args, &nonce, &q.pcrs, e);
        if (r == 0)
                r = tpm_args_resolve(&args->tpm, &tcti, &q.ak, e);
        if (r < 0)
                return r;
        q.tcti = tcti;
        q.nonce = nonce.data;
        q.nonce_size = nonce.size;
        q.deadline = deadline_in(TPM_TIMEOUT_USEC);
        r = vtpm_quote_run(&q, &quote, e);
        if (r == 0)
                r = write_files(args, &quote, e);
        if (r < 0)
                return r;
        return out->want_json ? print_json(&quote, out, e) : print_text(&quote, out, e);
}

const CtlVerb ctl_verb_tpm_quote = {
        .name = "tpm quote",
        .summary = "Have the TPM sign PCR values and a nonce",
        .details = "\nThe files are those of tpm2-tools: tpm2_checkquote(1) takes them, and so does\n"
                   "snpctl tpm verify. With --out they are named " TPM_FILE_MESSAGE ", " TPM_FILE_SIGNATURE ",\n"
                   TPM_FILE_PCRS ", " TPM_FILE_PUBLIC " and " TPM_FILE_PEM ".\n",
        .options = { options, N_ELEMENTS(options) },
        .args_size = sizeof(QuoteArgs),
        .run = run_quote,
};
