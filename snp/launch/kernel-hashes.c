/* SPDX-License-Identifier: Apache-2.0 */
#include "snp/launch/kernel-hashes.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <string.h>
#include <sys/stat.h>

#include "base/writer.h"
#include "snp/launch/efi-guid.h"

/* QEMU, target/i386/sev.c: sev_hash_table_header_guid and the three below it. */
static const uint8_t guid_table[] = EFI_GUID(0x9438d606, 0x4f22, 0x4cc9, 0xb479, 0xa793d411fd21);
static const uint8_t guid_cmdline[] = EFI_GUID(0x97d02dd8, 0xbd20, 0x4c94, 0xaa78, 0xe7714d36ab2a);
static const uint8_t guid_initrd[] = EFI_GUID(0x44baf731, 0x3a2f, 0x4bd7, 0x9af1, 0x41e29169781d);
static const uint8_t guid_kernel[] = EFI_GUID(0x4de79437, 0xabd2, 0x427f, 0xb835, 0xd5b172d2045b);

#define ENTRY_HEADER_SIZE (EFI_GUID_SIZE + 2)
#define ENTRY_SIZE (ENTRY_HEADER_SIZE + SNP_HASH_SIZE)
#define TABLE_SIZE (ENTRY_HEADER_SIZE + 3 * ENTRY_SIZE)
#define READ_SIZE (256u * 1024u)

DEFINE_CLEANUP(EVP_MD_CTX *, EVP_MD_CTX_free);

int snp_blob_hash(const void *data, size_t size, uint8_t ret[static SNP_HASH_SIZE], Error *e) {
        return EVP_Digest(data, size, ret, NULL, EVP_sha256(), NULL) == 1 ? 0 : error_oom(e);
}

static int hash_fd(int fd, const char *path, uint8_t ret[static SNP_HASH_SIZE], Error *e) {
        CLEANUP(EVP_MD_CTX_freep) EVP_MD_CTX *md = EVP_MD_CTX_new();
        AUTO_FREE uint8_t *buffer = malloc(READ_SIZE);

        if (!md || !buffer || EVP_DigestInit_ex2(md, EVP_sha256(), NULL) != 1)
                return error_oom(e);
        for (;;) {
                ssize_t n = read(fd, buffer, READ_SIZE);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return error_set(e, -errno, "read-failed", "Cannot read %s: %s", path,
                                         error_text(NULL, -errno));
                if (n == 0)
                        return EVP_DigestFinal_ex(md, ret, NULL) == 1 ? 0 : error_oom(e);
                if (EVP_DigestUpdate(md, buffer, (size_t) n) != 1)
                        return error_oom(e);
        }
}

int snp_file_hash(const char *path, uint8_t ret[static SNP_HASH_SIZE], Error *e) {
        AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        struct stat st;

        if (fd < 0 || fstat(fd, &st) < 0)
                return error_set(e, -errno, "open-failed", "Cannot open %s: %s", path, error_text(NULL, -errno));
        if (!S_ISREG(st.st_mode)) /* a pipe or a device may never end */
                return error_set(e, -EINVAL, "not-a-file", "%s is not a regular file", path);
        return hash_fd(fd, path, ret, e);
}

int snp_cmdline_hash(const char *cmdline, uint8_t ret[static SNP_HASH_SIZE], Error *e) {
        const char *text = cmdline ? cmdline : "";

        return snp_blob_hash(text, strlen(text) + 1, ret, e);
}

int snp_no_initrd_hash(uint8_t ret[static SNP_HASH_SIZE], Error *e) {
        return snp_blob_hash("", 0, ret, e);
}

static uint8_t *put_header(uint8_t *p, const uint8_t guid[static EFI_GUID_SIZE], size_t size) {
        (void) memcpy(p, guid, EFI_GUID_SIZE);
        store_le16(p + EFI_GUID_SIZE, (uint16_t) size);
        return p + ENTRY_HEADER_SIZE;
}

static uint8_t *put_entry(uint8_t *p, const uint8_t guid[static EFI_GUID_SIZE],
                          const uint8_t hash[static SNP_HASH_SIZE]) {
        p = put_header(p, guid, ENTRY_SIZE);
        (void) memcpy(p, hash, SNP_HASH_SIZE);
        return p + SNP_HASH_SIZE;
}

void snp_kernel_hashes_encode(const SnpKernelHashes *h, uint8_t ret[static SNP_HASH_TABLE_SIZE]) {
        uint8_t *p = put_header(ret, guid_table, TABLE_SIZE);

        p = put_entry(p, guid_cmdline, h->cmdline);
        p = put_entry(p, guid_initrd, h->initrd);
        p = put_entry(p, guid_kernel, h->kernel);
        (void) memset(p, 0, SNP_HASH_TABLE_SIZE - TABLE_SIZE);
}

static bool area_is_inside(const SnpOvmf *ovmf, const SnpSection *section) {
        return section->size == SNP_PAGE_SIZE && ovmf->hash_base >= section->gpa &&
               (uint64_t) ovmf->hash_base + SNP_HASH_TABLE_SIZE <= (uint64_t) section->gpa + section->size;
}

int snp_hash_area_check(const SnpOvmf *ovmf, bool in_section, Error *e) {
        SnpSection section = {};

        if (!ovmf->has_hash_area || ovmf->hash_base == 0 ||
            (in_section && !snp_ovmf_find_section(ovmf, SNP_SECTION_KERNEL_HASHES, &section)))
                return error_set(e, -EOPNOTSUPP, "kernel-hashes-unsupported",
                                 "The firmware has no place for kernel hashes: it must be built as AmdSevX64");
        if (ovmf->hash_size < SNP_HASH_TABLE_SIZE || (in_section && !area_is_inside(ovmf, &section)))
                return error_set(e, -EBADMSG, "bad-hash-area",
                                 "The firmware's place for kernel hashes (0x%x, %u bytes) is too small, or not inside "
                                 "of the page that it has for them", ovmf->hash_base, ovmf->hash_size);
        return 0;
}

void snp_hash_page_make(const SnpOvmf *ovmf, const SnpKernelHashes *h, uint8_t ret[static SNP_PAGE_SIZE]) {
        (void) memset(ret, 0, SNP_PAGE_SIZE);
        snp_kernel_hashes_encode(h, ret + ovmf->hash_base % SNP_PAGE_SIZE);
}
