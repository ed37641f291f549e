/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An item is one directory below the root and lives on while a file in it is open, like a configfs item.
 * It holds what was written (privlevel, inblob, service_*), the two generation counters of the kernel, and the report
 * that was made last. A report is made when outblob, auxblob or manifestblob is read and something was written since.
 */
#include "tests/simulator/tsm-tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "tests/simulator/tsm-internal.h"

#define OUTBLOB_MAX (32u * 1024u) /* TSM_REPORT_OUTBLOB_MAX */
#define TEXT_ATTR_SIZE 4096       /* st_size of text attributes */
#define N_ATTRIBUTES_WITHOUT_SVSM ATTR_SERVICE_PROVIDER

typedef SimTsmItem Item;
typedef SimTsmAttribute Attribute;

static const struct {
        const char *name;
        mode_t mode;
        bool binary;
} attributes[N_ATTRIBUTES] = {
        [ATTR_GENERATION] = { "generation", 0444, false },
        [ATTR_PROVIDER] = { "provider", 0444, false },
        [ATTR_PRIVLEVEL] = { "privlevel", 0200, false },
        [ATTR_PRIVLEVEL_FLOOR] = { "privlevel_floor", 0444, false },
        [ATTR_INBLOB] = { "inblob", 0200, true },
        [ATTR_OUTBLOB] = { "outblob", 0444, true },
        [ATTR_AUXBLOB] = { "auxblob", 0444, true },
        [ATTR_SERVICE_PROVIDER] = { "service_provider", 0200, false },
        [ATTR_SERVICE_GUID] = { "service_guid", 0200, false },
        [ATTR_SERVICE_MANIFEST_VERSION] = { "service_manifest_version", 0200, false },
        [ATTR_MANIFESTBLOB] = { "manifestblob", 0444, true },
};

struct SimTsmFile {
        Item *item;
        Attribute attribute;
        bool reading, writing, committed;
        Blob snapshot;                /* what the first read found */
        uint8_t gathered[SIM_TSM_INBLOB_MAX]; /* binary writes so far */
        size_t gathered_size;
};

static void item_unref(Item *item) {
        if (--item->refs > 0)
                return;
        blob_done(&item->outblob);
        blob_done(&item->auxblob);
        blob_done(&item->manifestblob);
        free(item);
}

int sim_tsm_new(SimPlatform *platform, SimTsm **ret) {
        SimTsm *tsm = calloc(1, sizeof(*tsm));

        if (!tsm)
                return -ENOMEM;
        tsm->platform = platform;
        *ret = tsm;
        return 0;
}

void sim_tsm_free(SimTsm *tsm) {
        if (!tsm)
                return;
        for (Item *next, *i = tsm->items; i; i = next) {
                next = i->next;
                item_unref(i);
        }
        free(tsm);
}

size_t sim_tsm_n_items(const SimTsm *tsm) {
        size_t n = 0;

        for (const Item *i = tsm->items; i; i = i->next)
                n++;
        return n;
}

int sim_tsm_refresh(SimTsm *tsm) {
        Error e = {};
        int r = sim_platform_refresh(tsm->platform, &e);

        if (r < 0)
                fprintf(stderr, "snp-sim-tsm: %s\n", error_text(&e, r));
        return r < 0 ? -EIO : 0;
}

static Item **item_slot(SimTsm *tsm, const char *name, size_t len) {
        Item **slot = &tsm->items;

        while (*slot && (strlen((*slot)->name) != len || memcmp((*slot)->name, name, len) != 0))
                slot = &(*slot)->next;
        return slot;
}

typedef struct Place {
        Item **slot;         /* where the item is, or where a new one goes; NULL for the root */
        const char *name;    /* of the item */
        int attribute;       /* -1: the item's directory */
} Place;

static int find(SimTsm *tsm, const char *path, Place *ret) {
        const char *slash = strchr(path + 1, '/');
        size_t len = slash ? (size_t) (slash - path - 1) : strlen(path + 1);

        *ret = (Place){ .name = path + 1, .attribute = -1 };
        if (!path[1])
                return 0;
        ret->slot = item_slot(tsm, path + 1, len);
        if (!slash)
                return *ret->slot ? 0 : -ENOENT;
        for (Attribute a = 0; *ret->slot && a < (*ret->slot)->n_attributes; a++)
                if (strcmp(attributes[a].name, slash + 1) == 0) {
                        ret->attribute = (int) a;
                        return 0;
                }
        return -ENOENT;
}

