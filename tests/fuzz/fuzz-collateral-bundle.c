/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Bundles of collateral under AMD's roots: nothing is stored, every item is told once, and a bundle that is none tells
 * of no item. The cache is the root directory, where nothing of ours is, and nothing is written because nothing verifies.
 */

#include <assert.h>
#include <openssl/err.h>
#include <string.h>

#include "snp/collateral-bundle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void on_item(void *userdata, const char *what, int r, const Error *e) {
        size_t *n = userdata;

        assert(strncmp(what, "item ", 5) == 0 && r < 0 && e->code < 0 && e->text[0]);
        (*n)++;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        CLEANUP(snp_trust_freep) SnpTrust *trust = NULL;
        CLEANUP(snp_cache_closep) SnpCache *cache = NULL;
        size_t n = 0;
        SnpImport import = { .at = 1750000000, .on_item = on_item, .userdata = &n };
        Error e = {};

        assert(snp_trust_new_amd(&trust, NULL) == 0);
        assert(snp_cache_open("/", &cache, NULL) == 0);
        import.trust = trust;
        assert(snp_cache_import_bundle(cache, data, size, &import, &e) < 0);
        assert(e.code < 0 && e.reason && e.text[0]);
        assert(import.n_stored == 0 && import.n_refused == n && n <= SNP_BUNDLE_ITEMS_MAX);
        assert(ERR_peek_error() == 0);
        return 0;
}
