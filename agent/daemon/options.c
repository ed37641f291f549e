/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/daemon/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>

const char *daemon_version(void) {
        return SNP_AGENT_VERSION; /* from the build */
}

static void help(const DaemonProgram *program) {
        printf("%s [OPTION...]\n\n%s\n\n"
               "  -h --help           show this and leave\n"
               "     --version        show the version and leave\n"
               "     --config=FILE    read FILE and FILE.d/*.conf instead of snp-agent.conf in\n"
               "                      /etc/snp-agent, /run/snp-agent and /usr/lib/snp-agent\n"
               "     --socket=PATH    listen at PATH instead of where the configuration says\n"
               "     --debug          log debug messages as well\n",
               program->name, program->summary);
}

int daemon_options_parse(const DaemonProgram *program, int argc, char **argv, DaemonOptions *ret) {
        enum { OPT_VERSION = 256, OPT_CONFIG, OPT_SOCKET, OPT_DEBUG };
        static const struct option options[] = {
                { "help", no_argument, NULL, 'h' },
                { "version", no_argument, NULL, OPT_VERSION },
                { "config", required_argument, NULL, OPT_CONFIG },
                { "socket", required_argument, NULL, OPT_SOCKET },
                { "debug", no_argument, NULL, OPT_DEBUG },
                {},
        };
        DaemonOptions o = {};

        for (int c; (c = getopt_long(argc, argv, "h", options, NULL)) >= 0;)
                switch (c) {
                case 'h':
                        help(program);
                        return 1;
                case OPT_VERSION:
                        printf("%s %s\n", program->name, daemon_version());
                        return 1;
                case OPT_CONFIG:
                        o.config = optarg;
                        break;
                case OPT_SOCKET:
                        o.socket = optarg;
                        break;
                case OPT_DEBUG:
                        o.debug = true;
                        break;
                default:
                        return -EINVAL; /* getopt has complained */
                }
        if (optind < argc) {
                (void) fprintf(stderr, "%s: unexpected argument '%s'\n", program->name, argv[optind]);
                return -EINVAL;
        }
        *ret = o;
        return 0;
}
