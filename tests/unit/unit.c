/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/file.h"

int unit_run(Suite *suite) {
        SRunner *runner = srunner_create(suite);
        int failed;

        srunner_set_tap(runner, "-");
        srunner_run_all(runner, CK_SILENT);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

const char *vectors_dir(void) {
        const char *dir = getenv("SNP_TEST_VECTORS");
        struct stat st;

        return dir && stat(dir, &st) == 0 && S_ISDIR(st.st_mode) ? dir : NULL;
}

Blob vector_read(const char *relative) {
        AUTO_FREE char *path = NULL;
        Error e = {};
        Blob b = {};
        int r;

        ck_assert_int_gt(asprintf(&path, "%s/%s", vectors_dir(), relative), 0);
        r = file_read(path, 64u * 1024u * 1024u, &b, &e);
        ck_assert_msg(r == 0, "%s", error_text(&e, r));
        return b;
}

int unit_skip(const char *why) {
        printf("1..0 # SKIP %s\n", why);
        return 0; /* by TAP; another status meson takes for a failure */
}