int sim_tsm_getattr(SimTsm *tsm, const char *path, struct stat *ret) {
        Place place;
        int r = find(tsm, path, &place);

        if (r < 0)
                return r;
        *ret = (struct stat){ .st_uid = geteuid(), .st_gid = getegid(), .st_nlink = 1 };
        if (place.slot) {
                size_t i = place.attribute < 0 ? N_ATTRIBUTES : (size_t) place.attribute;

                ret->st_uid = (*place.slot)->owner[i].uid;
                ret->st_gid = (*place.slot)->owner[i].gid;
        }
        if (place.attribute < 0) {
                ret->st_mode = S_IFDIR | 0755; /* configfs pays no attention to the mode that mkdir asks for */
                ret->st_nlink = 2;
        } else {
                ret->st_mode = S_IFREG | attributes[place.attribute].mode;
                ret->st_size = attributes[place.attribute].binary ? 0 : TEXT_ATTR_SIZE;
        }
        return 0;
}

int sim_tsm_list(SimTsm *tsm, const char *path, void (*on_name)(void *user, const char *name), void *user) {
        Place place;
        int r = find(tsm, path, &place);

        if (r < 0)
                return r;
        if (place.attribute >= 0)
                return -ENOTDIR;
        for (const Item *i = place.slot ? NULL : tsm->items; i; i = i->next)
                on_name(user, i->name);
        for (Attribute a = 0; place.slot && a < (*place.slot)->n_attributes; a++)
                on_name(user, attributes[a].name);
        return 0;
}

int sim_tsm_mkdir(SimTsm *tsm, const char *path) {
        Place place;
        Item *item;
        int r;

        r = find(tsm, path, &place);
        if (r == 0)
                return -EEXIST;
        if (strchr(path + 1, '/'))
                return -EPERM; /* nothing can be made inside an item */
        if (strlen(place.name) > SIM_TSM_NAME_MAX || sim_tsm_n_items(tsm) >= SIM_TSM_ITEMS_MAX)
                return -ENAMETOOLONG;
        r = sim_tsm_refresh(tsm);
        if (r < 0)
                return r;
        if (sim_platform_fail(tsm->platform, SIM_AT_MKDIR).kind == SIM_FAIL_ENXIO)
                return -ENXIO;
        item = calloc(1, sizeof(*item));
        if (!item)
                return -ENOMEM;
        item->tsm = tsm;
        item->refs = 1;
        item->n_attributes = sim_platform_has_svsm(tsm->platform) ? N_ATTRIBUTES : N_ATTRIBUTES_WITHOUT_SVSM;
        (void) strcpy(item->name, place.name);
        /* Root's, whoever asked: configfs makes inodes without looking at the caller (fs/configfs/inode.c). */
        for (size_t i = 0; i <= N_ATTRIBUTES; i++) {
                item->owner[i].uid = geteuid();
                item->owner[i].gid = getegid();
        }
        *place.slot = item;
        return 0;
}

int sim_tsm_chown(SimTsm *tsm, const char *path, uid_t uid, gid_t gid) {
        Place place;
        size_t i;
        int r = find(tsm, path, &place);

        if (r < 0)
                return r;
        if (!place.slot)
                return -EPERM;
        i = place.attribute < 0 ? N_ATTRIBUTES : (size_t) place.attribute;
        if (uid != (uid_t) -1)
                (*place.slot)->owner[i].uid = uid;
        if (gid != (gid_t) -1)
                (*place.slot)->owner[i].gid = gid;
        return 0;
}

int sim_tsm_rmdir(SimTsm *tsm, const char *path) {
        Place place;
        Item *item;
        int r = find(tsm, path, &place);

        if (r < 0)
                return r;
        if (!place.slot)
                return -EBUSY;
        if (place.attribute >= 0)
                return -ENOTDIR;
        item = *place.slot;
        *place.slot = item->next;
        item->gone = true;
        item_unref(item);
        return 0;
}

int sim_tsm_open(SimTsm *tsm, const char *path, int flags, SimTsmFile **ret) {
        int access_mode = flags & O_ACCMODE;
        SimTsmFile *file;
        Place place;
        int r = find(tsm, path, &place);

        if (r < 0)
                return r;
        if (place.attribute < 0)
                return -EISDIR;
        if ((access_mode != O_RDONLY && !(attributes[place.attribute].mode & 0200)) ||
            (access_mode != O_WRONLY && !(attributes[place.attribute].mode & 0400)))
                return -EACCES;
        file = calloc(1, sizeof(*file));
        if (!file)
                return -ENOMEM;
        file->item = *place.slot;
        file->item->refs++;
        file->attribute = (Attribute) place.attribute;
        *ret = file;
        return 0;
}

/* sev_report_new() */
static int ask_platform(Item *item, SimFail fail, SimServiceAnswer *ret, Error *e) {
        SimPlatform *platform = item->tsm->platform;

        if (item->inblob_size != SIM_REPORT_DATA_SIZE)
                return -EINVAL;
        if (!item->has_service_provider)
                return sim_platform_report(platform, item->inblob, item->privlevel, fail, &ret->report, &ret->table, e);
        if (strcmp(item->service_provider, "svsm") != 0)
                return -EINVAL;
        return sim_platform_service_report(platform, &item->service, item->inblob, fail, ret, e);
}

