/* SPDX-License-Identifier: Apache-2.0 */
/* The settings of the simulated machine: one table of names for command line, control file and usage text. */
#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "base/text.h"
#include "tests/simulator/platform.h"

typedef enum Kind {
        KIND_BYTES,
        KIND_U32,
        KIND_U64,
        KIND_TCB,
        KIND_VERSION,
        KIND_BOOL,
        KIND_CHIP_ID,
        KIND_ALL_TCBS,
        KIND_SIGNER,
        KIND_CERTS,
        KIND_CPUID,
        KIND_FAIL,
        KIND_TEXT,
} Kind;

typedef struct Setting {
        Kind kind;
        size_t offset, size;
} Setting;

#define FIELD(kind, member) { kind, offsetof(SimSettings, member), sizeof(((SimSettings *) 0)->member) }

/* Both arrays in the same order. */
static const SimSettingInfo infos[] = {
        { "measurement", "HEX, 48 bytes" },
        { "policy", "guest policy, e.g. 0x30000; 0xb0000 has DEBUG set" },
        { "tcb", "all TCBs, as bl=4,tee=0,snp=24,ucode=219 (Turin: fmc=1,...); the VEK is issued anew for it" },
        { "reported-tcb", "REPORTED_TCB alone; the VEK follows it" },
        { "current-tcb", "CURRENT_TCB alone" },
        { "committed-tcb", "COMMITTED_TCB alone" },
        { "launch-tcb", "LAUNCH_TCB alone" },
        { "provider", "what the attribute of that name says, sev_guest by default" },
        { "vmpl-floor", "lowest VMPL that the guest's kernel may ask for, 0 to 3" },
        { "chip-id", "HEX, 64 bytes (Turin: 8); the VEK is issued anew for it" },
        { "mask-chip-id", "yes: CHIP_ID in reports is zero" },
        { "report-version", "2 to 5" },
        { "signing-key", "vcek, vlek or none" },
        { "certs", "what the host's table holds: full, vek, none or garbage" },
        { "host-data", "HEX, 32 bytes" },
        { "guest-svn", "number" },
        { "family-id", "HEX, 16 bytes" },
        { "image-id", "HEX, 16 bytes" },
        { "id-key-digest", "HEX, 48 bytes" },
        { "author-key-digest", "HEX, 48 bytes" },
        { "author-key-en", "yes or no" },
        { "report-id", "HEX, 32 bytes" },
        { "report-id-ma", "HEX, 32 bytes" },
        { "platform-info", "number" },
        { "cpuid", "HEX, 3 bytes: combined family, combined model, stepping" },
        { "current-version", "HEX, 3 bytes: major, minor, build" },
        { "committed-version", "HEX, 3 bytes: major, minor, build" },
        { "launch-mit-vector", "number (report version 5)" },
        { "current-mit-vector", "number (report version 5)" },
        { "old-kernel", "yes: it knows nothing of an SVSM, as before Linux 6.10" },
        { "vtpm-manifest", "FILE: TPMT_PUBLIC of the SVSM's vTPM; without it, the SVSM has no vTPM" },
        { "vtpm-manifest-v1", "FILE: its manifest of version 1; without it, the SVSM knows no such version" },
        { "uefi-flags", "number: of the SVSM's UEFI variable store" },
        { "fail", "MODE[:ARG][*TIMES]: enxio, busy, eio, enotty, einval, etimedout, ebadmsg, again, slow:MSEC, "
                  "vmm-error:CODE, fw-error:CODE, status:CODE, certs-len:BYTES, "
                  "wrong-generation, wrong-report-data, wrong-vmpl, zero-report, empty-report, truncated, "
                  "oversized, bad-signature, vmpl:N, other-manifest, truncated-manifest, none" },
        {},
};

static const Setting settings[] = {
        FIELD(KIND_BYTES, report.measurement),
        FIELD(KIND_U64, report.policy),
        FIELD(KIND_ALL_TCBS, report.reported),
        FIELD(KIND_TCB, report.reported),
        FIELD(KIND_TCB, report.current),
        FIELD(KIND_TCB, report.committed),
        FIELD(KIND_TCB, report.launch),
        FIELD(KIND_TEXT, provider),
        FIELD(KIND_U32, vmpl_floor),
        FIELD(KIND_CHIP_ID, report.chip_id),
        FIELD(KIND_BOOL, mask_chip_id),
        FIELD(KIND_VERSION, report.version),
        FIELD(KIND_SIGNER, report.signer),
        FIELD(KIND_CERTS, certs),
        FIELD(KIND_BYTES, report.host_data),
        FIELD(KIND_U32, report.guest_svn),
        FIELD(KIND_BYTES, report.family_id),
        FIELD(KIND_BYTES, report.image_id),
        FIELD(KIND_BYTES, report.id_key_digest),
        FIELD(KIND_BYTES, report.author_key_digest),
        FIELD(KIND_BOOL, report.author_key_en),
        FIELD(KIND_BYTES, report.report_id),
        FIELD(KIND_BYTES, report.report_id_ma),
        FIELD(KIND_U64, report.platform_info),
        FIELD(KIND_CPUID, report.cpuid_family),
        FIELD(KIND_BYTES, report.current_version),
        FIELD(KIND_BYTES, report.committed_version),
        FIELD(KIND_U64, report.launch_mit_vector),
        FIELD(KIND_U64, report.current_mit_vector),
        FIELD(KIND_BOOL, old_kernel),
        FIELD(KIND_TEXT, vtpm_manifest),
        FIELD(KIND_TEXT, vtpm_manifest_v1),
        FIELD(KIND_U32, uefi_flags),
        FIELD(KIND_FAIL, fail),
};
static_assert(N_ELEMENTS(settings) + 1 == N_ELEMENTS(infos), "one row for each setting");

