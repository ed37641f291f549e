/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/simulator/report.h"

#include <errno.h>
#include <string.h>

#include "base/writer.h"
#include "tests/simulator/openssl.h"

/* 56860, table ATTESTATION_REPORT */
enum {
        OFF_VERSION = 0x000,
        OFF_GUEST_SVN = 0x004,
        OFF_POLICY = 0x008,
        OFF_FAMILY_ID = 0x010,
        OFF_IMAGE_ID = 0x020,
        OFF_VMPL = 0x030,
        OFF_SIGNATURE_ALGO = 0x034,
        OFF_CURRENT_TCB = 0x038,
        OFF_PLATFORM_INFO = 0x040,
        OFF_SIGNER_INFO = 0x048,
        OFF_REPORT_DATA = 0x050,
        OFF_MEASUREMENT = 0x090,
        OFF_HOST_DATA = 0x0C0,
        OFF_ID_KEY_DIGEST = 0x0E0,
        OFF_AUTHOR_KEY_DIGEST = 0x110,
        OFF_REPORT_ID = 0x140,
        OFF_REPORT_ID_MA = 0x160,
        OFF_REPORTED_TCB = 0x180,
        OFF_CPUID = 0x188, /* family, model, stepping */
        OFF_CHIP_ID = 0x1A0,
        OFF_COMMITTED_TCB = 0x1E0,
        OFF_CURRENT_VERSION = 0x1E8, /* build, minor, major */
        OFF_COMMITTED_VERSION = 0x1EC,
        OFF_LAUNCH_TCB = 0x1F0,
        OFF_LAUNCH_MIT_VECTOR = 0x1F8,
        OFF_CURRENT_MIT_VECTOR = 0x200,
        OFF_SIGNATURE = 0x2A0,
        SIGNED_SIZE = 0x2A0,
        SIGNATURE_PART_SIZE = 72,
};

#define ALGO_ECDSA_P384_SHA384 1
#define POLICY_SMT_AND_RESERVED_ONE UINT64_C(0x30000)
#define PLATFORM_ALIAS_CHECK_ECC_SMT UINT64_C(0x25)
#define SIGNER_INFO_AUTHOR_KEY_EN 1u
#define SIGNER_INFO_MASK_CHIP_KEY 2u

SimReport sim_report_defaults(const SimPki *pki) {
        const SimProductInfo *p = sim_product(pki->product);
        SimReport r = {
                .version = 5,
                .policy = POLICY_SMT_AND_RESERVED_ONE,
                .signature_algo = ALGO_ECDSA_P384_SHA384,
                .current = pki->tcb, .reported = pki->tcb, .committed = pki->tcb, .launch = pki->tcb,
                .platform_info = PLATFORM_ALIAS_CHECK_ECC_SMT,
                .cpuid_family = p->cpuid_family, .cpuid_model = p->cpuid_model, .cpuid_stepping = p->cpuid_stepping,
                .current_version = { p->major, p->minor, p->build },
                .committed_version = { p->major, p->minor, p->build },
        };

        (void) memset(r.measurement, 0xA5, sizeof(r.measurement));
        (void) memset(r.report_id, 0x1D, sizeof(r.report_id));
        (void) memset(r.report_id_ma, 0xFF, sizeof(r.report_id_ma)); /* no migration agent */
        (void) memcpy(r.chip_id, pki->chip_id, sizeof(r.chip_id));
        return r;
}

static void put(uint8_t *report, size_t offset, const void *field, size_t n) {
        (void) memcpy(report + offset, field, n);
}

static void put_version(uint8_t *report, size_t offset, const uint8_t version[static 3]) {
        report[offset] = version[2];
        report[offset + 1] = version[1];
        report[offset + 2] = version[0];
}

static uint32_t signer_info(const SimReport *r) {
        return (r->author_key_en ? SIGNER_INFO_AUTHOR_KEY_EN : 0) |
               (r->signer == SIM_SIGNER_NONE ? SIGNER_INFO_MASK_CHIP_KEY : 0) | (uint32_t) r->signer << 2;
}

