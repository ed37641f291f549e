/* SPDX-License-Identifier: Apache-2.0 */

/*
 * `snpctl tpm verify`: is this quote by the TPM that holds this key, is it an answer to this nonce, and are these the
 * PCR values? Needs no TPM. Whether the TPM is the confidential machine's own is another question, answered beside it.
 */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "agent/snpctl/tpm-binding.h"
#include "agent/snpctl/tpm-files.h"
#include "agent/snpctl/tpm-print.h"
#include "agent/snpctl/verbs.h"
#include "base/file.h"
#include "base/hex.h"
#include "base/json.h"
#include "vtpm/event-log-replay.h"
#include "vtpm/pcr-file.h"
#include "vtpm/pcr-text.h"
#include "vtpm/verify.h"

typedef struct VerifyArgs {
        TpmFileArgs files;
        TpmBindingArgs binding;
        const char *nonce, *pcrs, *scheme, *event_log;
        bool require_bound;
} VerifyArgs;

#define AT(member) offsetof(VerifyArgs, member)
static const CtlOption options[] = {
        { "nonce", "HEX", "what the quote must answer, 1 to 64 bytes", CTL_TEXT, AT(nonce) },
        { "in", "DIR", "take the files below from here, named as tpm quote --out does", CTL_TEXT, AT(files.dir) },
        TPM_FILE_OPTIONS(VerifyArgs, files),
        { "scheme", "NAME", "what a key in PEM signs with: rsapss-sha256, ...", CTL_TEXT, AT(scheme) },
        { "pcrs", "SELECTION", "what the quote must cover; by default what the PCR file has", CTL_TEXT, AT(pcrs) },
        { "event-log", "FILE", "also say which of the PCRs this log explains", CTL_TEXT, AT(event_log) },
        { "require-bound", NULL, "also reject unless the TPM is known to be the machine's own", CTL_FLAG,
          AT(require_bound) },
        TPM_BINDING_OPTIONS(VerifyArgs, binding),
};

/* Before the checks of the library: can the key and the values be read at all? */
typedef enum Form {
        FORM_KEY,
        FORM_PCR_FILE,
        N_FORMS,
} Form;
static const char *const form_names[N_FORMS] = { [FORM_KEY] = "key", [FORM_PCR_FILE] = "pcr-file" };

typedef struct Verification {
        VtpmCheckResult forms[N_FORMS];
        VtpmVerdict verdict;
        Error why; /* of a rejection */
        VtpmAkPublic *ak;
        bool ak_checked; /* its file shows that it signs nothing but what its TPM made */
        size_t n_pcrs;
        VtpmPcrValues pcrs[VTPM_HASHES_MAX];
        bool has_log;
        uint32_t explained[VTPM_HASHES_MAX]; /* PCRs, per bank */
        TpmBindingVerdict binding;
        bool unbound_counts; /* --require-bound, and it is not */
} Verification;

static void verification_done(Verification *v) {
        vtpm_ak_public_freep(&v->ak);
}

/* ---- judging ---- */

static int read_nonce(const VerifyArgs *args, Blob *ret, Error *e) {
        if (!args->nonce)
                return ctl_usage(e, "--nonce HEX is missing: without one, any quote of the past would do");
        if (hex_decode(args->nonce, strlen(args->nonce), VTPM_NONCE_MAX, ret) < 0 || ret->size < VTPM_NONCE_MIN)
                return ctl_usage(e, "--nonce is not %u to %u bytes in hex", VTPM_NONCE_MIN, VTPM_NONCE_MAX);
        return 0;
}

/* True when @r says that the evidence is not good, rather than that it could not be looked at. */
static bool is_rejection(int r, const Error *why) {
        return r == -EBADMSG || r == -EPROTO || r == -E2BIG || r == -EKEYREJECTED || r == -ESTALE ||
               r == -EOPNOTSUPP || (r == -EINVAL && strcmp(error_reason(why, r), "usage") != 0);
}

static int read_forms(const VerifyArgs *args, const TpmFiles *files, Verification *v, Error *e) {
        int r = tpm_public_read(&files->public, args->scheme, &v->ak, &v->ak_checked, &v->why);

        v->forms[FORM_KEY] = r < 0 ? VTPM_CHECK_FAILED : VTPM_CHECK_OK;
        if (r < 0 && !is_rejection(r, &v->why))
                return error_set(e, r, error_reason(&v->why, r), "%s", error_text(&v->why, r));
        r = vtpm_pcr_file_parse(files->pcrs.data, files->pcrs.size, v->pcrs, &v->n_pcrs, &v->why);
        v->forms[FORM_PCR_FILE] = r < 0 ? VTPM_CHECK_FAILED : VTPM_CHECK_OK;
        return r < 0 && !is_rejection(r, &v->why) ? error_set(e, r, error_reason(&v->why, r), "%s", v->why.text) : 0;
}

