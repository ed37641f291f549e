/* SPDX-License-Identifier: Apache-2.0 */

/* `snpctl status` and `snpctl attest`: the agent answers both with the same JSON object. */

#include <errno.h>
#include <json-c/linkhash.h>
#include <stdio.h>
#include <string.h>

#include "agent/snpctl/agent-call.h"
#include "agent/snpctl/verbs.h"
#include "base/json.h"

#define NAME_MAX_BYTES 120

typedef struct StatusArgs {
        const char *socket;
} StatusArgs;

static const CtlOption options[] = {
        { "socket", "PATH", "the agent's socket (" WIRE_AGENT_SOCKET ")", CTL_TEXT, offsetof(StatusArgs, socket) },
};

/* The agent is ours, but what it quotes may come from a broker or the host: nothing may drive the terminal. */
static void make_printable(char *text) {
        for (; *text; text++)
                if (*text < 0x20 || *text > 0x7e)
                        *text = '?';
}

static int add_leaf(CtlTable *table, const char *name, json_object *value, Error *e) {
        const char *shown = value ? json_object_get_string(value) : "-";
        AUTO_FREE char *copy = shown ? strdup(shown) : NULL;

        if (!copy)
                return error_oom(e);
        make_printable(copy);
        return ctl_table_add(table, (const char *const[]){ name, copy }, e);
}

static int add_rows(CtlTable *table, const char *prefix, json_object *value, Error *e);

static int add_child(CtlTable *table, const char *prefix, const char *name, json_object *value, Error *e) {
        char path[NAME_MAX_BYTES];

        (void) snprintf(path, sizeof(path), "%s%s%s", prefix, *prefix ? "." : "", name);
        make_printable(path);
        return add_rows(table, path, value, e);
}

/* One row for each value, named by its path. Recursion is bounded by JSON_DEPTH_MAX. */
static int add_rows(CtlTable *table, const char *prefix, json_object *value, Error *e) {
        int r = 0;

        if (json_object_is_type(value, json_type_object)) {
                json_object_object_foreach(value, name, member) {
                        r = add_child(table, prefix, name, member, e);
                        if (r < 0)
                                return r;
                }
                return 0;
        }
        if (!json_object_is_type(value, json_type_array))
                return add_leaf(table, prefix, value, e);
        for (size_t i = 0; i < json_object_array_length(value) && r == 0; i++) {
                char index[24];

                (void) snprintf(index, sizeof(index), "%zu", i);
                r = add_child(table, prefix, index, json_object_array_get_idx(value, i), e);
        }
        return r;
}

static int show(json_object *status, CtlOutput *out, Error *e) {
        static const char *const columns[] = { "NAME", "VALUE" };
        CLEANUP(ctl_table_freep) CtlTable *table = NULL;
        int r;

        r = ctl_table_new(columns, N_ELEMENTS(columns), &table, e);
        if (r < 0)
                return r;
        r = add_rows(table, "", status, e);
        if (r < 0)
                return r;
        return ctl_table_print(table, out, e);
}

static int ask(uint16_t type, const char *socket, json_object **ret, Error *e) {
        Deadline deadline = deadline_in(CTL_AGENT_TIMEOUT_USEC);
        AUTO_JSON json_object *answer = NULL;
        AUTO_BLOB Blob body = {};
        AUTO_FD int fd = -1;
        int r;

        r = ctl_agent_connect(socket, deadline, &fd, e);
        if (r < 0)
                return r;
        r = wire_call(fd, type, NULL, 0, deadline, &body, e);
        if (r < 0)
                return r;
        r = json_parse(body.data, body.size, "the agent's answer", &answer, e);
        if (r < 0)
                return r;
        if (!json_object_is_type(answer, json_type_object))
                return error_set(e, -EBADMSG, "agent-answer", "The agent's answer is not a JSON object");
        *ret = TAKE_PTR(answer);
        return 0;
}

static int run(uint16_t type, const CtlCall *call, CtlOutput *out, Error *e) {
        const StatusArgs *args = call->args;
        AUTO_JSON json_object *status = NULL;
        int r = ask(type, args->socket, &status, e);

        if (r < 0)
                return r;
        if (out->want_json)
                return ctl_output_set_json(out, TAKE_PTR(status), e);
        return show(status, out, e);
}

static int run_status(const CtlCall *call, CtlOutput *out, Error *e) {
        return run(WIRE_STATUS, call, out, e);
}

static int run_attest(const CtlCall *call, CtlOutput *out, Error *e) {
        return run(WIRE_ATTEST, call, out, e);
}

const CtlVerb ctl_verb_status = {
        .name = "status",
        .summary = "Show what the agent knows about platform, broker and session",
        .options = { options, N_ELEMENTS(options) },
        .args_size = sizeof(StatusArgs),
        .run = run_status,
};

const CtlVerb ctl_verb_attest = {
        .name = "attest",
        .summary = "Have the agent prove this guest to the broker now, and show the outcome",
        .options = { options, N_ELEMENTS(options) },
        .args_size = sizeof(StatusArgs),
        .run = run_attest,
};