void sim_report_encode(const SimReport *r, SimProduct product, uint8_t ret[static SIM_REPORT_SIZE]) {
        (void) memset(ret, 0, SIM_REPORT_SIZE);
        store_le32(ret + OFF_VERSION, r->version);
        store_le32(ret + OFF_GUEST_SVN, r->guest_svn);
        store_le64(ret + OFF_POLICY, r->policy);
        put(ret, OFF_FAMILY_ID, r->family_id, sizeof(r->family_id));
        put(ret, OFF_IMAGE_ID, r->image_id, sizeof(r->image_id));
        store_le32(ret + OFF_VMPL, r->vmpl);
        store_le32(ret + OFF_SIGNATURE_ALGO, r->signature_algo);
        sim_tcb_encode(product, &r->current, ret + OFF_CURRENT_TCB);
        store_le64(ret + OFF_PLATFORM_INFO, r->platform_info);
        store_le32(ret + OFF_SIGNER_INFO, signer_info(r));
        put(ret, OFF_REPORT_DATA, r->report_data, sizeof(r->report_data));
        put(ret, OFF_MEASUREMENT, r->measurement, sizeof(r->measurement));
        put(ret, OFF_HOST_DATA, r->host_data, sizeof(r->host_data));
        put(ret, OFF_ID_KEY_DIGEST, r->id_key_digest, sizeof(r->id_key_digest));
        put(ret, OFF_AUTHOR_KEY_DIGEST, r->author_key_digest, sizeof(r->author_key_digest));
        put(ret, OFF_REPORT_ID, r->report_id, sizeof(r->report_id));
        put(ret, OFF_REPORT_ID_MA, r->report_id_ma, sizeof(r->report_id_ma));
        sim_tcb_encode(product, &r->reported, ret + OFF_REPORTED_TCB);
        if (r->version >= 3)
                put(ret, OFF_CPUID, (uint8_t[]){ r->cpuid_family, r->cpuid_model, r->cpuid_stepping }, 3);
        put(ret, OFF_CHIP_ID, r->chip_id, sizeof(r->chip_id));
        sim_tcb_encode(product, &r->committed, ret + OFF_COMMITTED_TCB);
        put_version(ret, OFF_CURRENT_VERSION, r->current_version);
        put_version(ret, OFF_COMMITTED_VERSION, r->committed_version);
        sim_tcb_encode(product, &r->launch, ret + OFF_LAUNCH_TCB);
        if (r->version >= 5) {
                store_le64(ret + OFF_LAUNCH_MIT_VECTOR, r->launch_mit_vector);
                store_le64(ret + OFF_CURRENT_MIT_VECTOR, r->current_mit_vector);
        }
}

int sim_report_sign(uint8_t report[static SIM_REPORT_SIZE], EVP_PKEY *vek, Error *e) {
        CLEANUP(EVP_MD_CTX_freep) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
        CLEANUP(ECDSA_SIG_freep) ECDSA_SIG *signature = NULL;
        uint8_t der[128]; /* P-384: at most 104 */
        const uint8_t *p = der;
        size_t n = sizeof(der);

        if (!ctx || EVP_DigestSignInit(ctx, NULL, EVP_sha384(), NULL, vek) != 1 ||
            EVP_DigestSign(ctx, der, &n, report, SIGNED_SIZE) != 1)
                return sim_ssl_error(e, "Cannot sign a report");
        signature = d2i_ECDSA_SIG(NULL, &p, (long) n);
        if (!signature)
                return sim_ssl_error(e, "Cannot take a signature apart");
        if (BN_bn2lebinpad(ECDSA_SIG_get0_r(signature), report + OFF_SIGNATURE, SIGNATURE_PART_SIZE) < 0 ||
            BN_bn2lebinpad(ECDSA_SIG_get0_s(signature), report + OFF_SIGNATURE + SIGNATURE_PART_SIZE,
                           SIGNATURE_PART_SIZE) < 0)
                return sim_ssl_error(e, "Cannot store a signature");
        return 0;
}

