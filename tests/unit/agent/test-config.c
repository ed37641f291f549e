/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/config/config.h"
#include "agent/config/keys.h"
#include "base/file.h"
#include "tests/unit/unit.h"

static const char golden[] =
        "# every key once\n"
        "[Attester]\n"
        "Socket=/run/t/attester.sock\n"
        "Source=configfs-tsm\n"
        "TsmPath=/tmp/tsm/report\n"
        "DevicePath=/tmp/sev-guest\n"
        "Vmpl=2\n"
        "IdleTimeout=1500ms\n"
        "RequestTimeout=2min\n"
        "ReportInterval=500ms\n"
        "AllowUser=0 1234\n"
        "DeriveKeyUser=0 77\n"
        "\n"
        "[Tpm]\n"
        "Tcti=swtpm:path=/tmp/tpm.sock\n"
        "Ak=handle:0x81000003\n"
        "[Broker]\n"
        "URL=https://kbs.example:8443/base\n"
        "CA=/etc/snp-agent/kbs.pem\n"
        "Tee=snp\n"
        "TeeKey=ec-p521\n"
        "RequestTimeout=10\n"
        "Deadline=90s\n"
        "[Trust]\n"
        "TestRoot=/tmp/ark.pem\n"
        "[Agent]\n"
        "Socket=/run/t/agent.sock\n"
        "RestSocket=none\n"
        "MaxRequests=7\n"
        "EvidenceUser=1001\n"
        "[Volume data]\n"
        "UUID=1AB0B1C4-0d4a-4a3f-9f3e-0f7f5f9f2b11\n"
        "Resource=default/disk/data\n"
        "[Volume db-2]\n"
        "UUID=2ab0b1c4-0d4a-4a3f-9f3e-0f7f5f9f2b11\n"
        "Resource=default/disk/db\n"
        "  ; an indented comment\n"
        "[Secret db.password]\n"
        "Resource = default/db/password\n"
        "User=1000\troot\n"
        "Unit=postgresql@15-main.service user-1000.scope\n"
        "[Collateral]\n"
        "Fetch=never\n"
        "Cache=/tmp/cache\n"
        "Kds=https://one.example/kds http://127.0.0.1:8080\n"
        "KdsCA=/etc/snp-agent/kds.pem\n"
        "CloudEndpoint=http://169.254.169.254/x\n"
        "Crl=hard\n"
        "RequestTimeout=5s\n"
        "Deadline=10s\n"
        "Pause=20ms\n"
        "Retry=1h\n";

static Config *parse(const char *text) {
        Config *c = NULL;
        Error e = {};

        ck_assert_msg(config_parse("file", text, strlen(text), &c, &e) == 0, "%s", e.text);
        return c;
}

static const struct {
        const char *text;
        ConfigAk want;
} aks[] = {
        { "rsa2048", CONFIG_AK_RSA2048 }, { "ecc-p256", CONFIG_AK_ECC_P256 }, { "ecc-p384", CONFIG_AK_ECC_P384 },
        { "azure", CONFIG_AK_AZURE },     { "gcp-rsa", CONFIG_AK_GCP_RSA },   { "gcp-ecc", CONFIG_AK_GCP_ECC },
        { "auto", CONFIG_AK_AUTO },       { "handle:0x81000003", CONFIG_AK_HANDLE },
};

START_TEST(every_attestation_key_has_a_word) {
        char text[64];

        (void) snprintf(text, sizeof(text), "[Tpm]\nAk=%s\n", aks[_i].text);
        CLEANUP(config_freep) Config *c = parse(text);
        ck_assert_int_eq(c->tpm.ak, aks[_i].want);
} END_TEST

START_TEST(golden_file_is_read_field_by_field) {
        CLEANUP(config_freep) Config *c = parse(golden);

        ck_assert_str_eq(c->attester.socket, "/run/t/attester.sock");
        ck_assert_int_eq(c->attester.source, CONFIG_SOURCE_CONFIGFS_TSM);
        ck_assert_str_eq(c->attester.tsm_path, "/tmp/tsm/report");
        ck_assert_str_eq(c->attester.device_path, "/tmp/sev-guest");
        ck_assert_uint_eq(c->attester.vmpl, 2);
        ck_assert_uint_eq(c->attester.idle_timeout_usec, 1500000);
        ck_assert_uint_eq(c->attester.request_timeout_usec, 120000000);
        ck_assert_uint_eq(c->attester.report_interval_usec, 500000);
        ck_assert_uint_eq(c->attester.allow_users.n, 2);
        ck_assert(config_users_have(&c->attester.allow_users, 1234));
        ck_assert(!config_users_have(&c->attester.allow_users, 1235));
        ck_assert_uint_eq(c->attester.key_users.n, 2);
        ck_assert(config_users_have(&c->attester.key_users, 77));
        ck_assert_str_eq(c->tpm.tcti, "swtpm:path=/tmp/tpm.sock");
        ck_assert_int_eq(c->tpm.ak, CONFIG_AK_HANDLE);
        ck_assert_uint_eq(c->tpm.ak_handle, 0x81000003);
        ck_assert_str_eq(c->broker.url, "https://kbs.example:8443/base");
        ck_assert_str_eq(c->broker.ca_file, "/etc/snp-agent/kbs.pem");
        ck_assert(!c->broker.use_system_ca);
        ck_assert_int_eq(c->broker.tee, CONFIG_TEE_SNP);
        ck_assert_int_eq(c->broker.tee_key, CONFIG_TEE_KEY_EC_P521);
        ck_assert_uint_eq(c->broker.request_timeout_usec, 10000000);
        ck_assert_uint_eq(c->broker.deadline_usec, 90000000);
        ck_assert_str_eq(c->trust.test_root, "/tmp/ark.pem");
        ck_assert_str_eq(c->agent.socket, "/run/t/agent.sock");
        ck_assert_ptr_null(c->agent.rest_socket);
        ck_assert_uint_eq(c->agent.max_requests, 7);
        ck_assert(config_users_have(&c->agent.evidence_users, 1001));
        ck_assert(!config_users_have(&c->agent.evidence_users, 0));
}
END_TEST

