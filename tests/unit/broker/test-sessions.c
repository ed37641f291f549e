/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "base/deadline.h"
#include "tests/broker/sessions.h"
#include "tests/unit/unit.h"

static BrokerSessions sessions;

static void begin(void) {
        sessions = (BrokerSessions){ .lifetime_usec = 300 * USEC_PER_SEC };
}

static void end(void) {
        broker_sessions_done(&sessions);
}

static BrokerSession *make(void) {
        BrokerSession *s = NULL;

        ck_assert_int_eq(broker_session_new(&sessions, "snp", "sha384", &s, NULL), 0);
        return s;
}

START_TEST(identifiers_are_version_4_uuids_and_nonces_32_bytes) {
        BrokerSession *s = make();

        ck_assert_uint_eq(strlen(s->id), 32);
        ck_assert_uint_eq(strspn(s->id, "0123456789abcdef"), 32);
        ck_assert_int_eq(s->id[12], '4');
        ck_assert_ptr_nonnull(strchr("89ab", s->id[16]));
        ck_assert_uint_eq(strlen(s->nonce), 44);
        ck_assert_int_eq(s->nonce[43], '=');
        ck_assert_str_ne(make()->nonce, sessions.slots[0].nonce);
} END_TEST

START_TEST(a_session_is_found_by_its_whole_identifier) {
        BrokerSession *s = make();
        char half[17];

        (void) memcpy(half, s->id, 16);
        half[16] = 0;
        ck_assert_ptr_eq(broker_session_find(&sessions, s->id), s);
        ck_assert_ptr_null(broker_session_find(&sessions, half));
        ck_assert_ptr_null(broker_session_find(&sessions, ""));
        ck_assert_ptr_null(broker_session_find(&sessions, NULL));
} END_TEST

START_TEST(an_expired_session_is_not_found_but_its_nonce_is_known) {
        BrokerSession *s;

        sessions.lifetime_usec = 0;
        s = make();
        ck_assert_ptr_null(broker_session_find(&sessions, s->id));
        ck_assert_ptr_eq(broker_session_of_nonce(&sessions, s->nonce), s);
} END_TEST

START_TEST(the_oldest_session_makes_room) {
        char first[33], second[33];

        (void) memcpy(first, make()->id, sizeof(first));
        (void) memcpy(second, make()->id, sizeof(second));
        for (size_t i = 2; i <= BROKER_SESSIONS_MAX; i++)
                (void) make();
        ck_assert_ptr_null(broker_session_find(&sessions, first));
        ck_assert_ptr_nonnull(broker_session_find(&sessions, second));
} END_TEST

START_TEST(the_cookie_has_an_expiry_date_and_no_other_attribute) {
        BrokerSession *s = make();
        char cookie[128], want[160];

        s->ends_wall = 784111777; /* the example of RFC 9110 section 5.6.7 */
        broker_session_cookie(s, cookie, sizeof(cookie));
        (void) snprintf(want, sizeof(want), "kbs-session-id=%s; Expires=Sun, 06 Nov 1994 08:49:37 GMT", s->id);
        ck_assert_str_eq(cookie, want);
} END_TEST

START_TEST(forgotten_sessions_are_gone) {
        char id[33];

        (void) memcpy(id, make()->id, sizeof(id));
        broker_sessions_forget(&sessions);
        ck_assert_ptr_null(broker_session_find(&sessions, id));
} END_TEST

int main(void) {
        Suite *s = suite_create("broker");
        TCase *c = tcase_create("sessions");

        tcase_add_checked_fixture(c, begin, end);
        tcase_add_test(c, identifiers_are_version_4_uuids_and_nonces_32_bytes);
        tcase_add_test(c, a_session_is_found_by_its_whole_identifier);
        tcase_add_test(c, an_expired_session_is_not_found_but_its_nonce_is_known);
        tcase_add_test(c, the_oldest_session_makes_room);
        tcase_add_test(c, the_cookie_has_an_expiry_date_and_no_other_attribute);
        tcase_add_test(c, forgotten_sessions_are_gone);
        suite_add_tcase(s, c);
        return unit_run(s);
}
