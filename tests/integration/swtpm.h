/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A real TPM for a test: swtpm on Unix sockets in a private directory. Nothing of it is shared between two
 * of them, so tests run in parallel; it dies with the process that started it.
 */

#include <stdbool.h>
#include <sys/types.h>

#include "base/blob.h"
#include "base/cleanup.h"

typedef struct SwtpmOptions {
        const char *banks; /* as for swtpm_setup --pcr-banks; NULL: sha1,sha256,sha384,sha512 */
        bool no_startup;   /* leaves out TPM2_Startup: every command then answers TPM_RC_INITIALIZE */
} SwtpmOptions;

typedef struct Swtpm {
        char dir[64];  /* private; the test may put files of its own there */
        char path[96]; /* command socket; the control socket is PATH.ctrl */
        char tcti[128]; /* "swtpm:path=PATH" */
        pid_t pid;
} Swtpm;

/* False when swtpm or swtpm_setup is not installed: the test is to be skipped. */
bool swtpm_available(void);

/* @options may be NULL. 0, or -1 with the reason on standard error. Ready for commands when it returns. */
WARN_UNUSED int swtpm_start(const SwtpmOptions *options, Swtpm *ret);
void swtpm_stop(Swtpm *s); /* and removes the directory; idempotent */
/* Ends the TPM at once, as a crash would; the directory stays until swtpm_stop(). */
void swtpm_kill(Swtpm *s);

/* Runs a program (searched in PATH) with TPM2TOOLS_TCTI set, in the private directory. Its exit status, or -1. */
int swtpm_run(const Swtpm *s, const char *const argv[]);
bool program_available(const char *name);
