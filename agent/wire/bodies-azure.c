/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/wire/bodies-azure.h"

#include <assert.h>
#include <errno.h>

#include "agent/wire/bodies-internal.h"

/* The largest quote: three structures and all PCRs. */
#define QUOTE_ANSWER_MAX (3u * (2u + WIRE_ATTEST_MAX) + 1u + WIRE_PCRS * WIRE_DIGEST_MAX)

static_assert(2 * (2 + WIRE_NV_MAX) + QUOTE_ANSWER_MAX <= WIRE_BODY_MAX, "the largest answer fits into a message");

int wire_azure_answer_encode(const WireAzureAnswer *a, Blob *ret) {
        AUTO_WRITER Writer w = wr_init(WIRE_BODY_MAX);
        AUTO_BLOB Blob quote = {};
        int r;

        r = wire_quote_answer_encode(&a->quote, &quote);
        if (r < 0)
                return r;
        wire_put_bytes(&w, a->hcl, WIRE_NV_MAX);
        wire_put_bytes(&w, a->ak_cert, WIRE_NV_MAX);
        wr_bytes(&w, quote.data, quote.size);
        return wr_finish(&w, ret);
}

int wire_azure_answer_parse(const void *body, size_t size, uint16_t bank, WireAzureAnswer *ret, Error *e) {
        Reader r = rd_init(body, size);
        WireAzureAnswer a = {};
        size_t n;
        int rc;

        a.hcl = wire_get_bytes(&r, WIRE_NV_MAX);
        a.ak_cert = wire_get_bytes(&r, WIRE_NV_MAX);
        rc = rd_check(&r, "paravisor report answer", e);
        if (rc < 0)
                return rc;
        n = rd_left(&r);
        rc = wire_quote_answer_parse(rd_take(&r, n), n, bank, &a.quote, e);
        if (rc < 0)
                return rc;
        *ret = a;
        return 0;
}
