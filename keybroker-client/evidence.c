/* SPDX-License-Identifier: Apache-2.0 */
#include "keybroker-client/evidence.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/reader.h"
#include "base/writer.h"
#include "snp/cert_table.h"
#include "snp/report.h"

/* Four characters per byte of a full certificate table and of a report, and the names. */
#define EVIDENCE_MAX (4u * (SNP_CERT_TABLE_MAX + SNP_REPORT_SIZE) + 16384u)
/* A certificate that did not come from the table; AMD's have some 1400 bytes. */
#define CERT_MAX 8192u

#define OFFSET_KEY_INFO 0x48        /* AMD publication 56860, table ATTESTATION_REPORT */
#define OFFSET_MITIGATIONS 0x1F8
#define MITIGATIONS_SIZE 16

static const char *const warning_texts[KBC_EVIDENCE_N_WARNINGS] = {
        "The report has version 2; brokers ask for 3 or later, which newer platform firmware gives",
        "The report is not for VMPL 0, as under an SVSM or a paravisor; an unmodified Trustee refuses it",
        "The report is signed by a VLEK and the host gave no certificate for it, which nobody else can supply",
        "The host has switched the signing of reports off",
        "The report has version 4 and mitigation vectors, which Trustee's evidence format cannot carry",
        "The host's certificate table is malformed and was left out",
};

const char *kbc_evidence_warning_text(unsigned warning) {
        for (unsigned i = 0; i < KBC_EVIDENCE_N_WARNINGS; i++)
                if (warning == 1u << i)
                        return warning_texts[i];
        return "";
}

static void put_number(Writer *w, const char *name, uint64_t v) {
        char text[128];

        (void) snprintf(text, sizeof(text), "\"%s\":%" PRIu64 ",", name, v);
        wr_str(w, text);
}

/* A number, or null where the report has no such field. */
static void put_optional(Writer *w, const char *name, bool present, uint64_t v) {
        if (present) {
                put_number(w, name, v);
                return;
        }
        wr_u8(w, '"');
        wr_str(w, name);
        wr_str(w, "\":null,");
}

static size_t format_byte(uint8_t v, char *ret) {
        size_t n = 0;

        if (v >= 100)
                ret[n++] = (char) ('0' + v / 100);
        if (v >= 10)
                ret[n++] = (char) ('0' + v / 10 % 10);
        ret[n++] = (char) ('0' + v % 10);
        return n;
}

static void put_array(Writer *w, const uint8_t *p, size_t n) {
        char text[256];
        size_t used = 0;

        wr_u8(w, '[');
        for (size_t i = 0; i < n; i++) {
                if (i > 0)
                        text[used++] = ',';
                used += format_byte(p[i], text + used);
                if (used > sizeof(text) - 4) { /* no room for ",255" */
                        wr_bytes(w, text, used);
                        used = 0;
                }
        }
        wr_bytes(w, text, used);
        wr_u8(w, ']');
}

static void put_bytes(Writer *w, const char *name, const uint8_t *p, size_t n) {
        wr_u8(w, '"');
        wr_str(w, name);
        wr_str(w, "\":");
        put_array(w, p, n);
        wr_u8(w, ',');
}

/* Every member above ends in a comma; the last one of an object gives it back. */
static void put_end(Writer *w) {
        if (w->error == 0)
                w->data[w->size - 1] = '}';
}

static void put_object(Writer *w, const char *name) {
        wr_u8(w, '"');
        wr_str(w, name);
        wr_str(w, "\":{");
}

static void put_tcb(Writer *w, const char *name, SnpTcbLayout layout, const uint8_t raw[static SNP_TCB_SIZE]) {
        SnpTcb tcb = {};

        if (snp_tcb_decode(layout, raw, &tcb) < 0 && w->error == 0)
                w->error = -EOPNOTSUPP; /* a product without a layout, which no parsed report has */
        put_object(w, name);
        put_optional(w, "fmc", layout == SNP_TCB_LAYOUT_TURIN, tcb.fmc);
        put_number(w, "bootloader", tcb.boot_loader);
        put_number(w, "tee", tcb.tee);
        put_number(w, "snp", tcb.snp);
        put_number(w, "microcode", tcb.microcode);
        put_end(w);
        wr_u8(w, ',');
}

