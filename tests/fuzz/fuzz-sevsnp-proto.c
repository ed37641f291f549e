/* SPDX-License-Identifier: Apache-2.0 */

/* A message of sevsnp yields a report whose reserved bytes are zero, and certificates that lie within the message. */

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "agent/snpctl/sevsnp-proto.h"
#include "base/reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void within(const SnpCertBytes *cert, const uint8_t *data, size_t size) {
        assert(!cert->data || (cert->size > 0 && cert->data > data && cert->data + cert->size <= data + size));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        SevsnpProto p, again;
        Error e = {};
        int r = sevsnp_proto_parse(data, size, &p, &e);

        if (r < 0) {
                assert(e.code == r && e.reason);
                return 0;
        }
        assert(sevsnp_proto_is(data, size));
        assert(bytes_are_zero(p.report + 0x4c, 4) && bytes_are_zero(p.report + 0x18b, 21) &&
               bytes_are_zero(p.report + 0x208, 152));
        within(&p.vcek, data, size);
        within(&p.vlek, data, size);
        within(&p.ask, data, size);
        within(&p.ark, data, size);
        assert(sevsnp_proto_parse(data, size, &again, NULL) == 0);
        assert(memcmp(p.report, again.report, sizeof(p.report)) == 0);
        return 0;
}
