/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/simulator/options.h"

#include <errno.h>
#include <stdio.h>

#define FIRST_SETTING 256

/* Shorthands that take no value. */
static const struct {
        const char *option, *key, *value;
} shorthands[] = {
        { "vlek", "signing-key", "vlek" },
        { "no-certs", "certs", "none" },
};

static int fill_table(const struct option *own, struct option table[static SIM_OPTIONS_MAX + 1]) {
        const SimSettingInfo *infos = sim_settings_list();
        size_t n = 0, n_infos = 0;

        for (; own[n].name; n++)
                table[n] = own[n];
        for (; infos[n_infos].key; n_infos++, n++) {
                if (n + N_ELEMENTS(shorthands) >= SIM_OPTIONS_MAX)
                        return -E2BIG;
                table[n] = (struct option){ infos[n_infos].key, required_argument, NULL,
                                            FIRST_SETTING + (int) n_infos };
        }
        for (size_t i = 0; i < N_ELEMENTS(shorthands); i++, n++)
                table[n] = (struct option){ shorthands[i].option, no_argument, NULL,
                                            FIRST_SETTING + (int) (n_infos + i) };
        table[n] = (struct option){};
        return (int) n_infos;
}

int sim_options_parse(int argc, char **argv, const struct option *own,
                      int (*on_own)(void *user, int val, const char *value), void *user, SimOptions *ret, Error *e) {
        const SimSettingInfo *infos = sim_settings_list();
        struct option table[SIM_OPTIONS_MAX + 1];
        SimOptions o = {};
        int c, n_infos;

        n_infos = fill_table(own, table);
        if (n_infos < 0)
                return error_set(e, n_infos, "sim-options", "Too many options in the table");
        while ((c = getopt_long(argc, argv, "", table, NULL)) != -1) {
                int i = c - FIRST_SETTING;

                if (i < 0) {
                        if (c == '?' || on_own(user, c, optarg) < 0)
                                return error_set(e, -EINVAL, "sim-options", "An option is not understood");
                        continue;
                }
                if (o.n_settings == SIM_OPTIONS_MAX)
                        return error_set(e, -EINVAL, "sim-options", "Too many settings");
                o.keys[o.n_settings] = i < n_infos ? infos[i].key : shorthands[i - n_infos].key;
                o.values[o.n_settings++] = i < n_infos ? optarg : shorthands[i - n_infos].value;
        }
        if (optind != argc)
                return error_set(e, -EINVAL, "sim-options", "'%s' is no option", argv[optind]);
        *ret = o;
        return 0;
}

int sim_options_apply(const SimOptions *options, SimPlatform *p, Error *e) {
        for (size_t i = 0; i < options->n_settings; i++) {
                int r = sim_settings_set(&p->base, p->pki, options->keys[i], options->values[i], e);

                if (r < 0)
                        return r;
        }
        return 0;
}

void sim_options_print_settings(void) {
        printf("\nSettings, also as KEY=VALUE lines of the control file:\n");
        for (const SimSettingInfo *i = sim_settings_list(); i->key; i++)
                printf("  --%-20s %s\n", i->key, i->help);
        for (size_t i = 0; i < N_ELEMENTS(shorthands); i++)
                printf("  --%-20s short for --%s=%s\n", shorthands[i].option, shorthands[i].key, shorthands[i].value);
}
