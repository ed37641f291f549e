/* SPDX-License-Identifier: Apache-2.0 */

/*
 * One pass over a JSON text by the grammar of RFC 8259, with the limits of base/json.h. Member names of
 * the objects that are open at a point are kept as (offset, length) into the text, with escapes resolved
 * only for comparison, so a document cannot make us allocate more than a small multiple of its length.
 */
#include "base/json-scan.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"

typedef struct Name {
        size_t at, len; /* between the quotes */
} Name;

typedef struct Scan {
        const char *text;
        size_t len, pos;
        const char *what;
        Error *error;
        Name *names; /* of all open objects, innermost last */
        size_t n_names, allocated;
        unsigned depth;
} Scan;

static int scan_value(Scan *s);

static int fail_at(const Scan *s, size_t at, const char *why) {
        return error_set(s->error, -EBADMSG, "json-syntax", "%s: %s at offset %zu", s->what, why, at);
}

static int fail(const Scan *s, const char *why) {
        return fail_at(s, s->pos, why);
}

static int peek(const Scan *s) {
        return s->pos < s->len ? (unsigned char) s->text[s->pos] : -1;
}

static void skip_space(Scan *s) {
        while (s->pos < s->len && strchr(" \t\r\n", s->text[s->pos]) && s->text[s->pos])
                s->pos++;
}

/* Length of the well-formed UTF-8 sequence at @p (Unicode 15, table 3-7), or 0. */
static size_t utf8_length(const unsigned char *p, size_t left) {
        static const struct {
                unsigned char first_lo, first_hi, second_lo, second_hi, len;
        } forms[] = {
                { 0xc2, 0xdf, 0x80, 0xbf, 2 }, { 0xe0, 0xe0, 0xa0, 0xbf, 3 }, { 0xe1, 0xec, 0x80, 0xbf, 3 },
                { 0xed, 0xed, 0x80, 0x9f, 3 }, { 0xee, 0xef, 0x80, 0xbf, 3 }, { 0xf0, 0xf0, 0x90, 0xbf, 4 },
                { 0xf1, 0xf3, 0x80, 0xbf, 4 }, { 0xf4, 0xf4, 0x80, 0x8f, 4 },
        };

        if (p[0] < 0x80)
                return 1;
        for (size_t i = 0; i < N_ELEMENTS(forms); i++) {
                if (p[0] < forms[i].first_lo || p[0] > forms[i].first_hi)
                        continue;
                if (left < forms[i].len || p[1] < forms[i].second_lo || p[1] > forms[i].second_hi)
                        return 0;
                for (size_t k = 2; k < forms[i].len; k++)
                        if (p[k] < 0x80 || p[k] > 0xbf)
                                return 0;
                return forms[i].len;
        }
        return 0;
}

static int hex4(const char *p, size_t left) {
        int v = 0;

        if (left < 4)
                return -1;
        for (int i = 0; i < 4; i++) {
                const char *digits = "0123456789abcdef", *d;
                char c = p[i];

                if (c >= 'A' && c <= 'F')
                        c = (char) (c - 'A' + 'a');
                d = c ? strchr(digits, c) : NULL;
                if (!d)
                        return -1;
                v = v * 16 + (int) (d - digits);
        }
        return v;
}

static bool is_low_surrogate(int unit) {
        return unit >= 0xdc00 && unit <= 0xdfff;
}

/* At a backslash. */
static int scan_escape(Scan *s) {
        size_t start = s->pos++;
        int c = peek(s), unit;

        if (c > 0 && strchr("\"\\/bfnrt", c)) {
                s->pos++;
                return 0;
        }
        if (c != 'u')
                return fail_at(s, start, "unknown escape");
        unit = hex4(s->text + s->pos + 1, s->len - s->pos - 1);
        if (unit < 0)
                return fail_at(s, start, "bad \\u escape");
        if (unit == 0)
                return fail_at(s, start, "NUL in a string");
        s->pos += 5;
        if (is_low_surrogate(unit))
                return fail_at(s, start, "lone surrogate");
        if (unit >= 0xd800 && unit <= 0xdbff) {
                if (s->len - s->pos < 6 || s->text[s->pos] != '\\' || s->text[s->pos + 1] != 'u' ||
                    !is_low_surrogate(hex4(s->text + s->pos + 2, 4)))
                        return fail_at(s, start, "lone surrogate");
                s->pos += 6;
        }
        return 0;
}

/* At an opening quote. */
static int scan_string(Scan *s, Name *ret) {
        size_t start = ++s->pos;

        for (;;) {
                int c = peek(s);
                size_t n;

                if (c < 0)
                        return fail(s, "unterminated string");
                if (c == '"')
                        break;
                if (c < 0x20)
                        return fail(s, "control character in a string");
                if (c == '\\') {
                        int r = scan_escape(s);
                        if (r < 0)
                                return r;
                        continue;
                }
                n = utf8_length((const unsigned char *) s->text + s->pos, s->len - s->pos);
                if (n == 0)
                        return fail(s, "invalid UTF-8");
                s->pos += n;
        }
        *ret = (Name){ .at = start, .len = s->pos - start };
        s->pos++;
        return 0;
}

static size_t skip_digits(Scan *s) {
        size_t start = s->pos;

        while (peek(s) >= '0' && peek(s) <= '9')
                s->pos++;
        return s->pos - start;
}

/* Integers that neither int64_t nor uint64_t can hold would be clamped silently by the parser behind us. */
static bool integer_fits(const char *p, size_t n) {
        bool negative = p[0] == '-';
        uint64_t v = 0, limit = negative ? UINT64_C(1) << 63 : UINT64_MAX;

        for (size_t i = negative; i < n; i++) {
                uint64_t d = (uint64_t) (p[i] - '0');

                if (v > (limit - d) / 10)
                        return false;
                v = v * 10 + d;
        }
        return true;
}

