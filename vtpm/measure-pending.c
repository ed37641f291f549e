/* SPDX-License-Identifier: Apache-2.0 */
#include "vtpm/measure-pending.h"

#include <errno.h>
#include <string.h>

#include "base/reader.h"
#include "base/writer.h"
#include "vtpm/measure.h"
#include "vtpm/pcr_values.h"

static const char magic[8] = "SNPMEAS1";

int vtpm_pending_encode(const VtpmPending *p, Blob *ret) {
        AUTO_WRITER Writer w = wr_init(VTPM_PENDING_SIZE_MAX);
        uint8_t sum[VTPM_PENDING_DIGEST_SIZE];

        wr_bytes(&w, magic, sizeof(magic));
        wr_le32(&w, p->pcr);
        wr_bytes(&w, p->before, sizeof(p->before));
        wr_bytes(&w, p->after, sizeof(p->after));
        wr_le64(&w, p->log_size);
        wr_le32(&w, (uint32_t) p->entry_size);
        wr_bytes(&w, p->entry, p->entry_size);
        if (w.error == 0 && vtpm_hash_bytes(VTPM_ALG_SHA256, w.data, w.size, sum, NULL) < 0)
                return -EIO;
        wr_bytes(&w, sum, sizeof(sum));
        return wr_finish(&w, ret);
}

int vtpm_pending_parse(const void *data, size_t size, VtpmPending *ret, Error *e) {
        uint8_t sum[VTPM_PENDING_DIGEST_SIZE];
        Reader r = rd_init(data, size);
        const uint8_t *given, *start;
        VtpmPending p = {};
        size_t n_summed;
        int err;

        start = rd_take(&r, sizeof(magic));
        if (start && memcmp(start, magic, sizeof(magic)) != 0)
                rd_fail(&r);
        p.pcr = rd_le32(&r);
        if (p.pcr >= VTPM_N_PCRS)
                rd_fail(&r);
        rd_copy(&r, p.before, sizeof(p.before));
        rd_copy(&r, p.after, sizeof(p.after));
        p.log_size = rd_le64(&r);
        if (p.log_size > VTPM_MEASURE_LOG_MAX)
                rd_fail(&r);
        p.entry_size = rd_le32(&r);
        p.entry = rd_take(&r, p.entry_size);
        n_summed = rd_offset(&r);
        given = rd_take(&r, sizeof(sum));
        err = rd_finish(&r, "Record of a pending measurement", e);
        if (err < 0)
                return err;
        err = vtpm_hash_bytes(VTPM_ALG_SHA256, data, n_summed, sum, e);
        if (err < 0)
                return err;
        if (memcmp(sum, given, sizeof(sum)) != 0)
                return error_set(e, -EBADMSG, "measurement-pending", "Record of a pending measurement is damaged");
        *ret = p;
        return 0;
}
