/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What the cache does with an SnpCollateral. It decides nothing about certificates: what it reads is offered like
 * anything else that came from somewhere, and what it writes has been found right.
 */

#include "snp/collateral-cache.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/reader.h"
#include "snp/collateral-cache-internal.h"
#include "snp/collateral-cache-name.h"
#include "snp/collateral-internal.h"

#define LOCK_NAME "lock"

int snp_cache_open(const char *dir, SnpCache **ret, Error *e) {
        CLEANUP(snp_cache_closep) SnpCache *cache = calloc(1, sizeof(*cache));
        struct stat st;

        if (!cache)
                return error_oom(e);
        cache->fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (cache->fd < 0 || fstat(cache->fd, &st) < 0)
                return error_set(e, -errno, "cache-open", "Cannot open the directory %s: %s", dir,
                                 error_text(NULL, -errno));
        cache->writable = (st.st_uid == geteuid() || geteuid() == 0) && !(st.st_mode & (S_IWGRP | S_IWOTH));
        cache->path = strdup(dir);
        if (!cache->path)
                return error_oom(e);
        *ret = TAKE_PTR(cache);
        return 0;
}

void snp_cache_close(SnpCache *cache) {
        if (!cache)
                return;
        if (cache->fd >= 0)
                (void) close(cache->fd);
        free(cache->path);
        free(cache);
}

static int fill_part(SnpCache *cache, SnpCollateral *c, const SnpVekId *id, SnpPart part, time_t at) {
        char name[SNP_CACHE_NAME_MAX];
        AUTO_BLOB Blob data = {};
        Error why = {};
        int r;

        if (!snp_cache_name_format(id, part, name))
                return 0;
        r = snp_cache_read(cache, name, snp_part_size_max(part), &data, &why);
        if (r == -ENOENT || r == -ENOMEM)
                return r == -ENOENT ? 0 : r;
        if (r < 0) {
                snp_collateral_note(c, part, SNP_SOURCE_CACHE, &why);
                return 0;
        }
        return snp_collateral_offer(c, part, SNP_SOURCE_CACHE, data.data, data.size, at, NULL) == -ENOMEM ? -ENOMEM : 0;
}

/* A version 2 report does not tell its product line; then every line's name is tried. */
static int fill_vek(SnpCache *cache, SnpCollateral *c, time_t at) {
        SnpVekId id = *snp_collateral_id(c);
        int r = 0;

        if (id.product != SNP_PRODUCT_UNKNOWN)
                return fill_part(cache, c, &id, SNP_PART_VEK, at);
        for (id.product = SNP_PRODUCT_UNKNOWN + 1; r == 0 && id.product < SNP_N_PRODUCTS; id.product++)
                r = fill_part(cache, c, &id, SNP_PART_VEK, at);
        return r;
}

int snp_cache_fill(SnpCache *cache, SnpCollateral *c, time_t at, Error *e) {
        int r = 0;

        if (snp_collateral_missing(c) & 1u << SNP_PART_VEK)
                r = fill_vek(cache, c, at);
        if (r == 0 && snp_collateral_missing(c) & 1u << SNP_PART_CHAIN)
                r = fill_part(cache, c, snp_collateral_id(c), SNP_PART_CHAIN, at);
        /* Also when there is one: the list that was issued last counts, so that an old one cannot push out a newer. */
        if (r == 0)
                r = fill_part(cache, c, snp_collateral_id(c), SNP_PART_CRL, at);
        return r < 0 ? error_oom(e) : 0;
}

static int keep_part(SnpCache *cache, const SnpCollateral *c, SnpPart part, Error *e) {
        const Blob *data = snp_collateral_get(c, part);
        char name[SNP_CACHE_NAME_MAX];
        AUTO_BLOB Blob old = {};

        if (!data || snp_collateral_source(c, part) == SNP_SOURCE_CACHE ||
            !snp_cache_name_format(snp_collateral_id(c), part, name))
                return 0;
        if (snp_cache_read(cache, name, snp_part_size_max(part), &old, NULL) == 0 &&
            (blob_equal(&old, data) || (part == SNP_PART_CRL && snp_collateral_crl_is_older(c, &old))))
                return 0; /* who stored it meanwhile, or before the cache was there, knew more */
        return snp_cache_write(cache, name, data, e);
}

