/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/wire/bodies-key.h"

#include <errno.h>
#include <string.h>

#include "tests/unit/unit.h"

static WireKeyRequest request(void) {
        return (WireKeyRequest){ .root = 1, .fields = 0x8000000000000009, .vmpl = 2, .guest_svn = 0x01020304,
                                 .tcb = 0x5516000000000007, .deadline_msec = 1500 };
}

START_TEST(request_has_the_documented_layout) {
        WireKeyRequest q = request(), back;
        AUTO_BLOB Blob b = {};

        ck_assert_int_eq(wire_key_request_encode(&q, &b), 0);
        ck_assert_uint_eq(b.size, WIRE_KEY_REQUEST_SIZE);
        ck_assert_mem_eq(b.data, "\x01\0\0\0\x09\0\0\0\0\0\0\x80\x02\0\0\0\x04\x03\x02\x01\x07\0\0\0\0\0\x16\x55\xdc\x05\0\0", 32);
        ck_assert_int_eq(wire_key_request_parse(b.data, b.size, &back, NULL), 0);
        ck_assert_uint_eq(back.root, q.root);
        ck_assert_uint_eq(back.fields, q.fields);
        ck_assert_uint_eq(back.vmpl, q.vmpl);
        ck_assert_uint_eq(back.guest_svn, q.guest_svn);
        ck_assert_uint_eq(back.tcb, q.tcb);
        ck_assert_uint_eq(back.deadline_msec, q.deadline_msec);
} END_TEST

START_TEST(other_sizes_are_refused) {
        uint8_t bytes[WIRE_KEY_REQUEST_SIZE + 1] = {};
        WireKeyRequest q = request(), back;
        AUTO_BLOB Blob b = {};

        ck_assert_int_eq(wire_key_request_encode(&q, &b), 0);
        (void) memcpy(bytes, b.data, b.size);
        for (size_t n = 0; n <= sizeof(bytes); n++)
                ck_assert_int_eq(wire_key_request_parse(bytes, n, &back, NULL), n == WIRE_KEY_REQUEST_SIZE ? 0 : -EBADMSG);
} END_TEST

static const struct {
        const char *why;
        uint32_t root, vmpl, msec;
        int want;
} limits[] = {
        { "VCEK", 0, 0, 1, 0 },
        { "VMRK at the kernel's VMPL", 1, WIRE_VMPL_AUTO, 1, 0 },
        { "no such root", 2, 0, 1, -EBADMSG },
        { "last VMPL", 0, 3, 1, 0 },
        { "no such VMPL", 0, 4, 1, -EBADMSG },
        { "no time at all", 0, 0, 0, -EBADMSG },
        { "longest wait", 0, 0, WIRE_DEADLINE_MSEC_MAX, 0 },
        { "longer", 0, 0, WIRE_DEADLINE_MSEC_MAX + 1, -EBADMSG },
};

START_TEST(fields_have_limits) {
        WireKeyRequest q = request(), back;
        AUTO_BLOB Blob b = {};
        Error e = {};
        int r;

        q.root = limits[_i].root;
        q.vmpl = limits[_i].vmpl;
        q.deadline_msec = limits[_i].msec;
        ck_assert_int_eq(wire_key_request_encode(&q, &b), 0);
        r = wire_key_request_parse(b.data, b.size, &back, &e);
        ck_assert_msg(r == limits[_i].want, "%s: %d", limits[_i].why, r);
        if (r < 0)
                ck_assert_str_eq(error_reason(&e, r), "wire-field");
} END_TEST

int main(void) {
        Suite *suite = suite_create("wire-key");
        TCase *tc = tcase_create("wire-key");

        tcase_add_test(tc, request_has_the_documented_layout);
        tcase_add_test(tc, other_sizes_are_refused);
        tcase_add_loop_test(tc, fields_have_limits, 0, N_ELEMENTS(limits));
        suite_add_tcase(suite, tc);
        return unit_run(suite);
}
