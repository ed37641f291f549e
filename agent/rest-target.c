/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/rest-target.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/hex.h"

static int bad(Error *e, const char *what) {
        return error_set(e, -EBADMSG, "bad-target", "%s", what);
}

/* unreserved, sub-delims, ':' and '@' of RFC 3986, section 3.3, besides '/'. */
static bool is_path_char(char c) {
        return isalnum((unsigned char) c) || (c != 0 && strchr("-._~!$&'()*+,;=:@/", c));
}

static int check_path(const char *path, Error *e) {
        if (path[0] != '/')
                return bad(e, "The target does not begin with '/'");
        for (const char *p = path; *p; p++)
                if (!is_path_char(*p))
                        return bad(e, *p == '%' ? "Percent-encoding in the path is not supported" :
                                                  "A character of the path is not allowed there");
        if (!path[1])
                return 0;
        for (const char *p = path; *p;) {
                size_t n = strcspn(p + 1, "/");

                if (n == 0 || (n == 1 && p[1] == '.') || (n == 2 && p[1] == '.' && p[2] == '.'))
                        return bad(e, "The path has an empty, '.' or '..' segment");
                p += n + 1;
        }
        return 0;
}

/* In place. Accepts what RFC 3986, section 3.4, lets stand in a query; '+' is a plus. */
static int decode(char *text, Error *e) {
        char *to = text;

        for (const char *from = text; *from; from++, to++) {
                uint8_t byte;

                if (*from != '%') {
                        if (!is_path_char(*from) && *from != '?')
                                return bad(e, "A character of the query is not allowed there");
                        *to = *from;
                        continue;
                }
                if (strlen(from) < 3 || hex_decode_exact(from + 1, 2, &byte, 1) < 0)
                        return bad(e, "Broken percent-encoding in the query");
                if (byte < 0x20 || byte > 0x7e)
                        return bad(e, "A query member is not printable ASCII");
                *to = (char) byte;
                from += 2;
        }
        *to = 0;
        return 0;
}

static int add_member(RestTarget *t, char *text, Error *e) {
        char *value = strchr(text, '=');
        int r;

        if (!value || value == text)
                return bad(e, "A query member is not NAME=VALUE");
        *value++ = 0;
        r = decode(text, e);
        if (r == 0)
                r = decode(value, e);
        if (r < 0)
                return r;
        if (rest_target_member(t, text))
                return bad(e, "A query member is given twice");
        if (t->n_members == REST_MEMBERS_MAX)
                return bad(e, "Too many query members");
        t->members[t->n_members++] = (RestMember){ .name = text, .value = value };
        return 0;
}

int rest_target_parse(const char *uri, RestTarget *ret, Error *e) {
        size_t n = strlen(uri);
        char *query;
        int r;

        if (n > REST_TARGET_MAX)
                return error_set(e, -E2BIG, "target-too-long", "The target has more than %d bytes", REST_TARGET_MAX);
        (void) memcpy(ret->text, uri, n + 1);
        ret->path = ret->text;
        ret->n_members = 0;
        query = strchr(ret->text, '?');
        if (query)
                *query++ = 0;
        r = check_path(ret->path, e);
        if (r < 0)
                return r;
        for (char *part; query && (part = strsep(&query, "&"));) {
                r = add_member(ret, part, e);
                if (r < 0)
                        return r;
        }
        return 0;
}

const char *rest_target_member(const RestTarget *t, const char *name) {
        for (size_t i = 0; i < t->n_members; i++)
                if (strcmp(t->members[i].name, name) == 0)
                        return t->members[i].value;
        return NULL;
}
