/* SPDX-License-Identifier: Apache-2.0 */

/* Files of credentials: whatever is accepted encodes to the very bytes that came in. */

#include <assert.h>
#include <string.h>

#include "vtpm/credential.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        AUTO_VTPM_CREDENTIAL VtpmCredential c = {};
        AUTO_BLOB Blob again = {};

        if (vtpm_credential_parse(data, size, &c, NULL) < 0)
                return 0;
        assert(c.id_object.size <= VTPM_CREDENTIAL_ID_OBJECT_MAX && c.secret.size <= VTPM_CREDENTIAL_SECRET_MAX);
        assert(vtpm_credential_encode(&c, &again) == 0);
        assert(again.size == size && memcmp(again.data, data, size) == 0);
        return 0;
}
