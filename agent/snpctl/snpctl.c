/* SPDX-License-Identifier: Apache-2.0 */

/*
 * snpctl: the command line. `status`, `attest` and `secret get` ask the agent; the others call the libraries and need
 * no daemon. The disk verbs live in a program of their own, so that the others do not pay for loading libcryptsetup.
 */

#include "agent/snpctl/verbs.h"

static const CtlVerb disk_enroll = {
        .name = "disk enroll",
        .summary = "Make a LUKS2 volume open with a key from the broker",
        .helper = "snpctl-disk",
};

int main(int argc, char **argv) {
        static const CtlVerb *const list[] = {
                &ctl_verb_report,         &ctl_verb_verify,       &ctl_verb_measure,
                &ctl_verb_idblock_create, &ctl_verb_idblock_sign, &ctl_verb_idblock_digest,
                &ctl_verb_idblock_verify, &ctl_verb_policy_check, &ctl_verb_policy_explain,
                &ctl_verb_policy_new,     &ctl_verb_attest,       &ctl_verb_status,
                &ctl_verb_secret_get,     &ctl_verb_tpm_log,      &disk_enroll,
        };
        static const CtlVerbs verbs = { list, N_ELEMENTS(list) };

        return ctl_main(&verbs, argc, argv);
}
