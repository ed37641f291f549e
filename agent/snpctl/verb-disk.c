/* SPDX-License-Identifier: Apache-2.0 */

/* `snpctl disk enroll`: gathers the two keys and the paths; what is done to the volume is in enroll.c. */

#include <errno.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <unistd.h>

#include "agent/snpctl/enroll.h"
#include "agent/snpctl/passphrase.h"
#include "agent/snpctl/secret-file.h"
#include "agent/snpctl/verbs.h"
#include "base/json.h"
#include "base/text.h"

typedef struct EnrollArgs {
        const char *resource, *unlock_key_file, *key_file, *new_key_out;
        bool replace, force;
} EnrollArgs;

#define AT(member) offsetof(EnrollArgs, member)
static const CtlOption options[] = {
        { "resource", "REPO/TYPE/TAG", "what the broker will be asked for", CTL_TEXT, AT(resource) },
        { "key-file", "FILE", "the key that the broker will release, byte for byte", CTL_TEXT, AT(key_file) },
        { "new-key-out", "FILE", "make a new key and write it to this new file, on tmpfs", CTL_TEXT, AT(new_key_out) },
        { "unlock-key-file", "FILE", "opens the volume now; asked for on the terminal by default", CTL_TEXT,
          AT(unlock_key_file) },
        { "replace", NULL, "replace an earlier token for the resource; destroys its keyslots", CTL_FLAG, AT(replace) },
        { "force", NULL, "let --new-key-out write to a disk", CTL_FLAG, AT(force) },
};

static int check_args(const EnrollArgs *args, Error *e) {
        if (!args->resource)
                return ctl_usage(e, "--resource is missing");
        if (!text_is_resource_path(args->resource))
                return ctl_usage(e, "'%.80s' is no resource path (repository/type/tag)", args->resource);
        if (!args->key_file == !args->new_key_out)
                return ctl_usage(e, "either --key-file or --new-key-out is needed");
        if (!args->unlock_key_file && !isatty(STDIN_FILENO))
                return ctl_usage(e, "--unlock-key-file is missing, and standard input is no terminal to ask at");
        return 0;
}

static int get_unlock_key(const EnrollArgs *args, const char *device, Secret *ret, Error *e) {
        char prompt[300];

        if (args->unlock_key_file)
                return ctl_secret_read(args->unlock_key_file, ret, e);
        (void) snprintf(prompt, sizeof(prompt), "Passphrase that opens %.200s now: ", device);
        return passphrase_ask(STDIN_FILENO, prompt, ret, e);
}

/* The new key reaches its file before the volume depends on it. */
static int make_key(const EnrollArgs *args, SecretFile *ret_file, Secret *ret, Error *e) {
        AUTO_SECRET_FILE SecretFile file = SECRET_FILE_NONE;
        AUTO_SECRET Secret key = {};
        int r = secret_alloc(ENROLL_KEY_SIZE, &key, e);

        if (r < 0)
                return r;
        if (RAND_priv_bytes(key.bytes, ENROLL_KEY_SIZE) != 1)
                return error_set(e, -EIO, "random", "No random bytes to be had for a key");
        r = secret_file_create(args->new_key_out, args->force, &file, e);
        if (r == 0)
                r = secret_file_write(&file, &key, e);
        if (r < 0)
                return r;
        *ret = secret_take(&key);
        *ret_file = file;
        file = SECRET_FILE_NONE;
        return 0;
}

static int get_keys(const EnrollArgs *args, const char *device, Secret *ret_unlock, SecretFile *ret_file,
                    Secret *ret_key, Error *e) {
        int r = get_unlock_key(args, device, ret_unlock, e);

        if (r < 0)
                return r;
        return args->key_file ? ctl_secret_read(args->key_file, ret_key, e) : make_key(args, ret_file, ret_key, e);
}

static int keyslots_to_json(uint32_t keyslots, json_object **ret) {
        AUTO_JSON json_object *list = json_object_new_array();

        for (int i = 0; i < 32; i++) {
                AUTO_JSON json_object *n = json_object_new_int(i);

                if (!list || !n)
                        return -ENOMEM;
                if (!(keyslots & UINT32_C(1) << i))
                        continue;
                if (json_object_array_add(list, n) < 0)
                        return -ENOMEM;
                n = NULL;
        }
        *ret = TAKE_PTR(list);
        return 0;
}

static int print_json(const EnrollRequest *q, const EnrollResult *result, CtlOutput *out, Error *e) {
        AUTO_JSON json_object *o = json_object_new_object(), *removed = NULL;

        if (keyslots_to_json(result->removed_keyslots, &removed) < 0 || json_add_str(o, "device", q->device) < 0 ||
            json_add_str(o, "uuid", result->uuid) < 0 || json_add_str(o, "resource", q->resource) < 0 ||
            json_add_u64(o, "keyslot", (uint64_t) result->keyslot) < 0 ||
            json_add_u64(o, "token", (uint64_t) result->token) < 0 ||
            json_add_take(o, "removed_keyslots", TAKE_PTR(removed)) < 0)
                return error_oom(e);
        return ctl_output_set_json(out, TAKE_PTR(o), e);
}

static void print_text(const EnrollArgs *args, const EnrollRequest *q, const EnrollResult *result, CtlOutput *out) {
        ctl_printf(out, "%s (UUID %s): keyslot %d opens with the key of %s, token %d says so.\n", q->device,
                   result->uuid, result->keyslot, q->resource, result->token);
        for (int i = 0; i < 32; i++)
                if (result->removed_keyslots & UINT32_C(1) << i)
                        ctl_printf(out, "Keyslot %d of the earlier enrolment was destroyed.\n", i);
        if (args->new_key_out)
                ctl_printf(out, "The new key is in %s: give it to the broker, then remove the file.\n",
                           args->new_key_out);
}

static int run_enroll(const CtlCall *call, CtlOutput *out, Error *e) {
        const EnrollArgs *args = call->args;
        AUTO_SECRET_FILE SecretFile file = SECRET_FILE_NONE;
        AUTO_SECRET Secret unlock = {}, key = {};
        const EnrollRequest request = {
                .device = call->operands[0],
                .resource = args->resource,
                .unlock = &unlock,
                .key = &key,
                .replace = args->replace,
        };
        EnrollResult result = {};
        int r;

        r = check_args(args, e);
        if (r == 0)
                r = secret_protect_process(e);
        if (r == 0)
                r = get_keys(args, request.device, &unlock, &file, &key, e);
        if (r == 0)
                r = enroll_volume(&request, &result, e);
        if (r < 0)
                return r;
        secret_file_keep(&file); /* from here on the volume depends on it */
        if (result.leftover.code < 0)
                return error_set(e, result.leftover.code, result.leftover.reason, "%s", result.leftover.text);
        if (out->want_json)
                return print_json(&request, &result, out, e);
        print_text(args, &request, &result, out);
        return 0;
}

const CtlVerb ctl_verb_disk_enroll = {
        .name = "disk enroll",
        .operands = "DEVICE",
        .n_operands = 1,
        .summary = "Make a LUKS2 volume open with a key from the broker",
        .details = "\nAdds a keyslot for the key, tries it, and then adds a token of type snp-agent that names the\n"
                   "resource. When something fails the volume is left as it was. DEVICE may be an image file.\n",
        .options = { options, N_ELEMENTS(options) },
        .args_size = sizeof(EnrollArgs),
        .run = run_enroll,
};
