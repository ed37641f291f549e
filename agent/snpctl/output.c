/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/snpctl/output.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"

CtlOutput ctl_output_init(bool want_json) {
        return (CtlOutput){ .want_json = want_json, .text = wr_init(CTL_OUTPUT_MAX) };
}

void ctl_output_done(CtlOutput *out) {
        if (out->json)
                (void) json_object_put(out->json);
        out->json = NULL;
        wr_done(&out->text);
}

void ctl_printf(CtlOutput *out, const char *fmt, ...) {
        AUTO_FREE char *text = NULL;
        va_list ap;
        int n;

        va_start(ap, fmt);
        n = vasprintf(&text, fmt, ap);
        va_end(ap);
        if (n < 0) {
                text = NULL;
                out->text.error = -ENOMEM;
                return;
        }
        wr_str(&out->text, text);
}

int ctl_output_set_json(CtlOutput *out, json_object *json, Error *e) {
        if (!json)
                return error_oom(e);
        if (out->json)
                (void) json_object_put(out->json);
        out->json = json;
        return 0;
}

static int write_json(json_object *json, Error *e) {
        const int style = JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE;
        const char *text = json_object_to_json_string_ext(json, style);
        AUTO_FREE char *line = NULL;

        if (!text || asprintf(&line, "%s\n", text) < 0) {
                line = NULL;
                return error_oom(e);
        }
        return file_write_fd(STDOUT_FILENO, "standard output", line, strlen(line), e);
}

int ctl_output_write(CtlOutput *out, Error *e) {
        AUTO_BLOB Blob text = {};
        int r;

        if (out->json)
                return write_json(out->json, e);
        r = wr_finish(&out->text, &text);
        if (r < 0)
                return error_set(e, r, "output", "The output cannot be put together: %s", error_text(NULL, r));
        return file_write_fd(STDOUT_FILENO, "standard output", text.data, text.size, e);
}

static int error_to_json(int r, const Error *e, json_object **ret) {
        AUTO_JSON json_object *outer = json_object_new_object(), *inner = json_object_new_object();
        int k;

        k = json_add_str(inner, "reason", error_reason(e, r));
        if (k == 0)
                k = json_add_str(inner, "message", error_text(e, r));
        if (k == 0)
                k = json_add_take(outer, "error", TAKE_PTR(inner));
        if (k == 0)
                *ret = TAKE_PTR(outer);
        return k;
}

void ctl_output_fail(bool want_json, const char *verb, int r, const Error *e) {
        AUTO_JSON json_object *json = NULL;

        (void) fprintf(stderr, "snpctl: %s%s%s\n", verb, *verb ? ": " : "", error_text(e, r));
        /* A failure to tell the failure has nobody left to be told to. */
        if (want_json && error_to_json(r, e, &json) == 0 && write_json(json, NULL) < 0)
                return;
}
