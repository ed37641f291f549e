/* SPDX-License-Identifier: Apache-2.0 */

/* `snpctl key derive`: from the firmware through locked memory to a file or standard output, and nowhere else. */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/snpctl/device-args.h"
#include "agent/snpctl/key-args.h"
#include "agent/snpctl/secret-file.h"
#include "agent/snpctl/verbs.h"
#include "agent/wire/bodies-key.h"
#include "base/json.h"

typedef struct DeriveArgs {
        KeyArgs key;
        const char *device, *attester, *out;
        bool force;
} DeriveArgs;

#define AT(member) offsetof(DeriveArgs, member)
static const CtlOption options[] = {
        { "fields", "LIST", "what to mix in, separated by commas, or none", CTL_TEXT, AT(key.fields) },
        { "root", "KEY", "vcek, of the chip (default), or vmrk, of the guest", CTL_TEXT, AT(key.root) },
        { "guest-svn", "N", "with the field guest-svn: at most that of the launch", CTL_TEXT, AT(key.guest_svn) },
        { "tcb", "0xHEX", "with the field tcb-version: at most the committed one", CTL_TEXT, AT(key.tcb) },
        { "vmpl", "N", "0 to 3, at least the kernel's own, which is the default", CTL_TEXT, AT(key.vmpl) },
        { "out", "FILE", "write it to this new file, on tmpfs or ramfs", CTL_TEXT, AT(out) },
        { "force", NULL, "also write to a terminal, or to a disk", CTL_FLAG, AT(force) },
        { "device", "PATH", "ioctl device (" DEVICE_ARGS_DEVICE ")", CTL_TEXT, AT(device) },
        { "attester", "SOCKET", "ask snp-attesterd there instead", CTL_TEXT, AT(attester) },
};

static int check_args(const DeriveArgs *args, bool json, Error *e) {
        if (args->device && args->attester)
                return ctl_usage(e, "--device and --attester exclude each other");
        if (json && !args->out)
                return ctl_usage(e, "--json needs --out: a secret is never part of a JSON object");
        if (!args->out && !args->force && isatty(STDOUT_FILENO))
                return ctl_usage(e, "standard output is a terminal; use --out, a pipe, or --force");
        return 0;
}

static int ask_device(const char *path, const SnpKeyRequest *q, Secret *ret, Error *e) {
        CLEANUP(snp_device_freep) SnpDevice *device = NULL;
        int r = snp_device_open_ioctl(path ? path : DEVICE_ARGS_DEVICE, &device, e);

        return r < 0 ? r : snp_device_derive_key(device, q, deadline_in(DEVICE_ARGS_TIMEOUT_USEC), ret, e);
}

static int ask_attester(const char *socket, const SnpKeyRequest *q, Secret *ret, Error *e) {
        Deadline deadline = deadline_in(DEVICE_ARGS_TIMEOUT_USEC);
        WireKeyRequest request = { .root = q->root, .fields = q->fields, .vmpl = q->vmpl, .guest_svn = q->guest_svn,
                                   .tcb = q->tcb, .deadline_msec = DEVICE_ARGS_TIMEOUT_USEC / USEC_PER_MSEC };
        AUTO_BLOB Blob body = {};
        AUTO_FD int fd = -1;
        int r = wire_key_request_encode(&request, &body);

        if (r < 0)
                return error_oom(e);
        r = wire_connect(socket, deadline, &fd, e);
        if (r == 0)
                r = wire_call_secret(fd, WIRE_DERIVE_KEY, body.data, body.size, deadline, ret, e);
        if (r == 0 && ret->len != SNP_DERIVED_KEY_SIZE)
                return error_set(e, -EPROTO, "key-size", "snp-attesterd gave a key of %zu bytes", ret->len);
        return r;
}

static void warn(const SnpKeyRequest *q) {
        const char *text;

        for (size_t i = 0; (text = key_args_warning(q, i)); i++)
                (void) fprintf(stderr, "snpctl: key derive: note: %s\n", text);
}

static int list_fields(const SnpKeyRequest *q, json_object **ret) {
        AUTO_JSON json_object *list = json_object_new_array();
        const char *name;

        for (unsigned bit = 0; (name = snp_key_field_name(bit)); bit++)
                if (list && q->fields >> bit & 1 && json_object_array_add(list, json_object_new_string(name)) < 0)
                        return -ENOMEM;
        *ret = TAKE_PTR(list);
        return *ret ? 0 : -ENOMEM;
}

