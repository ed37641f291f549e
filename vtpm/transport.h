/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The way to the TPM: a TCTI module, loaded into a process of its own, behind a TCTI of ours whose
 * time-outs hold. For context.c alone.
 *
 * A TCTI module may block for as long as it likes: in tpm2-tss 3.2 the swtpm and mssim modules ignore the
 * time-out of receive, and even the device module, which honours it, blocks in close(2) until the kernel's
 * driver is through with the command (minutes, by its own time-outs). Nothing in our process can cut that
 * short; but a process can be killed, or left behind. It shuttles commands and responses and knows nothing
 * of either.
 */

#include <tss2/tss2_tcti.h>

#include "base/cleanup.h"
#include "base/deadline.h"
#include "base/error.h"

typedef struct VtpmTransport VtpmTransport;

/**
 * vtpm_transport_open() - start the process and wait until its module has reached the TPM
 * @tcti: "MODULE:CONFIGURATION"
 *
 * The calling process must be single-threaded (this forks) and must not reap children it does not know.
 *
 * Return: 0; -ETIMEDOUT; -ENODEV the TPM cannot be reached, or there is no such module; -EACCES no right
 * to; -EINVAL the module does not like its configuration; -ENOMEM; -EIO.
 */
WARN_UNUSED int vtpm_transport_open(const char *tcti, Deadline deadline, VtpmTransport **ret, Error *e);

/* Waits a moment for the TPM to be closed, then kills. Never waits longer than VTPM_TRANSPORT_CLOSE_USEC. */
#define VTPM_TRANSPORT_CLOSE_USEC (500 * USEC_PER_MSEC)
void vtpm_transport_free(VtpmTransport *transport);
DEFINE_CLEANUP(VtpmTransport *, vtpm_transport_free);

/* From now on the module is presumed stuck: freeing the transport kills it without waiting. */
void vtpm_transport_give_up(VtpmTransport *transport);

/* The TCTI to hand to ESAPI; valid as long as @transport. */
TSS2_TCTI_CONTEXT *vtpm_transport_tcti(VtpmTransport *transport);
