/* SPDX-License-Identifier: Apache-2.0 */

/* `snpctl measure` and `snpctl idblock` as their users meet them: files, folders, options, mistakes. */

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/base64.h"
#include "base/file.h"
#include "base/hex.h"
#include "base/json.h"
#include "base/reader.h"
#include "snp/launch/id-block.h"
#include "snp/launch/measure.h"
#include "tests/integration/ctl.h"
#include "tests/simulator/report.h"
#include "tests/unit/snp-launch/igvm-file.h"
#include "tests/unit/snp-launch/image.h"
#include "tests/unit/snp-launch/keys.h"
#include "tests/unit/snp-launch/pe-file.h"
#include "tests/unit/unit.h"

#define CMDLINE "root=/dev/vda1 ro quiet"
#define KERNEL "this is a kernel"
#define INITRD "this is an initrd"
#define FAMILY_ID "00112233445566778899aabbccddeeff"

static char dir[] = "/tmp/test-snpctl-launch.XXXXXX";
static char firmware[64], plain[64], kernel[64], initrd[64], uki[64], id_pem[64], author_pem[64], block[64], auth[64];
static char report[64], folder[64], lines[64];

static void path(char *ret, const char *name) {
        (void) snprintf(ret, 64, "%s/%s", dir, name);
}

static void put(char *ret, const char *name, const void *data, size_t size) {
        path(ret, name);
        ck_assert_int_eq(file_write_atomic(ret, data, size, 0600, NULL), 0);
}

static void put_images(void) {
        const PeSection parts[] = {
                { ".linux", KERNEL, 0 }, { ".initrd", INITRD, 0 }, { ".cmdline", CMDLINE "\n", 0 },
        };
        AUTO_BLOB Blob pe = pe_make(parts, N_ELEMENTS(parts)), fd = image_make(&image_amdsev), no_hashes = {};
        Image image = image_amdsev;

        image.hash_size = 0;
        no_hashes = image_make(&image);
        put(firmware, "OVMF.fd", fd.data, fd.size);
        put(plain, "plain.fd", no_hashes.data, no_hashes.size);
        put(uki, "uki.efi", pe.data, pe.size);
        put(kernel, "vmlinuz", KERNEL, strlen(KERNEL));
        put(initrd, "initrd", INITRD, strlen(INITRD));
}

static void put_key(char *ret, const char *name) {
        AUTO_EVP_PKEY EVP_PKEY *key = key_make("P-384");
        AUTO_SECRET Secret file = key_file(key, KEY_SEC1_PEM);

        put(ret, name, file.bytes, file.len);
}

static void setup(void) {
        ck_assert_ptr_nonnull(mkdtemp(dir));
        put_images();
        put_key(id_pem, "id.pem");
        put_key(author_pem, "author.pem");
        path(block, "block");
        path(auth, "auth");
        path(report, "report");
        path(folder, "folder");
        path(lines, "lines");
        ck_assert_int_eq(mkdir(folder, 0700), 0);
}

static void teardown(void) {
        Spawn rm = { .argv = { "rm", "-r", dir } };
        AUTO_SPAWN_RESULT SpawnResult r = spawn_run(&rm);

        ck_assert_int_eq(r.status, 0);
}

#define MEASURE "measure", "--firmware", firmware, "--cpu", "EPYC-Milan"
#define DIRECT "--kernel", kernel, "--initrd", initrd, "--append", CMDLINE

/* What these arguments print, without its newline. Owned by the caller. */
static char *printed(const char *const *args) {
        AUTO_SPAWN_RESULT SpawnResult r = ctl_run(args);

        ck_assert_msg(r.status == 0, "%s", r.err);
        ck_assert_uint_gt(r.out_size, 1);
        return strndup(r.out, r.out_size - 1);
}
#define PRINTED(...) printed((const char *const[]){ __VA_ARGS__, NULL })

