/* SPDX-License-Identifier: Apache-2.0 */

/* A bundle that can be read can be written, and what is written reads the same: nothing is lost, nothing invented. */

#include <assert.h>
#include <errno.h>

#include "agent/bundle/bundle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        AUTO_BUNDLE Bundle bundle = {}, again = {};
        AUTO_BLOB Blob first = {}, second = {};
        Error e = {};
        int r = bundle_parse(data, size, &bundle, &e);

        if (r < 0) {
                assert(e.code == r && e.reason && !bundle.report.data);
                return 0;
        }
        assert(bundle.nonce_size > 0 && bundle.report.size == 1184 && bundle.vek.size > 0);
        assert(bundle.has_tpm == (bundle.tpm.attest.size > 0));
        assert(bundle_encode(&bundle, &first, NULL) == 0);
        assert(bundle_parse(first.data, first.size, &again, NULL) == 0);
        assert(bundle_encode(&again, &second, NULL) == 0);
        assert(blob_equal(&first, &second));
        return 0;
}