static int make_report(Item *item) {
        CLEANUP(sim_service_answer_done) SimServiceAnswer answer = {};
        Error e = {};
        SimFail fail;
        int r;

        if (item->inblob_size == 0)
                return -EINVAL;
        if (item->made && item->read_generation == item->write_generation)
                return 0;
        r = sim_tsm_refresh(item->tsm);
        if (r < 0)
                return r;
        fail = sim_platform_fail(item->tsm->platform, SIM_AT_REPORT);
        item->made = false;
        r = ask_platform(item, fail, &answer, &e);
        if (e.code != 0)
                fprintf(stderr, "snp-sim-tsm: %s\n", error_text(&e, r));
        if (r < 0)
                return r;
        blob_done(&item->outblob);
        blob_done(&item->auxblob);
        blob_done(&item->manifestblob);
        item->outblob = blob_take(&answer.report);
        item->auxblob = blob_take(&answer.table);
        item->manifestblob = blob_take(&answer.manifest);
        item->made = true;
        item->read_generation = item->write_generation;
        if (fail.kind == SIM_FAIL_WRONG_GENERATION)
                (void) !sim_tsm_advance(item);
        return 0;
}

static int show_text(const SimTsmFile *file, Blob *ret) {
        const Item *item = file->item;
        SimTsm *tsm = item->tsm;
        char text[64];
        int n, r = sim_tsm_refresh(tsm);

        if (r < 0)
                return r;
        if (file->attribute == ATTR_GENERATION)
                n = snprintf(text, sizeof(text), "%lu\n", item->write_generation);
        else if (file->attribute == ATTR_PROVIDER)
                n = snprintf(text, sizeof(text), "%s\n", tsm->platform->now.provider);
        else
                n = snprintf(text, sizeof(text), "%u\n", tsm->platform->now.vmpl_floor);
        return blob_dup(text, (size_t) n, ret);
}

/* The first read of an open file decides what all its reads see. */
static int take_snapshot(SimTsmFile *file) {
        const Blob *blob;
        int r;

        if (!attributes[file->attribute].binary)
                return show_text(file, &file->snapshot);
        r = make_report(file->item);
        if (r < 0)
                return r;
        blob = file->attribute == ATTR_OUTBLOB ? &file->item->outblob :
               file->attribute == ATTR_AUXBLOB ? &file->item->auxblob : &file->item->manifestblob;
        return blob->size > OUTBLOB_MAX ? -EFBIG : blob_dup(blob->data, blob->size, &file->snapshot);
}

ssize_t sim_tsm_read(SimTsmFile *file, void *buf, size_t size, off_t offset) {
        size_t at = (size_t) offset, n;

        if (file->item->gone)
                return -ENOENT;
        if (file->writing)
                return -ETXTBSY;
        if (!file->reading) {
                int r = take_snapshot(file);

                if (r < 0)
                        return r;
                file->reading = true;
        }
        if (at >= file->snapshot.size)
                return 0;
        n = file->snapshot.size - at < size ? file->snapshot.size - at : size;
        (void) memcpy(buf, file->snapshot.data + at, n);
        return (ssize_t) n;
}

ssize_t sim_tsm_write(SimTsmFile *file, const void *buf, size_t size, off_t offset) {
        size_t at = (size_t) offset;

        if (file->item->gone)
                return -ENOENT;
        if (!attributes[file->attribute].binary)
                return sim_tsm_store(file->item, file->attribute, buf, size);
        if (file->reading)
                return -ETXTBSY;
        file->writing = true;
        if (at > SIM_TSM_INBLOB_MAX || size > SIM_TSM_INBLOB_MAX - at)
                return -EFBIG;
        (void) memcpy(file->gathered + at, buf, size);
        if (at + size > file->gathered_size)
                file->gathered_size = at + size;
        return (ssize_t) size;
}

void sim_tsm_flush(SimTsmFile *file) {
        Item *item = file->item;

        if (!file->writing || file->committed || item->gone)
                return;
        file->committed = true;
        if (sim_tsm_refresh(item->tsm) < 0 || sim_platform_fail(item->tsm->platform, SIM_AT_STORE).kind == SIM_FAIL_BUSY ||
            sim_tsm_advance(item) < 0)
                return;
        (void) memcpy(item->inblob, file->gathered, file->gathered_size);
        item->inblob_size = file->gathered_size;
}

void sim_tsm_close(SimTsmFile *file) {
        sim_tsm_flush(file);
        item_unref(file->item);
        blob_done(&file->snapshot);
        free(file);
}
