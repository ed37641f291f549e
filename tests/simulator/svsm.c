/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/simulator/svsm.h"

#include <errno.h>
#include <string.h>

#include <openssl/evp.h>

#include "base/file.h"
#include "base/reader.h"
#include "base/writer.h"

#define GUID_SIZE 16
#define MANIFEST_MAX (64u * 1024u)

/* As they stand in memory: mixed-endian (UEFI specification, appendix A). */
static const uint8_t guid_services[GUID_SIZE] = { 0xbb, 0x9e, 0x84, 0x63, 0x92, 0x3d, 0x70, 0x46,
                                                  0xa1, 0xff, 0x58, 0xf9, 0xc9, 0x4b, 0x87, 0xbb };
static const uint8_t guid_vtpm[GUID_SIZE] = { 0xeb, 0xf1, 0x76, 0xc4, 0x23, 0x01, 0xa5, 0x45,
                                              0x96, 0x41, 0xb4, 0xe7, 0xdd, 0xe5, 0xbf, 0xe3 };
static const uint8_t guid_uefi_mm[GUID_SIZE] = { 0x59, 0x3a, 0x45, 0xa4, 0x1b, 0x9e, 0x87, 0x47,
                                                 0xa0, 0x33, 0x19, 0x86, 0xd6, 0xad, 0xbe, 0x55 };

void sim_service_answer_done(SimServiceAnswer *a) {
        blob_done(&a->report);
        blob_done(&a->table);
        blob_done(&a->manifest);
}

static void to_mixed(const uint8_t text[static GUID_SIZE], uint8_t ret[static GUID_SIZE]) {
        static const uint8_t order[GUID_SIZE] = { 3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15 };

        for (size_t i = 0; i < GUID_SIZE; i++)
                ret[i] = text[order[i]];
}

/* -EINVAL when there is no vTPM, or none that knows this version. */
static int vtpm_manifest(const SimPlatform *p, uint32_t version, Blob *ret, Error *e) {
        const char *path = version == 0 ? p->now.vtpm_manifest : p->now.vtpm_manifest_v1;

        if (version > 1 || !path[0])
                return -EINVAL;
        return file_read(path, MANIFEST_MAX, ret, e) < 0 ? -EIO : 0;
}

/* UefiMmManifest of COCONUT-SVSM: version, flags. */
static int uefi_manifest(const SimPlatform *p, uint32_t version, Blob *ret) {
        uint8_t bytes[8] = {};

        if (version != 0)
                return -EINVAL;
        store_le32(bytes + 4, p->now.uefi_flags);
        return blob_dup(bytes, sizeof(bytes), ret);
}

static int services_manifest(const SimPlatform *p, Blob *ret, Error *e) {
        AUTO_WRITER Writer w = wr_init(MANIFEST_MAX);
        AUTO_BLOB Blob vtpm = {}, uefi = {};
        bool has_vtpm = p->now.vtpm_manifest[0] != 0;
        uint32_t at = has_vtpm ? 72 : 48;
        int r = has_vtpm ? vtpm_manifest(p, 0, &vtpm, e) : 0;

        if (r == 0)
                r = uefi_manifest(p, 0, &uefi);
        if (r < 0)
                return r;
        wr_bytes(&w, guid_services, GUID_SIZE);
        wr_le32(&w, at + (uint32_t) (vtpm.size + uefi.size));
        wr_le32(&w, has_vtpm ? 2 : 1);
        if (has_vtpm) {
                wr_bytes(&w, guid_vtpm, GUID_SIZE);
                wr_le32(&w, at);
                wr_le32(&w, (uint32_t) vtpm.size);
        }
        wr_bytes(&w, guid_uefi_mm, GUID_SIZE);
        wr_le32(&w, at + (uint32_t) vtpm.size);
        wr_le32(&w, (uint32_t) uefi.size);
        wr_bytes(&w, vtpm.data, vtpm.size);
        wr_bytes(&w, uefi.data, uefi.size);
        return wr_finish(&w, ret);
}

static int make_manifest(const SimPlatform *p, const SimServiceRequest *q, Blob *ret, Error *e) {
        uint8_t guid[GUID_SIZE];

        to_mixed(q->guid, guid);
        if (bytes_are_zero(guid, GUID_SIZE))
                return services_manifest(p, ret, e);
        if (memcmp(guid, guid_vtpm, GUID_SIZE) == 0)
                return vtpm_manifest(p, q->manifest_version, ret, e);
        if (memcmp(guid, guid_uefi_mm, GUID_SIZE) == 0)
                return uefi_manifest(p, q->manifest_version, ret);
        return -EINVAL;
}

static int digest(const uint8_t nonce[static SIM_REPORT_DATA_SIZE], const Blob *manifest,
                  uint8_t ret[static SIM_REPORT_DATA_SIZE]) {
        EVP_MD_CTX *ctx = EVP_MD_CTX_new();
        bool ok = ctx && EVP_DigestInit_ex(ctx, EVP_sha512(), NULL) == 1 &&
                  EVP_DigestUpdate(ctx, nonce, SIM_REPORT_DATA_SIZE) == 1 &&
                  EVP_DigestUpdate(ctx, manifest->data, manifest->size) == 1 && EVP_DigestFinal_ex(ctx, ret, NULL) == 1;

        EVP_MD_CTX_free(ctx);
        return ok ? 0 : -ENOMEM;
}

/* What becomes of the manifest on its way, after the report was made over it. */
static void spoil(Blob *manifest, SimFailure kind) {
        if (manifest->size == 0)
                return;
        if (kind == SIM_FAIL_TRUNCATED_MANIFEST)
                manifest->size--;
        if (kind == SIM_FAIL_OTHER_MANIFEST)
                manifest->data[manifest->size / 2] ^= 1;
}

int sim_platform_service_report(SimPlatform *p, const SimServiceRequest *request,
                                const uint8_t nonce[static SIM_REPORT_DATA_SIZE], SimFail fail, SimServiceAnswer *ret,
                                Error *e) {
        CLEANUP(sim_service_answer_done) SimServiceAnswer a = {};
        uint8_t report_data[SIM_REPORT_DATA_SIZE];
        int r = make_manifest(p, request, &a.manifest, e);

        if (r == 0)
                r = digest(nonce, &a.manifest, report_data);
        if (r == 0)
                r = sim_platform_report_vmpl0(p, report_data, fail, &a.report, &a.table, e);
        if (r < 0)
                return fail.kind == SIM_FAIL_ERRNO ? -EINVAL : r;
        spoil(&a.manifest, fail.kind);
        *ret = a;
        a = (SimServiceAnswer){};
        return 0;
}
