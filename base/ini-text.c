/* SPDX-License-Identifier: Apache-2.0 */

/*
 * inih does the splitting; because it is lenient (continuation lines, ':' as a separator, comments behind values,
 * silent cuts of long lines), every line is held against the strict form before inih sees it, in the function from
 * which inih asks for its lines. That function also keeps the line number for errors, which inih would only tell at
 * the end.
 */

#include "base/ini-text.h"

#include <ctype.h>
#include <errno.h>
#include <ini.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* A key that was seen, in place: section and key point into the text. */
typedef struct SeenKey {
        const char *section, *key;
        size_t section_len, key_len;
} SeenKey;

typedef struct IniParser {
        const IniHandler *handler;
        void *userdata;
        const char *file;
        const char *rest;
        size_t left;
        unsigned line;
        char section[INI_LINE_MAX + 1];
        bool has_section;
        SeenKey now;   /* the line at hand; its section also for the lines behind */
        SeenKey *seen; /* owned */
        size_t n_seen, allocated;
        int r; /* first failure */
        Error *e;
} IniParser;

static void ini_parser_done(IniParser *p) {
        free(p->seen);
}

static int fail(IniParser *p, int r) {
        p->r = r;
        error_prefix(p->e, "%s:%u", p->file, p->line);
        return r;
}

static int complain(IniParser *p, const char *reason, const char *what) {
        return fail(p, error_set(p->e, -EINVAL, reason, "%s", what));
}

static IniLine line_at(const IniParser *p) {
        return (IniLine){ .file = p->file, .line = p->line, .section = p->section };
}

/* @in_place: the same bytes in the text, which outlives the line. */
static int enter_section(IniParser *p, const char *name, const char *in_place, size_t n) {
        IniLine line = line_at(p);
        int r;

        (void) memcpy(p->section, name, n);
        p->section[n] = 0;
        p->has_section = true;
        p->now = (SeenKey){ .section = in_place, .section_len = n };
        r = p->handler->section(p->userdata, &line, p->e);
        return r < 0 ? fail(p, r) : 0;
}

static int check_characters(IniParser *p, const char *line, size_t n) {
        for (size_t i = 0; i < n; i++)
                if ((unsigned char) line[i] < 0x20 ? line[i] != '\t' : line[i] == 0x7f)
                        return complain(p, "config-syntax", "control character in the line");
        return 0;
}

static int check_key_line(IniParser *p, const char *line, size_t n) {
        size_t key = 0;

        while (key < n && isalnum((unsigned char) line[key]))
                key++;
        if (key == 0 || line[key + strspn(line + key, " \t")] != '=')
                return complain(p, "config-syntax", "expected [SECTION] or KEY=VALUE");
        if (!p->has_section)
                return complain(p, "config-syntax", "a key before the first section");
        p->now.key = p->rest;
        p->now.key_len = key;
        return 0;
}

/* One line of @n bytes without its end, NUL behind. */
static int check_line(IniParser *p, const char *line, size_t n) {
        size_t indent = strspn(line, " \t");

        if (check_characters(p, line, n) < 0)
                return p->r;
        if (indent >= n || line[indent] == '#' || line[indent] == ';')
                return 0;
        if (indent > 0)
                return complain(p, "config-syntax", "only blank lines and comments may begin with white space");
        /* inih, like other parsers, would take the rest for a comment. */
        if (strstr(line, " ;") || strstr(line, "\t;"))
                return complain(p, "config-syntax", "a comment must stand on a line of its own");
        if (line[0] != '[')
                return check_key_line(p, line, n);
        if (line[n - 1] != ']')
                return complain(p, "config-syntax", "a section's line must end with ']'");
        return enter_section(p, line + 1, p->rest + 1, n - 2);
}

/* What inih calls for its lines, like fgets(3). NULL ends the parse. */
static char *next_line(char *buf, int size, void *userdata) {
        IniParser *p = userdata;
        const char *end;
        size_t n;

        if (p->r < 0 || p->left == 0)
                return NULL;
        p->line++;
        end = memchr(p->rest, '\n', p->left);
        if (!end) {
                (void) complain(p, "config-truncated", "the last line does not end; is the file complete?");
                return NULL;
        }
        n = (size_t) (end - p->rest);
        if (n > INI_LINE_MAX || n + 2 > (size_t) size) {
                (void) complain(p, "config-limit", "the line is longer than 196 bytes");
                return NULL;
        }
        (void) memcpy(buf, p->rest, n);
        buf[n] = 0; /* for the checks; inih does not need the line's end */
        if (check_line(p, buf, n) < 0)
                return NULL;
        p->rest = end + 1;
        p->left -= n + 1;
        return buf;
}

static bool was_seen(const IniParser *p) {
        for (size_t i = 0; i < p->n_seen; i++) {
                const SeenKey *s = &p->seen[i];

                if (s->key_len == p->now.key_len && s->section_len == p->now.section_len &&
                    memcmp(s->key, p->now.key, s->key_len) == 0 &&
                    memcmp(s->section, p->now.section, s->section_len) == 0)
                        return true;
        }
        return false;
}

static int remember(IniParser *p) {
        if (p->n_seen == p->allocated) {
                size_t n = p->allocated ? 2 * p->allocated : 64;
                SeenKey *grown = reallocarray(p->seen, n, sizeof(*grown));

                if (!grown)
                        return error_oom(p->e);
                p->seen = grown;
                p->allocated = n;
        }
        p->seen[p->n_seen++] = p->now;
        return 0;
}

static int handle_key(IniParser *p, const IniLine *line) {
        if (!p->handler->may_repeat || !p->handler->may_repeat(p->userdata, line)) {
                int r;

                if (was_seen(p))
                        return error_set(p->e, -EINVAL, "config-duplicate", "%s= is given twice in this file",
                                         line->key);
                r = remember(p);
                if (r < 0)
                        return r;
        }
        return p->handler->key(p->userdata, line, p->e);
}

/* What inih calls for each KEY=VALUE; its idea of the section is not needed. Non-zero is success. */
static int on_key(void *userdata, const char *section, const char *name, const char *value) {
        IniParser *p = userdata;
        IniLine line = line_at(p);
        int r;

        (void) section;
        line.key = name;
        line.value = value;
        r = handle_key(p, &line);
        return r < 0 ? fail(p, r) == 0 : 1;
}

int ini_text_parse(const char *file, const void *data, size_t size, size_t size_max, const IniHandler *handler,
                   void *userdata, Error *e) {
        CLEANUP(ini_parser_done) IniParser p = {
                .handler = handler, .userdata = userdata, .file = file, .rest = data, .left = size, .e = e
        };
        int line;

        if (size > size_max)
                return error_set(e, -E2BIG, "config-limit", "%s is larger than %zu KiB", file, size_max / 1024);
        line = ini_parse_stream(next_line, &p, on_key, &p);
        if (p.r == 0 && line != 0)
                return error_set(e, -EINVAL, "config-syntax", "%s:%d: cannot be parsed", file, line);
        return p.r;
}
