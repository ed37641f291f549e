/* SPDX-License-Identifier: Apache-2.0 */
#include "snp/svsm-manifest.h"

#include <errno.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "base/reader.h"

#define TABLE_HEADER_SIZE 24u
#define TABLE_ENTRY_SIZE 24u
#define V1_KEYS_MIN 2u /* one to store under, one to sign with */

/* 63849ebb-3d92-4670-a1ff-58f9c94b87bb */
static const SnpGuid guid_services = { { 0x63, 0x84, 0x9e, 0xbb, 0x3d, 0x92, 0x46, 0x70, 0xa1, 0xff, 0x58, 0xf9, 0xc9,
                                         0x4b, 0x87, 0xbb } };
const SnpGuid snp_svsm_guid_vtpm = { { 0xc4, 0x76, 0xf1, 0xeb, 0x01, 0x23, 0x45, 0xa5, 0x96, 0x41, 0xb4, 0xe7, 0xdd,
                                       0xe5, 0xbf, 0xe3 } };
const SnpGuid snp_svsm_guid_uefi_mm = { { 0xa4, 0x45, 0x3a, 0x59, 0x9e, 0x1b, 0x47, 0x87, 0xa0, 0x33, 0x19, 0x86, 0xd6,
                                          0xad, 0xbe, 0x55 } };
static const SnpGuid guid_all = {};

static const struct {
        const char *name;
        const SnpGuid *guid;
} known_services[] = {
        { "all", &guid_all },
        { "vtpm", &snp_svsm_guid_vtpm },
        { "uefi-mm", &snp_svsm_guid_uefi_mm },
};

const char *snp_svsm_service_name(const SnpGuid *service) {
        for (size_t i = 0; i < N_ELEMENTS(known_services); i++)
                if (snp_guid_equal(known_services[i].guid, service))
                        return known_services[i].name;
        return NULL;
}

int snp_svsm_service_parse(const char *text, SnpGuid *ret, Error *e) {
        for (size_t i = 0; i < N_ELEMENTS(known_services); i++)
                if (strcmp(known_services[i].name, text) == 0) {
                        *ret = *known_services[i].guid;
                        return 0;
                }
        if (snp_guid_parse(text, ret) < 0)
                return error_set(e, -EINVAL, "svsm-service",
                                 "'%.64s' is no service: vtpm, uefi-mm, all or a GUID", text);
        return 0;
}

static int check_size(size_t size, Error *e) {
        if (size > SNP_SVSM_MANIFEST_MAX)
                return error_set(e, -E2BIG, "svsm-manifest-size", "A manifest of %zu bytes exceeds %u", size,
                                 SNP_SVSM_MANIFEST_MAX);
        return 0;
}

static SnpGuid read_guid(Reader *r) {
        SnpGuid mixed;

        rd_copy(r, mixed.bytes, sizeof(mixed.bytes));
        return snp_guid_swap(&mixed);
}

/* Both lie in one buffer. */
static bool overlap(const SnpSvsmService *a, const SnpSvsmService *b) {
        return a->manifest < b->manifest + b->size && b->manifest < a->manifest + a->size;
}

static int add_service(SnpSvsmServices *s, const SnpSvsmService *new, Error *e) {
        char text[SNP_GUID_TEXT_SIZE];

        snp_guid_format(&new->guid, text);
        if (snp_guid_is_null(&new->guid))
                return error_set(e, -EBADMSG, "svsm-table-guid", "Service %zu has no GUID", s->n_services);
        if (snp_svsm_services_find(s, &new->guid))
                return error_set(e, -EBADMSG, "svsm-table-duplicate", "Service %s is in the table twice", text);
        for (size_t i = 0; i < s->n_services; i++)
                if (overlap(&s->services[i], new))
                        return error_set(e, -EBADMSG, "svsm-table-overlap",
                                         "The manifest of service %s shares bytes with an earlier one", text);
        s->services[s->n_services++] = *new;
        return 0;
}

