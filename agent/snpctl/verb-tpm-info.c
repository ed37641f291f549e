/* SPDX-License-Identifier: Apache-2.0 */

/* `snpctl tpm info`: what kind of TPM this is, what it can, what is in it and in which state. */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "agent/snpctl/tpm-args.h"
#include "agent/snpctl/tpm-print.h"
#include "agent/snpctl/verbs.h"
#include "base/json.h"
#include "vtpm/info.h"
#include "vtpm/pcr-text.h"

typedef struct InfoArgs {
        TpmArgs tpm;
} InfoArgs;

static const CtlOption options[] = { TPM_OPTIONS(InfoArgs, tpm) };

/* Where endorsement key certificates are (TCG EK Credential Profile, "NV Index Assignments"). */
#define EK_CERT_FIRST 0x01c00002u
#define EK_CERT_LAST 0x01c0001eu
static bool is_ek_cert(uint32_t index) {
        return index == EK_CERT_FIRST || index == 0x01c0000a ||
               (index >= 0x01c00012 && index <= EK_CERT_LAST && index % 2 == 0);
}

static void alg_name(uint16_t alg, char ret[static 16]) {
        const char *name = vtpm_alg_name(alg);

        if (name)
                (void) snprintf(ret, 16, "%s", name);
        else
                (void) snprintf(ret, 16, "0x%04x", alg);
}

/* ---- text ---- */

static void print_identity(const VtpmInfo *i, CtlOutput *out) {
        ctl_printf(out, "TPM %s, manufacturer %s%s%s, firmware 0x%016" PRIx64 "\n", i->family, i->manufacturer,
                   *i->vendor ? ", " : "", i->vendor, i->firmware_version);
        ctl_printf(out, "Specification: level %" PRIu32 ", revision %" PRIu32 ".%02" PRIu32 ", day %" PRIu32
                        " of %" PRIu32 "\n", i->spec_level, i->spec_revision / 100, i->spec_revision % 100, i->spec_day,
                   i->spec_year);
        tpm_print_clock(&i->clock, out);
        ctl_printf(out, "Last shutdown: %s\n", i->orderly ? "orderly" : "none");
}

static void print_state(const VtpmInfo *i, CtlOutput *out) {
        ctl_printf(out, "Hierarchies: owner %s%s, endorsement %s%s, platform %s\n", i->owner_enabled ? "on" : "off",
                   i->owner_auth ? " with password" : "", i->endorsement_enabled ? "on" : "off",
                   i->endorsement_auth ? " with password" : "", i->platform_enabled ? "on" : "off");
        ctl_printf(out, "Lockout: %s, %" PRIu32 " of %" PRIu32 " failures, one forgotten every %" PRIu32 " s%s\n",
                   i->in_lockout ? "YES" : "no", i->lockout_count, i->lockout_max, i->lockout_interval_sec,
                   i->lockout_auth ? ", with password" : "");
        ctl_printf(out, "Clear: %s\n", i->clear_disabled ? "disabled" : "enabled");
        ctl_printf(out, "NV: indices up to %" PRIu32 " bytes, %" PRIu32 " at a time\n", i->nv_index_max,
                   i->nv_buffer_max);
}

static void print_algs(const VtpmInfo *i, CtlOutput *out) {
        char banks[VTPM_PCR_TEXT_MAX], name[16];

        vtpm_pcr_selection_text(&i->banks, banks, sizeof(banks));
        ctl_printf(out, "PCR banks: %s\nAlgorithms:", *banks ? banks : "none");
        for (size_t k = 0; k < i->n_algs; k++) {
                alg_name(i->algs[k], name);
                ctl_printf(out, " %s", name);
        }
        ctl_printf(out, "\n");
}

static void key_text(const VtpmInfoKey *key, char ret[static 64]) {
        char scheme[16] = "", hash[16] = "";

        if (key->type == 0) {
                (void) snprintf(ret, 64, "not a key that we know");
                return;
        }
        if (key->scheme != 0 && key->scheme != VTPM_ALG_NULL) {
                alg_name(key->scheme, scheme);
                alg_name(key->scheme_hash, hash);
        }
        (void) snprintf(ret, 64, "%s-%u%s%s%s%s", key->type == VTPM_ALG_RSA ? "RSA" : "ECC", key->bits,
                        *scheme ? ", " : "", scheme, *hash ? "-" : "", hash);
}

