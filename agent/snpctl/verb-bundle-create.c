/* SPDX-License-Identifier: Apache-2.0 */

/*
 * `snpctl bundle create`: evidence of this machine, or of earlier captures, in one file. Uses no network: certificates
 * that the host does not give come from files. Lives in the helper for the TPM.
 */

#include <assert.h>
#include <errno.h>
#include <openssl/rand.h>
#include <string.h>
#include <time.h>

#include "agent/bundle/collect.h"
#include "agent/snpctl/challenge.h"
#include "agent/snpctl/certs-dir.h"
#include "agent/snpctl/device-args.h"
#include "agent/snpctl/report-file.h"
#include "agent/snpctl/tpm-args.h"
#include "agent/snpctl/tpm-files.h"
#include "agent/snpctl/verbs.h"
#include "base/base64.h"
#include "base/file.h"
#include "base/json.h"
#include "base/reader.h"
#include "base/text.h"
#include "snp/cert_table.h"
#include "vtpm/event-log.h"
#include "vtpm/hcl.h"
#include "vtpm/pcr-file.h"
#include "vtpm/pcr-text.h"
#include "vtpm/quote.h"

#define RANDOM_NONCE_SIZE 32
#define CERT_FILE_MAX (4 * SNP_CERT_SIZE_MAX)
#define DEFAULT_PCRS "sha256:all"
#define DEFAULT_LOG "/sys/kernel/security/tpm0/binary_bios_measurements"

typedef struct CreateArgs {
        DeviceArgs device;
        TpmArgs tpm;
        const char *nonce, *data, *report, *vek, *certs, *vmpl;
        CtlTexts chain, crls;
        bool ask_tpm;
        const char *pcrs, *quote, *log, *ak_cert, *hcl, *manifest, *manifest_version;
} CreateArgs;

#define AT(member) offsetof(CreateArgs, member)
static const CtlOption options[] = {
        { "nonce", "BASE64URL", "what the verifier wants to see answered, 1 to 64 bytes; random by default", CTL_TEXT,
          AT(nonce) },
        { "data", "HEX", "the same in hex, as --nonce of the verbs of tpm has it", CTL_TEXT, AT(data) },
        { "report", "FILE", "an earlier report, instead of asking for one", CTL_TEXT, AT(report) },
        { "vek", "FILE", "the VCEK or VLEK certificate, DER or PEM; by default the host's", CTL_TEXT, AT(vek) },
        { "chain", "FILE", "ASK or ASVK, and ARK, DER or PEM", CTL_TEXTS, AT(chain) },
        { "certs", "PATH", "a certificate table of the host's or snpguest's directory, for what is left out", CTL_TEXT,
          AT(certs) },
        { "crl", "FILE", "a revocation list, DER or PEM", CTL_TEXTS, AT(crls) },
        { "vmpl", "N", "0 to 3; by default the kernel's own", CTL_TEXT, AT(vmpl) },
        DEVICE_OPTIONS(CreateArgs, device),
        { "tpm", NULL, "ask the TPM for a quote over the nonce", CTL_FLAG, AT(ask_tpm) },
        { "pcrs", "SELECTION", "sha256:0,1,7+sha384:all; by default " DEFAULT_PCRS, CTL_TEXT, AT(pcrs) },
        TPM_AK_OPTION(CreateArgs, tpm),
        { "quote", "DIR", "an earlier quote, as 'snpctl tpm quote --out' writes it", CTL_TEXT, AT(quote) },
        { "event-log", "FILE", "by default the kernel's, with --tpm but without --tcti", CTL_TEXT, AT(log) },
        { "ak-cert", "FILE", "the attestation key's certificate, DER", CTL_TEXT, AT(ak_cert) },
        { "hcl-report", "FILE", "what Azure's paravisor keeps in NV index 0x01400001; holds the report", CTL_TEXT,
          AT(hcl) },
        { "svsm-manifest", "FILE", "of an SVSM's vTPM, over which the report was made", CTL_TEXT, AT(manifest) },
        { "svsm-manifest-version", "N", "0 (default) or 1", CTL_TEXT, AT(manifest_version) },
        TPM_OPTIONS(CreateArgs, tpm),
};

