/* SPDX-License-Identifier: Apache-2.0 */

/* `snpctl secret get`: from the agent's socket through locked memory to standard output or a file, and nowhere else. */

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "agent/snpctl/agent-call.h"
#include "agent/snpctl/secret-file.h"
#include "agent/snpctl/verbs.h"
#include "base/json.h"
#include "base/text.h"

typedef struct SecretArgs {
        const char *socket, *out;
        bool force;
} SecretArgs;

static const CtlOption options[] = {
        { "out", "FILE", "write it to this new file, on tmpfs or ramfs", CTL_TEXT, offsetof(SecretArgs, out) },
        { "force", NULL, "also write to a terminal, or to a disk", CTL_FLAG, offsetof(SecretArgs, force) },
        { "socket", "PATH", "the agent's socket (" WIRE_AGENT_SOCKET ")", CTL_TEXT, offsetof(SecretArgs, socket) },
};

static int check_args(const SecretArgs *args, const char *path, bool json, Error *e) {
        if (!text_is_resource_path(path))
                return ctl_usage(e, "'%.80s' is no resource path (repository/type/tag)", path);
        if (json && !args->out)
                return ctl_usage(e, "--json needs --out: a secret is never part of a JSON object");
        if (!args->out && !args->force && isatty(STDOUT_FILENO))
                return ctl_usage(e, "standard output is a terminal; use --out, a pipe, or --force");
        return 0;
}

static int fetch(const char *socket, const char *path, Secret *ret, Error *e) {
        Deadline deadline = deadline_in(CTL_AGENT_TIMEOUT_USEC);
        AUTO_FD int fd = -1;
        int r = ctl_agent_connect(socket, deadline, &fd, e);

        if (r < 0)
                return r;
        return wire_call_secret(fd, WIRE_RESOURCE, path, strlen(path), deadline, ret, e);
}

static int describe(CtlOutput *out, const char *resource, const char *file, size_t size, Error *e) {
        AUTO_JSON json_object *o = json_object_new_object();

        if (json_add_str(o, "resource", resource) < 0 || json_add_str(o, "file", file) < 0 ||
            json_add_u64(o, "size", size) < 0)
                return error_oom(e);
        return ctl_output_set_json(out, TAKE_PTR(o), e);
}

static int run_secret_get(const CtlCall *call, CtlOutput *out, Error *e) {
        const SecretArgs *args = call->args;
        AUTO_SECRET_FILE SecretFile file = SECRET_FILE_NONE;
        AUTO_SECRET Secret secret = {};
        int r;

        r = check_args(args, call->operands[0], out->want_json, e);
        if (r < 0)
                return r;
        r = secret_protect_process(e);
        if (r < 0)
                return r;
        r = args->out ? secret_file_create(args->out, args->force, &file, e) : 0;
        if (r < 0)
                return r;
        r = fetch(args->socket, call->operands[0], &secret, e);
        if (r < 0)
                return r;
        if (!args->out)
                return secret_write_fd(STDOUT_FILENO, &secret, e);
        r = secret_file_write(&file, &secret, e);
        if (r == 0 && out->want_json)
                r = describe(out, call->operands[0], args->out, secret.len, e);
        if (r == 0)
                secret_file_keep(&file);
        return r;
}

const CtlVerb ctl_verb_secret_get = {
        .name = "secret get",
        .operands = "REPO/TYPE/TAG",
        .n_operands = 1,
        .summary = "Fetch a resource from the broker",
        .details = "The bytes go to standard output as they are, or with --out to a new file of mode 0600.\n",
        .options = { options, N_ELEMENTS(options) },
        .args_size = sizeof(SecretArgs),
        .run = run_secret_get,
};
