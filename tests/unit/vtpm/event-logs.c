/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/vtpm/event-logs.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

static void digest(Writer *w, uint16_t hash, const void *data, size_t size) {
        uint8_t bytes[VTPM_DIGEST_MAX] = {};

        if (hash != VTPM_ALG_SM3_256) /* which nobody computes */
                ck_assert_int_eq(vtpm_hash_bytes(hash, data, size, bytes, NULL), 0);
        wr_bytes(w, bytes, hash == VTPM_ALG_SM3_256 ? 32 : vtpm_hash_size(hash));
}

void event_logs_begin(Writer *w, const uint16_t *hashes, size_t n) {
        wr_le32(w, 0);
        wr_le32(w, VTPM_EV_NO_ACTION);
        wr_zeros(w, 20);
        wr_le32(w, (uint32_t) (29 + 4 * n));
        wr_bytes(w, "Spec ID Event03", 16);
        wr_le32(w, 0);                      /* platformClass */
        wr_bytes(w, "\x00\x02\x69\x02", 4); /* minor, major, errata, uintnSize */
        wr_le32(w, (uint32_t) n);
        for (size_t i = 0; i < n; i++) {
                wr_le16(w, hashes[i]);
                wr_le16(w, hashes[i] == VTPM_ALG_SM3_256 ? 32 : (uint16_t) vtpm_hash_size(hashes[i]));
        }
        wr_u8(w, 0); /* vendorInfoSize */
}

void event_logs_add_measured(Writer *w, const uint16_t *hashes, size_t n, uint32_t pcr, uint32_t type,
                             const void *data, size_t size, const void *measured, size_t measured_size) {
        wr_le32(w, pcr);
        wr_le32(w, type);
        wr_le32(w, (uint32_t) n);
        for (size_t i = 0; i < n; i++) {
                wr_le16(w, hashes[i]);
                digest(w, hashes[i], measured, measured_size);
        }
        wr_le32(w, (uint32_t) size);
        wr_bytes(w, data, size);
}

void event_logs_add(Writer *w, const uint16_t *hashes, size_t n, uint32_t pcr, uint32_t type, const void *data,
                    size_t size) {
        event_logs_add_measured(w, hashes, n, pcr, type, data, size, data, size);
}

void event_logs_add_sha1(Writer *w, uint32_t pcr, uint32_t type, const void *data, size_t size) {
        wr_le32(w, pcr);
        wr_le32(w, type);
        digest(w, VTPM_ALG_SHA1, data, size);
        wr_le32(w, (uint32_t) size);
        wr_bytes(w, data, size);
}

Blob event_logs_small(void) {
        static const uint16_t banks[] = { VTPM_ALG_SHA1, VTPM_ALG_SHA256 };
        AUTO_WRITER Writer w = wr_init(4096);
        Blob b = {};

        event_logs_begin(&w, banks, 2);
        event_logs_add(&w, banks, 2, 0, VTPM_EV_NO_ACTION, "StartupLocality\0\3", 17);
        event_logs_add(&w, banks, 2, 0, VTPM_EV_S_CRTM_VERSION, "1\0.\0\0", 6);
        event_logs_add(&w, banks, 2, 4, VTPM_EV_EFI_ACTION, "Calling EFI Application from Boot Option", 40);
        event_logs_add(&w, banks, 2, 4, VTPM_EV_SEPARATOR, "\0\0\0", 4);
        event_logs_add(&w, banks, 2, 7, VTPM_EV_SEPARATOR, "\0\0\0", 4);
        ck_assert_int_eq(wr_finish(&w, &b), 0);
        return b;
}

Blob event_logs_exact(const uint8_t *data, size_t size) {
        Blob b = { .data = malloc(size > 0 ? size : 1), .size = size };

        ck_assert_ptr_nonnull(b.data);
        if (size > 0)
                (void) memcpy(b.data, data, size);
        return b;
}