static int read_selection(const VerifyArgs *args, const Verification *v, VtpmPcrSelection *ret, Error *e) {
        Error why = {};

        if (args->pcrs)
                return vtpm_pcr_selection_parse(args->pcrs, ret, &why) < 0 ? ctl_usage(e, "--pcrs: %s", why.text) : 0;
        ret->n_banks = v->n_pcrs;
        for (size_t i = 0; i < v->n_pcrs; i++)
                ret->banks[i] = (VtpmPcrBank){ .hash = v->pcrs[i].hash, .mask = v->pcrs[i].mask };
        return 0;
}

static int judge(const VerifyArgs *args, const TpmFiles *files, const Blob *nonce, Verification *v, Error *e) {
        const VtpmQuoteBytes quote = {
                .attest = files->message.data,
                .attest_size = files->message.size,
                .signature = files->signature.data,
                .signature_size = files->signature.size,
                .pcrs = v->pcrs,
                .n_pcrs = v->n_pcrs,
        };
        VtpmQuoteAsked asked = { .nonce = nonce->data, .nonce_size = nonce->size };
        int r = read_selection(args, v, &asked.pcrs, e);

        if (r < 0)
                return r;
        r = vtpm_quote_verify(v->ak, &quote, &asked, &v->verdict, &v->why);
        return r < 0 && !is_rejection(r, &v->why) ? error_set(e, r, error_reason(&v->why, r), "%s", v->why.text) : 0;
}

static int explain(const char *path, Verification *v, Error *e) {
        AUTO_BLOB Blob bytes = {};
        VtpmEventLog log;
        int r;

        r = file_read(path, VTPM_EVENT_LOG_MAX, &bytes, e);
        if (r == 0)
                r = vtpm_event_log_open(bytes.data, bytes.size, &log, e);
        for (size_t i = 0; i < v->n_pcrs && r == 0; i++) {
                VtpmPcrValues replayed;

                if (!vtpm_event_log_has_bank(&log, v->pcrs[i].hash))
                        continue;
                r = vtpm_event_log_replay(&log, v->pcrs[i].hash, &replayed, e);
                if (r == 0)
                        v->explained[i] = vtpm_event_log_explains(&replayed, &v->pcrs[i]);
        }
        if (r < 0)
                error_prefix(e, "%s", path);
        v->has_log = r == 0;
        return r;
}

static int bind_key(const VerifyArgs *args, const TpmFiles *files, const Blob *nonce, Verification *v, Error *e) {
        const Blob none = {}, tpmt = tpm_public_unwrap(&files->public);

        return tpm_binding_judge(&args->binding, v->ak_checked ? &tpmt : &none, nonce, &v->binding, e);
}

static int verify(const VerifyArgs *args, Verification *v, Error *e) {
        AUTO_TPM_FILES TpmFiles files = {};
        AUTO_BLOB Blob nonce = {};
        int r;

        r = read_nonce(args, &nonce, e);
        if (r == 0)
                r = tpm_files_read(&args->files, &files, e);
        if (r == 0)
                r = read_forms(args, &files, v, e);
        if (r < 0)
                return r;
        if (v->forms[FORM_KEY] == VTPM_CHECK_OK && v->forms[FORM_PCR_FILE] == VTPM_CHECK_OK)
                r = judge(args, &files, &nonce, v, e);
        if (r == 0)
                r = bind_key(args, &files, &nonce, v, e);
        if (r == 0 && args->event_log)
                r = explain(args->event_log, v, e);
        return r;
}

/* ---- telling ---- */

static bool is_accepted(const Verification *v) {
        return v->verdict.outcome == VTPM_ACCEPT && !v->unbound_counts;
}

static bool is_bound(const Verification *v) {
        return v->binding.binding.kind != VTPM_BINDING_NONE;
}

static const char *binding_text(const Verification *v) {
        return is_bound(v) ? v->binding.binding.why : error_text(&v->binding.why, -ENOENT);
}

