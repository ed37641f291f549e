/* SPDX-License-Identifier: Apache-2.0 */

/*
 * GET /metadata/THIM/amd/certification: an object of strings. tcbm is TCB_VERSION as one hexadecimal number, so its
 * first two digits are the last byte of a report's field (sample and members: Azure's public guest attestation code).
 */

#include "snp/thim.h"

#include <errno.h>
#include <string.h>

#include "base/hex.h"
#include "base/json.h"
#include "base/text.h"

#define PEM_TEXT_MAX (24u * 1024u) /* of one member, before decoding */
#define WORD_TEXT_MAX 64 /* of the short members, right or wrong */

void snp_thim_done(SnpThim *thim) {
        blob_done(&thim->vek);
        blob_done(&thim->chain);
}

static int parse_pem(json_object *root, const char *name, Blob *ret, Error *e) {
        const char *text = NULL;
        int r = json_get_str(root, name, PEM_TEXT_MAX, &text, e);

        if (r < 0)
                return r;
        if (!text[0])
                return error_set(e, -EBADMSG, "thim-malformed", "Member %s of the THIM answer is empty", name);
        return blob_dup(text, strlen(text), ret) < 0 ? error_oom(e) : 0;
}

static int parse_tcb(json_object *root, uint8_t ret[static SNP_TCB_SIZE], Error *e) {
        uint8_t big_endian[SNP_TCB_SIZE];
        const char *text = NULL;
        int r = json_get_str(root, "tcbm", WORD_TEXT_MAX, &text, e);

        if (r < 0)
                return r;
        if (hex_decode_exact(text, strlen(text), big_endian, sizeof(big_endian)) < 0)
                return error_set(e, -EBADMSG, "thim-malformed", "Member tcbm of the THIM answer is not %d hex digits",
                                 2 * SNP_TCB_SIZE);
        for (size_t i = 0; i < SNP_TCB_SIZE; i++)
                ret[i] = big_endian[SNP_TCB_SIZE - 1 - i];
        return 0;
}

static int parse_cache_control(json_object *root, uint64_t *ret, Error *e) {
        const char *text = NULL;
        int r = json_get_opt_str(root, "cacheControl", WORD_TEXT_MAX, &text, e);

        if (r < 0)
                return r;
        *ret = 0;
        if (text && text_to_u64(text, 10, 0, UINT32_MAX, ret) < 0)
                return error_set(e, -EBADMSG, "thim-malformed",
                                 "Member cacheControl of the THIM answer is no number of seconds");
        return 0;
}

int snp_thim_parse(const void *data, size_t size, SnpThim *ret, Error *e) {
        AUTO_SNP_THIM SnpThim thim = {};
        AUTO_JSON json_object *root = NULL;
        int r;

        if (size > SNP_THIM_SIZE_MAX)
                return error_set(e, -E2BIG, "thim-size", "THIM answer has %zu bytes, more than %u", size,
                                 SNP_THIM_SIZE_MAX);
        r = json_parse(data, size, "THIM answer", &root, e);
        if (r < 0)
                return r;
        if (!json_object_is_type(root, json_type_object))
                return error_set(e, -EBADMSG, "thim-malformed", "THIM answer is no JSON object");
        r = parse_pem(root, "vcekCert", &thim.vek, e);
        if (r == 0)
                r = parse_pem(root, "certificateChain", &thim.chain, e);
        if (r == 0)
                r = parse_tcb(root, thim.tcb, e);
        if (r == 0)
                r = parse_cache_control(root, &thim.cache_seconds, e);
        if (r < 0)
                return r;
        *ret = thim;
        thim = (SnpThim){};
        return 0;
}
