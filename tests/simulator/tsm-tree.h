/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The semantics of /sys/kernel/config/tsm/report (Linux, Documentation/ABI/testing/configfs-tsm-report,
 * drivers/virt/coco/guest/report.c, fs/configfs/file.c), without a file system around it: what each
 * operation on a path answers. Functions return 0 or a count, or the negative errno that the kernel gives.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "base/cleanup.h"
#include "tests/simulator/platform.h"

typedef struct SimTsm SimTsm;
typedef struct SimTsmFile SimTsmFile; /* one open file description */

#define SIM_TSM_ITEMS_MAX 1024
#define SIM_TSM_NAME_MAX 64

/* @platform is borrowed. */
WARN_UNUSED int sim_tsm_new(SimPlatform *platform, SimTsm **ret);
void sim_tsm_free(SimTsm *tsm);
DEFINE_CLEANUP(SimTsm *, sim_tsm_free);

size_t sim_tsm_n_items(const SimTsm *tsm);

/* Paths are "/", "/ITEM" or "/ITEM/ATTRIBUTE". */
WARN_UNUSED int sim_tsm_getattr(SimTsm *tsm, const char *path, struct stat *ret);
/* Calls @on_name for each entry of a directory, "." and ".." left out. */
WARN_UNUSED int sim_tsm_list(SimTsm *tsm, const char *path, void (*on_name)(void *user, const char *name), void *user);
WARN_UNUSED int sim_tsm_mkdir(SimTsm *tsm, const char *path);
WARN_UNUSED int sim_tsm_rmdir(SimTsm *tsm, const char *path);
/* As chown(2): (uid_t) -1 and (gid_t) -1 leave it as it is. Who may do it is the kernel's business. */
WARN_UNUSED int sim_tsm_chown(SimTsm *tsm, const char *path, uid_t uid, gid_t gid);

/* @flags: O_ACCMODE part decides; the mode bits hold for root too. */
WARN_UNUSED int sim_tsm_open(SimTsm *tsm, const char *path, int flags, SimTsmFile **ret);
WARN_UNUSED ssize_t sim_tsm_read(SimTsmFile *file, void *buf, size_t size, off_t offset);
WARN_UNUSED ssize_t sim_tsm_write(SimTsmFile *file, const void *buf, size_t size, off_t offset);
/* close(2) by the program: this is where inblob is committed. The kernel ignores the result, and so does this. */
void sim_tsm_flush(SimTsmFile *file);
void sim_tsm_close(SimTsmFile *file); /* last reference gone */
