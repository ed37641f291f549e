/* SPDX-License-Identifier: Apache-2.0 */
#include "vtpm/pcr-file.h"

#include <errno.h>
#include <string.h>

#include "base/reader.h"
#include "base/writer.h"

#define SELECT_MAX 4u  /* TPM2_PCR_SELECT_MAX of tpm2-tss */
#define LIST_DIGESTS 8u /* of a TPML_DIGEST */

#define WHAT "PCR file"

static int read_selection(Reader *r, VtpmPcrSelection *ret, Error *e) {
        VtpmPcrSelection s = { .n_banks = rd_le32(r) };
        int q;

        if (s.n_banks > VTPM_BANKS_MAX)
                rd_fail(r);
        for (size_t i = 0; i < VTPM_BANKS_MAX; i++) {
                uint16_t hash = rd_le16(r);
                uint8_t size = rd_u8(r), bits[SELECT_MAX];

                rd_copy(r, bits, sizeof(bits));
                rd_skip(r, 1);
                if (i >= s.n_banks)
                        continue;
                if (size > SELECT_MAX)
                        rd_fail(r);
                s.banks[i].hash = hash;
                for (size_t k = 0; k < SELECT_MAX && k < size; k++)
                        s.banks[i].mask |= (uint32_t) bits[k] << 8 * k;
        }
        q = rd_check(r, WHAT, e);
        if (q == 0)
                q = vtpm_pcr_selection_check(&s, e);
        if (q == 0)
                *ret = s;
        return q;
}

/* Where the next digest goes. */
typedef struct Cursor {
        const VtpmPcrSelection *selection;
        size_t bank;
        unsigned pcr;
} Cursor;

/* False at the end of the selection. */
static bool find_selected(Cursor *c) {
        for (; c->bank < c->selection->n_banks; c->bank++, c->pcr = 0)
                for (; c->pcr < VTPM_N_PCRS; c->pcr++)
                        if (c->selection->banks[c->bank].mask >> c->pcr & 1)
                                return true;
        return false;
}

static void store_digest(Reader *r, Cursor *c, const uint8_t *bytes, size_t size, VtpmPcrValues *values) {
        if (!find_selected(c) || size != vtpm_hash_size(values[c->bank].hash)) {
                rd_fail(r);
                return;
        }
        (void) memcpy(values[c->bank].values[c->pcr], bytes, size);
        values[c->bank].mask |= 1u << c->pcr++;
}

static void read_list(Reader *r, Cursor *c, VtpmPcrValues *values) {
        uint32_t n = rd_le32(r);

        if (n > LIST_DIGESTS)
                rd_fail(r);
        for (uint32_t i = 0; i < LIST_DIGESTS && r->error == 0; i++) {
                uint16_t size = rd_le16(r);
                uint8_t bytes[VTPM_DIGEST_MAX];

                rd_copy(r, bytes, sizeof(bytes));
                if (i < n)
                        store_digest(r, c, bytes, size, values);
        }
}

int vtpm_pcr_file_parse(const void *data, size_t size, VtpmPcrValues *ret, size_t *ret_n, Error *e) {
        VtpmPcrValues values[VTPM_HASHES_MAX] = {};
        VtpmPcrSelection selection;
        Cursor c = { .selection = &selection };
        Reader r = rd_init(data, size);
        uint32_t n;
        int q;

        if (size > VTPM_PCR_FILE_MAX)
                return error_set(e, -E2BIG, "pcr-file-too-large", "PCR file of %zu bytes exceeds %u", size,
                                 VTPM_PCR_FILE_MAX);
        q = read_selection(&r, &selection, e);
        if (q < 0)
                return q;
        for (size_t i = 0; i < selection.n_banks; i++)
                values[i].hash = selection.banks[i].hash;
        n = rd_le32(&r);
        for (uint32_t i = 0; i < n && r.error == 0; i++)
                read_list(&r, &c, values);
        if (find_selected(&c))
                rd_fail(&r);
        q = rd_finish(&r, WHAT, e);
        if (q < 0)
                return q;
        (void) memcpy(ret, values, selection.n_banks * sizeof(values[0]));
        *ret_n = selection.n_banks;
        return 0;
}

static void write_selection(Writer *w, const VtpmPcrSelection *s) {
        wr_le32(w, (uint32_t) s->n_banks);
        for (size_t i = 0; i < VTPM_BANKS_MAX; i++) {
                wr_le16(w, s->banks[i].hash);
                wr_u8(w, i < s->n_banks ? VTPM_PCR_SELECT_SIZE : 0);
                wr_le32(w, s->banks[i].mask); /* the bitmap: bit b of byte i is PCR 8i + b */
                wr_u8(w, 0);
        }
}

static void write_lists(Writer *w, Cursor c, const VtpmPcrValues *values, size_t n_digests) {
        wr_le32(w, (uint32_t) ((n_digests + LIST_DIGESTS - 1) / LIST_DIGESTS));
        for (; n_digests > 0; n_digests -= n_digests < LIST_DIGESTS ? n_digests : LIST_DIGESTS) {
                wr_le32(w, (uint32_t) (n_digests < LIST_DIGESTS ? n_digests : LIST_DIGESTS));
                for (size_t i = 0; i < LIST_DIGESTS; i++) {
                        size_t size = find_selected(&c) ? vtpm_hash_size(values[c.bank].hash) : 0;

                        wr_le16(w, (uint16_t) size);
                        if (size > 0)
                                wr_bytes(w, values[c.bank].values[c.pcr++], size);
                        wr_zeros(w, VTPM_DIGEST_MAX - size);
                }
        }
}

int vtpm_pcr_file_encode(const VtpmPcrValues *values, size_t n, Blob *ret, Error *e) {
        AUTO_WRITER Writer w = wr_init(VTPM_PCR_FILE_MAX);
        VtpmPcrSelection selection = { .n_banks = n };
        Cursor c = { .selection = &selection };
        size_t n_digests = 0;
        int r;

        for (size_t i = 0; i < n && i < VTPM_BANKS_MAX; i++) {
                selection.banks[i] = (VtpmPcrBank){ .hash = values[i].hash, .mask = values[i].mask };
                n_digests += vtpm_pcr_count(values[i].mask);
        }
        r = vtpm_pcr_selection_check(&selection, e);
        if (r < 0)
                return r;
        write_selection(&w, &selection);
        write_lists(&w, c, values, n_digests);
        return wr_finish(&w, ret) < 0 ? error_oom(e) : 0;
}
