/* SPDX-License-Identifier: Apache-2.0 */

/* `snpctl tpm ak show|persist|remove|cert`: attestation keys as an administrator handles them. */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "agent/snpctl/tpm-args.h"
#include "agent/snpctl/tpm-files.h"
#include "agent/snpctl/tpm-print.h"
#include "agent/snpctl/verbs.h"
#include "base/file.h"
#include "base/hex.h"
#include "base/json.h"
#include "base/text.h"
#include "vtpm/ak-platform.h"
#include "vtpm/ak-store.h"
#include "vtpm/ak_public.h"

typedef struct AkArgs {
        TpmArgs tpm;
        const char *public, *pem, *out;
} AkArgs;

#define PUBLIC_OPTIONS                                                                                                 \
        { "public", "FILE", "write it to this file (TPM2B_PUBLIC)", CTL_TEXT, offsetof(AkArgs, public) },              \
        { "pem", "FILE", "write it to this file (PEM)", CTL_TEXT, offsetof(AkArgs, pem) }

static const CtlOption key_options[] = {
        TPM_AK_OPTION(AkArgs, tpm),
        PUBLIC_OPTIONS,
        TPM_OPTIONS(AkArgs, tpm),
};

static const CtlOption remove_options[] = { TPM_OPTIONS(AkArgs, tpm) };

static const CtlOption cert_options[] = {
        TPM_AK_OPTION(AkArgs, tpm),
        { "out", "FILE", "write the certificate to this file (DER)", CTL_TEXT, offsetof(AkArgs, out) },
        TPM_OPTIONS(AkArgs, tpm),
};

/* The TPM, and which key in it. */
static int open_tpm(const AkArgs *args, VtpmContext **ret, VtpmAkSpec *spec, Error *e) {
        AUTO_FREE char *tcti = NULL;
        int r = tpm_args_resolve(&args->tpm, &tcti, spec, e);

        return r < 0 ? r : vtpm_context_open(tcti, deadline_in(TPM_TIMEOUT_USEC), ret, e);
}

static int write_public(const AkArgs *args, const Blob *tpmt, Error *e) {
        AUTO_BLOB Blob wrapped = {}, pem = {};
        int r = 0;

        if (args->public) {
                r = tpm_public_wrap(tpmt, &wrapped, e);
                if (r == 0)
                        r = file_write_atomic(args->public, wrapped.data, wrapped.size, 0644, e);
        }
        if (r == 0 && args->pem) {
                r = tpm_public_pem(tpmt, &pem, e);
                if (r == 0)
                        r = file_write_atomic(args->pem, pem.data, pem.size, 0644, e);
        }
        return r;
}

/* What identifies a key: its name, the digest of all that is public about it. */
static int print_key(const Blob *tpmt, CtlOutput *out, Error *e) {
        CLEANUP(vtpm_ak_public_freep) VtpmAkPublic *ak = NULL;
        AUTO_JSON json_object *o = NULL;
        char text[TPM_KEY_TEXT_MAX];
        AUTO_FREE char *hex = NULL;
        const uint8_t *name;
        size_t size;
        int r = vtpm_ak_public_new(tpmt->data, tpmt->size, &ak, e);

        if (r < 0)
                return r;
        tpm_key_text(tpmt, text);
        name = vtpm_ak_public_name(ak, &size);
        if (!out->want_json) {
                hex = hex_encode(name, size);
                if (!hex)
                        return error_oom(e);
                ctl_printf(out, "Key: %s\nName: %s\n", text, hex);
                return 0;
        }
        o = json_object_new_object();
        if (json_add_str(o, "kind", text) < 0 || json_add_hex(o, "name", name, size) < 0 ||
            json_add_hex(o, "public", tpmt->data, tpmt->size) < 0)
                return error_oom(e);
        return ctl_output_set_json(out, TAKE_PTR(o), e);
}

static int run_show(const CtlCall *call, CtlOutput *out, Error *e) {
        const AkArgs *args = call->args;
        CLEANUP(vtpm_context_freep) VtpmContext *ctx = NULL;
        AUTO_BLOB Blob tpmt = {};
        VtpmAkSpec spec;
        int r;

        r = open_tpm(args, &ctx, &spec, e);
        if (r == 0)
                r = vtpm_ak_show(ctx, &spec, &tpmt, e);
        if (r == 0)
                r = write_public(args, &tpmt, e);
        return r < 0 ? r : print_key(&tpmt, out, e);
}

static int read_handle(const CtlCall *call, uint32_t *ret, Error *e) {
        const char *text = call->operands[0];
        uint64_t handle;

        if (!text_starts_with(text, "0x") || text_to_u64(text + 2, 16, 0, UINT32_MAX, &handle) < 0)
                return ctl_usage(e, "'%.20s' is no handle like 0x81000010", text);
        *ret = (uint32_t) handle;
        return 0;
}

