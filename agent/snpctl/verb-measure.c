/* SPDX-License-Identifier: Apache-2.0 */

/* `snpctl measure`: the launch digest that a guest's reports will carry, and why theirs is another one. */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agent/snpctl/id-files.h"
#include "agent/snpctl/launch-input.h"
#include "agent/snpctl/measure-explain.h"
#include "agent/snpctl/report-file.h"
#include "agent/snpctl/verbs.h"
#include "base/base64.h"
#include "base/file.h"
#include "base/hex.h"
#include "base/json.h"
#include "snp/launch/id-block.h"
#include "snp/launch/igvm.h"
#include "snp/report.h"

typedef struct MeasureArgs {
        LaunchArgs launch;
        ExplainArgs explain;
        const char *igvm, *want, *want_report;
        bool native_zero, stages, base64, explains;
} MeasureArgs;

#define AT(member) offsetof(MeasureArgs, member)
static const CtlOption options[] = {
        LAUNCH_OPTIONS(MeasureArgs, launch),
        { "igvm", "FILE", "measure an IGVM file; says everything that is said above", CTL_TEXT, AT(igvm) },
        { "native-zero", NULL, "its loader makes ZERO pages of pages without data (Google)", CTL_FLAG,
          AT(native_zero) },
        { "stages", NULL, "also print the digest after each step", CTL_FLAG, AT(stages) },
        { "base64", NULL, "print digests in base64", CTL_FLAG, AT(base64) },
        { "want", "DIGEST", "compare with this digest, hex or base64", CTL_TEXT, AT(want) },
        { "want-report", "FILE", "compare with MEASUREMENT of this report", CTL_TEXT, AT(want_report) },
        { "explain", NULL, "when it differs, find what is different", CTL_FLAG, AT(explains) },
        EXPLAIN_OPTIONS(MeasureArgs, explain),
};

#define STAGES_MAX 8192 /* IGVM files have one a page; what is beyond is not printed */

typedef struct Stage {
        char name[64];
        uint8_t ld[SNP_LD_SIZE];
} Stage;

typedef struct Measured {
        SnpLaunchDigest digest;
        Stage *stages; /* owned; NULL unless asked for */
        size_t n_stages;
        bool has_want, matches;
        uint8_t want[SNP_LD_SIZE];
        bool has_igvm, fits_kvm, has_id_block, id_block_holds, id_block_matches;
        uint64_t policy;
        Error failed; /* with --explain the believed launch may be impossible */
} Measured;

static void measured_done(Measured *m) {
        free(m->stages);
}

static void add_stage(void *user, const char *name, const uint8_t ld[static SNP_LD_SIZE]) {
        Measured *m = user;
        Stage *s = &m->stages[m->n_stages];

        if (m->n_stages == STAGES_MAX)
                return;
        (void) snprintf(s->name, sizeof(s->name), "%s", name);
        (void) memcpy(s->ld, ld, SNP_LD_SIZE);
        m->n_stages++;
}

static int read_want(const MeasureArgs *args, Measured *m, Error *e) {
        AUTO_REPORT_FILE ReportFile file = {};
        SnpReport report;
        int r;

        if (args->want && args->want_report)
                return ctl_usage(e, "--want and --want-report say the same; give one");
        m->has_want = args->want || args->want_report;
        if (args->want && id_digest_parse(args->want, m->want) < 0)
                return ctl_usage(e, "--want is not %d hexadecimal digits, nor base64 of as much", 2 * SNP_LD_SIZE);
        if (!args->want_report)
                return 0;
        r = report_file_read(args->want_report, &file, e);
        if (r == 0)
                r = snp_report_parse(file.report.data, file.report.size, &report, e);
        if (r == 0)
                (void) memcpy(m->want, report.measurement, SNP_LD_SIZE);
        return r;
}

static int check_args(const MeasureArgs *args, Error *e) {
        if (args->igvm && launch_args_are_given(&args->launch))
                return ctl_usage(e, "--igvm excludes every option that describes another launch");
        if (args->native_zero && !args->igvm)
                return ctl_usage(e, "--native-zero needs --igvm");
        if (args->explains && (args->igvm || !(args->want || args->want_report)))
                return ctl_usage(e, args->igvm ? "--explain does not know IGVM files"
                                               : "--explain needs --want or --want-report");
        if (!args->explains && explain_args_are_given(&args->explain))
                return ctl_usage(e, "what to try needs --explain");
        return 0;
}

