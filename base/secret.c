/* SPDX-License-Identifier: Apache-2.0 */
#include "base/secret.h"

#include <assert.h>
#include <errno.h>
#include <openssl/crypto.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

static size_t page_size(void) {
        return (size_t) sysconf(_SC_PAGESIZE);
}

static size_t mapped_size(size_t size) {
        size_t page = page_size();

        return (size + page - 1) / page * page;
}

int secret_alloc(size_t size, Secret *ret, Error *e) {
        size_t page = page_size(), inner = mapped_size(size);
        uint8_t *map;
        bool locked;

        if (size == 0)
                return error_set(e, -EINVAL, "secret-empty", "A secret cannot be empty");
        if (size > SECRET_MAX)
                return error_set(e, -E2BIG, "secret-too-large", "Secret of %zu bytes exceeds the limit of %u", size,
                                 SECRET_MAX);

        map = mmap(NULL, inner + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (map == MAP_FAILED)
                return error_oom(e);
        if (mprotect(map + page, inner, PROT_READ | PROT_WRITE) < 0) {
                (void) munmap(map, inner + 2 * page);
                return error_oom(e);
        }
        /* Advice can only fail on kernels without it; PR_SET_DUMPABLE and LimitCORE= still stand then. */
        (void) madvise(map + page, inner, MADV_DONTDUMP);
        (void) madvise(map + page, inner, MADV_DONTFORK);
        locked = mlock(map + page, inner) == 0;

        *ret = (Secret){ .bytes = map + page, .len = size, .size = size, .locked = locked };
        return 0;
}

void secret_done(Secret *s) {
        if (s->bytes) {
                size_t page = page_size(), inner = mapped_size(s->size);

                explicit_bzero(s->bytes, inner);
                (void) munmap(s->bytes - page, inner + 2 * page);
        }
        *s = (Secret){};
}

Secret secret_take(Secret *s) {
        Secret taken = *s;

        *s = (Secret){};
        return taken;
}

void secret_truncate(Secret *s, size_t len) {
        assert(len <= s->len);
        if (s->bytes)
                explicit_bzero(s->bytes + len, s->len - len);
        s->len = len;
}

bool secret_equal(const Secret *a, const Secret *b) {
        return a->len == b->len && (a->len == 0 || CRYPTO_memcmp(a->bytes, b->bytes, a->len) == 0);
}

int secret_read_fd(int fd, size_t max, Secret *ret, Error *e) {
        AUTO_SECRET Secret s = {};
        size_t n = 0;
        uint8_t extra;
        int r;

        r = secret_alloc(max, &s, e);
        if (r < 0)
                return r;
        for (;;) {
                /* One byte beyond the limit tells "exactly full" from "too large". */
                void *to = n < max ? s.bytes + n : &extra;
                ssize_t k = read(fd, to, n < max ? max - n : 1);

                if (k < 0 && errno == EINTR)
                        continue;
                if (k < 0)
                        return error_set(e, -errno, "read-failed", "Reading a secret failed: %s",
                                         error_text(NULL, -errno));
                if (k == 0)
                        break;
                if (n == max) {
                        explicit_bzero(&extra, sizeof(extra));
                        return error_set(e, -E2BIG, "secret-too-large", "Secret exceeds the limit of %zu bytes", max);
                }
                n += (size_t) k;
        }
        if (n == 0)
                return error_set(e, -EBADMSG, "secret-empty", "The secret is empty");
        secret_truncate(&s, n);
        *ret = secret_take(&s);
        return 0;
}

int secret_write_fd(int fd, const Secret *s, Error *e) {
        for (size_t n = 0; n < s->len;) {
                ssize_t k = write(fd, s->bytes + n, s->len - n);

                if (k < 0 && errno == EINTR)
                        continue;
                if (k < 0)
                        return error_set(e, -errno, "write-failed", "Writing a secret failed: %s",
                                         error_text(NULL, -errno));
                n += (size_t) k;
        }
        return 0;
}

int secret_protect_process(Error *e) {
        const struct rlimit none = {};

        if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 || setrlimit(RLIMIT_CORE, &none) < 0)
                return error_set(e, -errno, "core-dumps", "Cannot forbid core dumps: %s", error_text(NULL, -errno));
        return 0;
}
