/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reports through configfs-tsm (Linux, Documentation/ABI/testing/configfs-tsm-report). Each report gets a
 * directory of its own, an entry, which lives no longer than the call:
 *
 *   mkdir, read generation, write privlevel, write and close inblob, read outblob, read auxblob, rmdir
 *
 * The kernel commits inblob when the file is closed and throws the result away, so the only sign that it
 * was taken, and that nobody else wrote in between, is generation: it must have moved by exactly the number
 * of our writes, and must not move while the blobs are read. Otherwise all starts over in a new entry.
 *
 * What is made in configfs belongs to root, whoever made it, so a process without privilege works in one
 * entry that root has made and handed over to it. The protocol there is the same but for mkdir and rmdir.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/text.h"
#include "snp/cert_table.h"
#include "snp/device-internal.h"

#define NAME_PREFIX "snp-agent-"
#define NAME_SIZE 64
#define TEXT_ATTR_MAX 4096              /* fs/configfs/file.c, SIMPLE_ATTR_SIZE */
#define OUTBLOB_MAX (32u * 1024u)       /* TSM_REPORT_OUTBLOB_MAX; of sev_guest always 1184 */
#define ATTEMPTS 3                      /* other writers have no business in our entry: this often is an attack */

#define CONFLICT "generation-conflict"  /* reason of what is tried again */

typedef struct Configfs {
        SnpDevice device;
        int dir;     /* the tree that entries are made in, or the one entry handed over to us */
        bool handed; /* the latter */
} Configfs;

/* An entry in use. */
typedef struct Item {
        int root; /* borrowed */
        int dir;
        char name[NAME_SIZE]; /* empty: nothing to remove */
        uint64_t generation;  /* that the item must have now */
} Item;

static void item_done(Item *item) {
        if (item->dir >= 0)
                (void) close(item->dir);
        if (item->name[0])
                (void) unlinkat(item->root, item->name, AT_REMOVEDIR);
        *item = (Item){ .dir = -1 };
}
#define AUTO_ITEM CLEANUP(item_done)

