/* SPDX-License-Identifier: Apache-2.0 */
#include "keybroker-client/problem.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/unit.h"

#define AUTH KBC_STEP_AUTH
#define ATTEST KBC_STEP_ATTEST
#define RESOURCE KBC_STEP_RESOURCE
#define NONE KBC_REMEDY_NONE
#define AGAIN KBC_REMEDY_HANDSHAKE
#define LATER KBC_REMEDY_RETRY

static const struct {
        KbcStep step;
        int status;
        const char *variant, *detail;
        int want;
        const char *reason;
        KbcRemedy remedy;
} problems[] = {
        { AUTH, 401, "AttestationError",
          "Attestation error: RCAR handshake Auth failed: KBS Client Protocol Version Mismatch: expect =0.4.0 while "
          "the request is 0.1.1", -EPROTO, "protocol-version", NONE },
        { AUTH, 401, "ProtocolVersion", "Protocol Version Mismatch", -EPROTO, "protocol-version", NONE },
        { AUTH, 401, "AttestationError", "Attestation error: RCAR handshake Auth failed: no such TEE", -EPROTO,
          "auth-refused", NONE },
        { ATTEST, 401, "AttestationError", "Attestation error: RCAR handshake Attest failed", -EKEYREJECTED,
          "attestation-refused", AGAIN },
        { RESOURCE, 401, "AttestationError", "", -EKEYREJECTED, "attestation-refused", AGAIN },
        { RESOURCE, 401, "TokenNotFound", "Attestation Token not found", -EKEYREJECTED, "session-lost", AGAIN },
        { RESOURCE, 401, "TokenVerifierError", "Token Verifier error", -EKEYREJECTED, "token-refused", AGAIN },
        { RESOURCE, 401, "PolicyDeny", "Access denied by policy", -EPERM, "policy-denied", NONE },
        { RESOURCE, 403, "PolicyDeny", "as the protocol's document has it", -EPERM, "policy-denied", NONE },
        { RESOURCE, 401, "PluginInternalError", "Plugin internal error", -ENOENT, "resource-unavailable", NONE },
        { RESOURCE, 404, "PluginNotFound", "Plugin x not found", -ENOENT, "plugin-not-found", NONE },
        { AUTH, 404, "InvalidRequestPath", "/x", -EPROTO, "broker-path", NONE },
        { RESOURCE, 401, "JweError", "JWE failed", -EPROTO, "jwe-refused", NONE },
        { RESOURCE, 401, "AdminAuthAccess", "x", -EPROTO, "broker-error", NONE },
        { RESOURCE, 401, "PolicyEngineError", "x", -EPROTO, "broker-error", NONE },
        { ATTEST, 401, "SerdeError", "x", -EPROTO, "broker-error", NONE },
        { RESOURCE, 401, "PolicyDenyX", "x", -EPROTO, "broker-error", NONE },
        { RESOURCE, 503, "PolicyDeny", "the type decides", -EPERM, "policy-denied", NONE },
};

static void set_body(KbcReply *r, const char *text) {
        ck_assert_int_eq(kbc_reply_append(r, text, strlen(text), 1u << 20), 0);
}

START_TEST(type_of_the_problem_decides) {
        AUTO_REPLY KbcReply r = { .status = problems[_i].status };
        AUTO_FREE char *body = NULL;
        KbcRemedy remedy = 99;
        Error e = {};

        ck_assert_int_gt(asprintf(&body, "{\"type\":\"https://github.com/confidential-containers/kbs/errors/%s\","
                                         "\"detail\":\"%s\"}",
                                  problems[_i].variant, problems[_i].detail), 0);
        set_body(&r, body);
        ck_assert_int_eq(kbc_problem_classify(problems[_i].step, &r, &remedy, &e), problems[_i].want);
        ck_assert_str_eq(e.reason, problems[_i].reason);
        ck_assert_int_eq(remedy, problems[_i].remedy);
        ck_assert_ptr_nonnull(strstr(e.text, problems[_i].variant));
}
END_TEST

