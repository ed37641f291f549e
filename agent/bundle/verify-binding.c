/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Whose TPM is it? Only an SNP report that names the TPM's key can say that it is the guest's own. Two platforms have
 * such reports; everywhere else the host runs the TPM, and what it quotes is what the host wants it to.
 */

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "agent/bundle/verify-internal.h"
#include "snp/svsm-manifest.h"
#include "vtpm/hcl-binding.h"

static const char host_runs_it[] = "The report names no key of this TPM: the host may run it, and its quotes are the "
                                   "host's word";

static int bind_hcl(const BundleCase *c, Error *why) {
        const Bundle *b = c->bundle;
        VtpmHclWitness witness = { .report_data = c->v->report.report_data, .vmpl = c->v->report.vmpl,
                                   .ak = b->tpm.ak.data, .ak_size = b->tpm.ak.size };
        VtpmHcl hcl;
        int r = vtpm_hcl_parse(b->tpm.hcl_report.data, b->tpm.hcl_report.size, &hcl, why);

        if (r < 0)
                return r;
        static_assert(VTPM_HCL_REPORT_SIZE == SNP_REPORT_SIZE, "the slot is that of an SNP report");
        if (memcmp(hcl.report, b->report.data, SNP_REPORT_SIZE) != 0)
                return error_set(why, -EKEYREJECTED, "hcl-report",
                                 "The HCL report holds another report than the one that was judged");
        witness.hcl = &hcl;
        return vtpm_hcl_bind(&witness, NULL, &c->v->binding, why);
}

/* The manifest of version 0 has the endorsement key alone; that of version 1 has signing keys too. */
static int find_ak(const SnpSvsmKeys *keys, const Blob *ak, Error *why) {
        for (size_t i = 0; i < keys->n_keys; i++)
                if (keys->keys[i].size == ak->size && memcmp(keys->keys[i].tpmt_public, ak->data, ak->size) == 0)
                        return 0;
        return error_set(why, -EKEYREJECTED, "svsm-ak",
                         "The report vouches for the endorsement key; that the quoting key is of the same TPM can only "
                         "be shown in a conversation (TPM2_ActivateCredential), not by a file");
}

static int bind_svsm(const BundleCase *c, Error *why) {
        const Bundle *b = c->bundle;
        uint8_t nonce[SNP_SVSM_NONCE_SIZE] = {};
        SnpSvsmVerdict verdict = SNP_SVSM_NOT_BOUND;
        SnpSvsmKeys keys;
        int r;

        (void) memcpy(nonce, b->nonce, b->nonce_size);
        r = snp_svsm_bind(&c->v->report, nonce, b->svsm_manifest.data, b->svsm_manifest.size, &verdict, why);
        if (r == 0)
                r = snp_svsm_vtpm_parse(b->svsm_manifest.data, b->svsm_manifest.size, b->svsm_manifest_version, &keys,
                                        why);
        if (r == 0)
                r = find_ak(&keys, &b->tpm.ak, why);
        if (r == 0 && verdict == SNP_SVSM_BOUND)
                c->v->binding = (VtpmBinding){ .kind = VTPM_BINDING_SVSM, .why = "The SVSM's manifest has this key" };
        return r;
}

static int bind(const BundleCase *c, Error *why) {
        if (c->bundle->tpm.hcl_report.size > 0)
                return bind_hcl(c, why);
        if (c->bundle->svsm_manifest.size > 0)
                return bind_svsm(c, why);
        return error_set(why, -ENOENT, "tpm-unbound", "%s", host_runs_it);
}

int bundle_judge_binding(const BundleCase *c, Error *e) {
        /* By this rule the quote alone has the nonce: when it is hearsay, the whole bundle is of any time. */
        BundleResult unbound = c->bundle->rule == BUNDLE_RULE_HCL ? BUNDLE_FAILED : BUNDLE_UNPROVEN;
        Error why = {};
        int r;

        if (!c->bundle->has_tpm) {
                bundle_settle(c, BUNDLE_PART_BINDING, BUNDLE_ABSENT, "tpm-absent", "The bundle has nothing of a TPM");
                return 0;
        }
        if (c->v->parts[BUNDLE_PART_REPORT].result != BUNDLE_OK) {
                c->v->binding = (VtpmBinding){};
                bundle_settle(c, BUNDLE_PART_BINDING, BUNDLE_NOT_DONE, "report-unverified",
                              "No report that holds vouches for this TPM");
                return 0;
        }
        r = bind(c, &why);
        if (r == 0 && c->v->binding.kind != VTPM_BINDING_NONE) {
                bundle_settle(c, BUNDLE_PART_BINDING, BUNDLE_OK, NULL, "The report vouches for this TPM (%s)",
                              vtpm_binding_name(c->v->binding.kind));
                return 0;
        }
        c->v->binding.kind = VTPM_BINDING_NONE;
        return bundle_settle_error(c, BUNDLE_PART_BINDING, unbound, r, &why, e);
}