static int check_args(const CreateArgs *args, Error *e) {
        bool asks_device = args->vmpl || args->device.tsm_path || args->device.device;
        bool tpm = args->ask_tpm || args->quote;

        if (args->report && args->hcl)
                return ctl_usage(e, "--hcl-report holds the report: --report is one too many");
        if ((args->report || args->hcl) && asks_device)
                return ctl_usage(e, "--report and --hcl-report exclude what is about asking the platform");
        if (args->ask_tpm && args->quote)
                return ctl_usage(e, "--tpm and --quote exclude each other");
        if (!args->ask_tpm && (args->pcrs || args->tpm.ak || args->tpm.tcti))
                return ctl_usage(e, "--pcrs, --ak and --tcti are about --tpm");
        if (!tpm && (args->log || args->ak_cert || args->hcl))
                return ctl_usage(e, "--event-log, --ak-cert and --hcl-report need --tpm or --quote");
        if (args->manifest && !args->report)
                return ctl_usage(e, "--svsm-manifest needs the --report that was made over it");
        if (args->data && args->nonce)
                return ctl_usage(e, "--data and --nonce exclude each other");
        return 0;
}

static int set_nonce(Bundle *b, const uint8_t *data, size_t size) {
        (void) memcpy(b->nonce, data, size);
        b->nonce_size = size;
        return 0;
}

static int read_nonce(const CreateArgs *args, Bundle *b, Error *e) {
        AUTO_BLOB Blob nonce = {};
        int r;

        if (!args->nonce && !args->data)
                return 0;
        r = ctl_nonce_parse(args->data, args->nonce, &nonce, e);
        return r < 0 ? r : set_nonce(b, nonce.data, nonce.size);
}

/* The report */

static int ask_platform(const CreateArgs *args, Bundle *b, Error *e) {
        CLEANUP(snp_device_freep) SnpDevice *device = NULL;
        AUTO_SNP_DEVICE_REPORT SnpDeviceReport raw = {};
        uint8_t data[SNP_REPORT_DATA_SIZE] = {};
        uint64_t vmpl = SNP_VMPL_AUTO;
        SnpReport report;
        int r;

        if (args->vmpl && text_to_u64(args->vmpl, 10, 0, 3, &vmpl) < 0)
                return ctl_usage(e, "--vmpl '%.20s' is not 0, 1, 2 or 3", args->vmpl);
        (void) memcpy(data, b->nonce, b->nonce_size);
        r = device_args_open(&args->device, &device, e);
        if (r == 0)
                r = snp_device_get_report(device, data, (uint32_t) vmpl, deadline_in(DEVICE_ARGS_TIMEOUT_USEC), &raw, e);
        if (r == 0)
                r = snp_report_parse(raw.report, sizeof(raw.report), &report, e);
        if (r < 0)
                return r;
        if (blob_dup(raw.report, sizeof(raw.report), &b->report) < 0)
                return error_oom(e);
        return bundle_add_table(b, raw.certs.data, raw.certs.size, report.signing_key, e);
}

/* A report without a nonce beside it: then REPORT_DATA is the nonce, without the zeros behind it. */
static int nonce_of_report(Bundle *b, const SnpReport *report, Error *e) {
        size_t n = SNP_REPORT_DATA_SIZE;

        while (n > 0 && report->report_data[n - 1] == 0)
                n--;
        if (n == 0 || b->rule != BUNDLE_RULE_NONCE)
                return ctl_usage(e, "this report does not tell the nonce: give --nonce or --data (00 where REPORT_DATA is zero)");
        return set_nonce(b, report->report_data, n);
}

