/* SPDX-License-Identifier: Apache-2.0 */

/* `snpctl report`: a fresh report from the platform, or one in a file, in readable form. */

#include <errno.h>
#include <openssl/rand.h>
#include <string.h>

#include "agent/snpctl/challenge.h"
#include "agent/snpctl/device-args.h"
#include "agent/snpctl/hcl-file.h"
#include "agent/snpctl/report-file.h"
#include "agent/snpctl/service-args.h"
#include "agent/snpctl/verbs.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "base/writer.h"
#include "snp/cert_table.h"

typedef struct ReportArgs {
        DeviceArgs device;
        ServiceArgs service;
        const char *in, *data, *nonce, *request, *vmpl, *out, *certs_out, *extended_out;
} ReportArgs;

#define AT(member) offsetof(ReportArgs, member)
static const CtlOption options[] = {
        { "in", "FILE", "show this report instead of asking for one", CTL_TEXT, AT(in) },
        { "data", "HEX", "REPORT_DATA, or with --service the nonce; zeros put behind, random by default", CTL_TEXT,
          AT(data) },
        { "nonce", "BASE64URL", "the same in base64url, as brokers have it", CTL_TEXT, AT(nonce) },
        { "request", "FILE", "the same from a request file of snpguest's", CTL_TEXT, AT(request) },
        { "vmpl", "N", "0 to 3; by default the kernel's own", CTL_TEXT, AT(vmpl) },
        DEVICE_OPTIONS(ReportArgs, device),
        SERVICE_OPTIONS(ReportArgs, service),
        { "out", "FILE", "also write the raw report to this file", CTL_TEXT, AT(out) },
        { "certs-out", "FILE", "also write the host's certificate table to this file", CTL_TEXT, AT(certs_out) },
        { "extended-out", "FILE", "also write both to this file, as go-sev-guest's check takes them", CTL_TEXT,
          AT(extended_out) },
};

typedef struct Evidence {
        SnpReport report;
        Blob certs;
        const char *source; /* static */
        bool of_service;    /* the fields below are valid */
        SnpServiceRequest request;
        Blob manifest;
        bool has_hcl; /* the field below is valid */
        HclFindings hcl;
} Evidence;

static void evidence_done(Evidence *v) {
        blob_done(&v->certs);
        blob_done(&v->manifest);
}

static int check_args(const ReportArgs *args, Error *e) {
        if (args->in && (args->data || args->nonce || args->request || args->vmpl || args->device.tsm_path || args->device.device ||
                         args->certs_out || args->service.service))
                return ctl_usage(e, "--in excludes every option that is about asking the platform");
        if (args->service.service && args->vmpl)
                return ctl_usage(e, "--service excludes --vmpl: an SVSM's report is of VMPL 0");
        if (!args->service.service && (args->service.version || args->service.manifest_out))
                return ctl_usage(e, "--manifest-version and --manifest-out go with --service");
        return 0;
}

static int report_data(const ReportArgs *args, uint8_t ret[static SNP_REPORT_DATA_SIZE], Error *e) {
        if (args->request && (args->data || args->nonce))
                return ctl_usage(e, "--request, --data and --nonce exclude each other");
        if (args->request)
                return request_file_read(args->request, ret, e);
        if (args->data || args->nonce)
                return ctl_challenge_parse(args->data, args->nonce, ret, e);
        if (RAND_bytes(ret, SNP_REPORT_DATA_SIZE) != 1)
                return error_set(e, -EIO, "random", "No random bytes to be had for REPORT_DATA");
        return 0;
}

typedef struct Question {
        uint32_t vmpl;
        SnpServiceRequest service; /* its nonce is REPORT_DATA where the firmware is asked */
} Question;

static int read_question(const ReportArgs *args, Question *ret, Error *e) {
        uint64_t vmpl = SNP_VMPL_AUTO;
        int r = 0;

        if (args->vmpl && text_to_u64(args->vmpl, 10, 0, 3, &vmpl) < 0)
                return ctl_usage(e, "--vmpl '%.20s' is not 0, 1, 2 or 3", args->vmpl);
        ret->vmpl = (uint32_t) vmpl;
        if (args->service.service)
                r = service_args_read(&args->service, &ret->service, e);
        return r < 0 ? r : report_data(args, ret->service.nonce, e);
}

