/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/snpctl/secret-file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/vfs.h>

#include "agent/snpctl/exit.h"

int ctl_secret_read(const char *path, Secret *ret, Error *e) {
        AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
        int r;

        if (fd < 0)
                return error_set(e, -errno, "open-failed", "Cannot open %s: %s", path, error_text(NULL, -errno));
        r = secret_read_fd(fd, SECRET_MAX, ret, e);
        if (r < 0)
                error_prefix(e, "%s", path);
        return r;
}

static bool is_in_memory(int fd) {
        struct statfs fs;

        return fstatfs(fd, &fs) == 0 && (fs.f_type == TMPFS_MAGIC || fs.f_type == RAMFS_MAGIC);
}

int secret_file_create(const char *path, bool force, SecretFile *ret, Error *e) {
        AUTO_SECRET_FILE SecretFile f = { .path = path };

        f.fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (f.fd < 0)
                return error_set(e, -errno, "open-failed", "Cannot create %s: %s", path, error_text(NULL, -errno));
        if (!force && !is_in_memory(f.fd))
                return ctl_usage(e, "%s is not on tmpfs or ramfs, so the secret would reach a disk; --force overrides",
                                 path);
        *ret = f;
        f.fd = -1;
        return 0;
}

int secret_file_write(const SecretFile *f, const Secret *secret, Error *e) {
        return secret_write_fd(f->fd, secret, e);
}

void secret_file_keep(SecretFile *f) {
        if (f->fd >= 0)
                (void) close(f->fd);
        f->fd = -1;
}

void secret_file_done(SecretFile *f) {
        if (f->fd < 0)
                return;
        (void) unlink(f->path);
        (void) close(f->fd);
        f->fd = -1;
}