/* Those that came in the report's file. */
static int add_certs(Bundle *b, const ReportFile *file, SnpSigningKey signing_key, Error *e) {
        const Blob *vek = signing_key == SNP_SIGNING_KEY_VLEK ? &file->vlek : &file->vcek;
        int r = bundle_add_table(b, file->table.data, file->table.size, signing_key, e);

        if (r == 0 && b->vek.size == 0 && vek->size > 0)
                r = bundle_set_vek(b, vek->data, vek->size, e);
        for (size_t i = 0; i < N_ELEMENTS(file->chain) && r == 0; i++)
                if (file->chain[i].size > 0)
                        r = bundle_add_chain(b, file->chain[i].data, file->chain[i].size, e);
        return r;
}

static int read_report(const CreateArgs *args, Bundle *b, Error *e) {
        AUTO_REPORT_FILE ReportFile file = {};
        SnpReport report;
        int r = report_file_read(args->report, &file, e);

        if (r < 0)
                return r;
        b->report = blob_take(&file.report);
        r = snp_report_parse(b->report.data, b->report.size, &report, e);
        if (r < 0) {
                error_prefix(e, "%s", args->report);
                return r;
        }
        r = add_certs(b, &file, report.signing_key, e);
        if (r == 0 && b->nonce_size == 0)
                r = nonce_of_report(b, &report, e);
        return r;
}

static int read_hcl(const CreateArgs *args, Bundle *b, Error *e) {
        VtpmHcl hcl;
        int r = file_read(args->hcl, BUNDLE_TPM_BLOB_MAX, &b->tpm.hcl_report, e);

        if (r == 0)
                r = vtpm_hcl_parse(b->tpm.hcl_report.data, b->tpm.hcl_report.size, &hcl, e);
        if (r < 0)
                return r;
        b->rule = BUNDLE_RULE_HCL;
        return blob_dup(hcl.report, SNP_REPORT_SIZE, &b->report) < 0 ? error_oom(e) : 0;
}

static int read_manifest(const CreateArgs *args, Bundle *b, Error *e) {
        uint64_t version = 0;

        if (args->manifest_version && text_to_u64(args->manifest_version, 10, 0, 1, &version) < 0)
                return ctl_usage(e, "--svsm-manifest-version '%.20s' is not 0 or 1", args->manifest_version);
        b->rule = BUNDLE_RULE_SVSM;
        b->svsm_manifest_version = (uint32_t) version;
        return file_read(args->manifest, BUNDLE_MANIFEST_MAX, &b->svsm_manifest, e);
}

static int get_report(const CreateArgs *args, Bundle *b, Error *e) {
        int r = args->manifest ? read_manifest(args, b, e) : 0;

        if (r < 0)
                return r;
        if (args->hcl)
                return read_hcl(args, b, e);
        return args->report ? read_report(args, b, e) : ask_platform(args, b, e);
}

/* Certificates */

typedef int (*AddFunction)(Bundle *b, const void *data, size_t size, Error *e);

static int add_file(const char *path, size_t max, AddFunction add, Bundle *b, Error *e) {
        AUTO_BLOB Blob file = {};
        int r = file_read(path, max, &file, e);

        if (r < 0)
                return r;
        r = add(b, file.data, file.size, e);
        if (r < 0)
                error_prefix(e, "%s", path);
        return r;
}

static int add_table(Bundle *b, const void *data, size_t size, Error *e) {
        SnpReport report;
        int r = snp_report_parse(b->report.data, b->report.size, &report, e);

        return r < 0 ? r : bundle_add_table(b, data, size, report.signing_key, e);
}

static int add_dir(const char *path, Bundle *b, Error *e) {
        AUTO_CERTS_DIR CertsDir dir = {};
        SnpReport report;
        int r = snp_report_parse(b->report.data, b->report.size, &report, e);

        if (r == 0)
                r = certs_dir_read(path, report.signing_key, &dir, e);
        if (r == 0 && b->vek.size == 0 && dir.vek.size > 0)
                r = bundle_set_vek(b, dir.vek.data, dir.vek.size, e);
        for (size_t i = 0; i < dir.n_chain && r == 0; i++)
                r = bundle_add_chain(b, dir.chain[i].data, dir.chain[i].size, e);
        if (r == 0 && dir.crl.size > 0)
                r = bundle_add_crls(b, dir.crl.data, dir.crl.size, e);
        return r;
}