static int read_service(Reader *header, const Reader *whole, size_t header_size, SnpSvsmServices *s, Error *e) {
        SnpSvsmService new = { .guid = read_guid(header) };
        uint32_t offset = rd_le32(header);
        Reader data;

        new.size = rd_le32(header);
        data = rd_at(whole, offset, new.size);
        new.manifest = rd_take(&data, new.size);
        if (offset < header_size || !new.manifest)
                return error_set(e, -EBADMSG, "svsm-table-range",
                                 "The manifest of service %zu, %zu bytes from offset %u, is not within %zu to %zu",
                                 s->n_services, new.size, offset, header_size, whole->size);
        return add_service(s, &new, e);
}

int snp_svsm_services_parse(const void *data, size_t size, SnpSvsmServices *ret, Error *e) {
        Reader whole = rd_init(data, size);
        Reader header = whole;
        SnpSvsmServices s = {};
        SnpGuid guid = read_guid(&header);
        uint32_t length = rd_le32(&header);
        uint32_t count = rd_le32(&header);
        int r;

        r = check_size(size, e);
        if (r == 0)
                r = rd_check(&header, "manifest of all services", e);
        if (r < 0)
                return r;
        if (!snp_guid_equal(&guid, &guid_services))
                return error_set(e, -EBADMSG, "svsm-table-magic", "This is no manifest of all services: another GUID");
        if (length != size)
                return error_set(e, -EBADMSG, "svsm-table-length", "The manifest of all services has %zu bytes and "
                                 "says that it has %u", size, length);
        if (count > SNP_SVSM_SERVICES_MAX)
                return error_set(e, -E2BIG, "svsm-table-count", "%u services are more than %d", count,
                                 SNP_SVSM_SERVICES_MAX);
        if (rd_left(&header) / TABLE_ENTRY_SIZE < count)
                return error_set(e, -EBADMSG, "svsm-table-count", "The manifest of all services has no room for %u of "
                                 "them", count);
        for (uint32_t i = 0; i < count; i++) {
                r = read_service(&header, &whole, TABLE_HEADER_SIZE + count * TABLE_ENTRY_SIZE, &s, e);
                if (r < 0)
                        return r;
        }
        *ret = s;
        return 0;
}

const SnpSvsmService *snp_svsm_services_find(const SnpSvsmServices *services, const SnpGuid *guid) {
        for (size_t i = 0; i < services->n_services; i++)
                if (snp_guid_equal(&services->services[i].guid, guid))
                        return &services->services[i];
        return NULL;
}

static bool has_key(const SnpSvsmKeys *k, const SnpSvsmKey *key) {
        for (size_t i = 0; i < k->n_keys; i++)
                if (k->keys[i].size == key->size && memcmp(k->keys[i].tpmt_public, key->tpmt_public, key->size) == 0)
                        return true;
        return false;
}

static int read_keys(Reader *r, SnpSvsmKeys *ret, Error *e) {
        SnpSvsmKeys k = {};
        uint32_t version = rd_be32(r);
        uint32_t count = rd_be32(r);
        int q;

        q = rd_check(r, "vTPM manifest", e);
        if (q < 0)
                return q;
        if (version != 1)
                return error_set(e, -EBADMSG, "svsm-vtpm-version",
                                 "The vTPM manifest says that it is of version %u, not 1", version);
        if (count < V1_KEYS_MIN)
                return error_set(e, -EBADMSG, "svsm-vtpm-count", "The vTPM manifest holds %u keys instead of 2 or more",
                                 count);
        if (count > SNP_SVSM_KEYS_MAX)
                return error_set(e, -E2BIG, "svsm-vtpm-count", "The vTPM manifest holds %u keys, more than %d", count,
                                 SNP_SVSM_KEYS_MAX);
        for (uint32_t i = 0; i < count; i++) {
                SnpSvsmKey key = { .size = rd_be16(r) };

                key.tpmt_public = rd_take(r, key.size);
                if (!key.tpmt_public)
                        break; /* the caller asks the reader */
                if (key.size == 0 || has_key(&k, &key))
                        return error_set(e, -EBADMSG, "svsm-vtpm-key", "Key %u of the vTPM manifest is %s", i,
                                         key.size == 0 ? "empty" : "in it twice");
                k.keys[k.n_keys++] = key;
        }
        *ret = k;
        return 0;
}

