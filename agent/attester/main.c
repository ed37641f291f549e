/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "agent/attester/attester.h"
#include "agent/daemon/journal.h"
#include "agent/daemon/options.h"
#include "base/log.h"
#include "base/secret.h"

static int run(const DaemonOptions *options, Error *e) {
        CLEANUP(config_freep) Config *config = NULL;
        CLEANUP(attester_done) Attester attester = { .listener = DAEMON_LISTENER_NONE, .signals = -1 };
        int r;

        r = config_load(options->config, &config, e);
        if (r < 0)
                return r;
        r = secret_protect_process(e);
        if (r < 0)
                return r;
        r = attester_init(config, options->socket, &attester, e);
        if (r < 0)
                return r;
        return attester_run(&attester, e);
}

int main(int argc, char **argv) {
        static const DaemonProgram program = {
                .name = "snp-attesterd",
                .summary = "Takes reports and TPM quotes from the devices of this machine for snp-agentd.",
        };
        DaemonOptions options = {};
        Error e = {};
        int r;

        r = daemon_options_parse(&program, argc, argv, &options);
        if (r != 0)
                return r > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
        daemon_log_start(options.debug ? LOG_DEBUG : LOG_INFO);
        /* tpm2-tss would write to standard error what we report ourselves. */
        (void) setenv("TSS2_LOG", "all+none", 0);
        r = run(&options, &e);
        if (r < 0)
                log_err("%s", error_text(&e, r));
        return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