static int ask_firmware(SnpDevice *device, const Question *q, Evidence *ret, Error *e) {
        AUTO_SNP_DEVICE_REPORT SnpDeviceReport raw = {};
        int r = snp_device_get_report(device, q->service.nonce, q->vmpl, deadline_in(DEVICE_ARGS_TIMEOUT_USEC), &raw, e);

        if (r == 0)
                r = snp_report_parse(raw.report, sizeof(raw.report), &ret->report, e);
        if (r == 0)
                ret->certs = blob_take(&raw.certs);
        return r;
}

static int ask_svsm(SnpDevice *device, const Question *q, Evidence *ret, Error *e) {
        AUTO_SNP_SERVICE_REPORT SnpServiceReport raw = {};
        int r = snp_device_get_service_report(device, &q->service, deadline_in(DEVICE_ARGS_TIMEOUT_USEC), &raw, e);

        if (r == 0)
                r = snp_report_parse(raw.report, sizeof(raw.report), &ret->report, e);
        if (r < 0)
                return r;
        ret->certs = blob_take(&raw.certs);
        ret->manifest = blob_take(&raw.manifest);
        ret->request = q->service;
        ret->of_service = true;
        return 0;
}

static int ask_platform(const ReportArgs *args, Evidence *ret, Error *e) {
        CLEANUP(snp_device_freep) SnpDevice *device = NULL;
        Question q = {};
        int r = read_question(args, &q, e);

        if (r == 0)
                r = device_args_open(&args->device, &device, e);
        if (r < 0)
                return r;
        ret->source = text_starts_with(snp_device_name(device), "configfs") ? "configfs-tsm" : "sev-guest";
        return args->service.service ? ask_svsm(device, &q, ret, e) : ask_firmware(device, &q, ret, e);
}

static int read_report(const char *path, Evidence *ret, Error *e) {
        AUTO_REPORT_FILE ReportFile file = {};
        AUTO_BLOB Blob hcl = {};
        int r = report_file_read(path, &file, e);

        if (r < 0)
                return r;
        r = hcl_file_split(&file.report, &hcl, e);
        if (r == 0)
                r = snp_report_parse(file.report.data, file.report.size, &ret->report, e);
        if (r == 0 && hcl.data) {
                r = hcl_file_judge(&hcl, &ret->report, &ret->hcl, e);
                ret->has_hcl = r == 0;
        }
        if (r < 0)
                error_prefix(e, "%s", path);
        ret->certs = blob_take(&file.table);
        ret->source = "file";
        return r;
}

static int write_extended(const char *path, const Evidence *v, Error *e) {
        AUTO_WRITER Writer w = wr_init(REPORT_FILE_MAX);
        AUTO_BLOB Blob both = {};

        wr_bytes(&w, v->report.raw, sizeof(v->report.raw));
        wr_bytes(&w, v->certs.data, v->certs.size);
        return wr_finish(&w, &both) < 0 ? error_oom(e) : file_write_atomic(path, both.data, both.size, 0644, e);
}

static int write_files(const ReportArgs *args, const Evidence *v, Error *e) {
        int r = 0;

        if (args->out)
                r = file_write_atomic(args->out, v->report.raw, sizeof(v->report.raw), 0644, e);
        if (r == 0 && args->certs_out)
                r = file_write_atomic(args->certs_out, v->certs.data, v->certs.size, 0644, e);
        if (r == 0 && args->extended_out)
                r = write_extended(args->extended_out, v, e);
        if (r == 0 && args->service.manifest_out)
                r = file_write_atomic(args->service.manifest_out, v->manifest.data, v->manifest.size, 0644, e);
        return r;
}

