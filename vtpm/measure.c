/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Order: pending, PCR, log, pending removed. The log is written last, as it is the one of them that can be mended: cut
 * to its size before, and written again.
 */

#include "vtpm/measure.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/file.h"
#include "vtpm/measure-pending.h"
#include "vtpm/pcr-extend.h"
#include "vtpm/pcr.h"

#define LOG_NAME "events"
#define PENDING_NAME "pending"
#define PENDING_NEW_NAME "pending.new"
#define FILE_MODE 0640

typedef struct Place {
        const char *path;
        int dir, log;
        VtpmContext *ctx; /* opened when first needed */
} Place;

static void place_done(Place *p) {
        vtpm_context_free(p->ctx);
        cleanup_fd(&p->log);
        cleanup_fd(&p->dir);
}

static int fail(const Place *p, const char *what, const char *name, Error *e) {
        int code = -errno;

        return error_set(e, code, "measurement-log", "Cannot %s %s/%s: %s", what, p->path, name,
                         error_text(NULL, code));
}

/* The directory is its own lock. */
static int place_open(const char *path, Place *p, Error *e) {
        p->path = path;
        p->dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (p->dir < 0)
                return fail(p, "open", "", e);
        if (flock(p->dir, LOCK_EX | LOCK_NB) < 0) {
                if (errno == EWOULDBLOCK)
                        return error_set(e, -EBUSY, "measurement-busy", "Another process is measuring into %s", path);
                return fail(p, "lock", "", e);
        }
        p->log = openat(p->dir, LOG_NAME, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, FILE_MODE);
        if (p->log < 0)
                return fail(p, "open", LOG_NAME, e);
        return 0;
}

static int log_size(const Place *p, uint64_t *ret, Error *e) {
        struct stat st;

        if (fstat(p->log, &st) < 0)
                return fail(p, "look at", LOG_NAME, e);
        if (!S_ISREG(st.st_mode))
                return error_set(e, -EBADMSG, "measurement-log", "%s/" LOG_NAME " is not a file", p->path);
        *ret = (uint64_t) st.st_size;
        return 0;
}

/* Makes the log @size bytes long with @data behind; what stood there is replaced. */
static int log_write(const Place *p, uint64_t size, const void *data, size_t n, Error *e) {
        int r;

        if (ftruncate(p->log, (off_t) size) < 0 || lseek(p->log, (off_t) size, SEEK_SET) < 0)
                return fail(p, "cut", LOG_NAME, e);
        r = file_write_fd(p->log, LOG_NAME, data, n, e);
        if (r < 0)
                return r;
        return fdatasync(p->log) < 0 ? fail(p, "sync", LOG_NAME, e) : 0;
}

static int remove_pending(const Place *p, Error *e) {
        return unlinkat(p->dir, PENDING_NAME, 0) < 0 ? fail(p, "remove", PENDING_NAME, e) : 0;
}

static int write_pending(const Place *p, const VtpmPending *pending, Error *e) {
        AUTO_BLOB Blob bytes = {};
        AUTO_FD int fd = -1;
        int r;

        r = vtpm_pending_encode(pending, &bytes);
        if (r < 0)
                return r == -ENOMEM ? error_oom(e) : error_set(e, r, "measurement-pending", "Cannot record measurement");
        fd = openat(p->dir, PENDING_NEW_NAME, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, FILE_MODE);
        if (fd < 0)
                return fail(p, "write", PENDING_NEW_NAME, e);
        r = file_write_fd(fd, PENDING_NEW_NAME, bytes.data, bytes.size, e);
        if (r < 0)
                return r;
        if (fdatasync(fd) < 0 || renameat(p->dir, PENDING_NEW_NAME, p->dir, PENDING_NAME) < 0)
                return fail(p, "write", PENDING_NAME, e);
        return 0;
}

static int read_pcr(Place *p, const VtpmMeasurement *m, unsigned pcr, uint8_t ret[static VTPM_PENDING_DIGEST_SIZE],
                    Error *e) {
        VtpmPcrValues values;
        int r = 0;

        if (!p->ctx)
                r = vtpm_context_open(m->tcti, m->deadline, &p->ctx, e);
        if (r == 0)
                r = vtpm_pcr_read(p->ctx, VTPM_MEASURE_HASH, 1u << pcr, &values, e);
        if (r == 0)
                (void) memcpy(ret, values.values[pcr], VTPM_PENDING_DIGEST_SIZE);
        return r;
}

