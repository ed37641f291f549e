/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/snpctl/id-files.h"

#include <errno.h>
#include <string.h>

#include "agent/snpctl/secret-file.h"
#include "base/base64.h"
#include "base/file.h"
#include "base/hex.h"

#define FILE_MAX (64u * 1024u)

/* The value of an option in "id-block=...,id-auth=...", text up to a comma or the end of a line. */
static bool find_option(const Blob *file, const char *name, size_t size, Blob *ret) {
        const char *at = memmem(file->data, file->size, name, strlen(name)), *end = (const char *) file->data + file->size;
        AUTO_BLOB Blob b = {};
        size_t n = 0;

        if (!at)
                return false;
        at += strlen(name);
        while (at + n < end && !memchr(",\r\n ", at[n], 4))
                n++;
        if (base64_decode(BASE64_STD, at, n, size, &b) < 0 || b.size != size)
                return false;
        *ret = blob_take(&b);
        return true;
}

int id_file_read(const char *path, size_t size, Blob *ret, Error *e) {
        AUTO_BLOB Blob b = {}, decoded = {};
        size_t n;
        int r = file_read(path, FILE_MAX, &b, e);

        if (r < 0)
                return r;
        for (n = b.size; n > 0 && memchr("\n\r ", b.data[n - 1], 3); n--)
                ; /* what editors and shells put behind text */
        if (b.size != size && base64_decode(BASE64_STD, (const char *) b.data, n, FILE_MAX, &decoded) == 0)
                *ret = blob_take(&decoded);
        else if (b.size == size || (!find_option(&b, "id-block=", size, ret) && !find_option(&b, "id-auth=", size, ret)))
                *ret = blob_take(&b);
        return 0;
}

int id_file_write(const char *path, bool base64, const void *data, size_t size, Error *e) {
        AUTO_FREE char *text = NULL;

        if (!base64)
                return file_write_atomic(path, data, size, 0644, e);
        text = base64_encode(BASE64_STD, data, size);
        return text ? file_write_atomic(path, text, strlen(text), 0644, e) : error_oom(e);
}

int id_key_file_read(const char *path, bool want_private, EVP_PKEY **ret, Error *e) {
        AUTO_SECRET Secret file = {};
        int r;

        if (!path) {
                *ret = NULL;
                return 0;
        }
        r = ctl_secret_read(path, &file, e);
        if (r < 0)
                return r;
        r = want_private ? snp_id_key_load_private(&file, ret, e) : snp_id_key_load_public(&file, ret, e);
        if (r < 0)
                error_prefix(e, "%s", path);
        return r;
}

int id_digest_parse(const char *text, uint8_t ret[static SNP_LD_SIZE]) {
        uint8_t digest[SNP_LD_SIZE];
        size_t n = 0;

        if (hex_decode_exact(text, strlen(text), ret, SNP_LD_SIZE) == 0)
                return 0;
        if (base64_decode_to(BASE64_STD, text, strlen(text), digest, sizeof(digest), &n) < 0 || n != sizeof(digest))
                return -EINVAL;
        (void) memcpy(ret, digest, sizeof(digest));
        return 0;
}