START_TEST(the_digest_stands_alone) {
        AUTO_FREE char *hex = PRINTED(MEASURE), *text = PRINTED(MEASURE, "--base64");
        AUTO_BLOB Blob b = image_make(&image_amdsev);
        const SnpLaunch launch = { .n_vcpus = 1, .cpu_signature = snp_cpu_signature(25, 1, 1), .features = 1,
                                   .firmware = b.data, .firmware_size = b.size };
        SnpLaunchDigest want;
        uint8_t got[SNP_LD_SIZE];
        size_t n;

        ck_assert_int_eq(snp_launch_measure(&launch, NULL, &want, NULL), 0);
        ck_assert_int_eq(hex_decode_exact(hex, strlen(hex), got, sizeof(got)), 0);
        ck_assert_mem_eq(got, want.bytes, sizeof(got));
        ck_assert_int_eq(base64_decode_to(BASE64_STD, text, strlen(text), got, sizeof(got), &n), 0);
        ck_assert_mem_eq(got, want.bytes, sizeof(got));
}
END_TEST

static const struct { const char *why; const char *more[6]; } same[] = {
        { "number", { "--cpu", "0xa00f11" } },
        { "three numbers", { "--cpu", "25,1,1" } },
        { "in hex", { "--cpu", "0x19,0x1,0x1" } },
        { "a version", { "--cpu", "EPYC-Milan-v2" } },
        { "what is default", { "--cpu", "EPYC-Milan", "--vcpus", "1" } },
        { "features", { "--cpu", "EPYC-Milan", "--guest-features", "1" } },
        { "hypervisor", { "--cpu", "EPYC-Milan", "--vmm", "QEMU" } },
        { "mode", { "--cpu", "EPYC-Milan", "--mode", "snp" } },
};

START_TEST(one_launch_has_one_digest) {
        AUTO_FREE char *want = PRINTED(MEASURE);
        const char *args[12] = { "measure", "--firmware", firmware };
        AUTO_FREE char *got = NULL;

        for (size_t i = 0; same[_i].more[i]; i++)
                args[3 + i] = same[_i].more[i];
        got = printed(args);
        ck_assert_msg(strcmp(got, want) == 0, "%s", same[_i].why);
}
END_TEST

static const char *const different[][3] = {
        { "--vcpus", "2" },     { "--cpu", "EPYC-Genoa" }, { "--guest-features", "0x21" }, { "--vmm", "ec2" },
        { "--vmm", "gce" },     { "--vmm", "krun" },       { "--host-before-6.10" },       { "--vmsa-52-bit" },
        { "--mode", "sev-es" }, { "--mode", "seves" },     { "--mode", "snp:ovmf-hash" },
};

START_TEST(each_option_makes_a_difference) {
        AUTO_FREE char *plainly = PRINTED(MEASURE);
        const char *args[10] = { "measure", "--firmware", firmware };
        AUTO_FREE char *got = NULL;
        size_t n = 3;

        if (strcmp(different[_i][0], "--cpu") != 0) {
                args[n++] = "--cpu";
                args[n++] = "EPYC-Milan";
        }
        args[n++] = different[_i][0];
        args[n++] = different[_i][1];
        got = printed(args);
        ck_assert_msg(strcmp(got, plainly) != 0, "%s", different[_i][0]);
}
END_TEST

START_TEST(a_unified_image_is_its_parts) {
        AUTO_FREE char *parts = PRINTED(MEASURE, DIRECT), *whole = PRINTED(MEASURE, "--uki", uki);
        AUTO_FREE char *none = PRINTED(MEASURE), *off = PRINTED(MEASURE, DIRECT, "--no-kernel-hashes");

        ck_assert_str_eq(whole, parts);
        ck_assert_str_eq(off, none);
        ck_assert_str_ne(parts, none);
}
END_TEST

START_TEST(a_seed_saves_hashing_the_firmware) {
        AUTO_FREE char *seed = PRINTED("measure", "--mode", "firmware", "--firmware", firmware);
        AUTO_FREE char *a = PRINTED(MEASURE, DIRECT), *b = PRINTED(MEASURE, DIRECT, "--firmware-digest", seed);

        ck_assert_str_eq(a, b);
}
END_TEST

