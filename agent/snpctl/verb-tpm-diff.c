/* SPDX-License-Identifier: Apache-2.0 */

/* `snpctl tpm diff`: which events made PCRs come out otherwise than before. */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agent/snpctl/tpm-event.h"
#include "agent/snpctl/verbs.h"
#include "base/file.h"
#include "base/hex.h"
#include "base/json.h"
#include "vtpm/event-log-diff.h"
#include "vtpm/event-log-replay.h"

typedef struct DiffArgs {
        const char *bank;
} DiffArgs;

static const CtlOption options[] = {
        { "bank", "NAME", "sha1, sha256, sha384 or sha512; by default sha256 if both logs have it", CTL_TEXT,
          offsetof(DiffArgs, bank) },
};

/* One of the two logs. */
typedef struct Side {
        Blob bytes;
        VtpmEventLog log;
        VtpmPcrValues pcrs;
} Side;

typedef struct Comparison {
        Side old, new;
        uint16_t bank;
        VtpmEventLogDiff diff;
        uint32_t changed; /* PCRs whose value differs */
} Comparison;

static void comparison_done(Comparison *c) {
        blob_done(&c->old.bytes);
        blob_done(&c->new.bytes);
        vtpm_event_log_diff_done(&c->diff);
}

/* ---- comparing ---- */

static int read_side(const char *path, Side *side, Error *e) {
        int r = file_read(path, VTPM_EVENT_LOG_MAX, &side->bytes, e);

        if (r < 0)
                return r;
        r = vtpm_event_log_open(side->bytes.data, side->bytes.size, &side->log, e);
        if (r < 0)
                error_prefix(e, "%s", path);
        return r;
}

static bool both_have(const Comparison *c, uint16_t hash) {
        return vtpm_event_log_has_bank(&c->old.log, hash) && vtpm_event_log_has_bank(&c->new.log, hash);
}

/* What was asked for, else SHA-256, else the first of the old log that both have and that can be computed. */
static int choose_bank(const DiffArgs *args, Comparison *c, Error *e) {
        if (args->bank)
                return vtpm_hash_from_name(args->bank, &c->bank, NULL) < 0 ?
                               ctl_usage(e, "--bank '%.20s' is not sha1, sha256, sha384 or sha512", args->bank) : 0;
        c->bank = VTPM_ALG_SHA256;
        for (size_t i = 0; i < c->old.log.n_algs && !both_have(c, c->bank); i++)
                if (vtpm_hash_size(c->old.log.algs[i].hash) > 0)
                        c->bank = c->old.log.algs[i].hash;
        return both_have(c, c->bank) ? 0 : error_set(e, -ENOENT, "event-log-bank", "The logs have no bank in common");
}

static int compare(const CtlCall *call, Comparison *c, Error *e) {
        int r;

        r = read_side(call->operands[0], &c->old, e);
        if (r == 0)
                r = read_side(call->operands[1], &c->new, e);
        if (r == 0)
                r = choose_bank(call->args, c, e);
        if (r == 0)
                r = vtpm_event_log_diff(&c->old.log, &c->new.log, c->bank, &c->diff, e);
        if (r == 0)
                r = vtpm_event_log_replay(&c->old.log, c->bank, &c->old.pcrs, e);
        if (r == 0)
                r = vtpm_event_log_replay(&c->new.log, c->bank, &c->new.pcrs, e);
        for (unsigned i = 0; i < VTPM_N_PCRS && r == 0; i++)
                if (memcmp(c->old.pcrs.values[i], c->new.pcrs.values[i], vtpm_hash_size(c->bank)) != 0)
                        c->changed |= 1u << i;
        return r;
}

static bool is_same(const Comparison *c) {
        return c->diff.n_changes == 0 && c->changed == 0;
}

/* ---- telling: text ---- */

