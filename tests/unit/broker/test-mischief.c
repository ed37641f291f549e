/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "tests/broker/mischief.h"
#include "tests/unit/unit.h"

static char path[32];
static BrokerMischief mischief;

static void make_file(void) {
        int fd;

        (void) snprintf(path, sizeof(path), "/tmp/snp-control-XXXXXX");
        fd = mkstemp(path);
        ck_assert_int_ge(fd, 0);
        (void) close(fd);
}

static void remove_file(void) {
        broker_mischief_done(&mischief);
        (void) unlink(path);
}

static int load(const char *text) {
        ck_assert_int_eq(file_write_atomic(path, text, strlen(text), 0600, NULL), 0);
        return broker_mischief_reload(&mischief, path, NULL);
}

START_TEST(a_fault_holds_at_its_endpoint_only) {
        const struct BrokerFault *f;

        ck_assert_int_eq(load("# nothing\n\nattest slow 250\n"), 0);
        for (BrokerEndpoint i = 0; i < BROKER_N_ENDPOINTS; i++)
                broker_mischief_begin(&mischief, i);
        f = broker_mischief_fault(&mischief, BROKER_ATTEST, BROKER_FAULT_SLOW);
        ck_assert_ptr_nonnull(f);
        ck_assert_uint_eq(f->value, 250);
        ck_assert_ptr_null(broker_mischief_fault(&mischief, BROKER_AUTH, BROKER_FAULT_SLOW));
        ck_assert_ptr_null(broker_mischief_fault(&mischief, BROKER_ATTEST, BROKER_FAULT_DROP));
} END_TEST

START_TEST(a_limited_fault_ends_and_returns_with_another_text) {
        ck_assert_int_eq(load("auth drop x2\n"), 0);
        for (int i = 1; i <= 3; i++) {
                ck_assert_int_eq(broker_mischief_reload(&mischief, path, NULL), 0);
                broker_mischief_begin(&mischief, BROKER_AUTH);
                ck_assert_int_eq(broker_mischief_fault(&mischief, BROKER_AUTH, BROKER_FAULT_DROP) != NULL, i <= 2);
        }
        ck_assert_int_eq(load("auth drop x2\n#\n"), 0);
        broker_mischief_begin(&mischief, BROKER_AUTH);
        ck_assert_ptr_nonnull(broker_mischief_fault(&mischief, BROKER_AUTH, BROKER_FAULT_DROP));
} END_TEST

START_TEST(without_a_file_there_is_no_mischief) {
        ck_assert_int_eq(load("auth drop\n"), 0);
        ck_assert_int_eq(unlink(path), 0);
        ck_assert_int_eq(broker_mischief_reload(&mischief, path, NULL), 0);
        ck_assert_uint_eq(mischief.n_faults, 0);
        ck_assert_int_eq(broker_mischief_reload(&mischief, NULL, NULL), 0);
} END_TEST

static const char *const bad[] = {
        "auth\n",          "nowhere drop\n",     "auth fly\n",         "auth slow\n",        "auth slow soon\n",
        "auth drop y2\n",  "auth drop x0\n",     "auth drop x2 x2\n",  "auth bad-tag\n",     "resource hash sha512\n",
        "auth slow 1 2\n", "auth status 5 x1 z\n",
};

START_TEST(a_line_not_understood_keeps_the_faults_as_they_were) {
        ck_assert_int_eq(load("auth drop\n"), 0);
        ck_assert_msg(load(bad[_i]) == -EBADMSG, "%s", bad[_i]);
        broker_mischief_begin(&mischief, BROKER_AUTH);
        ck_assert_ptr_nonnull(broker_mischief_fault(&mischief, BROKER_AUTH, BROKER_FAULT_DROP));
} END_TEST

int main(void) {
        Suite *s = suite_create("broker");
        TCase *c = tcase_create("mischief");

        tcase_add_checked_fixture(c, make_file, remove_file);
        tcase_add_test(c, a_fault_holds_at_its_endpoint_only);
        tcase_add_test(c, a_limited_fault_ends_and_returns_with_another_text);
        tcase_add_test(c, without_a_file_there_is_no_mischief);
        tcase_add_loop_test(c, a_line_not_understood_keeps_the_faults_as_they_were, 0, N_ELEMENTS(bad));
        suite_add_tcase(s, c);
        return unit_run(s);
}
