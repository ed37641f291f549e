/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Collateral by hand, for machines without a way to AMD: a file made on a connected machine (docs/collateral-bundle.md)
 * or a directory as snpguest and others leave it. Nothing enters the cache that does not verify.
 */

#include <stddef.h>
#include <time.h>

#include "base/blob.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "snp/collateral-cache.h"

#define SNP_BUNDLE_SIZE_MAX (16u * 1024u * 1024u)
#define SNP_BUNDLE_ITEMS_MAX 1024

typedef struct SnpImport {
        const SnpTrust *trust;
        time_t at; /* time at which everything must be valid */
        /* Told of every item: @what names it ("item 3 (vcek)", "vcek.pem"); @r 0 stored, else why not. May be NULL. */
        void (*on_item)(void *userdata, const char *what, int r, const Error *e);
        void *userdata;
        size_t n_stored, n_refused; /* out */
} SnpImport;

/*
 * Each item is judged by itself, chains before what hangs on them; a chain may also be in the cache already. Return: 0
 * when something was stored and nothing refused; -EKEYREJECTED some items were refused; -ENOENT there is nothing in
 * it; -EBADMSG the whole is no bundle; -E2BIG; failures of storing.
 */
WARN_UNUSED int snp_cache_import_bundle(SnpCache *cache, const void *data, size_t size, SnpImport *import, Error *e);

/*
 * The files in @path whose names end in .pem, .der, .crt, .cer or .crl, or are "cert_chain" or "crl", as AMD's service,
 * snpguest, Trustee's stores and this cache name them. Content decides what they are; of a list, a name with "vlek" or
 * "asvk" in it says that it is for VLEKs. Directories in @path are not looked into. As above.
 */
WARN_UNUSED int snp_cache_import_dir(SnpCache *cache, const char *path, SnpImport *import, Error *e);

/* Everything in the cache that verifies at @at, as a bundle. -ENOENT when that is nothing. */
WARN_UNUSED int snp_cache_export_bundle(SnpCache *cache, const SnpTrust *trust, time_t at, Blob *ret, Error *e);
