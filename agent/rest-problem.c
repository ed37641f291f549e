/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/rest-problem.h"

#include <errno.h>
#include <json-c/json_object.h>
#include <string.h>

#include "base/json.h"

unsigned rest_status_of(int code, const Error *e) {
        switch (code) {
        case -EPERM:
                return 403;
        case -ENOENT:
                return 404;
        case -EBUSY:
                /* One user's own doing, or everybody's. */
                return strcmp(error_reason(e, code), "user-queue-full") == 0 ? 429 : 503;
        case -EKEYREJECTED:
        case -EPROTO:
        case -EBADMSG:
        case -E2BIG:
        case -ECONNREFUSED:
        case -ECONNRESET:
        case -EHOSTUNREACH:
        case -ENETUNREACH:
                return 502;
        case -ETIMEDOUT:
                return 504;
        case -ENODEV:
        case -EOPNOTSUPP:
        case -EACCES:
        case -EAGAIN:
        case -EIO:
        case -ENOTTY:
        case -ESTALE:
        case -ECANCELED:
                return 503;
        default:
                return 500;
        }
}

const char *rest_status_title(unsigned status) {
        static const struct {
                unsigned status;
                const char *title;
        } titles[] = {
                { 200, "OK" },
                { 400, "Bad Request" },
                { 403, "Forbidden" },
                { 404, "Not Found" },
                { 405, "Method Not Allowed" },
                { 413, "Content Too Large" },
                { 414, "URI Too Long" },
                { 429, "Too Many Requests" },
                { 500, "Internal Server Error" },
                { 502, "Bad Gateway" },
                { 503, "Service Unavailable" },
                { 504, "Gateway Timeout" },
        };

        for (size_t i = 0; i < N_ELEMENTS(titles); i++)
                if (titles[i].status == status)
                        return titles[i].title;
        return "Error";
}

char *rest_problem_text(unsigned status, int code, const Error *e) {
        AUTO_JSON json_object *o = json_object_new_object();
        const char *text;
        int bad;

        /* "about:blank": the status code says what kind of problem it is (RFC 9457, section 4.2.1). */
        bad = json_add_str(o, "type", "about:blank");
        bad |= json_add_str(o, "title", rest_status_title(status));
        bad |= json_add_u64(o, "status", status);
        bad |= json_add_str(o, "detail", error_text(e, code));
        bad |= json_add_str(o, "reason", error_reason(e, code));
        text = bad == 0 ? json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE) :
                          NULL;
        return text ? strdup(text) : NULL;
}