static const struct { const char *says; const char *args[16]; } mistakes[] = {
        { "--firmware is missing", { "measure", "--cpu", "EPYC" } },
        { "--cpu is missing", { "measure", "--firmware", firmware } },
        { "is no model", { "measure", "--firmware", firmware, "--cpu", "Skylake" } },
        { "is no model", { "measure", "--firmware", firmware, "--cpu", "25,1" } },
        { "is no model", { "measure", "--firmware", firmware, "--cpu", "25,1,1,1" } },
        { "is no model", { "measure", "--firmware", firmware, "--cpu", "25,1,16" } },
        { "--mode 'snp2'", { MEASURE, "--mode", "snp2" } },
        { "--vmm 'xen'", { MEASURE, "--vmm", "xen" } },
        { "--vcpus 'many'", { MEASURE, "--vcpus", "many" } },
        { "--guest-features '-1'", { MEASURE, "--guest-features=-1" } },
        { "need --kernel", { MEASURE, "--append", "quiet" } },
        { "need --kernel", { MEASURE, "--initrd", initrd } },
        { "--uki brings", { MEASURE, "--uki", uki, "--append", "quiet" } },
        { "--firmware-digest is not", { MEASURE, "--firmware-digest", "00" } },
        { "need --mode svsm", { MEASURE, "--svsm", firmware } },
        { "--mode svsm needs", { MEASURE, "--mode", "svsm" } },
        { "give one", { MEASURE, "--mode", "svsm", "--svsm", firmware, "--vars", firmware, "--vars-size=1" } },
        { "--igvm excludes", { MEASURE, "--igvm", firmware } },
        { "--native-zero needs", { MEASURE, "--native-zero" } },
        { "--want is not", { MEASURE, "--want", "12" } },
        { "give one", { MEASURE, "--want", "12", "--want-report", firmware } },
        { "--explain needs", { MEASURE, "--explain" } },
        { "needs --explain", { MEASURE, "--kernels", dir } },
        { "--id-key", { "idblock", "create", "--measurement", "00", "--author-key", "x" } },
        { "--measurement is needed", { "idblock", "create", "--measurement", "00" } },
        { "are needed", { "idblock", "sign", "--block", block } },
        { "--key is missing", { "idblock", "digest" } },
        { "is needed", { "idblock", "verify", "--block", block } },
        { "is needed", { "idblock", "verify", "--block", block, "--auth", auth, "--igvm", auth } },
};

START_TEST(mistakes_are_told) {
        AUTO_SPAWN_RESULT SpawnResult r = ctl_run(mistakes[_i].args);

        ctl_expect_failure(&r, 2, mistakes[_i].says);
}
END_TEST

START_TEST(files_that_are_not_what_they_should_be_are_told) {
        AUTO_SPAWN_RESULT SpawnResult gone = CTL("measure", "--firmware", "/nonexistent", "--cpu", "EPYC");
        AUTO_SPAWN_RESULT SpawnResult pem = CTL("measure", "--firmware", id_pem, "--cpu", "EPYC");
        AUTO_SPAWN_RESULT SpawnResult no_igvm = CTL("measure", "--igvm", firmware);
        AUTO_SPAWN_RESULT SpawnResult no_uki = CTL(MEASURE, "--uki", kernel);
        AUTO_SPAWN_RESULT SpawnResult no_place = CTL("measure", "--firmware", plain, "--cpu", "EPYC", DIRECT);
        AUTO_SPAWN_RESULT SpawnResult no_svsm = CTL(MEASURE, "--mode", "svsm", "--svsm", plain, "--vars", firmware);
        AUTO_SPAWN_RESULT SpawnResult endless = CTL(MEASURE, "--kernel", "/dev/zero");

        ctl_expect_failure(&gone, 3, "Cannot open /nonexistent");
        ctl_expect_failure(&pem, 3, "is not a multiple of 4096");
        ctl_expect_failure(&no_igvm, 3, "no magic number");
        ctl_expect_failure(&no_uki, 3, "no PE file");
        ctl_expect_failure(&no_place, 3, "no place for kernel hashes");
        ctl_expect_failure(&no_svsm, 3, "does not say where it starts");
        ctl_expect_failure(&endless, 3, "not a regular file");
}
END_TEST