static void put_firmware(Writer *w, const char *name, const SnpFirmwareVersion *v) {
        put_object(w, name);
        put_number(w, "major", v->major);
        put_number(w, "minor", v->minor);
        put_number(w, "build", v->build);
        put_end(w);
        wr_u8(w, ',');
}

static void put_identity(Writer *w, const SnpReport *r) {
        put_bytes(w, "report_data", r->report_data, sizeof(r->report_data));
        put_bytes(w, "measurement", r->measurement, sizeof(r->measurement));
        put_bytes(w, "host_data", r->host_data, sizeof(r->host_data));
        put_bytes(w, "id_key_digest", r->id_key_digest, sizeof(r->id_key_digest));
        put_bytes(w, "author_key_digest", r->author_key_digest, sizeof(r->author_key_digest));
        put_bytes(w, "report_id", r->report_id, sizeof(r->report_id));
        put_bytes(w, "report_id_ma", r->report_id_ma, sizeof(r->report_id_ma));
}

static void put_signature(Writer *w, const SnpReport *r) {
        put_object(w, "signature");
        put_bytes(w, "r", r->signature_r, sizeof(r->signature_r));
        put_bytes(w, "s", r->signature_s, sizeof(r->signature_s));
        put_end(w);
        wr_u8(w, ',');
}

static void put_report(Writer *w, const SnpReport *r) {
        /* Version 2 does not say its product; it was gone before Turin came. */
        SnpTcbLayout layout = snp_product_tcb_layout(snp_report_product(r, SNP_PRODUCT_MILAN));

        put_object(w, "attestation_report");
        put_number(w, "version", r->version);
        put_number(w, "guest_svn", r->guest_svn);
        put_number(w, "policy", r->policy);
        put_bytes(w, "family_id", r->family_id, sizeof(r->family_id));
        put_bytes(w, "image_id", r->image_id, sizeof(r->image_id));
        put_number(w, "vmpl", r->vmpl);
        put_number(w, "sig_algo", r->signature_algo);
        put_tcb(w, "current_tcb", layout, r->current_tcb);
        put_number(w, "plat_info", r->platform_info);
        put_number(w, "key_info", load_le32(r->raw + OFFSET_KEY_INFO));
        put_identity(w, r);
        put_tcb(w, "reported_tcb", layout, r->reported_tcb);
        put_optional(w, "cpuid_fam_id", r->has_cpuid, r->cpuid_family);
        put_optional(w, "cpuid_mod_id", r->has_cpuid, r->cpuid_model);
        put_optional(w, "cpuid_step", r->has_cpuid, r->cpuid_stepping);
        put_bytes(w, "chip_id", r->chip_id, sizeof(r->chip_id));
        put_tcb(w, "committed_tcb", layout, r->committed_tcb);
        put_firmware(w, "current", &r->current);
        put_firmware(w, "committed", &r->committed);
        put_tcb(w, "launch_tcb", layout, r->launch_tcb);
        put_optional(w, "launch_mit_vector", r->has_mitigation_vectors, r->launch_mit_vector);
        put_optional(w, "current_mit_vector", r->has_mitigation_vectors, r->current_mit_vector);
        put_signature(w, r);
        put_end(w);
        wr_u8(w, ',');
}

static void put_cert(Writer *w, SnpCertKind kind, const uint8_t *data, size_t size) {
        wr_str(w, "{\"cert_type\":\"");
        wr_str(w, snp_cert_kind_name(kind));
        wr_str(w, "\",\"data\":");
        put_array(w, data, size);
        wr_str(w, "},");
}

