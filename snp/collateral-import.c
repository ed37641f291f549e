/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A directory of certificates. Names differ from tool to tool (snpguest, go-sev-guest, Trustee's stores, this cache), so
 * content decides: each file is tried as certificates and as a revocation list. Certificates of CAs go into one pool, in
 * which chains are looked for, because tools keep ASK and ARK in files of their own.
 */

#include "snp/collateral-import.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "snp/collateral-cache-internal.h"
#include "snp/collateral-store.h"

#define FILES_MAX 4096 /* looked at */

static void closedir_cleanup(DIR **dir) {
        if (*dir)
                (void) closedir(*dir);
}
#define AUTO_DIR CLEANUP(closedir_cleanup)

int snp_import_told(SnpImport *import, const char *what, int r, const Error *why, Error *e) {
        bool fatal = r == -ENOMEM || r == -ENOSPC || r == -EDQUOT || r == -EACCES || r == -EROFS || r == -EIO;

        if (r == 0)
                import->n_stored++;
        else
                import->n_refused++;
        if (import->on_item)
                import->on_item(import->userdata, what, r, why);
        return fatal ? error_set(e, r, error_reason(why, r), "%s", error_text(why, r)) : 0;
}

int snp_import_end(SnpCache *cache, const SnpImport *import, Error *e) {
        int r = import->n_stored > 0 ? snp_cache_trim(cache, SNP_CACHE_VEKS_MAX, e) : 0;

        if (r < 0)
                return r;
        if (import->n_refused > 0)
                return error_set(e, -EKEYREJECTED, "import-refused", "%zu items were refused, %zu stored",
                                 import->n_refused, import->n_stored);
        return import->n_stored > 0 ? 0 : error_set(e, -ENOENT, "import-empty", "There was nothing to import");
}

/* .pem, .der, .crt, .cer, .crl, and the names that AMD's addresses end in. */
static bool is_interesting(const char *name) {
        static const char *const suffixes[] = { ".pem", ".der", ".crt", ".cer", ".crl" };
        const char *dot = strrchr(name, '.');

        if (strcmp(name, "cert_chain") == 0 || strcmp(name, "crl") == 0)
                return true;
        for (size_t i = 0; dot && i < N_ELEMENTS(suffixes); i++)
                if (strcmp(dot, suffixes[i]) == 0)
                        return name[0] != '.';
        return false;
}

typedef struct Walk {
        const SnpStore *store;
        SnpImport *import;
        SnpCertList pool; /* ARKs, ASKs and ASVKs of all files */
        bool chains;      /* this pass fills the pool; the other one stores the rest */
} Walk;

static bool is_ca(X509 *cert) {
        SnpProduct product;
        SnpCertRole role = snp_cert_role(cert, &product);

        return role == SNP_ROLE_ARK || role == SNP_ROLE_ASK || role == SNP_ROLE_ASVK;
}

/* Moves what belongs into the pool there. */
static int pool_cas(Walk *w, SnpCertList *list, Error *e) {
        for (size_t i = 0; i < list->n; i++) {
                if (!is_ca(list->certs[i]))
                        continue;
                if (w->pool.n == SNP_CERT_LIST_MAX)
                        return error_set(e, -E2BIG, "cert-count", "More than %d certificates of CAs in the directory",
                                         SNP_CERT_LIST_MAX);
                if (X509_up_ref(list->certs[i]) != 1)
                        return error_oom(e);
                w->pool.certs[w->pool.n++] = list->certs[i];
        }
        return 0;
}

static int store_certs(Walk *w, const SnpCertList *list, const char *name, Error *e) {
        for (size_t i = 0; i < list->n; i++) {
                Error why = {};
                int r;

                if (is_ca(list->certs[i]))
                        continue;
                r = snp_store_vek(w->store, list->certs[i], &why);
                r = snp_import_told(w->import, name, r, &why, e);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* Lists do not say whether they are for VCEKs or VLEKs; names do, and VCEKs are the rule. */
static SnpSigningKey key_of(const char *name) {
        return strstr(name, "vlek") || strstr(name, "asvk") ? SNP_SIGNING_KEY_VLEK : SNP_SIGNING_KEY_VCEK;
}

static bool looks_like_crl(const Blob *data, const char *name) {
        static const char marker[] = "-----BEGIN X509 CRL-----";

        return strstr(name, "crl") || memmem(data->data, data->size, marker, strlen(marker));
}

static int take_file(Walk *w, const char *name, const Blob *data, Error *e) {
        AUTO_CERT_LIST SnpCertList list = {};
        Error why = {};
        int r;

        if (looks_like_crl(data, name)) {
                if (w->chains)
                        return 0;
                r = snp_store_crl(w->store, key_of(name), data->data, data->size, &why);
                return snp_import_told(w->import, name, r, &why, e);
        }
        r = snp_cert_list_add(&list, data->data, data->size, "The file", &why);
        if (r < 0)
                return w->chains ? 0 : snp_import_told(w->import, name, r, &why, e);
        return w->chains ? pool_cas(w, &list, e) : store_certs(w, &list, name, e);
}

static int read_file(int dir, const char *name, Blob *ret, Error *e) {
        AUTO_FD int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
        struct stat st;

        if (fd < 0 || fstat(fd, &st) < 0)
                return error_set(e, -EBADMSG, "open-failed", "Cannot open %s: %s", name, error_text(NULL, -errno));
        if (!S_ISREG(st.st_mode))
                return error_set(e, -EBADMSG, "not-a-file", "%s is no regular file", name);
        return file_read_fd(fd, name, SNP_CRL_SIZE_MAX, ret, e);
}

static int walk(Walk *w, DIR *dir, Error *e) {
        struct dirent *entry;

        rewinddir(dir);
        for (size_t n = 0; n < FILES_MAX && (entry = readdir(dir)) != NULL; n++) {
                AUTO_BLOB Blob data = {};
                Error why = {};
                int r;

                if (!is_interesting(entry->d_name))
                        continue;
                r = read_file(dirfd(dir), entry->d_name, &data, &why);
                if (r == 0)
                        r = take_file(w, entry->d_name, &data, e);
                else
                        r = w->chains ? 0 : snp_import_told(w->import, entry->d_name, r, &why, e);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int store_pool(Walk *w, Error *e) {
        for (SnpProduct product = SNP_PRODUCT_UNKNOWN + 1; product < SNP_N_PRODUCTS; product++)
                for (SnpSigningKey key = SNP_SIGNING_KEY_VCEK; key <= SNP_SIGNING_KEY_VLEK; key++) {
                        char what[64];
                        Error why = {};
                        int r;

                        if (!snp_store_has_chain(&w->pool, product, key))
                                continue;
                        (void) snprintf(what, sizeof(what), "%s chain of %s",
                                        key == SNP_SIGNING_KEY_VLEK ? "VLEK" : "VCEK", snp_product_name(product));
                        r = snp_store_chain(w->store, &w->pool, product, key, &why);
                        r = snp_import_told(w->import, what, r, &why, e);
                        if (r < 0)
                                return r;
                }
        return 0;
}

int snp_cache_import_dir(SnpCache *cache, const char *path, SnpImport *import, Error *e) {
        const SnpStore store = { .cache = cache, .trust = import->trust, .at = import->at };
        Walk w = { .store = &store, .import = import, .chains = true };
        AUTO_DIR DIR *dir = opendir(path);
        int r;

        import->n_stored = import->n_refused = 0;
        if (!dir)
                return error_set(e, -errno, "open-failed", "Cannot open the directory %s: %s", path,
                                 error_text(NULL, -errno));
        r = walk(&w, dir, e);
        if (r == 0)
                r = store_pool(&w, e);
        snp_cert_list_done(&w.pool);
        w.chains = false;
        if (r == 0)
                r = walk(&w, dir, e);
        return r < 0 ? r : snp_import_end(cache, import, e);
}
