/* SPDX-License-Identifier: Apache-2.0 */

/*
 * snpctl: the command line. `report` and `verify` call the libraries and need no daemon; `status`, `attest` and
 * `secret get` ask the agent.
 */

#include "agent/snpctl/verbs.h"

int main(int argc, char **argv) {
        static const CtlVerb *const list[] = {
                &ctl_verb_report, &ctl_verb_verify,     &ctl_verb_attest,
                &ctl_verb_status, &ctl_verb_secret_get,
        };
        static const CtlVerbs verbs = { list, N_ELEMENTS(list) };

        return ctl_main(&verbs, argc, argv);
}
