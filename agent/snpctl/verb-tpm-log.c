/* SPDX-License-Identifier: Apache-2.0 */

/* `snpctl tpm log`: an event log from a file, event by event, and the PCR values that it leads to. */

#include <errno.h>
#include <stdio.h>

#include "agent/snpctl/tpm-event.h"
#include "agent/snpctl/verbs.h"
#include "base/file.h"
#include "base/hex.h"
#include "base/json.h"
#include "vtpm/event-log-replay.h"

/* Shown at most; real logs have a few hundred. */
#define EVENTS_MAX 10000u
#define NAME_MAX_SIZE 40u

typedef struct LogArgs {
        const char *bank;
} LogArgs;

static const CtlOption options[] = {
        { "bank", "NAME", "sha1, sha256, sha384 or sha512; by default sha256 if the log has it", CTL_TEXT,
          offsetof(LogArgs, bank) },
};

/* One event, ready to be shown. */
typedef struct Line {
        VtpmEvent event;
        TpmEventText text;
} Line;

static void hash_name(uint16_t hash, char ret[static NAME_MAX_SIZE]) {
        if (vtpm_hash_size(hash) > 0)
                (void) snprintf(ret, NAME_MAX_SIZE, "%s", vtpm_hash_name(hash));
        else if (hash == VTPM_ALG_SM3_256)
                (void) snprintf(ret, NAME_MAX_SIZE, "sm3_256");
        else
                (void) snprintf(ret, NAME_MAX_SIZE, "0x%04x", hash);
}

/* What was asked for, else SHA-256, else the first that can be computed. */
static int choose_bank(const LogArgs *args, const VtpmEventLog *log, uint16_t *ret, Error *e) {
        if (args->bank)
                return vtpm_hash_from_name(args->bank, ret, NULL) < 0 ?
                               ctl_usage(e, "--bank '%.20s' is not sha1, sha256, sha384 or sha512", args->bank) : 0;
        *ret = VTPM_ALG_SHA256;
        for (size_t i = 0; i < log->n_algs && !vtpm_event_log_has_bank(log, *ret); i++)
                if (vtpm_hash_size(log->algs[i].hash) > 0)
                        *ret = log->algs[i].hash;
        return 0;
}

/* Return: as vtpm_event_log_next(). */
static int next_line(VtpmEventLog *log, uint16_t bank, Line *ret, Error *e) {
        int r = vtpm_event_log_next(log, &ret->event, e);

        if (r <= 0)
                return r;
        if (log->n_events > EVENTS_MAX)
                return error_set(e, -E2BIG, "event-log-length", "The event log has more than %u events", EVENTS_MAX);
        r = tpm_event_text(&ret->event, bank, &ret->text, e);
        return r < 0 ? r : 1;
}

static int print_events(VtpmEventLog log, uint16_t bank, CtlOutput *out, Error *e) {
        Line line;
        int r;

        ctl_printf(out, "Event PCR %-33s %-8s What it says\n", "Type", "Digest");
        while ((r = next_line(&log, bank, &line, e)) > 0)
                ctl_printf(out, "%5zu %3u %-33s %-8s %s\n", line.event.number, line.event.pcr, line.text.type,
                           vtpm_event_proof_name(line.text.proof), line.text.text);
        return r;
}

static void print_header(const VtpmEventLog *log, CtlOutput *out) {
        if (log->agile)
                ctl_printf(out, "Crypto-agile event log, version %u.%u.%u, banks", log->spec_major, log->spec_minor,
                           log->spec_errata);
        else
                ctl_printf(out, "SHA-1 event log, banks");
        for (size_t i = 0; i < log->n_algs; i++) {
                char name[NAME_MAX_SIZE];

                hash_name(log->algs[i].hash, name);
                ctl_printf(out, " %s", name);
        }
        ctl_printf(out, "\n\n");
}

static int print_text(const VtpmEventLog *log, const VtpmPcrValues *pcrs, CtlOutput *out, Error *e) {
        int r;

        print_header(log, out);
        r = print_events(*log, pcrs->hash, out, e);
        if (r < 0)
                return r;
        ctl_printf(out, "\nPCRs after these events, bank %s:\n", vtpm_hash_name(pcrs->hash));
        for (unsigned i = 0; i < VTPM_N_PCRS; i++) {
                char hex[2 * VTPM_DIGEST_MAX + 1];

                if (!(pcrs->mask & 1u << i))
                        continue;
                hex_encode_to(pcrs->values[i], vtpm_hash_size(pcrs->hash), hex);
                ctl_printf(out, "%5u %s\n", i, hex);
        }
        return 0;
}