START_TEST(golden_collateral_is_read_field_by_field) {
        CLEANUP(config_freep) Config *c = parse(golden);
        const ConfigCollateral *k = &c->collateral;

        ck_assert_int_eq(k->fetch, CONFIG_FETCH_NEVER);
        ck_assert_str_eq(k->cache, "/tmp/cache");
        ck_assert_uint_eq(k->kds.n, 2);
        ck_assert(!k->kds.none);
        ck_assert_str_eq(k->kds.urls[0], "https://one.example/kds");
        ck_assert_str_eq(k->kds.urls[1], "http://127.0.0.1:8080");
        ck_assert_str_eq(k->kds_ca, "/etc/snp-agent/kds.pem");
        ck_assert_int_eq(k->cloud, CONFIG_CLOUD_THIM);
        ck_assert_str_eq(k->cloud_url, "http://169.254.169.254/x");
        ck_assert_int_eq(k->crl, CONFIG_CRL_HARD);
        ck_assert_uint_eq(k->request_timeout_usec, 5000000);
        ck_assert_uint_eq(k->deadline_usec, 10000000);
        ck_assert_uint_eq(k->pause_usec, 20000);
        ck_assert_uint_eq(k->retry_usec, UINT64_C(3600000000));
}
END_TEST

START_TEST(collateral_can_be_had_from_nobody) {
        CLEANUP(config_freep) Config *c = parse("[Collateral]\nCache=none\nKds=none\nKdsCA=system\nCloudEndpoint=none\n");

        ck_assert_ptr_null(c->collateral.cache);
        ck_assert(c->collateral.kds.none);
        ck_assert_uint_eq(c->collateral.kds.n, 0);
        ck_assert_ptr_null(c->collateral.kds_ca);
        ck_assert_int_eq(c->collateral.cloud, CONFIG_CLOUD_NONE);
        ck_assert_ptr_null(c->collateral.cloud_url);
}
END_TEST

#define BROKER "[Broker]\nURL=https://h\nCA=system\n"

START_TEST(azure_has_a_source_and_a_kind_of_evidence_of_its_own) {
        static const char text[] = BROKER "Tee=az-snp-vtpm\n[Attester]\nSource=azure\n[Tpm]\nTcti=device:/dev/tpmrm0\n";
        CLEANUP(config_freep) Config *c = NULL;
        Error e = {};

        ck_assert_msg(config_parse("file", text, strlen(text), &c, &e) == 0, "%s", e.text);
        ck_assert_int_eq(c->attester.source, CONFIG_SOURCE_AZURE);
        ck_assert_int_eq(c->broker.tee, CONFIG_TEE_AZ_SNP_VTPM);
}
END_TEST

START_TEST(golden_rules_are_read_and_found) {
        CLEANUP(config_freep) Config *c = parse(golden);
        const ConfigVolume *v;
        const ConfigSecret *s;

        ck_assert_uint_eq(c->n_volumes, 2);
        v = config_find_volume(c, "1ab0b1c4-0D4A-4a3f-9f3e-0f7f5f9f2b11", 36);
        ck_assert_ptr_nonnull(v);
        ck_assert_str_eq(v->name, "data");
        ck_assert_str_eq(v->uuid, "1ab0b1c4-0d4a-4a3f-9f3e-0f7f5f9f2b11");
        ck_assert_str_eq(v->resource, "default/disk/data");
        ck_assert_str_eq(v->place.file, "file");
        ck_assert_uint_eq(v->place.line, 31);
        ck_assert_ptr_null(config_find_volume(c, "3ab0b1c4-0d4a-4a3f-9f3e-0f7f5f9f2b11", 36));
        ck_assert_ptr_null(config_find_volume(c, "1ab0b1c4-0d4a-4a3f-9f3e-0f7f5f9f2b1", 35));
        ck_assert_ptr_null(config_find_volume(c, "", 0));

        ck_assert_uint_eq(c->n_secrets, 1);
        s = config_find_secret(c, "default/db/password");
        ck_assert_ptr_nonnull(s);
        ck_assert_str_eq(s->name, "db.password");
        ck_assert_uint_eq(s->users.n, 2);
        ck_assert_uint_eq(s->users.uids[0], 1000);
        ck_assert_uint_eq(s->users.uids[1], 0);
        ck_assert_uint_eq(s->units.n, 2);
        ck_assert(config_units_have(&s->units, "postgresql@15-main.service"));
        ck_assert(config_units_have(&s->units, "user-1000.scope"));
        ck_assert(!config_units_have(&s->units, "postgresql"));
        ck_assert_ptr_null(config_find_secret(c, "default/db/passwor"));
}
END_TEST

