/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/snpctl/challenge.h"

#include <string.h>

#include "agent/snpctl/exit.h"
#include "base/base64.h"
#include "base/hex.h"

/* Half of all hex is base64url too, and would be taken for other bytes than were meant. No random nonce of this length
 * looks so. */
static bool looks_like_hex(const char *nonce) {
        size_t n = strlen(nonce), digits = strcspn(nonce, "0123456789");

        return n >= 2 * 16 && n % 2 == 0 && digits < n && strspn(nonce, "0123456789abcdef") == n;
}

int ctl_nonce_parse(const char *data, const char *nonce, Blob *ret, Error *e) {
        AUTO_BLOB Blob b = {};
        int r;

        if (data && nonce)
                return ctl_usage(e, "--data and --nonce exclude each other");
        if (nonce && looks_like_hex(nonce))
                return ctl_usage(e, "--nonce is base64url, and this looks like hex: that goes with --data");
        r = data ? hex_decode(data, strlen(data), SNP_REPORT_DATA_SIZE, &b)
                 : base64_decode(BASE64_URL, nonce, strlen(nonce), SNP_REPORT_DATA_SIZE, &b);
        if (r < 0 || b.size == 0)
                return ctl_usage(e, "%s must be 1 to %d bytes in %s", data ? "--data" : "--nonce", SNP_REPORT_DATA_SIZE,
                                 data ? "hex" : "unpadded base64url");
        *ret = blob_take(&b);
        return 0;
}

int ctl_challenge_parse(const char *data, const char *nonce, uint8_t ret[static SNP_REPORT_DATA_SIZE], Error *e) {
        AUTO_BLOB Blob b = {};
        int r = ctl_nonce_parse(data, nonce, &b, e);

        if (r < 0)
                return r;
        (void) memset(ret, 0, SNP_REPORT_DATA_SIZE);
        (void) memcpy(ret, b.data, b.size);
        return 0;
}
