/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Files of the cache. Every access goes through the descriptor of the directory, never follows a link, and takes only
 * regular files: the directory may sit on a disk that somebody prepared.
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>

#include "base/file.h"
#include "base/hex.h"
#include "base/text.h"
#include "snp/collateral-cache-internal.h"
#include "snp/collateral-cache-name.h"

#define TEMPORARY_PREFIX ".new-"
#define TEMPORARY_RANDOM_SIZE 8u
#define TEMPORARY_NAME_MAX (sizeof(TEMPORARY_PREFIX) + 2 * TEMPORARY_RANDOM_SIZE)
#define TEMPORARY_AGE_MAX (60 * 60) /* seconds; writing takes less than one */

/* Who prepared the disk may have put any number of files there, and nobody shall wait for all of them. */
#define SURVEY_MAX 4096u
#define TRIM_MAX 32u

static void closedir_cleanup(DIR **dir) {
        if (*dir)
                (void) closedir(*dir);
}
#define AUTO_DIR CLEANUP(closedir_cleanup)

static int failed(const SnpCache *cache, const char *name, const char *what, Error *e) {
        return error_set(e, -errno, "cache-io", "Cannot %s %s/%s: %s", what, cache->path, name,
                         error_text(NULL, -errno));
}

int snp_cache_check_writable(const SnpCache *cache, Error *e) {
        if (cache->writable)
                return 0;
        return error_set(e, -EACCES, "cache-read-only",
                         "%s does not belong to this user, or others may write to it: it is only read", cache->path);
}

int snp_cache_read(const SnpCache *cache, const char *name, size_t max, Blob *ret, Error *e) {
        /* O_NONBLOCK: a FIFO in this place must not stop us. */
        AUTO_FD int fd = openat(cache->fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
        struct stat st;

        if (fd < 0 && errno == ELOOP)
                return error_set(e, -EBADMSG, "cache-not-a-file", "%s/%s is a link", cache->path, name);
        if (fd < 0 || fstat(fd, &st) < 0)
                return failed(cache, name, "open", e);
        if (!S_ISREG(st.st_mode))
                return error_set(e, -EBADMSG, "cache-not-a-file", "%s/%s is no regular file", cache->path, name);
        return file_read_fd(fd, name, max, ret, e);
}

static int make_temporary(const SnpCache *cache, char name[static TEMPORARY_NAME_MAX], int *ret_fd, Error *e) {
        uint8_t random[TEMPORARY_RANDOM_SIZE];

        if (getrandom(random, sizeof(random), 0) != (ssize_t) sizeof(random))
                return failed(cache, name, "name", e);
        (void) memcpy(name, TEMPORARY_PREFIX, sizeof(TEMPORARY_PREFIX));
        hex_encode_to(random, sizeof(random), name + strlen(TEMPORARY_PREFIX));
        *ret_fd = openat(cache->fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);
        return *ret_fd < 0 ? failed(cache, name, "create", e) : 0;
}

int snp_cache_write(const SnpCache *cache, const char *name, const Blob *data, Error *e) {
        char temporary[TEMPORARY_NAME_MAX] = "";
        AUTO_FD int fd = -1;
        int r = snp_cache_check_writable(cache, e);

        if (r == 0)
                r = make_temporary(cache, temporary, &fd, e);
        if (r < 0)
                return r;
        r = file_write_fd(fd, name, data->data, data->size, e);
        /* Not left to the umask: snpctl reads it as another user. */
        if (r == 0 && (fchmod(fd, 0644) < 0 || fsync(fd) < 0 || renameat(cache->fd, temporary, cache->fd, name) < 0))
                r = failed(cache, name, "write", e);
        if (r < 0) {
                (void) unlinkat(cache->fd, temporary, 0);
                return r;
        }
        return fsync(cache->fd) < 0 ? failed(cache, ".", "sync", e) : 0;
}

/* What one pass over the directory finds out. */
typedef struct Survey {
        size_t n_veks;
        char oldest[NAME_MAX + 1];
        struct timespec oldest_time;
} Survey;

static bool is_before(const struct timespec *a, const struct timespec *b) {
        return a->tv_sec < b->tv_sec || (a->tv_sec == b->tv_sec && a->tv_nsec < b->tv_nsec);
}

static void survey_file(const SnpCache *cache, const char *name, Survey *s) {
        SnpCacheName parsed;
        struct stat st;

        if (fstatat(cache->fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return;
        if (text_starts_with(name, TEMPORARY_PREFIX)) {
                if (time(NULL) - st.st_mtim.tv_sec > TEMPORARY_AGE_MAX)
                        (void) unlinkat(cache->fd, name, 0);
                return;
        }
        if (!snp_cache_name_parse(name, &parsed) || parsed.part != SNP_PART_VEK)
                return;
        if (s->n_veks++ == 0 || is_before(&st.st_mtim, &s->oldest_time)) {
                s->oldest_time = st.st_mtim;
                (void) snprintf(s->oldest, sizeof(s->oldest), "%s", name);
        }
}

static int open_listing(const SnpCache *cache, DIR **ret, Error *e) {
        AUTO_FD int fd = openat(cache->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        *ret = fd < 0 ? NULL : fdopendir(fd);
        if (!*ret)
                return failed(cache, ".", "list", e);
        (void) TAKE_FD(fd); /* the stream's now */
        return 0;
}

static int survey(const SnpCache *cache, Survey *ret, Error *e) {
        AUTO_DIR DIR *dir = NULL;
        struct dirent *entry;
        int r = open_listing(cache, &dir, e);

        if (r < 0)
                return r;
        *ret = (Survey){};
        for (size_t n = 0; n < SURVEY_MAX && (entry = readdir(dir)) != NULL; n++)
                survey_file(cache, entry->d_name, ret);
        return 0;
}

int snp_cache_trim(const SnpCache *cache, size_t max, Error *e) {
        for (unsigned i = 0; i < TRIM_MAX; i++) {
                Survey s;
                int r = survey(cache, &s, e);

                if (r < 0 || s.n_veks <= max)
                        return r;
                if (unlinkat(cache->fd, s.oldest, 0) < 0)
                        return failed(cache, s.oldest, "remove", e);
        }
        return 0; /* more of them next time */
}

int snp_cache_visit(SnpCache *cache, SnpCacheVisitor on_file, void *userdata, Error *e) {
        AUTO_DIR DIR *dir = NULL;
        struct dirent *entry;
        int r = open_listing(cache, &dir, e);

        while (r == 0 && (entry = readdir(dir)) != NULL) {
                AUTO_BLOB Blob data = {};
                SnpCacheName n;

                if (!snp_cache_name_parse(entry->d_name, &n) ||
                    snp_cache_read(cache, entry->d_name, snp_part_size_max(n.part), &data, NULL) < 0)
                        continue;
                r = on_file(userdata, entry->d_name, n.part, n.key, n.product, &data);
        }
        return r;
}
