/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/snpctl/tpm-binding.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "agent/snpctl/exit.h"
#include "base/file.h"
#include "base/hex.h"
#include "snp/svsm-manifest.h"
#include "vtpm/hcl-binding.h"

#define HCL_FILE_MAX (128u * 1024u)

static int check_args(const TpmBindingArgs *args, Error *e) {
        const JudgeArgs *j = &args->judge;

        if (args->hcl && args->svsm_manifest)
                return ctl_usage(e, "--hcl and --svsm-manifest are of different platforms");
        if (args->hcl && j->report)
                return ctl_usage(e, "--hcl has the report in it: leave --report out");
        if (args->svsm_manifest && !j->report)
                return ctl_usage(e, "--svsm-manifest needs --report, the one that came with it");
        if (!args->svsm_manifest && args->svsm_nonce)
                return ctl_usage(e, "--svsm-nonce is for --svsm-manifest");
        if (!args->hcl && !args->svsm_manifest &&
            (j->report || j->vek || j->chain.n || j->certs || j->at || j->trust_root))
                return ctl_usage(e, "a report alone does not bind a TPM: --hcl or --svsm-manifest is missing");
        return 0;
}

/* True when the report in @in is by the chip that its certificates name; else *@why tells. */
static int judge(const JudgeInput *in, Judgement *j, TpmBindingVerdict *v, bool *ret_holds, Error *e) {
        int r = judge_report(in, j, e);

        if (r < 0)
                return r;
        *ret_holds = j->outcome == SNP_ACCEPT && j->has_report;
        v->test_root = j->test_root;
        if (!*ret_holds)
                (void) error_set(&v->why, -EKEYREJECTED, error_reason(&j->why, -EKEYREJECTED),
                                 "the report does not hold: %s", error_text(&j->why, -EKEYREJECTED));
        return 0;
}

/* Faults of ours end the verb, faults of the evidence are the verdict. */
static int settle(int r, TpmBindingVerdict *v, Error *e) {
        if (r < 0)
                v->binding.kind = VTPM_BINDING_NONE;
        return r == -ENOMEM || r == -EIO ? error_set(e, r, error_reason(&v->why, r), "%s", error_text(&v->why, r)) : 0;
}

static int judge_hcl(const TpmBindingArgs *args, const Blob *ak, TpmBindingVerdict *v, Error *e) {
        AUTO_JUDGE_INPUT JudgeInput in = {};
        AUTO_JUDGEMENT Judgement j = {};
        AUTO_BLOB Blob file = {};
        VtpmHclWitness witness;
        bool holds = false;
        VtpmHcl hcl;
        int r;

        r = file_read(args->hcl, HCL_FILE_MAX, &file, e);
        if (r == 0)
                r = judge_args_read_certs(&args->judge, &in, e);
        if (r < 0)
                return r;
        r = vtpm_hcl_parse(file.data, file.size, &hcl, &v->why);
        if (r < 0)
                return settle(r, v, e);
        static_assert(VTPM_HCL_REPORT_SIZE == SNP_REPORT_SIZE, "the slot is that of an SNP report");
        if (blob_dup(hcl.report, VTPM_HCL_REPORT_SIZE, &in.report) < 0)
                return error_oom(e);
        r = judge(&in, &j, v, &holds, e);
        if (r < 0 || !holds)
                return r;
        witness = (VtpmHclWitness){ .hcl = &hcl, .report_data = j.report.report_data, .vmpl = j.report.vmpl,
                                    .ak = ak->data, .ak_size = ak->size };
        return settle(vtpm_hcl_bind(&witness, NULL, &v->binding, &v->why), v, e);
}

static int read_svsm_nonce(const TpmBindingArgs *args, const Blob *nonce, uint8_t ret[static SNP_SVSM_NONCE_SIZE],
                           Error *e) {
        const char *text = args->svsm_nonce;

        (void) memset(ret, 0, SNP_SVSM_NONCE_SIZE);
        if (!text)
                (void) memcpy(ret, nonce->data, nonce->size < SNP_SVSM_NONCE_SIZE ? nonce->size : SNP_SVSM_NONCE_SIZE);
        else if (hex_decode_exact(text, strlen(text), ret, SNP_SVSM_NONCE_SIZE) < 0)
                return ctl_usage(e, "--svsm-nonce is not %u bytes in hex", SNP_SVSM_NONCE_SIZE);
        return 0;
}

/*
 * A manifest of version 0 has the endorsement key alone, which signs nothing: that the quoting key is of the same TPM
 * is shown in a conversation (vtpm/svsm.h), not by files. That of version 1 may have the quoting key too.
 */
static int find_ak(const Blob *manifest, const Blob *ak, TpmBindingVerdict *v) {
        SnpSvsmKeys keys;
        Error ignored = {};

        if (snp_svsm_vtpm_parse(manifest->data, manifest->size, 1, &keys, &ignored) < 0)
                return error_set(&v->why, -EKEYREJECTED, "svsm-untied",
                                 "the manifest names the endorsement key; that this key is of the same TPM takes a "
                                 "conversation with it");
        for (size_t i = 0; i < keys.n_keys; i++)
                if (keys.keys[i].size == ak->size && memcmp(keys.keys[i].tpmt_public, ak->data, ak->size) == 0) {
                        v->binding = (VtpmBinding){ .kind = VTPM_BINDING_SVSM,
                                                    .why = "the SVSM's manifest has this key" };
                        return 0;
                }
        return error_set(&v->why, -EKEYREJECTED, "svsm-untied", "the manifest has other keys than this one");
}

static int judge_svsm(const TpmBindingArgs *args, const Blob *ak, const Blob *nonce, TpmBindingVerdict *v, Error *e) {
        SnpSvsmVerdict vouches = SNP_SVSM_NOT_BOUND;
        uint8_t svsm_nonce[SNP_SVSM_NONCE_SIZE];
        AUTO_JUDGE_INPUT JudgeInput in = {};
        AUTO_JUDGEMENT Judgement j = {};
        AUTO_BLOB Blob manifest = {};
        bool holds = false;
        int r;

        r = read_svsm_nonce(args, nonce, svsm_nonce, e);
        if (r == 0)
                r = file_read(args->svsm_manifest, SNP_SVSM_MANIFEST_MAX, &manifest, e);
        if (r == 0)
                r = judge_args_read(&args->judge, &in, e);
        if (r == 0)
                r = judge(&in, &j, v, &holds, e);
        if (r < 0 || !holds)
                return r;
        r = snp_svsm_bind(&j.report, svsm_nonce, manifest.data, manifest.size, &vouches, &v->why);
        if (r == 0 && vouches == SNP_SVSM_BOUND)
                r = find_ak(&manifest, ak, v);
        return settle(r, v, e);
}

int tpm_binding_judge(const TpmBindingArgs *args, const Blob *ak, const Blob *nonce, TpmBindingVerdict *ret,
                      Error *e) {
        TpmBindingVerdict v = {};
        int r = check_args(args, e);

        if (r < 0)
                return r;
        if (!args->hcl && !args->svsm_manifest)
                (void) error_set(&v.why, -ENOENT, "tpm-unbound",
                                 "no report was given that vouches for this TPM, so it may be the host's");
        else if (ak->size == 0)
                (void) error_set(&v.why, -ENOENT, "tpm-unbound",
                                 "a key in PEM is not comparable with what the report vouches for");
        else
                r = args->hcl ? judge_hcl(args, ak, &v, e) : judge_svsm(args, ak, nonce, &v, e);
        if (r == 0)
                *ret = v;
        return r;
}
