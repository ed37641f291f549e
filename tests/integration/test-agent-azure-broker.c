/* SPDX-License-Identifier: Apache-2.0 */
/* Both daemons below a simulated paravisor, against the reference broker: resources by way of the vTPM. */
#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>

#include "base/base64.h"
#include "base/json.h"
#include "tests/integration/machine.h"
#include "tests/simulator/kds/kds.h"
#include "tests/simulator/paravisor.h"
#include "tests/unit/unit.h"
#include "vtpm/hcl-claims.h"
#include "vtpm/hcl.h"

#define EVERY_TIME 2500u /* the paravisor's clock moves past its window with each reading */
#define RESOURCE "/v1/resource/default/app/own"

static Machine m;
static Swtpm tpm;
static char hierarchy[SIM_PATH_MAX];
static SimPki *pki;
static SimParavisor paravisor;
static SimKds *kds;
static char kds_control[96];

typedef struct Setting {
        SimParavisorOptions paravisor;
        const char *collateral; /* more lines of its section */
        const char *faults;     /* of the certificate server */
} Setting;

static void start_kds(const char *faults) {
        SimKdsConfig c = { .hierarchies = { hierarchy }, .control = kds_control, .log = "/dev/null" };
        Error e = {};
        int r;

        (void) snprintf(kds_control, sizeof(kds_control), "%s/kds-control", tpm.dir);
        daemon_put(tpm.dir, "kds-control", "%s", faults ? faults : "");
        r = sim_kds_start(&c, &kds, &e);
        ck_assert_msg(r == 0, "%s", error_text(&e, r));
}

static void start(const Setting *s) {
        SimParavisorOptions options = s->paravisor;
        char more[1024];
        Error e = {};
        int r;

        options.swtpm = tpm.path;
        options.pki = pki;
        if (options.step_msec == 0)
                options.step_msec = EVERY_TIME;
        r = sim_paravisor_start(&options, &paravisor, &e);
        ck_assert_msg(r == 0, "%s", error_text(&e, r));
        start_kds(s->faults);
        (void) snprintf(more, sizeof(more),
                        "[Attester]\nSource=azure\n[Tpm]\nTcti=%s\n[Broker]\nTee=az-snp-vtpm\n"
                        "[Collateral]\nKds=none\nCloudEndpoint=http://127.0.0.1:%u/metadata/THIM/amd/certification\n%s\n",
                        paravisor.tcti, sim_kds_port(kds), s->collateral ? s->collateral : "Fetch=background\n");
        machine_start(&m, more);
}

static void stop(void) {
        machine_stop(&m);
        sim_kds_stop(TAKE_PTR(kds));
        sim_paravisor_stop(&paravisor);
}

static void must_get(void) {
        AUTO_REPLY Reply r = machine_rest(&m, RESOURCE, NULL);

        ck_assert_msg(r.status == 200, "%ld: %.*s", r.status, (int) r.body.size, (const char *) r.body.data);
        ck_assert_uint_eq(r.body.size, strlen("for root alone"));
        ck_assert_mem_eq(r.body.data, "for root alone", r.body.size);
}

static void must_not_get(const char *reason) {
        AUTO_REPLY Reply r = machine_rest(&m, RESOURCE, NULL);
        char found[64];

        ck_assert_int_ge(r.status, 400);
        ck_assert_str_eq(reply_reason(&r, found), reason);
}

static void broker_must_have(const char *claim, const char *verdict) {
        ck_assert_msg(fixture_count_log(&m.broker, "log", claim, verdict) > 0, "the broker did not say %s %s", claim,
                      verdict);
}

START_TEST(resource_comes_by_way_of_the_vtpm) {
        start(&(Setting){});
        must_get();
        broker_must_have("claim=tee ", "found=az-snp-vtpm");
        broker_must_have("claim=vtpm-binding ", "verdict=allow");
        broker_must_have("claim=user-data ", "verdict=allow");
        broker_must_have("claim=quote ", "verdict=allow");
        broker_must_have("claim=quote-signer ", "verdict=allow");
        broker_must_have("claim=report ", "verdict=allow");
        broker_must_have("claim=secure-boot ", "found=yes");
        ck_assert_uint_eq(fixture_count_log(&m.broker, "log", "verdict=deny", NULL), 0);
}
END_TEST