static int event_json(const Line *line, json_object **ret) {
        AUTO_JSON json_object *o = json_object_new_object(), *digests = json_object_new_object();
        const VtpmEvent *event = &line->event;

        for (size_t i = 0; i < event->n_digests; i++) {
                char name[NAME_MAX_SIZE];

                hash_name(event->digests[i].hash, name);
                if (json_add_hex(digests, name, event->digests[i].bytes, event->digests[i].size) < 0)
                        return -ENOMEM;
        }
        if (json_add_u64(o, "number", event->number) < 0 || json_add_u64(o, "pcr", event->pcr) < 0 ||
            json_add_u64(o, "type", event->type) < 0 || json_add_str(o, "typeName", line->text.type) < 0 ||
            json_add_u64(o, "size", event->size) < 0 || json_add_take(o, "digests", TAKE_PTR(digests)) < 0 ||
            json_add_str(o, "digestOfData", vtpm_event_proof_name(line->text.proof)) < 0 ||
            json_add_str(o, "text", line->text.text) < 0)
                return -ENOMEM;
        *ret = TAKE_PTR(o);
        return 0;
}

static int events_json(VtpmEventLog log, uint16_t bank, json_object **ret, Error *e) {
        AUTO_JSON json_object *list = json_object_new_array();
        Line line;
        int r;

        if (!list)
                return error_oom(e);
        while ((r = next_line(&log, bank, &line, e)) > 0) {
                json_object *o = NULL;

                if (event_json(&line, &o) < 0)
                        return error_oom(e);
                if (json_object_array_add(list, o) < 0) {
                        (void) json_object_put(o);
                        return error_oom(e);
                }
        }
        if (r == 0)
                *ret = TAKE_PTR(list);
        return r;
}

static int pcrs_json(const VtpmPcrValues *pcrs, json_object **ret) {
        AUTO_JSON json_object *o = json_object_new_object();

        for (unsigned i = 0; i < VTPM_N_PCRS; i++) {
                char name[8];

                (void) snprintf(name, sizeof(name), "%u", i);
                if (pcrs->mask & 1u << i && json_add_hex(o, name, pcrs->values[i], vtpm_hash_size(pcrs->hash)) < 0)
                        return -ENOMEM;
        }
        *ret = TAKE_PTR(o);
        return *ret ? 0 : -ENOMEM;
}

static int print_json(const VtpmEventLog *log, const VtpmPcrValues *pcrs, CtlOutput *out, Error *e) {
        AUTO_JSON json_object *o = json_object_new_object(), *events = NULL, *values = NULL;
        char spec[32];
        int r = events_json(*log, pcrs->hash, &events, e);

        if (r < 0)
                return r;
        (void) snprintf(spec, sizeof(spec), "%u.%u.%u", log->spec_major, log->spec_minor, log->spec_errata);
        if (pcrs_json(pcrs, &values) < 0 ||
            json_add_str(o, "format", log->agile ? "crypto-agile" : "sha1") < 0 ||
            (log->agile && json_add_str(o, "version", spec) < 0) ||
            json_add_take(o, "events", TAKE_PTR(events)) < 0 ||
            json_add_str(o, "bank", vtpm_hash_name(pcrs->hash)) < 0 ||
            json_add_take(o, "pcrs", TAKE_PTR(values)) < 0)
                return error_oom(e);
        return ctl_output_set_json(out, TAKE_PTR(o), e);
}

static int run_log(const CtlCall *call, CtlOutput *out, Error *e) {
        AUTO_BLOB Blob bytes = {};
        VtpmPcrValues pcrs;
        VtpmEventLog log;
        uint16_t bank = 0;
        int r;

        r = file_read(call->operands[0], VTPM_EVENT_LOG_MAX, &bytes, e);
        if (r < 0)
                return r;
        r = vtpm_event_log_open(bytes.data, bytes.size, &log, e);
        if (r < 0) {
                error_prefix(e, "%s", call->operands[0]);
                return r;
        }
        r = choose_bank(call->args, &log, &bank, e);
        if (r < 0)
                return r;
        r = vtpm_event_log_replay(&log, bank, &pcrs, e);
        if (r < 0)
                return r;
        return out->want_json ? print_json(&log, &pcrs, out, e) : print_text(&log, &pcrs, out, e);
}

const CtlVerb ctl_verb_tpm_log = {
        .name = "tpm log",
        .operands = "FILE",
        .n_operands = 1,
        .summary = "Show a firmware event log and the PCR values it leads to",
        .details = "\nThe kernel has it in /sys/kernel/security/tpm0/binary_bios_measurements. A log is what\n"
                   "somebody wrote: only a quote of PCRs with these values makes its digests facts. The digest\n"
                   "'matches' when it is the hash of what the event says, 'differs' when it should be and is\n"
                   "not, and is 'unknown' when it is of something that is not in the log.\n",
        .options = { options, N_ELEMENTS(options) },
        .args_size = sizeof(LogArgs),
        .run = run_log,
};
