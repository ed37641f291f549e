/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A context is good until something below the TPM fails; then `failed` is set, ESAPI is not called again
 * (its state is undefined after that) and the transport is closed, by force if it hangs.
 */
#include "vtpm/context.h"

#include <errno.h>
#include <malloc.h>
#include <string.h>

#include <openssl/crypto.h>

#include "base/log.h"
#include "vtpm/esys.h"
#include "vtpm/rc.h"
#include "vtpm/transport.h"

/*
 * ESAPI itself resubmits five times without a pause; that whole is what is counted here. TPM 2.0 Library
 * Part 2 ("TPM_RC_RETRY", "TPM_RC_TESTING", "TPM_RC_YIELDED", "TPM_RC_NV_RATE") sets no limit; a self-test
 * takes up to some seconds.
 */
#define SEND_MAX 10u
#define PAUSE_FIRST_USEC (10 * USEC_PER_MSEC)
#define PAUSE_MAX_USEC USEC_PER_SEC

/* Time to leave the TPM clean with, when the task's own has been used up. */
#define FLUSH_USEC (500 * USEC_PER_MSEC)

/* Deeper than ESAPI, SAPI and the marshalling below them go: their largest frames hold a few structures of 4 KiB. */
#define BURN_SIZE (64u * 1024u)

struct VtpmContext {
        VtpmTransport *transport;
        ESYS_CONTEXT *esys;
        Deadline deadline;
        bool failed;
};

static int check_tcti(const char *tcti, Error *e) {
        const char *colon = tcti ? strchr(tcti, ':') : NULL;

        if (!tcti || !*tcti)
                return error_set(e, -EINVAL, "tcti-missing", "No TPM is configured");
        if (!colon || colon == tcti || !colon[1])
                return error_set(e, -EINVAL, "tcti-configuration",
                                 "TCTI '%s' is not of the form MODULE:CONFIGURATION, e.g. device:/dev/tpmrm0", tcti);
        return 0;
}

int vtpm_context_open(const char *tcti, Deadline deadline, VtpmContext **ret, Error *e) {
        CLEANUP(vtpm_context_freep) VtpmContext *ctx = NULL;
        TSS2_RC rc;
        int r;

        r = check_tcti(tcti, e);
        if (r < 0)
                return r;
        ctx = calloc(1, sizeof(*ctx));
        if (!ctx)
                return error_oom(e);
        ctx->deadline = deadline;
        r = vtpm_transport_open(tcti, deadline, &ctx->transport, e);
        if (r < 0)
                return r;
        rc = Esys_Initialize(&ctx->esys, vtpm_transport_tcti(ctx->transport), NULL);
        if (rc != TSS2_RC_SUCCESS)
                return vtpm_rc_error(rc, "Cannot start ESAPI", e);
        *ret = TAKE_PTR(ctx);
        return 0;
}

/*
 * ESAPI keeps copies of what went through it (parameters of the last command, decrypted responses) and frees them as
 * they are. glibc overwrites what is freed while M_PERTURB is set; smaller pieces than these it may keep as they are,
 * but secrets are in the two large ones, ESAPI's context and SAPI's.
 */
static void finalize(ESYS_CONTEXT **esys) {
        (void) mallopt(M_PERTURB, 0xff);
        Esys_Finalize(esys); /* frees memory, sends nothing */
        (void) mallopt(M_PERTURB, 0);
}

/* A function of its own, so that its frame lies where those of ESAPI's functions were. */
__attribute__((__noinline__)) void vtpm_burn_stack(void) {
        uint8_t dead[BURN_SIZE];

        OPENSSL_cleanse(dead, sizeof(dead));
}

void vtpm_context_free(VtpmContext *ctx) {
        if (!ctx)
                return;
        finalize(&ctx->esys);
        vtpm_transport_free(ctx->transport);
        free(ctx);
}

ESYS_CONTEXT *vtpm_context_esys(VtpmContext *ctx) {
        return ctx->esys;
}

static bool is_try_again(TSS2_RC rc) {
        return !vtpm_rc_is_from_tpm(rc) && (rc & ~TSS2_RC_LAYER_MASK) == TSS2_BASE_RC_TRY_AGAIN;
}

