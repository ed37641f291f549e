/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/snpctl/report-file.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "base/file.h"
#include "base/hex.h"
#include "base/reader.h"
#include "snp/cert_table.h"

#define REQUEST_FILE_MAX 4096

void report_file_done(ReportFile *file) {
        blob_done(&file->report);
        blob_done(&file->table);
        blob_done(&file->vcek);
        blob_done(&file->vlek);
        for (size_t i = 0; i < N_ELEMENTS(file->chain); i++)
                blob_done(&file->chain[i]);
}

static int keep(const void *data, size_t size, Blob *ret, Error *e) {
        return size > 0 && blob_dup(data, size, ret) < 0 ? error_oom(e) : 0;
}

static int take_proto(const Blob *file, ReportFile *f, Error *e) {
        SevsnpProto p;
        int r = sevsnp_proto_parse(file->data, file->size, &p, e);

        if (r == 0)
                r = keep(p.report, sizeof(p.report), &f->report, e);
        if (r == 0)
                r = keep(p.vcek.data, p.vcek.size, &f->vcek, e);
        if (r == 0)
                r = keep(p.vlek.data, p.vlek.size, &f->vlek, e);
        if (r == 0)
                r = keep(p.ask.data, p.ask.size, &f->chain[0], e);
        if (r == 0)
                r = keep(p.ark.data, p.ark.size, &f->chain[1], e);
        return r;
}

/* Trailing bytes that are no table are a report's that is too long; and other files may be as long. */
static bool has_table(const Blob *file) {
        SnpCertTable table;

        return file->size > SNP_REPORT_SIZE && load_le32(file->data) >= SNP_REPORT_VERSION_MIN &&
               load_le32(file->data) <= SNP_REPORT_VERSION_MAX &&
               snp_cert_table_parse(file->data + SNP_REPORT_SIZE, file->size - SNP_REPORT_SIZE, &table, NULL) == 0;
}

static int take(Blob *file, ReportFile *f, Error *e) {
        int r;

        if (sevsnp_proto_is(file->data, file->size))
                return take_proto(file, f, e);
        if (!has_table(file)) {
                f->report = blob_take(file);
                return 0;
        }
        r = keep(file->data, SNP_REPORT_SIZE, &f->report, e);
        return r < 0 ? r : keep(file->data + SNP_REPORT_SIZE, file->size - SNP_REPORT_SIZE, &f->table, e);
}

int report_file_read(const char *path, ReportFile *ret, Error *e) {
        AUTO_REPORT_FILE ReportFile f = {};
        AUTO_BLOB Blob file = {};
        int r = file_read(path, REPORT_FILE_MAX, &file, e);

        if (r < 0)
                return r;
        r = take(&file, &f, e);
        if (r < 0) {
                error_prefix(e, "%s", path);
                return r;
        }
        *ret = f;
        f = (ReportFile){};
        return 0;
}

int request_file_read(const char *path, uint8_t ret[static SNP_REPORT_DATA_SIZE], Error *e) {
        char digits[2 * SNP_REPORT_DATA_SIZE + 1];
        AUTO_BLOB Blob file = {};
        size_t n = 0;
        int r = file_read(path, REQUEST_FILE_MAX, &file, e);

        if (r < 0)
                return r;
        if (file.size == SNP_REPORT_DATA_SIZE) {
                (void) memcpy(ret, file.data, SNP_REPORT_DATA_SIZE);
                return 0;
        }
        for (size_t i = 0; i < file.size && n < sizeof(digits); i++)
                if (!isspace(file.data[i]))
                        digits[n++] = (char) file.data[i];
        if (n != sizeof(digits) - 1 || hex_decode_exact(digits, n, ret, SNP_REPORT_DATA_SIZE) < 0)
                return error_set(e, -EBADMSG, "request-file", "%s holds neither %d bytes nor as many in hex", path,
                                 SNP_REPORT_DATA_SIZE);
        return 0;
}
