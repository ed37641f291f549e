/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/platform.h"

#include <errno.h>
#include <string.h>

#include "base/json.h"

static void judge(Platform *p, const Collateral *collateral) {
        const SnpVek *vek;
        SnpVerdict verdict;
        Error e = {};
        int r;

        p->product = snp_report_product(&p->report, SNP_PRODUCT_UNKNOWN);
        r = collateral_vek(collateral, &vek, &e);
        if (r == 0) {
                p->product = snp_vek_product(vek);
                r = snp_report_verify(&p->report, vek, 0, &verdict, &e);
        }
        p->why = e;
        p->verdict = r == 0 ? PLATFORM_VERIFIED : r == -ENOENT ? PLATFORM_NO_CERTS : PLATFORM_REJECTED;
}

void platform_judge_again(Platform *p, const Collateral *collateral) {
        if (p->verdict != PLATFORM_NOT_SEEN)
                judge(p, collateral);
}

int platform_observe(Platform *p, Collateral *collateral, const uint8_t report_data[static SNP_REPORT_DATA_SIZE],
                     const WireReportAnswer *answer, Error *e) {
        SnpReport report;
        int r;

        r = snp_report_parse(answer->report.data, answer->report.size, &report, e);
        if (r < 0)
                return r;
        if (memcmp(report.report_data, report_data, SNP_REPORT_DATA_SIZE) != 0)
                return error_set(e, -ESTALE, "report-data", "The report carries other REPORT_DATA than was asked for");
        p->report = report;
        collateral_observe(collateral, &p->report, answer->certs.data, answer->certs.size);
        judge(p, collateral);
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
