/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "tests/unit/unit.h"

static char seen[4096];
static int seen_priority;
static size_t seen_fields;

static void sink(const LogRecord *record) {
        (void) snprintf(seen, sizeof(seen), "%s", record->message);
        seen_priority = record->priority;
        seen_fields = record->n_fields;
}

START_TEST(lines_above_the_maximum_are_dropped) {
        log_set_sink(sink);
        log_set_max_priority(LOG_WARNING);
        log_info("quiet");
        ck_assert_str_eq(seen, "");
        log_err("loud %d", 7);
        ck_assert_str_eq(seen, "loud 7");
        ck_assert_int_eq(seen_priority, LOG_ERR);
        ck_assert_int_eq(log_get_max_priority(), LOG_WARNING);
}
END_TEST

START_TEST(a_message_is_one_printable_line) {
        log_set_sink(sink);
        log_err("a\nb\tc\033[0m %s", "\x7f");
        ck_assert_str_eq(seen, "a?b?c?[0m ?");
}
END_TEST

START_TEST(fields_travel_with_an_event) {
        const LogField fields[] = { { "SNP_VOLUME", "data" }, { "SNP_RESULT", NULL } };

        log_set_sink(sink);
        log_event(LOG_NOTICE, "0123456789abcdef0123456789abcdef", fields, N_ELEMENTS(fields), "released '%s'", "x");
        ck_assert_str_eq(seen, "released 'x'");
        ck_assert_uint_eq(seen_fields, 2);
}
END_TEST

START_TEST(without_a_sink_lines_go_to_stderr) {
        int fds[2], saved = dup(STDERR_FILENO);
        char got[64] = {};

        ck_assert_int_eq(pipe(fds), 0);
        ck_assert_int_ge(dup2(fds[1], STDERR_FILENO), 0);
        ck_assert_int_eq(unsetenv("JOURNAL_STREAM"), 0);
        log_set_sink(NULL);
        log_warning("plain");
        ck_assert_int_eq(setenv("JOURNAL_STREAM", "1:2", 1), 0);
        log_warning("prefixed");
        ck_assert_int_ge(dup2(saved, STDERR_FILENO), 0);
        ck_assert_int_gt(read(fds[0], got, sizeof(got) - 1), 0);
        ck_assert_str_eq(got, "plain\n<4>prefixed\n");
}
END_TEST

int main(void) {
        Suite *suite = suite_create("log");
        TCase *tc = tcase_create("log");

        tcase_add_test(tc, lines_above_the_maximum_are_dropped);
        tcase_add_test(tc, a_message_is_one_printable_line);
        tcase_add_test(tc, fields_travel_with_an_event);
        tcase_add_test(tc, without_a_sink_lines_go_to_stderr);
        suite_add_tcase(suite, tc);
        return unit_run(suite);
}