/* Makes an entry of our own, which item_done() removes. */
static int item_make(Item *item, int root, Error *e) {
        AUTO_ITEM Item new = { .root = root, .dir = -1 };
        uint64_t random;
        int r;

        if (getrandom(&random, sizeof(random), 0) != sizeof(random))
                return error_set(e, -EIO, "random", "No random numbers");
        (void) snprintf(new.name, sizeof(new.name), NAME_PREFIX "%d-%016" PRIx64, (int) getpid(), random);
        if (mkdirat(root, new.name, 0700) < 0) {
                r = -errno;
                new.name[0] = 0;
                if (r == -ENXIO)
                        return error_set(e, -ENODEV, "tsm-no-provider", "configfs-tsm has no provider; is the "
                                         "sev-guest driver loaded?");
                return snp_device_errno(e, r);
        }
        new.dir = openat(root, new.name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (new.dir < 0)
                return snp_device_errno(e, -errno);
        *item = new;
        new = (Item){ .dir = -1 };
        return 0;
}

static int item_init(Item *item, const Configfs *c, Error *e) {
        if (!c->handed)
                return item_make(item, c->dir, e);
        *item = (Item){ .dir = openat(c->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC) };
        return item->dir < 0 ? snp_device_errno(e, -errno) : 0;
}

/* Somebody else is at work in our entry: worth another attempt. */
static int interfered(Error *e, const char *what) {
        return error_set(e, -EBUSY, CONFLICT, "Another writer interfered (%s)", what);
}

static int failed(Error *e, const char *attribute, int error) {
        int r;

        if (error == -ENOENT || error == -EBUSY)
                return interfered(e, attribute);
        r = snp_device_errno(e, error);
        error_prefix(e, "%s", attribute);
        return r;
}

static int item_read(const Item *item, const char *attribute, size_t max, Blob *ret, Error *e) {
        AUTO_FD int fd = openat(item->dir, attribute, O_RDONLY | O_CLOEXEC);
        int r = fd < 0 ? -errno : file_read_fd(fd, attribute, max, ret, NULL);

        return r < 0 ? failed(e, attribute, r) : 0;
}

/* Text attributes are short and end in a newline. */
static int item_read_text(const Item *item, const char *attribute, char ret[static NAME_SIZE], Error *e) {
        AUTO_BLOB Blob b = {};
        int r = item_read(item, attribute, TEXT_ATTR_MAX, &b, e);

        if (r < 0)
                return r;
        if (b.size < 2 || b.size > NAME_SIZE || b.data[b.size - 1] != '\n' || memchr(b.data, 0, b.size))
                return error_set(e, -EBADMSG, "tsm-attribute", "%s is not one short line of text", attribute);
        (void) memcpy(ret, b.data, b.size - 1);
        ret[b.size - 1] = 0;
        return 0;
}

static int item_read_number(const Item *item, const char *attribute, uint64_t max, uint64_t *ret, Error *e) {
        char text[NAME_SIZE];
        int r = item_read_text(item, attribute, text, e);

        if (r < 0)
                return r;
        if (text_to_u64(text, 10, 0, max, ret) < 0)
                return error_set(e, -EBADMSG, "tsm-attribute", "%s is '%s', which is no acceptable number", attribute,
                                 text);
        return 0;
}

/* One write(2), since that is how the kernel takes a text attribute, and close(2), which commits a binary one. */
static int item_write(Item *item, const char *attribute, const void *data, size_t size, Error *e) {
        int fd = openat(item->dir, attribute, O_WRONLY | O_CLOEXEC);
        ssize_t n;
        int r;

        if (fd < 0)
                return failed(e, attribute, -errno);
        n = write(fd, data, size);
        r = n < 0 ? -errno : (size_t) n == size ? 0 : -EIO;
        if (close(fd) < 0 && r == 0)
                r = -errno;
        if (r < 0)
                return failed(e, attribute, r);
        item->generation++;
        return 0;
}

static int item_check_generation(const Item *item, const char *when, Error *e) {
        uint64_t generation;
        int r = item_read_number(item, "generation", UINT64_MAX, &generation, e);

        if (r < 0)
                return r;
        return generation == item->generation ? 0 : interfered(e, when);
}

static int write_request(Item *item, const uint8_t *report_data, uint32_t vmpl, uint32_t *ret_vmpl, Error *e) {
        uint64_t floor;
        char level[12];
        int r;

        r = item_read_number(item, "generation", UINT64_MAX, &item->generation, e);
        if (r == 0)
                r = item_read_number(item, "privlevel_floor", SNP_VMPL_MAX, &floor, e);
        if (r < 0)
                return r;
        /* The default is 0 and not the floor, so it is always written. */
        *ret_vmpl = snp_device_vmpl(vmpl, (uint32_t) floor);
        (void) snprintf(level, sizeof(level), "%u", *ret_vmpl);
        r = item_write(item, "privlevel", level, strlen(level), e);
        return r < 0 ? r : item_write(item, "inblob", report_data, SNP_REPORT_DATA_SIZE, e);
}

static int read_report(const Item *item, SnpDeviceReport *ret, Error *e) {
        AUTO_BLOB Blob report = {};
        int r = item_read(item, "outblob", OUTBLOB_MAX, &report, e);

        if (r == 0)
                r = item_check_generation(item, "while the report was made", e);
        if (r < 0)
                return r;
        if (report.size != SNP_REPORT_SIZE)
                return error_set(e, -EBADMSG, report.size == 0 ? "report-empty" : "report-size",
                                 "The platform gave a report of %zu bytes instead of %d", report.size, SNP_REPORT_SIZE);
        (void) memcpy(ret->report, report.data, SNP_REPORT_SIZE);
        return 0;
}

static int read_certs(const Item *item, Blob *ret, Error *e) {
        AUTO_BLOB Blob certs = {};
        int r = item_read(item, "auxblob", SNP_CERT_TABLE_MAX, &certs, e);

        if (r == 0)
                r = item_check_generation(item, "while certificates were read", e);
        if (r == 0)
                *ret = blob_take(&certs);
        return r;
}

/* -EBUSY with reason "generation-conflict": worth another attempt. */
static int attempt(Configfs *c, const uint8_t *report_data, uint32_t vmpl, Deadline deadline, SnpDeviceReport *ret,
                   uint32_t *ret_vmpl, Error *e) {
        AUTO_SNP_DEVICE_REPORT SnpDeviceReport answer = {};
        AUTO_ITEM Item item = { .dir = -1 };
        int r;

        r = snp_device_check_deadline(deadline, e);
        if (r == 0)
                r = item_init(&item, c, e);
        if (r == 0)
                r = write_request(&item, report_data, vmpl, ret_vmpl, e);
        /* The driver asks the platform when outblob is read. */
        if (r == 0)
                r = snp_device_take_turn(&c->device, deadline, e);
        if (r == 0)
                r = read_report(&item, &answer, e);
        if (r == 0)
                r = snp_device_check_deadline(deadline, e);
        if (r == 0)
                r = read_certs(&item, &answer.certs, e);
        if (r < 0)
                return r;
        *ret = answer;
        answer = (SnpDeviceReport){};
        return 0;
}

static int configfs_get_report(SnpDevice *device, const uint8_t report_data[static SNP_REPORT_DATA_SIZE],
                               uint32_t vmpl, Deadline deadline, SnpDeviceReport *ret, uint32_t *ret_vmpl, Error *e) {
        Configfs *c = (Configfs *) device;
        Error last = {};
        int r;

        for (unsigned i = 0; i < ATTEMPTS; i++) {
                last = (Error){};
                r = attempt(c, report_data, vmpl, deadline, ret, ret_vmpl, &last);
                if (r != -EBUSY || strcmp(error_reason(&last, r), CONFLICT) != 0)
                        break;
        }
        return r < 0 ? error_set(e, r, error_reason(&last, r), "%s", error_text(&last, r)) : 0;
}

static void configfs_free(SnpDevice *device) {
        Configfs *c = (Configfs *) device;

        (void) close(c->dir);
        free(c);
}

static const SnpDeviceOps configfs_ops = {
        .name = "configfs-tsm",
        .get_report = configfs_get_report,
        .free = configfs_free,
};

/* Made by a process that is gone, or by an earlier one with our number: we are single-threaded and have none yet. */
static bool is_stale(const char *name) {
        char number[NAME_SIZE];
        const char *pid = name + strlen(NAME_PREFIX);
        const char *dash;
        uint64_t n;

        if (!text_starts_with(name, NAME_PREFIX))
                return false;
        dash = strchr(pid, '-');
        if (!dash || (size_t) (dash - pid) >= sizeof(number))
                return false;
        (void) snprintf(number, sizeof(number), "%.*s", (int) (dash - pid), pid);
        if (text_to_u64(number, 10, 1, INT32_MAX, &n) < 0)
                return false;
        return (pid_t) n == getpid() || (kill((pid_t) n, 0) < 0 && errno == ESRCH);
}

/* A process that was killed half-way leaves its directory behind, and nobody else will remove it. */
static void remove_stale(int root) {
        int fd = openat(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *dir = fd < 0 ? NULL : fdopendir(fd);

        if (!dir) {
                if (fd >= 0)
                        (void) close(fd);
                return;
        }
        for (const struct dirent *d; (d = readdir(dir));)
                if (is_stale(d->d_name))
                        (void) unlinkat(root, d->d_name, AT_REMOVEDIR);
        (void) closedir(dir);
}

/* Only an entry tells who provides it. */
static int check_provider(const Configfs *c, Error *e) {
        AUTO_ITEM Item item = { .dir = -1 };
        char provider[NAME_SIZE];
        Error cause = {};
        int r = item_init(&item, c, e);

        if (r < 0)
                return r;
        r = item_read_text(&item, "provider", provider, &cause);
        if (r < 0)
                return error_set(e, -ENODEV, "tsm-absent", "This is no configfs-tsm tree: %s",
                                 r == -EBUSY ? "a new entry has no 'provider'" : error_text(&cause, r));
        if (strcmp(provider, "sev_guest") != 0)
                return error_set(e, -ENODEV, "tsm-other-provider", "configfs-tsm is provided by '%s', not by sev_guest",
                                 provider);
        return 0;
}

/* Finds out whether we may make entries, or have been handed one, here or below. */
static int choose_entry(Configfs *c, Error *e) {
        Error cause = {};
        int r, entry;

        c->handed = faccessat(c->dir, "provider", F_OK, 0) == 0;
        if (!c->handed)
                remove_stale(c->dir);
        r = check_provider(c, &cause);
        if (r == -EACCES && !c->handed) {
                entry = openat(c->dir, SNP_DEVICE_TSM_ENTRY, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
                if (entry >= 0) {
                        (void) close(c->dir);
                        c->dir = entry;
                        c->handed = true;
                        return check_provider(c, e);
                }
        }
        return r < 0 ? error_set(e, r, error_reason(&cause, r), "%s", error_text(&cause, r)) : 0;
}

int snp_device_open_configfs_on(const SnpGuestSigns *signs, const char *path, SnpDevice **ret, Error *e) {
        Configfs *c = calloc(1, sizeof(*c));
        int r;

        if (!c)
                return error_oom(e);
        *c = (Configfs){ .dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) };
        snp_device_init(&c->device, &configfs_ops, signs);
        if (c->dir < 0) {
                r = errno == EACCES ? -EACCES : -ENODEV;
                (void) error_set(e, r, "tsm-absent", "Cannot open %s: %s", path, error_text(NULL, -errno));
                free(c);
                return r;
        }
        r = choose_entry(c, e);
        if (r < 0) {
                error_prefix(e, "%s", path);
                configfs_free(&c->device);
                return r;
        }
        c->device.is_driver = true; /* its provider is */
        *ret = &c->device;
        return 0;
}

int snp_device_open_configfs(const char *path, SnpDevice **ret, Error *e) {
        Error cause = {};
        int r = snp_device_open_configfs_on(&snp_guest_signs, path, ret, &cause);

        if (r == -ENODEV && snp_guest_is_one(&snp_guest_signs) && strcmp(error_reason(&cause, r), "tsm-absent") == 0)
                return error_set(e, r, "tsm-kernel-too-old", "This is an SEV-SNP guest, but its kernel offers no "
                                 "configfs-tsm (Linux 6.7, with configfs mounted); on older ones use the device "
                                 "/dev/sev-guest: %s", error_text(&cause, r));
        return r < 0 ? error_set(e, r, error_reason(&cause, r), "%s", error_text(&cause, r)) : 0;
}
