/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * How the modules of this room call ESAPI. For vtpm/ alone: it brings in tpm2-tss' headers.
 */

#include <stdbool.h>
#include <stdint.h>

#include <tss2/tss2_esys.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "vtpm/context.h"
#include "vtpm/pcr_values.h"

ESYS_CONTEXT *vtpm_context_esys(VtpmContext *ctx);

/* One command: what it is called, how often it was sent, what came of it. */
typedef struct VtpmCall {
        VtpmContext *ctx;
        const char *what;
        unsigned n_sent;
        bool sent;
        bool timed_out;
        TSS2_RC rc;
} VtpmCall;

/**
 * VTPM_CALL() - run one command by its _Async and _Finish functions
 * @ctx:    the context; its deadline holds
 * @what:   name of the command, for the Error
 * @async:  expression that sends the command: Esys_X_Async(...)
 * @finish: expression that takes the response: Esys_X_Finish(...)
 *
 * Codes by which a TPM asks to be asked again are obeyed, with growing pauses and a limit.
 *
 * Return: 0, -ETIMEDOUT, or as vtpm_rc_error().
 */
#define VTPM_CALL(ctx, what, async, finish, e) VTPM_CALL_RC(ctx, what, async, finish, NULL, e)

/* As VTPM_CALL(), and leaves the TSS2_RC in *@ret_rc (may be NULL) for callers to whom certain codes mean something. */
#define VTPM_CALL_RC(ctx_, what_, async_, finish_, ret_rc_, e_)                                                        \
        ({                                                                                                             \
                VtpmCall call_ = { .ctx = (ctx_), .what = (what_) };                                                   \
                TSS2_RC *rc_ = (ret_rc_);                                                                              \
                while (vtpm_call_send(&call_)) {                                                                       \
                        call_.rc = (async_);                                                                           \
                        while (vtpm_call_wait(&call_))                                                                 \
                                call_.rc = (finish_);                                                                  \
                }                                                                                                      \
                if (rc_)                                                                                               \
                        *rc_ = call_.rc;                                                                               \
                vtpm_call_end(&call_, (e_));                                                                           \
        })

/* The parts of VTPM_CALL(). */
bool vtpm_call_send(VtpmCall *call);
bool vtpm_call_wait(VtpmCall *call);
WARN_UNUSED int vtpm_call_end(VtpmCall *call, Error *e);

/* An object or session in the TPM. Initialise with VTPM_HANDLE_NONE: ESYS_TR 0 is a valid handle (PCR 0). */
typedef struct VtpmHandle {
        VtpmContext *ctx;
        ESYS_TR tr;
        bool keep; /* persistent: only our record of it is given up, the TPM keeps the object */
} VtpmHandle;
#define VTPM_HANDLE_NONE ((VtpmHandle){ .tr = ESYS_TR_NONE })

/*
 * Flushes a transient object or a session, with a little time of its own when the deadline has passed;
 * closes a persistent one. Nothing is sent once the context has failed. Idempotent.
 */
void vtpm_handle_done(VtpmHandle *h);
#define AUTO_VTPM_HANDLE CLEANUP(vtpm_handle_done)
VtpmHandle vtpm_handle_take(VtpmHandle *h);

/*
 * To be called after a command with a secret in it, from the function that sent it: overwrites what ESAPI has left
 * below on the stack (iesys_decrypt_param() decrypts there), which nothing else might do for long.
 */
void vtpm_burn_stack(void);

/* For what ESAPI allocates. */
static inline void vtpm_esys_free(void *p) {
        Esys_Free(*(void **) p);
        *(void **) p = NULL;
}
#define AUTO_ESYS_FREE CLEANUP(vtpm_esys_free)

/* A selection as ESAPI wants it. */
TPML_PCR_SELECTION vtpm_esys_selection(const VtpmPcrSelection *selection);