static void print_keys(const VtpmInfo *i, CtlOutput *out) {
        bool has_ak = false;

        ctl_printf(out, "Persistent keys:%s\n", i->persistent.n ? "" : " none");
        for (size_t k = 0; k < i->persistent.n; k++) {
                char text[64];

                if (k >= i->n_keys) {
                        ctl_printf(out, "  0x%08" PRIx32 "\n", i->persistent.list[k]);
                        continue;
                }
                key_text(&i->keys[k], text);
                has_ak = has_ak || i->keys[k].role == VTPM_KEY_ATTESTATION;
                ctl_printf(out, "  0x%08" PRIx32 "  %-12s %s\n", i->keys[k].handle,
                           vtpm_key_role_name(i->keys[k].role), text);
        }
        if (!has_ak)
                ctl_printf(out, "  no attestation key: one is made anew for each quote\n");
}

static void print_handles(const char *what, const VtpmInfoHandles *handles, CtlOutput *out) {
        ctl_printf(out, "%s:", what);
        for (size_t k = 0; k < handles->n; k++)
                ctl_printf(out, " 0x%08" PRIx32 "%s", handles->list[k],
                           is_ek_cert(handles->list[k]) ? " (EK certificate)" : "");
        ctl_printf(out, "%s\n", handles->n ? "" : " none");
}

static void print_text(const VtpmInfo *info, CtlOutput *out) {
        print_identity(info, out);
        print_state(info, out);
        print_algs(info, out);
        print_keys(info, out);
        print_handles("NV indices", &info->nv, out);
        print_handles("Loaded objects", &info->transient, out);
        print_handles("Loaded sessions", &info->sessions, out);
}

/* ---- JSON ---- */

static int add_hex32(json_object *o, const char *name, uint32_t value) {
        char text[16];

        (void) snprintf(text, sizeof(text), "0x%08" PRIx32, value);
        return json_add_str(o, name, text);
}

static int append(json_object *list, json_object *item) {
        if (list && item && json_object_array_add(list, item) == 0)
                return 0;
        if (item)
                (void) json_object_put(item);
        return -ENOMEM;
}

static int add_handles(json_object *o, const char *name, const VtpmInfoHandles *handles) {
        AUTO_JSON json_object *list = json_object_new_array();

        for (size_t k = 0; k < handles->n; k++) {
                char text[16];

                (void) snprintf(text, sizeof(text), "0x%08" PRIx32, handles->list[k]);
                if (append(list, json_object_new_string(text)) < 0)
                        return -ENOMEM;
        }
        return json_add_take(o, name, TAKE_PTR(list));
}

static int add_algs(json_object *o, const VtpmInfo *i) {
        AUTO_JSON json_object *list = json_object_new_array();

        for (size_t k = 0; k < i->n_algs; k++) {
                char name[16];

                alg_name(i->algs[k], name);
                if (append(list, json_object_new_string(name)) < 0)
                        return -ENOMEM;
        }
        return json_add_take(o, "algorithms", TAKE_PTR(list));
}

static int add_keys(json_object *o, const VtpmInfo *i) {
        AUTO_JSON json_object *list = json_object_new_array();

        for (size_t k = 0; k < i->n_keys; k++) {
                AUTO_JSON json_object *key = json_object_new_object();
                char text[64];

                key_text(&i->keys[k], text);
                if (add_hex32(key, "handle", i->keys[k].handle) < 0 ||
                    json_add_str(key, "role", vtpm_key_role_name(i->keys[k].role)) < 0 ||
                    json_add_str(key, "kind", text) < 0 || append(list, TAKE_PTR(key)) < 0)
                        return -ENOMEM;
        }
        return json_add_take(o, "persistent_keys", TAKE_PTR(list));
}

static int add_hierarchies(json_object *o, const VtpmInfo *i) {
        AUTO_JSON json_object *h = json_object_new_object();

        if (json_add_bool(h, "owner_enabled", i->owner_enabled) < 0 ||
            json_add_bool(h, "owner_auth", i->owner_auth) < 0 ||
            json_add_bool(h, "endorsement_enabled", i->endorsement_enabled) < 0 ||
            json_add_bool(h, "endorsement_auth", i->endorsement_auth) < 0 ||
            json_add_bool(h, "platform_enabled", i->platform_enabled) < 0)
                return -ENOMEM;
        return json_add_take(o, "hierarchies", TAKE_PTR(h));
}

