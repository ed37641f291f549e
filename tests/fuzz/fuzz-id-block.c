/* SPDX-License-Identifier: Apache-2.0 */

/*
 * An ID block and behind it its authentication information. What is taken must not be taken any more when one bit of
 * the block is another; what is not taken has a reason; a block that can be read can be written again as it was.
 */

#include <assert.h>
#include <string.h>

#include "snp/launch/id-block.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static SnpIdVerdict judge(const uint8_t *block, size_t block_size, const uint8_t *auth, size_t auth_size, bool author) {
        SnpIdVerdict v;

        assert(snp_id_verify(block, block_size, auth, auth_size, author, &v, NULL) == 0);
        assert(v.outcome == SNP_ID_ACCEPT || (v.why.code < 0 && v.why.reason && v.why.text[0]));
        return v;
}

static void check_block(const uint8_t *block, size_t size) {
        uint8_t again[SNP_ID_BLOCK_SIZE];
        SnpIdBlock b;

        if (snp_id_block_parse(block, size, &b, NULL) < 0)
                return;
        snp_id_block_encode(&b, again);
        assert(size == sizeof(again) && memcmp(again, block, size) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        size_t block_size = size < SNP_ID_BLOCK_SIZE ? size : SNP_ID_BLOCK_SIZE;
        const uint8_t *auth = data + block_size;
        uint8_t block[SNP_ID_BLOCK_SIZE] = {};
        SnpIdVerdict enabled, disabled;

        memcpy(block, data, block_size);
        check_block(data, block_size);
        enabled = judge(block, block_size, auth, size - block_size, true);
        disabled = judge(block, block_size, auth, size - block_size, false);
        if (enabled.outcome == SNP_ID_ACCEPT) {
                assert(disabled.outcome == SNP_ID_ACCEPT); /* less is asked then */
                assert(memcmp(enabled.id_key_digest, disabled.id_key_digest, SNP_ID_KEY_DIGEST_SIZE) == 0);
        }
        if (disabled.outcome == SNP_ID_ACCEPT) {
                block[data[size - 1] % SNP_ID_BLOCK_SIZE] ^= 1;
                assert(judge(block, block_size, auth, size - block_size, false).outcome == SNP_ID_REJECT);
        }
        return 0;
}
