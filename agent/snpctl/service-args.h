/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Asking an SVSM about its services from a command line, and showing what it says. */

#include <json-c/json_object.h>

#include "agent/snpctl/args.h"
#include "agent/snpctl/output.h"
#include "base/blob.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "snp/device.h"

typedef struct ServiceArgs {
        const char *service, *version, *manifest_out;
} ServiceArgs;

/* Rows for a verb's table of options; @type is the struct of its arguments and @member the ServiceArgs in it. */
#define SERVICE_OPTIONS(type, member)                                                                                  \
        { "service", "NAME", "ask the SVSM about its service: vtpm, uefi-mm, all, or a GUID", CTL_TEXT,                \
          offsetof(type, member.service) },                                                                            \
        { "manifest-version", "N", "of that service's manifest: 0 (default) or 1", CTL_TEXT,                           \
          offsetof(type, member.version) },                                                                            \
        { "manifest-out", "FILE", "also write the manifest to this file", CTL_TEXT,                                    \
          offsetof(type, member.manifest_out) }

/* Service and version into @ret; its nonce is left alone. 0; -EINVAL with reason "usage". */
WARN_UNUSED int service_args_read(const ServiceArgs *args, SnpServiceRequest *ret, Error *e);

/*
 * What the manifest says, each service with its keys or flags. A key that is not understood is shown by its size alone.
 * 0; -ENOMEM; as snp_svsm_services_parse() and its like when the manifest is not of the form it must have.
 */
WARN_UNUSED int service_to_json(const SnpServiceRequest *q, const Blob *manifest, json_object **ret, Error *e);
WARN_UNUSED int service_print(const SnpServiceRequest *q, const Blob *manifest, CtlOutput *out, Error *e);
