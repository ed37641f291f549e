/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Any answers, in any order, to a guest that attests and fetches. The input is a list of records between RS bytes:
 * "begin", "evidence", or an answer as HTTP has it (lines, an empty line, a body). No session comes into being but by
 * the four steps in their order, with evidence among them, and no resource comes out, because nobody but the
 * handshake knows the key to encrypt one to.
 */

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "keybroker-client/rcar.h"

#define RECORD_END 0x1e

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct Run {
        KbcRcar *machine;
        KbcSession *session;
        unsigned n_steps; /* that went well */
        bool asked_for_evidence, sent_evidence;
} Run;

static bool is(const uint8_t *p, size_t n, const char *word) {
        return n == strlen(word) && memcmp(p, word, n) == 0;
}

/* Lines up to the empty one are the header, the rest is the body. */
static void read_reply(const uint8_t *p, size_t n, KbcReply *ret) {
        const char *digits = memchr(p, ' ', n < 16 ? n : 16);

        if (digits && (size_t) (digits - (const char *) p) + 4 <= n)
                for (int i = 1; i <= 3; i++)
                        ret->status = ret->status * 10 + (digits[i] - '0');
        while (n > 0) {
                const uint8_t *end = memchr(p, '\n', n);
                size_t len = end ? (size_t) (end - p) + 1 : n;

                if (len == 1 && end) {
                        assert(kbc_reply_append(ret, p + 1, n - 1, 1u << 24) == 0);
                        return;
                }
                if (kbc_reply_header(ret, (const char *) p, len) < 0)
                        return;
                p += len;
                n -= len;
        }
}

static void step(Run *run, KbcRcarEvent event, const KbcReply *reply) {
        static uint8_t text[] = "{}";
        const KbcEvidence evidence = { .json = { text, 2 } };
        const KbcRcarInput in = { .reply = reply, .evidence = &evidence, .now_usec = 1 };
        AUTO_RCAR_OUTPUT KbcRcarOutput out = {};
        Error e = {};
        int r = kbc_rcar_step(run->machine, event, &in, &out, &e);

        assert(kbc_rcar_state(run->machine) < KBC_RCAR_N_STATES);
        if (r < 0) {
                assert(kbc_rcar_state(run->machine) == KBC_RCAR_FAILED && e.code == r && !out.session);
                return;
        }
        run->n_steps++;
        run->asked_for_evidence |= out.report_data_size > 0;
        run->sent_evidence |= out.message.path && strcmp(out.message.path, "/kbs/v0/attest") == 0;
        assert((kbc_rcar_state(run->machine) == KBC_RCAR_DONE) == (out.session != NULL));
        if (!out.session)
                return;
        assert(run->n_steps == 4 && run->asked_for_evidence && run->sent_evidence);
        run->session = out.session;
        out.session = NULL;
}

static void fetch(const Run *run, const KbcReply *reply) {
        AUTO_SECRET Secret secret = {};
        KbcRemedy remedy = 99;
        Error e = {};
        int r = kbc_session_open(run->session, reply, &secret, &remedy, &e);

        assert(r < 0 && e.code == r && !secret.bytes && remedy <= KBC_REMEDY_RETRY);
}

static void take_record(Run *run, const uint8_t *p, size_t n) {
        AUTO_REPLY KbcReply reply = {};

        if (is(p, n, "begin")) {
                step(run, KBC_RCAR_ON_BEGIN, &reply);
                return;
        }
        if (is(p, n, "evidence")) {
                step(run, KBC_RCAR_ON_EVIDENCE, &reply);
                return;
        }
        read_reply(p, n, &reply);
        if (run->session)
                fetch(run, &reply);
        else
                step(run, KBC_RCAR_ON_REPLY, &reply);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        Run run = {};

        assert(kbc_rcar_new("snp", KBC_TEE_ALG_ECDH_P256, &run.machine, NULL) == 0);
        while (size > 0) {
                const uint8_t *end = memchr(data, RECORD_END, size);
                size_t n = end ? (size_t) (end - data) : size;

                take_record(&run, data, n);
                data += n + (end ? 1 : 0);
                size -= n + (end ? 1 : 0);
        }
        (void) kbc_session_unref(run.session);
        kbc_rcar_free(run.machine);
        return 0;
}
