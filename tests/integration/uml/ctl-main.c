/* SPDX-License-Identifier: Apache-2.0 */
/* snpctl with the one verb that is tested here, where the whole of it is built with sanitizers and cannot run. */
#include "agent/snpctl/verbs.h"

int main(int argc, char **argv) {
        static const CtlVerb *const list[] = { &ctl_verb_key_derive };
        static const CtlVerbs verbs = { list, N_ELEMENTS(list) };

        return ctl_main(&verbs, argc, argv);
}
