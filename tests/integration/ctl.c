/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/integration/ctl.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"

static const char *program;

void ctl_set_program(const char *path) {
        program = path;
}

static Spawn command(const char *const *args) {
        Spawn s = { .argv = { program } };

        for (size_t i = 0; args[i]; i++) {
                ck_assert_uint_lt(i + 2, SPAWN_MAX_ARGS);
                s.argv[i + 1] = args[i];
        }
        return s;
}

SpawnResult ctl_run(const char *const *args) {
        Spawn s = command(args);

        return spawn_run(&s);
}

SpawnResult ctl_run_at_terminal(const char *const *args, const char *typed) {
        Spawn s = command(args);

        s.terminal = true;
        s.typed = typed;
        return spawn_run(&s);
}

json_object *ctl_json(const SpawnResult *r) {
        json_object *o = NULL;
        Error e = {};

        ck_assert_uint_gt(r->out_size, 0);
        ck_assert_int_eq(r->out[r->out_size - 1], '\n');
        ck_assert_msg(json_parse(r->out, r->out_size, "output", &o, &e) == 0, "%s: %s", e.text, r->out);
        ck_assert(json_object_is_type(o, json_type_object));
        return o;
}

const char *ctl_str(json_object *o, const char *path) {
        char name[64];

        for (;;) {
                size_t n = strcspn(path, ".");

                (void) snprintf(name, sizeof(name), "%.*s", (int) n, path);
                ck_assert_msg(json_object_object_get_ex(o, name, &o), "there is no %s", path);
                if (!path[n])
                        break;
                path += n + 1;
        }
        ck_assert(json_object_is_type(o, json_type_string));
        return json_object_get_string(o);
}

void ctl_expect_failure(const SpawnResult *r, int status, const char *says) {
        ck_assert_msg(r->status == status, "status %d instead of %d: %s", r->status, status, r->err);
        ck_assert_str_eq(r->out, "");
        ck_assert_msg(strncmp(r->err, "snpctl: ", 8) == 0 && strstr(r->err, says), "'%s' does not tell '%s'", r->err,
                      says);
        ck_assert_ptr_eq(strchr(r->err, '\n'), r->err + r->err_size - 1); /* one line */
}
