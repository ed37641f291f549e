/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The digest against a second, plainer computation of the same definitions, and against numbers that others have
 * published: PAGE_INFO and VMSA pages as virtee's sev-snp-measure has them in its tests.
 */

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/writer.h"
#include "snp/launch/measure-internal.h"
#include "snp/launch/sections.h"
#include "tests/unit/snp-launch/image.h"
#include "tests/unit/unit.h"

static void expect(const uint8_t *digest, const char *hex) {
        char text[2 * SNP_LD_SIZE + 1];

        hex_encode_to(digest, SNP_LD_SIZE, text);
        ck_assert_str_eq(text, hex);
}

START_TEST(the_first_page_of_a_published_launch) {
        static const char contents_hex[] = "161ace084859674ded7322ad102eb33f49457e0f7845a8f9ad0e03a59eac3e3e"
                                           "360f8b78345363feaeac956ebba2d894";
        AUTO_SNP_GCTX SnpGctx g = {};
        uint8_t contents[SNP_LD_SIZE];

        ck_assert_int_eq(hex_decode_exact(contents_hex, 96, contents, sizeof(contents)), 0);
        ck_assert_int_eq(snp_gctx_init(&g, NULL), 0);
        snp_gctx_page(&g, SNP_PAGE_NORMAL, 0xFFFFF000, contents);
        ck_assert_int_eq(snp_gctx_check(&g, NULL), 0);
        expect(g.ld, "086e2e9149ebf45abdc3445fba5b2da8270bdbb04094d7a2c37faaa4b24af3aa"
                     "16aff8c374c2a55c467a50da6d466b74");
        snp_gctx_empty(&g, SNP_PAGE_ZERO, 0x800000, 9);
        expect(g.ld, "411a1360ae4001ab44e1c8a5f14115068566f56b565be90042aa16cc26de1492"
                     "ef3025f10b7cdd14911ae69aaea7881a");
        snp_gctx_empty(&g, SNP_PAGE_ZERO, 0x80A000, 3);
        snp_gctx_empty(&g, SNP_PAGE_SECRETS, 0x80D000, 1);
        snp_gctx_empty(&g, SNP_PAGE_CPUID, 0x80E000, 1);
        expect(g.ld, "17af371be37e5a8f0f3d83cd4195cfb47b60caabf8c209e6c68ab44d6484381a"
                     "057812c0760811d53f47b522a16e5574");
        ck_assert_uint_eq(g.n_pages, 15);
}
END_TEST

START_TEST(vmsa_pages_are_the_published_ones) {
        const SnpLaunch launch = { .cpu_signature = 0x800F12, .features = 1 };
        AUTO_SNP_GCTX SnpGctx g = {};
        SnpVmsaHashes h;

        ck_assert_int_eq(snp_gctx_init(&g, NULL), 0);
        snp_vmsa_hashes(&g, &launch, 0x80B004, &h);
        expect(h.bsp, "77920c4c629ff47e90c0e174fc1ad0eb6fa664f88cd4739488058a8c6cb1a77b"
                      "3856f55378e9518d0da99452d51c553a");
        expect(h.ap, "8413b852790765a310d95867a8b00bfca3a802b5a80830044b45e253fe962226"
                     "57e11e53fcf63eb0e0afd722385bf7b4");
}
END_TEST

START_TEST(the_page_budget_is_for_a_launch) {
        AUTO_SNP_GCTX SnpGctx g = {};
        uint8_t hash[SNP_LD_SIZE];
        Error e = {};

        ck_assert_int_eq(snp_gctx_init(&g, NULL), 0);
        g.n_pages = SNP_LAUNCH_PAGES_MAX - 1;
        snp_gctx_empty(&g, SNP_PAGE_ZERO, 0, 1);
        ck_assert_int_eq(snp_gctx_check(&g, NULL), 0);
        snp_gctx_empty(&g, SNP_PAGE_ZERO, 0x1000, UINT64_MAX);
        ck_assert_int_eq(snp_gctx_check(&g, &e), -E2BIG);
        ck_assert_str_eq(e.reason, "too-many-pages");
        snp_gctx_hash(&g, "x", 1, hash); /* the error stays */
        for (size_t i = 0; i < sizeof(hash); i++)
                ck_assert_uint_eq(hash[i], 0);
}
END_TEST