int snp_cache_keep(SnpCache *cache, const SnpCollateral *c, Error *e) {
        int result = 0;

        for (SnpPart part = 0; part < SNP_N_PARTS; part++) {
                int r = keep_part(cache, c, part, e);

                if (result == 0)
                        result = r;
        }
        if (cache->writable) {
                int r = snp_cache_trim(cache, SNP_CACHE_VEKS_MAX, e);

                if (result == 0)
                        result = r;
        }
        return result;
}

/* Where in the lock file the turn for @id is; a collision makes somebody wait for nothing. */
static int lock_offset(const SnpVekId *id, off_t *ret) {
        uint8_t bytes[2 + SNP_CHIP_ID_SIZE + SNP_TCB_SIZE] = { (uint8_t) id->product, (uint8_t) id->key };
        uint8_t digest[EVP_MAX_MD_SIZE];

        (void) memcpy(bytes + 2, id->chip_id, SNP_CHIP_ID_SIZE);
        (void) memcpy(bytes + 2 + SNP_CHIP_ID_SIZE, id->tcb, SNP_TCB_SIZE);
        if (EVP_Digest(bytes, sizeof(bytes), digest, NULL, EVP_sha256(), NULL) != 1)
                return -ENOMEM;
        *ret = (off_t) (load_le64(digest) >> 2); /* positive, and the end of the range too */
        return 0;
}

/*
 * Opens the lock file; a descriptor of 3 or more, so that 0 can mean "no turn". Others may not even read it: that is
 * enough to hold a lock on it.
 */
static int open_lock(const SnpCache *cache, Error *e) {
        AUTO_FD int fd = openat(cache->fd, LOCK_NAME, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
        int high;

        if (fd > STDERR_FILENO)
                return TAKE_FD(fd);
        high = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
        if (high < 0)
                return error_set(e, -errno, "cache-lock", "Cannot open %s/" LOCK_NAME ": %s", cache->path,
                                 error_text(NULL, -errno));
        return high;
}

int snp_cache_begin(SnpCache *cache, const SnpVekId *id, SnpCacheTurn *ret, Error *e) {
        /* Of the open file, not of the process: two requests in one process exclude each other too. */
        struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1 };
        AUTO_FD int fd = -1;
        int r = snp_cache_check_writable(cache, e);

        if (r < 0)
                return r;
        if (lock_offset(id, &lock.l_start) < 0)
                return error_oom(e);
        fd = open_lock(cache, e);
        if (fd < 0)
                return fd;
        if (fcntl(fd, F_OFD_SETLK, &lock) < 0) {
                if (errno == EAGAIN || errno == EACCES)
                        return error_set(e, -EBUSY, "cache-busy", "Somebody else is fetching the same certificates");
                return error_set(e, -errno, "cache-lock", "Cannot lock %s/" LOCK_NAME ": %s", cache->path,
                                 error_text(NULL, -errno));
        }
        ret->fd = TAKE_FD(fd);
        return 0;
}

int snp_cache_begin_wait(SnpCache *cache, const SnpVekId *id, Deadline deadline, SnpCacheTurn *ret, Error *e) {
        for (;;) {
                int r = snp_cache_begin(cache, id, ret, NULL);

                if (r == 0)
                        return 0;
                if (r != -EBUSY)
                        return snp_cache_begin(cache, id, ret, e);
                if (deadline_sleep(deadline, SNP_CACHE_POLL_USEC) == -ETIMEDOUT)
                        return error_set(e, -ETIMEDOUT, "cache-busy",
                                         "Somebody else has been fetching the same certificates for too long");
        }
}

void snp_cache_end(SnpCacheTurn *turn) {
        if (turn->fd > STDERR_FILENO)
                (void) close(turn->fd);
        *turn = (SnpCacheTurn){};
}
