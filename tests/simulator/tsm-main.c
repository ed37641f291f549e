/* SPDX-License-Identifier: Apache-2.0 */
/*
 * snp-sim-tsm: serves a directory that behaves like /sys/kernel/config/tsm/report on an SEV-SNP guest.
 * Single-threaded, in the foreground. As root it mounts by mount(2) and needs no fusermount3.
 */
#define FUSE_USE_VERSION 31
#include <errno.h>
#include <fuse.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/simulator/server.h"
#include "tests/simulator/tsm-tree.h"

static SimTsm *tree(void) {
        return fuse_get_context()->private_data;
}

static SimTsmFile *file_of(struct fuse_file_info *fi) {
        return (SimTsmFile *) (uintptr_t) fi->fh;
}

static int on_getattr(const char *path, struct stat *st, struct fuse_file_info *fi) {
        (void) fi;
        return sim_tsm_getattr(tree(), path, st);
}

typedef struct Listing {
        void *buf;
        fuse_fill_dir_t fill;
} Listing;

static void on_name(void *user, const char *name) {
        Listing *l = user;

        (void) l->fill(l->buf, name, NULL, 0, 0);
}

static int on_readdir(const char *path, void *buf, fuse_fill_dir_t fill, off_t offset, struct fuse_file_info *fi,
                      enum fuse_readdir_flags flags) {
        Listing l = { buf, fill };

        (void) offset, (void) fi, (void) flags;
        on_name(&l, ".");
        on_name(&l, "..");
        return sim_tsm_list(tree(), path, on_name, &l);
}

static int on_mkdir(const char *path, mode_t mode) {
        (void) mode;
        return sim_tsm_mkdir(tree(), path);
}

static int on_rmdir(const char *path) {
        return sim_tsm_rmdir(tree(), path);
}

static int on_chown(const char *path, uid_t uid, gid_t gid, struct fuse_file_info *fi) {
        (void) fi;
        return sim_tsm_chown(tree(), path, uid, gid);
}

static int on_open(const char *path, struct fuse_file_info *fi) {
        SimTsmFile *file;
        int r = sim_tsm_open(tree(), path, fi->flags, &file);

        if (r < 0)
                return r;
        fi->fh = (uintptr_t) file;
        fi->direct_io = 1; /* binary attributes have st_size 0: the kernel must not clip reads by it */
        return 0;
}

static int on_read(const char *path, char *buf, size_t size, off_t offset, struct fuse_file_info *fi) {
        (void) path;
        return (int) sim_tsm_read(file_of(fi), buf, size, offset);
}

static int on_write(const char *path, const char *buf, size_t size, off_t offset, struct fuse_file_info *fi) {
        (void) path;
        return (int) sim_tsm_write(file_of(fi), buf, size, offset);
}

/* close(2) waits for this one, but not for release. */
static int on_flush(const char *path, struct fuse_file_info *fi) {
        (void) path;
        sim_tsm_flush(file_of(fi));
        return 0;
}

static int on_release(const char *path, struct fuse_file_info *fi) {
        (void) path;
        sim_tsm_close(file_of(fi));
        return 0;
}

/* Shells open with O_TRUNC; configfs lets them. */
static int on_truncate(const char *path, off_t size, struct fuse_file_info *fi) {
        (void) path, (void) size, (void) fi;
        return 0;
}

static int on_create(const char *path, mode_t mode, struct fuse_file_info *fi) {
        (void) path, (void) mode, (void) fi;
        return -EACCES;
}

static int on_unlink(const char *path) {
        (void) path;
        return -EPERM;
}

static void *on_init(struct fuse_conn_info *conn, struct fuse_config *config) {
        (void) conn;
        /* Nothing is cached: items come and go, and generation changes with every write. */
        config->entry_timeout = config->negative_timeout = config->attr_timeout = 0;
        config->hard_remove = 1;
        return fuse_get_context()->private_data;
}

static const struct fuse_operations operations = {
        .init = on_init,
        .getattr = on_getattr,
        .readdir = on_readdir,
        .mkdir = on_mkdir,
        .rmdir = on_rmdir,
        .chown = on_chown,
        .open = on_open,
        .read = on_read,
        .write = on_write,
        .flush = on_flush,
        .release = on_release,
        .truncate = on_truncate,
        .create = on_create,
        .unlink = on_unlink,
};

static void print_usage(void) {
        printf("Usage: snp-sim-tsm --mountpoint DIR --pki DIR [OPTION...]\n"
               "\n"
               "Serves /sys/kernel/config/tsm/report of an SEV-SNP guest at DIR, in the foreground, until SIGTERM.\n"
               "\n");
        sim_server_print_options();
}

static struct fuse *new_file_system(SimTsm *tsm) {
        struct fuse_args args = FUSE_ARGS_INIT(0, NULL);
        struct fuse *fuse = NULL;

        /* The kernel checks the mode bits for others than root; root needs no fuse.conf to let others in. */
        if (fuse_opt_add_arg(&args, "snp-sim-tsm") == 0 && fuse_opt_add_arg(&args, "-ofsname=snp-sim-tsm") == 0 &&
            fuse_opt_add_arg(&args, geteuid() == 0 ? "-odefault_permissions,allow_other"
                                                   : "-odefault_permissions") == 0)
                fuse = fuse_new(&args, &operations, sizeof(operations), tsm);
        fuse_opt_free_args(&args);
        return fuse;
}

static int serve(SimTsm *tsm, const SimServer *server) {
        struct fuse *fuse = new_file_system(tsm);
        int r = -EIO;

        if (!fuse)
                return r;
        /* Handlers first: a signal that comes while mounting then still leads to the unmounting below. */
        if (fuse_set_signal_handlers(fuse_get_session(fuse)) == 0 && fuse_mount(fuse, server->place) == 0) {
                sim_server_announce(server);
                r = fuse_loop(fuse);
                fuse_unmount(fuse);
        }
        fuse_remove_signal_handlers(fuse_get_session(fuse));
        fuse_destroy(fuse);
        return r < 0 ? r : 0; /* a signal number is an orderly end */
}

int main(int argc, char **argv) {
        CLEANUP(sim_tsm_freep) SimTsm *tsm = NULL;
        CLEANUP(sim_platform_done) SimPlatform platform = {};
        SimServer server = { .program = "snp-sim-tsm", .place_option = "mountpoint" };
        Error e = {};
        int r;

        r = sim_server_parse(&server, argc, argv);
        if (server.help)
                print_usage();
        if (server.help || r < 0)
                return server.help ? EXIT_SUCCESS : 2;
        r = sim_server_start(&server, &platform, &e);
        if (r == 0)
                r = sim_tsm_new(&platform, &tsm);
        if (r == 0)
                r = serve(tsm, &server);
        if (r < 0)
                fprintf(stderr, "snp-sim-tsm: %s\n", error_text(&e, r));
        return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
