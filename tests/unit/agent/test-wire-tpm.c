/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies of the messages about the TPM's keys and about sealing; and a request with a secret, received. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "agent/wire/bodies-tpm.h"
#include "base/writer.h"
#include "tests/unit/unit.h"

#define BYTES(text) ((WireBytes){ .data = (const uint8_t *) (text), .size = sizeof(text) - 1 })
#define TEXT(text_) ((WireText){ .text = (text_), .len = sizeof(text_) - 1 })

/* One good body of each kind, and whether its parser takes bytes. */
typedef struct Kind {
        const char *name;
        Blob (*make)(void);
        int (*parse)(const void *body, size_t size);
        bool open_end; /* the last field is all that is left */
} Kind;

static Blob make_keys(void) {
        WireTpmKeysRequest q = { .deadline_msec = 1000, .ek_profile = 4 };
        Blob b = {};

        ck_assert_int_eq(wire_tpm_keys_request_encode(&q, &b), 0);
        return b;
}

static int parse_keys(const void *body, size_t size) {
        WireTpmKeysRequest q;
        int r = wire_tpm_keys_request_parse(body, size, &q, NULL);

        if (r == 0)
                ck_assert(q.deadline_msec > 0 && q.ek_profile < WIRE_EK_PROFILES);
        return r;
}

static Blob make_answer(void) {
        WireTpmKeysAnswer a = { .ak_public = BYTES("ak"), .ek_public = BYTES("ek"), .ek_cert = BYTES("certificate") };
        Blob b = {};

        ck_assert_int_eq(wire_tpm_keys_answer_encode(&a, &b), 0);
        return b;
}

static int parse_answer(const void *body, size_t size) {
        WireTpmKeysAnswer a;

        return wire_tpm_keys_answer_parse(body, size, &a, NULL);
}

static Blob make_activate(void) {
        WireActivateRequest q = { .deadline_msec = 1000, .ek_profile = 1, .salt_name = BYTES("name"),
                                  .credential = BYTES("credential") };
        Blob b = {};

        ck_assert_int_eq(wire_activate_request_encode(&q, &b), 0);
        return b;
}

static int parse_activate(const void *body, size_t size) {
        WireActivateRequest q;

        return wire_activate_request_parse(body, size, &q, NULL);
}

static WireSealRequest seal_request(void) {
        return (WireSealRequest){ .deadline_msec = 1000, .bank = 0x000b, .pcr_mask = 0x890, .persistent = true,
                                  .salt_name = BYTES("name"), .signer = BYTES("signer"), .secret = BYTES("secret") };
}

static Blob make_seal(void) {
        WireSealRequest q = seal_request();
        AUTO_SECRET Secret s = {};
        Blob b = {};

        ck_assert_int_eq(wire_seal_request_encode(&q, &s), 0);
        ck_assert_int_eq(blob_dup(s.bytes, s.len, &b), 0);
        return b;
}

static int parse_seal(const void *body, size_t size) {
        WireSealRequest q;

        return wire_seal_request_parse(body, size, &q, NULL);
}

static Blob make_unseal(void) {
        WireUnsealRequest q = { .deadline_msec = 1000, .sealed = BYTES("sealed"), .signatures = TEXT("{}") };
        Blob b = {};

        ck_assert_int_eq(wire_unseal_request_encode(&q, &b), 0);
        return b;
}

static int parse_unseal(const void *body, size_t size) {
        WireUnsealRequest q;

        return wire_unseal_request_parse(body, size, &q, NULL);
}

static const Kind kinds[] = {
        { "TPM keys", make_keys, parse_keys, false },
        { "TPM keys answer", make_answer, parse_answer, false },
        { "activation", make_activate, parse_activate, false },
        { "seal", make_seal, parse_seal, true },
        { "unseal", make_unseal, parse_unseal, true },
};

START_TEST(truncated_and_longer_bodies_are_refused) {
        AUTO_BLOB Blob b = kinds[_i].make();
        uint8_t longer[256] = {};

        ck_assert_int_eq(kinds[_i].parse(b.data, b.size), 0);
        for (size_t n = 0; n < b.size; n++) {
                int r = kinds[_i].parse(b.data, n);

                ck_assert_msg(r == -EBADMSG || (kinds[_i].open_end && b.size - n < 6), "%s at %zu: %d", kinds[_i].name, n,
                              r);
        }
        (void) memcpy(longer, b.data, b.size);
        if (!kinds[_i].open_end)
                ck_assert_int_eq(kinds[_i].parse(longer, b.size + 1), -EBADMSG);
} END_TEST