START_TEST(nothing_configured_means_defaults_and_no_rule) {
        CLEANUP(config_freep) Config *c = parse("");

        ck_assert_str_eq(c->attester.socket, "/run/snp-agent/attester.sock");
        ck_assert_int_eq(c->attester.source, CONFIG_SOURCE_AUTO);
        ck_assert_uint_eq(c->attester.vmpl, UINT32_MAX);
        ck_assert_uint_eq(c->attester.report_interval_usec, 2000000);
        ck_assert_uint_eq(c->attester.key_users.n, 0);
        ck_assert_ptr_null(c->tpm.tcti);
        ck_assert_ptr_null(c->broker.url);
        ck_assert_ptr_null(c->broker.ca_file);
        ck_assert(!c->broker.use_system_ca);
        ck_assert_ptr_null(c->trust.test_root);
        ck_assert_str_eq(c->agent.rest_socket, "/run/snp-agent/rest.sock");
        ck_assert_uint_eq(c->n_volumes, 0);
        ck_assert_uint_eq(c->n_secrets, 0);
        ck_assert_int_eq(c->collateral.fetch, CONFIG_FETCH_BACKGROUND);
        ck_assert_uint_eq(c->collateral.kds.n, 1);
        ck_assert_ptr_null(c->collateral.kds_ca);
        ck_assert_int_eq(c->collateral.cloud, CONFIG_CLOUD_AUTO);
        ck_assert_int_eq(c->collateral.crl, CONFIG_CRL_SOFT);
}
END_TEST

START_TEST(every_default_is_accepted_by_its_own_parser) {
        for (size_t i = 0; i < n_config_keys; i++) {
                const ConfigKey *key = &config_keys[i];

                ck_assert_ptr_eq(config_key_find(key->section, key->name), key);
        }
        ck_assert_ptr_null(config_key_find("Tpm", "Socket"));
        ck_assert_ptr_null(config_key_find("tpm", "Tcti"));
}
END_TEST

#define UUID1 "UUID=1ab0b1c4-0d4a-4a3f-9f3e-0f7f5f9f2b11\n"
#define LONG_NAME "a123456789b123456789c123456789d123456789"
#define HUNDRED "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"

