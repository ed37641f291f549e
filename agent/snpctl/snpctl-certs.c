/* SPDX-License-Identifier: Apache-2.0 */

/* The verbs of snpctl that need the network, which snpctl starts this program for. */

#include "agent/snpctl/verbs.h"

int main(int argc, char **argv) {
        static const CtlVerb *const list[] = { &ctl_verb_certs_fetch };
        static const CtlVerbs verbs = { list, N_ELEMENTS(list) };

        return ctl_main(&verbs, argc, argv);
}