/* Name and result of row @i; false beyond the last. */
static bool check_row(const Verification *v, size_t i, const char **ret_name, const char **ret_result) {
        if (i < N_FORMS) {
                *ret_name = form_names[i];
                *ret_result = vtpm_check_result_name(v->forms[i]);
                return true;
        }
        i -= N_FORMS;
        if (i >= VTPM_N_CHECKS)
                return false;
        *ret_name = vtpm_check_name((VtpmCheck) i);
        *ret_result = vtpm_check_result_name(v->verdict.checks[i]);
        return true;
}

static int print_checks(const Verification *v, CtlOutput *out, Error *e) {
        static const char *const columns[] = { "CHECK", "RESULT" };
        CLEANUP(ctl_table_freep) CtlTable *table = NULL;
        const char *cells[2];
        int r = ctl_table_new(columns, N_ELEMENTS(columns), &table, e);

        for (size_t i = 0; r == 0 && check_row(v, i, &cells[0], &cells[1]); i++)
                r = ctl_table_add(table, cells, e);
        return r < 0 ? r : ctl_table_print(table, out, e);
}

static void print_explained(const Verification *v, CtlOutput *out) {
        for (size_t i = 0; i < v->n_pcrs; i++) {
                VtpmPcrSelection yes = { 1, { { v->pcrs[i].hash, v->explained[i] } } };
                VtpmPcrSelection no = { 1, { { v->pcrs[i].hash, v->pcrs[i].mask & ~v->explained[i] } } };
                char text[VTPM_PCR_TEXT_MAX];

                vtpm_pcr_selection_text(&yes, text, sizeof(text));
                ctl_printf(out, "Explained by the event log: %s\n", text);
                vtpm_pcr_selection_text(&no, text, sizeof(text));
                ctl_printf(out, "Not explained by it: %s\n", text);
        }
}

static int print_text(const Verification *v, CtlOutput *out, Error *e) {
        int r;

        if (is_accepted(v))
                ctl_printf(out, "ACCEPT\n");
        else
                ctl_printf(out, "REJECT: %s\n", error_text(&v->why, -EKEYREJECTED));
        ctl_printf(out, "Bound: %s%s: %s\n", is_bound(v) ? "yes" : "no",
                   is_bound(v) && v->binding.test_root ? ", by a TEST ROOT" : "", binding_text(v));
        if (v->ak)
                ctl_printf(out, "Key: %s-%s%s\n", vtpm_alg_name(vtpm_ak_public_scheme(v->ak)),
                           vtpm_hash_name(vtpm_ak_public_hash(v->ak)),
                           v->ak_checked ? ", signs only what its TPM made"
                                         : "; this file does not show whether it is an attestation key");
        if (v->verdict.checks[VTPM_CHECK_SIGNATURE] == VTPM_CHECK_OK) {
                char text[VTPM_PCR_TEXT_MAX];

                vtpm_pcr_selection_text(&v->verdict.pcrs, text, sizeof(text));
                ctl_printf(out, "Quoted: %s\n", text);
                tpm_print_clock(&v->verdict.clock, out);
                ctl_printf(out, "Firmware: 0x%016" PRIx64 "\n", v->verdict.firmware_version);
        }
        if (v->has_log)
                print_explained(v, out);
        ctl_printf(out, "\n");
        r = print_checks(v, out, e);
        if (r == 0 && is_accepted(v)) {
                ctl_printf(out, "\n");
                tpm_print_pcrs(v->pcrs, v->n_pcrs, out);
        }
        return r;
}

static int add_key(json_object *o, const Verification *v) {
        AUTO_JSON json_object *key = json_object_new_object();
        const uint8_t *name;
        size_t size;
        int r;

        if (!v->ak)
                return 0;
        name = vtpm_ak_public_name(v->ak, &size);
        r = json_add_str(key, "scheme", vtpm_alg_name(vtpm_ak_public_scheme(v->ak)));
        if (r == 0)
                r = json_add_str(key, "hash", vtpm_hash_name(vtpm_ak_public_hash(v->ak)));
        if (r == 0)
                r = json_add_bool(key, "attestation_key", v->ak_checked);
        if (r == 0 && size > 0)
                r = json_add_hex(key, "name", name, size);
        return r < 0 ? r : json_add_take(o, "key", TAKE_PTR(key));
}

static int add_checks(json_object *o, const Verification *v) {
        AUTO_JSON json_object *checks = json_object_new_object();
        const char *name, *result;

        for (size_t i = 0; check_row(v, i, &name, &result); i++)
                if (json_add_str(checks, name, result) < 0)
                        return -ENOMEM;
        return json_add_take(o, "checks", TAKE_PTR(checks));
}

