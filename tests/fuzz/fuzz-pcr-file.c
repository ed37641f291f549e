/* SPDX-License-Identifier: Apache-2.0 */

/*
 * PCR files of tpm2-tools: what is accepted holds a value for each PCR of a sound selection, and encodes to a file that
 * says the same.
 */

#include <assert.h>
#include <string.h>

#include "vtpm/pcr-file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void same(const VtpmPcrValues *values, size_t n, const Blob *file) {
        VtpmPcrValues again[VTPM_HASHES_MAX];
        size_t n_again = 0;

        assert(vtpm_pcr_file_parse(file->data, file->size, again, &n_again, NULL) == 0);
        assert(n_again == n && memcmp(again, values, n * sizeof(again[0])) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        VtpmPcrValues values[VTPM_HASHES_MAX];
        AUTO_BLOB Blob file = {};
        Error e = {};
        size_t n = 0;

        if (vtpm_pcr_file_parse(data, size, values, &n, &e) < 0) {
                assert(e.code < 0);
                return 0;
        }
        assert(n > 0 && n <= VTPM_HASHES_MAX);
        for (size_t i = 0; i < n; i++)
                assert(values[i].mask != 0 && (values[i].mask & ~VTPM_PCR_MASK_ALL) == 0);
        assert(vtpm_pcr_file_encode(values, n, &file, NULL) == 0);
        same(values, n, &file);
        return 0;
}