START_TEST(a_wanted_digest_decides) {
        AUTO_FREE char *digest = PRINTED(MEASURE);
        AUTO_SPAWN_RESULT SpawnResult yes = CTL(MEASURE, "--want", digest);
        AUTO_SPAWN_RESULT SpawnResult no = CTL(MEASURE, "--want", digest, "--vcpus", "2");

        ck_assert_int_eq(yes.status, 0);
        ck_assert_ptr_nonnull(strstr(yes.out, "\nMATCH\n"));
        ck_assert_int_eq(no.status, 1);
        ck_assert_ptr_nonnull(strstr(no.out, "MISMATCH: wanted"));
}
END_TEST

/* A report of an ordinary guest with this digest and ID block; its signature is zero. */
static void put_report(const uint8_t *ld, const SnpIdVerdict *id) {
        SimReport r = { .version = 5, .policy = 0x30000, .signature_algo = 1, .signer = SIM_SIGNER_VCEK,
                        .cpuid_family = 26, .cpuid_model = 2, .cpuid_stepping = 1, .author_key_en = id != NULL };
        uint8_t bytes[SIM_REPORT_SIZE];

        memcpy(r.measurement, ld, sizeof(r.measurement));
        if (id) {
                r.guest_svn = id->block.guest_svn;
                memcpy(r.family_id, id->block.family_id, 16);
                memcpy(r.id_key_digest, id->id_key_digest, 48);
                memcpy(r.author_key_digest, id->author_key_digest, 48);
        }
        sim_report_encode(&r, SIM_TURIN, bytes);
        put(report, "report", bytes, sizeof(bytes));
}

START_TEST(a_report_may_be_what_is_wanted) {
        AUTO_FREE char *digest = PRINTED(MEASURE);
        uint8_t ld[SNP_LD_SIZE];

        ck_assert_int_eq(hex_decode_exact(digest, strlen(digest), ld, sizeof(ld)), 0);
        put_report(ld, NULL);
        {
                AUTO_SPAWN_RESULT SpawnResult yes = CTL(MEASURE, "--want-report", report);
                AUTO_SPAWN_RESULT SpawnResult no = CTL(MEASURE, DIRECT, "--want-report", report);

                ck_assert_msg(yes.status == 0, "%s", yes.err);
                ck_assert_int_eq(no.status, 1);
        }
}
END_TEST

static json_object *found(json_object *o) {
        json_object *x = NULL, *list = NULL;

        ck_assert(json_object_object_get_ex(o, "explanation", &x) && json_object_object_get_ex(x, "found", &list));
        return list;
}

static void expect_change(json_object *o, size_t i, const char *what, const char *to) {
        json_object *change = json_object_array_get_idx(json_object_array_get_idx(found(o), 0), i);

        ck_assert_msg(change != NULL, "%s", json_object_to_json_string(o));
        ck_assert_str_eq(ctl_str(change, "what"), what);
        ck_assert_msg(strcmp(ctl_str(change, "to"), to) == 0, "%s", ctl_str(change, "to"));
}

START_TEST(a_mismatch_is_explained) {
        AUTO_FREE char *want = PRINTED("measure", "--firmware", firmware, "--cpu", "EPYC-Genoa", "--vcpus", "3",
                                       "--kernel", kernel, "--append", CMDLINE);
        AUTO_SPAWN_RESULT SpawnResult text = CTL("measure", "--firmware", firmware, "--cpu", "EPYC-Milan", "--kernel",
                                                 kernel, "--append", CMDLINE, "--want", want, "--explain");
        AUTO_SPAWN_RESULT SpawnResult one = CTL("measure", "--firmware", firmware, "--cpu", "EPYC-Genoa", "--kernel",
                                                kernel, "--append", CMDLINE, "--want", want, "--explain", "--json");
        AUTO_JSON json_object *o = ctl_json(&one);

        ck_assert_int_eq(text.status, 1);
        ck_assert_ptr_nonnull(strstr(text.out, "with two changes:\n"));
        ck_assert_ptr_nonnull(strstr(text.out, "vCPU model: EPYC-Genoa (0x00a10f10) (not: EPYC-Milan (0x00a00f11))"));
        ck_assert_ptr_nonnull(strstr(text.out, "vCPUs: 3 (not: 1)"));
        ck_assert_ptr_nonnull(strstr(text.out, "vCPUs          511")); /* what was tried */
        ck_assert_int_eq(one.status, 1);
        ck_assert_uint_eq(json_object_array_length(found(o)), 1);
        expect_change(o, 0, "vCPUs", "3");
}
END_TEST

