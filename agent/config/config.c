/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/config/config.h"

/*
 * Which files make up the configuration, and what they must add up to. A Config is built afresh each time
 * and handed out only when everything holds, so a failed reload leaves the one in use alone.
 */

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "agent/config/config-internal.h"
#include "agent/config/keys.h"
#include "base/file.h"

#define FILE_NAME "snp-agent.conf"

static void place_done(ConfigPlace *place) {
        free(place->file);
        *place = (ConfigPlace){};
}

void config_free(Config *config) {
        if (!config)
                return;
        config_section_clear("Attester", &config->attester);
        config_section_clear("Tpm", &config->tpm);
        config_section_clear("Measure", &config->measure);
        place_done(&config->measure.place);
        config_section_clear("Broker", &config->broker);
        place_done(&config->broker.place);
        config_section_clear("Trust", &config->trust);
        config_section_clear("Agent", &config->agent);
        config_section_clear("Collateral", &config->collateral);
        for (size_t i = 0; i < config->n_volumes; i++) {
                config_section_clear("Volume", &config->volumes[i]);
                place_done(&config->volumes[i].place);
                free(config->volumes[i].name);
        }
        for (size_t i = 0; i < config->n_secrets; i++) {
                config_section_clear("Secret", &config->secrets[i]);
                place_done(&config->secrets[i].place);
                free(config->secrets[i].name);
        }
        free(config->volumes);
        free(config->secrets);
        free(config);
}

static int new_with_defaults(Config **ret, Error *e) {
        CLEANUP(config_freep) Config *c = calloc(1, sizeof(*c));
        int r;

        if (!c)
                return error_oom(e);
        r = config_section_reset("Attester", &c->attester, e);
        if (r == 0)
                r = config_section_reset("Tpm", &c->tpm, e);
        if (r == 0)
                r = config_section_reset("Measure", &c->measure, e);
        if (r == 0)
                r = config_section_reset("Broker", &c->broker, e);
        if (r == 0)
                r = config_section_reset("Trust", &c->trust, e);
        if (r == 0)
                r = config_section_reset("Agent", &c->agent, e);
        if (r == 0)
                r = config_section_reset("Collateral", &c->collateral, e);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(c);
        return 0;
}

static int incomplete(const ConfigPlace *place, Error *e, const char *what) {
        return error_set(e, -EINVAL, "config-incomplete", "%s:%u: %s", place->file, place->line, what);
}

static int check_volumes(const Config *c, Error *e) {
        for (size_t i = 0; i < c->n_volumes; i++) {
                const ConfigVolume *v = &c->volumes[i];

                if (!v->uuid[0] || !v->resource)
                        return incomplete(&v->place, e, "a volume needs UUID= and Resource=");
                if (!c->broker.url)
                        return incomplete(&v->place, e, "a volume needs a URL= in section [Broker]");
                for (size_t j = 0; j < i; j++)
                        if (strcmp(c->volumes[j].uuid, v->uuid) == 0)
                                return incomplete(&v->place, e, "two volumes have this UUID=");
        }
        return 0;
}

static int check_secrets(const Config *c, Error *e) {
        for (size_t i = 0; i < c->n_secrets; i++) {
                const ConfigSecret *s = &c->secrets[i];

                if (!s->resource)
                        return incomplete(&s->place, e, "a secret needs Resource=");
                if (s->users.n == 0 && s->units.n == 0)
                        return incomplete(&s->place, e, "a secret needs User= or Unit=; nobody could have it");
                if (!c->broker.url)
                        return incomplete(&s->place, e, "a secret needs a URL= in section [Broker]");
                for (size_t j = 0; j < i; j++)
                        if (strcmp(c->secrets[j].resource, s->resource) == 0)
                                return incomplete(&s->place, e, "two secrets have this Resource=");
        }
        return 0;
}

