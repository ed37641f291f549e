/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Any address. One that is accepted is https, or http with a literal address that is no name, and has neither a user nor
 * a fragment, nor a character that another parser could take for the end of something.
 */

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "keybroker-client/download.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        char *url = strndup((const char *) data, size);
        const char *host;
        Error e = {};
        int r;

        assert(url);
        r = kbc_download_check_url(url, &e);
        assert(r == 0 || r == -EINVAL);
        assert((r == 0) == (e.code == 0));
        if (r == 0) {
                assert(strlen(url) <= KBC_URL_MAX && !strpbrk(url, " \t\r\n\"<>\\#"));
                assert(strncmp(url, "https://", 8) == 0 || strncmp(url, "http://", 7) == 0);
                host = strstr(url, "://") + 3;
                assert(!memchr(host, '@', strcspn(host, "/?")));
                if (url[4] == ':')
                        assert(*host == '[' || isdigit((unsigned char) *host));
        }
        free(url);
        return 0;
}