static int get_certs(const CreateArgs *args, Bundle *b, Error *e) {
        int r = 0;

        for (size_t i = 0; i < args->chain.n && r == 0; i++)
                r = add_file(args->chain.items[i], CERT_FILE_MAX, bundle_add_chain, b, e);
        if (r == 0 && args->certs)
                r = certs_dir_is(args->certs) ? add_dir(args->certs, b, e)
                                              : add_file(args->certs, SNP_CERT_TABLE_MAX, add_table, b, e);
        for (size_t i = 0; i < args->crls.n && r == 0; i++)
                r = add_file(args->crls.items[i], 2 * BUNDLE_CRL_SIZE_MAX, bundle_add_crls, b, e);
        return r;
}

/* TPM */

static int ask_tpm(const CreateArgs *args, Bundle *b, Error *e) {
        AUTO_VTPM_QUOTE VtpmQuote quote = {};
        AUTO_FREE char *tcti = NULL;
        VtpmQuoteRequest q = { .nonce = b->nonce, .nonce_size = b->nonce_size };
        Error why = {};
        int r;

        if (vtpm_pcr_selection_parse(args->pcrs ? args->pcrs : DEFAULT_PCRS, &q.pcrs, &why) < 0)
                return ctl_usage(e, "--pcrs: %s", why.text);
        r = tpm_args_resolve(&args->tpm, &tcti, &q.ak, e);
        if (r < 0)
                return r;
        q.tcti = tcti;
        q.deadline = deadline_in(TPM_TIMEOUT_USEC);
        r = vtpm_quote_run(&q, &quote, e);
        if (r < 0)
                return r;
        b->tpm.attest = blob_take(&quote.attest);
        b->tpm.signature = blob_take(&quote.signature);
        b->tpm.ak = blob_take(&quote.ak);
        static_assert(VTPM_HASHES_MAX <= BUNDLE_BANKS_MAX, "every bank has a place");
        (void) memcpy(b->tpm.pcrs, quote.pcrs, quote.n_pcrs * sizeof(quote.pcrs[0]));
        b->tpm.n_pcrs = quote.n_pcrs;
        return 0;
}

/* A bundle has the TPMT_PUBLIC; tpm2-tools put its size in front. */
static int unwrap_public(const Blob *file, Blob *ret, Error *e) {
        Reader r = rd_init(file->data, file->size);
        size_t n = rd_be16(&r);
        bool wrapped = n > 0 && n == rd_left(&r);

        return blob_dup(file->data + (wrapped ? 2 : 0), file->size - (wrapped ? 2 : 0), ret) < 0 ? error_oom(e) : 0;
}

static int read_quote(const CreateArgs *args, Bundle *b, Error *e) {
        const TpmFileArgs where = { .dir = args->quote };
        AUTO_TPM_FILES TpmFiles files = {};
        int r = tpm_files_read(&where, &files, e);

        if (r == 0)
                r = vtpm_pcr_file_parse(files.pcrs.data, files.pcrs.size, b->tpm.pcrs, &b->tpm.n_pcrs, e);
        if (r == 0)
                r = unwrap_public(&files.public, &b->tpm.ak, e);
        if (r < 0)
                return r;
        b->tpm.attest = blob_take(&files.message);
        b->tpm.signature = blob_take(&files.signature);
        return 0;
}

static int get_tpm(const CreateArgs *args, Bundle *b, Error *e) {
        int r;

        if (!args->ask_tpm && !args->quote)
                return 0;
        b->has_tpm = true;
        r = args->quote ? read_quote(args, b, e) : ask_tpm(args, b, e);
        if (r == 0 && args->log)
                r = file_read(args->log, VTPM_EVENT_LOG_MAX, &b->tpm.event_log, e);
        else if (r == 0 && args->ask_tpm && !args->tpm.tcti &&
                 file_read(DEFAULT_LOG, VTPM_EVENT_LOG_MAX, &b->tpm.event_log, NULL) < 0)
                blob_done(&b->tpm.event_log); /* not every machine has one */
        if (r == 0 && args->ak_cert)
                r = file_read(args->ak_cert, BUNDLE_TPM_BLOB_MAX, &b->tpm.ak_certificate, e);
        return r;
}