/* PAGE_INFO written down again, as a running text. */
static void naive_page(uint8_t ld[static 48], uint8_t type, uint64_t gpa, const void *data) {
        AUTO_WRITER Writer w = wr_init(112);
        AUTO_BLOB Blob info = {};
        uint8_t contents[48] = {};

        if (data)
                ck_assert_int_eq(EVP_Digest(data, 4096, contents, NULL, EVP_sha384(), NULL), 1);
        wr_bytes(&w, ld, 48);
        wr_bytes(&w, contents, 48);
        wr_le16(&w, 112);
        wr_u8(&w, type);
        wr_zeros(&w, 5);
        wr_le64(&w, gpa);
        ck_assert_int_eq(wr_finish(&w, &info), 0);
        ck_assert_int_eq(EVP_Digest(info.data, info.size, ld, NULL, EVP_sha384(), NULL), 1);
}

static void naive_section(uint8_t *ld, uint32_t type, uint32_t gpa, uint32_t size, SnpVmm vmm) {
        uint8_t page_type = type == 2 ? 5 : type == 3 ? 6 : type == 1 && vmm == SNP_VMM_GCE ? 4 : 3;

        for (uint32_t at = 0; at < size; at += 4096)
                naive_page(ld, page_type, gpa + at, NULL);
}

static void naive_launch(const Image *image, const Blob *b, SnpVmm vmm, unsigned n_vcpus, uint8_t *ld) {
        const SnpVcpu bsp = { .vmm = vmm, .eip = 0xFFFFFFF0, .signature = 7, .features = 1 };
        SnpVcpu ap = bsp;
        uint8_t page[4096];
        bool ec2 = vmm == SNP_VMM_EC2 || vmm == SNP_VMM_EC2_RDX0;

        ap.eip = image->ap_reset;
        for (size_t at = 0; at < b->size; at += 4096)
                naive_page(ld, 1, 0x100000000 - b->size + at, b->data + at);
        for (size_t i = 0; i < image->n_sections; i++)
                if (!ec2 || image->sections[i].type != 3)
                        naive_section(ld, image->sections[i].type, image->sections[i].gpa, image->sections[i].size,
                                      vmm);
        for (size_t i = 0; ec2 && i < image->n_sections; i++)
                if (image->sections[i].type == 3)
                        naive_section(ld, 3, image->sections[i].gpa, image->sections[i].size, vmm);
        for (unsigned i = 0; i < n_vcpus; i++) {
                snp_vmsa_make(i == 0 ? &bsp : &ap, page);
                naive_page(ld, 2, 0xFFFFFFFFF000, page);
        }
}

static SnpLaunch launch_of(const Blob *b) {
        return (SnpLaunch){ .n_vcpus = 1, .cpu_signature = 7, .features = 1, .firmware = b->data,
                            .firmware_size = b->size };
}

START_TEST(a_launch_is_what_its_definition_says) {
        AUTO_BLOB Blob b = image_make(&image_amdsev);
        SnpLaunch launch = launch_of(&b);
        SnpLaunchDigest digest;
        uint8_t ld[48] = {};

        launch.vmm = (SnpVmm) (_i % SNP_N_VMMS);
        launch.n_vcpus = 1 + (unsigned) _i / SNP_N_VMMS;
        ck_assert_int_eq(snp_launch_measure(&launch, NULL, &digest, NULL), 0);
        naive_launch(&image_amdsev, &b, launch.vmm, launch.n_vcpus, ld);
        ck_assert_uint_eq(digest.size, 48);
        ck_assert_mem_eq(digest.bytes, ld, 48);
}
END_TEST

START_TEST(sections_may_reach_beyond_4_gib) {
        const ImageSection section = { 0xFFFFF000, 0x3000, 1 };
        const Image image = { .size = 4096, .sections = &section, .n_sections = 1, .ap_reset = 1 };
        AUTO_BLOB Blob b = image_make(&image);
        SnpLaunch launch = launch_of(&b);
        const SnpVcpu bsp = { .eip = 0xFFFFFFF0, .signature = 7, .features = 1 };
        uint8_t ld[48] = {}, page[4096];
        SnpLaunchDigest digest;

        ck_assert_int_eq(snp_launch_measure(&launch, NULL, &digest, NULL), 0);
        naive_page(ld, 1, 0xFFFFF000, b.data);
        naive_page(ld, 3, 0xFFFFF000, NULL);
        naive_page(ld, 3, 0x100000000, NULL);
        naive_page(ld, 3, 0x100001000, NULL);
        snp_vmsa_make(&bsp, page);
        naive_page(ld, 2, 0xFFFFFFFFF000, page);
        ck_assert_mem_eq(digest.bytes, ld, 48);
}
END_TEST