static int scan_number(Scan *s) {
        size_t start = s->pos;
        bool integer = true;

        if (peek(s) == '-')
                s->pos++;
        if (peek(s) == '0')
                s->pos++;
        else if (skip_digits(s) == 0)
                return fail(s, "malformed number");
        if (peek(s) == '.') {
                integer = false;
                s->pos++;
                if (skip_digits(s) == 0)
                        return fail(s, "malformed number");
        }
        if (peek(s) == 'e' || peek(s) == 'E') {
                integer = false;
                s->pos++;
                if (peek(s) == '+' || peek(s) == '-')
                        s->pos++;
                if (skip_digits(s) == 0)
                        return fail(s, "malformed number");
        }
        if (integer && !integer_fits(s->text + start, s->pos - start))
                return fail_at(s, start, "integer out of range");
        return 0;
}

static int scan_word(Scan *s, const char *word) {
        size_t n = strlen(word);

        if (s->len - s->pos < n || memcmp(s->text + s->pos, word, n) != 0)
                return fail(s, "unexpected character");
        s->pos += n;
        return 0;
}

/* The next code point of a checked string, escapes resolved. */
static unsigned next_unit(const char **p) {
        const char *c = *p;
        unsigned v = (unsigned char) *c;

        if (v != '\\') {
                *p = c + 1;
                return v;
        }
        if (c[1] == 'u') {
                /* Code units suffice: two strings are equal exactly when all their units are. Units below 0x80 must
                 * compare equal to their plain form, the rest is compared as "escaped unit". */
                int unit = hex4(c + 2, 4);

                *p = c + 6;
                return unit < 0x80 ? (unsigned) unit : 0x10000u + (unsigned) unit;
        }
        *p = c + 2;
        switch (c[1]) {
        case 'b':
                return '\b';
        case 'f':
                return '\f';
        case 'n':
                return '\n';
        case 'r':
                return '\r';
        case 't':
                return '\t';
        default:
                return (unsigned char) c[1];
        }
}

static bool same_name(const Scan *s, Name a, Name b) {
        const char *p = s->text + a.at, *q = s->text + b.at;
        const char *p_end = p + a.len, *q_end = q + b.len;

        while (p < p_end && q < q_end)
                if (next_unit(&p) != next_unit(&q))
                        return false;
        return p == p_end && q == q_end;
}

static int remember_name(Scan *s, size_t first, Name name) {
        for (size_t i = first; i < s->n_names; i++)
                if (same_name(s, s->names[i], name))
                        return fail_at(s, name.at, "duplicate member name");
        if (s->n_names == s->allocated) {
                size_t want = s->allocated ? 2 * s->allocated : 32;
                Name *p = reallocarray(s->names, want, sizeof(*p));

                if (!p)
                        return error_oom(s->error);
                s->names = p;
                s->allocated = want;
        }
        s->names[s->n_names++] = name;
        return 0;
}

/* Non-ASCII written both plainly and as \u escapes would escape the duplicate check: such names are refused. */
static bool name_is_comparable(const Scan *s, Name name) {
        const char *p = s->text + name.at, *end = p + name.len;

        while (p < end)
                if (next_unit(&p) >= 0x10000u)
                        return false;
        return true;
}

static int scan_member(Scan *s, size_t first) {
        Name name;
        int r;

        skip_space(s);
        if (peek(s) != '"')
                return fail(s, "member name expected");
        r = scan_string(s, &name);
        if (r < 0)
                return r;
        if (!name_is_comparable(s, name))
                return fail_at(s, name.at, "escaped non-ASCII in a member name");
        if (s->n_names - first >= JSON_MEMBERS_MAX)
                return fail_at(s, name.at, "too many members");
        r = remember_name(s, first, name);
        if (r < 0)
                return r;
        skip_space(s);
        if (peek(s) != ':')
                return fail(s, "':' expected");
        s->pos++;
        return scan_value(s);
}

/* At '{' or '['. */
static int scan_container(Scan *s) {
        bool object = peek(s) == '{';
        char close = object ? '}' : ']';
        size_t first = s->n_names;
        int r;

        if (s->depth >= JSON_DEPTH_MAX)
                return fail(s, "nested too deeply");
        s->depth++;
        s->pos++;
        skip_space(s);
        if (peek(s) != close)
                for (;;) {
                        r = object ? scan_member(s, first) : scan_value(s);
                        if (r < 0)
                                return r;
                        skip_space(s);
                        if (peek(s) == close)
                                break;
                        if (peek(s) != ',')
                                return fail(s, object ? "',' or '}' expected" : "',' or ']' expected");
                        s->pos++;
                }
        s->pos++;
        s->depth--;
        s->n_names = first;
        return 0;
}

static int scan_value(Scan *s) {
        Name ignored;

        skip_space(s);
        switch (peek(s)) {
        case '{':
        case '[':
                return scan_container(s);
        case '"':
                return scan_string(s, &ignored);
        case 't':
                return scan_word(s, "true");
        case 'f':
                return scan_word(s, "false");
        case 'n':
                return scan_word(s, "null");
        default:
                return scan_number(s);
        }
}

int json_scan(const char *text, size_t len, const char *what, Error *e) {
        Scan s = { .text = text, .len = len, .what = what, .error = e };
        int r = scan_value(&s);

        if (r == 0) {
                skip_space(&s);
                if (s.pos < len)
                        r = fail(&s, "trailing bytes");
        }
        free(s.names);
        return r;
}
