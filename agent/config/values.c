/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/config/values.h"

/*
 * Text to values. Each parser judges the whole value before it touches the field, so a field never holds
 * half of a list. Sentences say what is allowed; the caller puts file, line and key in front.
 */

#include <ctype.h>
#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#include "agent/config/config.h"
#include "base/deadline.h"
#include "base/text.h"

#define TIMEOUT_MAX_USEC (600 * USEC_PER_SEC)   /* longest wait that anybody behind a prompt puts up with */
#define IDLE_MAX_USEC (86400 * USEC_PER_SEC)
#define INTERVAL_MAX_USEC (60 * USEC_PER_SEC)   /* as long as the driver waits for a busy host */
#define REQUESTS_MAX 64 /* what the broker client takes */
#define UNIT_NAME_MAX 255 /* systemd's own limit */

int config_value_bad(Error *e, const char *what) {
        return error_set(e, -EINVAL, "config-value", "%s", what);
}

static int set_text(void *field, const char *value, Error *e) {
        char *copy = strdup(value);

        if (!copy)
                return error_oom(e);
        config_clear_text(field);
        *(char **) field = copy;
        return 0;
}

void config_clear_text(void *field) {
        char **text = field;

        free(*text);
        *text = NULL;
}

CONFIG_VALUE(config_value_text) {
        return set_text(field, value, e);
}

static bool path_is_plain(const char *value) {
        return value[0] == '/' && !strstr(value, "//") && !strstr(value, "/../") && !strstr(value, "/./") &&
               value[strlen(value) - 1] != '/';
}

CONFIG_VALUE(config_value_path) {
        if (!path_is_plain(value))
                return config_value_bad(e, "expected an absolute path without '//', '/./' or '/../'");
        return set_text(field, value, e);
}

CONFIG_VALUE(config_value_socket) {
        if (!path_is_plain(value))
                return config_value_bad(e, "expected an absolute path without '//', '/./' or '/../'");
        if (strlen(value) > CONFIG_SOCKET_PATH_MAX)
                return config_value_bad(e, "a socket's path has at most 107 bytes");
        return set_text(field, value, e);
}

CONFIG_VALUE(config_value_socket_or_none) {
        if (strcmp(value, "none") == 0) {
                config_clear_text(field);
                return 0;
        }
        return config_value_socket(value, field, e);
}

CONFIG_VALUE(config_value_url) {
        static const char scheme[] = "https://";

        if (!text_starts_with(value, scheme) || value[sizeof(scheme) - 1] == 0 || value[sizeof(scheme) - 1] == '/')
                return config_value_bad(e, "expected https://HOST[:PORT][/PATH]; nothing but https is supported");
        if (strpbrk(value, " \t?#@\"<>\\"))
                return config_value_bad(e, "a broker's URL has no user, query, fragment, quote or white space");
        return set_text(field, value, e);
}

CONFIG_VALUE(config_value_resource) {
        if (!text_is_resource_path(value))
                return config_value_bad(e, "expected REPOSITORY/TYPE/TAG of letters, digits, '_', '-' and '.'");
        return set_text(field, value, e);
}

CONFIG_VALUE(config_value_uuid) {
        char uuid[CONFIG_UUID_SIZE] = {};
        size_t n = strlen(value);

        for (size_t i = 0; i < n && n == sizeof(uuid) - 1; i++) {
                bool dash = i == 8 || i == 13 || i == 18 || i == 23;

                if (dash ? value[i] != '-' : !isxdigit((unsigned char) value[i]))
                        n = 0;
                else
                        uuid[i] = (char) tolower((unsigned char) value[i]);
        }
        if (n != sizeof(uuid) - 1)
                return config_value_bad(e, "expected a UUID as 'cryptsetup luksUUID' prints it");
        (void) memcpy(field, uuid, sizeof(uuid));
        return 0;
}

CONFIG_VALUE(config_value_timeout) {
        uint64_t usec;

        if (text_to_usec(value, &usec) < 0 || usec < USEC_PER_SEC || usec > TIMEOUT_MAX_USEC)
                return config_value_bad(e, "expected a time between 1s and 10min");
        *(uint64_t *) field = usec;
        return 0;
}

CONFIG_VALUE(config_value_idle) {
        uint64_t usec;

        if (text_to_usec(value, &usec) < 0 || usec > IDLE_MAX_USEC)
                return config_value_bad(e, "expected a time of at most 24h, or 0");
        *(uint64_t *) field = usec;
        return 0;
}

