/* SPDX-License-Identifier: Apache-2.0 */

/* Attestation reports: what is accepted is kept to the byte, read the same way twice, and can be printed. */

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "snp/report.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void print(const SnpReport *report, SnpProduct product, const SnpReport *again) {
        AUTO_JSON json_object *o = NULL, *p = NULL;
        AUTO_FREE char *text = NULL;

        assert(snp_report_to_json(report, product, &o) == 0);
        assert(snp_report_to_json(again, product, &p) == 0);
        assert(json_object_equal(o, p));
        assert(snp_report_to_text(report, product, &text) == 0);
        assert(text[0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        SnpReport report, again;
        Error e = {};
        int r = snp_report_parse(data, size, &report, &e);

        if (r < 0) {
                assert(e.code == r && e.reason && e.text[0]);
                return 0;
        }
        assert(size == SNP_REPORT_SIZE && memcmp(report.raw, data, size) == 0);
        assert(report.has_cpuid == (report.product != SNP_PRODUCT_UNKNOWN));
        assert(snp_report_parse(report.raw, sizeof(report.raw), &again, NULL) == 0);
        print(&report, SNP_PRODUCT_UNKNOWN, &again);
        print(&report, SNP_PRODUCT_GENOA, &again);
        return 0;
}