const SimSettingInfo *sim_settings_list(void) {
        return infos;
}

static int set_number(void *field, size_t size, uint64_t min, uint64_t max, const char *value) {
        uint64_t v;
        int r = text_to_u64(value, 0, min, max, &v);

        if (r < 0)
                return -EINVAL;
        if (size == sizeof(uint64_t))
                *(uint64_t *) field = v;
        else
                *(uint32_t *) field = (uint32_t) v;
        return 0;
}

static int set_word(const char *const *words, size_t n, const char *value, unsigned *ret) {
        for (size_t i = 0; i < n; i++)
                if (words[i] && strcmp(words[i], value) == 0) {
                        *ret = (unsigned) i;
                        return 0;
                }
        return -EINVAL;
}

static int set_chip_id(SimSettings *s, const SimPki *pki, const char *value) {
        uint8_t id[SIM_CHIP_ID_SIZE] = {};
        size_t n = sim_product(pki->product)->turin_layout ? SIM_TURIN_HWID_SIZE : SIM_CHIP_ID_SIZE;

        if (hex_decode_exact(value, strlen(value), id, n) < 0)
                return -EINVAL;
        (void) memcpy(s->report.chip_id, id, sizeof(id));
        return 0;
}

static int set_cpuid(SimSettings *s, const char *value) {
        uint8_t fms[3];

        if (hex_decode_exact(value, strlen(value), fms, sizeof(fms)) < 0)
                return -EINVAL;
        s->report.cpuid_family = fms[0];
        s->report.cpuid_model = fms[1];
        s->report.cpuid_stepping = fms[2];
        return 0;
}

static int set_all_tcbs(SimSettings *s, const char *value, Error *e) {
        int r = sim_tcb_parse(value, &s->report.reported, e);

        if (r == 0)
                s->report.current = s->report.committed = s->report.launch = s->report.reported;
        return r;
}

static int set_fail(SimSettings *s, const char *value, Error *e) {
        SimFail fail;
        int r = sim_fail_parse(value, &fail, e);

        if (r < 0)
                return r;
        (void) memcpy(s->fail, value, strlen(value) + 1);
        return 0;
}

static int set(SimSettings *s, const SimPki *pki, const Setting *setting, const char *value, Error *e) {
        static const char *const signers[] = { [SIM_SIGNER_VCEK] = "vcek", [SIM_SIGNER_VLEK] = "vlek",
                                               [SIM_SIGNER_NONE] = "none" };
        static const char *const certs[] = { [SIM_CERTS_FULL] = "full", [SIM_CERTS_VEK] = "vek",
                                             [SIM_CERTS_NONE] = "none", [SIM_CERTS_GARBAGE] = "garbage" };
        uint8_t *field = (uint8_t *) s + setting->offset;
        unsigned word;
        int r;

        switch (setting->kind) {
        case KIND_BYTES:
                return hex_decode_exact(value, strlen(value), field, setting->size);
        case KIND_U32:
                return set_number(field, setting->size, 0, UINT32_MAX, value);
        case KIND_U64:
                return set_number(field, setting->size, 0, UINT64_MAX, value);
        case KIND_VERSION:
                return set_number(field, setting->size, 2, 5, value);
        case KIND_TCB:
                return sim_tcb_parse(value, (SimTcb *) field, e);
        case KIND_ALL_TCBS:
                return set_all_tcbs(s, value, e);
        case KIND_BOOL:
                return text_to_bool(value, (bool *) field);
        case KIND_CHIP_ID:
                return set_chip_id(s, pki, value);
        case KIND_CPUID:
                return set_cpuid(s, value);
        case KIND_SIGNER:
                r = set_word(signers, N_ELEMENTS(signers), value, &word);
                if (r == 0)
                        s->report.signer = (SimSigner) word;
                return r;
        case KIND_CERTS:
                r = set_word(certs, N_ELEMENTS(certs), value, &word);
                if (r == 0)
                        s->certs = (SimCerts) word;
                return r;
        case KIND_FAIL:
                return set_fail(s, value, e);
        case KIND_TEXT:
                return snprintf((char *) field, setting->size, "%s", value) < (int) setting->size ? 0 : -E2BIG;
        }
        return -EINVAL;
}

int sim_settings_set(SimSettings *s, const SimPki *pki, const char *key, const char *value, Error *e) {
        for (size_t i = 0; infos[i].key; i++)
                if (strcmp(infos[i].key, key) == 0) {
                        if (set(s, pki, &settings[i], value, e) < 0)
                                return error_set(e, -EINVAL, "sim-setting", "%s cannot be '%s'; it takes %s", key,
                                                 value, infos[i].help);
                        return 0;
                }
        return error_set(e, -EINVAL, "sim-setting", "There is no setting '%s'", key);
}