static int print_event(const VtpmEventLog *log, const VtpmEventPlace *place, uint16_t bank, char sign, CtlOutput *out,
                       Error *e) {
        TpmEventText text;
        VtpmEvent event;
        int r;

        r = vtpm_event_log_at(log, place, &event, e);
        if (r == 0)
                r = tpm_event_text(&event, bank, &text, e);
        if (r == 0)
                ctl_printf(out, "  %c event %zu %s: %s%s\n", sign, event.number, text.type, text.text,
                           text.proof == VTPM_PROOF_DIFFERS ? " (the digest is of something else)" : "");
        return r;
}

static int print_change(const Comparison *c, const VtpmEventChange *change, CtlOutput *out, Error *e) {
        int r = 0;

        if (change->kind == VTPM_CHANGE_REST)
                ctl_printf(out, "  from here on the logs are too different: %u events became %u\n", change->n_old,
                           change->n_new);
        if (change->n_old > 0)
                r = print_event(&c->old.log, &change->old, c->bank, '-', out, e);
        if (r == 0 && change->n_new > 0)
                r = print_event(&c->new.log, &change->new, c->bank, '+', out, e);
        return r;
}

static void print_value(const Comparison *c, unsigned pcr, CtlOutput *out) {
        char was[2 * VTPM_DIGEST_MAX + 1], is[2 * VTPM_DIGEST_MAX + 1];

        hex_encode_to(c->old.pcrs.values[pcr], vtpm_hash_size(c->bank), was);
        hex_encode_to(c->new.pcrs.values[pcr], vtpm_hash_size(c->bank), is);
        ctl_printf(out, "  was %s\n  is  %s\n", was, is);
}

static int print_text(const Comparison *c, CtlOutput *out, Error *e) {
        const VtpmEventLogDiff *d = &c->diff;
        size_t next = 0;
        int r = 0;

        if (is_same(c))
                ctl_printf(out, "No difference: all PCRs of bank %s are the same\n", vtpm_hash_name(c->bank));
        for (unsigned pcr = 0; pcr < VTPM_N_PCRS && r == 0; pcr++) {
                if (!(c->changed >> pcr & 1))
                        continue;
                ctl_printf(out, "PCR %u, bank %s\n", pcr, vtpm_hash_name(c->bank));
                if (pcr == 0 && d->old_locality != d->new_locality)
                        ctl_printf(out, "  started from locality %u, before %u\n", d->new_locality, d->old_locality);
                for (; next < d->n_changes && d->changes[next].pcr == pcr && r == 0; next++)
                        r = print_change(c, &d->changes[next], out, e);
                print_value(c, pcr, out);
        }
        return r;
}

/* ---- telling: JSON ---- */

static int event_json(const VtpmEventLog *log, const VtpmEventPlace *place, uint16_t bank, json_object **ret,
                      Error *e) {
        AUTO_JSON json_object *o = json_object_new_object();
        const VtpmEventDigest *digest;
        TpmEventText text;
        VtpmEvent event;
        int r;

        r = vtpm_event_log_at(log, place, &event, e);
        if (r == 0)
                r = tpm_event_text(&event, bank, &text, e);
        if (r < 0)
                return r;
        digest = vtpm_event_digest(&event, bank);
        if (json_add_u64(o, "number", event.number) < 0 || json_add_u64(o, "type", event.type) < 0 ||
            json_add_str(o, "type_name", text.type) < 0 ||
            (digest && json_add_hex(o, "digest", digest->bytes, digest->size) < 0) ||
            json_add_str(o, "digest_of_data", vtpm_event_proof_name(text.proof)) < 0 ||
            json_add_str(o, "text", text.text) < 0)
                return error_oom(e);
        *ret = TAKE_PTR(o);
        return 0;
}

static int add_event(json_object *o, const char *name, const VtpmEventLog *log, const VtpmEventPlace *place,
                     uint16_t bank, Error *e) {
        json_object *event = NULL;
        int r = event_json(log, place, bank, &event, e);

        if (r < 0)
                return r;
        return json_add_take(o, name, event) < 0 ? error_oom(e) : 0;
}