static int judge_id_block(const SnpIgvm *igvm, Measured *m, Error *e) {
        uint8_t block[SNP_ID_BLOCK_SIZE], auth[SNP_ID_AUTH_SIZE];
        bool author = false;
        SnpIdVerdict v;
        int r;

        m->has_id_block = igvm->id_block != NULL;
        if (!m->has_id_block)
                return 0;
        r = snp_id_from_igvm(igvm, block, auth, &author, e);
        if (r == 0)
                r = snp_id_verify(block, sizeof(block), auth, sizeof(auth), author, &v, e);
        if (r < 0)
                return r;
        m->id_block_holds = v.outcome == SNP_ID_ACCEPT;
        m->id_block_matches = memcmp(block, m->digest.bytes, SNP_LD_SIZE) == 0; /* its first field */
        return 0;
}

static int measure_igvm(const MeasureArgs *args, const SnpStages *stages, Measured *m, Error *e) {
        AUTO_BLOB Blob file = {};
        SnpIgvm igvm;
        int r = file_read(args->igvm, SNP_IGVM_FILE_MAX, &file, e);

        if (r == 0)
                r = snp_igvm_parse(file.data, file.size, &igvm, e);
        if (r == 0)
                r = snp_igvm_measure(&igvm, args->native_zero, stages, &m->digest, e);
        if (r < 0)
                return r;
        m->has_igvm = true;
        m->fits_kvm = igvm.fits_kvm;
        m->policy = igvm.policy;
        return judge_id_block(&igvm, m, e);
}

static int measure_launch(const LaunchInput *in, const SnpStages *stages, Measured *m, Error *e) {
        if (!in->firmware_only)
                return snp_launch_measure(&in->launch, stages, &m->digest, e);
        m->digest.size = SNP_LD_SIZE;
        return snp_firmware_measure(in->launch.firmware, in->launch.firmware_size, m->digest.bytes, e);
}

static char *encode(const MeasureArgs *args, const void *data, size_t n) {
        return args->base64 ? base64_encode(BASE64_STD, data, n) : hex_encode(data, n);
}

static int stages_to_json(const MeasureArgs *args, const Measured *m, json_object **ret) {
        AUTO_JSON json_object *list = json_object_new_array();

        for (size_t i = 0; i < m->n_stages; i++) {
                AUTO_JSON json_object *o = json_object_new_object();
                AUTO_FREE char *digest = encode(args, m->stages[i].ld, SNP_LD_SIZE);

                if (!list || !digest || json_add_str(o, "name", m->stages[i].name) < 0 ||
                    json_add_str(o, "digest", digest) < 0 || json_object_array_add(list, o) < 0)
                        return -ENOMEM;
                o = NULL;
        }
        *ret = TAKE_PTR(list);
        return *ret ? 0 : -ENOMEM;
}

static int igvm_to_json(const Measured *m, json_object **ret) {
        AUTO_JSON json_object *o = json_object_new_object();

        if (json_add_u64(o, "policy", m->policy) < 0 || json_add_bool(o, "fits_kvm", m->fits_kvm) < 0 ||
            json_add_bool(o, "has_id_block", m->has_id_block) < 0)
                return -ENOMEM;
        if (m->has_id_block && (json_add_bool(o, "id_block_holds", m->id_block_holds) < 0 ||
                                json_add_bool(o, "id_block_matches", m->id_block_matches) < 0))
                return -ENOMEM;
        *ret = TAKE_PTR(o);
        return 0;
}

static int print_json(const MeasureArgs *args, const Measured *m, const Explained *x, CtlOutput *out, Error *e) {
        AUTO_JSON json_object *o = json_object_new_object();
        AUTO_FREE char *digest = encode(args, m->digest.bytes, m->digest.size);
        json_object *part = NULL;

        if (!o || !digest)
                return error_oom(e);
        if (m->failed.code < 0 ? json_add_str(o, "impossible", error_reason(&m->failed, m->failed.code)) < 0
                               : json_add_str(o, "measurement", digest) < 0)
                return error_oom(e);
        if (m->stages && (stages_to_json(args, m, &part) < 0 || json_add_take(o, "stages", TAKE_PTR(part)) < 0))
                return error_oom(e);
        if (m->has_igvm && (igvm_to_json(m, &part) < 0 || json_add_take(o, "igvm", TAKE_PTR(part)) < 0))
                return error_oom(e);
        if (m->has_want && (json_add_hex(o, "wanted", m->want, SNP_LD_SIZE) < 0 ||
                            json_add_bool(o, "matches", m->matches) < 0))
                return error_oom(e);
        if (x && (explained_to_json(x, &part) < 0 || json_add_take(o, "explanation", TAKE_PTR(part)) < 0))
                return error_oom(e);
        return ctl_output_set_json(out, TAKE_PTR(o), e);
}

