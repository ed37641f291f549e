/* SPDX-License-Identifier: Apache-2.0 */

/* `snpctl certs fetch`: the certificates for one report, from AMD's service, a mirror or the cloud. */

#include <errno.h>
#include <openssl/rand.h>
#include <string.h>

#include "agent/snpctl/cert-files.h"
#include "agent/snpctl/certs-args.h"
#include "agent/snpctl/certs-fetch.h"
#include "agent/snpctl/device-args.h"
#include "agent/snpctl/verbs.h"
#include "agent/snpctl/when.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "snp/thim.h"

#define REPORT_FILE_MAX (64u * 1024u)

typedef struct FetchArgs {
        CertsArgs certs;
        DeviceArgs device;
        const char *report, *table, *product, *out, *kds_ca, *cloud, *timeout;
        CtlTexts kds;
        bool from_device, crl, der;
} FetchArgs;

#define AT(member) offsetof(FetchArgs, member)
static const CtlOption options[] = {
        { "report", "FILE", "the report, raw as the platform gave it (1184 bytes)", CTL_TEXT, AT(report) },
        { "from-device", NULL, "ask this machine's platform for a report instead", CTL_FLAG, AT(from_device) },
        DEVICE_OPTIONS(FetchArgs, device),
        { "certs", "FILE", "the host's certificate table, for what it may already have", CTL_TEXT, AT(table) },
        { "product", "NAME", "product line of a report of version 2: Milan or Genoa", CTL_TEXT, AT(product) },
        { "out", "DIR", "write files as snpguest names them; the cache is then used only with --cache", CTL_TEXT,
          AT(out) },
        { "der", NULL, "files in DER instead of PEM", CTL_FLAG, AT(der) },
        CERTS_OPTIONS(FetchArgs, certs),
        { "kds", "URL", "AMD's service or a mirror, in order (" SNP_KDS_BASE "); none: nobody", CTL_TEXTS, AT(kds) },
        { "kds-ca", "FILE", "who vouches for these servers, PEM; the system's authorities by default", CTL_TEXT,
          AT(kds_ca) },
        { "cloud", "thim|URL", "ask the cloud's own service first (Azure)", CTL_TEXT, AT(cloud) },
        { "crl", NULL, "the revocation list too", CTL_FLAG, AT(crl) },
        { "timeout", "TIME", "for all of it, with pauses where servers ask for them (2min)", CTL_TEXT, AT(timeout) },
};

typedef struct Evidence {
        SnpReport report;
        Blob table;
} Evidence;

static void evidence_done(Evidence *v) {
        blob_done(&v->table);
}

static int check_args(const FetchArgs *args, Error *e) {
        if (!args->report == !args->from_device)
                return ctl_usage(e, "either --report FILE or --from-device is needed");
        if (args->report && (args->device.tsm_path || args->device.device))
                return ctl_usage(e, "--report excludes every option that is about asking the platform");
        if (args->from_device && args->table)
                return ctl_usage(e, "--certs goes with --report; the platform gives a table of its own");
        if (args->der && !args->out)
                return ctl_usage(e, "--der is about the files of --out");
        return 0;
}

static int ask_platform(const FetchArgs *args, Evidence *ret, Error *e) {
        CLEANUP(snp_device_freep) SnpDevice *device = NULL;
        AUTO_SNP_DEVICE_REPORT SnpDeviceReport raw = {};
        uint8_t data[SNP_REPORT_DATA_SIZE];
        int r;

        if (RAND_bytes(data, sizeof(data)) != 1)
                return error_set(e, -EIO, "random", "No random bytes to be had for REPORT_DATA");
        r = device_args_open(&args->device, &device, e);
        if (r == 0)
                r = snp_device_get_report(device, data, SNP_VMPL_AUTO, deadline_in(DEVICE_ARGS_TIMEOUT_USEC), &raw, e);
        if (r == 0)
                r = snp_report_parse(raw.report, sizeof(raw.report), &ret->report, e);
        if (r == 0)
                ret->table = blob_take(&raw.certs);
        return r;
}

