/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agent/audit.h"
#include "agent/daemon/message-ids.h"
#include "base/log.h"
#include "tests/unit/unit.h"

static char seen[4096]; /* "NAME=value\n" of the last record */
static unsigned n_records;

static void sink(const LogRecord *record) {
        size_t n = (size_t) snprintf(seen, sizeof(seen), "MESSAGE=%s\nPRIORITY=%d\nMESSAGE_ID=%s\n", record->message,
                                     record->priority, record->message_id);

        n_records++;
        for (size_t i = 0; i < record->n_fields; i++)
                if (record->fields[i].value)
                        n += (size_t) snprintf(seen + n, sizeof(seen) - n, "%s=%s\n", record->fields[i].name,
                                               record->fields[i].value);
}

static void listen_in(void) {
        log_set_sink(sink);
        n_records = 0;
}

static void has(const char *line) {
        AUTO_FREE char *whole = NULL;

        ck_assert_int_gt(asprintf(&whole, "%s\n", line), 0);
        ck_assert_msg(strstr(seen, whole), "'%s' is not in:\n%s", line, seen);
        ck_assert_uint_eq(n_records, 1);
}

static char unit[] = "db.service";
static const Peer peer = { .pid = 77, .uid = 1000, .unit = unit };

START_TEST(denial_tells_who_what_and_why) {
        Error why = {};

        (void) error_set(&why, -EPERM, "user-denied", "Secret 'x' is not for user 1000");
        audit_denied(&(AuditSubject){ .door = "rest", .kind = "secret", .rule = "x", .resource = "a/b/c", .peer = &peer },
                     &why);
        has("MESSAGE=Denied secret 'x', resource a/b/c to process 77 of user 1000 in db.service: "
            "Secret 'x' is not for user 1000");
        has("PRIORITY=5");
        has("MESSAGE_ID=" MESSAGE_ID_ACCESS_DENIED);
        has("SNP_DOOR=rest");
        has("SNP_KIND=secret");
        has("SNP_SECRET=x");
        has("SNP_RESOURCE=a/b/c");
        has("SNP_PEER_PID=77");
        has("SNP_PEER_UID=1000");
        has("SNP_UNIT=db.service");
        has("SNP_RESULT=denied");
        has("SNP_REASON=user-denied");
}
END_TEST

START_TEST(release_of_a_key_has_an_id_of_its_own) {
        audit_released(&(AuditSubject){ .door = "wire", .kind = "volume", .rule = "data", .resource = "a/b/c",
                                        .peer = &(Peer){ .pid = 1, .uid = 0 } });
        has("MESSAGE=Released volume 'data', resource a/b/c to process 1 of user 0");
        has("MESSAGE_ID=" MESSAGE_ID_KEY_RELEASED);
        has("SNP_VOLUME=data");
        has("SNP_RESULT=released");
        ck_assert_ptr_null(strstr(seen, "SNP_UNIT="));
        ck_assert_ptr_null(strstr(seen, "SNP_REASON="));
}
END_TEST

START_TEST(release_of_a_secret_has_another) {
        audit_released(&(AuditSubject){ .door = "rest", .kind = "secret", .rule = "x", .resource = "a/b/c", .peer = &peer });
        has("MESSAGE_ID=" MESSAGE_ID_RESOURCE_RELEASED);
        has("SNP_SECRET=x");
}
END_TEST

static const struct {
        int code;
        const char *id;
} failures[] = {
        { -ECONNREFUSED, MESSAGE_ID_BROKER_UNREACHABLE },
        { -EHOSTUNREACH, MESSAGE_ID_BROKER_UNREACHABLE },
        { -EKEYREJECTED, MESSAGE_ID_ATTEST_FAILED },
        { -ENOENT, MESSAGE_ID_RELEASE_FAILED },
        { -ETIMEDOUT, MESSAGE_ID_RELEASE_FAILED },
};

START_TEST(failure_is_told_apart_for_monitoring) {
        char line[64];
        Error why = {};

        (void) error_set(&why, failures[_i].code, "some-reason", "It did not work");
        audit_failed(&(AuditSubject){ .door = "wire", .kind = "volume", .rule = "data", .peer = &peer }, failures[_i].code,
                     &why);
        (void) snprintf(line, sizeof(line), "MESSAGE_ID=%s", failures[_i].id);
        has(line);
        has("PRIORITY=3");
        has("SNP_RESULT=failed");
        has("SNP_REASON=some-reason");
}
END_TEST

START_TEST(peer_cannot_forge_a_line) {
        Error why = {};

        (void) error_set(&why, -EBADMSG, "resource-name", "'%s' is odd", "a\nb");
        audit_denied(&(AuditSubject){ .door = "wire", .kind = "secret", .resource = "a\nMESSAGE=forged", .peer = &peer },
                     &why);
        ck_assert_ptr_nonnull(strstr(seen, "MESSAGE=Denied secret, resource a?MESSAGE=forged to process"));
}
END_TEST

START_TEST(message_ids_are_distinct_and_well_formed) {
        static const char *const ids[] = {
                MESSAGE_ID_ATTESTED, MESSAGE_ID_ATTEST_FAILED, MESSAGE_ID_BROKER_UNREACHABLE, MESSAGE_ID_KEY_RELEASED,
                MESSAGE_ID_RESOURCE_RELEASED, MESSAGE_ID_ACCESS_DENIED, MESSAGE_ID_RELEASE_FAILED,
                MESSAGE_ID_CONFIG_LOADED, MESSAGE_ID_CONFIG_REJECTED, MESSAGE_ID_CALLER_REFUSED, MESSAGE_ID_TEST_TRUST,
                MESSAGE_ID_MEMORY_NOT_LOCKED,
        };

        for (size_t i = 0; i < N_ELEMENTS(ids); i++) {
                ck_assert_uint_eq(strlen(ids[i]), 32);
                ck_assert_uint_eq(strspn(ids[i], "0123456789abcdef"), 32);
                for (size_t j = 0; j < i; j++)
                        ck_assert_str_ne(ids[i], ids[j]);
        }
}
END_TEST

int main(void) {
        Suite *s = suite_create("audit");
        TCase *tc = tcase_create("audit");

        tcase_add_checked_fixture(tc, listen_in, NULL);
        tcase_add_test(tc, denial_tells_who_what_and_why);
        tcase_add_test(tc, release_of_a_key_has_an_id_of_its_own);
        tcase_add_test(tc, release_of_a_secret_has_another);
        tcase_add_loop_test(tc, failure_is_told_apart_for_monitoring, 0, (int) N_ELEMENTS(failures));
        tcase_add_test(tc, peer_cannot_forge_a_line);
        tcase_add_test(tc, message_ids_are_distinct_and_well_formed);
        suite_add_tcase(s, tc);
        return unit_run(s);
}