CONFIG_VALUE(config_value_interval) {
        uint64_t usec;

        if (text_to_usec(value, &usec) < 0 || usec > INTERVAL_MAX_USEC)
                return config_value_bad(e, "expected a time of at most 1min, or 0");
        *(uint64_t *) field = usec;
        return 0;
}

CONFIG_VALUE(config_value_requests) {
        uint64_t n;

        if (text_to_u64(value, 10, 1, REQUESTS_MAX, &n) < 0)
                return config_value_bad(e, "expected a number between 1 and 64");
        *(uint32_t *) field = (uint32_t) n;
        return 0;
}

CONFIG_VALUE(config_value_vmpl) {
        uint64_t vmpl = UINT32_MAX;

        if (strcmp(value, "auto") != 0 && text_to_u64(value, 10, 0, 3, &vmpl) < 0)
                return config_value_bad(e, "expected 'auto', 0, 1, 2 or 3");
        *(uint32_t *) field = (uint32_t) vmpl;
        return 0;
}

CONFIG_VALUE(config_value_pcr) {
        ConfigMeasure *measure = field;
        uint64_t pcr = 0;

        measure->enabled = strcmp(value, "none") != 0;
        if (measure->enabled && text_to_u64(value, 10, 0, 23, &pcr) < 0)
                return config_value_bad(e, "expected 'none' or a PCR, 0 to 23");
        measure->pcr = (uint32_t) pcr;
        return 0;
}

CONFIG_VALUE(config_value_bool) {
        if (text_to_bool(value, field) < 0)
                return config_value_bad(e, "expected 'yes' or 'no'");
        return 0;
}

int config_value_choose(const char *const *names, size_t n, const char *value) {
        for (size_t i = 0; i < n; i++)
                if (strcmp(names[i], value) == 0)
                        return (int) i;
        return -EINVAL;
}

CONFIG_VALUE(config_value_source) {
        static const char *const names[] = {
                [CONFIG_SOURCE_AUTO] = "auto",
                [CONFIG_SOURCE_CONFIGFS_TSM] = "configfs-tsm",
                [CONFIG_SOURCE_SEV_GUEST] = "sev-guest",
                [CONFIG_SOURCE_AZURE] = "azure",
        };
        int i = config_value_choose(names, N_ELEMENTS(names), value);

        if (i < 0)
                return config_value_bad(e, "expected 'auto', 'configfs-tsm', 'sev-guest' or 'azure'");
        *(ConfigSource *) field = (ConfigSource) i;
        return 0;
}

CONFIG_VALUE(config_value_tee) {
        static const char *const names[] = {
                [CONFIG_TEE_SNP] = "snp",
                [CONFIG_TEE_AZ_SNP_VTPM] = "az-snp-vtpm",
        };
        int i = config_value_choose(names, N_ELEMENTS(names), value);

        if (i < 0)
                return config_value_bad(e, "expected 'snp' or 'az-snp-vtpm'");
        *(ConfigTee *) field = (ConfigTee) i;
        return 0;
}

CONFIG_VALUE(config_value_tee_key) {
        static const char *const names[] = {
                [CONFIG_TEE_KEY_EC_P256] = "ec-p256",
                [CONFIG_TEE_KEY_EC_P384] = "ec-p384",
                [CONFIG_TEE_KEY_EC_P521] = "ec-p521",
                [CONFIG_TEE_KEY_RSA_OAEP_256] = "rsa-oaep-256",
                [CONFIG_TEE_KEY_RSA_OAEP] = "rsa-oaep",
        };
        int i = config_value_choose(names, N_ELEMENTS(names), value);

        if (i < 0)
                return config_value_bad(e, "expected 'ec-p256', 'ec-p384', 'ec-p521', 'rsa-oaep-256' or 'rsa-oaep'");
        *(ConfigTeeKey *) field = (ConfigTeeKey) i;
        return 0;
}

