/* SPDX-License-Identifier: Apache-2.0 */

/* snp-test-broker: options, then serve until SIGTERM or SIGINT. */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"
#include "tests/broker/broker.h"
#include "tests/broker/program.h"
#include "tests/broker/tls-pki.h"

static const char usage[] =
        "Usage: snp-test-broker --cert FILE --key FILE --resources DIR --policy FILE [OPTION]...\n"
        "       snp-test-broker --make-tls DIR\n"
        "A key broker for tests; never for anything else.\n\n"
        "  --listen ADDRESS:PORT   default 127.0.0.1:0, a port of the kernel's choice\n"
        "  --cert FILE, --key FILE TLS server certificate and key, PEM\n"
        "  --trust-root FILE       trust this root for evidence, and not AMD's\n"
        "  --chain FILE            PEM certificates that go with any evidence; up to four times\n"
        "  --vek-dir DIR           VCEK store, as Trustee lays it out\n"
        "  --resources DIR         REPOSITORY/TYPE/TAG files\n"
        "  --policy FILE           what a guest must be (ini)\n"
        "  --control FILE          failures on demand, read at every request\n"
        "  --log FILE              default: standard error\n"
        "  --session-seconds N     default 300\n"
        "  --token-seconds N       default 300\n"
        "  --ready-fd N            write \"listening PORT\" there instead of to standard output\n"
        "  --die-with-parent       end when the starting process does\n"
        "  --make-tls DIR          write a test CA and server certificates there, and exit\n";

enum { OPT_LISTEN = 256, OPT_CERT, OPT_KEY, OPT_TRUST_ROOT, OPT_CHAIN, OPT_VEK_DIR, OPT_RESOURCES, OPT_POLICY,
       OPT_CONTROL, OPT_LOG, OPT_SESSION_SECONDS, OPT_TOKEN_SECONDS, OPT_READY_FD, OPT_DIE, OPT_MAKE_TLS, OPT_HELP };

static const struct option options[] = {
        { "listen", required_argument, NULL, OPT_LISTEN },
        { "cert", required_argument, NULL, OPT_CERT },
        { "key", required_argument, NULL, OPT_KEY },
        { "trust-root", required_argument, NULL, OPT_TRUST_ROOT },
        { "chain", required_argument, NULL, OPT_CHAIN },
        { "vek-dir", required_argument, NULL, OPT_VEK_DIR },
        { "resources", required_argument, NULL, OPT_RESOURCES },
        { "policy", required_argument, NULL, OPT_POLICY },
        { "control", required_argument, NULL, OPT_CONTROL },
        { "log", required_argument, NULL, OPT_LOG },
        { "session-seconds", required_argument, NULL, OPT_SESSION_SECONDS },
        { "token-seconds", required_argument, NULL, OPT_TOKEN_SECONDS },
        { "ready-fd", required_argument, NULL, OPT_READY_FD },
        { "die-with-parent", no_argument, NULL, OPT_DIE },
        { "make-tls", required_argument, NULL, OPT_MAKE_TLS },
        { "help", no_argument, NULL, OPT_HELP },
        {},
};

typedef struct Arguments {
        BrokerConfig config;
        size_t n_chains;
        const char *make_tls;
        int ready_fd;
        bool die_with_parent, help;
} Arguments;

static int set_number(uint64_t *to, const char *value, uint64_t max) {
        return text_to_u64(value, 10, 0, max, to);
}

/* Options that are one string of the configuration; NULL for any other. */
static const char **string_option(BrokerConfig *c, int option) {
        const struct {
                int option;
                const char **to;
        } strings[] = {
                { OPT_LISTEN, &c->listen },   { OPT_CERT, &c->cert_file },          { OPT_KEY, &c->key_file },
                { OPT_LOG, &c->log },         { OPT_TRUST_ROOT, &c->trust_root },   { OPT_VEK_DIR, &c->vek_dir },
                { OPT_POLICY, &c->policy },   { OPT_RESOURCES, &c->resources },     { OPT_CONTROL, &c->control },
        };

        for (size_t i = 0; i < N_ELEMENTS(strings); i++)
                if (strings[i].option == option)
                        return strings[i].to;
        return NULL;
}

static int set_option(Arguments *a, int option, const char *value) {
        const char **string = string_option(&a->config, option);
        uint64_t n = 0;
        int r = 0;

        if (string)
                *string = value;
        else if (option == OPT_CHAIN && a->n_chains < BROKER_CHAINS_MAX)
                a->config.chains[a->n_chains++] = value;
        else if (option == OPT_SESSION_SECONDS)
                r = set_number(&a->config.session_seconds, value, UINT32_MAX);
        else if (option == OPT_TOKEN_SECONDS)
                r = set_number(&a->config.token_seconds, value, UINT32_MAX);
        else if (option == OPT_READY_FD) {
                r = set_number(&n, value, INT32_MAX);
                a->ready_fd = (int) n;
        } else if (option == OPT_DIE)
                a->die_with_parent = true;
        else if (option == OPT_MAKE_TLS)
                a->make_tls = value;
        else if (option == OPT_HELP)
                a->help = true;
        else
                r = -EINVAL;
        return r;
}

static int parse_arguments(int argc, char **argv, Arguments *a) {
        int option;

        while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
                if (set_option(a, option, optarg) < 0)
                        return -EINVAL;
        if (a->help || a->make_tls)
                return 0;
        return optind == argc && a->config.cert_file && a->config.key_file && a->config.resources && a->config.policy ?
                       0 : -EINVAL;
}

static int serve(const Arguments *a, Error *e) {
        CLEANUP(broker_stopp) Broker *broker = NULL;
        sigset_t stop;
        int r;

        r = program_prepare(a->die_with_parent, &stop, e);
        if (r == 0)
                r = broker_start(&a->config, &broker, e);
        if (r == 0)
                r = program_say_ready(a->ready_fd, broker_port(broker), e);
        if (r == 0)
                program_wait(&stop);
        return r;
}

int main(int argc, char **argv) {
        Arguments a = { .ready_fd = STDOUT_FILENO, .config = { .session_seconds = 300, .token_seconds = 300 } };
        Error e = {};
        int r = parse_arguments(argc, argv, &a);

        if (r < 0 || a.help) {
                (void) fputs(usage, r < 0 ? stderr : stdout);
                return r < 0 ? 2 : EXIT_SUCCESS;
        }
        r = a.make_tls ? broker_pki_make(a.make_tls, &e) : serve(&a, &e);
        if (r < 0)
                (void) fprintf(stderr, "snp-test-broker: %s\n", error_text(&e, r));
        return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
