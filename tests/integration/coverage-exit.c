/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Linked into tests of coverage builds in front of _exit(2) (-Wl,--wrap): the process that holds the TCTI leaves by it,
 * without the handlers of the process it was forked from, and so without writing down what was run.
 */

#include <stdlib.h>

extern void __gcov_dump(void);
_Noreturn void __real__exit(int status);
_Noreturn void __wrap__exit(int status);

_Noreturn void __wrap__exit(int status) {
        __gcov_dump();
        __real__exit(status);
}