static const struct {
        const char *text, *reason, *want; /* @want: what the sentence must contain */
} errors[] = {
        /* form */
        { "[Agent]\nMaxRequests=3", "config-truncated", "file:2: the last line" },
        { "Socket=/x\n", "config-syntax", "file:1: a key before" },
        { "[Agent\n", "config-syntax", "file:1: a section's line" },
        { "[Agent] # x\n", "config-syntax", "file:1: a section's line" },
        { "\n[Nothing]\n", "config-section", "file:2: unknown section [Nothing]" },
        { "[agent]\n", "config-section", "unknown section [agent]" },
        { "[]\n", "config-section", "file:1: unknown section []" },
        { "[Volume]\n", "config-section", "unknown section [Volume]" },
        { "[Volume ]\n", "config-section", "file:1: a section's name" },
        { "[Volume a b]\n", "config-section", "file:1: a section's name" },
        { "[Volume ../x]\n", "config-section", "file:1: a section's name" },
        { "[Volume -x]\n", "config-section", "file:1: a section's name" },
        { "[Secret " LONG_NAME "x]\n", "config-section", "file:1: a section's name" },
        { "[Agent]\nsocket=/x\n", "config-key", "file:2: unknown key socket= in section [Agent]" },
        { "[Agent]\nTcti=x\n", "config-key", "file:2: unknown key Tcti=" },
        { "[Agent]\nMaxRequests=1\n\nMaxRequests=1\n", "config-duplicate", "file:4: MaxRequests= is given twice" },
        { "[Agent]\nMaxRequests=1\n[Tpm]\n[Agent]\nMaxRequests=1\n", "config-duplicate", "file:5:" },
        { "[Agent]\nMaxRequests: 1\n", "config-syntax", "file:2: expected" },
        { "[Agent]\nMaxRequests\n", "config-syntax", "file:2: expected" },
        { "[Agent]\n=1\n", "config-syntax", "file:2: expected" },
        { "[Agent]\nMax-Requests=1\n", "config-syntax", "file:2: expected" },
        { "[Agent]\n MaxRequests=1\n", "config-syntax", "file:2: only blank" },
        { "[Agent]\nMaxRequests=1 ; x\n", "config-syntax", "file:2: a comment" },
        { "[Agent]\nMaxRequests=1\r\n", "config-syntax", "file:2: control" },
        { "\xef\xbb\xbf[Agent]\n", "config-syntax", "file:1: expected" },
        { "#" HUNDRED HUNDRED "\n", "config-limit", "file:1: the line is longer" },
        /* values */
        { "[Attester]\nSocket=relative\n", "config-value", "file:2: Socket=: expected an absolute path" },
        { "[Attester]\nSocket=/a/../b\n", "config-value", "file:2: Socket=:" },
        { "[Attester]\nSocket=/a/\n", "config-value", "file:2: Socket=:" },
        { "[Attester]\nSocket=/" HUNDRED "1234567\n", "config-value", "107" },
        { "[Attester]\nSource=tdx\n", "config-value", "file:2: Source=: expected 'auto'" },
        { "[Attester]\nTsmPath=x\n", "config-value", "file:2: TsmPath=:" },
        { "[Attester]\nVmpl=4\n", "config-value", "file:2: Vmpl=:" },
        { "[Attester]\nVmpl=-1\n", "config-value", "file:2: Vmpl=:" },
        { "[Attester]\nIdleTimeout=2days\n", "config-value", "file:2: IdleTimeout=:" },
        { "[Attester]\nIdleTimeout=25h\n", "config-value", "file:2: IdleTimeout=:" },
        { "[Attester]\nRequestTimeout=0\n", "config-value", "file:2: RequestTimeout=:" },
        { "[Attester]\nRequestTimeout=11min\n", "config-value", "file:2: RequestTimeout=:" },
        { "[Attester]\nReportInterval=often\n", "config-value", "file:2: ReportInterval=:" },
        { "[Attester]\nReportInterval=61s\n", "config-value", "file:2: ReportInterval=:" },
        { "[Attester]\nDeriveKeyUser=no-such-user\n", "config-value", "there is no user 'no-such-user'" },
        { "[Attester]\nAllowUser=no-such-user\n", "config-value", "there is no user 'no-such-user'" },
        { "[Attester]\nAllowUser=4294967295\n", "config-value", "'4294967295' is not a user" },
        { "[Attester]\nAllowUser=0x10\n", "config-value", "'0x10' is not a user" },
        { "[Attester]\nAllowUser=1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17\n", "config-value", "at most 16" },
        { "[Tpm]\nAk=rsa4096\n", "config-value", "file:2: Ak=:" },
        { "[Tpm]\nAk=handle:81000003\n", "config-value", "file:2: Ak=:" },
        { "[Tpm]\nAk=handle:0x80000003\n", "config-value", "file:2: Ak=:" },
        { "[Tpm]\nAk=handle:0x\n", "config-value", "file:2: Ak=:" },
        { "[Broker]\nURL=http://h\n", "config-value", "file:2: URL=: expected https" },
        { "[Broker]\nURL=https://\n", "config-value", "file:2: URL=:" },
        { "[Broker]\nURL=https:///path\n", "config-value", "file:2: URL=:" },
        { "[Broker]\nURL=https://u:p@h\n", "config-value", "file:2: URL=:" },
        { "[Broker]\nURL=https://h?x=y\n", "config-value", "file:2: URL=:" },
        { "[Broker]\nCA=bundle.pem\n", "config-value", "file:2: CA=:" },
        { "[Broker]\nTee=tdx\n", "config-value", "file:2: Tee=:" },
        { "[Broker]\nTeeKey=rsa\n", "config-value", "file:2: TeeKey=:" },
        { "[Broker]\nDeadline=soon\n", "config-value", "file:2: Deadline=:" },
        { "[Trust]\nTestRoot=ark.pem\n", "config-value", "file:2: TestRoot=:" },
        { "[Agent]\nRestSocket=no\n", "config-value", "file:2: RestSocket=:" },
        { "[Agent]\nMaxRequests=0\n", "config-value", "file:2: MaxRequests=:" },
        { "[Agent]\nMaxRequests=65\n", "config-value", "file:2: MaxRequests=:" },
        { "[Collateral]\nFetch=yes\n", "config-value", "file:2: Fetch=: expected 'never'" },
        { "[Collateral]\nCache=collateral\n", "config-value", "file:2: Cache=:" },
        { "[Collateral]\nKds=kdsintf.amd.com\n", "config-value", "file:2: Kds=: expected https" },
        { "[Collateral]\nKds=https://a ftp://b\n", "config-value", "file:2: Kds=:" },
        { "[Collateral]\nKds=https://u@a\n", "config-value", "file:2: Kds=:" },
        { "[Collateral]\nKds=none https://a\n", "config-value", "file:2: Kds=:" },
        { "[Collateral]\nKds=https://1 https://2 https://3 https://4 https://5 https://6 https://7 https://8 https://9\n",
          "config-value", "at most 8" },
        { "[Collateral]\nKdsCA=x.pem\n", "config-value", "file:2: KdsCA=:" },
        { "[Collateral]\nCloudEndpoint=azure\n", "config-value", "file:2: CloudEndpoint=:" },
        { "[Collateral]\nCrl=maybe\n", "config-value", "file:2: Crl=:" },
        { "[Collateral]\nPause=1ms\n", "config-value", "file:2: Pause=:" },
        { "[Collateral]\nRetry=25h\n", "config-value", "file:2: Retry=:" },
        { "[Volume a]\nUUID=1ab0b1c4-0d4a-4a3f-9f3e-0f7f5f9f2b1\n", "config-value", "file:2: UUID=:" },
        { "[Volume a]\nUUID=1ab0b1c4-0d4a-4a3f-9f3e-0f7f5f9f2b1g\n", "config-value", "file:2: UUID=:" },
        { "[Volume a]\nUUID=1ab0b1c400d4a-4a3f-9f3e-0f7f5f9f2b11\n", "config-value", "file:2: UUID=:" },
        { "[Volume a]\nResource=default/key\n", "config-value", "file:2: Resource=:" },
        { "[Volume a]\nResource=default/../key\n", "config-value", "file:2: Resource=:" },
        { "[Secret a]\nUnit=*.service\n", "config-value", "file:2: Unit=:" },
        { "[Secret a]\nUnit=nginx\n", "config-value", "file:2: Unit=:" },
        { "[Secret a]\nUnit=.service\n", "config-value", "file:2: Unit=:" },
        { "[Secret a]\nUnit=a.service b/c.service\n", "config-value", "file:2: Unit=:" },
        /* what is missing */
        { "\n[Broker]\nURL=https://h\n", "config-incomplete", "file:2: URL= needs CA=" },
        { BROKER "Tee=az-snp-vtpm\n", "config-incomplete", "Tee=az-snp-vtpm and Source=azure" },
        { BROKER "[Attester]\nSource=azure\n[Tpm]\nTcti=device:/dev/tpmrm0\n", "config-incomplete",
          "Tee=az-snp-vtpm and Source=azure" },
        { BROKER "Tee=az-snp-vtpm\n[Attester]\nSource=azure\n", "config-incomplete", "Tee=az-snp-vtpm needs a Tcti=" },
        { BROKER "[Volume a]\nResource=a/b/c\n", "config-incomplete", "file:4: a volume needs UUID=" },
        { BROKER "[Volume a]\n" UUID1, "config-incomplete", "file:4: a volume needs UUID= and Resource=" },
        { "[Volume a]\n" UUID1 "Resource=a/b/c\n", "config-incomplete", "file:1: a volume needs a URL=" },
        { BROKER "[Volume a]\n" UUID1 "Resource=a/b/c\n[Volume b]\n" UUID1 "Resource=a/b/d\n", "config-incomplete",
          "file:7: two volumes" },
        { BROKER "[Secret a]\nResource=a/b/c\n", "config-incomplete", "file:4: a secret needs User= or Unit=" },
        { BROKER "[Secret a]\nUser=0\n", "config-incomplete", "file:4: a secret needs Resource=" },
        { "[Secret a]\nResource=a/b/c\nUser=0\n", "config-incomplete", "file:1: a secret needs a URL=" },
        { BROKER "[Secret a]\nResource=a/b/c\nUser=0\n[Secret b]\nResource=a/b/c\nUser=1\n", "config-incomplete",
          "file:7: two secrets" },
};