START_TEST(first_attestation_waits_for_the_certificate) {
        start(&(Setting){ .faults = "thim slow 700\n" });
        must_get();
        ck_assert_uint_eq(sim_kds_n_requests(kds), 1); /* and one was enough */
}
END_TEST

START_TEST(without_a_certificate_there_is_no_evidence) {
        start(&(Setting){ .collateral = "Fetch=never\n" });
        must_not_get("no-certificate");
}
END_TEST

START_TEST(certificate_that_cannot_be_had_is_told) {
        start(&(Setting){ .faults = "thim status 404\n" });
        must_not_get("no-certificate");
}
END_TEST

START_TEST(key_that_the_report_does_not_vouch_for_gets_nothing) {
        start(&(Setting){ .paravisor = { .foreign_ak = true } });
        must_not_get("hcl-ak");
}
END_TEST

START_TEST(machine_without_a_paravisor_gets_nothing) {
        start(&(Setting){ .paravisor = { .absent = true } });
        must_not_get("azure-absent");
}
END_TEST

START_TEST(evidence_over_rest_shows_the_paravisors_report) {
        static const uint8_t nonce[32] = "not more than once in a lifetime";
        AUTO_FREE char *text = base64_encode(BASE64_URL, nonce, sizeof(nonce)), *target = NULL;
        AUTO_JSON json_object *o = NULL;
        AUTO_REPLY Reply r = {};
        AUTO_BLOB Blob bytes = {};
        json_object *quote = NULL;
        const char *value = "";
        VtpmHclClaims claims;
        VtpmHcl hcl;

        start(&(Setting){});
        ck_assert_int_gt(asprintf(&target, "/v1/evidence?nonce=%s", text), 0);
        r = machine_rest(&m, target, NULL);
        ck_assert_msg(r.status == 200, "%ld: %.*s", r.status, (int) r.body.size, (const char *) r.body.data);
        ck_assert_int_eq(json_parse(r.body.data, r.body.size, "evidence", &o, NULL), 0);
        ck_assert_int_eq(json_get_str(o, "tee", 32, &value, NULL), 0);
        ck_assert_str_eq(value, "az-snp-vtpm");
        ck_assert_int_eq(json_get_obj(o, "quote", &quote, NULL), 0);
        ck_assert_int_eq(json_get_str(o, "hcl_report", 30000, &value, NULL), 0);
        ck_assert_int_eq(base64_decode(BASE64_STD, value, strlen(value), 30000, &bytes), 0);
        ck_assert_int_eq(vtpm_hcl_parse(bytes.data, bytes.size, &hcl, NULL), 0);
        ck_assert_int_eq(vtpm_hcl_claims_parse(hcl.claims, hcl.claims_size, &claims, NULL), 0);
        ck_assert(vtpm_hcl_claims_say(&claims, nonce, sizeof(nonce)));
}
END_TEST

static Suite *suite(void) {
        Suite *s = suite_create("agent-azure-broker");
        TCase *c = tcase_create("azure");

        tcase_add_checked_fixture(c, NULL, stop);
        tcase_add_test(c, resource_comes_by_way_of_the_vtpm);
        tcase_add_test(c, first_attestation_waits_for_the_certificate);
        tcase_add_test(c, without_a_certificate_there_is_no_evidence);
        tcase_add_test(c, certificate_that_cannot_be_had_is_told);
        tcase_add_test(c, key_that_the_report_does_not_vouch_for_gets_nothing);
        tcase_add_test(c, machine_without_a_paravisor_gets_nothing);
        tcase_add_test(c, evidence_over_rest_shows_the_paravisors_report);
        suite_add_tcase(s, c);
        return s;
}

int main(void) {
        const char *why = machine_unusable();
        int r;

        if (why)
                return unit_skip(why);
        machine_platform_start();
        (void) snprintf(hierarchy, sizeof(hierarchy), "%s", machine_test_root());
        (void) dirname(hierarchy);
        if (sim_pki_load(hierarchy, &pki, NULL) < 0 || swtpm_start(NULL, &tpm) < 0)
                return machine_platform_stop(1);
        r = unit_run(suite());
        swtpm_stop(&tpm);
        sim_pki_free(pki);
        return machine_platform_stop(r);
}
