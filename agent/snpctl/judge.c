/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/snpctl/judge.h"

#include <errno.h>
#include <openssl/crypto.h>

#include "base/json.h"
#include "snp/cert_table.h"
#include "snp/crl.h"
#include "snp/svsm-manifest.h"

const char *judge_check_name(JudgeCheck check) {
        switch ((int) check) {
        case JUDGE_FORM:
                return "form";
        case JUDGE_CHAIN:
                return "certificate-chain";
        case JUDGE_EXPECTED_PRODUCT:
                return "expected-product";
        case JUDGE_REPORT_DATA:
                return "report-data";
        case JUDGE_HCL:
                return "hcl-claims";
        case JUDGE_MANIFEST:
                return "svsm-manifest";
        default:
                return snp_check_name((SnpCheck) (check - JUDGE_REPORT));
        }
}

void judge_input_done(JudgeInput *in) {
        blob_done(&in->report);
        blob_done(&in->hcl);
        blob_done(&in->certs);
        blob_done(&in->vek);
        for (size_t i = 0; i < in->n_chain; i++)
                blob_done(&in->chain[i]);
        in->n_chain = 0;
        blob_done(&in->crl);
        blob_done(&in->found_crl);
        blob_done(&in->trust_root);
        blob_done(&in->manifest);
}

void judgement_done(Judgement *j) {
        snp_vek_free(j->vek);
        j->vek = NULL;
}

/* What the evidence itself is to blame for is a rejection; everything else, that we could not judge. */
static bool is_rejection(int r) {
        return r == -EBADMSG || r == -EOPNOTSUPP || r == -EKEYREJECTED;
}

static void add_other(SnpCerts *certs, const void *data, size_t size) {
        if (certs->n_others < SNP_CERTS_MAX)
                certs->others[certs->n_others++] = (SnpCertBytes){ .data = data, .size = size };
}

/* The host's table may hold both kinds of key; the report says which one signed it. */
static void add_table(const SnpCertTable *table, SnpSigningKey signing_key, SnpCerts *certs) {
        const SnpCertEntry *vek =
                snp_cert_table_find(table, signing_key == SNP_SIGNING_KEY_VLEK ? SNP_CERT_VLEK : SNP_CERT_VCEK);

        if (vek && !certs->vek.data)
                certs->vek = (SnpCertBytes){ .data = vek->data, .size = vek->size };
        for (size_t i = 0; i < table->n_entries; i++)
                if (table->entries[i].kind == SNP_CERT_ASK || table->entries[i].kind == SNP_CERT_ARK)
                        add_other(certs, table->entries[i].data, table->entries[i].size);
}

static int gather_certs(const JudgeInput *in, SnpSigningKey signing_key, SnpCerts *ret, Error *e) {
        SnpCertTable table;
        SnpCerts certs = {};
        int r;

        if (in->vek.data)
                certs.vek = (SnpCertBytes){ .data = in->vek.data, .size = in->vek.size };
        for (size_t i = 0; i < in->n_chain; i++)
                add_other(&certs, in->chain[i].data, in->chain[i].size);
        r = snp_cert_table_parse(in->certs.data, in->certs.size, &table, e);
        if (r < 0)
                return r;
        add_table(&table, signing_key, &certs);
        if (!certs.vek.data)
                return error_set(e, -ENOENT, "no-vek",
                                 "The report's signature cannot be judged without the %s certificate: give --vek, or "
                                 "--certs with a table that holds it",
                                 signing_key == SNP_SIGNING_KEY_VLEK ? "VLEK" : "VCEK");
        *ret = certs;
        return 0;
}