/* Below Azure's paravisor evidence is of its own kind, and comes from the TPM. */
static int check_azure(const Config *c, Error *e) {
        bool source = c->attester.source == CONFIG_SOURCE_AZURE, tee = c->broker.tee == CONFIG_TEE_AZ_SNP_VTPM;

        if (!c->broker.url)
                return 0;
        if (source != tee)
                return incomplete(&c->broker.place, e, "Tee=az-snp-vtpm and Source=azure in section [Attester] need "
                                                       "each other");
        if (source && !c->tpm.tcti)
                return incomplete(&c->broker.place, e, "Tee=az-snp-vtpm needs a Tcti= in section [Tpm]");
        return 0;
}

static int check(const Config *c, Error *e) {
        int r;

        if (c->broker.url && !c->broker.ca_file && !c->broker.use_system_ca)
                return incomplete(&c->broker.place, e, "URL= needs CA=, a PEM file or 'system'");
        if (c->measure.enabled && !c->tpm.tcti)
                return incomplete(&c->measure.place, e, "Pcr= needs a Tcti= in section [Tpm]");
        r = check_azure(c, e);
        if (r == 0)
                r = check_volumes(c, e);
        if (r < 0)
                return r;
        return check_secrets(c, e);
}

static int apply_path(Config *c, const char *path, Error *e) {
        AUTO_BLOB Blob b = {};
        int r;

        r = file_read(path, CONFIG_FILE_SIZE_MAX, &b, e);
        if (r < 0)
                return r;
        return config_apply(c, path, b.data, b.size, e);
}

static int join(const char *dir, const char *name, char **ret, Error *e) {
        if (asprintf(ret, "%s/%s", dir, name) >= 0)
                return 0;
        *ret = NULL;
        return error_oom(e);
}

typedef struct DropIns {
        char *names[CONFIG_DROP_INS_MAX], *paths[CONFIG_DROP_INS_MAX];
        size_t n;
} DropIns;

static void drop_ins_done(DropIns *d) {
        for (size_t i = 0; i < d->n; i++) {
                free(d->names[i]);
                free(d->paths[i]);
        }
        *d = (DropIns){};
}

/* Adds DIR/NAME unless a directory of higher priority has a file of that name. Kept sorted by name. */
static int drop_ins_add(DropIns *d, const char *dir, const char *name, Error *e) {
        AUTO_FREE char *copy = NULL, *path = NULL;
        size_t at = 0;
        int r;

        while (at < d->n && strcmp(d->names[at], name) < 0)
                at++;
        if (at < d->n && strcmp(d->names[at], name) == 0)
                return 0;
        if (d->n == CONFIG_DROP_INS_MAX)
                return error_set(e, -E2BIG, "config-limit", "More than %u drop-ins of %s", CONFIG_DROP_INS_MAX,
                                 FILE_NAME);
        copy = strdup(name);
        if (!copy)
                return error_oom(e);
        r = join(dir, name, &path, e);
        if (r < 0)
                return r;
        (void) memmove(&d->names[at + 1], &d->names[at], (d->n - at) * sizeof(d->names[0]));
        (void) memmove(&d->paths[at + 1], &d->paths[at], (d->n - at) * sizeof(d->paths[0]));
        d->names[at] = TAKE_PTR(copy);
        d->paths[at] = TAKE_PTR(path);
        d->n++;
        return 0;
}

static bool is_drop_in(const char *name) {
        size_t n = strlen(name);

        return name[0] != '.' && n > 5 && strcmp(name + n - 5, ".conf") == 0;
}

static int drop_ins_list(DropIns *d, const char *dir, Error *e) {
        DIR *stream = opendir(dir);
        int r = 0;

        if (!stream && (errno == ENOENT || errno == ENOTDIR))
                return 0;
        if (!stream)
                return error_set(e, -errno, "open-failed", "Cannot open %s: %s", dir, error_text(NULL, -errno));
        for (const struct dirent *entry = readdir(stream); entry && r == 0; entry = readdir(stream))
                if (is_drop_in(entry->d_name))
                        r = drop_ins_add(d, dir, entry->d_name, e);
        (void) closedir(stream);
        return r;
}