static int measure(const SnpLaunch *launch, Error *e) {
        SnpLaunchDigest digest = { .size = 77 };
        int r = snp_launch_measure(launch, NULL, &digest, e);

        ck_assert_uint_eq(digest.size, r == 0 ? 48 : 77);
        return r;
}

static void refuse(const char *why, const SnpLaunch *launch, int code, const char *reason) {
        Error e = {};
        int r = measure(launch, &e);

        ck_assert_msg(r == code && strcmp(e.reason, reason) == 0, "%s: %d %s", why, r, error_reason(&e, r));
}

START_TEST(impossible_launches_are_refused) {
        static const SnpKernelHashes hashes;
        static const uint8_t seed[48];
        AUTO_BLOB Blob b = image_make(&image_amdsev);
        SnpLaunch launch = launch_of(&b);

        launch.n_vcpus = 0;
        refuse("no vCPU", &launch, -EINVAL, "bad-vcpus");
        launch.n_vcpus = SNP_VCPUS_MAX + 1;
        refuse("too many vCPUs", &launch, -EINVAL, "bad-vcpus");
        launch.n_vcpus = SNP_VCPUS_MAX;
        ck_assert_int_eq(measure(&launch, NULL), 0);
        launch.features = 0x20;
        refuse("no SNP", &launch, -EINVAL, "bad-features");
        launch = launch_of(&b);
        launch.mode = SNP_LAUNCH_SEV_ES;
        launch.vmm = SNP_VMM_GCE;
        refuse("SEV-ES elsewhere", &launch, -EOPNOTSUPP, "qemu-only");
        launch.vmm = SNP_VMM_QEMU;
        launch.firmware_ld = seed;
        refuse("SEV-ES with a seed", &launch, -EOPNOTSUPP, "snp-only");
        launch = launch_of(&b);
        launch.mode = SNP_LAUNCH_SVSM;
        launch.kernel = &hashes;
        refuse("SVSM with kernel", &launch, -EOPNOTSUPP, "kernel-hashes-unsupported");
}
END_TEST

static const struct {
        const char *why;
        uint32_t base, size, section_gpa, section_size;
        int code;
        const char *reason;
} areas[] = {
        { "good", 0x810C00, 0x400, 0x810000, 0x1000, 0, NULL },
        { "at the beginning", 0x810000, 176, 0x810000, 0x1000, 0, NULL },
        { "at the end", 0x810000 + 4096 - 176, 176, 0x810000, 0x1000, 0, NULL },
        { "one byte further", 0x810000 + 4096 - 175, 176, 0x810000, 0x1000, -EBADMSG, "bad-hash-area" },
        { "one byte too small", 0x810C00, 175, 0x810000, 0x1000, -EBADMSG, "bad-hash-area" },
        { "before its page", 0x80FFF0, 0x400, 0x810000, 0x1000, -EBADMSG, "bad-hash-area" },
        { "behind its page", 0x811000, 0x400, 0x810000, 0x1000, -EBADMSG, "bad-hash-area" },
        { "two pages", 0x810C00, 0x400, 0x810000, 0x2000, -EBADMSG, "bad-hash-area" },
        { "no page", 0x810C00, 0x400, 0x810000, 0, -EBADMSG, "bad-hash-area" },
        { "wraps", 0xFFFFFFF0, 0x400, 0xFFFFF000, 0x1000, -EBADMSG, "bad-hash-area" },
        { "address 0", 0, 0x400, 0x810000, 0x1000, -EOPNOTSUPP, "kernel-hashes-unsupported" },
        { "no area", 0, 0, 0x810000, 0x1000, -EOPNOTSUPP, "kernel-hashes-unsupported" },
};