START_TEST(deadline_is_needed) {
        AUTO_BLOB Blob b = kinds[_i].make();

        if (_i == 1)
                return; /* an answer has none */
        (void) memset(b.data, 0, 4);
        ck_assert_int_eq(kinds[_i].parse(b.data, b.size), -EBADMSG);
        (void) memset(b.data, 0xff, 4);
        ck_assert_int_eq(kinds[_i].parse(b.data, b.size), -EBADMSG);
} END_TEST

START_TEST(fields_are_read_back) {
        AUTO_BLOB Blob activate = make_activate(), seal = make_seal(), unseal = make_unseal(), answer = make_answer();
        WireActivateRequest a;
        WireTpmKeysAnswer k;
        WireSealRequest s;
        WireUnsealRequest u;

        ck_assert_int_eq(wire_activate_request_parse(activate.data, activate.size, &a, NULL), 0);
        ck_assert_uint_eq(a.ek_profile, 1);
        ck_assert_mem_eq(a.salt_name.data, "name", 4);
        ck_assert_mem_eq(a.credential.data, "credential", 10);
        ck_assert_int_eq(wire_seal_request_parse(seal.data, seal.size, &s, NULL), 0);
        ck_assert(s.persistent && s.bank == 0x000b && s.pcr_mask == 0x890);
        ck_assert_uint_eq(s.secret.size, 6);
        ck_assert_mem_eq(s.secret.data, "secret", 6);
        ck_assert_mem_eq(s.signer.data, "signer", 6);
        ck_assert_int_eq(wire_unseal_request_parse(unseal.data, unseal.size, &u, NULL), 0);
        ck_assert_uint_eq(u.salt_name.size, 0);
        ck_assert_mem_eq(u.sealed.data, "sealed", 6);
        ck_assert_uint_eq(u.signatures.len, 2);
        ck_assert_int_eq(wire_tpm_keys_answer_parse(answer.data, answer.size, &k, NULL), 0);
        ck_assert_uint_eq(k.ak_cert.size, 0);
        ck_assert_mem_eq(k.ek_cert.data, "certificate", 11);
} END_TEST

START_TEST(values_out_of_range_are_refused) {
        AUTO_BLOB Blob keys = make_keys(), activate = make_activate(), unseal = make_unseal();
        WireTpmKeysAnswer no_ek = { .ak_public = BYTES("ak") };
        AUTO_BLOB Blob answer = {};
        Error e = {};

        keys.data[4] = WIRE_EK_PROFILES;
        ck_assert_int_eq(parse_keys(keys.data, keys.size), -EBADMSG);
        activate.data[4] = WIRE_EK_PROFILES;
        ck_assert_int_eq(parse_activate(activate.data, activate.size), -EBADMSG);
        unseal.data[unseal.size - 1] = 0; /* NUL in a text */
        WireUnsealRequest u;
        ck_assert_int_eq(wire_unseal_request_parse(unseal.data, unseal.size, &u, &e), -EBADMSG);
        ck_assert_str_eq(e.reason, "wire-field");
        ck_assert_int_eq(wire_tpm_keys_answer_encode(&no_ek, &answer), 0);
        ck_assert_int_eq(parse_answer(answer.data, answer.size), -EBADMSG);
} END_TEST

START_TEST(seal_requests_are_checked) {
        static const struct { size_t at; uint8_t value; } bad[] = {
                { 4, 0x0a }, /* bank */
                { 9, 0x01 }, /* PCR 24 */
                { 10, 2 },   /* persistent */
        };
        AUTO_BLOB Blob b = make_seal();

        for (size_t i = 0; i < N_ELEMENTS(bad); i++) {
                uint8_t was = b.data[bad[i].at];

                b.data[bad[i].at] = bad[i].value;
                ck_assert_msg(parse_seal(b.data, b.size) == -EBADMSG, "%zu", i);
                b.data[bad[i].at] = was;
        }
        (void) memset(b.data + 6, 0, 4);
        ck_assert_int_eq(parse_seal(b.data, b.size), -EBADMSG);
} END_TEST

