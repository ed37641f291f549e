/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/snpctl/launch-files.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "snp/launch/ovmf.h"

void launch_hashes_done(LaunchHashes *h) {
        for (size_t i = 0; i < h->n; i++)
                free((char *) (uintptr_t) h->list[i].name);
        free(h->list);
        *h = (LaunchHashes){};
}

void launch_images_done(LaunchImages *images) {
        for (size_t i = 0; i < images->n; i++) {
                free((char *) (uintptr_t) images->list[i].name);
                free((void *) (uintptr_t) images->list[i].data);
        }
        free(images->list);
        *images = (LaunchImages){};
}

/* Names in a folder. */
typedef struct Names {
        struct dirent **list;
        int n;
} Names;

static void names_done(Names *names) {
        for (int i = 0; i < names->n; i++)
                free(names->list[i]);
        free(names->list);
}

static int not_dots(const struct dirent *d) {
        return strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0;
}

static int read_names(const char *dir, Names *ret, Error *e) {
        int n = scandir(dir, &ret->list, not_dots, alphasort);

        if (n < 0)
                return error_set(e, -errno, "open-failed", "Cannot read the folder %s: %s", dir,
                                 error_text(NULL, -errno));
        ret->n = n;
        return 0;
}

/* Return: 1 take this; 0 a folder, a pipe, or gone meanwhile. */
static int take_file(const char *dir, const char *name, size_t n_taken, char **ret_path, Error *e) {
        struct stat st;

        if (asprintf(ret_path, "%s/%s", dir, name) < 0)
                return *ret_path = NULL, error_oom(e);
        if (stat(*ret_path, &st) < 0 || !S_ISREG(st.st_mode))
                return 0;
        if (n_taken == SNP_EXPLAIN_FILES_MAX)
                return error_set(e, -E2BIG, "too-many-files", "%s holds more than %d files", dir,
                                 SNP_EXPLAIN_FILES_MAX);
        return 1;
}

int launch_hashes_read(const char *dir, LaunchHashes *ret, Error *e) {
        AUTO_LAUNCH_HASHES LaunchHashes h = {};
        CLEANUP(names_done) Names names = {};
        int r = dir ? read_names(dir, &names, e) : 0;

        if (r < 0)
                return r;
        h.list = calloc((size_t) names.n + 1, sizeof(*h.list));
        if (!h.list)
                return error_oom(e);
        for (int i = 0; i < names.n; i++) {
                AUTO_FREE char *path = NULL;

                r = take_file(dir, names.list[i]->d_name, h.n, &path, e);
                if (r == 0)
                        continue;
                if (r > 0)
                        r = snp_file_hash(path, h.list[h.n].hash, e);
                if (r < 0)
                        return r;
                h.list[h.n++].name = TAKE_PTR(path);
        }
        *ret = h;
        h = (LaunchHashes){};
        return 0;
}

static int add_image(LaunchImages *images, char **path, size_t *bytes, Error *e) {
        AUTO_BLOB Blob b = {};
        SnpOvmf ovmf;
        int r = file_read(*path, SNP_FIRMWARE_MAX, &b, e);

        if (r == -E2BIG || (r == 0 && snp_ovmf_parse(b.data, b.size, &ovmf, NULL) < 0)) {
                if (e)
                        *e = (Error){};
                return 0; /* something else lies beside the firmware */
        }
        if (r < 0)
                return r;
        if (b.size > LAUNCH_IMAGES_BYTES_MAX - *bytes)
                return error_set(e, -E2BIG, "too-many-files", "More than %u bytes of firmware images",
                                 LAUNCH_IMAGES_BYTES_MAX);
        *bytes += b.size;
        images->list[images->n++] = (SnpNamedImage){ TAKE_PTR(*path), b.data, b.size };
        b = (Blob){};
        return 0;
}

int launch_images_read(const char *dir, LaunchImages *ret, Error *e) {
        AUTO_LAUNCH_IMAGES LaunchImages images = {};
        CLEANUP(names_done) Names names = {};
        size_t bytes = 0;
        int r = dir ? read_names(dir, &names, e) : 0;

        if (r < 0)
                return r;
        images.list = calloc((size_t) names.n + 1, sizeof(*images.list));
        if (!images.list)
                return error_oom(e);
        for (int i = 0; i < names.n; i++) {
                AUTO_FREE char *path = NULL;

                r = take_file(dir, names.list[i]->d_name, images.n, &path, e);
                if (r > 0)
                        r = add_image(&images, &path, &bytes, e);
                if (r < 0)
                        return r;
        }
        *ret = images;
        images = (LaunchImages){};
        return 0;
}

void launch_lines_done(LaunchLines *l) {
        free(l->text);
        free(l->lines);
        *l = (LaunchLines){};
}

int launch_lines_read(const char *path, LaunchLines *ret, Error *e) {
        AUTO_LAUNCH_LINES LaunchLines l = {};
        char *line, *rest;
        int r;

        if (!path)
                return 0;
        r = file_read_text(path, SNP_EXPLAIN_CMDLINES_MAX * 4096u, &l.text, e);
        if (r < 0)
                return r;
        l.lines = calloc(SNP_EXPLAIN_CMDLINES_MAX, sizeof(*l.lines));
        if (!l.lines)
                return error_oom(e);
        rest = l.text;
        while ((line = strsep(&rest, "\n"))) {
                if (!*line)
                        continue;
                if (l.n == SNP_EXPLAIN_CMDLINES_MAX)
                        return error_set(e, -E2BIG, "too-many-cmdlines", "%s holds more than %d command lines", path,
                                         SNP_EXPLAIN_CMDLINES_MAX);
                l.lines[l.n++] = line;
        }
        *ret = l;
        l = (LaunchLines){};
        return 0;
}