/* "file:N: " */
static bool text_begins_with_place(const char *text) {
        size_t digits = strncmp(text, "file:", 5) == 0 ? strspn(text + 5, "0123456789") : 0;

        return digits > 0 && strncmp(text + 5 + digits, ": ", 2) == 0;
}

START_TEST(mistake_is_told_with_file_and_line) {
        Config *c = NULL;
        Error e = {};
        int r = config_parse("file", errors[_i].text, strlen(errors[_i].text), &c, &e);

        ck_assert_msg(r == -EINVAL, "accepted (%d): %s", r, errors[_i].text);
        ck_assert_ptr_null(c);
        ck_assert_msg(strcmp(e.reason, errors[_i].reason) == 0, "%s: %s %s", errors[_i].text, e.reason, e.text);
        ck_assert_msg(strstr(e.text, errors[_i].want), "'%s' is not in '%s'", errors[_i].want, e.text);
        ck_assert_msg(text_begins_with_place(e.text), "no place in '%s'", e.text);
}
END_TEST

static const struct {
        const char *why, *text;
} fine[] = {
        { "no comment is needed", "[Agent]\nMaxRequests=1\n" },
        { "white space around the value", "[Agent]\nMaxRequests =  1  \n" },
        { "a section without keys", "[Tpm]\n" },
        { "a section opened twice", "[Agent]\nMaxRequests=1\n[Tpm]\n[Agent]\nSocket=/x\n" },
        { "empty value stands for the default", "[Agent]\nSocket=\nRestSocket=\nMaxRequests=\n" },
        { "empty list", "[Attester]\nAllowUser=\n" },
        { "a semicolon inside a value", "[Tpm]\nTcti=swtpm:host=h;x\n" },
        { "longest name", "[Secret " LONG_NAME "]\nResource=a/b/c\nUser=0\n" BROKER },
        { "the same key in two volumes",
          BROKER "[Volume a]\n" UUID1 "Resource=a/b/c\n[Volume b]\nUUID=2ab0b1c4-0d4a-4a3f-9f3e-0f7f5f9f2b11\n"
                 "Resource=a/b/c\n" },
};

START_TEST(lenient_where_nothing_can_be_misread) {
        CLEANUP(config_freep) Config *c = NULL;
        Error e = {};

        ck_assert_msg(config_parse("file", fine[_i].text, strlen(fine[_i].text), &c, &e) == 0, "%s: %s", fine[_i].why,
                      e.text);
}
END_TEST

