/* SPDX-License-Identifier: Apache-2.0 */

/* The disk verbs of snpctl, which starts this program for them. */

#include "agent/snpctl/verbs.h"

int main(int argc, char **argv) {
        static const CtlVerb *const list[] = { &ctl_verb_disk_enroll };
        static const CtlVerbs verbs = { list, N_ELEMENTS(list) };

        return ctl_main(&verbs, argc, argv);
}