static int list_warnings(const SnpKeyRequest *q, json_object **ret) {
        AUTO_JSON json_object *list = json_object_new_array();
        const char *text;

        for (size_t i = 0; (text = key_args_warning(q, i)); i++)
                if (list && json_object_array_add(list, json_object_new_string(text)) < 0)
                        return -ENOMEM;
        *ret = TAKE_PTR(list);
        return *ret ? 0 : -ENOMEM;
}

static int describe(CtlOutput *out, const SnpKeyRequest *q, const char *file, size_t size, Error *e) {
        AUTO_JSON json_object *o = json_object_new_object(), *fields = NULL, *warnings = NULL;
        char tcb[24], vmpl[16] = "auto";
        int bad;

        (void) snprintf(tcb, sizeof(tcb), "0x%016" PRIx64, q->tcb);
        if (q->vmpl != SNP_VMPL_AUTO)
                (void) snprintf(vmpl, sizeof(vmpl), "%u", q->vmpl);
        if (list_fields(q, &fields) < 0 || list_warnings(q, &warnings) < 0)
                return error_oom(e);
        bad = json_add_str(o, "root", snp_root_key_name(q->root));
        bad |= json_add_take(o, "fields", TAKE_PTR(fields));
        bad |= json_add_str(o, "vmpl", vmpl);
        if (q->fields & SNP_KEY_GUEST_SVN)
                bad |= json_add_u64(o, "guest_svn", q->guest_svn);
        if (q->fields & SNP_KEY_TCB_VERSION)
                bad |= json_add_str(o, "tcb", tcb);
        bad |= json_add_str(o, "file", file);
        bad |= json_add_u64(o, "size", size);
        bad |= json_add_take(o, "warnings", TAKE_PTR(warnings));
        return bad < 0 ? error_oom(e) : ctl_output_set_json(out, TAKE_PTR(o), e);
}

static int run_key_derive(const CtlCall *call, CtlOutput *out, Error *e) {
        const DeriveArgs *args = call->args;
        AUTO_SECRET_FILE SecretFile file = SECRET_FILE_NONE;
        AUTO_SECRET Secret key = {};
        SnpKeyRequest q;
        int r;

        r = check_args(args, out->want_json, e);
        if (r == 0)
                r = key_args_parse(&args->key, &q, e);
        if (r == 0)
                r = secret_protect_process(e);
        if (r == 0 && args->out)
                r = secret_file_create(args->out, args->force, &file, e);
        if (r == 0)
                r = args->attester ? ask_attester(args->attester, &q, &key, e) : ask_device(args->device, &q, &key, e);
        if (r < 0)
                return r;
        if (!out->want_json)
                warn(&q);
        if (!args->out)
                return secret_write_fd(STDOUT_FILENO, &key, e);
        r = secret_file_write(&file, &key, e);
        if (r == 0 && out->want_json)
                r = describe(out, &q, args->out, key.len, e);
        if (r == 0)
                secret_file_keep(&file);
        return r;
}

const CtlVerb ctl_verb_key_derive = {
        .name = "key derive",
        .summary = "Have the firmware derive a key for this guest",
        .details = "The 32 bytes go to standard output as they are, or with --out to a new file of mode 0600.\n"
                   "\n"
                   "The same root key and the same properties give the same key, to every guest that has them:\n"
                   "  policy        the guest's policy: with it, a guest that may be debugged gets another key\n"
                   "  measurement   the launch digest: firmware, and what it measures\n"
                   "  image-id family-id\n"
                   "                of the ID block, which the host chooses unless its key is checked\n"
                   "  guest-svn tcb-version\n"
                   "                a version, at most the present one: later guests can still derive earlier keys\n"
                   "The VMPL is always mixed in. 'policy,measurement' is the safe choice where the guest is not updated.\n"
                   "configfs-tsm has no keys. Through snp-attesterd, DeriveKeyUser= in its configuration says who may ask.\n",
        .options = { options, N_ELEMENTS(options) },
        .args_size = sizeof(DeriveArgs),
        .run = run_key_derive,
};