START_TEST(every_truncation_is_an_error_unless_it_cuts_whole_lines) {
        for (size_t n = 0; n < sizeof(golden) - 1; n++) {
                CLEANUP(config_freep) Config *c = NULL;
                Error e = {};
                int r = config_parse("file", golden, n, &c, &e);

                if (n > 0 && golden[n - 1] != '\n') {
                        ck_assert_msg(r == -EINVAL, "%zu bytes: %d", n, r);
                        ck_assert_msg(strncmp(e.text, "file:", 5) == 0, "%zu bytes: %s", n, e.text);
                        ck_assert_ptr_null(c);
                } else {
                        ck_assert(r == 0 || strcmp(e.reason, "config-incomplete") == 0);
                }
        }
}
END_TEST

START_TEST(every_bit_flip_is_survived) {
        AUTO_FREE char *text = strdup(golden);

        for (size_t bit = 0; bit < 8 * (sizeof(golden) - 1); bit++) {
                CLEANUP(config_freep) Config *c = NULL;
                Error e = {};
                int r;

                text[bit / 8] = (char) (text[bit / 8] ^ 1 << bit % 8);
                r = config_parse("file", text, sizeof(golden) - 1, &c, &e);
                ck_assert_msg(r == 0 || r == -EINVAL, "bit %zu: %d %s", bit, r, e.text);
                ck_assert((r == 0) == (c != NULL));
                text[bit / 8] = (char) (text[bit / 8] ^ 1 << bit % 8);
        }
}
END_TEST

START_TEST(file_with_a_nul_is_rejected) {
        static const char text[] = "[Agent]\nMaxRequests=1\0\n";
        Config *c = NULL;
        Error e = {};

        ck_assert_int_eq(config_parse("file", text, sizeof(text) - 1, &c, &e), -EINVAL);
        ck_assert_ptr_nonnull(strstr(e.text, "file:2: control"));
}
END_TEST

START_TEST(counts_have_limits) {
        static const struct {
                const char *form;
                unsigned max;
                const char *why;
        } kinds[] = {
                { "[Volume v%u]\nUUID=%08x-0d4a-4a3f-9f3e-0f7f5f9f2b11\nResource=a/b/c\n", CONFIG_VOLUMES_MAX,
                  "more than 64 volumes" },
                { "[Secret s%u]\nUser=0\nResource=a/b/c%x\n", CONFIG_SECRETS_MAX, "more than 256 secrets" },
        };

        for (unsigned more = 0; more < 2; more++) {
                CLEANUP(config_freep) Config *c = NULL;
                char text[CONFIG_FILE_SIZE_MAX];
                Error e = {};
                int r, n = snprintf(text, sizeof(text), BROKER);

                for (unsigned i = 0; i < kinds[_i].max + more; i++)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
                        n += snprintf(text + n, sizeof(text) - (size_t) n, kinds[_i].form, i, i);
#pragma GCC diagnostic pop
                r = config_parse("file", text, (size_t) n, &c, &e);
                ck_assert_msg(r == (more ? -EINVAL : 0), "%d %s", r, e.text);
                if (more)
                        ck_assert_msg(strstr(e.text, kinds[_i].why), "%s", e.text);
        }
}
END_TEST

START_TEST(file_over_the_limit_is_rejected) {
        AUTO_FREE char *text = malloc(CONFIG_FILE_SIZE_MAX + 1);
        Config *c = NULL;
        Error e = {};

        (void) memset(text, '\n', CONFIG_FILE_SIZE_MAX + 1);
        ck_assert_int_eq(config_parse("file", text, CONFIG_FILE_SIZE_MAX + 1, &c, &e), -E2BIG);
        ck_assert_ptr_null(c);
}
END_TEST

/* Files in a private tree of three directories, as /etc, /run and /usr/lib would be. */
static char root[] = "/tmp/test-config-XXXXXX";
static char dirs_text[3][64];
static const char *dirs[3] = { dirs_text[0], dirs_text[1], dirs_text[2] };

static void make_tree(void) {
        (void) strcpy(root + sizeof(root) - 7, "XXXXXX");
        ck_assert_ptr_nonnull(mkdtemp(root));
        for (unsigned i = 0; i < 3; i++)
                (void) snprintf(dirs_text[i], sizeof(dirs_text[i]), "%s/%s", root,
                                (const char *const[]){ "etc", "run", "usr" }[i]);
}

static void remove_tree(void) {
        char command[64];

        (void) snprintf(command, sizeof(command), "rm -rf %s", root);
        ck_assert_int_eq(system(command), 0);
}

static void put(const char *path, const char *text) {
        char full[128], parent[128];
        Error e = {};

        (void) snprintf(full, sizeof(full), "%s/%s", root, path);
        for (size_t i = sizeof(root); full[i]; i++)
                if (full[i] == '/') {
                        (void) memcpy(parent, full, i);
                        parent[i] = 0;
                        (void) mkdir(parent, 0700);
                }
        ck_assert_msg(file_write_atomic(full, text, strlen(text), 0600, &e) == 0, "%s", e.text);
}

static uint32_t requests_of(const char *socket) {
        CLEANUP(config_freep) Config *c = NULL;
        Error e = {};

        ck_assert_msg(config_load_dirs(dirs, 3, &c, &e) == 0, "%s", e.text);
        if (socket)
                ck_assert_str_eq(c->agent.socket, socket);
        return c->agent.max_requests;
}

