/* SPDX-License-Identifier: Apache-2.0 */
/* snp-sim-report: one signed report, and the host's certificate table, as files. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/hex.h"
#include "base/text.h"
#include "tests/simulator/options.h"
#include "tests/simulator/platform.h"

typedef struct Arguments {
        const char *pki, *report, *table;
        uint8_t report_data[SIM_REPORT_DATA_SIZE];
        uint64_t vmpl;
        bool help;
} Arguments;

static const struct option own_options[] = {
        { "pki", required_argument, NULL, 'p' },
        { "report", required_argument, NULL, 'r' },
        { "table", required_argument, NULL, 't' },
        { "report-data", required_argument, NULL, 'd' },
        { "vmpl", required_argument, NULL, 'v' },
        { "help", no_argument, NULL, 'h' },
        {},
};

static int on_own(void *user, int val, const char *value) {
        Arguments *a = user;

        switch (val) {
        case 'p':
                a->pki = value;
                return 0;
        case 'r':
                a->report = value;
                return 0;
        case 't':
                a->table = value;
                return 0;
        case 'd':
                return strlen(value) > 2 * sizeof(a->report_data)
                               ? -EINVAL
                               : hex_decode_exact(value, strlen(value), a->report_data, strlen(value) / 2);
        case 'v':
                return text_to_u64(value, 10, 0, UINT32_MAX, &a->vmpl);
        case 'h':
                a->help = true;
                return 0;
        default:
                return -EINVAL;
        }
}

static void print_usage(void) {
        printf("Usage: snp-sim-report --pki DIR [--report FILE] [--table FILE] [OPTION...]\n"
               "\n"
               "  --pki DIR              hierarchy made by snp-sim-pki\n"
               "  --report FILE          where the report goes\n"
               "  --table FILE           where the host's certificate table goes\n"
               "  --report-data HEX      up to 64 bytes, filled up with zeros\n"
               "  --vmpl N               0 to 3\n");
        sim_options_print_settings();
}

static int run(const Arguments *a, const SimOptions *options, SimPlatform *platform, Error *e) {
        AUTO_BLOB Blob report = {}, table = {};
        SimPki *pki;
        int r = sim_pki_load(a->pki, &pki, e);

        if (r < 0)
                return r;
        sim_platform_init(platform, pki, NULL);
        r = sim_options_apply(options, platform, e);
        if (r == 0)
                r = sim_platform_refresh(platform, e);
        if (r == 0)
                r = sim_platform_report(platform, a->report_data, (uint32_t) a->vmpl,
                                        sim_platform_fail(platform, SIM_AT_REPORT), &report, &table, e);
        if (r == 0 && a->report)
                r = file_write_atomic(a->report, report.data, report.size, 0644, e);
        if (r == 0 && a->table)
                r = file_write_atomic(a->table, table.data, table.size, 0644, e);
        return r;
}

int main(int argc, char **argv) {
        CLEANUP(sim_platform_done) SimPlatform platform = {};
        Arguments a = {};
        SimOptions options;
        Error e = {};
        int r = sim_options_parse(argc, argv, own_options, on_own, &a, &options, &e);

        if (a.help)
                print_usage();
        if (a.help || r < 0 || !a.pki) {
                fprintf(stderr, "%s", a.help ? "" : "snp-sim-report: see --help\n");
                return a.help ? EXIT_SUCCESS : 2;
        }
        r = run(&a, &options, &platform, &e);
        if (r < 0)
                fprintf(stderr, "snp-sim-report: %s\n", error_text(&e, r));
        return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
