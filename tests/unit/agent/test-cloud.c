/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/cloud.h"
#include "base/file.h"
#include "tests/unit/unit.h"

static const struct {
        const char *tag;
        bool azure;
} tags[] = {
        { "7783-7084-3265-9085-8269-3286-77\n", true },
        { "7783-7084-3265-9085-8269-3286-77", true },
        { "7783-7084-3265-9085-8269-3286-78\n", false },
        { "7783-7084-3265-9085-8269-3286-77 \n", false },
        { "Amazon EC2\n", false },
        { "\n", false },
        { "", false },
};

START_TEST(azure_is_known_by_its_tag) {
        char path[] = "/tmp/snp-cloud-XXXXXX";
        AUTO_FD int fd = mkstemp(path);

        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(file_write_fd(fd, path, tags[_i].tag, strlen(tags[_i].tag), NULL), 0);
        ck_assert_msg(cloud_is_azure(path) == tags[_i].azure, "'%s'", tags[_i].tag);
        (void) unlink(path);
        ck_assert(!cloud_is_azure(path));
}
END_TEST

START_TEST(configuration_decides) {
        char url[] = "http://127.0.0.1:1/x";

        ck_assert_ptr_null(cloud_certificates_url(&(ConfigCollateral){ .cloud = CONFIG_CLOUD_NONE, .cloud_url = url }));
        ck_assert_str_eq(cloud_certificates_url(&(ConfigCollateral){ .cloud = CONFIG_CLOUD_THIM, .cloud_url = url }), url);
        ck_assert_str_eq(cloud_certificates_url(&(ConfigCollateral){ .cloud = CONFIG_CLOUD_THIM }),
                         "http://169.254.169.254/metadata/THIM/amd/certification");
}
END_TEST

int main(void) {
        Suite *s = suite_create("cloud");
        TCase *t = tcase_create("cloud");

        tcase_add_loop_test(t, azure_is_known_by_its_tag, 0, N_ELEMENTS(tags));
        tcase_add_test(t, configuration_decides);
        suite_add_tcase(s, t);
        return unit_run(s);
}