static int load_vek(const JudgeInput *in, const SnpReport *report, Judgement *j, Error *e) {
        CLEANUP(snp_trust_freep) SnpTrust *trust = NULL;
        SnpCerts certs = {};
        int r;

        r = in->trust_root.data ? snp_trust_new_test(in->trust_root.data, in->trust_root.size, &trust, e)
                                    : snp_trust_new_amd(&trust, e);
        if (r < 0)
                return r;
        j->test_root = snp_trust_is_test(trust);
        r = gather_certs(in, report->signing_key, &certs, e);
        if (r < 0)
                return r;
        r = snp_vek_new(trust, &certs, in->at, &j->vek, &j->why);
        j->checks[JUDGE_CHAIN] = r == 0 ? SNP_CHECK_OK : SNP_CHECK_FAILED;
        if (r == 0 || is_rejection(r))
                return 0;
        return error_set(e, r, error_reason(&j->why, r), "%s", error_text(&j->why, r));
}

/*
 * A list that the user names has to be current. One in the host's table, or beside the certificates in a directory, is
 * as old as they are, and only what it revokes counts: it could have been left out.
 */
static int check_crl(const JudgeInput *in, Judgement *j, Error *e) {
        static const SnpCrlPolicy given = { .mode = SNP_CRL_HARD };
        static const SnpCrlPolicy found = { .mode = SNP_CRL_SOFT, .stale_max = UINT64_MAX };
        SnpCertBytes list = { .data = in->crl.data, .size = in->crl.size };
        SnpCrlVerdict v = {};
        SnpCertTable table;
        int r = snp_cert_table_parse(in->certs.data, in->certs.size, &table, e);

        if (r < 0)
                return r;
        if (!list.data && in->found_crl.size > 0)
                list = (SnpCertBytes){ .data = in->found_crl.data, .size = in->found_crl.size };
        if (!list.data) {
                const SnpCertEntry *entry = snp_cert_table_find(&table, SNP_CERT_CRL);

                if (!entry)
                        return 0;
                list = (SnpCertBytes){ .data = entry->data, .size = entry->size };
        }
        r = snp_vek_check_crl(j->vek, in->crl.data ? &given : &found, &list, in->at, &v, NULL);
        if (r == -ENOMEM)
                return error_oom(e);
        if (!v.accepted) /* the verdict on the report rejects too, but cannot tell why */
                (void) error_set(&j->why, -EKEYREJECTED, v.why.reason, "%s", v.why.text);
        return 0;
}

static int check_report(const JudgeInput *in, Judgement *j, Error *e) {
        int r = snp_report_verify(&j->report, j->vek, in->flags, &j->verdict, &j->why);

        if (r < 0 && r != -EKEYREJECTED)
                return error_set(e, r, error_reason(&j->why, r), "%s", error_text(&j->why, r));
        for (size_t i = 0; i < SNP_N_CHECKS; i++)
                j->checks[(size_t) JUDGE_REPORT + i] = j->verdict.checks[i];
        j->outcome = j->verdict.outcome;
        return 0;
}

static void fail(Judgement *j, JudgeCheck check, const char *reason, const char *text) {
        j->checks[check] = SNP_CHECK_FAILED;
        j->outcome = SNP_REJECT;
        (void) error_set(&j->why, -EKEYREJECTED, reason, "%s", text);
}

static void check_manifest(const JudgeInput *in, Judgement *j) {
        SnpSvsmVerdict verdict = SNP_SVSM_NOT_BOUND;
        Error why = {};
        int r = snp_svsm_bind(&j->report, in->report_data, in->manifest.data, in->manifest.size, &verdict, &why);

        j->checks[JUDGE_MANIFEST] = SNP_CHECK_OK;
        if (verdict != SNP_SVSM_BOUND)
                fail(j, JUDGE_MANIFEST, error_reason(&why, r), error_text(&why, r));
}

