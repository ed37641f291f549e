/* SPDX-License-Identifier: Apache-2.0 */
/* snp-sim-pki: make a directory with an AMD-like hierarchy, or show one. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/deadline.h"
#include "base/hex.h"
#include "tests/simulator/pki.h"

static const char usage[] =
        "Usage: snp-sim-pki create DIR [OPTION...]\n"
        "       snp-sim-pki show DIR\n"
        "\n"
        "Makes a certificate hierarchy like AMD's, with keys, certificates, chains and CRLs, in DIR (mode 0700).\n"
        "\n"
        "  --product NAME     Milan, Genoa (default) or Turin\n"
        "  --tcb TCB          TCB of the VCEK and VLEK, as bl=4,tee=0,snp=24,ucode=219 (Turin: fmc=1,...)\n"
        "  --chip-id HEX      64 bytes; Turin: 8\n"
        "  --vlek             also make an ASVK and a VLEK\n"
        "  --csp-id TEXT      provider in the VLEK; implies --vlek (default CN=cc-test-1.example)\n"
        "  --not-before DATE  begin of validity of everything, YYYY-MM-DD (default: yesterday)\n"
        "  --revoke WHICH     ask or asvk, listed in the CRLs\n"
        "  --keep             leave a hierarchy of the same product alone that is in DIR and less than 30 days old\n"
        "  --keys-of DIR      take the RSA keys of another hierarchy (making new ones takes seconds)\n";

#define DEFAULT_CSP_ID "CN=cc-test-1.example"
#define KEEP_SECONDS (30 * 24 * 60 * 60)

typedef struct Options {
        SimPkiParams params;
        const char *keys_of;
        bool keep;
} Options;

static int parse_chip_id(Options *o, const char *text, Error *e) {
        size_t n = sim_product(o->params.product)->turin_layout ? SIM_TURIN_HWID_SIZE : SIM_CHIP_ID_SIZE;

        (void) memset(o->params.chip_id, 0, sizeof(o->params.chip_id));
        if (hex_decode_exact(text, strlen(text), o->params.chip_id, n) < 0)
                return error_set(e, -EINVAL, "sim-chip-id", "A chip ID of this product is %zu hex digits", 2 * n);
        return 0;
}

static int parse_date(const char *text, time_t *ret, Error *e) {
        struct tm tm = {};
        const char *end = strptime(text, "%Y-%m-%d", &tm);

        if (!end || *end)
                return error_set(e, -EINVAL, "sim-date", "'%s' is not YYYY-MM-DD", text);
        *ret = timegm(&tm);
        return 0;
}

static int apply_option(Options *o, int c, const char *value, Error *e) {
        switch (c) {
        case 'P': {
                int r = sim_product_parse(value, &o->params.product, e);

                if (r == 0)
                        o->params = sim_pki_params(o->params.product);
                return r;
        }
        case 'T':
                return sim_tcb_parse(value, &o->params.tcb, e);
        case 'C':
                return parse_chip_id(o, value, e);
        case 'V':
                o->params.csp_id = DEFAULT_CSP_ID;
                return 0;
        case 'S':
                o->params.csp_id = value;
                return 0;
        case 'N':
                return parse_date(value, &o->params.not_before, e);
        case 'K':
                o->keys_of = value;
                return 0;
        case 'k':
                o->keep = true;
                return 0;
        case 'R':
                o->params.revoke_ask = o->params.revoke_ask || strcmp(value, "ask") == 0;
                o->params.revoke_asvk = o->params.revoke_asvk || strcmp(value, "asvk") == 0;
                return o->params.revoke_ask || o->params.revoke_asvk ? 0 : -EINVAL;
        default:
                return -EINVAL;
        }
}

static int parse_options(int argc, char **argv, Options *o, Error *e) {
        static const struct option options[] = {
                { "product", required_argument, NULL, 'P' },    { "tcb", required_argument, NULL, 'T' },
                { "chip-id", required_argument, NULL, 'C' },    { "vlek", no_argument, NULL, 'V' },
                { "csp-id", required_argument, NULL, 'S' },     { "revoke", required_argument, NULL, 'R' },
                { "not-before", required_argument, NULL, 'N' }, { "keys-of", required_argument, NULL, 'K' },
                { "keep", no_argument, NULL, 'k' },
                {},
        };

        /* Twice: the product decides the defaults that the other options then replace. */
        for (int pass = 0; pass < 2; pass++) {
                int c, r = 0;

                optind = 0; /* glibc: start over */
                while (r == 0 && (c = getopt_long(argc, argv, "", options, NULL)) != -1)
                        if ((c == 'P') == (pass == 0))
                                r = apply_option(o, c, optarg, e);
                if (r < 0)
                        return r;
        }
        return 0;
}

static bool can_keep(const char *dir, const Options *o) {
        CLEANUP(sim_pki_freep) SimPki *pki = NULL;

        return o->keep && sim_pki_load(dir, &pki, NULL) == 0 && pki->product == o->params.product &&
               (pki->csp_id[0] != 0) == (o->params.csp_id != NULL) && time(NULL) - pki->not_before < KEEP_SECONDS;
}

static int create(const char *dir, const Options *o, Error *e) {
        CLEANUP(sim_pki_freep) SimPki *pki = NULL, *keys = NULL;
        int r = 0;

        if (o->keys_of)
                r = sim_pki_load(o->keys_of, &keys, e);
        if (r == 0)
                r = sim_pki_new(&o->params, keys, &pki, e);
        if (r == 0 && o->keep)
                sim_pki_remove(dir);
        return r < 0 ? r : sim_pki_save(pki, dir, e);
}

static int create_or_keep(const char *dir, const Options *o, Error *e) {
        uint64_t start = now_monotonic_usec();
        bool keep = can_keep(dir, o);
        int r = keep ? 0 : create(dir, o, e);

        if (r == 0 && keep)
                printf("%s: kept\n", dir);
        else if (r == 0)
                printf("%s: %s hierarchy made in %.1f s\n", dir, sim_product(o->params.product)->name,
                       (double) (now_monotonic_usec() - start) / 1e6);
        return r;
}

static int show(const char *dir, Error *e) {
        CLEANUP(sim_pki_freep) SimPki *pki = NULL;
        char tcb[SIM_TCB_TEXT_MAX], chip_id[2 * SIM_CHIP_ID_SIZE + 1];
        int r = sim_pki_load(dir, &pki, e);

        if (r < 0)
                return r;
        sim_tcb_format(&pki->tcb, tcb);
        hex_encode_to(pki->chip_id, sizeof(pki->chip_id), chip_id);
        printf("product  %s\ntcb      %s\nchip-id  %s\ncsp-id   %s\n", sim_product(pki->product)->name, tcb, chip_id,
               pki->csp_id[0] ? pki->csp_id : "(no VLEK)");
        return 0;
}

int main(int argc, char **argv) {
        Options o = { .params = sim_pki_params(SIM_GENOA) };
        Error e = {};
        int r;

        r = parse_options(argc, argv, &o, &e);
        if (r < 0 || argc - optind != 2) {
                fprintf(stderr, "%s%s%s", e.text, e.text[0] ? "\n" : "", usage);
                return 2;
        }
        if (strcmp(argv[optind], "create") == 0)
                r = create_or_keep(argv[optind + 1], &o, &e);
        else if (strcmp(argv[optind], "show") == 0)
                r = show(argv[optind + 1], &e);
        else {
                fprintf(stderr, "%s", usage);
                return 2;
        }
        if (r < 0)
                fprintf(stderr, "snp-sim-pki: %s\n", error_text(&e, r));
        return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
