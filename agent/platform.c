/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/platform.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/json.h"
#include "snp/cert_table.h"

static void forget_vek(Platform *p) {
        snp_vek_free(p->vek);
        p->vek = NULL;
        p->trust = NULL;
        blob_done(&p->certs);
}

void platform_done(Platform *p) {
        forget_vek(p);
        *p = (Platform){};
}

static int collect_certs(const SnpReport *report, const SnpCertTable *table, SnpCerts *ret, Error *e) {
        SnpCertKind kind = report->signing_key == SNP_SIGNING_KEY_VLEK ? SNP_CERT_VLEK : SNP_CERT_VCEK;
        const SnpCertEntry *vek = snp_cert_table_find(table, kind);
        SnpCerts certs = {};

        if (!vek)
                return error_set(e, -ENOENT, "no-certificate", "The host gave no %s certificate",
                                 snp_cert_kind_name(kind));
        certs.vek = (SnpCertBytes){ .data = vek->data, .size = vek->size };
        for (size_t i = 0; i < table->n_entries && certs.n_others < SNP_CERTS_MAX; i++)
                if (table->entries[i].kind == SNP_CERT_ASK || table->entries[i].kind == SNP_CERT_ARK)
                        certs.others[certs.n_others++] =
                                (SnpCertBytes){ .data = table->entries[i].data, .size = table->entries[i].size };
        *ret = certs;
        return 0;
}

static int learn_vek(Platform *p, const SnpTrust *trust, const SnpReport *report, WireBytes bytes, Error *e) {
        CLEANUP(snp_vek_freep) SnpVek *vek = NULL;
        AUTO_BLOB Blob copy = {};
        SnpCertTable table;
        SnpCerts certs;
        int r;

        if (p->vek && p->trust == trust && p->certs.size == bytes.size &&
            memcmp(p->certs.data, bytes.data, bytes.size) == 0)
                return 0;
        forget_vek(p);
        r = snp_cert_table_parse(bytes.data, bytes.size, &table, e);
        if (r == 0)
                r = collect_certs(report, &table, &certs, e);
        if (r == 0)
                r = snp_vek_new(trust, &certs, time(NULL), &vek, e);
        if (r < 0)
                return r;
        if (blob_dup(bytes.data, bytes.size, &copy) < 0)
                return error_oom(e);
        p->certs = blob_take(&copy);
        p->vek = TAKE_PTR(vek);
        p->trust = trust;
        return 0;
}

static void judge(Platform *p, const SnpTrust *trust, const WireReportAnswer *answer) {
        SnpVerdict verdict;
        Error e = {};
        int r;

        p->product = snp_report_product(&p->report, SNP_PRODUCT_UNKNOWN);
        r = learn_vek(p, trust, &p->report, answer->certs, &e);
        if (r == 0) {
                p->product = snp_vek_product(p->vek);
                r = snp_report_verify(&p->report, p->vek, 0, &verdict, &e);
        }
        p->why = e;
        p->verdict = r == 0 ? PLATFORM_VERIFIED : r == -ENOENT ? PLATFORM_NO_CERTS : PLATFORM_REJECTED;
}

int platform_observe(Platform *p, const SnpTrust *trust, const uint8_t report_data[static SNP_REPORT_DATA_SIZE],
                     const WireReportAnswer *answer, Error *e) {
        SnpReport report;
        int r;

        r = snp_report_parse(answer->report.data, answer->report.size, &report, e);
        if (r < 0)
                return r;
        if (memcmp(report.report_data, report_data, SNP_REPORT_DATA_SIZE) != 0)
                return error_set(e, -ESTALE, "report-data", "The report carries other REPORT_DATA than was asked for");
        p->report = report;
        judge(p, trust, answer);
        return 0;
}

static int add_tcb(json_object *o, const Platform *p) {
        SnpTcb tcb;
        json_object *t;
        int bad;

        if (snp_tcb_decode(snp_product_tcb_layout(p->product), p->report.reported_tcb, &tcb) < 0)
                return json_add_hex(o, "reported_tcb", p->report.reported_tcb, SNP_TCB_SIZE);
        t = json_object_new_object();
        bad = json_add_u64(t, "bootloader", tcb.boot_loader);
        bad |= json_add_u64(t, "tee", tcb.tee);
        bad |= json_add_u64(t, "snp", tcb.snp);
        bad |= json_add_u64(t, "microcode", tcb.microcode);
        if (p->product == SNP_PRODUCT_TURIN)
                bad |= json_add_u64(t, "fmc", tcb.fmc);
        bad |= json_add_take(o, "reported_tcb", t);
        return bad;
}

static int add_report(json_object *o, const Platform *p) {
        int bad;

        bad = json_add_str(o, "product", snp_product_name(p->product));
        bad |= json_add_u64(o, "report_version", p->report.version);
        bad |= json_add_u64(o, "vmpl", p->report.vmpl);
        bad |= json_add_hex(o, "measurement", p->report.measurement, SNP_MEASUREMENT_SIZE);
        bad |= json_add_bool(o, "debug_allowed", p->report.policy & SNP_POLICY_DEBUG);
        return bad | add_tcb(o, p);
}

json_object *platform_to_json(const Platform *p) {
        static const char *const names[] = {
                [PLATFORM_NOT_SEEN] = "not-seen",
                [PLATFORM_NO_CERTS] = "no-certificates",
                [PLATFORM_REJECTED] = "rejected",
                [PLATFORM_VERIFIED] = "verified",
        };
        json_object *o = json_object_new_object();
        int bad;

        bad = json_add_str(o, "self_check", names[p->verdict]);
        if (p->verdict != PLATFORM_NOT_SEEN)
                bad |= add_report(o, p);
        if (p->verdict == PLATFORM_NO_CERTS || p->verdict == PLATFORM_REJECTED) {
                bad |= json_add_str(o, "reason", error_reason(&p->why, p->why.code));
                bad |= json_add_str(o, "detail", error_text(&p->why, p->why.code));
        }
        if (bad == 0)
                return o;
        (void) json_object_put(o);
        return NULL;
}