CONFIG_VALUE(config_value_ak) {
        static const char *const names[] = {
                [CONFIG_AK_RSA2048] = "rsa2048",
                [CONFIG_AK_ECC_P256] = "ecc-p256",
                [CONFIG_AK_ECC_P384] = "ecc-p384",
                [CONFIG_AK_AZURE] = "azure",
                [CONFIG_AK_GCP_RSA] = "gcp-rsa",
                [CONFIG_AK_GCP_ECC] = "gcp-ecc",
                [CONFIG_AK_AUTO] = "auto",
        };
        ConfigTpm *tpm = field;
        int i = config_value_choose(names, N_ELEMENTS(names), value);
        uint64_t handle = 0;

        if (i < 0 && text_starts_with(value, "handle:0x") &&
            /* Persistent handles: TPM 2.0 library specification, part 2, table "TPM_HC constants". */
            text_to_u64(value + strlen("handle:"), 0, 0x81000000, 0x81ffffff, &handle) == 0)
                i = CONFIG_AK_HANDLE;
        if (i < 0)
                return config_value_bad(e, "expected 'rsa2048', 'ecc-p256', 'ecc-p384', 'azure', 'gcp-rsa', 'gcp-ecc', "
                                           "'auto' or 'handle:0x81xxxxxx'");
        tpm->ak = (ConfigAk) i;
        tpm->ak_handle = (uint32_t) handle;
        return 0;
}

CONFIG_VALUE(config_value_ca) {
        ConfigBroker *broker = field;
        int r;

        if (strcmp(value, "system") == 0) {
                config_clear_ca(field);
                broker->use_system_ca = true;
                return 0;
        }
        r = config_value_path(value, &broker->ca_file, NULL);
        if (r == -ENOMEM)
                return error_oom(e);
        if (r < 0)
                return config_value_bad(e, "expected the absolute path of a PEM file, or 'system'");
        broker->use_system_ca = false;
        return 0;
}

void config_clear_ca(void *field) {
        ConfigBroker *broker = field;

        config_clear_text(&broker->ca_file);
        broker->use_system_ca = false;
}

char *config_value_next_word(char **rest) {
        char *word;

        while ((word = strsep(rest, " \t")))
                if (*word)
                        return word;
        return NULL;
}

static int user_to_uid(const char *user, uid_t *ret, Error *e) {
        uint64_t n;
        const struct passwd *pw;

        /* (uid_t) -1 means "nobody at all" to the kernel. */
        if (text_to_u64(user, 10, 0, UINT32_MAX - 1, &n) == 0) {
                *ret = (uid_t) n;
                return 0;
        }
        if (isdigit((unsigned char) user[0]))
                return error_set(e, -EINVAL, "config-value", "'%s' is not a user", user);
        pw = getpwnam(user);
        if (!pw)
                return error_set(e, -EINVAL, "config-value", "there is no user '%s'", user);
        *ret = pw->pw_uid;
        return 0;
}

CONFIG_VALUE(config_value_users) {
        AUTO_FREE char *copy = strdup(value);
        ConfigUsers users = {};
        char *rest = copy;
        int r;

        if (!copy)
                return error_oom(e);
        for (const char *word = config_value_next_word(&rest); word; word = config_value_next_word(&rest)) {
                if (users.n == CONFIG_LIST_MAX)
                        return config_value_bad(e, "a list has at most 16 entries");
                r = user_to_uid(word, &users.uids[users.n], e);
                if (r < 0)
                        return r;
                users.n++;
        }
        *(ConfigUsers *) field = users;
        return 0;
}

static bool unit_name_is_valid(const char *name) {
        static const char *const suffixes[] = { ".service", ".scope" };
        static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789:-_.\\@";
        size_t n = strlen(name);

        if (n > UNIT_NAME_MAX || strspn(name, allowed) != n)
                return false;
        for (size_t i = 0; i < N_ELEMENTS(suffixes); i++) {
                size_t k = strlen(suffixes[i]);

                if (n > k && strcmp(name + n - k, suffixes[i]) == 0)
                        return true;
        }
        return false;
}

void config_clear_units(void *field) {
        ConfigUnits *units = field;

        for (size_t i = 0; i < units->n; i++)
                free(units->names[i]);
        *units = (ConfigUnits){};
}

CONFIG_VALUE(config_value_units) {
        AUTO_FREE char *copy = strdup(value);
        CLEANUP(config_clear_units) ConfigUnits units = {};
        char *rest = copy;

        if (!copy)
                return error_oom(e);
        for (const char *word = config_value_next_word(&rest); word; word = config_value_next_word(&rest)) {
                if (units.n == CONFIG_LIST_MAX)
                        return config_value_bad(e, "a list has at most 16 entries");
                if (!unit_name_is_valid(word))
                        return config_value_bad(e, "expected whole names of services or scopes; patterns are not "
                                                   "supported");
                units.names[units.n] = strdup(word);
                if (!units.names[units.n])
                        return error_oom(e);
                units.n++;
        }
        config_clear_units(field);
        *(ConfigUnits *) field = units;
        units = (ConfigUnits){};
        return 0;
}