int snp_svsm_vtpm_parse(const void *data, size_t size, uint32_t version, SnpSvsmKeys *ret, Error *e) {
        Reader r = rd_init(data, size);
        SnpSvsmKeys k = {};
        int q = check_size(size, e);

        if (q < 0)
                return q;
        if (version > SNP_SVSM_MANIFEST_VERSION_MAX)
                return error_set(e, -EOPNOTSUPP, "svsm-vtpm-version", "Version %u of vTPM manifests is not known; 0 "
                                 "and 1 are", version);
        if (size == 0)
                return error_set(e, -EBADMSG, "svsm-vtpm-empty", "The vTPM manifest is empty");
        if (version == 0)
                k = (SnpSvsmKeys){ .keys = { { .tpmt_public = rd_take(&r, size), .size = size } }, .n_keys = 1 };
        else
                q = read_keys(&r, &k, e);
        if (q == 0)
                q = rd_finish(&r, "vTPM manifest", e);
        if (q < 0)
                return q;
        *ret = k;
        return 0;
}

int snp_svsm_uefi_parse(const void *data, size_t size, uint32_t *ret_flags, Error *e) {
        Reader r = rd_init(data, size);
        uint32_t version = rd_le32(&r);
        uint32_t flags = rd_le32(&r);
        int q = rd_finish(&r, "manifest of the UEFI variable store", e);

        if (q < 0)
                return q;
        if (version != 0)
                return error_set(e, -EOPNOTSUPP, "svsm-uefi-version", "Version %u of manifests of the UEFI variable "
                                 "store is not known", version);
        *ret_flags = flags;
        return 0;
}

static void md_ctx_free(EVP_MD_CTX *ctx) {
        EVP_MD_CTX_free(ctx);
}
DEFINE_CLEANUP(EVP_MD_CTX *, md_ctx_free);

int snp_svsm_report_data(const uint8_t nonce[static SNP_SVSM_NONCE_SIZE], const void *manifest, size_t size,
                         uint8_t ret[static SNP_REPORT_DATA_SIZE], Error *e) {
        CLEANUP(md_ctx_freep) EVP_MD_CTX *ctx = NULL;
        int r = check_size(size, e);

        if (r < 0)
                return r;
        ctx = EVP_MD_CTX_new();
        if (!ctx || EVP_DigestInit_ex(ctx, EVP_sha512(), NULL) != 1 ||
            EVP_DigestUpdate(ctx, nonce, SNP_SVSM_NONCE_SIZE) != 1 || EVP_DigestUpdate(ctx, manifest, size) != 1 ||
            EVP_DigestFinal_ex(ctx, ret, NULL) != 1)
                return error_oom(e);
        return 0;
}

int snp_svsm_bind(const SnpReport *report, const uint8_t nonce[static SNP_SVSM_NONCE_SIZE], const void *manifest,
                  size_t size, SnpSvsmVerdict *ret, Error *e) {
        uint8_t want[SNP_REPORT_DATA_SIZE];
        int r;

        *ret = SNP_SVSM_NOT_BOUND;
        r = snp_svsm_report_data(nonce, manifest, size, want, e);
        if (r < 0)
                return r;
        if (report->vmpl != 0)
                return error_set(e, -EKEYREJECTED, "svsm-vmpl",
                                 "The report is of VMPL %u and not of the SVSM, which is at 0", report->vmpl);
        if (CRYPTO_memcmp(want, report->report_data, sizeof(want)) != 0)
                return error_set(e, -ESTALE, "svsm-not-bound", "REPORT_DATA is not the digest of this nonce and this "
                                 "manifest");
        *ret = SNP_SVSM_BOUND;
        return 0;
}
