/* SPDX-License-Identifier: Apache-2.0 */

/*
 * snpctl: the command line. `status`, `attest` and `secret get` ask the agent; the others call the libraries and need
 * no daemon. The verbs for disks, those that speak to a TPM and `certs fetch` live in programs of their own, so that the
 * others do not pay for loading libcryptsetup, tpm2-tss and libcurl.
 */

#include "agent/snpctl/verbs.h"

static const CtlVerb disk_enroll = {
        .name = "disk enroll",
        .summary = "Make a LUKS2 volume open with a key from the broker",
        .helper = "snpctl-disk",
};

#define TPM_VERB(name_, summary_)                                                                                      \
        { .name = "tpm " name_, .summary = (summary_), .helper = "snpctl-tpm" }
static const CtlVerb tpm_info = TPM_VERB("info", "Show what kind of TPM this is and what is in it");
static const CtlVerb tpm_pcrs = TPM_VERB("pcrs", "Show the PCRs of the TPM, all banks");
static const CtlVerb tpm_quote = TPM_VERB("quote", "Have the TPM sign PCR values and a nonce");
static const CtlVerb tpm_extend = TPM_VERB("extend", "Extend a PCR by a digest or a file");
static const CtlVerb tpm_ak_show = TPM_VERB("ak show", "Show an attestation key, made anew or kept in the TPM");
static const CtlVerb tpm_ak_persist = TPM_VERB("ak persist",
                                               "Keep an attestation key in the TPM, so that quotes are faster");
static const CtlVerb tpm_ak_remove = TPM_VERB("ak remove", "Remove an attestation key that was kept in the TPM");
static const CtlVerb tpm_ak_cert = TPM_VERB("ak cert", "Show the certificate that a cloud has put beside its key");

static const CtlVerb bundle_create = {
        .name = "bundle create",
        .summary = "Put evidence of this machine into one file",
        .helper = "snpctl-tpm", /* which it may ask */
};

static const CtlVerb certs_fetch = {
        .name = "certs fetch",
        .summary = "Get the certificates for a report from AMD, a mirror or the cloud",
        .helper = "snpctl-certs",
};

int main(int argc, char **argv) {
        static const CtlVerb *const list[] = {
                &ctl_verb_report,         &ctl_verb_verify,         &ctl_verb_measure,
                &certs_fetch,             &ctl_verb_certs_show,     &ctl_verb_certs_import,
                &ctl_verb_certs_export,   &ctl_verb_policy_new,     &ctl_verb_policy_check,
                &ctl_verb_policy_explain, &bundle_create,           &ctl_verb_bundle_verify,
                &ctl_verb_idblock_create, &ctl_verb_idblock_sign,   &ctl_verb_idblock_digest,
                &ctl_verb_idblock_verify, &tpm_info,                &tpm_pcrs,
                &tpm_quote,               &ctl_verb_tpm_verify,     &ctl_verb_tpm_log,
                &ctl_verb_tpm_diff,       &tpm_extend,              &tpm_ak_show,
                &tpm_ak_persist,          &tpm_ak_remove,           &tpm_ak_cert,
                &ctl_verb_status,         &ctl_verb_attest,         &ctl_verb_secret_get,
                &ctl_verb_key_derive,     &disk_enroll,
        };
        static const CtlVerbs verbs = { list, N_ELEMENTS(list) };

        return ctl_main(&verbs, argc, argv);
}