static int run_persist(const CtlCall *call, CtlOutput *out, Error *e) {
        const AkArgs *args = call->args;
        CLEANUP(vtpm_context_freep) VtpmContext *ctx = NULL;
        AUTO_BLOB Blob tpmt = {};
        uint32_t handle = 0;
        VtpmAkSpec spec;
        int r;

        r = read_handle(call, &handle, e);
        if (r == 0)
                r = open_tpm(args, &ctx, &spec, e);
        if (r == 0)
                r = vtpm_ak_persist(ctx, &spec, handle, &tpmt, e);
        if (r == 0)
                r = write_public(args, &tpmt, e);
        return r < 0 ? r : print_key(&tpmt, out, e);
}

static int run_remove(const CtlCall *call, CtlOutput *out, Error *e) {
        const AkArgs *args = call->args;
        CLEANUP(vtpm_context_freep) VtpmContext *ctx = NULL;
        AUTO_JSON json_object *o = NULL;
        uint32_t handle = 0;
        char text[16];
        int r;

        r = read_handle(call, &handle, e);
        if (r == 0)
                r = tpm_args_open(&args->tpm, &ctx, e);
        if (r == 0)
                r = vtpm_ak_remove(ctx, handle, e);
        if (r < 0)
                return r;
        (void) snprintf(text, sizeof(text), "0x%08" PRIx32, handle);
        if (!out->want_json) {
                ctl_printf(out, "Removed the attestation key at %s\n", text);
                return 0;
        }
        o = json_object_new_object();
        return json_add_str(o, "removed", text) < 0 ? error_oom(e) : ctl_output_set_json(out, TAKE_PTR(o), e);
}

static int print_cert(const Blob *der, CtlOutput *out, Error *e) {
        AUTO_JSON json_object *o = NULL;

        if (!out->want_json) {
                ctl_printf(out, "Certificate of %zu bytes, of this very key. Who signed it has not been judged.\n",
                           der->size);
                return 0;
        }
        o = json_object_new_object();
        return json_add_hex(o, "certificate", der->data, der->size) < 0 ? error_oom(e) :
               ctl_output_set_json(out, TAKE_PTR(o), e);
}

static int run_cert(const CtlCall *call, CtlOutput *out, Error *e) {
        const AkArgs *args = call->args;
        CLEANUP(vtpm_context_freep) VtpmContext *ctx = NULL;
        AUTO_BLOB Blob tpmt = {}, der = {};
        VtpmAkSpec spec;
        int r;

        r = open_tpm(args, &ctx, &spec, e);
        if (r == 0 && spec.kind == VTPM_AK_AUTO)
                r = vtpm_ak_detect(ctx, &spec, e);
        if (r == 0)
                r = vtpm_ak_show(ctx, &spec, &tpmt, e);
        if (r == 0)
                r = vtpm_ak_certificate(ctx, &spec, &tpmt, &der, e);
        if (r == 0 && args->out)
                r = file_write_atomic(args->out, der.data, der.size, 0644, e);
        return r < 0 ? r : print_cert(&der, out, e);
}

const CtlVerb ctl_verb_tpm_ak_show = {
        .name = "tpm ak show",
        .summary = "Show an attestation key, made anew or kept in the TPM",
        .details = "\nA key that is not kept is made from the TPM's seed each time, and is the same each time\n"
                   "until the TPM is cleared.\n",
        .options = { key_options, N_ELEMENTS(key_options) },
        .args_size = sizeof(AkArgs),
        .run = run_show,
};

const CtlVerb ctl_verb_tpm_ak_persist = {
        .name = "tpm ak persist",
        .operands = "HANDLE",
        .n_operands = 1,
        .summary = "Keep an attestation key in the TPM, so that quotes are faster",
        .details = "\nHANDLE is from 0x81000000 to 0x817fffff, without those that others have a claim to: storage\n"
                   "root keys, Azure's key, endorsement keys. What is there already stays.\n",
        .options = { key_options, N_ELEMENTS(key_options) },
        .args_size = sizeof(AkArgs),
        .run = run_persist,
};

const CtlVerb ctl_verb_tpm_ak_remove = {
        .name = "tpm ak remove",
        .operands = "HANDLE",
        .n_operands = 1,
        .summary = "Remove an attestation key that was kept in the TPM",
        .details = "\nRemoves nothing but attestation keys, from handles that tpm ak persist takes.\n",
        .options = { remove_options, N_ELEMENTS(remove_options) },
        .args_size = sizeof(AkArgs),
        .run = run_remove,
};

const CtlVerb ctl_verb_tpm_ak_cert = {
        .name = "tpm ak cert",
        .summary = "Show the certificate that a cloud has put beside its key",
        .options = { cert_options, N_ELEMENTS(cert_options) },
        .args_size = sizeof(AkArgs),
        .run = run_cert,
};
