/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads top to bottom like the tables of TPM 2.0 Library Part 2. A VtpmAttest that came out of the parser
 * encodes to the very bytes that went in: nothing is normalised.
 */
#include "vtpm/attest.h"

#include <errno.h>

#include "base/reader.h"
#include "base/writer.h"

static void read_sized(Reader *r, uint8_t *dst, size_t max, size_t *ret_size) {
        size_t n = rd_be16(r);

        if (n > max)
                rd_fail(r);
        else
                rd_copy(r, dst, n);
        *ret_size = r->error < 0 ? 0 : n;
}

static bool read_bool(Reader *r) {
        uint8_t v = rd_u8(r); /* TPMI_YES_NO */

        if (v > 1)
                rd_fail(r);
        return v == 1;
}

static void read_selection(Reader *r, VtpmPcrSelection *ret) {
        uint32_t n = rd_be32(r); /* TPML_PCR_SELECTION */

        if (n > VTPM_BANKS_MAX) {
                rd_fail(r);
                return;
        }
        for (uint32_t i = 0; i < n; i++) {
                VtpmPcrBank *bank = &ret->banks[i];

                bank->hash = rd_be16(r);
                if (rd_u8(r) != VTPM_PCR_SELECT_SIZE)
                        rd_fail(r);
                for (unsigned shift = 0; shift < VTPM_N_PCRS; shift += 8)
                        bank->mask |= (uint32_t) rd_u8(r) << shift;
        }
        ret->n_banks = n;
}

int vtpm_attest_parse(const void *data, size_t size, VtpmAttest *ret, Error *e) {
        VtpmAttest a = {};
        Reader r = rd_init(data, size);
        uint32_t magic;
        uint16_t type;
        int q;

        if (size > VTPM_ATTEST_SIZE_MAX)
                return error_set(e, -E2BIG, "attest-too-large", "TPMS_ATTEST of %zu bytes exceeds %u", size,
                                 VTPM_ATTEST_SIZE_MAX);
        magic = rd_be32(&r);
        type = rd_be16(&r);
        q = rd_check(&r, "TPMS_ATTEST", e);
        if (q < 0)
                return q;
        if (magic != VTPM_GENERATED)
                return error_set(e, -EBADMSG, "attest-magic", "TPMS_ATTEST does not start with TPM_GENERATED_VALUE");
        if (type != VTPM_ST_ATTEST_QUOTE)
                return error_set(e, -EPROTO, "attest-not-a-quote", "Attestation type 0x%04x is not a quote (0x%04x)",
                                 type, VTPM_ST_ATTEST_QUOTE);

        read_sized(&r, a.signer, sizeof(a.signer), &a.signer_size);
        read_sized(&r, a.extra, sizeof(a.extra), &a.extra_size);
        a.clock.clock_msec = rd_be64(&r);
        a.clock.reset_count = rd_be32(&r);
        a.clock.restart_count = rd_be32(&r);
        a.clock.safe = read_bool(&r);
        a.firmware_version = rd_be64(&r);
        read_selection(&r, &a.selection);
        read_sized(&r, a.pcr_digest, sizeof(a.pcr_digest), &a.pcr_digest_size);
        q = rd_finish(&r, "TPMS_ATTEST", e);
        if (q < 0)
                return q;
        *ret = a;
        return 0;
}

static void write_sized(Writer *w, const uint8_t *data, size_t size) {
        wr_be16(w, (uint16_t) size);
        wr_bytes(w, data, size);
}

int vtpm_attest_encode(const VtpmAttest *attest, Blob *ret) {
        AUTO_WRITER Writer w = wr_init(VTPM_ATTEST_SIZE_MAX);

        wr_be32(&w, VTPM_GENERATED);
        wr_be16(&w, VTPM_ST_ATTEST_QUOTE);
        write_sized(&w, attest->signer, attest->signer_size);
        write_sized(&w, attest->extra, attest->extra_size);
        wr_be64(&w, attest->clock.clock_msec);
        wr_be32(&w, attest->clock.reset_count);
        wr_be32(&w, attest->clock.restart_count);
        wr_u8(&w, attest->clock.safe ? 1 : 0);
        wr_be64(&w, attest->firmware_version);
        wr_be32(&w, (uint32_t) attest->selection.n_banks);
        for (size_t i = 0; i < attest->selection.n_banks; i++) {
                wr_be16(&w, attest->selection.banks[i].hash);
                wr_u8(&w, VTPM_PCR_SELECT_SIZE);
                for (unsigned shift = 0; shift < VTPM_N_PCRS; shift += 8)
                        wr_u8(&w, (uint8_t) (attest->selection.banks[i].mask >> shift));
        }
        write_sized(&w, attest->pcr_digest, attest->pcr_digest_size);
        return wr_finish(&w, ret);
}