static const struct {
        KbcStep step;
        int status;
        const char *body;
        int want;
        const char *reason;
        KbcRemedy remedy;
} statuses[] = {
        { AUTH, 401, "", -EPROTO, "auth-refused", NONE },
        { ATTEST, 401, "<html>", -EKEYREJECTED, "attestation-refused", AGAIN },
        { RESOURCE, 401, "{}", -EKEYREJECTED, "session-lost", AGAIN },
        { RESOURCE, 403, "no", -EPERM, "forbidden", NONE },
        { RESOURCE, 404, "", -ENOENT, "resource-unavailable", NONE },
        { AUTH, 404, "", -EPROTO, "broker-path", NONE },
        { ATTEST, 413, "", -E2BIG, "request-too-large", NONE },
        { AUTH, 429, "", -EBUSY, "broker-busy", LATER },
        { AUTH, 502, "", -EBUSY, "broker-busy", LATER },
        { ATTEST, 503, "", -EBUSY, "broker-busy", LATER },
        { RESOURCE, 504, "", -EBUSY, "broker-busy", LATER },
        { RESOURCE, 500, "", -EPROTO, "http-status", NONE },
        { RESOURCE, 302, "", -EPROTO, "redirect", NONE },
        { AUTH, 307, "", -EPROTO, "redirect", NONE },
        { RESOURCE, 204, "", -EPROTO, "http-status", NONE },
        { RESOURCE, 0, "", -EPROTO, "http-status", NONE },
        { RESOURCE, 401, "{\"type\":\"about:blank\",\"detail\":\"PolicyDeny\"}", -EKEYREJECTED, "session-lost", AGAIN },
        { RESOURCE, 401, "{\"type\":\"https://evil.example/kbs/errors/PolicyDeny\"}", -EKEYREJECTED, "session-lost", AGAIN },
        { RESOURCE, 401, "{\"type\":1}", -EKEYREJECTED, "session-lost", AGAIN },
        { RESOURCE, 401, "[\"type\"]", -EKEYREJECTED, "session-lost", AGAIN },
        { RESOURCE, 401, "null", -EKEYREJECTED, "session-lost", AGAIN },
        { RESOURCE, 401, "{\"type\":\"https://github.com/confidential-containers/kbs/errors/PolicyDeny\",\"detail\":7}",
          -EKEYREJECTED, "session-lost", AGAIN },
        { RESOURCE, 401, "{\"type\":\"https://github.com/confidential-containers/kbs/errors/PolicyDeny\"}", -EPERM,
          "policy-denied", NONE },
};

START_TEST(without_a_problem_the_status_decides) {
        AUTO_REPLY KbcReply r = { .status = statuses[_i].status };
        KbcRemedy remedy = 99;
        Error e = {};
        int code;

        set_body(&r, statuses[_i].body);
        code = kbc_problem_classify(statuses[_i].step, &r, &remedy, &e);
        ck_assert_msg(code == statuses[_i].want, "%d '%s': %s", statuses[_i].status, statuses[_i].body, e.text);
        ck_assert_str_eq(e.reason, statuses[_i].reason);
        ck_assert_int_eq(remedy, statuses[_i].remedy);
}
END_TEST

START_TEST(text_of_the_broker_is_printable_and_cut) {
        AUTO_REPLY KbcReply r = { .status = 401 };
        KbcRemedy remedy;
        Error e = {};

        set_body(&r, "{\"type\":\"https://github.com/confidential-containers/kbs/errors/JweError\",\"detail\":\"a\\nb\\u001b[2J");
        for (int i = 0; i < 300; i++)
                set_body(&r, "0123456789");
        set_body(&r, "\"}");
        ck_assert_int_eq(kbc_problem_classify(RESOURCE, &r, &remedy, &e), -EPROTO);
        ck_assert_str_eq(e.reason, "jwe-refused");
        for (const char *p = e.text; *p; p++)
                ck_assert(*p >= 0x20 && *p <= 0x7e);
}
END_TEST

START_TEST(oversized_body_is_no_problem_report) {
        AUTO_REPLY KbcReply r = { .status = 401 };
        KbcRemedy remedy;

        set_body(&r, "{\"type\":\"https://github.com/confidential-containers/kbs/errors/PolicyDeny\",\"pad\":\"");
        for (size_t i = 0; i < KBC_PROBLEM_MAX; i++)
                set_body(&r, "x");
        set_body(&r, "\"}");
        ck_assert_int_eq(kbc_problem_classify(RESOURCE, &r, &remedy, NULL), -EKEYREJECTED);
}
END_TEST

int main(void) {
        Suite *s = suite_create("keybroker-client");
        TCase *t = tcase_create("problem");

        tcase_add_loop_test(t, type_of_the_problem_decides, 0, N_ELEMENTS(problems));
        tcase_add_loop_test(t, without_a_problem_the_status_decides, 0, N_ELEMENTS(statuses));
        tcase_add_test(t, text_of_the_broker_is_printable_and_cut);
        tcase_add_test(t, oversized_body_is_no_problem_report);
        suite_add_tcase(s, t);
        return unit_run(s);
}