START_TEST(folders_are_tried) {
        char other[64], name[80];
        AUTO_BLOB Blob image = {};
        AUTO_FREE char *want = NULL;
        Image different_image = image_amdsev;

        different_image.filler = 0x77;
        image = image_make(&different_image);
        put(name, "folder/a-text", "no firmware", 11);
        put(other, "folder/b.fd", image.data, image.size);
        put(lines, "lines", "\nfirst=line\nconsole=hvc1 something=else\n", 40);
        want = PRINTED("measure", "--firmware", other, "--cpu", "EPYC-Milan", "--kernel", name, "--append",
                       "console=hvc1 something=else");
        {
                AUTO_SPAWN_RESULT SpawnResult r = CTL(MEASURE, "--kernel", name, "--append", CMDLINE, "--want", want,
                                                      "--explain", "--firmwares", folder, "--appends", lines, "--json");
                AUTO_SPAWN_RESULT SpawnResult k = CTL("measure", "--firmware", other, "--cpu", "EPYC-Milan", "--kernel",
                                                      kernel, "--append=console=hvc1 something=else", "--want", want,
                                                      "--explain", "--kernels", folder, "--json");
                AUTO_JSON json_object *o = ctl_json(&r);
                AUTO_JSON json_object *p = ctl_json(&k);

                expect_change(o, 0, "firmware", other);
                expect_change(o, 1, "command line", "console=hvc1 something=else");
                expect_change(p, 0, "kernel", name);
        }
        ck_assert_int_eq(unlink(other) | unlink(name), 0);
}
END_TEST

START_TEST(too_full_a_folder_is_refused) {
        char name[64], file[64], zeros[2 * SNP_LD_SIZE + 1];

        (void) memset(zeros, '0', sizeof(zeros) - 1);
        zeros[sizeof(zeros) - 1] = 0;
        for (int i = 0; i <= 256; i++) {
                (void) snprintf(name, sizeof(name), "folder/%d", i);
                put(file, name, &i, sizeof(i));
        }
        {
                AUTO_SPAWN_RESULT SpawnResult full =
                        CTL(MEASURE, DIRECT, "--want", zeros, "--explain", "--initrds", folder);
                AUTO_SPAWN_RESULT SpawnResult gone =
                        CTL(MEASURE, DIRECT, "--want", zeros, "--explain", "--kernels", "/nonexistent");
                AUTO_SPAWN_RESULT SpawnResult limits = CTL(MEASURE, "--want", zeros, "--explain", "--max-changes", "3");
                AUTO_SPAWN_RESULT SpawnResult vcpus = CTL(MEASURE, "--want", zeros, "--explain", "--max-vcpus", "0");
                AUTO_SPAWN_RESULT SpawnResult nothing =
                        CTL(MEASURE, "--want", zeros, "--explain", "--max-changes", "1", "--max-vcpus", "8");

                ctl_expect_failure(&full, 3, "more than 256 files");
                ctl_expect_failure(&gone, 3, "Cannot read the folder");
                ctl_expect_failure(&limits, 2, "--max-changes '3'");
                ctl_expect_failure(&vcpus, 2, "--max-vcpus '0'");
                ck_assert_int_eq(nothing.status, 1);
                ck_assert_ptr_nonnull(strstr(nothing.out, "Not explained by 1 change."));
        }
}
END_TEST

/* Somebody believes in a launch that cannot be, and learns which one it was. */
START_TEST(the_impossible_is_explained_too) {
        AUTO_FREE char *want = PRINTED("measure", "--firmware", plain, "--cpu", "EPYC-Milan");
        AUTO_SPAWN_RESULT SpawnResult r =
                CTL("measure", "--json", "--firmware", plain, "--cpu=EPYC-Milan", DIRECT, "--want", want, "--explain");
        AUTO_SPAWN_RESULT SpawnResult text =
                CTL("measure", "--firmware", plain, "--cpu", "EPYC-Milan", DIRECT, "--want", want, "--explain");
        AUTO_JSON json_object *o = ctl_json(&r);

        ck_assert_int_eq(r.status, 1);
        ck_assert_str_eq(ctl_str(o, "impossible"), "kernel-hashes-unsupported");
        expect_change(o, 0, "kernel hashes", "off");
        ck_assert_ptr_nonnull(strstr(text.out, "cannot be launched: The firmware has no place for kernel hashes"));
}
END_TEST

