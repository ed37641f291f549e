/* SPDX-License-Identifier: Apache-2.0 */
#include "base/text.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/deadline.h"

static int digit_value(char c) {
        if (c >= '0' && c <= '9')
                return c - '0';
        if (c >= 'a' && c <= 'f')
                return c - 'a' + 10;
        if (c >= 'A' && c <= 'F')
                return c - 'A' + 10;
        return 99;
}

int text_to_u64(const char *text, int base, uint64_t min, uint64_t max, uint64_t *ret) {
        uint64_t v = 0, radix;

        if (base == 0) {
                base = 10;
                if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
                        base = 16;
                        text += 2;
                }
        }
        radix = (uint64_t) base;
        if (!*text)
                return -EINVAL;
        for (const char *p = text; *p; p++) {
                uint64_t d = (uint64_t) digit_value(*p);

                if (d >= radix)
                        return -EINVAL;
                if (v > (UINT64_MAX - d) / radix)
                        return -ERANGE;
                v = v * radix + d;
        }
        if (v < min || v > max)
                return -ERANGE;
        *ret = v;
        return 0;
}

int text_to_bool(const char *text, bool *ret) {
        static const char *const yes[] = { "1", "yes", "true", "on" };
        static const char *const no[] = { "0", "no", "false", "off" };

        for (size_t i = 0; i < N_ELEMENTS(yes); i++) {
                if (strcasecmp(text, yes[i]) == 0) {
                        *ret = true;
                        return 0;
                }
                if (strcasecmp(text, no[i]) == 0) {
                        *ret = false;
                        return 0;
                }
        }
        return -EINVAL;
}

int text_to_usec(const char *text, uint64_t *ret) {
        static const struct {
                const char *suffix;
                uint64_t usec;
        } units[] = {
                { "us", 1 },
                { "ms", USEC_PER_MSEC },
                { "s", USEC_PER_SEC },
                { "min", 60 * USEC_PER_SEC },
                { "h", 3600 * USEC_PER_SEC },
                { "", USEC_PER_SEC },
        };
        char number[24];
        size_t n = strspn(text, "0123456789");
        uint64_t v;
        int r;

        if (n == 0 || n >= sizeof(number))
                return -EINVAL;
        (void) memcpy(number, text, n);
        number[n] = 0;
        r = text_to_u64(number, 10, 0, UINT64_MAX, &v);
        if (r < 0)
                return -EINVAL;
        for (size_t i = 0; i < N_ELEMENTS(units); i++)
                if (strcmp(text + n, units[i].suffix) == 0) {
                        if (v > UINT64_MAX / units[i].usec)
                                return -EINVAL;
                        *ret = v * units[i].usec;
                        return 0;
                }
        return -EINVAL;
}

bool text_starts_with(const char *text, const char *prefix) {
        return strncmp(text, prefix, strlen(prefix)) == 0;
}

#define RESOURCE_FIRST "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"

bool text_is_resource_path(const char *text) {
        if (strlen(text) > TEXT_RESOURCE_PATH_MAX)
                return false;
        for (unsigned n_segments = 1;; n_segments++) {
                size_t n = strspn(text, RESOURCE_FIRST ".");

                if (n == 0 || text[0] == '.')
                        return false;
                if (!text[n])
                        return n_segments == 3;
                if (text[n] != '/')
                        return false;
                text += n + 1;
        }
}
