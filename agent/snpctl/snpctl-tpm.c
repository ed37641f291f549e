/* SPDX-License-Identifier: Apache-2.0 */

/* The verbs of snpctl that speak to a TPM. snpctl starts this program for them. */

#include <stdlib.h>

#include "agent/snpctl/verbs.h"

int main(int argc, char **argv) {
        static const CtlVerb *const list[] = {
                &ctl_verb_tpm_info,
                &ctl_verb_tpm_pcrs,
                &ctl_verb_tpm_quote,
                &ctl_verb_tpm_extend,
                &ctl_verb_tpm_ak_show,
                &ctl_verb_tpm_ak_persist,
                &ctl_verb_tpm_ak_remove,
                &ctl_verb_tpm_ak_cert,
                &ctl_verb_bundle_create,
        };
        static const CtlVerbs verbs = { list, N_ELEMENTS(list) };

        /* What goes wrong is told once, by us; whoever debugs tpm2-tss sets it. */
        (void) setenv("TSS2_LOG", "all+none", 0);
        return ctl_main(&verbs, argc, argv);
}
