/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/simulator/hcl.h"

#include <errno.h>
#include <string.h>

#include "base/base64.h"
#include "base/writer.h"

#define TEXT_MAX 8192u
#define FRAME_MAX (1u << 20)
#define HEADER_SIZE 32u
#define REQUEST_SIZE 20u
#define REQUEST_AK_CERT 2u

static const char *const ordinary =
        "{\"console-enabled\":true,\"interactive-console-enabled\":false,\"secure-boot\":true,\"tpm-enabled\":true,"
        "\"tpm-persisted\":true,\"vmUniqueId\":\"5C3A1D7E-0F26-4B57-9E5C-6D1B2A3F4E50\"}";

static void put_key(Writer *w, const char *kid, const char *key_ops, const uint8_t *modulus) {
        AUTO_FREE char *n = base64_encode(BASE64_URL, modulus, SIM_HCL_MODULUS_SIZE);

        wr_str(w, "{\"kid\":\"");
        wr_str(w, kid);
        wr_str(w, "\",\"key_ops\":[\"");
        wr_str(w, key_ops);
        wr_str(w, "\"],\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\"");
        if (!n)
                w->error = -ENOMEM;
        else
                wr_str(w, n);
        wr_str(w, "\"}");
}

static void put_hex(Writer *w, const uint8_t *p, size_t n, bool upper_case) {
        const char *digits = upper_case ? "0123456789ABCDEF" : "0123456789abcdef";

        for (size_t i = 0; i < n; i++) {
                wr_u8(w, (uint8_t) digits[p[i] >> 4]);
                wr_u8(w, (uint8_t) digits[p[i] & 15]);
        }
}

int sim_hcl_claims(const SimHclClaims *claims, Blob *ret) {
        AUTO_WRITER Writer w = wr_init(TEXT_MAX);

        wr_str(&w, "{\"keys\":[");
        put_key(&w, "HCLAkPub", claims->ak_key_ops ? claims->ak_key_ops : "sign", claims->ak);
        if (claims->ek) {
                wr_u8(&w, ',');
                put_key(&w, "HCLEkPub", "encrypt", claims->ek);
        }
        wr_str(&w, "],\"vm-configuration\":");
        wr_str(&w, claims->configuration ? claims->configuration : ordinary);
        if (claims->user_data) {
                wr_str(&w, ",\"user-data\":\"");
                put_hex(&w, claims->user_data, SIM_HCL_USER_DATA_SIZE, claims->upper_case);
                wr_u8(&w, '"');
        }
        wr_u8(&w, '}');
        return wr_finish(&w, ret);
}

int sim_hcl_frame(const SimHclFrame *f, Blob *ret) {
        AUTO_WRITER Writer w = wr_init(FRAME_MAX);
        size_t size = HEADER_SIZE + SIM_HCL_SLOT_SIZE + REQUEST_SIZE + f->claims_size;

        if (f->report_size > SIM_HCL_SLOT_SIZE || (f->size && size > f->size))
                return -E2BIG;
        wr_str(&w, "HCLA");
        wr_le32(&w, f->version ? f->version : 2);
        wr_le32(&w, (uint32_t) size);
        wr_le32(&w, REQUEST_AK_CERT);
        wr_zeros(&w, 16); /* status, reserved */
        wr_bytes(&w, f->report, f->report_size);
        wr_zeros(&w, SIM_HCL_SLOT_SIZE - f->report_size);
        wr_le32(&w, (uint32_t) (REQUEST_SIZE + f->claims_size));
        wr_le32(&w, 1);
        wr_le32(&w, f->type ? f->type : 2);
        wr_le32(&w, f->hash_type ? f->hash_type : 1);
        wr_le32(&w, (uint32_t) f->claims_size);
        wr_bytes(&w, f->claims, f->claims_size);
        if (f->size)
                wr_zeros(&w, f->size - size);
        return wr_finish(&w, ret);
}
