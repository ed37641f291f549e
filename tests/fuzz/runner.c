/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Stands in for libFuzzer where the compiler has none: feeds every file named on the command line, and
 * every file in every directory named, to the target once. A failed property aborts, as under the fuzzer.
 */

#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned n_inputs;

static int replay_file(const char *path) {
        AUTO_BLOB Blob b = {};
        Error e = {};
        int r = file_read(path, 1u << 24, &b, &e);

        if (r < 0) {
                (void) fprintf(stderr, "%s\n", error_text(&e, r));
                return r;
        }
        (void) LLVMFuzzerTestOneInput(b.data ? b.data : (const uint8_t *) "", b.size);
        n_inputs++;
        return 0;
}

static int replay(const char *path) {
        struct stat st;
        DIR *dir;
        int r = 0;

        if (stat(path, &st) < 0) {
                perror(path);
                return -errno;
        }
        if (!S_ISDIR(st.st_mode))
                return replay_file(path);
        dir = opendir(path);
        if (!dir)
                return -errno;
        for (const struct dirent *d = readdir(dir); d && r == 0; d = readdir(dir)) {
                AUTO_FREE char *inner = NULL;

                if (d->d_name[0] == '.')
                        continue;
                if (asprintf(&inner, "%s/%s", path, d->d_name) < 0)
                        inner = NULL, r = -ENOMEM;
                else
                        r = replay(inner);
        }
        (void) closedir(dir);
        return r;
}

int main(int argc, char **argv) {
        (void) LLVMFuzzerTestOneInput((const uint8_t *) "", 0);
        for (int i = 1; i < argc; i++)
                if (replay(argv[i]) < 0)
                        return EXIT_FAILURE;
        printf("%u inputs replayed\n", n_inputs);
        return EXIT_SUCCESS;
}
