/* SPDX-License-Identifier: Apache-2.0 */
#include <openssl/crypto.h>
#include <stdlib.h>

#include "agent/agent.h"
#include "agent/daemon/journal.h"
#include "agent/daemon/message-ids.h"
#include "agent/daemon/options.h"
#include "base/log.h"
#include "base/secret.h"

#define SECURE_HEAP_SIZE (64u * 1024u) /* private keys: one TEE key and what TLS makes for a connection */
#define SECURE_HEAP_MIN 64u            /* smallest piece of it */

static int protect(Error *e) {
        int r;

        r = secret_protect_process(e);
        if (r < 0)
                return r;
        r = CRYPTO_secure_malloc_init(SECURE_HEAP_SIZE, SECURE_HEAP_MIN);
        if (r == 2) /* there, but not locked */
                log_event(LOG_WARNING, MESSAGE_ID_MEMORY_NOT_LOCKED, NULL, 0,
                          "Keys cannot be locked into memory and may be swapped, ignoring: see LimitMEMLOCK=");
        return r == 0 ? error_oom(e) : 0;
}

static int run(const DaemonOptions *options, Error *e) {
        AgentOptions agent_options = { .config = options->config, .socket = options->socket };
        CLEANUP(agent_freep) Agent *agent = NULL;
        int r;

        r = protect(e);
        if (r == 0)
                r = agent_new(&agent_options, &agent, e);
        if (r < 0)
                return r;
        return agent_run(agent, e);
}

int main(int argc, char **argv) {
        static const DaemonProgram program = {
                .name = "snp-agentd",
                .summary = "Gives disk keys, secrets and evidence to local programs that may have them.",
        };
        DaemonOptions options = {};
        Error e = {};
        int r;

        r = daemon_options_parse(&program, argc, argv, &options);
        if (r != 0)
                return r > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
        daemon_log_start(options.debug ? LOG_DEBUG : LOG_INFO);
        r = run(&options, &e);
        if (r < 0)
                log_err("%s", error_text(&e, r));
        return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