START_TEST(the_stages_lead_to_the_digest) {
        AUTO_FREE char *digest = PRINTED(MEASURE, "--vcpus", "2"), *text = PRINTED(MEASURE, "--vcpus", "2", "--stages");
        AUTO_SPAWN_RESULT SpawnResult r = CTL(MEASURE, "--vcpus", "2", "--stages", "--json");
        AUTO_JSON json_object *o = ctl_json(&r);
        json_object *stages = NULL;
        size_t n;

        ck_assert(json_object_object_get_ex(o, "stages", &stages));
        n = json_object_array_length(stages);
        ck_assert_uint_eq(n, 10); /* firmware, 7 sections, 2 vCPUs */
        ck_assert_str_eq(ctl_str(json_object_array_get_idx(stages, 0), "name"), "firmware");
        ck_assert_str_eq(ctl_str(json_object_array_get_idx(stages, n - 1), "name"), "vmsa1");
        ck_assert_str_eq(ctl_str(json_object_array_get_idx(stages, n - 1), "digest"), digest);
        ck_assert_ptr_nonnull(strstr(text, "  sec_mem@0x800000+0x9000\n"));
        ck_assert_str_eq(text + strlen(text) - strlen(digest), digest);
}
END_TEST

static IgvmFile igvm; /* large */

static void put_igvm(char *ret, bool at_the_top) {
        AUTO_BLOB Blob b = {};

        memset(&igvm, 0, sizeof(igvm));
        igvm_add_platform(&igvm, 1, 2);
        igvm_add_policy(&igvm, 0x30000, 1);
        igvm_add_page(&igvm, 0x1000, 1, 0, 0, 0);
        igvm_add(&igvm, 0x30B, (const uint32_t[174]){ 1 }, 696);
        igvm_add_vmsa(&igvm, at_the_top ? 0xFFFFFFFFF000 : 0x1000, 1, igvm_add_data(&igvm, 0x31, 4096));
        b = igvm_make(&igvm);
        put(ret, "guest.igvm", b.data, b.size);
}

START_TEST(igvm_files_are_measured_and_their_id_blocks_judged) {
        AUTO_FREE char *zero = NULL, *normal = NULL;
        char file[64];

        put_igvm(file, false);
        zero = PRINTED("measure", "--igvm", file, "--native-zero");
        normal = PRINTED("measure", "--igvm", file);
        ck_assert_str_ne(zero, normal);
        ck_assert_ptr_nonnull(strstr(normal, "\nKVM cannot start this"));
        ck_assert_ptr_nonnull(strstr(normal, "\nID block: signatures DO NOT HOLD, digest IS ANOTHER"));
        {
                AUTO_SPAWN_RESULT SpawnResult r = CTL("measure", "--igvm", file, "--json", "--stages");
                AUTO_SPAWN_RESULT SpawnResult v = CTL("idblock", "verify", "--igvm", file);
                AUTO_JSON json_object *o = ctl_json(&r);
                json_object *part = NULL;

                ck_assert_int_eq(strncmp(ctl_str(o, "measurement"), normal, 96), 0);
                ck_assert(json_object_object_get_ex(o, "igvm", &part));
                ck_assert(json_object_object_get_ex(part, "id_block_holds", &part) && !json_object_get_boolean(part));
                ck_assert_int_eq(v.status, 1);
                ck_assert_ptr_nonnull(strstr(v.out, "REJECT: "));
        }
}
END_TEST

static void create(bool base64, const char *author) {
        AUTO_FREE char *digest = PRINTED(MEASURE);
        const char *args[24] = {
                "idblock", "create", "--measurement", digest,        "--id-key", id_pem,        "--block",
                block,     "--auth", auth,            "--guest-svn", "9",        "--family-id", FAMILY_ID,
        };
        size_t n = 14;

        if (author) {
                args[n++] = "--author-key";
                args[n++] = author;
        }
        if (base64)
                args[n++] = "--base64";
        {
                AUTO_SPAWN_RESULT SpawnResult r = ctl_run(args);

                ck_assert_msg(r.status == 0, "%s", r.err);
                ck_assert_ptr_nonnull(strstr(r.out, author ? "\nauthor-key-enabled=on\n"
                                                           : "\nauthor-key-enabled=off\n"));
        }
}