/* REPORT_DATA is the paravisor's; what its guest wanted to have said is in the claims. */
static void check_hcl(const JudgeInput *in, Judgement *j) {
        j->checks[JUDGE_HCL] = SNP_CHECK_OK;
        if (j->outcome == SNP_ACCEPT)
                hcl_file_bind(&j->hcl);
        if (!j->hcl.fits)
                fail(j, JUDGE_HCL, error_reason(&j->hcl.why, -EKEYREJECTED), error_text(&j->hcl.why, -EKEYREJECTED));
        else if (in->has_report_data && !vtpm_hcl_claims_say(&j->hcl.claims, in->report_data, sizeof(in->report_data)))
                fail(j, JUDGE_HCL, "user-data-mismatch", "The paravisor's user data are not what was expected");
}

/* Only for reports that are authentic: comparing what anybody could have written tells nothing. */
static void check_expectations(const JudgeInput *in, Judgement *j) {
        bool has_product = in->product != SNP_PRODUCT_UNKNOWN;
        bool has_data = in->has_report_data && !in->has_manifest && !j->has_hcl;

        j->checks[JUDGE_EXPECTED_PRODUCT] = has_product ? SNP_CHECK_OK : SNP_CHECK_NOT_APPLICABLE;
        j->checks[JUDGE_REPORT_DATA] = has_data ? SNP_CHECK_OK : SNP_CHECK_NOT_APPLICABLE;
        j->checks[JUDGE_HCL] = SNP_CHECK_NOT_APPLICABLE;
        j->checks[JUDGE_MANIFEST] = SNP_CHECK_NOT_APPLICABLE;
        if (has_product && in->product != snp_vek_product(j->vek))
                fail(j, JUDGE_EXPECTED_PRODUCT, "product-unexpected", "The certificate is of another product line");
        if (has_data &&
            CRYPTO_memcmp(in->report_data, j->report.report_data, sizeof(in->report_data)) != 0)
                fail(j, JUDGE_REPORT_DATA, "report-data-mismatch", "REPORT_DATA is not what was expected");
        if (j->has_hcl)
                check_hcl(in, j);
        if (in->has_manifest)
                check_manifest(in, j);
}

static int judge_parsed(const JudgeInput *in, Judgement *j, Error *e) {
        int r = load_vek(in, &j->report, j, e);

        if (r < 0 || !j->vek)
                return r;
        j->product = snp_vek_product(j->vek);
        r = check_crl(in, j, e);
        if (r == 0)
                r = check_report(in, j, e);
        if (r < 0)
                return r;
        check_expectations(in, j);
        return 0;
}

int judge_report(const JudgeInput *in, Judgement *ret, Error *e) {
        AUTO_JUDGEMENT Judgement j = { .test_root = in->trust_root.data != NULL };
        int r = snp_report_parse(in->report.data, in->report.size, &j.report, &j.why);

        if (r < 0 && !is_rejection(r))
                return error_set(e, r, error_reason(&j.why, r), "%s", error_text(&j.why, r));
        j.has_report = r == 0;
        j.checks[JUDGE_FORM] = r == 0 ? SNP_CHECK_OK : SNP_CHECK_FAILED;
        if (r == 0) {
                j.product = snp_report_product(&j.report, in->product);
                j.has_hcl = in->hcl.data != NULL;
                r = j.has_hcl ? hcl_file_judge(&in->hcl, &j.report, &j.hcl, e) : 0;
                if (r == 0)
                        r = judge_parsed(in, &j, e);
                if (r < 0)
                        return r;
        }
        *ret = j;
        j.vek = NULL;
        return 0;
}

const char *judge_trust_name(const Judgement *j) {
        return j->test_root ? "TEST ROOT" : "AMD";
}

int judge_checks_to_json(const Judgement *j, json_object **ret) {
        AUTO_JSON json_object *o = json_object_new_object();

        for (size_t i = 0; i < JUDGE_N_CHECKS; i++) {
                int r = json_add_str(o, judge_check_name((JudgeCheck) i), snp_check_result_name(j->checks[i]));

                if (r < 0)
                        return r;
        }
        *ret = TAKE_PTR(o);
        return 0;
}