START_TEST(no_file_at_all_is_fine_unless_one_was_named) {
        Config *c = NULL;
        char path[64];
        Error e = {};

        ck_assert_uint_eq(requests_of(NULL), 64);
        (void) snprintf(path, sizeof(path), "%s/absent.conf", root);
        ck_assert_int_eq(config_load(path, &c, &e), -ENOENT);
        ck_assert_ptr_nonnull(strstr(e.text, path));
}
END_TEST

START_TEST(main_file_comes_from_the_first_directory_alone) {
        put("usr/snp-agent.conf", "[Agent]\nMaxRequests=1\nSocket=/usr-alone\n");
        ck_assert_uint_eq(requests_of("/usr-alone"), 1);
        put("run/snp-agent.conf", "[Agent]\nMaxRequests=2\n");
        ck_assert_uint_eq(requests_of("/run/snp-agent/agent.sock"), 2);
        put("etc/snp-agent.conf", "[Agent]\nMaxRequests=3\n");
        ck_assert_uint_eq(requests_of(NULL), 3);
}
END_TEST

START_TEST(drop_ins_follow_in_order_of_name_whatever_their_directory) {
        put("etc/snp-agent.conf", "[Agent]\nMaxRequests=1\n");
        put("etc/snp-agent.conf.d/10-a.conf", "[Agent]\nMaxRequests=10\nSocket=/ten\n");
        put("usr/snp-agent.conf.d/20-b.conf", "[Agent]\nMaxRequests=20\n");
        put("run/snp-agent.conf.d/15-c.conf", "[Agent]\nMaxRequests=15\nSocket=/fifteen\n");
        ck_assert_uint_eq(requests_of("/fifteen"), 20);
}
END_TEST

START_TEST(drop_in_of_the_same_name_is_taken_from_the_first_directory) {
        put("usr/snp-agent.conf.d/a.conf", "[Agent]\nMaxRequests=1\nSocket=/usr-alone\n");
        put("run/snp-agent.conf.d/a.conf", "[Agent]\nMaxRequests=2\n");
        ck_assert_uint_eq(requests_of("/run/snp-agent/agent.sock"), 2);
        put("etc/snp-agent.conf.d/a.conf", "");
        ck_assert_uint_eq(requests_of(NULL), 64);
}
END_TEST

START_TEST(other_names_in_the_directory_are_no_drop_ins) {
        put("etc/snp-agent.conf.d/a.conf~", "garbage");
        put("etc/snp-agent.conf.d/.b.conf", "garbage");
        put("etc/snp-agent.conf.d/README", "garbage");
        put("etc/snp-agent.conf.d/.conf", "garbage");
        ck_assert_uint_eq(requests_of(NULL), 64);
}
END_TEST

START_TEST(empty_value_in_a_drop_in_brings_the_default_back) {
        put("etc/snp-agent.conf", "[Agent]\nMaxRequests=1\n");
        put("etc/snp-agent.conf.d/a.conf", "[Agent]\nMaxRequests=\n");
        ck_assert_uint_eq(requests_of(NULL), 64);
}
END_TEST

START_TEST(mistake_in_a_drop_in_names_that_file) {
        Config *c = NULL;
        Error e = {};

        put("etc/snp-agent.conf", "[Agent]\nMaxRequests=1\n");
        put("run/snp-agent.conf.d/a.conf", "\n[Agent]\nMax=1\n");
        ck_assert_int_eq(config_load_dirs(dirs, 3, &c, &e), -EINVAL);
        ck_assert_ptr_nonnull(strstr(e.text, "/run/snp-agent.conf.d/a.conf:3: unknown key Max="));
        ck_assert_ptr_null(c);
}
END_TEST

START_TEST(rule_may_be_completed_by_a_drop_in) {
        CLEANUP(config_freep) Config *c = NULL;
        Error e = {};

        put("usr/snp-agent.conf", "[Volume a]\nResource=a/b/c\n");
        put("etc/snp-agent.conf.d/a.conf", BROKER "[Volume a]\n" UUID1);
        ck_assert_msg(config_load_dirs(dirs, 3, &c, &e) == 0, "%s", e.text);
        ck_assert_uint_eq(c->n_volumes, 1);
        ck_assert_str_eq(c->volumes[0].resource, "a/b/c");
        ck_assert_ptr_nonnull(strstr(c->volumes[0].place.file, "usr/snp-agent.conf"));
}
END_TEST

START_TEST(named_file_is_read_with_its_own_drop_ins_alone) {
        CLEANUP(config_freep) Config *c = NULL;
        char path[64];
        Error e = {};

        put("etc/snp-agent.conf.d/a.conf", "garbage");
        put("my.conf", "[Agent]\nMaxRequests=5\n");
        put("my.conf.d/x.conf", "[Agent]\nSocket=/mine\n");
        (void) snprintf(path, sizeof(path), "%s/my.conf", root);
        ck_assert_msg(config_load(path, &c, &e) == 0, "%s", e.text);
        ck_assert_uint_eq(c->agent.max_requests, 5);
        ck_assert_str_eq(c->agent.socket, "/mine");
}
END_TEST