static int read_files(const FetchArgs *args, Evidence *ret, Error *e) {
        AUTO_BLOB Blob b = {};
        int r;

        r = file_read(args->report, REPORT_FILE_MAX, &b, e);
        if (r < 0)
                return r;
        r = snp_report_parse(b.data, b.size, &ret->report, e);
        if (r < 0) {
                error_prefix(e, "%s", args->report);
                return r;
        }
        return args->table ? file_read(args->table, SNP_CERT_TABLE_MAX, &ret->table, e) : 0;
}

static int read_servers(const FetchArgs *args, SnpFetchConfig *ret, Error *e) {
        ret->no_kds = args->kds.n == 1 && strcmp(args->kds.items[0], "none") == 0;
        ret->mirrors = ret->no_kds ? NULL : args->kds.items;
        ret->n_mirrors = ret->no_kds ? 0 : args->kds.n;
        ret->cloud_url = args->cloud && strcmp(args->cloud, "thim") == 0 ? SNP_THIM_URL : args->cloud;
        if (args->timeout && (text_to_usec(args->timeout, &ret->total_usec) < 0 || ret->total_usec == 0))
                return ctl_usage(e, "--timeout '%.20s' is no time, such as 90s or 2min", args->timeout);
        return 0;
}

static int make_collateral(const FetchArgs *args, const SnpTrust *trust, const Evidence *v, SnpCollateral **ret,
                           Error *e) {
        const SnpCrlPolicy crl = { .mode = args->crl ? SNP_CRL_HARD : SNP_CRL_OFF };
        CLEANUP(snp_collateral_freep) SnpCollateral *c = NULL;
        SnpProduct fallback = SNP_PRODUCT_UNKNOWN;
        SnpCertTable table;
        SnpVekId id;
        int r;

        if (args->product) {
                fallback = snp_product_from_name(args->product, strlen(args->product));
                if (fallback == SNP_PRODUCT_UNKNOWN)
                        return ctl_usage(e, "--product '%.40s' is not Milan, Genoa or Turin", args->product);
        }
        r = snp_vek_id_of_report(&v->report, fallback, &id, e);
        if (r == 0)
                r = snp_cert_table_parse(v->table.data, v->table.size, &table, e);
        if (r == 0)
                r = snp_collateral_new(trust, &id, &crl, &c, e);
        if (r == 0)
                r = snp_collateral_offer_table(c, &table, time(NULL), e);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(c);
        return 0;
}

typedef struct Outcome {
        const SnpTrust *trust;
        const SnpCollateral *parts;
        const CertsFetch *fetch;
        CertFiles files;
} Outcome;

static int parts_to_json(const Outcome *o, json_object **ret) {
        AUTO_JSON json_object *parts = json_object_new_object();

        for (SnpPart part = 0; part < SNP_N_PARTS; part++) {
                const char *source = snp_source_name(snp_collateral_source(o->parts, part));

                if (snp_collateral_get(o->parts, part) && json_add_str(parts, snp_part_name(part), source) < 0)
                        return -ENOMEM;
        }
        *ret = TAKE_PTR(parts);
        return *ret ? 0 : -ENOMEM;
}

static int files_to_json(const CertFiles *files, json_object **ret) {
        AUTO_JSON json_object *list = json_object_new_array();

        for (size_t i = 0; i < files->n; i++) {
                json_object *s = json_object_new_string(files->paths[i]);

                if (!s || !list || json_object_array_add(list, s) < 0) {
                        (void) json_object_put(s);
                        return -ENOMEM;
                }
        }
        *ret = TAKE_PTR(list);
        return *ret ? 0 : -ENOMEM;
}

static int print_json(const Outcome *o, CtlOutput *out, Error *e) {
        AUTO_JSON json_object *j = json_object_new_object(), *parts = NULL, *files = NULL;
        const SnpVekId *id = snp_collateral_id(o->parts);
        char until[CTL_WHEN_SIZE];

        ctl_when_format(snp_collateral_not_after(o->parts), until);
        if (parts_to_json(o, &parts) < 0 || files_to_json(&o->files, &files) < 0 ||
            json_add_str(j, "trust", certs_trust_name(o->trust)) < 0 ||
            json_add_str(j, "product", snp_product_name(id->product)) < 0 ||
            json_add_hex(j, "reported_tcb", id->tcb, sizeof(id->tcb)) < 0 ||
            json_add_take(j, "sources", TAKE_PTR(parts)) < 0 || json_add_str(j, "not_after", until) < 0 ||
            json_add_u64(j, "requests", o->fetch->n_requests) < 0 || json_add_take(j, "files", TAKE_PTR(files)) < 0 ||
            json_add_bool(j, "kept", o->fetch->cache && o->fetch->not_kept.code == 0) < 0)
                return error_oom(e);
        return ctl_output_set_json(out, TAKE_PTR(j), e);
}

