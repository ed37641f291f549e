/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel commits inblob when the file is closed and throws the result away, so the only sign that it
 * was taken, and that nobody else wrote in between, is generation: it must have moved by exactly the number
 * of our writes, and must not move while the blobs are read.
 */
#include "snp/tsm-entry.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/text.h"
#include "snp/cert_table.h"
#include "snp/device-internal.h"

#define TEXT_ATTR_MAX 4096 /* fs/configfs/file.c, SIMPLE_ATTR_SIZE */
#define ATTEMPTS 3         /* other writers have no business in our entry: this often is an attack */

#define CONFLICT "generation-conflict" /* reason of what is tried again */

void snp_tsm_entry_done(SnpTsmEntry *entry) {
        if (entry->dir >= 0)
                (void) close(entry->dir);
        if (entry->name[0])
                (void) unlinkat(entry->root, entry->name, AT_REMOVEDIR);
        *entry = (SnpTsmEntry) SNP_TSM_ENTRY_NONE;
}

int snp_tsm_entry_make(SnpTsmEntry *entry, int root, Error *e) {
        AUTO_SNP_TSM_ENTRY SnpTsmEntry new = { .root = root, .dir = -1 };
        uint64_t random;
        int r;

        if (getrandom(&random, sizeof(random), 0) != sizeof(random))
                return error_set(e, -EIO, "random", "No random numbers");
        (void) snprintf(new.name, sizeof(new.name), SNP_TSM_NAME_PREFIX "%d-%016" PRIx64, (int) getpid(), random);
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
        *entry = new;
        new = (SnpTsmEntry) SNP_TSM_ENTRY_NONE;
        return 0;
}

int snp_tsm_entry_open(SnpTsmEntry *entry, int root, const char *path, Error *e) {
        int dir = openat(root, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        if (dir < 0)
                return snp_device_errno(e, -errno);
        *entry = (SnpTsmEntry){ .dir = dir };
        return 0;
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

bool snp_tsm_entry_has(const SnpTsmEntry *entry, const char *attribute) {
        return faccessat(entry->dir, attribute, F_OK, 0) == 0;
}

int snp_tsm_entry_read(const SnpTsmEntry *entry, const char *attribute, size_t max, Blob *ret, Error *e) {
        AUTO_FD int fd = openat(entry->dir, attribute, O_RDONLY | O_CLOEXEC);
        int r = fd < 0 ? -errno : file_read_fd(fd, attribute, max, ret, NULL);

        return r < 0 ? failed(e, attribute, r) : 0;
}

int snp_tsm_entry_read_text(const SnpTsmEntry *entry, const char *attribute, char ret[static SNP_TSM_TEXT_MAX],
                            Error *e) {
        AUTO_BLOB Blob b = {};
        int r = snp_tsm_entry_read(entry, attribute, TEXT_ATTR_MAX, &b, e);

        if (r < 0)
                return r;
        if (b.size < 2 || b.size > SNP_TSM_TEXT_MAX || b.data[b.size - 1] != '\n' || memchr(b.data, 0, b.size))
                return error_set(e, -EBADMSG, "tsm-attribute", "%s is not one short line of text", attribute);
        (void) memcpy(ret, b.data, b.size - 1);
        ret[b.size - 1] = 0;
        return 0;
}

int snp_tsm_entry_read_number(const SnpTsmEntry *entry, const char *attribute, uint64_t max, uint64_t *ret, Error *e) {
        char text[SNP_TSM_TEXT_MAX];
        int r = snp_tsm_entry_read_text(entry, attribute, text, e);

        if (r < 0)
                return r;
        if (text_to_u64(text, 10, 0, max, ret) < 0)
                return error_set(e, -EBADMSG, "tsm-attribute", "%s is '%s', which is no acceptable number", attribute,
                                 text);
        return 0;
}

/* One write(2), since that is how the kernel takes a text attribute, and close(2), which commits a binary one. */
int snp_tsm_entry_write(SnpTsmEntry *entry, const char *attribute, const void *data, size_t size, Error *e) {
        int fd = openat(entry->dir, attribute, O_WRONLY | O_CLOEXEC);
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
        entry->generation++;
        return 0;
}

int snp_tsm_entry_write_text(SnpTsmEntry *entry, const char *attribute, const char *text, Error *e) {
        return snp_tsm_entry_write(entry, attribute, text, strlen(text), e);
}

int snp_tsm_entry_begin(SnpTsmEntry *entry, Error *e) {
        return snp_tsm_entry_read_number(entry, "generation", UINT64_MAX, &entry->generation, e);
}

int snp_tsm_entry_check(const SnpTsmEntry *entry, const char *when, Error *e) {
        uint64_t generation;
        int r = snp_tsm_entry_read_number(entry, "generation", UINT64_MAX, &generation, e);

        if (r < 0)
                return r;
        return generation == entry->generation ? 0 : interfered(e, when);
}

int snp_tsm_entry_read_report(const SnpTsmEntry *entry, uint8_t ret[static SNP_REPORT_SIZE], Error *e) {
        AUTO_BLOB Blob report = {};
        int r = snp_tsm_entry_read(entry, "outblob", SNP_TSM_BLOB_MAX, &report, e);

        if (r == 0)
                r = snp_tsm_entry_check(entry, "while the report was made", e);
        if (r < 0)
                return r;
        if (report.size != SNP_REPORT_SIZE)
                return error_set(e, -EBADMSG, report.size == 0 ? "report-empty" : "report-size",
                                 "The platform gave a report of %zu bytes instead of %d", report.size, SNP_REPORT_SIZE);
        (void) memcpy(ret, report.data, SNP_REPORT_SIZE);
        return 0;
}

int snp_tsm_entry_read_certs(const SnpTsmEntry *entry, Blob *ret, Error *e) {
        AUTO_BLOB Blob certs = {};
        int r = snp_tsm_entry_read(entry, "auxblob", SNP_CERT_TABLE_MAX, &certs, e);

        if (r == 0)
                r = snp_tsm_entry_check(entry, "while certificates were read", e);
        if (r == 0)
                *ret = blob_take(&certs);
        return r;
}

int snp_tsm_attempts(int (*attempt)(void *user, Error *e), void *user, Error *e) {
        Error last = {};
        int r;

        for (unsigned i = 0; i < ATTEMPTS; i++) {
                last = (Error){};
                r = attempt(user, &last);
                if (r != -EBUSY || strcmp(error_reason(&last, r), CONFLICT) != 0)
                        break;
        }
        return r < 0 ? error_set(e, r, error_reason(&last, r), "%s", error_text(&last, r)) : 0;
}

/* Made by a process that is gone, or by an earlier one with our number: we are single-threaded and have none yet. */
static bool is_stale(const char *name) {
        char number[SNP_TSM_TEXT_MAX];
        const char *pid = name + strlen(SNP_TSM_NAME_PREFIX);
        const char *dash;
        uint64_t n;

        if (!text_starts_with(name, SNP_TSM_NAME_PREFIX))
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
void snp_tsm_remove_stale(int root) {
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