START_TEST(what_is_too_large_is_not_encoded) {
        static const uint8_t big[WIRE_SIGNATURES_MAX + 1];
        WireTpmKeysAnswer a = { .ak_public = { big, WIRE_TPM_PUBLIC_MAX + 1 } };
        WireActivateRequest q = { .credential = { big, WIRE_CREDENTIAL_MAX + 1 } };
        WireUnsealRequest u = { .signatures = { (const char *) big, sizeof(big) } }, v = { .sealed = { big, 4097 } };
        WireSealRequest s = seal_request(), none = seal_request(), large = seal_request();
        AUTO_SECRET Secret secret = {};
        AUTO_BLOB Blob b = {};

        s.signer = (WireBytes){ big, WIRE_TPM_PUBLIC_MAX + 1 };
        none.secret.size = 0;
        large.secret = (WireBytes){ big, WIRE_SEAL_SECRET_MAX + 1 };
        ck_assert_int_eq(wire_tpm_keys_answer_encode(&a, &b), -E2BIG);
        ck_assert_int_eq(wire_activate_request_encode(&q, &b), -E2BIG);
        ck_assert_int_eq(wire_unseal_request_encode(&u, &b), -E2BIG);
        ck_assert_int_eq(wire_unseal_request_encode(&v, &b), -E2BIG);
        ck_assert_int_eq(wire_seal_request_encode(&s, &secret), -E2BIG);
        ck_assert_int_eq(wire_seal_request_encode(&none, &secret), -E2BIG);
        ck_assert_int_eq(wire_seal_request_encode(&large, &secret), -E2BIG);
} END_TEST

/* ---- receiving into locked memory ---- */

static int fds[2];

static void connect_pair(void) {
        ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, fds), 0);
}

static void disconnect_pair(void) {
        (void) close(fds[0]);
        (void) close(fds[1]);
}

START_TEST(request_is_received_into_locked_memory) {
        AUTO_SECRET Secret got = {};
        uint16_t type = 0;
        Error e = {};

        ck_assert_int_eq(wire_recv_secret(fds[1], 10, &type, &got, &e), -EAGAIN);
        ck_assert_int_eq(wire_send(fds[0], WIRE_SEAL, "0123456789", 10, NULL), 0);
        ck_assert_int_eq(wire_recv_secret(fds[1], 10, &type, &got, &e), 0);
        ck_assert_uint_eq(type, WIRE_SEAL);
        ck_assert_uint_eq(got.len, 10);
        ck_assert_mem_eq(got.bytes, "0123456789", 10);
        secret_done(&got);
        ck_assert_int_eq(wire_send(fds[0], WIRE_PLATFORM, NULL, 0, NULL), 0);
        ck_assert_int_eq(wire_recv_secret(fds[1], 10, &type, &got, &e), 0);
        ck_assert_uint_eq(type, WIRE_PLATFORM);
        ck_assert_ptr_null(got.bytes);
} END_TEST

START_TEST(request_that_is_too_large_or_malformed_is_refused) {
        AUTO_SECRET Secret got = {};
        uint16_t type = 0;
        Error e = {};

        ck_assert_int_eq(wire_send(fds[0], WIRE_SEAL, "01234567890", 11, NULL), 0);
        ck_assert_int_eq(wire_recv_secret(fds[1], 10, &type, &got, &e), -EBADMSG);
        ck_assert_str_eq(e.reason, "wire-size");
        disconnect_pair();
        connect_pair();
        ck_assert_int_eq(send(fds[0], "no header at all, but long enough", 33, 0), 33);
        ck_assert_int_eq(wire_recv_secret(fds[1], 100, &type, &got, NULL), -EBADMSG);
        ck_assert_int_eq(send(fds[0], "short", 5, 0), 5);
        ck_assert_int_eq(wire_recv_secret(fds[1], 100, &type, &got, NULL), -EBADMSG);
        ck_assert_int_eq(shutdown(fds[0], SHUT_RDWR), 0);
        ck_assert_int_eq(wire_recv_secret(fds[1], 100, &type, &got, NULL), -ECONNRESET);
        ck_assert_ptr_null(got.bytes);
} END_TEST

static Suite *suite(void) {
        Suite *s = suite_create("wire-tpm");
        TCase *tc = tcase_create("bodies");

        tcase_add_loop_test(tc, truncated_and_longer_bodies_are_refused, 0, N_ELEMENTS(kinds));
        tcase_add_loop_test(tc, deadline_is_needed, 0, N_ELEMENTS(kinds));
        tcase_add_test(tc, fields_are_read_back);
        tcase_add_test(tc, values_out_of_range_are_refused);
        tcase_add_test(tc, seal_requests_are_checked);
        tcase_add_test(tc, what_is_too_large_is_not_encoded);
        suite_add_tcase(s, tc);
        tc = tcase_create("receive");
        tcase_add_checked_fixture(tc, connect_pair, disconnect_pair);
        tcase_add_test(tc, request_is_received_into_locked_memory);
        tcase_add_test(tc, request_that_is_too_large_or_malformed_is_refused);
        suite_add_tcase(s, tc);
        return s;
}

int main(void) {
        return unit_run(suite());
}
