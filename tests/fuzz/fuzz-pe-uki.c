/* SPDX-License-Identifier: Apache-2.0 */

/* Unified kernel images: the parts lie inside the file, behind its headers, and the command line is text. */

#include <assert.h>
#include <string.h>

#include "snp/launch/uki.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_part(const SnpUkiPart *part, const uint8_t *data, size_t size) {
        if (!part->data) {
                assert(part->size == 0);
                return;
        }
        assert(part->data >= data && part->size <= size && part->data <= data + size - part->size);
}

static void check_cmdline(const SnpUki *uki) {
        AUTO_FREE char *text = NULL;
        size_t n;

        if (snp_uki_cmdline(uki, &text, NULL) < 0) {
                assert(memchr(uki->cmdline.data, 0, uki->cmdline.size));
                return;
        }
        n = strlen(text);
        assert(n <= uki->cmdline.size && (n == 0 || memcmp(text, uki->cmdline.data, n) == 0));
        assert(n == 0 || !memchr("\n\r\t ", text[n - 1], 4));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        SnpUki uki, again;
        Error e = {};
        int r = snp_uki_parse(data, size, &uki, &e);

        if (r < 0) {
                assert(e.code == r && e.reason && e.text[0]);
                return 0;
        }
        assert(uki.linux_image.data);
        check_part(&uki.linux_image, data, size);
        check_part(&uki.initrd, data, size);
        check_part(&uki.cmdline, data, size);
        check_cmdline(&uki);
        assert(snp_uki_parse(data, size, &again, NULL) == 0 && memcmp(&uki, &again, sizeof(uki)) == 0);
        return 0;
}
