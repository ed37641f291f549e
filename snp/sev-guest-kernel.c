/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel that we run on, for the ioctl implementation. */
#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "snp/sev-guest-internal.h"

/* A file that is no device answers every ioctl with ENOTTY, which would read as "key lost". */
static int real_open(void *context, const char *path) {
        AUTO_FD int fd = open(path, O_RDWR | O_CLOEXEC | O_NOCTTY);
        struct stat st;

        (void) context;
        if (fd < 0 || fstat(fd, &st) < 0)
                return -errno;
        return S_ISCHR(st.st_mode) ? TAKE_FD(fd) : -ENODEV;
}

static int real_ioctl(void *context, int fd, unsigned long request, SevGuestRequest *arg) {
        (void) context;
        return ioctl(fd, request, arg) < 0 ? -errno : 0;
}

static void real_close(void *context, int fd) {
        (void) context;
        (void) close(fd);
}

static int real_sleep(void *context, Deadline deadline, uint64_t usec) {
        (void) context;
        return deadline_sleep(deadline, usec);
}

const SevGuestKernel sev_guest_kernel = {
        .open = real_open,
        .ioctl = real_ioctl,
        .close = real_close,
        .sleep = real_sleep,
};