static int apply_drop_ins(Config *c, const DropIns *d, Error *e) {
        for (size_t i = 0; i < d->n; i++) {
                int r = apply_path(c, d->paths[i], e);

                if (r < 0)
                        return r;
        }
        return 0;
}

/* The main file from the first directory that has one. */
static int apply_first(Config *c, const char *const *dirs, size_t n_dirs, Error *e) {
        for (size_t i = 0; i < n_dirs; i++) {
                AUTO_FREE char *path = NULL;
                Error local = {};
                int r;

                r = join(dirs[i], FILE_NAME, &path, e);
                if (r < 0)
                        return r;
                r = apply_path(c, path, &local);
                if (r == -ENOENT || r == -ENOTDIR)
                        continue;
                if (r < 0 && e && e->code == 0)
                        *e = local;
                return r;
        }
        return 0;
}

int config_load_dirs(const char *const *dirs, size_t n_dirs, Config **ret, Error *e) {
        CLEANUP(config_freep) Config *c = NULL;
        CLEANUP(drop_ins_done) DropIns drop_ins = {};
        int r;

        r = new_with_defaults(&c, e);
        if (r < 0)
                return r;
        r = apply_first(c, dirs, n_dirs, e);
        for (size_t i = 0; i < n_dirs && r == 0; i++) {
                AUTO_FREE char *dir = NULL;

                r = join(dirs[i], FILE_NAME ".d", &dir, e);
                if (r == 0)
                        r = drop_ins_list(&drop_ins, dir, e);
        }
        if (r == 0)
                r = apply_drop_ins(c, &drop_ins, e);
        if (r == 0)
                r = check(c, e);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(c);
        return 0;
}

static int load_file(const char *file, Config **ret, Error *e) {
        CLEANUP(config_freep) Config *c = NULL;
        CLEANUP(drop_ins_done) DropIns drop_ins = {};
        AUTO_FREE char *dir = NULL;
        int r;

        r = new_with_defaults(&c, e);
        if (r == 0)
                r = apply_path(c, file, e);
        if (r < 0)
                return r;
        if (asprintf(&dir, "%s.d", file) < 0) {
                dir = NULL;
                return error_oom(e);
        }
        r = drop_ins_list(&drop_ins, dir, e);
        if (r == 0)
                r = apply_drop_ins(c, &drop_ins, e);
        if (r == 0)
                r = check(c, e);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(c);
        return 0;
}

int config_load(const char *file, Config **ret, Error *e) {
        static const char *const dirs[] = { "/etc/snp-agent", "/run/snp-agent", "/usr/lib/snp-agent" };

        return file ? load_file(file, ret, e) : config_load_dirs(dirs, N_ELEMENTS(dirs), ret, e);
}

int config_parse(const char *name, const void *data, size_t size, Config **ret, Error *e) {
        CLEANUP(config_freep) Config *c = NULL;
        int r;

        r = new_with_defaults(&c, e);
        if (r == 0)
                r = config_apply(c, name, data, size, e);
        if (r == 0)
                r = check(c, e);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(c);
        return 0;
}

const ConfigVolume *config_find_volume(const Config *config, const char *uuid, size_t uuid_len) {
        if (uuid_len != CONFIG_UUID_SIZE - 1)
                return NULL;
        for (size_t i = 0; i < config->n_volumes; i++)
                if (strncasecmp(config->volumes[i].uuid, uuid, uuid_len) == 0)
                        return &config->volumes[i];
        return NULL;
}

const ConfigSecret *config_find_secret(const Config *config, const char *resource) {
        for (size_t i = 0; i < config->n_secrets; i++)
                if (strcmp(config->secrets[i].resource, resource) == 0)
                        return &config->secrets[i];
        return NULL;
}

bool config_users_have(const ConfigUsers *users, uid_t uid) {
        for (size_t i = 0; i < users->n; i++)
                if (users->uids[i] == uid)
                        return true;
        return false;
}

bool config_units_have(const ConfigUnits *units, const char *unit) {
        for (size_t i = 0; i < units->n; i++)
                if (strcmp(units->names[i], unit) == 0)
                        return true;
        return false;
}