static int certs_to_json(const SnpCertTable *table, json_object **ret) {
        AUTO_JSON json_object *list = json_object_new_array();

        for (size_t i = 0; i < table->n_entries; i++) {
                AUTO_JSON json_object *o = json_object_new_object();

                if (json_add_str(o, "kind", snp_cert_kind_name(table->entries[i].kind)) < 0 ||
                    json_add_u64(o, "size", table->entries[i].size) < 0 || !list ||
                    json_object_array_add(list, o) < 0)
                        return -ENOMEM;
                o = NULL;
        }
        *ret = TAKE_PTR(list);
        return *ret ? 0 : -ENOMEM;
}

static int print_json(const Evidence *v, const SnpCertTable *table, CtlOutput *out, Error *e) {
        AUTO_JSON json_object *o = json_object_new_object(), *report = NULL, *certs = NULL, *hcl = NULL;
        json_object *service = NULL;
        int r = v->of_service ? service_to_json(&v->request, &v->manifest, &service, e) : 0;

        if (r < 0)
                return r;
        if (v->has_hcl && (hcl_findings_to_json(&v->hcl, &hcl) < 0 || json_add_take(o, "hcl", TAKE_PTR(hcl)) < 0))
                return error_oom(e);
        if (service && json_add_take(o, "svsm", service) < 0)
                return error_oom(e);
        if (snp_report_to_json(&v->report, v->report.product, &report) < 0 || certs_to_json(table, &certs) < 0 ||
            json_add_str(o, "source", v->source) < 0 || json_add_take(o, "report", TAKE_PTR(report)) < 0 ||
            json_add_take(o, "certs", TAKE_PTR(certs)) < 0)
                return error_oom(e);
        return ctl_output_set_json(out, TAKE_PTR(o), e);
}

static int print_text(const Evidence *v, const SnpCertTable *table, CtlOutput *out, Error *e) {
        AUTO_FREE char *text = NULL;
        int r = snp_report_to_text(&v->report, v->report.product, &text);

        if (r < 0)
                return error_set(e, r, "output", "The report cannot be put into text: %s", error_text(NULL, r));
        ctl_printf(out, "%s", text);
        ctl_printf(out, "Source: %s\nHost's certificates:", v->source);
        for (size_t i = 0; i < table->n_entries; i++)
                ctl_printf(out, " %s (%zu bytes)", snp_cert_kind_name(table->entries[i].kind), table->entries[i].size);
        ctl_printf(out, "%s\n", table->n_entries == 0 ? " none" : "");
        if (v->has_hcl)
                hcl_findings_print(&v->hcl, out);
        return v->of_service ? service_print(&v->request, &v->manifest, out, e) : 0;
}

static int run_report(const CtlCall *call, CtlOutput *out, Error *e) {
        const ReportArgs *args = call->args;
        CLEANUP(evidence_done) Evidence v = {};
        SnpCertTable table;
        int r;

        r = check_args(args, e);
        if (r < 0)
                return r;
        r = args->in ? read_report(args->in, &v, e) : ask_platform(args, &v, e);
        if (r < 0)
                return r;
        r = snp_cert_table_parse(v.certs.data, v.certs.size, &table, e);
        if (r < 0)
                return r;
        r = write_files(args, &v, e);
        if (r < 0)
                return r;
        return out->want_json ? print_json(&v, &table, out, e) : print_text(&v, &table, out, e);
}

const CtlVerb ctl_verb_report = {
        .name = "report",
        .summary = "Get an attestation report from the platform and show it",
        .details = "\nAsks configfs-tsm when it is there, else the ioctl device; that may need root.\n"
                   "With --in, a file may also hold a report of Azure's paravisor; whether the SNP report in it vouches\n"
                   "for its claims is shown, but not whether the SNP report itself is genuine: see verify.\n"
                   "With --service, the SVSM at VMPL 0 that serves this guest is asked (Linux 6.10, configfs-tsm) and\n"
                   "vouches for its services: REPORT_DATA is the SHA-512 of nonce and manifest.\n",
        .options = { options, N_ELEMENTS(options) },
        .args_size = sizeof(ReportArgs),
        .run = run_report,
};
