/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "agent/access.h"
#include "tests/unit/unit.h"

#define UUID "1ab0b1c4-0d4a-4a3f-9f3e-0f7f5f9f2b11"
#define TOKEN(resource) "{\"type\":\"snp-agent\",\"keyslots\":[\"0\"],\"v\":1,\"resource\":\"" resource "\"}"

static const char text[] =
        "[Broker]\nURL=https://h\nCA=system\n"
        "[Agent]\nEvidenceUser=1001\n"
        "[Volume data]\nUUID=" UUID "\nResource=disk/key/data\n"
        "[Secret users]\nResource=app/secret/users\nUser=1000 1001\n"
        "[Secret units]\nResource=app/secret/units\nUnit=db.service web@1.service\n"
        "[Secret both]\nResource=app/secret/both\nUser=1000\nUnit=db.service\n";

static Config *config;

static void load(void) {
        Error e = {};

        ck_assert_msg(config_parse("file", text, sizeof(text) - 1, &config, &e) == 0, "%s", e.text);
}

static void unload(void) {
        config_free(config);
}

static char db_service[] = "db.service", web_service[] = "web@1.service", other_service[] = "db.service.evil.service";

static const struct {
        const char *why;
        uid_t uid;
        char *unit;
        const char *path;
        int want; /* 0: allowed */
        const char *reason;
} resources[] = {
        { "user of the list", 1000, NULL, "app/secret/users", 0, NULL },
        { "second user of the list", 1001, other_service, "app/secret/users", 0, NULL },
        { "user not in the list", 1002, NULL, "app/secret/users", -EPERM, "user-denied" },
        { "root is not in the list", 0, NULL, "app/secret/users", -EPERM, "user-denied" },
        { "unit of the list", 5, db_service, "app/secret/units", 0, NULL },
        { "instance of the list", 5, web_service, "app/secret/units", 0, NULL },
        { "unit whose name begins alike", 5, other_service, "app/secret/units", -EPERM, "unit-denied" },
        { "no unit", 5, NULL, "app/secret/units", -EPERM, "unit-denied" },
        { "root in no unit", 0, NULL, "app/secret/units", -EPERM, "unit-denied" },
        { "user and unit", 1000, db_service, "app/secret/both", 0, NULL },
        { "user, wrong unit", 1000, web_service, "app/secret/both", -EPERM, "unit-denied" },
        { "unit, wrong user", 1001, db_service, "app/secret/both", -EPERM, "user-denied" },
        { "no rule", 1000, db_service, "app/secret/other", -EPERM, "resource-unknown" },
        { "no rule, as root", 0, db_service, "app/secret/other", -EPERM, "resource-unknown" },
        { "a volume's resource is no secret", 0, db_service, "disk/key/data", -EPERM, "resource-unknown" },
        { "case matters", 1000, NULL, "app/secret/Users", -EPERM, "resource-unknown" },
        { "beginning of a name", 1000, NULL, "app/secret/user", -EPERM, "resource-unknown" },
        { "not a name", 1000, NULL, "app/secret", -EBADMSG, "resource-name" },
        { "way around", 1000, NULL, "app/x/../secret/users", -EBADMSG, "resource-name" },
        { "nothing", 1000, NULL, "", -EBADMSG, "resource-name" },
};

START_TEST(resource_is_for_whom_its_rule_names) {
        Peer peer = { .pid = 1, .uid = resources[_i].uid, .unit = resources[_i].unit };
        AccessDecision d = access_resource(config, &peer, resources[_i].path);

        ck_assert_msg((d.outcome == ACCESS_ALLOW) == (resources[_i].want == 0), "%s: %s", resources[_i].why, d.why.text);
        if (resources[_i].want == 0) {
                ck_assert_str_eq(d.resource, resources[_i].path);
                ck_assert_int_eq(d.why.code, 0);
                return;
        }
        ck_assert_ptr_null(d.resource);
        ck_assert_int_eq(d.why.code, resources[_i].want);
        ck_assert_str_eq(d.why.reason, resources[_i].reason);
}
END_TEST

static const struct {
        const char *why;
        uid_t uid;
        const char *uuid, *token, *cipher;
        int want;
        const char *reason;
} volumes[] = {
        { "as it should be", 0, UUID, TOKEN("disk/key/data"), "aes-xts-plain64", 0, NULL },
        { "UUID in capitals", 0, "1AB0B1C4-0D4A-4A3F-9F3E-0F7F5F9F2B11", TOKEN("disk/key/data"), "aes-xts-plain64", 0,
          NULL },
        { "not root", 1000, UUID, TOKEN("disk/key/data"), "aes-xts-plain64", -EPERM, "not-root" },
        { "another volume", 0, "2ab0b1c4-0d4a-4a3f-9f3e-0f7f5f9f2b11", TOKEN("disk/key/data"), "aes-xts-plain64",
          -EPERM, "volume-unknown" },
        { "no UUID", 0, "", TOKEN("disk/key/data"), "aes-xts-plain64", -EPERM, "volume-unknown" },
        { "UUID and more", 0, UUID "0", TOKEN("disk/key/data"), "aes-xts-plain64", -EPERM, "volume-unknown" },
        { "token that points elsewhere", 0, UUID, TOKEN("disk/key/other"), "aes-xts-plain64", -EPERM, "token-mismatch" },
        { "token of a secret", 0, UUID, TOKEN("app/secret/users"), "aes-xts-plain64", -EPERM, "token-mismatch" },
        { "token without a resource", 0, UUID, "{}", "aes-xts-plain64", -EBADMSG, NULL },
        { "token with two resources", 0, UUID, "{\"resource\":\"disk/key/data\",\"resource\":\"disk/key/data\"}",
          "aes-xts-plain64", -EBADMSG, NULL },
        { "token whose resource is a number", 0, UUID, "{\"resource\":1}", "aes-xts-plain64", -EBADMSG, NULL },
        { "token that is no object", 0, UUID, "\"disk/key/data\"", "aes-xts-plain64", -EBADMSG, NULL },
        { "no token", 0, UUID, "", "aes-xts-plain64", -EBADMSG, NULL },
        { "null cipher", 0, UUID, TOKEN("disk/key/data"), "cipher_null-ecb", -EPERM, "cipher-refused" },
        { "null cipher, otherwise spelt", 0, UUID, TOKEN("disk/key/data"), "NULL", -EPERM, "cipher-refused" },
        { "null cipher behind a prefix", 0, UUID, TOKEN("disk/key/data"), "capi:ecb(cipher_null)", -EPERM,
          "cipher-refused" },
        { "no cipher", 0, UUID, TOKEN("disk/key/data"), "", -EPERM, "cipher-refused" },
};

