/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Exit statuses of snpctl and its helpers, all verbs alike; --help prints them from the table in exit.c. */

#include <stddef.h>

#include "base/error.h"

typedef enum CtlExit {
        CTL_EXIT_OK = 0,     /* done; for a verdict: yes */
        CTL_EXIT_NO = 1,     /* the answer is no: evidence rejected, access denied, header refused */
        CTL_EXIT_USAGE = 2,  /* the command line makes no sense */
        CTL_EXIT_FAILED = 3, /* could not be done or judged: file, device, agent, broker, missing certificate */
} CtlExit;

/* The status for a failure @r whose details are in @e. */
CtlExit ctl_exit_of(int r, const Error *e);

/* "  0  done ..." lines for --help. */
extern const char ctl_exit_help[];

/* Records a mistake on the command line. Return: -EINVAL. */
int ctl_usage(Error *e, const char *fmt, ...) __attribute__((__format__(__printf__, 2, 3)));
