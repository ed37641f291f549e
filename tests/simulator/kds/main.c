/* SPDX-License-Identifier: Apache-2.0 */

/* snp-sim-kds: options, then serve until SIGTERM or SIGINT. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"
#include "tests/broker/program.h"
#include "tests/simulator/kds/kds.h"

static const char usage[] =
        "Usage: snp-sim-kds --hierarchy DIR [OPTION]...\n"
        "AMD's key distribution service for simulated chips, and Azure's endpoint for the first of them.\n\n"
        "  --hierarchy DIR         of snp-sim-pki; up to four times\n"
        "  --listen ADDRESS:PORT   default 127.0.0.1:0, a port of the kernel's choice\n"
        "  --cert FILE, --key FILE TLS server certificate and key, PEM; without them plain HTTP\n"
        "  --control FILE          failures on demand, read at every request: see mischief.h\n"
        "  --log FILE              a line for each request; default: standard error\n"
        "  --ready-fd N            write \"listening PORT\" there instead of to standard output\n"
        "  --die-with-parent       end when the starting process does\n";

enum { OPT_HIERARCHY = 256, OPT_LISTEN, OPT_CERT, OPT_KEY, OPT_CONTROL, OPT_LOG, OPT_READY_FD, OPT_DIE, OPT_HELP };

static const struct option options[] = {
        { "hierarchy", required_argument, NULL, OPT_HIERARCHY }, { "listen", required_argument, NULL, OPT_LISTEN },
        { "cert", required_argument, NULL, OPT_CERT },           { "key", required_argument, NULL, OPT_KEY },
        { "control", required_argument, NULL, OPT_CONTROL },     { "log", required_argument, NULL, OPT_LOG },
        { "ready-fd", required_argument, NULL, OPT_READY_FD },   { "die-with-parent", no_argument, NULL, OPT_DIE },
        { "help", no_argument, NULL, OPT_HELP },                 {},
};

typedef struct Arguments {
        SimKdsConfig config;
        size_t n_hierarchies;
        int ready_fd;
        bool die_with_parent, help;
} Arguments;

static int set_option(Arguments *a, int option, const char *value) {
        uint64_t n = 0;

        switch (option) {
        case OPT_HIERARCHY:
                if (a->n_hierarchies == SIM_KDS_HIERARCHIES_MAX)
                        return -E2BIG;
                a->config.hierarchies[a->n_hierarchies++] = value;
                return 0;
        case OPT_LISTEN:
                a->config.listen = value;
                return 0;
        case OPT_CERT:
                a->config.cert_file = value;
                return 0;
        case OPT_KEY:
                a->config.key_file = value;
                return 0;
        case OPT_CONTROL:
                a->config.control = value;
                return 0;
        case OPT_LOG:
                a->config.log = value;
                return 0;
        case OPT_READY_FD:
                if (text_to_u64(value, 10, 0, INT32_MAX, &n) < 0)
                        return -EINVAL;
                a->ready_fd = (int) n;
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
        return optind == argc && a->n_hierarchies > 0 && !a->config.cert_file == !a->config.key_file ? 0 : -EINVAL;
}

static int serve(const Arguments *a, Error *e) {
        CLEANUP(sim_kds_stopp) SimKds *kds = NULL;
        sigset_t stop;
        int r = program_prepare(a->die_with_parent, &stop, e);

        if (r == 0)
                r = sim_kds_start(&a->config, &kds, e);
        if (r == 0)
                r = program_say_ready(a->ready_fd, sim_kds_port(kds), e);
        if (r == 0)
                program_wait(&stop);
        return r;
}

int main(int argc, char **argv) {
        Arguments a = { .ready_fd = STDOUT_FILENO };
        Error e = {};
        int r = parse_arguments(argc, argv, &a);

        if (r < 0 || a.help) {
                (void) fputs(usage, r < 0 ? stderr : stdout);
                return r < 0 ? 2 : EXIT_SUCCESS;
        }
        r = serve(&a, &e);
        if (r < 0)
                (void) fprintf(stderr, "snp-sim-kds: %s\n", error_text(&e, r));
        return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
