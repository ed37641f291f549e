/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/snpctl/certs-dir.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/file.h"
#include "snp/crl.h"
#include "snp/verify.h"

void certs_dir_done(CertsDir *dir) {
        blob_done(&dir->vek);
        for (size_t i = 0; i < dir->n_chain; i++)
                blob_done(&dir->chain[i]);
        dir->n_chain = 0;
        blob_done(&dir->crl);
}

bool certs_dir_is(const char *path) {
        struct stat st;

        return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* Return: 1 and the file; 0 there is none. */
static int read_one(const char *dir, const char *name, size_t max, Blob *ret, Error *e) {
        static const char *const endings[] = { "pem", "der" };

        for (size_t i = 0; i < N_ELEMENTS(endings); i++) {
                char path[PATH_MAX];
                Error why = {};
                int r;

                if (snprintf(path, sizeof(path), "%s/%s.%s", dir, name, endings[i]) >= (int) sizeof(path))
                        return error_set(e, -EINVAL, "path", "The path of %s.%s is too long", name, endings[i]);
                r = file_read(path, max, ret, &why);
                if (r == 0)
                        return 1;
                if (r != -ENOENT)
                        return error_set(e, r, error_reason(&why, r), "%s", error_text(&why, r));
        }
        return 0;
}

int certs_dir_read(const char *path, SnpSigningKey signing_key, CertsDir *ret, Error *e) {
        static const char *const names[CERTS_DIR_CHAIN_MAX] = { "ask", "asvk", "ark" };
        AUTO_CERTS_DIR CertsDir dir = {};
        int r = read_one(path, signing_key == SNP_SIGNING_KEY_VLEK ? "vlek" : "vcek", SNP_CERT_SIZE_MAX, &dir.vek, e);

        for (size_t i = 0; i < N_ELEMENTS(names) && r >= 0; i++) {
                r = read_one(path, names[i], SNP_CERT_SIZE_MAX, &dir.chain[dir.n_chain], e);
                if (r > 0)
                        dir.n_chain++;
        }
        if (r >= 0)
                r = read_one(path, "crl", SNP_CRL_SIZE_MAX, &dir.crl, e);
        if (r < 0)
                return r;
        if (dir.vek.size == 0 && dir.n_chain == 0)
                return error_set(e, -ENOENT, "certs-dir", "%s holds no certificate: none of vcek, vlek, ask, asvk, ark "
                                                          "with .pem or .der is there", path);
        *ret = dir;
        dir = (CertsDir){};
        return 0;
}
