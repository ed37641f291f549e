/* SPDX-License-Identifier: Apache-2.0 */
#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void make_printable(char *text) {
        for (char *p = text; *p; p++)
                if (*p < 0x20 || *p > 0x7e)
                        *p = '?';
}

int error_set(Error *e, int code, const char *reason, const char *fmt, ...) {
        if (e && e->code == 0) {
                va_list ap;

                e->code = code;
                e->reason = reason;
                va_start(ap, fmt);
                (void) vsnprintf(e->text, sizeof(e->text), fmt, ap);
                va_end(ap);
                make_printable(e->text);
        }
        return code;
}

void error_prefix(Error *e, const char *fmt, ...) {
        char old[ERROR_TEXT_MAX];
        va_list ap;
        int n;

        if (!e || e->code == 0)
                return;
        (void) memcpy(old, e->text, sizeof(old));
        va_start(ap, fmt);
        n = vsnprintf(e->text, sizeof(e->text), fmt, ap);
        va_end(ap);
        if (n < 0 || (size_t) n >= sizeof(e->text))
                n = (int) strlen(e->text);
        (void) snprintf(e->text + n, sizeof(e->text) - (size_t) n, ": %s", old);
        make_printable(e->text);
}

int error_oom(Error *e) {
        return error_set(e, -ENOMEM, "out-of-memory", "Out of memory");
}

const char *error_text(const Error *e, int code) {
        if (e && e->code != 0 && e->text[0])
                return e->text;
        if (code >= 0)
                return "Success";
        const char *known = strerrordesc_np(-code);
        return known ? known : "Unknown error";
}

const char *error_reason(const Error *e, int code) {
        if (e && e->code != 0 && e->reason)
                return e->reason;
        switch (code) {
        case -ENOMEM:
                return "out-of-memory";
        case -ETIMEDOUT:
                return "timeout";
        case -EBADMSG:
                return "malformed";
        default:
                return "failed";
        }
}
