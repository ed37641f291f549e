/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Every verb of snpctl, one file each unless they are alike. */

#include "agent/snpctl/run.h"

extern const CtlVerb ctl_verb_report; /* verb-report.c */
extern const CtlVerb ctl_verb_verify; /* verb-verify.c */
extern const CtlVerb ctl_verb_measure; /* verb-measure.c */
extern const CtlVerb ctl_verb_idblock_create, ctl_verb_idblock_sign; /* verb-idblock.c */
extern const CtlVerb ctl_verb_idblock_digest;                        /* verb-idblock.c */
extern const CtlVerb ctl_verb_idblock_verify;                        /* verb-idblock-verify.c */
extern const CtlVerb ctl_verb_policy_check, ctl_verb_policy_explain; /* verb-policy.c */
extern const CtlVerb ctl_verb_policy_new;                            /* verb-policy-new.c */
extern const CtlVerb ctl_verb_bundle_verify; /* verb-bundle-verify.c */
extern const CtlVerb ctl_verb_bundle_create; /* verb-bundle-create.c, in the helper program snpctl-tpm */
extern const CtlVerb ctl_verb_status, ctl_verb_attest; /* verb-status.c */
extern const CtlVerb ctl_verb_secret_get; /* verb-secret.c */
extern const CtlVerb ctl_verb_key_derive; /* verb-key.c */
extern const CtlVerb ctl_verb_tpm_log; /* verb-tpm-log.c */
extern const CtlVerb ctl_verb_tpm_diff; /* verb-tpm-diff.c */
extern const CtlVerb ctl_verb_tpm_verify; /* verb-tpm-verify.c */

/* Those of the helper program snpctl-tpm. */
extern const CtlVerb ctl_verb_tpm_info; /* verb-tpm-info.c */
extern const CtlVerb ctl_verb_tpm_pcrs; /* verb-tpm-pcrs.c */
extern const CtlVerb ctl_verb_tpm_quote; /* verb-tpm-quote.c */
extern const CtlVerb ctl_verb_tpm_extend; /* verb-tpm-extend.c */
extern const CtlVerb ctl_verb_tpm_ak_show, ctl_verb_tpm_ak_persist; /* verb-tpm-ak.c */
extern const CtlVerb ctl_verb_tpm_ak_remove, ctl_verb_tpm_ak_cert;  /* verb-tpm-ak.c */

extern const CtlVerb ctl_verb_disk_enroll; /* verb-disk.c, in the helper program snpctl-disk */
extern const CtlVerb ctl_verb_certs_show;                          /* verb-certs-show.c */
extern const CtlVerb ctl_verb_certs_import, ctl_verb_certs_export; /* verb-certs-store.c */
extern const CtlVerb ctl_verb_certs_fetch; /* verb-certs-fetch.c, in the helper program snpctl-certs */
