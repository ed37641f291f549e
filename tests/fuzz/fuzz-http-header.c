/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Any lines of an answer's header. What is kept of them is bounded, stands in a line of the answer to which it belongs,
 * and counts as seconds only when it is a number.
 */

#include <assert.h>
#include <string.h>

#include "base/deadline.h"
#include "keybroker-client/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_kept(const KbcReply *r, const uint8_t *data, size_t size) {
        size_t n = strlen(r->retry_after);

        assert(n <= KBC_RETRY_AFTER_TEXT_MAX && strlen(r->session) <= KBC_SESSION_ID_MAX);
        assert(memmem(data, size, r->retry_after, n));
        assert(memmem(data, size, r->session, strlen(r->session)));
        assert(!strpbrk(r->session, " \t\r\n;=,"));
        assert(r->retry_after_usec <= KBC_RETRY_AFTER_MAX_SEC * USEC_PER_SEC);
        assert(r->has_retry_after || r->retry_after_usec == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        AUTO_REPLY KbcReply r = {};
        const uint8_t *answer = data, *end = data + size;

        for (const uint8_t *line = data; line < end;) {
                const uint8_t *lf = memchr(line, '\n', (size_t) (end - line));
                size_t n = (size_t) ((lf ? lf + 1 : end) - line);

                if (n >= 5 && memcmp(line, "HTTP/", 5) == 0)
                        answer = line;
                if (kbc_reply_header(&r, (const char *) line, n) < 0)
                        return 0;
                assert(r.header_size <= KBC_REPLY_HEADER_MAX);
                check_kept(&r, answer, (size_t) (line + n - answer));
                line += n;
        }
        assert(r.header_size == size && r.size == 0);
        return 0;
}