static int settle(Place *p, const VtpmMeasurement *m, const VtpmPending *pending, Error *e) {
        uint8_t now[VTPM_PENDING_DIGEST_SIZE];
        uint64_t size;
        int r;

        r = log_size(p, &size, e);
        if (r == 0 && size < pending->log_size)
                return error_set(e, -EBADMSG, "measurement-log", "%s/" LOG_NAME " has become shorter", p->path);
        if (r == 0)
                r = read_pcr(p, m, pending->pcr, now, e);
        if (r < 0)
                return r;
        if (memcmp(now, pending->after, sizeof(now)) == 0)
                r = log_write(p, pending->log_size, pending->entry, pending->entry_size, e);
        else if (memcmp(now, pending->before, sizeof(now)) == 0)
                r = log_write(p, pending->log_size, NULL, 0, e);
        else
                r = error_set(e, -EUCLEAN, "measurement-unexplained",
                              "A measurement broke off, and PCR %u has neither the value before nor after it: something "
                              "else extends it; %s/" PENDING_NAME " tells what was to be measured",
                              pending->pcr, p->path);
        return r < 0 ? r : remove_pending(p, e);
}

static int recover(Place *p, const VtpmMeasurement *m, Error *e) {
        AUTO_BLOB Blob bytes = {};
        AUTO_FD int fd = openat(p->dir, PENDING_NAME, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        VtpmPending pending;
        int r;

        if (fd < 0)
                return errno == ENOENT ? 0 : fail(p, "open", PENDING_NAME, e);
        r = file_read_fd(fd, PENDING_NAME, VTPM_PENDING_SIZE_MAX, &bytes, e);
        if (r == 0)
                r = vtpm_pending_parse(bytes.data, bytes.size, &pending, e);
        if (r < 0) {
                error_prefix(e, "%s/" PENDING_NAME, p->path);
                return r;
        }
        return settle(p, m, &pending, e);
}

/* The log's size, at least that of its header. */
static int begin_log(const Place *p, uint64_t *ret, Error *e) {
        uint8_t header[VTPM_AAEL_HEADER_SIZE];
        int r = log_size(p, ret, e);

        if (r < 0 || *ret >= sizeof(header))
                return r;
        /* A crash while it was being written; nothing has been measured so far. */
        vtpm_aael_header(VTPM_MEASURE_HASH, header);
        *ret = sizeof(header);
        return log_write(p, 0, header, sizeof(header), e);
}

static int extended(const uint8_t before[static VTPM_PENDING_DIGEST_SIZE], const VtpmPcrDigest *digest,
                    uint8_t ret[static VTPM_PENDING_DIGEST_SIZE], Error *e) {
        uint8_t both[2 * VTPM_PENDING_DIGEST_SIZE];

        (void) memcpy(both, before, VTPM_PENDING_DIGEST_SIZE);
        (void) memcpy(both + VTPM_PENDING_DIGEST_SIZE, digest->bytes, VTPM_PENDING_DIGEST_SIZE);
        return vtpm_hash_bytes(VTPM_MEASURE_HASH, both, sizeof(both), ret, e);
}

static int measure(Place *p, const VtpmMeasurement *m, const Blob *entry, const VtpmPcrDigest *digest, Error *e) {
        VtpmPending pending = { .pcr = m->pcr, .entry = entry->data, .entry_size = entry->size };
        int r;

        r = begin_log(p, &pending.log_size, e);
        if (r == 0 && pending.log_size + entry->size > VTPM_MEASURE_LOG_MAX)
                return error_set(e, -ENOSPC, "measurement-log-full",
                                 "%s/" LOG_NAME " is full, %u KiB; it begins anew with the next boot", p->path,
                                 VTPM_MEASURE_LOG_MAX / 1024);
        if (r == 0)
                r = read_pcr(p, m, m->pcr, pending.before, e);
        if (r == 0)
                r = extended(pending.before, digest, pending.after, e);
        if (r == 0)
                r = write_pending(p, &pending, e);
        if (r == 0)
                r = vtpm_pcr_extend(p->ctx, m->pcr, digest, 1, e);
        if (r == 0)
                r = log_write(p, pending.log_size, entry->data, entry->size, e);
        return r < 0 ? r : remove_pending(p, e);
}

int vtpm_measure(const VtpmMeasurement *m, Error *e) {
        CLEANUP(place_done) Place p = { .dir = -1, .log = -1 };
        VtpmPcrDigest digest = { .hash = VTPM_MEASURE_HASH };
        AUTO_BLOB Blob entry = {};
        int r;

        if (m->pcr >= VTPM_N_PCRS)
                return error_set(e, -EINVAL, "pcr-number", "There is no PCR %u", m->pcr);
        r = vtpm_aael_encode(&m->entry, m->pcr, VTPM_MEASURE_HASH, &entry, digest.bytes, e);
        if (r == 0)
                r = place_open(m->directory, &p, e);
        if (r == 0)
                r = recover(&p, m, e);
        return r < 0 ? r : measure(&p, m, &entry, &digest, e);
}

int vtpm_measure_log(const char *directory, Blob *ret, Error *e) {
        AUTO_FD int dir = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        Place p = { .path = directory };
        AUTO_FD int fd = -1;

        if (dir >= 0)
                fd = openat(dir, LOG_NAME, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0 && errno == ENOENT) {
                *ret = (Blob){};
                return 0;
        }
        if (fd < 0)
                return fail(&p, "open", LOG_NAME, e);
        return file_read_fd(fd, LOG_NAME, VTPM_MEASURE_LOG_MAX, ret, e);
}