static int print_text(const Outcome *o, CtlOutput *out, Error *e) {
        static const char *const columns[] = { "PART", "SOURCE" };
        CLEANUP(ctl_table_freep) CtlTable *table = NULL;
        char until[CTL_WHEN_SIZE];
        int r;

        ctl_when_format(snp_collateral_not_after(o->parts), until);
        ctl_printf(out, "Product: %s\n", snp_product_name(snp_collateral_id(o->parts)->product));
        certs_print_trust(o->trust, out);
        ctl_printf(out, "Valid until: %s\nRequests: %llu\n", until, (unsigned long long) o->fetch->n_requests);
        for (size_t i = 0; i < o->files.n; i++)
                ctl_printf(out, "Written: %s\n", o->files.paths[i]);
        if (o->fetch->not_kept.code < 0)
                ctl_printf(out, "Not kept in the cache: %s\n", o->fetch->not_kept.text);
        ctl_printf(out, "\n");
        r = ctl_table_new(columns, N_ELEMENTS(columns), &table, e);
        for (SnpPart part = 0; part < SNP_N_PARTS && r == 0; part++) {
                const char *source = snp_source_name(snp_collateral_source(o->parts, part));
                const char *const cells[] = { snp_part_name(part), source };

                if (snp_collateral_get(o->parts, part))
                        r = ctl_table_add(table, cells, e);
        }
        return r < 0 ? r : ctl_table_print(table, out, e);
}

static int fetch_and_print(const FetchArgs *args, SnpCollateral *c, CertsFetch *fetch, const SnpTrust *trust,
                           CtlOutput *out, Error *e) {
        Outcome o = { .trust = trust, .parts = c, .fetch = fetch };
        int r;

        r = certs_fetch(c, fetch, e);
        if (r == 0 && args->out)
                r = cert_files_write(c, args->out, args->der, &o.files, e);
        if (r == 0)
                r = out->want_json ? print_json(&o, out, e) : print_text(&o, out, e);
        cert_files_done(&o.files);
        return r;
}

static int run_fetch(const CtlCall *call, CtlOutput *out, Error *e) {
        const FetchArgs *args = call->args;
        CLEANUP(snp_trust_freep) SnpTrust *trust = NULL;
        CLEANUP(snp_cache_closep) SnpCache *cache = NULL;
        CLEANUP(snp_collateral_freep) SnpCollateral *c = NULL;
        CLEANUP(evidence_done) Evidence v = {};
        CertsFetch fetch = { .ca_file = args->kds_ca };
        int r;

        r = check_args(args, e);
        if (r == 0)
                r = read_servers(args, &fetch.config, e);
        if (r == 0)
                r = certs_args_trust(&args->certs, &trust, e);
        if (r == 0)
                r = args->report ? read_files(args, &v, e) : ask_platform(args, &v, e);
        if (r == 0)
                r = make_collateral(args, trust, &v, &c, e);
        if (r == 0 && (args->certs.cache || !args->out))
                r = certs_args_cache(&args->certs, &cache, e);
        if (r < 0)
                return r;
        fetch.cache = cache;
        return fetch_and_print(args, c, &fetch, trust, out, e);
}

const CtlVerb ctl_verb_certs_fetch = {
        .name = "certs fetch",
        .summary = "Get the certificates for a report from AMD, a mirror or the cloud",
        .details = "\nLooks into the host's table and the cache first and asks only for what is missing, waiting\n"
                   "where a server says so. What comes is verified up to AMD's roots, or to --trust-root, before it is kept\n"
                   "or written. A VLEK cannot be fetched: only its provider has it. Mirrors are https, or http and a\n"
                   "literal address of this machine or its link.\n",
        .options = { options, N_ELEMENTS(options) },
        .args_size = sizeof(FetchArgs),
        .run = run_fetch,
};