static int add_lockout(json_object *o, const VtpmInfo *i) {
        AUTO_JSON json_object *l = json_object_new_object();

        if (json_add_bool(l, "locked", i->in_lockout) < 0 || json_add_bool(l, "auth", i->lockout_auth) < 0 ||
            json_add_u64(l, "failures", i->lockout_count) < 0 || json_add_u64(l, "max", i->lockout_max) < 0 ||
            json_add_u64(l, "interval_sec", i->lockout_interval_sec) < 0 ||
            json_add_u64(l, "recovery_sec", i->lockout_recovery_sec) < 0)
                return -ENOMEM;
        return json_add_take(o, "lockout", TAKE_PTR(l));
}

static int add_identity(json_object *o, const VtpmInfo *i) {
        char firmware[32], revision[32];
        json_object *clock = NULL;

        (void) snprintf(firmware, sizeof(firmware), "0x%016" PRIx64, i->firmware_version);
        (void) snprintf(revision, sizeof(revision), "%" PRIu32 ".%02" PRIu32, i->spec_revision / 100,
                        i->spec_revision % 100);
        if (json_add_str(o, "family", i->family) < 0 || json_add_str(o, "manufacturer", i->manufacturer) < 0 ||
            json_add_str(o, "vendor", i->vendor) < 0 || json_add_str(o, "firmware_version", firmware) < 0 ||
            json_add_str(o, "spec_revision", revision) < 0 || json_add_u64(o, "spec_level", i->spec_level) < 0 ||
            json_add_u64(o, "spec_year", i->spec_year) < 0 || json_add_u64(o, "spec_day", i->spec_day) < 0 ||
            json_add_bool(o, "orderly", i->orderly) < 0 ||
            json_add_bool(o, "clear_disabled", i->clear_disabled) < 0 || tpm_clock_to_json(&i->clock, &clock) < 0)
                return -ENOMEM;
        return json_add_take(o, "clock", clock);
}

static int print_json(const VtpmInfo *i, CtlOutput *out, Error *e) {
        AUTO_JSON json_object *o = json_object_new_object();
        char banks[VTPM_PCR_TEXT_MAX];

        vtpm_pcr_selection_text(&i->banks, banks, sizeof(banks));
        if (add_identity(o, i) < 0 || add_hierarchies(o, i) < 0 || add_lockout(o, i) < 0 ||
            json_add_u64(o, "nv_index_max", i->nv_index_max) < 0 ||
            json_add_u64(o, "nv_buffer_max", i->nv_buffer_max) < 0 || json_add_str(o, "pcr_banks", banks) < 0 ||
            add_algs(o, i) < 0 || add_keys(o, i) < 0 || add_handles(o, "nv_indices", &i->nv) < 0 ||
            add_handles(o, "persistent", &i->persistent) < 0 || add_handles(o, "transient", &i->transient) < 0 ||
            add_handles(o, "sessions", &i->sessions) < 0)
                return error_oom(e);
        return ctl_output_set_json(out, TAKE_PTR(o), e);
}

static int run_info(const CtlCall *call, CtlOutput *out, Error *e) {
        const InfoArgs *args = call->args;
        CLEANUP(vtpm_context_freep) VtpmContext *ctx = NULL;
        VtpmInfo info;
        int r;

        r = tpm_args_open(&args->tpm, &ctx, e);
        if (r == 0)
                r = vtpm_info_read(ctx, &info, e);
        if (r < 0)
                return r;
        if (out->want_json)
                return print_json(&info, out, e);
        print_text(&info, out);
        return 0;
}

const CtlVerb ctl_verb_tpm_info = {
        .name = "tpm info",
        .summary = "Show what kind of TPM this is and what is in it",
        .details = "\nThe TPM's own words, unsigned. Objects and sessions are those of all users only where\n"
                   "there is no resource manager: with /dev/tpmrm0 there are always none.\n",
        .options = { options, N_ELEMENTS(options) },
        .args_size = sizeof(InfoArgs),
        .run = run_info,
};
