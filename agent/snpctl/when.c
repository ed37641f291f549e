/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/snpctl/when.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/text.h"

/* Consumes exactly @n digits. */
static bool take_number(const char **text, size_t n, uint64_t min, uint64_t max, int *ret) {
        char digits[8] = {};
        uint64_t v;

        if (strnlen(*text, n) < n)
                return false;
        (void) memcpy(digits, *text, n);
        if (text_to_u64(digits, 10, min, max, &v) < 0)
                return false;
        *text += n;
        *ret = (int) v;
        return true;
}

static bool take_char(const char **text, char c) {
        if (**text != c)
                return false;
        (*text)++;
        return true;
}

static bool take_date_time(const char **text, struct tm *ret) {
        struct tm tm = {};

        if (!take_number(text, 4, 1970, 9999, &tm.tm_year) || !take_char(text, '-') ||
            !take_number(text, 2, 1, 12, &tm.tm_mon) || !take_char(text, '-') ||
            !take_number(text, 2, 1, 31, &tm.tm_mday) || !take_char(text, 'T') ||
            !take_number(text, 2, 0, 23, &tm.tm_hour) || !take_char(text, ':') ||
            !take_number(text, 2, 0, 59, &tm.tm_min) || !take_char(text, ':') ||
            !take_number(text, 2, 0, 59, &tm.tm_sec))
                return false;
        tm.tm_year -= 1900;
        tm.tm_mon -= 1;
        *ret = tm;
        return true;
}

/* "Z", or how far local time is ahead of UTC. */
static bool take_offset(const char **text, time_t *ret_seconds) {
        bool behind = **text == '-';
        int hours, minutes;

        *ret_seconds = 0;
        if (take_char(text, 'Z'))
                return true;
        if (!take_char(text, '+') && !take_char(text, '-'))
                return false;
        if (!take_number(text, 2, 0, 23, &hours) || !take_char(text, ':') || !take_number(text, 2, 0, 59, &minutes))
                return false;
        *ret_seconds = (hours * 60 + minutes) * 60 * (behind ? -1 : 1);
        return true;
}

int ctl_when_parse(const char *text, time_t *ret) {
        struct tm tm, normal;
        time_t when, ahead;

        if (strcmp(text, "now") == 0) {
                *ret = time(NULL);
                return 0;
        }
        if (!take_date_time(&text, &tm) || !take_offset(&text, &ahead) || *text)
                return -EINVAL;
        normal = tm;
        when = timegm(&normal);
        /* timegm() turns 31 February into March instead of refusing it. */
        if (normal.tm_mday != tm.tm_mday)
                return -EINVAL;
        *ret = when - ahead;
        return 0;
}

void ctl_when_format(time_t when, char ret[static CTL_WHEN_SIZE]) {
        struct tm tm;

        if (!gmtime_r(&when, &tm) || strftime(ret, CTL_WHEN_SIZE, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
                (void) strcpy(ret, "?");
}
