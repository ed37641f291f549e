/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A launch has thousands of pages and each costs two hashes, so the hasher is fetched once and reset for each
 * page; nothing is allocated in between. Errors are sticky, as nothing is done with the digest before the last page.
 */

#include "snp/launch/gctx.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/writer.h"

/* PAGE_INFO. Bytes 0x63 to 0x67 are IMI_PAGE, reserved and the permissions of VMPL 1 to 3: zero in every launch
 * that is not a migration and leaves the VMPLs to the guest. */
#define PAGE_INFO_SIZE 0x70
#define PAGE_INFO_CONTENTS 0x30
#define PAGE_INFO_LENGTH 0x60
#define PAGE_INFO_TYPE 0x62
#define PAGE_INFO_GPA 0x68

int snp_gctx_init(SnpGctx *ret, Error *e) {
        SnpGctx g = { .sha384 = EVP_MD_fetch(NULL, "SHA384", NULL), .md = EVP_MD_CTX_new() };

        if (!g.sha384 || !g.md) {
                snp_gctx_done(&g);
                return error_oom(e);
        }
        *ret = g;
        return 0;
}

void snp_gctx_done(SnpGctx *g) {
        EVP_MD_CTX_free(g->md);
        EVP_MD_free(g->sha384);
        *g = (SnpGctx){};
}

void snp_gctx_hash(SnpGctx *g, const void *data, size_t size, uint8_t ret[static SNP_LD_SIZE]) {
        if (g->error == 0 && (EVP_DigestInit_ex2(g->md, g->sha384, NULL) != 1 ||
                              EVP_DigestUpdate(g->md, data, size) != 1 || EVP_DigestFinal_ex(g->md, ret, NULL) != 1))
                g->error = -ENOMEM; /* a hash has no other reason to fail */
        if (g->error < 0)
                (void) memset(ret, 0, SNP_LD_SIZE);
}

void snp_gctx_page(SnpGctx *g, SnpPageType type, uint64_t gpa, const uint8_t *contents) {
        uint8_t info[PAGE_INFO_SIZE] = {};

        assert((contents != NULL) == (type == SNP_PAGE_NORMAL || type == SNP_PAGE_VMSA));
        if (g->error == 0 && g->n_pages >= SNP_LAUNCH_PAGES_MAX)
                g->error = -E2BIG;
        g->n_pages++;
        (void) memcpy(info, g->ld, SNP_LD_SIZE);
        if (contents)
                (void) memcpy(info + PAGE_INFO_CONTENTS, contents, SNP_LD_SIZE);
        store_le16(info + PAGE_INFO_LENGTH, PAGE_INFO_SIZE);
        info[PAGE_INFO_TYPE] = (uint8_t) type;
        store_le64(info + PAGE_INFO_GPA, gpa);
        snp_gctx_hash(g, info, sizeof(info), g->ld);
}

void snp_gctx_data(SnpGctx *g, uint64_t gpa, const void *data, size_t size) {
        const uint8_t *p = data;
        uint8_t contents[SNP_LD_SIZE];

        assert(size % SNP_PAGE_SIZE == 0);
        for (size_t at = 0; at < size && g->error == 0; at += SNP_PAGE_SIZE) {
                snp_gctx_hash(g, p + at, SNP_PAGE_SIZE, contents);
                snp_gctx_page(g, SNP_PAGE_NORMAL, gpa + at, contents);
        }
}

void snp_gctx_empty(SnpGctx *g, SnpPageType type, uint64_t gpa, uint64_t n) {
        for (uint64_t i = 0; i < n && g->error == 0; i++)
                snp_gctx_page(g, type, gpa + i * SNP_PAGE_SIZE, NULL);
}

int snp_gctx_check(const SnpGctx *g, Error *e) {
        if (g->error == -E2BIG)
                return error_set(e, g->error, "too-many-pages", "The launch has more than %llu pages",
                                 (unsigned long long) SNP_LAUNCH_PAGES_MAX);
        return g->error < 0 ? error_oom(e) : 0;
}
