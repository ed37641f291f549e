/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What sections and keys mean in one file. Its form is judged by base/ini-text.h, which also names file and line in
 * errors and refuses a key that is given twice.
 */

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "agent/config/config-internal.h"
#include "agent/config/keys.h"
#include "base/ini-text.h"

typedef struct FileParser {
        Config *config;
        const char *section; /* as in the table of keys */
        void *target;        /* its struct */
} FileParser;

/* Finds "Volume NAME" or "Secret NAME" among @n structs of @size that begin with their name. */
static void *find_named(void *array, size_t n, size_t size, const char *name) {
        for (size_t i = 0; i < n; i++) {
                void *item = (uint8_t *) array + i * size;

                if (strcmp(*(char **) item, name) == 0)
                        return item;
        }
        return NULL;
}

static_assert(offsetof(ConfigVolume, name) == 0 && offsetof(ConfigSecret, name) == 0, "find_named() looks there");

static int set_place(ConfigPlace *place, const IniLine *line, Error *e) {
        if (place->file)
                return 0; /* keep where it was first seen */
        place->file = strdup(line->file);
        if (!place->file)
                return error_oom(e);
        place->line = line->line;
        return 0;
}

/* Appends a zeroed struct with its name set to *@array; NULL when out of memory. */
static void *append_named(void **array, size_t *n, size_t size, const char *name) {
        void *grown = reallocarray(*array, *n + 1, size);
        uint8_t *item;

        if (!grown)
                return NULL;
        *array = grown;
        item = (uint8_t *) grown + *n * size;
        (void) memset(item, 0, size);
        *(char **) (void *) item = strdup(name);
        if (!*(char **) (void *) item)
                return NULL;
        (*n)++;
        return item;
}

static int enter_volume(FileParser *p, const char *name, const IniLine *line, Error *e) {
        ConfigVolume *v = find_named(p->config->volumes, p->config->n_volumes, sizeof(*v), name);

        if (!v) {
                if (p->config->n_volumes == CONFIG_VOLUMES_MAX)
                        return error_set(e, -EINVAL, "config-limit", "more than 64 volumes");
                v = append_named((void **) &p->config->volumes, &p->config->n_volumes, sizeof(*v), name);
                if (!v)
                        return error_oom(e);
        }
        p->target = v;
        return set_place(&v->place, line, e);
}

static int enter_secret(FileParser *p, const char *name, const IniLine *line, Error *e) {
        ConfigSecret *s = find_named(p->config->secrets, p->config->n_secrets, sizeof(*s), name);

        if (!s) {
                if (p->config->n_secrets == CONFIG_SECRETS_MAX)
                        return error_set(e, -EINVAL, "config-limit", "more than 256 secrets");
                s = append_named((void **) &p->config->secrets, &p->config->n_secrets, sizeof(*s), name);
                if (!s)
                        return error_oom(e);
        }
        p->target = s;
        return set_place(&s->place, line, e);
}

static bool name_is_valid(const char *name) {
        size_t n = strlen(name);

        return n > 0 && n <= CONFIG_NAME_MAX && isalnum((unsigned char) name[0]) &&
               strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-") == n;
}

/* Of sections that are checked as a whole. */
static int set_place_of(Config *config, const char *section, const IniLine *line, Error *e) {
        if (strcmp(section, "Broker") == 0)
                return set_place(&config->broker.place, line, e);
        if (strcmp(section, "Measure") == 0)
                return set_place(&config->measure.place, line, e);
        return 0;
}

static int enter_fixed(FileParser *p, const IniLine *line, Error *e) {
        static const struct {
                const char *name;
                size_t offset;
        } fixed[] = {
                { "Attester", offsetof(Config, attester) }, { "Tpm", offsetof(Config, tpm) },
                { "Measure", offsetof(Config, measure) },
                { "Broker", offsetof(Config, broker) },     { "Trust", offsetof(Config, trust) },
                { "Agent", offsetof(Config, agent) },       { "Collateral", offsetof(Config, collateral) },
        };

        for (size_t i = 0; i < N_ELEMENTS(fixed); i++)
                if (strcmp(fixed[i].name, line->section) == 0) {
                        p->section = fixed[i].name;
                        p->target = (uint8_t *) p->config + fixed[i].offset;
                        return set_place_of(p->config, fixed[i].name, line, e);
                }
        return error_set(e, -EINVAL, "config-section", "unknown section [%s]", line->section);
}

static int on_section(void *userdata, const IniLine *line, Error *e) {
        static const char *const named[] = { "Volume", "Secret" };
        FileParser *p = userdata;

        for (size_t i = 0; i < N_ELEMENTS(named); i++) {
                size_t k = strlen(named[i]);
                const char *name = line->section + k + 1;

                if (strncmp(line->section, named[i], k) != 0 || line->section[k] != ' ')
                        continue;
                if (!name_is_valid(name))
                        return error_set(e, -EINVAL, "config-section",
                                         "a section's name has at most 40 letters, digits, '_', '.' and '-'");
                p->section = named[i];
                return i == 0 ? enter_volume(p, name, line, e) : enter_secret(p, name, line, e);
        }
        return enter_fixed(p, line, e);
}

static int on_key(void *userdata, const IniLine *line, Error *e) {
        FileParser *p = userdata;
        const ConfigKey *key = config_key_find(p->section, line->key);
        int r;

        if (!key)
                return error_set(e, -EINVAL, "config-key", "unknown key %s= in section [%s]", line->key, p->section);
        r = *line->value ? key->parse(line->value, (uint8_t *) p->target + key->offset, e) :
                           config_key_reset(key, p->target, e);
        if (r < 0)
                error_prefix(e, "%s=", line->key);
        return r;
}

/* As a PCR is extended: which files, in which order. */
static int config_digest_add(Config *config, const void *data, size_t size, Error *e) {
        uint8_t both[2 * CONFIG_DIGEST_SIZE];

        (void) memcpy(both, config->digest, CONFIG_DIGEST_SIZE);
        if (!EVP_Digest(data, size, both + CONFIG_DIGEST_SIZE, NULL, EVP_sha256(), NULL) ||
            !EVP_Digest(both, sizeof(both), config->digest, NULL, EVP_sha256(), NULL))
                return error_set(e, -EIO, "digest-failed", "SHA-256 failed");
        return 0;
}

int config_apply(Config *config, const char *name, const void *data, size_t size, Error *e) {
        static const IniHandler handler = { .section = on_section, .key = on_key };
        FileParser p = { .config = config };
        int r = config_digest_add(config, data, size, e);

        return r < 0 ? r : ini_text_parse(name, data, size, CONFIG_FILE_SIZE_MAX, &handler, &p, e);
}
