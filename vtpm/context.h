/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * One connection to the TPM for one task: open, do, free. Not kept open between tasks, so that others can
 * use a TPM that has no resource manager, and so that a TPM which came back after a reset is seen afresh.
 *
 * The configuration names a TCTI module of tpm2-tss and its configuration, "device:/dev/tpmrm0" as a rule
 * (tpm2-tss, Tss2_TctiLdr_Initialize(3)). It is always explicit: left to itself the loader tries whatever
 * it finds, among it TPMs on the network.
 *
 * All commands of a context share one deadline, which holds even against a TPM or a driver that hangs: see
 * vtpm/transport.h for how. After a failure below the TPM (time-out, connection lost, garbage) the context
 * is of no more use and says so; open another.
 *
 * tpm2-tss writes warnings of its own to standard error. Programs that report errors themselves, as ours
 * do, run with TSS2_LOG=all+none in their environment (the service units set it).
 *
 * The calling process is single-threaded and ignores SIGPIPE or not, as it likes.
 */

#include "base/cleanup.h"
#include "base/deadline.h"
#include "base/error.h"

typedef struct VtpmContext VtpmContext;

/**
 * vtpm_context_open() - connect to a TPM
 * @tcti:     "MODULE:CONFIGURATION", both parts given
 * @deadline: for this and all that is done with the context
 *
 * Return: 0; -EINVAL @tcti is NULL, empty or not of that form; -ENODEV no TPM there; -EACCES no right to
 * it; -ETIMEDOUT; -ENOMEM; -EIO.
 */
WARN_UNUSED int vtpm_context_open(const char *tcti, Deadline deadline, VtpmContext **ret, Error *e);
void vtpm_context_free(VtpmContext *ctx);
DEFINE_CLEANUP(VtpmContext *, vtpm_context_free);