int sim_report_make(const SimReport *report, const SimPki *pki, uint8_t ret[static SIM_REPORT_SIZE], Error *e) {
        EVP_PKEY *key = pki->keys[report->signer == SIM_SIGNER_VLEK ? SIM_VLEK : SIM_VCEK];

        sim_report_encode(report, pki->product, ret);
        if (report->signer == SIM_SIGNER_NONE)
                return 0;
        if (!key)
                return error_set(e, -ENOENT, "sim-no-key", "This hierarchy has no VLEK to sign with");
        return sim_report_sign(ret, key, e);
}

/* 56421, table of GUIDs of the extended request */
const uint8_t sim_guids[SIM_N_GUIDS][16] = {
        [SIM_GUID_VCEK] = { 0x63, 0xda, 0x75, 0x8d, 0xe6, 0x64, 0x45, 0x64,
                            0xad, 0xc5, 0xf4, 0xb9, 0x3b, 0xe8, 0xac, 0xcd },
        [SIM_GUID_VLEK] = { 0xa8, 0x07, 0x4b, 0xc2, 0xa2, 0x5a, 0x48, 0x3e,
                            0xaa, 0xe6, 0x39, 0xc0, 0x45, 0xa0, 0xb8, 0xa1 },
        [SIM_GUID_ASK] = { 0x4a, 0xb7, 0xb3, 0x79, 0xbb, 0xac, 0x4f, 0xe4,
                           0xa0, 0x2f, 0x05, 0xae, 0xf3, 0x27, 0xc7, 0x82 },
        [SIM_GUID_ARK] = { 0xc0, 0xb4, 0x06, 0xa4, 0xa8, 0x03, 0x49, 0x52,
                           0x97, 0x43, 0x3f, 0xb6, 0x01, 0x4c, 0xd0, 0xae },
        [SIM_GUID_CRL] = { 0x92, 0xf8, 0x1b, 0xc3, 0x58, 0x11, 0x4d, 0x3d,
                           0x97, 0xff, 0xd1, 0x9f, 0x88, 0xdc, 0x67, 0xea },
};

#define TABLE_ENTRY_SIZE 24 /* GUID, u32 offset, u32 length */
#define TABLE_MAX (1024u * 1024u)

int sim_cert_table_make(const SimTableEntry *entries, size_t n, Blob *ret, Error *e) {
        AUTO_WRITER Writer w = wr_init(TABLE_MAX);
        size_t at = (n + 1) * TABLE_ENTRY_SIZE;

        for (size_t i = 0; i < n; at += entries[i].size, i++) {
                wr_bytes(&w, entries[i].guid, 16);
                wr_le32(&w, (uint32_t) at);
                wr_le32(&w, (uint32_t) entries[i].size);
        }
        wr_zeros(&w, TABLE_ENTRY_SIZE);
        for (size_t i = 0; i < n; i++)
                wr_bytes(&w, entries[i].data, entries[i].size);
        return wr_finish(&w, ret) < 0 ? error_oom(e) : 0;
}

int sim_cert_table_of(const SimPki *pki, SimSigner signer, bool with_cas, Blob *ret, Error *e) {
        bool vlek = signer == SIM_SIGNER_VLEK;
        AUTO_BLOB Blob vek = {}, ca = {}, ark = {};
        int r = sim_pki_cert_der(pki, vlek ? SIM_VLEK : SIM_VCEK, &vek, e);

        if (r == 0)
                r = sim_pki_cert_der(pki, vlek ? SIM_ASVK : SIM_ASK, &ca, e);
        if (r == 0)
                r = sim_pki_cert_der(pki, SIM_ARK, &ark, e);
        if (r < 0)
                return r;
        return sim_cert_table_make((const SimTableEntry[]){
                        { sim_guids[vlek ? SIM_GUID_VLEK : SIM_GUID_VCEK], vek.data, vek.size },
                        { sim_guids[SIM_GUID_ASK], ca.data, ca.size },
                        { sim_guids[SIM_GUID_ARK], ark.data, ark.size },
                }, with_cas ? 3 : 1, ret, e);
}