START_TEST(the_place_for_kernel_hashes_is_checked_when_it_is_needed) {
        static const SnpKernelHashes hashes;
        const ImageSection section = { areas[_i].section_gpa, areas[_i].section_size, 0x10 };
        const Image image = { .size = 4096, .sections = &section, .n_sections = 1, .ap_reset = 1,
                              .hash_base = areas[_i].base, .hash_size = areas[_i].size };
        AUTO_BLOB Blob b = image_make(&image);
        SnpLaunch launch = launch_of(&b);

        ck_assert_msg(measure(&launch, NULL) == 0, "%s, without kernel", areas[_i].why);
        launch.kernel = &hashes;
        if (areas[_i].code == 0)
                ck_assert_msg(measure(&launch, NULL) == 0, "%s", areas[_i].why);
        else
                refuse(areas[_i].why, &launch, areas[_i].code, areas[_i].reason);
}
END_TEST

START_TEST(the_table_lies_where_the_image_wants_it) {
        AUTO_BLOB Blob b = image_make(&image_amdsev);
        uint8_t page[4096], table[SNP_HASH_TABLE_SIZE];
        SnpKernelHashes h;
        SnpOvmf o;

        memset(h.cmdline, 1, 32);
        memset(h.initrd, 2, 32);
        memset(h.kernel, 3, 32);
        ck_assert_int_eq(snp_ovmf_parse(b.data, b.size, &o, NULL), 0);
        snp_hash_page_make(&o, &h, page);
        snp_kernel_hashes_encode(&h, table);
        ck_assert_mem_eq(page + 0xC00, table, sizeof(table));
        for (size_t i = 0; i < sizeof(page); i++)
                ck_assert(page[i] == 0 || (i >= 0xC00 && i < 0xC00 + 168));
        ck_assert_uint_eq(table[16], 168);
        ck_assert_uint_eq(table[34], 50);
        ck_assert_uint_eq(table[36], 1);
        ck_assert_uint_eq(table[86], 2);
        ck_assert_uint_eq(table[136], 3);
        ck_assert_uint_eq(table[168], 0);
}
END_TEST

START_TEST(absent_and_empty_are_hashed_as_qemu_does) {
        static const char nul[] = "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d";
        static const char nothing[] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        uint8_t hash[SNP_HASH_SIZE];
        char hex[2 * SNP_HASH_SIZE + 1];

        ck_assert_int_eq(snp_cmdline_hash(NULL, hash, NULL), 0);
        hex_encode_to(hash, sizeof(hash), hex);
        ck_assert_str_eq(hex, nul);
        ck_assert_int_eq(snp_cmdline_hash("", hash, NULL), 0);
        hex_encode_to(hash, sizeof(hash), hex);
        ck_assert_str_eq(hex, nul);
        ck_assert_int_eq(snp_no_initrd_hash(hash, NULL), 0);
        hex_encode_to(hash, sizeof(hash), hex);
        ck_assert_str_eq(hex, nothing);
}
END_TEST

START_TEST(a_file_is_hashed_as_its_bytes) {
        char path[] = "/tmp/test-launch-measure.XXXXXX";
        uint8_t bytes[300000], a[SNP_HASH_SIZE], b[SNP_HASH_SIZE];
        int fd = mkstemp(path);
        Error e = {};

        ck_assert_int_ge(fd, 0);
        for (size_t i = 0; i < sizeof(bytes); i++)
                bytes[i] = (uint8_t) (i * 7 + i / 256);
        ck_assert_int_eq(write(fd, bytes, sizeof(bytes)), sizeof(bytes));
        ck_assert_int_eq(close(fd), 0);
        ck_assert_int_eq(snp_file_hash(path, a, NULL), 0);
        ck_assert_int_eq(snp_blob_hash(bytes, sizeof(bytes), b, NULL), 0);
        ck_assert_mem_eq(a, b, sizeof(a));
        ck_assert_int_eq(unlink(path), 0);
        ck_assert_int_eq(snp_file_hash(path, a, &e), -ENOENT);
        ck_assert_int_eq(snp_file_hash("/dev/zero", a, NULL), -EINVAL); /* has no end */
        ck_assert_int_eq(snp_file_hash("/tmp", a, NULL), -EINVAL);
}
END_TEST

