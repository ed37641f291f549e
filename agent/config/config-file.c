/* SPDX-License-Identifier: Apache-2.0 */

/*
 * One file, line by line. inih does the splitting; because it is lenient (continuation lines, ':' as a
 * separator, comments behind values, silent cuts of long lines), every line is held against the strict form
 * before inih sees it, in the function from which inih asks for its lines. That function also keeps the line
 * number for errors, which inih would only tell at the end.
 */

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <ini.h>
#include <stdlib.h>
#include <string.h>

#include "agent/config/config-internal.h"
#include "agent/config/keys.h"

typedef struct FileParser {
        Config *config;
        const char *name; /* of the file */
        const char *rest;
        size_t left;
        unsigned line;
        int r; /* first failure */
        Error *e;
        const char *section; /* as in the table of keys; NULL before the first */
        void *target;        /* its struct */
        uint64_t *seen;      /* keys of it that this file has set: bits by position in the table */
        uint64_t seen_fixed, seen_volume[CONFIG_VOLUMES_MAX], seen_secret[CONFIG_SECRETS_MAX];
} FileParser;

static int fail(FileParser *p, int r) {
        if (p->r == 0) {
                p->r = r;
                error_prefix(p->e, "%s:%u", p->name, p->line);
        }
        return r;
}

static int complain(FileParser *p, const char *reason, const char *what) {
        return fail(p, error_set(p->e, -EINVAL, reason, "%s", what));
}

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

static int set_place(FileParser *p, ConfigPlace *place) {
        if (place->file)
                return 0; /* keep where it was first seen */
        place->file = strdup(p->name);
        if (!place->file)
                return fail(p, error_oom(p->e));
        place->line = p->line;
        return 0;
}

/* Appends a zeroed struct with its name set to *@array. */
static void *append_named(FileParser *p, void **array, size_t *n, size_t size, const char *name) {
        void *grown = reallocarray(*array, *n + 1, size);
        uint8_t *item;

        if (!grown) {
                (void) fail(p, error_oom(p->e));
                return NULL;
        }
        *array = grown;
        item = (uint8_t *) grown + *n * size;
        (void) memset(item, 0, size);
        *(char **) (void *) item = strdup(name);
        if (!*(char **) (void *) item) {
                (void) fail(p, error_oom(p->e));
                return NULL;
        }
        (*n)++;
        return item;
}

static int enter_volume(FileParser *p, const char *name) {
        ConfigVolume *v = find_named(p->config->volumes, p->config->n_volumes, sizeof(*v), name);

        if (!v) {
                if (p->config->n_volumes == CONFIG_VOLUMES_MAX)
                        return complain(p, "config-limit", "more than 64 volumes");
                v = append_named(p, (void **) &p->config->volumes, &p->config->n_volumes, sizeof(*v), name);
                if (!v)
                        return p->r;
        }
        p->target = v;
        p->seen = &p->seen_volume[v - p->config->volumes];
        return set_place(p, &v->place);
}

static int enter_secret(FileParser *p, const char *name) {
        ConfigSecret *s = find_named(p->config->secrets, p->config->n_secrets, sizeof(*s), name);

        if (!s) {
                if (p->config->n_secrets == CONFIG_SECRETS_MAX)
                        return complain(p, "config-limit", "more than 256 secrets");
                s = append_named(p, (void **) &p->config->secrets, &p->config->n_secrets, sizeof(*s), name);
                if (!s)
                        return p->r;
        }
        p->target = s;
        p->seen = &p->seen_secret[s - p->config->secrets];
        return set_place(p, &s->place);
}

static bool name_is_valid(const char *name) {
        size_t n = strlen(name);

        return n > 0 && n <= CONFIG_NAME_MAX && isalnum((unsigned char) name[0]) &&
               strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-") == n;
}

static int enter_fixed(FileParser *p, const char *section) {
        static const struct {
                const char *name;
                size_t offset;
        } fixed[] = {
                { "Attester", offsetof(Config, attester) }, { "Tpm", offsetof(Config, tpm) },
                { "Broker", offsetof(Config, broker) },     { "Trust", offsetof(Config, trust) },
                { "Agent", offsetof(Config, agent) },
        };

        for (size_t i = 0; i < N_ELEMENTS(fixed); i++)
                if (strcmp(fixed[i].name, section) == 0) {
                        p->section = fixed[i].name;
                        p->target = (uint8_t *) p->config + fixed[i].offset;
                        p->seen = &p->seen_fixed;
                        return strcmp(section, "Broker") == 0 ? set_place(p, &p->config->broker.place) : 0;
                }
        return fail(p, error_set(p->e, -EINVAL, "config-section", "unknown section [%s]", section));
}

