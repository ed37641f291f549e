/* SPDX-License-Identifier: Apache-2.0 */
#include "vtpm/hcl.h"

#include <errno.h>
#include <string.h>

#include "base/reader.h"
#include "vtpm/alg.h"

#define MAGIC "HCLA"
#define MAGIC_SIZE 4u
#define HEADER_REST_SIZE 24u /* report size, request type, status, reserved: nothing depends on them */
#define REQUEST_VERSION 1u   /* version 2 has a word more before the claims, and only goes to the host */

static const uint16_t hashes[] = { 0, VTPM_ALG_SHA256, VTPM_ALG_SHA384, VTPM_ALG_SHA512 };

bool vtpm_hcl_is(const void *data, size_t size) {
        return size >= MAGIC_SIZE && memcmp(data, MAGIC, MAGIC_SIZE) == 0;
}

static int parse_request(Reader *r, VtpmHcl *to, Error *e) {
        uint32_t version, hash, size;
        int ret;

        rd_skip(r, 4); /* size of what follows; the claims' own is below */
        version = rd_le32(r);
        to->type = rd_le32(r);
        hash = rd_le32(r);
        size = rd_le32(r);
        ret = rd_check(r, "HCL report", e);
        if (ret < 0)
                return ret;
        if (version != REQUEST_VERSION)
                return error_set(e, -EOPNOTSUPP, "hcl-version", "HCL report: request version %u is not supported",
                                 version);
        if (hash == 0 || hash >= N_ELEMENTS(hashes))
                return error_set(e, -EOPNOTSUPP, "hcl-hash", "HCL report: hash type %u is not supported", hash);
        if (size > VTPM_HCL_CLAIMS_MAX)
                return error_set(e, -E2BIG, "hcl-claims-size", "HCL report: claims of %u bytes exceed the limit of %u",
                                 size, VTPM_HCL_CLAIMS_MAX);
        to->hash = hashes[hash];
        to->claims = rd_take(r, size);
        to->claims_size = size;
        return rd_check(r, "HCL report", e);
}

int vtpm_hcl_parse(const void *data, size_t size, VtpmHcl *ret, Error *e) {
        Reader r = rd_init(data, size);
        VtpmHcl hcl = {};
        int k;

        if (size >= MAGIC_SIZE && !vtpm_hcl_is(data, size))
                return error_set(e, -EBADMSG, "hcl-magic", "This is no HCL report");
        rd_skip(&r, MAGIC_SIZE);
        hcl.version = rd_le32(&r);
        rd_skip(&r, HEADER_REST_SIZE);
        hcl.report = rd_take(&r, VTPM_HCL_REPORT_SIZE);
        k = parse_request(&r, &hcl, e);
        if (k < 0)
                return k;
        if (hcl.type == 0)
                return error_set(e, -EBADMSG, "hcl-type", "HCL report: its type is invalid");
        *ret = hcl;
        return 0;
}

const char *vtpm_hcl_type_name(uint32_t type) {
        static const char *const names[] = {
                [VTPM_HCL_VBS] = "VBS", [VTPM_HCL_SNP] = "SNP", [VTPM_HCL_TVM] = "TVM",
                [VTPM_HCL_TDX] = "TDX", [VTPM_HCL_CCA] = "CCA",
        };

        return type < N_ELEMENTS(names) && names[type] ? names[type] : "unknown";
}
