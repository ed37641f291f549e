/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/bundle/fixture.h"

#include <check.h>
#include <openssl/evp.h>
#include <string.h>

#include "base/writer.h"
#include "tests/simulator/hcl.h"
#include "tests/unit/snp/forge.h"
#include "tests/unit/vtpm/event-logs.h"
#include "vtpm/event-log-replay.h"

#define SECURE_BOOT_PCR 7
#define LOG_MAX 65536

static const uint8_t nonce[FIXTURE_NONCE_SIZE] = "thirty-two bytes of great chance";
static const uint16_t banks[] = { VTPM_ALG_SHA256, VTPM_ALG_SHA384 };

static Blob bytes_of(const void *data, size_t size) {
        Blob b = {};

        ck_assert_int_eq(blob_dup(data, size, &b), 0);
        return b;
}

Bundle fixture_bundle_of(const SimPki *pki, const SimReport *report) {
        uint8_t raw[SIM_REPORT_SIZE];
        Evidence evidence = forge_evidence(pki, report->signer == SIM_SIGNER_VLEK ? SIM_VLEK : SIM_VCEK);
        Bundle b = { .writer = "fixture 1", .captured_at = FORGE_NOW, .nonce_size = FIXTURE_NONCE_SIZE, .n_chain = 2,
                     .n_crls = 2 };

        (void) memcpy(b.nonce, nonce, sizeof(nonce));
        ck_assert_int_eq(sim_report_make(report, pki, raw, NULL), 0);
        b.report = bytes_of(raw, sizeof(raw));
        b.vek = blob_take(&evidence.vek);
        b.chain[0] = blob_take(&evidence.others[0]);
        b.chain[1] = blob_take(&evidence.others[1]);
        ck_assert_int_eq(sim_pki_crl_der(pki, SIM_CRL_VCEK, &b.crls[0], NULL), 0);
        ck_assert_int_eq(sim_pki_crl_der(pki, SIM_CRL_VLEK, &b.crls[1], NULL), 0);
        evidence_done(&evidence);
        return b;
}

void fixture_ask(SimReport *report) {
        (void) memset(report->report_data, 0, sizeof(report->report_data));
        (void) memcpy(report->report_data, nonce, sizeof(nonce));
}

Bundle fixture_bundle(const SimPki *pki) {
        SimReport r = sim_report_defaults(pki);

        fixture_ask(&r);
        return fixture_bundle_of(pki, &r);
}

/* UEFI specification, UEFI_VARIABLE_DATA of "SecureBoot". */
static void add_secure_boot(Writer *w, uint32_t type, bool on) {
        static const uint8_t head[] = { 0x61, 0xdf, 0xe4, 0x8b, 0xca, 0x93, 0xd2, 0x11, 0xaa, 0x0d, 0x00,
                                        0xe0, 0x98, 0x03, 0x2b, 0x8c, 10,   0,    0,    0,    0,    0,
                                        0,    0,    1,    0,    0,    0,    0,    0,    0,    0 };
        static const char name[] = "SecureBoot";
        AUTO_WRITER Writer v = wr_init(LOG_MAX);

        wr_bytes(&v, head, sizeof(head));
        for (const char *c = name; *c; c++)
                wr_le16(&v, (uint16_t) *c);
        wr_u8(&v, on);
        event_logs_add(w, banks, 2, SECURE_BOOT_PCR, type, v.data, v.size);
}

/* What firmware measures, its word on Secure Boot under this type; without separators when it is cut short. */
static void add_firmware(Writer *w, uint32_t type, bool secure_boot, bool cut_short) {
        static const uint8_t separator[4] = {};

        event_logs_begin(w, banks, 2);
        event_logs_add(w, banks, 2, 0, VTPM_EV_S_CRTM_VERSION, "firmware", 8);
        add_secure_boot(w, type, secure_boot);
        for (uint32_t pcr = 0; pcr < 8 && !cut_short; pcr++)
                event_logs_add(w, banks, 2, pcr, VTPM_EV_SEPARATOR, separator, sizeof(separator));
}

Blob fixture_event_log(bool secure_boot) {
        Writer w = wr_init(LOG_MAX);
        Blob b = {};

        add_firmware(&w, VTPM_EV_EFI_VARIABLE_DRIVER_CONFIG, secure_boot, false);
        ck_assert_int_eq(wr_finish(&w, &b), 0);
        return b;
}

Blob fixture_forged_event_log(bool cut_short) {
        Writer w = wr_init(LOG_MAX);
        Blob b = {};

        add_firmware(&w, VTPM_EV_IPL, false, cut_short);
        add_secure_boot(&w, VTPM_EV_EFI_VARIABLE_DRIVER_CONFIG, true);
        ck_assert_int_eq(wr_finish(&w, &b), 0);
        return b;
}