/* Outcome */

static int print_json(const Bundle *b, const char *nonce, CtlOutput *out, Error *e) {
        AUTO_JSON json_object *o = json_object_new_object();

        if (json_add_str(o, "nonce", nonce) < 0 ||
            json_add_str(o, "report_data_rule", bundle_rule_name(b->rule)) < 0 ||
            json_add_u64(o, "chain", b->n_chain) < 0 || json_add_u64(o, "crls", b->n_crls) < 0 ||
            json_add_bool(o, "tpm", b->has_tpm) < 0 || json_add_bool(o, "event_log", b->tpm.event_log.size > 0) < 0)
                return error_oom(e);
        return ctl_output_set_json(out, TAKE_PTR(o), e);
}

static int print(const Bundle *b, const char *path, CtlOutput *out, Error *e) {
        AUTO_FREE char *nonce = base64_encode(BASE64_URL, b->nonce, b->nonce_size);

        if (!nonce)
                return error_oom(e);
        if (out->want_json)
                return print_json(b, nonce, out, e);
        ctl_printf(out, "%s: report%s%s, %zu chain certificates, %zu revocation lists\nNonce: %s\n", path,
                   b->has_tpm ? ", quote" : "", b->tpm.event_log.size > 0 ? ", event log" : "", b->n_chain, b->n_crls,
                   nonce);
        if (b->n_chain < 2)
                ctl_printf(out, "Note: ASK or ASVK, and ARK are needed to verify it: give --chain FILE.\n");
        return 0;
}

static int draw_nonce(Bundle *b, Error *e) {
        uint8_t nonce[RANDOM_NONCE_SIZE];

        if (RAND_bytes(nonce, sizeof(nonce)) != 1)
                return error_set(e, -EIO, "random", "No random bytes to be had for a nonce");
        return set_nonce(b, nonce, sizeof(nonce));
}

/* The certificates given come first: those of the host fill in. */
static int collect(const CreateArgs *args, Bundle *b, Error *e) {
        int r = read_nonce(args, b, e);

        if (r == 0 && b->nonce_size == 0 && !args->report && !args->quote)
                r = draw_nonce(b, e);
        if (r == 0 && b->nonce_size == 0 && !args->report)
                return ctl_usage(e, "--quote is over a nonce: give --nonce or --data");
        if (r == 0 && args->vek)
                r = add_file(args->vek, SNP_CERT_SIZE_MAX, bundle_set_vek, b, e);
        if (r == 0)
                r = get_report(args, b, e);
        if (r == 0)
                r = get_certs(args, b, e);
        if (r == 0)
                r = get_tpm(args, b, e);
        return r == 0 ? bundle_check(b, e) : r;
}

static int run_create(const CtlCall *call, CtlOutput *out, Error *e) {
        AUTO_BUNDLE Bundle b = { .writer = "snpctl " SNP_AGENT_VERSION, .captured_at = (int64_t) time(NULL) };
        AUTO_BLOB Blob file = {};
        int r = check_args(call->args, e);

        if (r == 0)
                r = collect(call->args, &b, e);
        if (r == 0)
                r = bundle_encode(&b, &file, e);
        if (r == 0)
                r = file_write_atomic(call->operands[0], file.data, file.size, 0644, e);
        return r < 0 ? r : print(&b, call->operands[0], out, e);
}

const CtlVerb ctl_verb_bundle_create = {
        .name = "bundle create",
        .operands = "OUT",
        .n_operands = 1,
        .summary = "Put evidence of this machine into one file",
        .details = "\nAsks the platform for a report over the nonce, and with --tpm the TPM for a quote over the same\n"
                   "one; or takes files of earlier captures. Certificates that the host does not give come from\n"
                   "--vek, --chain and --crl: no network is used.\n",
        .options = { options, N_ELEMENTS(options) },
        .args_size = sizeof(CreateArgs),
        .run = run_create,
};