static int change_json(const Comparison *c, const VtpmEventChange *change, json_object **ret, Error *e) {
        AUTO_JSON json_object *o = json_object_new_object();
        int r = 0;

        if (json_add_str(o, "kind", vtpm_change_kind_name(change->kind)) < 0 ||
            json_add_u64(o, "pcr", change->pcr) < 0 || json_add_u64(o, "old_events", change->n_old) < 0 ||
            json_add_u64(o, "new_events", change->n_new) < 0)
                return error_oom(e);
        if (change->n_old > 0)
                r = add_event(o, "old", &c->old.log, &change->old, c->bank, e);
        if (r == 0 && change->n_new > 0)
                r = add_event(o, "new", &c->new.log, &change->new, c->bank, e);
        if (r == 0)
                *ret = TAKE_PTR(o);
        return r;
}

static int changes_json(const Comparison *c, json_object **ret, Error *e) {
        AUTO_JSON json_object *list = json_object_new_array();

        if (!list)
                return error_oom(e);
        for (size_t i = 0; i < c->diff.n_changes; i++) {
                json_object *o = NULL;
                int r = change_json(c, &c->diff.changes[i], &o, e);

                if (r < 0)
                        return r;
                if (json_object_array_add(list, o) < 0) {
                        (void) json_object_put(o);
                        return error_oom(e);
                }
        }
        *ret = TAKE_PTR(list);
        return 0;
}

static int values_json(const Comparison *c, json_object **ret) {
        AUTO_JSON json_object *pcrs = json_object_new_object();

        for (unsigned i = 0; i < VTPM_N_PCRS; i++) {
                AUTO_JSON json_object *o = NULL;
                char name[8];

                if (!(c->changed >> i & 1))
                        continue;
                (void) snprintf(name, sizeof(name), "%u", i);
                o = json_object_new_object();
                if (json_add_hex(o, "old", c->old.pcrs.values[i], vtpm_hash_size(c->bank)) < 0 ||
                    json_add_hex(o, "new", c->new.pcrs.values[i], vtpm_hash_size(c->bank)) < 0 ||
                    json_add_take(pcrs, name, TAKE_PTR(o)) < 0)
                        return -ENOMEM;
        }
        *ret = TAKE_PTR(pcrs);
        return *ret ? 0 : -ENOMEM;
}

static int print_json(const Comparison *c, CtlOutput *out, Error *e) {
        AUTO_JSON json_object *o = json_object_new_object(), *changes = NULL, *values = NULL;
        int r = changes_json(c, &changes, e);

        if (r < 0)
                return r;
        if (values_json(c, &values) < 0 || json_add_bool(o, "same", is_same(c)) < 0 ||
            json_add_str(o, "bank", vtpm_hash_name(c->bank)) < 0 ||
            json_add_u64(o, "old_locality", c->diff.old_locality) < 0 ||
            json_add_u64(o, "new_locality", c->diff.new_locality) < 0 ||
            json_add_take(o, "changes", TAKE_PTR(changes)) < 0 || json_add_take(o, "pcrs", TAKE_PTR(values)) < 0)
                return error_oom(e);
        return ctl_output_set_json(out, TAKE_PTR(o), e);
}

static int run_diff(const CtlCall *call, CtlOutput *out, Error *e) {
        CLEANUP(comparison_done) Comparison c = {};
        int r = compare(call, &c, e);

        if (r < 0)
                return r;
        out->exit = is_same(&c) ? CTL_EXIT_OK : CTL_EXIT_NO;
        return out->want_json ? print_json(&c, out, e) : print_text(&c, out, e);
}

const CtlVerb ctl_verb_tpm_diff = {
        .name = "tpm diff",
        .operands = "OLD NEW",
        .n_operands = 2,
        .summary = "Name the events by which two event logs differ",
        .details = "\nFor each PCR whose value is another: events of the old log that are gone (-), those of the\n"
                   "new one that came (+), and both values. Digests are compared; what logs say beside the same\n"
                   "digest changes no PCR. Ends with 0 when there is no difference and 1 when there is, as diff.\n",
        .options = { options, N_ELEMENTS(options) },
        .args_size = sizeof(DiffArgs),
        .run = run_diff,
};
