/* SPDX-License-Identifier: Apache-2.0 */

/* snp-test-proxy: options, then stand in the middle until SIGTERM or SIGINT. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"
#include "tests/broker/program.h"
#include "tests/broker/proxy.h"

static const char usage[] =
        "Usage: snp-test-proxy --cert FILE --key FILE --upstream URL --ca FILE [OPTION]...\n"
        "A man in the middle for tests, who replays what he saw first.\n\n"
        "  --listen ADDRESS:PORT   default 127.0.0.1:0, a port of the kernel's choice\n"
        "  --cert FILE, --key FILE shown to the guest, PEM\n"
        "  --upstream URL          https://HOST:PORT of the broker\n"
        "  --ca FILE               CA of the broker's certificate, PEM\n"
        "  --mode MODE             pass (default), replay-evidence, replay-report or replay-challenge\n"
        "  --log FILE              default: standard error\n"
        "  --ready-fd N            write \"listening PORT\" there instead of to standard output\n"
        "  --die-with-parent       end when the starting process does\n";

enum { OPT_LISTEN = 256, OPT_CERT, OPT_KEY, OPT_UPSTREAM, OPT_CA, OPT_MODE, OPT_LOG, OPT_READY_FD, OPT_DIE, OPT_HELP };

static const struct option options[] = {
        { "listen", required_argument, NULL, OPT_LISTEN },
        { "cert", required_argument, NULL, OPT_CERT },
        { "key", required_argument, NULL, OPT_KEY },
        { "upstream", required_argument, NULL, OPT_UPSTREAM },
        { "ca", required_argument, NULL, OPT_CA },
        { "mode", required_argument, NULL, OPT_MODE },
        { "log", required_argument, NULL, OPT_LOG },
        { "ready-fd", required_argument, NULL, OPT_READY_FD },
        { "die-with-parent", no_argument, NULL, OPT_DIE },
        { "help", no_argument, NULL, OPT_HELP },
        {},
};

typedef struct Arguments {
        ProxyConfig config;
        int ready_fd;
        bool die_with_parent, help;
} Arguments;

static int set_option(Arguments *a, int option, const char *value) {
        uint64_t fd;

        switch (option) {
        case OPT_LISTEN:
                a->config.listen = value;
                return 0;
        case OPT_CERT:
                a->config.cert_file = value;
                return 0;
        case OPT_KEY:
                a->config.key_file = value;
                return 0;
        case OPT_UPSTREAM:
                a->config.upstream = value;
                return 0;
        case OPT_CA:
                a->config.ca_file = value;
                return 0;
        case OPT_LOG:
                a->config.log = value;
                return 0;
        case OPT_MODE:
                a->config.mode = proxy_mode_from_name(value);
                return a->config.mode < PROXY_N_MODES ? 0 : -EINVAL;
        case OPT_READY_FD:
                if (text_to_u64(value, 10, 0, INT32_MAX, &fd) < 0)
                        return -EINVAL;
                a->ready_fd = (int) fd;
                return 0;
        case OPT_DIE:
                a->die_with_parent = true;
                return 0;
        case OPT_HELP:
                a->help = true;
                return 0;
        default:
                return -EINVAL;
        }
}

static int parse_arguments(int argc, char **argv, Arguments *a) {
        int option;

        while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
                if (set_option(a, option, optarg) < 0)
                        return -EINVAL;
        if (a->help)
                return 0;
        return optind == argc && a->config.cert_file && a->config.key_file && a->config.upstream && a->config.ca_file ?
                       0 : -EINVAL;
}

int main(int argc, char **argv) {
        Arguments a = { .ready_fd = STDOUT_FILENO };
        CLEANUP(proxy_stopp) Proxy *proxy = NULL;
        sigset_t stop;
        Error e = {};
        int r = parse_arguments(argc, argv, &a);

        if (r < 0 || a.help) {
                (void) fputs(usage, r < 0 ? stderr : stdout);
                return r < 0 ? 2 : EXIT_SUCCESS;
        }
        r = program_prepare(a.die_with_parent, &stop, &e);
        if (r == 0)
                r = proxy_start(&a.config, &proxy, &e);
        if (r == 0)
                r = program_say_ready(a.ready_fd, proxy_port(proxy), &e);
        if (r < 0) {
                (void) fprintf(stderr, "snp-test-proxy: %s\n", error_text(&e, r));
                return EXIT_FAILURE;
        }
        program_wait(&stop);
        return EXIT_SUCCESS;
}
