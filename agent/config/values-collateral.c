/* SPDX-License-Identifier: Apache-2.0 */

/* Values of section [Collateral]. Addresses are looked at closely by whoever asks them. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/config/config.h"
#include "agent/config/values.h"
#include "base/deadline.h"
#include "base/text.h"

#define PAUSE_MIN_USEC (10 * USEC_PER_MSEC)
#define PAUSE_MAX_USEC (86400 * USEC_PER_SEC)

CONFIG_VALUE(config_value_path_or_none) {
        if (strcmp(value, "none") == 0) {
                config_clear_text(field);
                return 0;
        }
        return config_value_path(value, field, e);
}

CONFIG_VALUE(config_value_authorities) {
        int r;

        if (strcmp(value, "system") == 0) {
                config_clear_text(field);
                return 0;
        }
        r = config_value_path(value, field, NULL);
        if (r == -ENOMEM)
                return error_oom(e);
        return r < 0 ? config_value_bad(e, "expected the absolute path of a PEM file, or 'system'") : 0;
}

CONFIG_VALUE(config_value_fetch) {
        static const char *const names[] = {
                [CONFIG_FETCH_NEVER] = "never",
                [CONFIG_FETCH_BACKGROUND] = "background",
        };
        int i = config_value_choose(names, N_ELEMENTS(names), value);

        if (i < 0)
                return config_value_bad(e, "expected 'never' or 'background'");
        *(ConfigFetch *) field = (ConfigFetch) i;
        return 0;
}

CONFIG_VALUE(config_value_crl) {
        static const char *const names[] = {
                [CONFIG_CRL_OFF] = "off",
                [CONFIG_CRL_SOFT] = "soft",
                [CONFIG_CRL_HARD] = "hard",
        };
        int i = config_value_choose(names, N_ELEMENTS(names), value);

        if (i < 0)
                return config_value_bad(e, "expected 'off', 'soft' or 'hard'");
        *(ConfigCrl *) field = (ConfigCrl) i;
        return 0;
}

CONFIG_VALUE(config_value_pause) {
        uint64_t usec;

        if (text_to_usec(value, &usec) < 0 || usec < PAUSE_MIN_USEC || usec > PAUSE_MAX_USEC)
                return config_value_bad(e, "expected a time between 10ms and 24h");
        *(uint64_t *) field = usec;
        return 0;
}

static bool is_web_address(const char *value) {
        static const char *const schemes[] = { "https://", "http://" };

        for (size_t i = 0; i < N_ELEMENTS(schemes); i++) {
                const char *rest = value + strlen(schemes[i]);

                if (text_starts_with(value, schemes[i]))
                        return *rest && *rest != '/' && !strpbrk(value, " \t?#@\"<>\\");
        }
        return false;
}

void config_clear_mirrors(void *field) {
        ConfigMirrors *mirrors = field;

        for (size_t i = 0; i < mirrors->n; i++)
                free(mirrors->urls[i]);
        *mirrors = (ConfigMirrors){};
}

CONFIG_VALUE(config_value_mirrors) {
        AUTO_FREE char *copy = strdup(value);
        CLEANUP(config_clear_mirrors) ConfigMirrors mirrors = { .none = strcmp(value, "none") == 0 };
        char *rest = mirrors.none ? NULL : copy;

        if (!copy)
                return error_oom(e);
        for (const char *word = config_value_next_word(&rest); word; word = config_value_next_word(&rest)) {
                if (mirrors.n == CONFIG_MIRRORS_MAX)
                        return config_value_bad(e, "a list has at most 8 addresses");
                if (!is_web_address(word))
                        return config_value_bad(e, "expected https://HOST[:PORT][/PATH], http:// and a literal address "
                                                   "of this machine or its link, or 'none'");
                mirrors.urls[mirrors.n] = strdup(word);
                if (!mirrors.urls[mirrors.n])
                        return error_oom(e);
                mirrors.n++;
        }
        config_clear_mirrors(field);
        *(ConfigMirrors *) field = mirrors;
        mirrors = (ConfigMirrors){};
        return 0;
}

void config_clear_cloud(void *field) {
        ConfigCollateral *collateral = field;

        config_clear_text(&collateral->cloud_url);
        collateral->cloud = CONFIG_CLOUD_AUTO;
}

CONFIG_VALUE(config_value_cloud) {
        static const char *const names[] = {
                [CONFIG_CLOUD_AUTO] = "auto",
                [CONFIG_CLOUD_NONE] = "none",
                [CONFIG_CLOUD_THIM] = "thim",
        };
        ConfigCollateral *collateral = field;
        int i = config_value_choose(names, N_ELEMENTS(names), value);
        char *url = NULL;

        if (i < 0) {
                if (!is_web_address(value))
                        return config_value_bad(e, "expected 'auto', 'none', 'thim' or an address");
                i = CONFIG_CLOUD_THIM;
                url = strdup(value);
                if (!url)
                        return error_oom(e);
        }
        config_clear_cloud(field);
        collateral->cloud = (ConfigCloud) i;
        collateral->cloud_url = url;
        return 0;
}