START_TEST(an_svsm_must_fit_below_the_firmware) {
        const ImageSection section = { 0, 4096, 1 };
        const Image image = { .size = 8192, .sections = &section, .n_sections = 1, .svsm_entry = 0x10 };
        AUTO_BLOB Blob firmware = image_make(&image_amdsev), svsm = image_make(&image);
        SnpLaunch launch = launch_of(&firmware);

        launch.mode = SNP_LAUNCH_SVSM;
        launch.svsm = svsm.data;
        launch.svsm_size = svsm.size;
        launch.vars_size = 0x100000000 - firmware.size - svsm.size;
        ck_assert_int_eq(measure(&launch, NULL), 0);
        launch.vars_size += 4096;
        refuse("below zero", &launch, -EINVAL, "bad-vars-size");
        launch.vars_size = UINT64_MAX - 4095;
        refuse("wraps", &launch, -EINVAL, "bad-vars-size");
        launch.vars_size = 100;
        refuse("no whole pages", &launch, -EINVAL, "bad-vars-size");
        launch.vars_size = 4096;
        launch.svsm = firmware.data;
        launch.svsm_size = firmware.size;
        refuse("an OVMF as SVSM", &launch, -EBADMSG, "no-svsm-entry");
}
END_TEST

START_TEST(a_seed_stands_for_the_firmware) {
        AUTO_BLOB Blob b = image_make(&image_amdsev);
        SnpLaunch launch = launch_of(&b);
        SnpLaunchDigest a, with_seed;
        uint8_t seed[48];
        Error e = {};

        ck_assert_int_eq(snp_firmware_measure(b.data, b.size, seed, NULL), 0);
        ck_assert_int_eq(snp_launch_measure(&launch, NULL, &a, NULL), 0);
        launch.firmware_ld = seed;
        ck_assert_int_eq(snp_launch_measure(&launch, NULL, &with_seed, NULL), 0);
        ck_assert_mem_eq(a.bytes, with_seed.bytes, 48);
        ck_assert_int_eq(snp_firmware_measure(b.data, 4095, seed, &e), -EBADMSG);
        ck_assert_str_eq(e.reason, "firmware-not-page-multiple");
}
END_TEST

typedef struct Told {
        char names[512];
        uint8_t last[48];
} Told;

static void remember(void *user, const char *name, const uint8_t ld[static SNP_LD_SIZE]) {
        Told *told = user;

        (void) strncat(told->names, name, sizeof(told->names) - strlen(told->names) - 1);
        (void) strncat(told->names, " ", sizeof(told->names) - strlen(told->names) - 1);
        memcpy(told->last, ld, 48);
}

START_TEST(every_step_is_told) {
        const ImageSection sections[] = { { 0x1000, 0x2000, 1 }, { 0x3000, 0x1000, 3 } };
        const Image image = { .size = 4096, .sections = sections, .n_sections = 2, .ap_reset = 1 };
        AUTO_BLOB Blob b = image_make(&image);
        SnpLaunch launch = launch_of(&b);
        Told told = {};
        const SnpStages stages = { remember, &told };
        SnpLaunchDigest digest;

        launch.n_vcpus = 3;
        ck_assert_int_eq(snp_launch_measure(&launch, &stages, &digest, NULL), 0);
        ck_assert_str_eq(told.names, "firmware sec_mem@0x1000+0x2000 cpuid@0x3000+0x1000 vmsa0 vmsa1 vmsa2 ");
        ck_assert_mem_eq(told.last, digest.bytes, 48);
}
END_TEST

/* SEV: one SHA-256 over everything. */
START_TEST(older_launches_are_one_hash) {
        static const SnpKernelHashes hashes = { .kernel = { 7 } };
        const SnpVcpu bsp = { .kind = SNP_VCPU_SEV_ES, .eip = 0xFFFFFFF0, .signature = 7 };
        SnpVcpu ap = bsp;
        AUTO_BLOB Blob b = image_make(&image_amdsev), all = {};
        AUTO_WRITER Writer w = wr_init(1u << 20);
        SnpLaunch launch = launch_of(&b);
        uint8_t part[4096], want[32];
        SnpLaunchDigest digest;
        Error e = {};

        ap.eip = image_amdsev.ap_reset;
        wr_bytes(&w, b.data, b.size);
        snp_kernel_hashes_encode(&hashes, part);
        wr_bytes(&w, part, SNP_HASH_TABLE_SIZE);
        launch.mode = SNP_LAUNCH_SEV;
        launch.kernel = &hashes;
        ck_assert_int_eq(snp_launch_measure(&launch, NULL, &digest, NULL), 0);
        ck_assert_int_eq(snp_blob_hash(w.data, w.size, want, NULL), 0);
        ck_assert_uint_eq(digest.size, 32);
        ck_assert_mem_eq(digest.bytes, want, 32);
        for (unsigned i = 0; i < 3; i++) {
                snp_vmsa_make(i == 0 ? &bsp : &ap, part);
                wr_bytes(&w, part, sizeof(part));
        }
        launch.mode = SNP_LAUNCH_SEV_ES;
        launch.n_vcpus = 3;
        ck_assert_int_eq(snp_launch_measure(&launch, NULL, &digest, NULL), 0);
        ck_assert_int_eq(wr_finish(&w, &all), 0);
        ck_assert_int_eq(snp_blob_hash(all.data, all.size, want, NULL), 0);
        ck_assert_mem_eq(digest.bytes, want, 32);
        blob_done(&b);
        b = image_make(&(Image){ .size = 4096 });
        launch.firmware = b.data;
        launch.firmware_size = b.size;
        launch.kernel = NULL;
        ck_assert_int_eq(snp_launch_measure(&launch, NULL, &digest, &e), -EBADMSG);
        ck_assert_str_eq(e.reason, "no-reset-block");
}
END_TEST