void fixture_replay(Bundle *b) {
        VtpmEventLog log;

        ck_assert_int_eq(vtpm_event_log_open(b->tpm.event_log.data, b->tpm.event_log.size, &log, NULL), 0);
        b->tpm.n_pcrs = N_ELEMENTS(banks);
        for (size_t i = 0; i < N_ELEMENTS(banks); i++) {
                VtpmPcrValues all, *mine = &b->tpm.pcrs[i];

                ck_assert_int_eq(vtpm_event_log_replay(&log, banks[i], &all, NULL), 0);
                *mine = (VtpmPcrValues){ .hash = banks[i], .mask = 0xff };
                for (unsigned pcr = 0; pcr < 8; pcr++)
                        (void) memcpy(mine->values[pcr], all.values[pcr], vtpm_hash_size(banks[i]));
        }
}

void fixture_quote(Bundle *b, const SoftAk *ak) {
        VtpmAttest a = soft_attest(b->tpm.pcrs, b->tpm.n_pcrs, ak->pub.scheme_hash);

        (void) memcpy(a.extra, b->nonce, b->nonce_size);
        a.extra_size = b->nonce_size;
        blob_done(&b->tpm.attest);
        blob_done(&b->tpm.signature);
        blob_done(&b->tpm.ak);
        b->tpm.attest = soft_attest_bytes(&a);
        b->tpm.signature = soft_sign(ak, b->tpm.attest.data, b->tpm.attest.size);
        b->tpm.ak = soft_public(ak);
}

void fixture_add_tpm(Bundle *b, const SoftAk *ak) {
        b->has_tpm = true;
        b->tpm.event_log = fixture_event_log(true);
        fixture_replay(b);
        fixture_quote(b, ak);
}

Bundle fixture_azure(const SimPki *pki, const SoftAk *ak) {
        SimHclClaims claims = { .ak = ak->pub.modulus };
        SimReport r = sim_report_defaults(pki);
        SimHclFrame frame = { .size = 2600 };
        AUTO_BLOB Blob text = {};
        Bundle b;

        ck_assert_uint_eq(ak->pub.modulus_size, SIM_HCL_MODULUS_SIZE);
        ck_assert_int_eq(sim_hcl_claims(&claims, &text), 0);
        (void) memset(r.report_data, 0, sizeof(r.report_data));
        ck_assert_int_eq(EVP_Digest(text.data, text.size, r.report_data, NULL, EVP_sha256(), NULL), 1);
        b = fixture_bundle_of(pki, &r);
        b.rule = BUNDLE_RULE_HCL;
        frame.report = b.report.data;
        frame.report_size = b.report.size;
        frame.claims = text.data;
        frame.claims_size = text.size;
        fixture_add_tpm(&b, ak);
        ck_assert_int_eq(sim_hcl_frame(&frame, &b.tpm.hcl_report), 0);
        return b;
}

/* AMD publication 58019, vTPM: version 0 is one TPMT_PUBLIC; version 1 a list of TPM2B_PUBLIC, big-endian. */
static Blob manifest_of(const Blob *ak, uint32_t version) {
        Writer w = wr_init(LOG_MAX);
        Blob b = {};

        if (version == 0)
                wr_bytes(&w, "some endorsement key", 20);
        else {
                wr_be32(&w, 1);
                wr_be32(&w, 2);
                wr_be16(&w, 20);
                wr_bytes(&w, "some endorsement key", 20);
                wr_be16(&w, (uint16_t) ak->size);
                wr_bytes(&w, ak->data, ak->size);
        }
        ck_assert_int_eq(wr_finish(&w, &b), 0);
        return b;
}

Bundle fixture_svsm(const SimPki *pki, const SoftAk *ak, uint32_t version) {
        SimReport r = sim_report_defaults(pki);
        AUTO_BLOB Blob public = soft_public(ak), manifest = manifest_of(&public, version);
        AUTO_WRITER Writer w = wr_init(LOG_MAX);
        Bundle b;

        wr_bytes(&w, nonce, sizeof(nonce));
        wr_zeros(&w, 64 - sizeof(nonce));
        wr_bytes(&w, manifest.data, manifest.size);
        ck_assert_int_eq(EVP_Digest(w.data, w.size, r.report_data, NULL, EVP_sha512(), NULL), 1);
        b = fixture_bundle_of(pki, &r);
        b.rule = BUNDLE_RULE_SVSM;
        b.svsm_manifest = blob_take(&manifest);
        b.svsm_manifest_version = version;
        fixture_add_tpm(&b, ak);
        return b;
}
