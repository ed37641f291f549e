/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * ID blocks and their authentication on disk: raw bytes, or base64 as QEMU's id-block= and id-auth= take it, or both in
 * one line of such options, as sev-snp-measure's snp-create-id-block prints it. And launch digests as it writes them.
 */

#include <openssl/evp.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/blob.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "snp/launch/id-block.h"

/*
 * Raw when the file has @size bytes, else base64 when it is that, or the option id-block= or id-auth= that has so many
 * bytes; else as it is: to judge it is not done here.
 */
WARN_UNUSED int id_file_read(const char *path, size_t size, Blob *ret, Error *e);
WARN_UNUSED int id_file_write(const char *path, bool base64, const void *data, size_t size, Error *e);

/* A digest in hex or base64, sev-snp-measure's two formats of output. 0 or -EINVAL. */
WARN_UNUSED int id_digest_parse(const char *text, uint8_t ret[static SNP_LD_SIZE]);

/* P-384 keys in PEM or DER; @path NULL: *@ret is NULL. */
WARN_UNUSED int id_key_file_read(const char *path, bool want_private, EVP_PKEY **ret, Error *e);