START_TEST(what_others_call_it_is_understood) {
        static const struct { const char *name; unsigned signature; } names[] = {
                { "EPYC", 0x800F12 }, { "epyc-v4", 0x800F12 }, { "EPYC-IBPB", 0x800F12 }, { "EPYC-Rome-v3", 0x830F10 },
                { "EPYC-Milan", 0xA00F11 }, { "EPYC-Genoa-v1", 0xA10F10 }, { "EPYC-Turin", 0xB00F00 },
                { "EPYC-v", 0 }, { "EPYC-v0", 0 }, { "EPYC-v1x", 0 }, { "EPYC-Milan-IBPB", 0 }, { "EPYC-", 0 },
                { "", 0 }, { "Skylake-Server", 0 },
        };
        SnpVmm vmm;

        for (size_t i = 0; i < N_ELEMENTS(names); i++) {
                const SnpCpuModel *m = snp_cpu_model_find(names[i].name);

                ck_assert_msg((m ? snp_cpu_signature(m->family, m->model, m->stepping) : 0) == names[i].signature, "%s",
                              names[i].name);
                ck_assert(!m || snp_cpu_model_of(names[i].signature) == m);
        }
        ck_assert_ptr_null(snp_cpu_model_of(0x123));
        ck_assert_uint_eq(snp_cpu_signature(14, 1, 2), 0xE12); /* no extended family below 15 */
        for (unsigned i = 0; i < SNP_N_VMMS; i++) {
                ck_assert_int_eq(snp_vmm_from_name(snp_vmm_name((SnpVmm) i), &vmm), 0);
                ck_assert_uint_eq(vmm, i);
        }
        ck_assert_int_eq(snp_vmm_from_name("EC2", &vmm), 0);
        ck_assert_int_eq(snp_vmm_from_name("xen", &vmm), -EINVAL);
        ck_assert_str_eq(snp_vmm_name(SNP_N_VMMS), "unknown");
}
END_TEST

int main(void) {
        Suite *suite = suite_create("measure");
        TCase *tc = tcase_create("measure");

        tcase_add_test(tc, the_first_page_of_a_published_launch);
        tcase_add_test(tc, vmsa_pages_are_the_published_ones);
        tcase_add_test(tc, the_page_budget_is_for_a_launch);
        tcase_add_loop_test(tc, a_launch_is_what_its_definition_says, 0, 3 * SNP_N_VMMS);
        tcase_add_test(tc, sections_may_reach_beyond_4_gib);
        tcase_add_test(tc, impossible_launches_are_refused);
        tcase_add_loop_test(tc, the_place_for_kernel_hashes_is_checked_when_it_is_needed, 0, N_ELEMENTS(areas));
        tcase_add_test(tc, the_table_lies_where_the_image_wants_it);
        tcase_add_test(tc, absent_and_empty_are_hashed_as_qemu_does);
        tcase_add_test(tc, a_file_is_hashed_as_its_bytes);
        tcase_add_test(tc, an_svsm_must_fit_below_the_firmware);
        tcase_add_test(tc, a_seed_stands_for_the_firmware);
        tcase_add_test(tc, every_step_is_told);
        tcase_add_test(tc, older_launches_are_one_hash);
        tcase_add_test(tc, what_others_call_it_is_understood);
        suite_add_tcase(suite, tc);
        return unit_run(suite);
}