static SnpIdVerdict verify_files(bool author) {
        AUTO_BLOB Blob b = {}, a = {};
        SnpIdVerdict v;

        ck_assert_int_eq(file_read(block, 4096, &b, NULL), 0);
        ck_assert_int_eq(file_read(auth, 4096, &a, NULL), 0);
        ck_assert_int_eq(snp_id_verify(b.data, b.size, a.data, a.size, author, &v, NULL), 0);
        return v;
}

START_TEST(a_block_is_made_and_verified) {
        create(false, author_pem);
        ck_assert_int_eq(verify_files(true).outcome, SNP_ID_ACCEPT);
        {
                AUTO_FREE char *text = PRINTED("idblock", "verify", "--block", block, "--auth", auth);

                ck_assert_ptr_nonnull(strstr(text, "ACCEPT, author key enabled"));
                ck_assert_ptr_nonnull(strstr(text, FAMILY_ID));
        }
        create(false, NULL);
        ck_assert_int_eq(verify_files(false).outcome, SNP_ID_ACCEPT);
        {
                AUTO_FREE char *text = PRINTED("idblock", "verify", "--block", block, "--auth", auth);
                AUTO_SPAWN_RESULT SpawnResult no =
                        CTL("idblock", "verify", "--block", block, "--auth", auth, "--author-key-enabled", "on");

                ck_assert_ptr_nonnull(strstr(text, "ACCEPT, author key not enabled"));
                ck_assert_int_eq(no.status, 1);
                ck_assert_ptr_nonnull(strstr(no.out, "REJECT: "));
        }
}
END_TEST

START_TEST(base64_is_read_and_written) {
        AUTO_BLOB Blob text = {}, with_newline = {};

        create(true, author_pem);
        ck_assert_int_eq(file_read(block, 4096, &text, NULL), 0);
        ck_assert_uint_eq(text.size, 128);
        with_newline = (Blob){ malloc(130), 129 };
        memcpy(with_newline.data, text.data, 128);
        with_newline.data[128] = '\n';
        put(block, "block", with_newline.data, with_newline.size);
        {
                AUTO_SPAWN_RESULT SpawnResult r = CTL("idblock", "verify", "--block", block, "--auth", auth);
                AUTO_SPAWN_RESULT SpawnResult again =
                        CTL("idblock", "sign", "--block", block, "--id-key", id_pem, "--auth", auth);
                AUTO_SPAWN_RESULT SpawnResult signed_again = CTL("idblock", "verify", "--block", block, "--auth", auth);

                ck_assert_msg(r.status == 0, "%s%s", r.out, r.err);
                ck_assert_msg(again.status == 0, "%s", again.err);
                ck_assert_msg(signed_again.status == 0, "%s", signed_again.out);
        }
}
END_TEST

START_TEST(a_report_is_compared_with_the_block) {
        SnpIdVerdict v;

        create(false, author_pem);
        v = verify_files(true);
        put_report(v.block.ld, &v);
        {
                AUTO_SPAWN_RESULT SpawnResult yes =
                        CTL("idblock", "verify", "--json", "--block", block, "--auth", auth, "--report", report);

                ck_assert_msg(yes.status == 0, "%s", yes.out);
        }
        v.block.guest_svn++;
        put_report(v.block.ld, &v);
        {
                AUTO_SPAWN_RESULT SpawnResult no =
                        CTL("idblock", "verify", "--json", "--block", block, "--auth", auth, "--report", report);
                AUTO_JSON json_object *o = ctl_json(&no);

                ck_assert_int_eq(no.status, 1);
                ck_assert_str_eq(ctl_str(o, "reason"), "other-report");
                ck_assert_ptr_nonnull(strstr(ctl_str(o, "message"), "guest_svn"));
        }
}
END_TEST