static int add_quoted(json_object *o, const Verification *v) {
        json_object *clock = NULL, *pcrs = NULL;
        char text[VTPM_PCR_TEXT_MAX];

        if (v->verdict.checks[VTPM_CHECK_SIGNATURE] != VTPM_CHECK_OK)
                return 0;
        if (tpm_clock_to_json(&v->verdict.clock, &clock) < 0 || json_add_take(o, "clock", clock) < 0)
                return -ENOMEM;
        (void) snprintf(text, sizeof(text), "0x%016" PRIx64, v->verdict.firmware_version);
        if (json_add_str(o, "firmware_version", text) < 0)
                return -ENOMEM;
        vtpm_pcr_selection_text(&v->verdict.pcrs, text, sizeof(text));
        if (json_add_str(o, "quoted", text) < 0)
                return -ENOMEM;
        if (!is_accepted(v))
                return 0;
        return tpm_pcrs_to_json(v->pcrs, v->n_pcrs, &pcrs) < 0 ? -ENOMEM : json_add_take(o, "pcrs", pcrs);
}

static int add_explained(json_object *o, const Verification *v) {
        AUTO_JSON json_object *banks = json_object_new_object();
        char text[VTPM_PCR_TEXT_MAX];

        for (size_t i = 0; i < v->n_pcrs; i++) {
                VtpmPcrSelection yes = { 1, { { v->pcrs[i].hash, v->explained[i] } } };
                const char *list;

                vtpm_pcr_selection_text(&yes, text, sizeof(text));
                list = strchr(text, ':');
                if (json_add_str(banks, vtpm_hash_name(v->pcrs[i].hash), list ? list + 1 : "") < 0)
                        return -ENOMEM;
        }
        return v->has_log ? json_add_take(o, "explained", TAKE_PTR(banks)) : 0;
}

static int print_json(const Verification *v, CtlOutput *out, Error *e) {
        AUTO_JSON json_object *o = json_object_new_object(), *bound = json_object_new_object();

        if (json_add_str(o, "verdict", is_accepted(v) ? "accept" : "reject") < 0 ||
            (!is_accepted(v) && json_add_str(o, "reason", error_reason(&v->why, -EKEYREJECTED)) < 0) ||
            (!is_accepted(v) && json_add_str(o, "message", error_text(&v->why, -EKEYREJECTED)) < 0) ||
            json_add_bool(bound, "bound", is_bound(v)) < 0 ||
            json_add_str(bound, "by", vtpm_binding_name(v->binding.binding.kind)) < 0 ||
            (is_bound(v) && json_add_str(bound, "trust", v->binding.test_root ? "TEST ROOT" : "AMD") < 0) ||
            json_add_str(bound, "why", binding_text(v)) < 0 || json_add_take(o, "binding", TAKE_PTR(bound)) < 0 ||
            add_key(o, v) < 0 || add_checks(o, v) < 0 || add_quoted(o, v) < 0 || add_explained(o, v) < 0)
                return error_oom(e);
        return ctl_output_set_json(out, TAKE_PTR(o), e);
}

static int run_verify(const CtlCall *call, CtlOutput *out, Error *e) {
        CLEANUP(verification_done) Verification v = {};
        const VerifyArgs *args = call->args;
        int r = verify(args, &v, e);

        if (r < 0)
                return r;
        v.unbound_counts = args->require_bound && !is_bound(&v);
        if (v.unbound_counts) /* behind what is wrong with the quote itself */
                (void) error_set(&v.why, -EKEYREJECTED, "tpm-unbound", "The TPM is not known to be the machine's own");
        out->exit = is_accepted(&v) ? CTL_EXIT_OK : CTL_EXIT_NO;
        return out->want_json ? print_json(&v, out, e) : print_text(&v, out, e);
}

const CtlVerb ctl_verb_tpm_verify = {
        .name = "tpm verify",
        .summary = "Judge a quote of a TPM, offline",
        .details = "\nReads what snpctl tpm quote and tpm2_quote(1) write. ACCEPT says: a TPM that holds this key\n"
                   "was asked with this nonce and had these PCR values. 'Bound' says whether it is known to be\n"
                   "the confidential machine's own TPM: if not, the values are the word of whoever runs the TPM,\n"
                   "which on plain QEMU, Google and AWS is the host. A report that vouches for the key can be given:\n"
                   "Azure's with --hcl, an SVSM's with --svsm-manifest and --report (of a launch that you know to be\n"
                   "an SVSM's). Its certificates are given and judged as for snpctl verify.\n",
        .options = { options, N_ELEMENTS(options) },
        .args_size = sizeof(VerifyArgs),
        .run = run_verify,
};
