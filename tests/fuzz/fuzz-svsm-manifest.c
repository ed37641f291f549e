/* SPDX-License-Identifier: Apache-2.0 */

/* Manifests of an SVSM: what comes out lies inside the input and apart from each other, and written again by its
 * description it is what went in. */

#include <assert.h>
#include <string.h>

#include "base/reader.h"
#include "base/writer.h"
#include "snp/svsm-manifest.h"

#define HEADER_SIZE 24
#define ENTRY_SIZE 24

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_services(const uint8_t *data, size_t size) {
        SnpSvsmServices s;
        Error e = {};
        int r = snp_svsm_services_parse(data, size, &s, &e);

        if (r < 0) {
                assert(e.code == r && e.reason && e.text[0]);
                return;
        }
        assert(load_le32(data + 16) == size && load_le32(data + 20) == s.n_services);
        for (size_t i = 0; i < s.n_services; i++) {
                const SnpSvsmService *a = &s.services[i];
                SnpGuid mixed = snp_guid_swap(&a->guid);
                const uint8_t *entry = data + HEADER_SIZE + i * ENTRY_SIZE;

                assert(memcmp(entry, mixed.bytes, SNP_GUID_SIZE) == 0);
                assert(data + load_le32(entry + 16) == a->manifest && load_le32(entry + 20) == a->size);
                assert(a->manifest >= data + HEADER_SIZE + s.n_services * ENTRY_SIZE);
                assert(a->size <= (size_t) (data + size - a->manifest));
                assert(snp_svsm_services_find(&s, &a->guid) == a);
                for (size_t k = 0; k < i; k++)
                        assert(a->manifest + a->size <= s.services[k].manifest ||
                               s.services[k].manifest + s.services[k].size <= a->manifest);
        }
}

static void check_keys(const uint8_t *data, size_t size) {
        AUTO_WRITER Writer w = wr_init(SNP_SVSM_MANIFEST_MAX);
        SnpSvsmKeys k;

        if (snp_svsm_vtpm_parse(data, size, 0, &k, NULL) == 0)
                assert(k.n_keys == 1 && k.keys[0].tpmt_public == data && k.keys[0].size == size);
        if (snp_svsm_vtpm_parse(data, size, 1, &k, NULL) < 0)
                return;
        wr_be32(&w, 1);
        wr_be32(&w, (uint32_t) k.n_keys);
        for (size_t i = 0; i < k.n_keys; i++) {
                wr_be16(&w, (uint16_t) k.keys[i].size);
                wr_bytes(&w, k.keys[i].tpmt_public, k.keys[i].size);
        }
        assert(w.error == 0 && w.size == size && memcmp(w.data, data, size) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        uint32_t flags;

        check_services(data, size);
        check_keys(data, size);
        if (snp_svsm_uefi_parse(data, size, &flags, NULL) == 0)
                assert(size == 8 && load_le32(data + 4) == flags);
        return 0;
}