/* The private number of a SEC1 key begins at its eighth byte (RFC 5915, section 3). */
static void expect_without(const SpawnResult *r, const char *hex) {
        ck_assert_ptr_null(strstr(r->out, hex));
        ck_assert_ptr_null(strstr(r->err, hex));
        ck_assert_ptr_null(strstr(r->out, "PRIVATE"));
}

START_TEST(private_keys_are_never_printed) {
        AUTO_EVP_PKEY EVP_PKEY *key = key_make("P-384");
        AUTO_SECRET Secret der = key_file(key, KEY_SEC1_DER);
        AUTO_FREE char *hex = hex_encode(der.bytes + 8, 48), *base64 = base64_encode(BASE64_STD, der.bytes + 8, 48);
        char file[64];

        put(file, "printed.der", der.bytes, der.len);
        {
                AUTO_FREE char *digest = PRINTED(MEASURE);
                AUTO_SPAWN_RESULT SpawnResult a =
                        CTL("idblock", "create", "--json", "--measurement", digest, "--id-key", file);
                AUTO_SPAWN_RESULT SpawnResult b = CTL("idblock", "digest", "--key", file);

                ck_assert_int_eq(a.status | b.status, 0);
                expect_without(&a, hex);
                expect_without(&a, base64);
                expect_without(&b, hex);
        }
}
END_TEST

START_TEST(unsuitable_keys_are_told) {
        static const struct { const char *curve; KeyForm form; const char *says; } rows[] = {
                { "P-256", KEY_PKCS8_PEM, "not one of the curve P-384" },
                { "P-384", KEY_ENCRYPTED_PEM, "is encrypted" },
                { "P-384", KEY_PUBLIC_PEM, "holds no key" },
        };
        AUTO_FREE char *digest = PRINTED(MEASURE);

        for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
                AUTO_EVP_PKEY EVP_PKEY *key = key_make(rows[i].curve);
                AUTO_SECRET Secret bytes = key_file(key, rows[i].form);
                char file[64];

                put(file, "unsuitable", bytes.bytes, bytes.len);
                {
                        AUTO_SPAWN_RESULT SpawnResult r =
                                CTL("idblock", "create", "--measurement", digest, "--id-key", file, "--auth", auth);

                        ctl_expect_failure(&r, 3, rows[i].says);
                }
        }
}
END_TEST

int main(int argc, char **argv) {
        Suite *suite = suite_create("snpctl-launch");
        TCase *tc = tcase_create("snpctl-launch");

        if (argc != 2)
                return EXIT_FAILURE;
        ctl_set_program(argv[1]);
        tcase_add_unchecked_fixture(tc, setup, teardown);
        tcase_add_test(tc, the_digest_stands_alone);
        tcase_add_loop_test(tc, one_launch_has_one_digest, 0, N_ELEMENTS(same));
        tcase_add_loop_test(tc, each_option_makes_a_difference, 0, N_ELEMENTS(different));
        tcase_add_test(tc, a_unified_image_is_its_parts);
        tcase_add_test(tc, a_seed_saves_hashing_the_firmware);
        tcase_add_loop_test(tc, mistakes_are_told, 0, N_ELEMENTS(mistakes));
        tcase_add_test(tc, files_that_are_not_what_they_should_be_are_told);
        tcase_add_test(tc, a_wanted_digest_decides);
        tcase_add_test(tc, a_report_may_be_what_is_wanted);
        tcase_add_test(tc, a_mismatch_is_explained);
        tcase_add_test(tc, folders_are_tried);
        tcase_add_test(tc, the_impossible_is_explained_too);
        tcase_add_test(tc, the_stages_lead_to_the_digest);
        tcase_add_test(tc, igvm_files_are_measured_and_their_id_blocks_judged);
        tcase_add_test(tc, a_block_is_made_and_verified);
        tcase_add_test(tc, base64_is_read_and_written);
        tcase_add_test(tc, a_report_is_compared_with_the_block);
        tcase_add_test(tc, private_keys_are_never_printed);
        tcase_add_test(tc, unsuitable_keys_are_told);
        tcase_add_test(tc, too_full_a_folder_is_refused); /* last: it leaves the folder full */
        suite_add_tcase(suite, tc);
        return unit_run(suite);
}
