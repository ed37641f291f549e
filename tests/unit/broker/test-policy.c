/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "tests/broker/policy.h"
#include "tests/unit/unit.h"

static char path[32];

static void make_file(void) {
        int fd;

        (void) snprintf(path, sizeof(path), "/tmp/snp-policy-XXXXXX");
        fd = mkstemp(path);
        ck_assert_int_ge(fd, 0);
        (void) close(fd);
}

static void remove_file(void) {
        (void) unlink(path);
}

static int load(const char *text, BrokerPolicy *ret, Error *e) {
        ck_assert_int_eq(file_write_atomic(path, text, strlen(text), 0600, NULL), 0);
        return broker_policy_load(path, ret, e);
}

#define HEX48(d) d d d d d d d d d d d d d d d d

START_TEST(an_empty_policy_allows_nothing) {
        uint8_t zeros[SNP_MEASUREMENT_SIZE] = {};
        BrokerPolicy p;

        ck_assert_int_eq(load("", &p, NULL), 0);
        ck_assert(!broker_policy_allows_measurement(&p, zeros));
        ck_assert_ptr_null(broker_policy_rule(&p, "a/b/c"));
        ck_assert_uint_eq(p.vmpls, 1u);
        ck_assert(!p.debug && !p.migration && !p.masked_chip_id);
} END_TEST

START_TEST(every_key_is_read) {
        uint8_t ones[SNP_MEASUREMENT_SIZE], twos[SNP_MEASUREMENT_SIZE], threes[SNP_MEASUREMENT_SIZE];
        BrokerPolicy p;

        (void) memset(ones, 0x11, sizeof(ones));
        (void) memset(twos, 0x22, sizeof(twos));
        (void) memset(threes, 0x33, sizeof(threes));
        ck_assert_int_eq(load("[evidence]\nmeasurement = " HEX48("111111") "\nmeasurement=" HEX48("222222")
                              "\nvmpl=1\nvmpl=3\nmin-boot-loader=1\nmin-tee=2\nmin-snp=3\nmin-microcode=4\nmin-fmc=5\n"
                              "debug=yes\nmigration=yes\nmasked-chip-id=yes\n", &p, NULL), 0);
        ck_assert(broker_policy_allows_measurement(&p, ones));
        ck_assert(broker_policy_allows_measurement(&p, twos));
        ck_assert(!broker_policy_allows_measurement(&p, threes));
        ck_assert_uint_eq(p.vmpls, 1u << 1 | 1u << 3);
        ck_assert(p.minimum.boot_loader == 1 && p.minimum.tee == 2 && p.minimum.snp == 3 && p.minimum.microcode == 4 &&
                  p.minimum.fmc == 5);
        ck_assert(p.debug && p.migration && p.masked_chip_id);
} END_TEST

START_TEST(the_first_matching_rule_decides) {
        BrokerPolicy p;

        ck_assert_int_eq(load("[resource]\nallow=a/b/c\ndeny=a/b/*\nallow=a/*/*\n", &p, NULL), 0);
        ck_assert(broker_policy_rule(&p, "a/b/c")->allow);
        ck_assert(!broker_policy_rule(&p, "a/b/d")->allow);
        ck_assert(broker_policy_rule(&p, "a/x/d")->allow);
        ck_assert_ptr_null(broker_policy_rule(&p, "b/b/c"));
        ck_assert_ptr_null(broker_policy_rule(&p, "a/b/c/d"));
} END_TEST

static const struct {
        const char *why, *text, *where;
} bad[] = {
        { "unknown key", "[evidence]\ncolour=blue\n", ":2:" },
        { "unknown section", "\n[sections]\na=b\n", ":3:" },
        { "key without section", "debug=no\n", ":1:" },
        { "short measurement", "[evidence]\nmeasurement=1122\n", ":2:" },
        { "vmpl out of range", "[evidence]\nvmpl=4\n", ":2:" },
        { "svn out of range", "[evidence]\nmin-snp=256\n", ":2:" },
        { "unknown part", "[evidence]\nmin-cpu=1\n", ":2:" },
        { "no boolean", "[evidence]\ndebug=perhaps\n", ":2:" },
        { "no line at all", "[evidence]\nnonsense\n", ":2:" },
};

START_TEST(what_is_not_understood_is_refused_with_its_line) {
        BrokerPolicy p;
        Error e = {};

        ck_assert_msg(load(bad[_i].text, &p, &e) == -EBADMSG, "%s", bad[_i].why);
        ck_assert_msg(strstr(e.text, bad[_i].where) != NULL, "%s: %s", bad[_i].why, e.text);
} END_TEST

START_TEST(a_missing_file_is_no_policy) {
        BrokerPolicy p;

        ck_assert_int_eq(broker_policy_load("/nonexistent/policy", &p, NULL), -ENOENT);
} END_TEST

int main(void) {
        Suite *s = suite_create("broker");
        TCase *c = tcase_create("policy");

        tcase_add_checked_fixture(c, make_file, remove_file);
        tcase_add_test(c, an_empty_policy_allows_nothing);
        tcase_add_test(c, every_key_is_read);
        tcase_add_test(c, the_first_matching_rule_decides);
        tcase_add_loop_test(c, what_is_not_understood_is_refused_with_its_line, 0, N_ELEMENTS(bad));
        tcase_add_test(c, a_missing_file_is_no_policy);
        suite_add_tcase(s, c);
        return unit_run(s);
}