/* Without a question the digest stands alone, for scripts. */
static int print_text(const MeasureArgs *args, const Measured *m, const Explained *x, CtlOutput *out, Error *e) {
        AUTO_FREE char *digest = encode(args, m->digest.bytes, m->digest.size);
        char want[2 * SNP_LD_SIZE + 1];

        for (size_t i = 0; i < m->n_stages; i++) {
                AUTO_FREE char *stage = encode(args, m->stages[i].ld, SNP_LD_SIZE);

                ctl_printf(out, "%s  %s\n", stage ? stage : "", m->stages[i].name);
        }
        if (!digest)
                return error_oom(e);
        if (m->failed.code < 0)
                ctl_printf(out, "As described it cannot be launched: %s\n", error_text(&m->failed, m->failed.code));
        else
                ctl_printf(out, "%s\n", digest);
        if (m->has_igvm && !m->fits_kvm)
                ctl_printf(out, "KVM cannot start this as it is: it wants one VMSA, at the top and last in the file\n");
        if (m->has_id_block)
                ctl_printf(out, "ID block: signatures %s, digest %s\n", m->id_block_holds ? "hold" : "DO NOT HOLD",
                           m->id_block_matches ? "is this" : "IS ANOTHER");
        if (m->has_want) {
                hex_encode_to(m->want, SNP_LD_SIZE, want);
                ctl_printf(out, m->matches ? "MATCH\n" : "MISMATCH: wanted %s\n", want);
        }
        return x ? explained_print(x, out, e) : 0;
}

static int measure(const MeasureArgs *args, LaunchInput *in, Measured *m, Error *e) {
        const SnpStages stages = { add_stage, m };
        int r = args->igvm ? 0 : launch_input_read(&args->launch, in, e);

        if (r < 0)
                return r;
        if (args->stages) {
                m->stages = calloc(STAGES_MAX, sizeof(*m->stages));
                if (!m->stages)
                        return error_oom(e);
        }
        if (args->igvm)
                return measure_igvm(args, m->stages ? &stages : NULL, m, e);
        r = measure_launch(in, m->stages ? &stages : NULL, m, args->explains ? &m->failed : e);
        return args->explains && r != -ENOMEM ? 0 : r;
}

static int run_measure(const CtlCall *call, CtlOutput *out, Error *e) {
        const MeasureArgs *args = call->args;
        AUTO_LAUNCH_INPUT LaunchInput in = {};
        CLEANUP(measured_done) Measured m = {};
        Explained x = {};
        bool explains;
        int r = check_args(args, e);

        if (r == 0)
                r = read_want(args, &m, e);
        if (r == 0)
                r = measure(args, &in, &m, e);
        if (r < 0)
                return r;
        m.matches = m.failed.code == 0 && m.digest.size == SNP_LD_SIZE &&
                    memcmp(m.digest.bytes, m.want, SNP_LD_SIZE) == 0;
        explains = args->explains && !m.matches;
        if (explains) {
                r = explain(&args->explain, &in, m.want, &x, e);
                if (r < 0)
                        return r;
        }
        out->exit = m.has_want && !m.matches ? CTL_EXIT_NO : CTL_EXIT_OK;
        return out->want_json ? print_json(args, &m, explains ? &x : NULL, out, e)
                              : print_text(args, &m, explains ? &x : NULL, out, e);
}

const CtlVerb ctl_verb_measure = {
        .name = "measure",
        .summary = "Compute a guest's launch digest, or explain another one",
        .details = "\nPrints MEASUREMENT as the guest's reports will carry it. With --want the answer is no\n"
                   "(exit status 1) unless the digest is that one. With --explain one change and then two are\n"
                   "tried until it is: number and model of vCPUs, features, hypervisor, kernel hashes, age of\n"
                   "the host, edits of the command line, and the files of the folders given.\n",
        .options = { options, N_ELEMENTS(options) },
        .args_size = sizeof(MeasureArgs),
        .run = run_measure,
};
