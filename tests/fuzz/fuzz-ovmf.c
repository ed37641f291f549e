/* SPDX-License-Identifier: Apache-2.0 */

/* Firmware images: what comes out lies inside the image, and hashing it in one go or from a seed gives one digest. */

#include <assert.h>
#include <string.h>

#include "snp/launch/measure.h"
#include "snp/launch/ovmf.h"

/* Larger launches are right too, but slow. */
#define PAGES_MAX 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t check_sections(const SnpOvmf *o) {
        uint64_t pages = 0;

        assert(o->n_sections == 0 || (o->has_metadata && o->sections >= o->data));
        assert(o->n_sections <= (size_t) (o->data + o->size - (o->sections ? o->sections : o->data)) / 12);
        for (size_t i = 0; i < o->n_sections; i++) {
                SnpSection s = snp_ovmf_section(o, i), found;

                assert(s.gpa % SNP_PAGE_SIZE == 0 && s.size % SNP_PAGE_SIZE == 0);
                assert(strcmp(snp_section_name(s.type), "unknown") != 0);
                assert(snp_ovmf_find_section(o, s.type, &found) && found.type == s.type);
                pages += s.size / SNP_PAGE_SIZE;
        }
        return pages;
}

static void check_digests(SnpLaunch *launch) {
        SnpLaunchDigest whole, seeded;
        uint8_t ld[SNP_LD_SIZE];
        Error a = {}, b = {};
        int r = snp_launch_measure(launch, NULL, &whole, &a);

        assert(snp_firmware_measure(launch->firmware, launch->firmware_size, ld, NULL) == 0);
        launch->firmware_ld = ld;
        assert(snp_launch_measure(launch, NULL, &seeded, &b) == r);
        assert(r == 0 ? memcmp(whole.bytes, seeded.bytes, SNP_LD_SIZE) == 0 : strcmp(a.reason, b.reason) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        static const SnpKernelHashes hashes;
        SnpLaunch launch = { .n_vcpus = 2, .features = 1, .firmware = data, .firmware_size = size };
        Error e = {};
        SnpOvmf o;
        int r = snp_ovmf_parse(data, size, &o, &e);

        if (r < 0) {
                assert(e.code == r && e.reason && e.text[0]);
                return 0;
        }
        if (check_sections(&o) > PAGES_MAX)
                return 0;
        launch.vmm = (SnpVmm) (data[0] % SNP_N_VMMS);
        launch.kernel = data[0] & 0x80 ? &hashes : NULL;
        check_digests(&launch);
        return 0;
}
