/* SPDX-License-Identifier: Apache-2.0 */

/* IGVM files, given the checksum that fits: as many pages are measured as were counted, and twice in one way. */

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/reader.h"
#include "base/writer.h"
#include "snp/launch/igvm.h"
#include "tests/unit/snp-launch/igvm-file.h"

#define PAGES_MAX 4096
#define SIZE_MAX_HERE (1u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The last digest told of must be the result. */
static void keep(void *user, const char *name, const uint8_t ld[static SNP_LD_SIZE]) {
        assert(name[0]);
        memcpy(user, ld, SNP_LD_SIZE);
}

static void check(const SnpIgvm *igvm, const uint8_t *data, size_t size) {
        uint8_t last[SNP_LD_SIZE] = {};
        const SnpStages stages = { keep, last };
        SnpLaunchDigest one, two;
        int native_zero = data[0] & 1;

        assert(igvm->mask && igvm->has_policy && igvm->data_at <= size);
        assert(igvm->headers_at + igvm->headers_size == igvm->data_at);
        assert(!igvm->id_block || (igvm->id_block >= data + igvm->headers_at &&
                                   igvm->id_block + SNP_IGVM_ID_BLOCK_SIZE <= data + igvm->data_at));
        assert(igvm->n_vmsas <= igvm->n_pages && igvm->n_pages <= SNP_LAUNCH_PAGES_MAX);
        if (igvm->n_pages > PAGES_MAX)
                return;
        assert(snp_igvm_measure(igvm, native_zero, &stages, &one, NULL) == 0);
        assert(snp_igvm_measure(igvm, native_zero, NULL, &two, NULL) == 0);
        assert(memcmp(one.bytes, two.bytes, SNP_LD_SIZE) == 0 && memcmp(one.bytes, last, SNP_LD_SIZE) == 0);
}

/* Fits the total size and the checksum, which no fuzzer would guess. */
static bool seal(Blob *b) {
        uint64_t end;

        if (b->size < 32 || b->size > SIZE_MAX_HERE)
                return false;
        store_le32(b->data + 16, (uint32_t) b->size);
        end = (uint64_t) load_le32(b->data + 8) + load_le32(b->data + 12);
        if (end > b->size || load_le32(b->data + 8) < 24)
                return false;
        igvm_seal(b);
        return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        AUTO_BLOB Blob b = {};
        Error e = {};
        SnpIgvm igvm;
        int r;

        if (blob_dup(data, size, &b) < 0)
                return 0;
        (void) seal(&b);
        r = snp_igvm_parse(b.data, b.size, &igvm, &e);
        if (r < 0)
                assert(e.code == r && e.reason && e.text[0]);
        else
                check(&igvm, b.data, b.size);
        return 0;
}