static int enter_section(FileParser *p, const char *text, size_t n) {
        static const char *const named[] = { "Volume", "Secret" };
        char section[CONFIG_LINE_MAX + 1];

        (void) memcpy(section, text, n);
        section[n] = 0;
        for (size_t i = 0; i < N_ELEMENTS(named); i++) {
                size_t k = strlen(named[i]);

                if (strncmp(section, named[i], k) != 0 || section[k] != ' ')
                        continue;
                if (!name_is_valid(section + k + 1))
                        return complain(p, "config-section",
                                        "a section's name has at most 40 letters, digits, '_', '.' and '-'");
                p->section = named[i];
                return i == 0 ? enter_volume(p, section + k + 1) : enter_secret(p, section + k + 1);
        }
        return enter_fixed(p, section);
}

/* One line without its end. Accepts blank lines, comments, "[Section]" and "Key=Value". */
static int check_line(FileParser *p, const char *line, size_t n) {
        size_t key;

        for (size_t i = 0; i < n; i++)
                if ((unsigned char) line[i] < 0x20 ? line[i] != '\t' : line[i] == 0x7f)
                        return complain(p, "config-syntax", "control character in the line");
        key = strspn(line, " \t");
        if (key >= n || line[key] == '#' || line[key] == ';')
                return 0;
        if (key > 0)
                return complain(p, "config-syntax", "only blank lines and comments may begin with white space");
        /* inih, like other parsers, would take the rest for a comment. */
        if (strstr(line, " ;") || strstr(line, "\t;"))
                return complain(p, "config-syntax", "a comment must stand on a line of its own");
        if (line[0] == '[') {
                if (line[n - 1] != ']')
                        return complain(p, "config-syntax", "a section's line must end with ']'");
                return enter_section(p, line + 1, n - 2);
        }
        while (key < n && isalnum((unsigned char) line[key]))
                key++;
        if (key == 0 || line[key + strspn(line + key, " \t")] != '=')
                return complain(p, "config-syntax", "expected [SECTION] or KEY=VALUE");
        return 0;
}

/* What inih calls for its lines, like fgets(3). NULL ends the parse. */
static char *next_line(char *buf, int size, void *userdata) {
        FileParser *p = userdata;
        const char *end;
        size_t n;

        if (p->r < 0 || p->left == 0)
                return NULL;
        p->line++;
        end = memchr(p->rest, '\n', p->left);
        if (!end) {
                (void) complain(p, "config-truncated", "the last line does not end; is the file complete?");
                return NULL;
        }
        n = (size_t) (end - p->rest);
        if (n > CONFIG_LINE_MAX || n + 2 > (size_t) size) {
                (void) complain(p, "config-limit", "the line is longer than 196 bytes");
                return NULL;
        }
        (void) memcpy(buf, p->rest, n);
        buf[n] = 0; /* for the checks; inih does not need the line's end */
        if (check_line(p, buf, n) < 0)
                return NULL;
        p->rest = end + 1;
        p->left -= n + 1;
        return buf;
}

/* What inih calls for each KEY=VALUE; its idea of the section is not needed. Non-zero is success. */
static int on_key(void *userdata, const char *section, const char *name, const char *value) {
        FileParser *p = userdata;
        const ConfigKey *key;
        uint64_t bit;
        int r;

        (void) section;
        if (p->r < 0)
                return 0;
        if (!p->section)
                return complain(p, "config-syntax", "a key before the first section") == 0;
        key = config_key_find(p->section, name);
        if (!key)
                return fail(p, error_set(p->e, -EINVAL, "config-key", "unknown key %s= in section [%s]", name,
                                         p->section)) == 0;
        bit = UINT64_C(1) << (key - config_keys);
        if (*p->seen & bit)
                return fail(p, error_set(p->e, -EINVAL, "config-duplicate", "%s= is given twice in this file", name)) ==
                       0;
        *p->seen |= bit;
        r = *value ? key->parse(value, (uint8_t *) p->target + key->offset, p->e) :
                     config_key_reset(key, p->target, p->e);
        if (r < 0) {
                error_prefix(p->e, "%s=", name);
                return fail(p, r) == 0;
        }
        return 1;
}

int config_apply(Config *config, const char *name, const void *data, size_t size, Error *e) {
        FileParser p = { .config = config, .name = name, .rest = data, .left = size, .e = e };
        Error unwanted = {};
        int line;

        if (!e)
                p.e = &unwanted;
        if (size > CONFIG_FILE_SIZE_MAX)
                return error_set(e, -E2BIG, "config-limit", "%s is larger than 64 KiB", name);
        line = ini_parse_stream(next_line, &p, on_key, &p);
        if (p.r == 0 && line != 0)
                return error_set(e, -EINVAL, "config-syntax", "%s:%d: cannot be parsed", name, line);
        return p.r;
}
