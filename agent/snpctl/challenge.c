/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/snpctl/challenge.h"

#include <string.h>

#include "agent/snpctl/exit.h"
#include "base/base64.h"
#include "base/hex.h"

int ctl_challenge_parse(const char *data, const char *nonce, uint8_t ret[static SNP_REPORT_DATA_SIZE], Error *e) {
        AUTO_BLOB Blob b = {};
        int r;

        if (data && nonce)
                return ctl_usage(e, "--data and --nonce exclude each other");
        r = data ? hex_decode(data, strlen(data), SNP_REPORT_DATA_SIZE, &b)
                 : base64_decode(BASE64_URL, nonce, strlen(nonce), SNP_REPORT_DATA_SIZE, &b);
        if (r < 0 || b.size == 0)
                return ctl_usage(e, "%s must be 1 to %d bytes in %s", data ? "--data" : "--nonce", SNP_REPORT_DATA_SIZE,
                                 data ? "hex" : "unpadded base64url");
        (void) memset(ret, 0, SNP_REPORT_DATA_SIZE);
        (void) memcpy(ret, b.data, b.size);
        return 0;
}
