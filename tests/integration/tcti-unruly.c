/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A TCTI module as nobody should write one, to be loaded by path as "MODULE:MISDEED". It has no TPM behind
 * it; a command it deigns to answer gets a response without parameters.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <tss2/tss2_tcti.h>
#include <tss2/tss2_tpm2_types.h>

#define HEADER_SIZE 10u /* TPM 2.0 Library Part 1, "Response Structure": tag, u32 size, u32 code */

typedef struct Unruly {
        TSS2_TCTI_CONTEXT_COMMON_CURRENT common;
        char misdeed[32];
} Unruly;

__attribute__((__visibility__("default"))) const TSS2_TCTI_INFO *Tss2_Tcti_Info(void);

static bool is(TSS2_TCTI_CONTEXT *tcti, const char *misdeed) {
        void *p = tcti;
        const Unruly *u = p;

        return strcmp(u->misdeed, misdeed) == 0;
}

static void hang(void) {
        for (;;)
                (void) pause();
}

static TSS2_RC transmit(TSS2_TCTI_CONTEXT *tcti, size_t size, const uint8_t *command) {
        (void) size;
        (void) command;
        if (is(tcti, "hang-in-transmit"))
                hang();
        if (is(tcti, "crash"))
                abort();
        return TSS2_RC_SUCCESS;
}

/* Ignores the time-out, as tpm2-tss' module for swtpm does. */
static TSS2_RC receive(TSS2_TCTI_CONTEXT *tcti, size_t *size, uint8_t *response, int32_t timeout) {
        static const uint8_t fine[HEADER_SIZE] = { 0x80, 0x01, 0, 0, 0, HEADER_SIZE };

        (void) timeout;
        if (is(tcti, "hang-in-receive"))
                hang();
        if (is(tcti, "try-again"))
                return TSS2_TCTI_RC_TRY_AGAIN;
        if (*size < sizeof(fine))
                return TSS2_TCTI_RC_INSUFFICIENT_BUFFER;
        (void) memcpy(response, fine, sizeof(fine));
        *size = sizeof(fine);
        if (is(tcti, "size-too-large"))
                response[5]++;
        if (is(tcti, "size-too-small"))
                response[5]--;
        if (is(tcti, "short"))
                *size = HEADER_SIZE - 1;
        if (is(tcti, "empty"))
                *size = 0;
        return TSS2_RC_SUCCESS;
}

static void finalize(TSS2_TCTI_CONTEXT *tcti) {
        if (is(tcti, "hang-in-finalize"))
                hang();
}

static TSS2_RC init(TSS2_TCTI_CONTEXT *tcti, size_t *size, const char *config) {
        void *p = tcti;
        Unruly *u = p;

        if (!u) {
                *size = sizeof(*u);
                return TSS2_RC_SUCCESS;
        }
        u->common.v1.magic = 1;
        u->common.v1.version = 2;
        u->common.v1.transmit = transmit;
        u->common.v1.receive = receive;
        u->common.v1.finalize = finalize;
        (void) snprintf(u->misdeed, sizeof(u->misdeed), "%s", config ? config : "");
        if (is(tcti, "hang-in-init"))
                hang();
        if (is(tcti, "exit-in-init"))
                _exit(0);
        if (is(tcti, "no-memory"))
                return TSS2_TCTI_RC_MEMORY;
        return TSS2_RC_SUCCESS;
}

const TSS2_TCTI_INFO *Tss2_Tcti_Info(void) {
        static const TSS2_TCTI_INFO info = {
                .version = 2, .name = "unruly", .description = "misbehaves", .config_help = "what to do", .init = init,
        };

        return &info;
}
