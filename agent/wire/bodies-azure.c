/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/wire/bodies-azure.h"

#include <assert.h>
#include <errno.h>

#include "base/reader.h"
#include "base/writer.h"

/* The largest quote: three structures and all PCRs. */
#define QUOTE_ANSWER_MAX (3u * (2u + WIRE_ATTEST_MAX) + 1u + WIRE_PCRS * WIRE_DIGEST_MAX)

static_assert(2 * (2 + WIRE_NV_MAX) + QUOTE_ANSWER_MAX <= WIRE_BODY_MAX, "the largest answer fits into a message");

static void put_nv(Writer *w, WireBytes b) {
        if (b.size > WIRE_NV_MAX && w->error == 0)
                w->error = -E2BIG;
        wr_le16(w, (uint16_t) b.size);
        wr_bytes(w, b.data, b.size);
}

static WireBytes get_nv(Reader *r) {
        size_t n = rd_le16(r);

        if (n > WIRE_NV_MAX)
                rd_fail(r);
        return (WireBytes){ .data = rd_take(r, n), .size = r->error < 0 ? 0 : n };
}

int wire_azure_answer_encode(const WireAzureAnswer *a, Blob *ret) {
        AUTO_WRITER Writer w = wr_init(WIRE_BODY_MAX);
        AUTO_BLOB Blob quote = {};
        int r;

        r = wire_quote_answer_encode(&a->quote, &quote);
        if (r < 0)
                return r;
        put_nv(&w, a->hcl);
        put_nv(&w, a->ak_cert);
        wr_bytes(&w, quote.data, quote.size);
        return wr_finish(&w, ret);
}

int wire_azure_answer_parse(const void *body, size_t size, uint16_t bank, WireAzureAnswer *ret, Error *e) {
        Reader r = rd_init(body, size);
        WireAzureAnswer a = {};
        size_t n;
        int rc;

        a.hcl = get_nv(&r);
        a.ak_cert = get_nv(&r);
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