static SnpCertKind signer_of(const SnpReport *r) {
        return r->signing_key == SNP_SIGNING_KEY_VLEK ? SNP_CERT_VLEK : SNP_CERT_VCEK;
}

/* The certificate that goes with the report's signature, from the table or from the caller. */
static bool find_signer(const SnpReport *r, const SnpCertTable *table, const KbcSnpEvidence *in, SnpCertEntry *ret) {
        const SnpCertEntry *entry = snp_cert_table_find(table, signer_of(r));

        if (r->signing_key == SNP_SIGNING_KEY_NONE)
                return false;
        if (entry) {
                *ret = *entry;
                return true;
        }
        if (signer_of(r) != SNP_CERT_VCEK || !in->vcek || in->vcek_size == 0)
                return false;
        *ret = (SnpCertEntry){ .kind = SNP_CERT_VCEK, .data = in->vcek, .size = in->vcek_size };
        return true;
}

static void put_chain(Writer *w, const SnpCertTable *table, const SnpCertEntry *signer) {
        static const SnpCertKind authorities[] = { SNP_CERT_ASK, SNP_CERT_ARK };

        wr_str(w, "\"cert_chain\":[");
        put_cert(w, signer->kind, signer->data, signer->size);
        for (size_t i = 0; i < N_ELEMENTS(authorities); i++) {
                const SnpCertEntry *entry = snp_cert_table_find(table, authorities[i]);

                if (entry)
                        put_cert(w, entry->kind, entry->data, entry->size);
        }
        if (w->error == 0)
                w->data[w->size - 1] = ']';
        wr_u8(w, '}');
}

static unsigned warnings_of(const SnpReport *r, bool has_signer) {
        unsigned warnings = 0;

        if (!r->has_cpuid)
                warnings |= KBC_EVIDENCE_WARN_VERSION;
        if (r->vmpl != 0)
                warnings |= KBC_EVIDENCE_WARN_VMPL;
        if (r->signing_key == SNP_SIGNING_KEY_VLEK && !has_signer)
                warnings |= KBC_EVIDENCE_WARN_VLEK;
        if (r->signing_key == SNP_SIGNING_KEY_NONE)
                warnings |= KBC_EVIDENCE_WARN_UNSIGNED;
        if (!r->has_mitigation_vectors && !bytes_are_zero(r->raw + OFFSET_MITIGATIONS, MITIGATIONS_SIZE))
                warnings |= KBC_EVIDENCE_WARN_MITIGATION;
        return warnings;
}

int kbc_evidence_snp(const KbcSnpEvidence *in, KbcEvidence *ret, unsigned *ret_warnings, Error *e) {
        AUTO_WRITER Writer w = wr_init(EVIDENCE_MAX);
        SnpCertEntry signer = {};
        SnpCertTable table = {};
        SnpReport report;
        unsigned warnings = 0;
        bool has_signer;
        int r;

        r = snp_report_parse(in->report, in->report_size, &report, e);
        if (r < 0)
                return r;
        if (in->vcek_size > CERT_MAX)
                return error_set(e, -E2BIG, "certificate-too-large", "VCEK of %zu bytes exceeds the limit of %u",
                                 in->vcek_size, CERT_MAX);
        /* The host cannot make us do without attestation by a bad table that it could also leave out. */
        if (snp_cert_table_parse(in->cert_table, in->cert_table_size, &table, NULL) < 0) {
                table = (SnpCertTable){};
                warnings |= KBC_EVIDENCE_WARN_TABLE;
        }
        has_signer = find_signer(&report, &table, in, &signer);
        wr_u8(&w, '{');
        put_report(&w, &report);
        if (has_signer)
                put_chain(&w, &table, &signer);
        else
                wr_str(&w, "\"cert_chain\":null}");
        r = wr_finish(&w, &ret->json);
        if (r < 0)
                return error_set(e, r, "evidence-size", "Evidence does not fit: %s", error_text(NULL, r));
        if (ret_warnings)
                *ret_warnings = warnings | warnings_of(&report, has_signer);
        return 0;
}