static WireText text_of(const char *s) {
        return (WireText){ .text = s, .len = strlen(s) };
}

START_TEST(volume_key_is_for_root_and_a_header_that_agrees) {
        Peer peer = { .pid = 1, .uid = volumes[_i].uid };
        WireVolumeRequest q = { .uuid = text_of(volumes[_i].uuid), .device = text_of("/dev/x"),
                                .token = text_of(volumes[_i].token), .cipher = text_of(volumes[_i].cipher) };
        AccessDecision d = access_volume(config, &peer, &q);

        ck_assert_msg((d.outcome == ACCESS_ALLOW) == (volumes[_i].want == 0), "%s: %s", volumes[_i].why, d.why.text);
        if (volumes[_i].want == 0) {
                ck_assert_str_eq(d.resource, "disk/key/data");
                ck_assert_str_eq(d.rule, "data");
                return;
        }
        ck_assert_ptr_null(d.resource);
        ck_assert_msg(d.why.code == volumes[_i].want, "%s: %d %s", volumes[_i].why, d.why.code, d.why.text);
        if (volumes[_i].reason)
                ck_assert_str_eq(d.why.reason, volumes[_i].reason);
}
END_TEST

START_TEST(evidence_is_for_root_and_whom_the_configuration_names) {
        ck_assert_int_eq(access_evidence(config, &(Peer){ .uid = 0 }).outcome, ACCESS_ALLOW);
        ck_assert_int_eq(access_evidence(config, &(Peer){ .uid = 1001 }).outcome, ACCESS_ALLOW);
        ck_assert_int_eq(access_evidence(config, &(Peer){ .uid = 1000 }).outcome, ACCESS_DENY);
}
END_TEST

START_TEST(handshake_is_for_root) {
        ck_assert_int_eq(access_attest(&(Peer){ .uid = 0 }).outcome, ACCESS_ALLOW);
        ck_assert_int_eq(access_attest(&(Peer){ .uid = 1001 }).outcome, ACCESS_DENY);
}
END_TEST

START_TEST(without_rules_nobody_gets_anything) {
        CLEANUP(config_freep) Config *empty = NULL;
        Peer root = { .uid = 0, .unit = db_service };
        WireVolumeRequest q = { .uuid = text_of(UUID), .token = text_of(TOKEN("disk/key/data")),
                                .cipher = text_of("aes-xts-plain64") };

        ck_assert_int_eq(config_parse("file", "", 0, &empty, NULL), 0);
        ck_assert_int_eq(access_volume(empty, &root, &q).outcome, ACCESS_DENY);
        ck_assert_int_eq(access_resource(empty, &root, "app/secret/users").outcome, ACCESS_DENY);
}
END_TEST

/* The parser lets no such rule in; whoever builds one by other means gives nothing away. */
START_TEST(a_rule_that_names_nobody_lets_nobody_in) {
        char name[] = "nobody", resource[] = "app/secret/nobody";
        ConfigSecret secret = { .name = name, .resource = resource };
        const Config c = { .secrets = &secret, .n_secrets = 1 };
        const Peer root = { .pid = 1, .unit = db_service };
        AccessDecision d = access_resource(&c, &root, resource);

        ck_assert_int_eq(d.outcome, ACCESS_DENY);
        ck_assert_str_eq(error_reason(&d.why, d.why.code), "user-denied");
}
END_TEST

START_TEST(a_decision_that_was_never_made_denies) {
        AccessDecision d = {};

        ck_assert_int_eq(d.outcome, ACCESS_DENY);
}
END_TEST

int main(void) {
        Suite *s = suite_create("access");
        TCase *tc = tcase_create("access");

        tcase_add_checked_fixture(tc, load, unload);
        tcase_add_loop_test(tc, resource_is_for_whom_its_rule_names, 0, (int) N_ELEMENTS(resources));
        tcase_add_loop_test(tc, volume_key_is_for_root_and_a_header_that_agrees, 0, (int) N_ELEMENTS(volumes));
        tcase_add_test(tc, evidence_is_for_root_and_whom_the_configuration_names);
        tcase_add_test(tc, handshake_is_for_root);
        tcase_add_test(tc, without_rules_nobody_gets_anything);
        tcase_add_test(tc, a_rule_that_names_nobody_lets_nobody_in);
        tcase_add_test(tc, a_decision_that_was_never_made_denies);
        suite_add_tcase(s, tc);
        return unit_run(s);
}
