/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Answers about certificates; the first byte says to which question. Under AMD's roots nothing that is not AMD's is
 * kept, whether it is judged at once or put aside first; THIM answers come out the same twice; a Retry-After is a time
 * within bounds; and no text becomes the front of an address and its inside at once.
 */

#include <assert.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

#include "snp/collateral.h"
#include "snp/retry-after.h"
#include "snp/thim.h"

#define NOW 1750000000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_part(SnpPart part, const uint8_t *data, size_t size) {
        CLEANUP(snp_trust_freep) SnpTrust *trust = NULL;
        const SnpCrlPolicy hard = { .mode = SNP_CRL_HARD };

        assert(snp_trust_new_amd(&trust, NULL) == 0);
        for (SnpSigningKey key = SNP_SIGNING_KEY_VCEK; key <= SNP_SIGNING_KEY_VLEK; key++) {
                CLEANUP(snp_collateral_freep) SnpCollateral *c = NULL;
                const SnpVekId id = { .key = key };
                Error e = {};

                assert(snp_collateral_new(trust, &id, &hard, &c, NULL) == 0);
                if (snp_collateral_offer(c, part, SNP_SOURCE_KDS, data, size, NOW, &e) < 0) {
                        assert(e.code < 0 && e.reason && e.text[0]);
                        assert(snp_collateral_refusal(c, 0)->part == part);
                } else
                        assert(part != SNP_PART_CHAIN); /* the others may wait for a chain */
                assert(snp_collateral_missing(c) == (1u << SNP_N_PARTS) - 1);
                assert(!snp_collateral_get(c, part));
        }
}

static void check_thim(const uint8_t *data, size_t size) {
        AUTO_SNP_THIM SnpThim thim = {}, again = {};
        Error e = {};

        if (snp_thim_parse(data, size, &thim, &e) < 0) {
                assert(e.code < 0 && !thim.vek.data && !thim.chain.data);
                return;
        }
        assert(snp_thim_parse(data, size, &again, NULL) == 0);
        assert(blob_equal(&thim.vek, &again.vek) && blob_equal(&thim.chain, &again.chain));
        assert(memcmp(thim.tcb, again.tcb, sizeof(thim.tcb)) == 0);
        assert(thim.vek.size > 0 && thim.vek.size < size && thim.chain.size < size);
        check_part(SNP_PART_VEK, thim.vek.data, thim.vek.size);
        check_part(SNP_PART_CHAIN, thim.chain.data, thim.chain.size);
}

static void check_text(const uint8_t *data, size_t size) {
        AUTO_FREE char *text = strndup((const char *) data, size);
        const SnpVekId id = { .product = SNP_PRODUCT_TURIN, .chip_id = { 1 } };
        char url[SNP_KDS_URL_MAX];
        uint64_t seconds = 0;

        assert(text);
        if (snp_retry_after_parse(text, NOW, &seconds) == 0)
                assert(seconds <= UINT64_C(10000) * 366 * 24 * 60 * 60);
        if (snp_kds_base_check(text, NULL) == 0) {
                assert(snp_kds_url(&id, SNP_PART_VEK, text, url, NULL) == 0);
                assert(strncmp(url, "http", 4) == 0 && !strchr(url, '#') && !strchr(url, '@') && !strchr(url, ' '));
                assert(strncmp(strchr(url, '?'), "?fmcSPL=", 8) == 0);
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        if (size == 0)
                return 0;
        switch (data[0] % 5) {
        case 3:
                check_thim(data + 1, size - 1);
                break;
        case 4:
                check_text(data + 1, size - 1);
                break;
        default:
                check_part((SnpPart) (data[0] % 5), data + 1, size - 1);
                break;
        }
        assert(ERR_peek_error() == 0);
        return 0;
}
