/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* snpctl as its users see it: arguments in, exit status, text or JSON out. */

#include <json-c/json_object.h>

#include "base/cleanup.h"
#include "tests/integration/spawn.h"

/* Path of the program, from main()'s arguments. */
void ctl_set_program(const char *path);

/* Runs snpctl with these arguments (ended by NULL) and nothing on standard input. */
SpawnResult ctl_run(const char *const *args);
#define CTL(...) ctl_run((const char *const[]){ __VA_ARGS__, NULL })

/* The same at a terminal, where @typed is typed when it asks; NULL: nothing. */
SpawnResult ctl_run_at_terminal(const char *const *args, const char *typed);

/* What it printed, which must be one JSON object and a newline, or the test fails. Owned by the caller. */
json_object *ctl_json(const SpawnResult *r);
/* A string member of it, found by the path "error.reason"; fails the test when there is none. */
const char *ctl_str(json_object *o, const char *path);

/* Fails the test unless it ended with @status, printed nothing and told @says on standard error. */
void ctl_expect_failure(const SpawnResult *r, int status, const char *says);
