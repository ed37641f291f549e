/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define FIRST_SIZE 4096

/* What to allocate first. A regular file then needs one buffer of its own size, and the byte that tells its end. */
static size_t first_size(int fd) {
        struct stat st;

        if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size < FIRST_SIZE)
                return FIRST_SIZE;
        return (size_t) st.st_size + 1;
}

int file_read_fd(int fd, const char *name, size_t max, Blob *ret, Error *e) {
        AUTO_BLOB Blob b = {};
        size_t allocated = 0;

        for (;;) {
                ssize_t n;

                if (b.size == allocated) {
                        size_t want = allocated ? allocated * 2 : first_size(fd);
                        uint8_t *p;

                        if (want > max + 1)
                                want = max + 1; /* the extra byte tells "full" from "too large" */
                        if (b.size > max)
                                return error_set(e, -E2BIG, "file-too-large", "%s is larger than %zu bytes", name, max);
                        p = realloc(b.data, want);
                        if (!p)
                                return error_oom(e);
                        b.data = p;
                        allocated = want;
                }
                n = read(fd, b.data + b.size, allocated - b.size);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return error_set(e, -errno, "read-failed", "Cannot read %s: %s", name,
                                         error_text(NULL, -errno));
                if (n == 0)
                        break;
                b.size += (size_t) n;
        }
        if (b.size > max)
                return error_set(e, -E2BIG, "file-too-large", "%s is larger than %zu bytes", name, max);
        *ret = blob_take(&b);
        return 0;
}

int file_read(const char *path, size_t max, Blob *ret, Error *e) {
        AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

        if (fd < 0)
                return error_set(e, -errno, "open-failed", "Cannot open %s: %s", path, error_text(NULL, -errno));
        return file_read_fd(fd, path, max, ret, e);
}

int file_read_text(const char *path, size_t max, char **ret, Error *e) {
        AUTO_BLOB Blob b = {};
        char *text;
        int r;

        r = file_read(path, max, &b, e);
        if (r < 0)
                return r;
        if (b.size > 0 && memchr(b.data, 0, b.size))
                return error_set(e, -EBADMSG, "nul-in-text", "%s holds a NUL byte", path);
        text = realloc(b.data, b.size + 1);
        if (!text)
                return error_oom(e);
        text[b.size] = 0;
        b = (Blob){};
        *ret = text;
        return 0;
}

int file_write_fd(int fd, const char *name, const void *data, size_t size, Error *e) {
        const uint8_t *p = data;

        while (size > 0) {
                ssize_t n = write(fd, p, size);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return error_set(e, -errno, "write-failed", "Cannot write %s: %s", name,
                                         error_text(NULL, -errno));
                p += n;
                size -= (size_t) n;
        }
        return 0;
}

int file_write_atomic(const char *path, const void *data, size_t size, mode_t mode, Error *e) {
        AUTO_FREE char *tmp = NULL;
        AUTO_FD int fd = -1;
        int r;

        if (asprintf(&tmp, "%s.XXXXXX", path) < 0) {
                tmp = NULL;
                return error_oom(e);
        }
        fd = mkostemp(tmp, O_CLOEXEC);
        if (fd < 0)
                return error_set(e, -errno, "open-failed", "Cannot create %s: %s", tmp, error_text(NULL, -errno));
        r = file_write_fd(fd, path, data, size, e);
        if (r == 0 && (fchmod(fd, mode) < 0 || fsync(fd) < 0 || rename(tmp, path) < 0))
                r = error_set(e, -errno, "write-failed", "Cannot write %s: %s", path, error_text(NULL, -errno));
        if (r < 0)
                (void) unlink(tmp);
        return r;
}
