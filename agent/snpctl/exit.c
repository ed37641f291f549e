/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/snpctl/exit.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define USAGE "usage"

const char ctl_exit_help[] = "  0  done; for a verdict: accepted\n"
                             "  1  the answer is no: evidence rejected, access denied, header refused\n"
                             "  2  the command line makes no sense\n"
                             "  3  could not be done or judged: file, device, agent, broker, missing certificate\n";

CtlExit ctl_exit_of(int r, const Error *e) {
        switch (r) {
        case 0:
                return CTL_EXIT_OK;
        case -EPERM:
        case -EKEYREJECTED:
        case -ESTALE:
                return CTL_EXIT_NO;
        default:
                return strcmp(error_reason(e, r), USAGE) == 0 ? CTL_EXIT_USAGE : CTL_EXIT_FAILED;
        }
}

int ctl_usage(Error *e, const char *fmt, ...) {
        char text[ERROR_TEXT_MAX];
        va_list ap;

        va_start(ap, fmt);
        (void) vsnprintf(text, sizeof(text), fmt, ap);
        va_end(ap);
        return error_set(e, -EINVAL, USAGE, "%s", text);
}