static void give_up(VtpmCall *call) {
        call->timed_out = true;
        call->ctx->failed = true;
        vtpm_transport_give_up(call->ctx->transport);
}

static bool pause_before_resending(VtpmCall *call) {
        uint64_t usec = PAUSE_FIRST_USEC << (call->n_sent - 1);

        if (usec > PAUSE_MAX_USEC)
                usec = PAUSE_MAX_USEC;
        if (deadline_sleep(call->ctx->deadline, usec) == 0)
                return true;
        call->timed_out = true; /* the TPM answers, only never with a result: the context stays good */
        return false;
}

bool vtpm_call_send(VtpmCall *call) {
        if (call->ctx->failed) {
                if (call->n_sent == 0)
                        call->rc = TSS2_ESYS_RC_BAD_SEQUENCE;
                return false;
        }
        if (call->n_sent > 0 && (!vtpm_rc_is_retryable(call->rc) || call->n_sent >= SEND_MAX))
                return false;
        if (call->n_sent > 0 && !pause_before_resending(call))
                return false;
        if (call->n_sent == 0 && deadline_expired(call->ctx->deadline)) {
                call->timed_out = true;
                return false;
        }
        call->n_sent++;
        call->sent = false;
        return true;
}

/* After _Async: a refusal of our parameters leaves ESAPI as it was, a lost connection does not. */
static bool sent_well(VtpmCall *call) {
        if ((call->rc & TSS2_RC_LAYER_MASK) == TSS2_TCTI_RC_LAYER)
                call->ctx->failed = true;
        return call->rc == TSS2_RC_SUCCESS;
}

/* After _Finish: true when the time given was not enough, or ESAPI has resubmitted. */
static bool is_pending(VtpmCall *call) {
        if (is_try_again(call->rc)) {
                if (!deadline_expired(call->ctx->deadline))
                        return true;
                give_up(call);
        } else if (!vtpm_rc_is_from_tpm(call->rc))
                call->ctx->failed = true;
        return false;
}

bool vtpm_call_wait(VtpmCall *call) {
        bool again = call->sent ? is_pending(call) : sent_well(call);

        call->sent = true;
        if (!again)
                return false;
        (void) Esys_SetTimeout(call->ctx->esys, deadline_poll_msec(call->ctx->deadline));
        return true;
}

int vtpm_call_end(VtpmCall *call, Error *e) {
        if (call->timed_out)
                return error_set(e, -ETIMEDOUT, "tpm-timeout", "%s: the TPM did not finish in time", call->what);
        if (call->rc == TSS2_RC_SUCCESS)
                return 0;
        if (call->n_sent == 0)
                return error_set(e, -ECONNRESET, "tpm-gone", "%s: the connection to the TPM has failed before",
                                 call->what);
        return vtpm_rc_error(call->rc, call->what, e);
}

VtpmHandle vtpm_handle_take(VtpmHandle *h) {
        VtpmHandle taken = *h;

        *h = VTPM_HANDLE_NONE;
        return taken;
}

static int flush(VtpmContext *ctx, ESYS_TR tr) {
        Deadline own = ctx->deadline;
        Error e = {};
        int r;

        if (deadline_left_usec(own) < FLUSH_USEC)
                ctx->deadline = deadline_in(FLUSH_USEC);
        r = VTPM_CALL(ctx, "TPM2_FlushContext", Esys_FlushContext_Async(ctx->esys, tr),
                      Esys_FlushContext_Finish(ctx->esys), &e);
        ctx->deadline = own;
        if (r < 0)
                log_debug("Object or session left in the TPM: %s", error_text(&e, r));
        return r;
}

void vtpm_handle_done(VtpmHandle *h) {
        if (h->ctx && h->tr != ESYS_TR_NONE) {
                if (h->keep)
                        (void) Esys_TR_Close(h->ctx->esys, &h->tr);
                else if (!h->ctx->failed)
                        (void) flush(h->ctx, h->tr);
        }
        *h = VTPM_HANDLE_NONE;
}
