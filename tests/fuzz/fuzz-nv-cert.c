/* SPDX-License-Identifier: Apache-2.0 */

/* Certificates in NV indices: what is cut out begins where the input does, and cut again yields itself. */

#include <assert.h>
#include <string.h>

#include "vtpm/nv-cert.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        AUTO_BLOB Blob cert = {}, again = {};

        if (vtpm_nv_cert_cut(data, size, NULL, &cert, NULL) < 0)
                return 0;
        assert(cert.size <= size && memcmp(cert.data, data, cert.size) == 0);
        assert(vtpm_nv_cert_cut(cert.data, cert.size, NULL, &again, NULL) == 0);
        assert(blob_equal(&cert, &again));
        return 0;
}
