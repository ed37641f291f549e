/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The part of `snpctl measure` that finds out why a digest is another one. */

#include <json-c/json_object.h>

#include "agent/snpctl/args.h"
#include "agent/snpctl/launch-input.h"
#include "agent/snpctl/output.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "snp/launch/explain.h"

typedef struct ExplainArgs {
        const char *kernels, *initrds, *firmwares, *appends, *max_vcpus, *max_changes;
} ExplainArgs;

#define EXPLAIN_OPTIONS(type, member)                                                                                  \
        { "kernels", "DIR", "try the kernels of this folder", CTL_TEXT, offsetof(type, member.kernels) },              \
        { "initrds", "DIR", "try the initrds of this folder", CTL_TEXT, offsetof(type, member.initrds) },              \
        { "firmwares", "DIR", "try the firmware images of this folder", CTL_TEXT, offsetof(type, member.firmwares) },  \
        { "appends", "FILE", "try the command lines in this file, one a line", CTL_TEXT,                               \
          offsetof(type, member.appends) },                                                                            \
        { "max-vcpus", "N", "try up to so many vCPUs (512)", CTL_TEXT, offsetof(type, member.max_vcpus) },             \
        { "max-changes", "N", "1 or 2 (default)", CTL_TEXT, offsetof(type, member.max_changes) }

bool explain_args_are_given(const ExplainArgs *args);

typedef struct Explained {
        SnpExplainResult result;
        double seconds;
} Explained;

/* 0 also when nothing is found; -EINVAL with reason "usage"; else as snp_explain() and reading files. */
WARN_UNUSED int explain(const ExplainArgs *args, const LaunchInput *in, const uint8_t want[static SNP_LD_SIZE],
                        Explained *ret, Error *e);

WARN_UNUSED int explained_to_json(const Explained *x, json_object **ret);
WARN_UNUSED int explained_print(const Explained *x, CtlOutput *out, Error *e);