START_TEST(drop_ins_have_a_limit) {
        Config *c = NULL;
        Error e = {};

        for (unsigned i = 0; i < CONFIG_DROP_INS_MAX; i++) {
                char name[64];

                (void) snprintf(name, sizeof(name), "etc/snp-agent.conf.d/%u.conf", i);
                put(name, "");
        }
        ck_assert_uint_eq(requests_of(NULL), 64);
        put("etc/snp-agent.conf.d/more.conf", "");
        ck_assert_int_eq(config_load_dirs(dirs, 3, &c, &e), -E2BIG);
}
END_TEST

/* The example: section by section and in the order of the table, "#Key=default" for each key. */
START_TEST(example_shows_every_key_with_its_default_and_no_other) {
        AUTO_FREE char *path = NULL, *text = NULL;
        const char *section = "";
        size_t next = 0;
        Error e = {};

        ck_assert_int_gt(asprintf(&path, "%s/systemd/snp-agent.conf", getenv("SNP_TEST_SOURCE")), 0);
        ck_assert_msg(file_read_text(path, CONFIG_FILE_SIZE_MAX, &text, &e) == 0, "%s", e.text);
        for (char *rest = text, *line; (line = strsep(&rest, "\n"));) {
                char *p = line[0] == '#' ? line + 1 : line, *value;

                if (*p == '[') {
                        section = p + 1;
                        p[strcspn(p, " ]")] = 0;
                        continue;
                }
                value = strchr(p, '=');
                if (line[0] != '#' || p[0] == ' ' || !value)
                        continue;
                *value++ = 0;
                ck_assert_msg(next < n_config_keys, "'%s' is not in the table", p);
                ck_assert_msg(strcmp(config_keys[next].section, section) == 0 && strcmp(config_keys[next].name, p) == 0,
                              "[%s] %s= stands where [%s] %s= should", section, p, config_keys[next].section,
                              config_keys[next].name);
                ck_assert_str_eq(value, config_keys[next].fallback ? config_keys[next].fallback : "");
                next++;
        }
        ck_assert_uint_eq(next, n_config_keys);
}
END_TEST

START_TEST(example_is_a_valid_configuration) {
        CLEANUP(config_freep) Config *c = NULL;
        AUTO_FREE char *path = NULL;
        Error e = {};

        ck_assert_int_gt(asprintf(&path, "%s/systemd/snp-agent.conf", getenv("SNP_TEST_SOURCE")), 0);
        ck_assert_msg(config_load(path, &c, &e) == 0, "%s", e.text);
}
END_TEST

int main(void) {
        Suite *s = suite_create("config");
        TCase *file = tcase_create("file"), *tree = tcase_create("tree"), *example = tcase_create("example");

        tcase_add_loop_test(file, every_attestation_key_has_a_word, 0, N_ELEMENTS(aks));
        tcase_add_test(file, golden_file_is_read_field_by_field);
        tcase_add_test(file, golden_collateral_is_read_field_by_field);
        tcase_add_test(file, collateral_can_be_had_from_nobody);
        tcase_add_test(file, azure_has_a_source_and_a_kind_of_evidence_of_its_own);
        tcase_add_test(file, golden_rules_are_read_and_found);
        tcase_add_test(file, nothing_configured_means_defaults_and_no_rule);
        tcase_add_test(file, every_default_is_accepted_by_its_own_parser);
        tcase_add_loop_test(file, mistake_is_told_with_file_and_line, 0, (int) N_ELEMENTS(errors));
        tcase_add_loop_test(file, lenient_where_nothing_can_be_misread, 0, (int) N_ELEMENTS(fine));
        tcase_add_test(file, every_truncation_is_an_error_unless_it_cuts_whole_lines);
        tcase_add_test(file, every_bit_flip_is_survived);
        tcase_add_test(file, file_with_a_nul_is_rejected);
        tcase_add_loop_test(file, counts_have_limits, 0, 2);
        tcase_add_test(file, file_over_the_limit_is_rejected);
        suite_add_tcase(s, file);

        tcase_add_checked_fixture(tree, make_tree, remove_tree);
        tcase_add_test(tree, no_file_at_all_is_fine_unless_one_was_named);
        tcase_add_test(tree, main_file_comes_from_the_first_directory_alone);
        tcase_add_test(tree, drop_ins_follow_in_order_of_name_whatever_their_directory);
        tcase_add_test(tree, drop_in_of_the_same_name_is_taken_from_the_first_directory);
        tcase_add_test(tree, other_names_in_the_directory_are_no_drop_ins);
        tcase_add_test(tree, empty_value_in_a_drop_in_brings_the_default_back);
        tcase_add_test(tree, mistake_in_a_drop_in_names_that_file);
        tcase_add_test(tree, rule_may_be_completed_by_a_drop_in);
        tcase_add_test(tree, named_file_is_read_with_its_own_drop_ins_alone);
        tcase_add_test(tree, drop_ins_have_a_limit);
        suite_add_tcase(s, tree);

        tcase_add_test(example, example_shows_every_key_with_its_default_and_no_other);
        tcase_add_test(example, example_is_a_valid_configuration);
        suite_add_tcase(s, example);
        return unit_run(s);
}
