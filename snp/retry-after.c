/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Read by hand and not by strptime(), which knows locales and leniency. The name of the day is not compared with the
 * date: a server that gets it wrong is still understood.
 */

#include "snp/retry-after.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/text.h"

#define DATE_LENGTH 29
#define NUMBER_MAX UINT32_MAX

static bool number(const char *text, size_t n, int max, int *ret) {
        int v = 0;

        for (size_t i = 0; i < n; i++) {
                if (text[i] < '0' || text[i] > '9')
                        return false;
                v = 10 * v + (text[i] - '0');
        }
        *ret = v;
        return v <= max;
}

static bool month(const char *text, int *ret) {
        static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

        for (int i = 0; i < 12; i++)
                if (memcmp(names + 3 * i, text, 3) == 0) {
                        *ret = i;
                        return true;
                }
        return false;
}

/* "Sun, 06 Nov 1994 08:49:37 GMT": a form of fixed width, so positions say what is what. */
static int parse_date(const char *text, time_t *ret) {
        struct tm tm = {};

        if (strlen(text) != DATE_LENGTH || memcmp(text + 3, ", ", 2) != 0 || text[7] != ' ' || text[11] != ' ' ||
            text[16] != ' ' || text[19] != ':' || text[22] != ':' || memcmp(text + 25, " GMT", 4) != 0)
                return -EBADMSG;
        if (!number(text + 5, 2, 31, &tm.tm_mday) || !month(text + 8, &tm.tm_mon) ||
            !number(text + 12, 4, 9999, &tm.tm_year) || !number(text + 17, 2, 23, &tm.tm_hour) ||
            !number(text + 20, 2, 59, &tm.tm_min) || !number(text + 23, 2, 60, &tm.tm_sec) || tm.tm_mday == 0)
                return -EBADMSG;
        tm.tm_year -= 1900;
        *ret = timegm(&tm);
        return 0;
}

int snp_retry_after_parse(const char *text, time_t wall, uint64_t *ret) {
        time_t then = 0;

        if (text_to_u64(text, 10, 0, NUMBER_MAX, ret) == 0)
                return 0;
        if (parse_date(text, &then) < 0)
                return -EBADMSG;
        *ret = then > wall ? (uint64_t) (then - wall) : 0;
        return 0;
}
