/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/broker/evidence.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/writer.h"
#include "snp/product.h"
#include "snp/tcb.h"

#define CERT_BYTES_MAX SNP_CERT_SIZE_MAX

/* Offsets of ATTESTATION_REPORT, AMD publication 56860, table ATTESTATION_REPORT. */
static const struct {
        const char *name;
        size_t offset, size;
} arrays[] = {
        { "family_id", 0x010, 16 },     { "image_id", 0x020, 16 },          { "report_data", 0x050, 64 },
        { "measurement", 0x090, 48 },   { "host_data", 0x0C0, 32 },         { "id_key_digest", 0x0E0, 48 },
        { "author_key_digest", 0x110, 48 }, { "report_id", 0x140, 32 },     { "report_id_ma", 0x160, 32 },
        { "chip_id", 0x1A0, 64 },
};

static const struct {
        const char *name;
        size_t offset, size; /* little-endian, 4 or 8 bytes */
} numbers[] = {
        { "version", 0x000, 4 },  { "guest_svn", 0x004, 4 }, { "policy", 0x008, 8 },   { "vmpl", 0x030, 4 },
        { "sig_algo", 0x034, 4 }, { "plat_info", 0x040, 8 }, { "key_info", 0x048, 4 },
};

static const struct {
        const char *name;
        size_t offset;
} tcbs[] = { { "current_tcb", 0x038 }, { "reported_tcb", 0x180 }, { "committed_tcb", 0x1E0 }, { "launch_tcb", 0x1F0 } };

static int put_array(json_object *o, const char *name, uint8_t *dst, size_t size, Error *e) {
        json_object *array;
        int r = json_get_array(o, name, size, &array, e);

        if (r < 0)
                return r;
        if (json_object_array_length(array) != size)
                return error_set(e, -EBADMSG, "evidence", "'%s' is not %zu bytes", name, size);
        for (size_t i = 0; i < size; i++) {
                json_object *item = json_object_array_get_idx(array, i);
                int64_t v = json_object_get_int64(item);

                if (!json_object_is_type(item, json_type_int) || v < 0 || v > UINT8_MAX)
                        return error_set(e, -EBADMSG, "evidence", "'%s' holds something that is no byte", name);
                dst[i] = (uint8_t) v;
        }
        return 0;
}

static int put_number(json_object *o, const char *name, uint8_t *dst, size_t size, Error *e) {
        uint64_t v;
        int r = json_get_u64(o, name, size == 8 ? UINT64_MAX : size == 4 ? UINT32_MAX : UINT8_MAX, &v, e);

        if (r < 0)
                return r;
        if (size == 8)
                store_le64(dst, v);
        else if (size == 4)
                store_le32(dst, (uint32_t) v);
        else
                *dst = (uint8_t) v;
        return 0;
}

static bool is_absent(json_object *o, const char *name) {
        json_object *value;

        return !json_object_object_get_ex(o, name, &value) || !value;
}

static int put_tcb(json_object *o, const char *name, SnpTcbLayout layout, uint8_t *dst, Error *e) {
        json_object *tcb;
        SnpTcb t = {};
        int r = json_get_obj(o, name, &tcb, e);

        if (r == 0)
                r = put_number(tcb, "bootloader", &t.boot_loader, 1, e);
        if (r == 0)
                r = put_number(tcb, "tee", &t.tee, 1, e);
        if (r == 0)
                r = put_number(tcb, "snp", &t.snp, 1, e);
        if (r == 0)
                r = put_number(tcb, "microcode", &t.microcode, 1, e);
        if (r == 0 && !is_absent(tcb, "fmc"))
                r = put_number(tcb, "fmc", &t.fmc, 1, e);
        if (r < 0) {
                error_prefix(e, "%s", name);
                return r;
        }
        return snp_tcb_encode(layout, &t, dst) < 0 ?
                       error_set(e, -EBADMSG, "evidence", "'%s' has no layout on an unknown product", name) : 0;
}

static int put_firmware_version(json_object *o, const char *name, uint8_t *dst, Error *e) {
        json_object *v;
        int r = json_get_obj(o, name, &v, e);

        if (r == 0)
                r = put_number(v, "build", dst, 1, e);
        if (r == 0)
                r = put_number(v, "minor", dst + 1, 1, e);
        if (r == 0)
                r = put_number(v, "major", dst + 2, 1, e);
        return r;
}

static int put_signature(json_object *o, uint8_t *report, Error *e) {
        json_object *signature;
        int r = json_get_obj(o, "signature", &signature, e);

        if (r == 0)
                r = put_array(signature, "r", report + 0x2A0, 72, e);
        if (r == 0)
                r = put_array(signature, "s", report + 0x2E8, 72, e);
        return r;
}

/* Fields whose presence or layout depends on the report's version and the CPU. */
static int put_versioned(json_object *o, uint8_t *report, Error *e) {
        SnpTcbLayout layout;
        int r = 0;

        if (!is_absent(o, "cpuid_fam_id")) {
                r = put_number(o, "cpuid_fam_id", report + 0x188, 1, e);
                if (r == 0)
                        r = put_number(o, "cpuid_mod_id", report + 0x189, 1, e);
                if (r == 0)
                        r = put_number(o, "cpuid_step", report + 0x18A, 1, e);
        }
        if (r == 0 && !is_absent(o, "launch_mit_vector"))
                r = put_number(o, "launch_mit_vector", report + 0x1F8, 8, e);
        if (r == 0 && !is_absent(o, "current_mit_vector"))
                r = put_number(o, "current_mit_vector", report + 0x200, 8, e);
        layout = snp_product_tcb_layout(snp_product_from_cpuid(report[0x188], report[0x189]));
        for (size_t i = 0; r == 0 && i < N_ELEMENTS(tcbs); i++)
                r = put_tcb(o, tcbs[i].name, layout, report + tcbs[i].offset, e);
        return r;
}

static int rebuild_report(json_object *o, uint8_t report[static SNP_REPORT_SIZE], Error *e) {
        int r = 0;

        for (size_t i = 0; r == 0 && i < N_ELEMENTS(numbers); i++)
                r = put_number(o, numbers[i].name, report + numbers[i].offset, numbers[i].size, e);
        for (size_t i = 0; r == 0 && i < N_ELEMENTS(arrays); i++)
                r = put_array(o, arrays[i].name, report + arrays[i].offset, arrays[i].size, e);
        if (r == 0)
                r = put_firmware_version(o, "current", report + 0x1E8, e);
        if (r == 0)
                r = put_firmware_version(o, "committed", report + 0x1EC, e);
        if (r == 0)
                r = put_versioned(o, report, e);
        if (r == 0)
                r = put_signature(o, report, e);
        return r;
}

static int take_cert(BrokerEvidence *evidence, json_object *item, Error *e) {
        json_object *type, *data;
        const char *name;
        BrokerCert *cert;
        int r;

        if (!json_object_is_type(item, json_type_object) || !json_object_object_get_ex(item, "cert_type", &type))
                return error_set(e, -EBADMSG, "evidence", "An entry of 'cert_chain' has no type");
        r = json_get_array(item, "data", CERT_BYTES_MAX, &data, e);
        if (r < 0)
                return r;
        name = json_object_is_type(type, json_type_string) ? json_object_get_string(type) : "OTHER";
        if (strcmp(name, "CRL") == 0 || strcmp(name, "Empty") == 0 || strcmp(name, "OTHER") == 0)
                return 0;
        if (strcmp(name, "ARK") != 0 && strcmp(name, "ASK") != 0 && strcmp(name, "VCEK") != 0 &&
            strcmp(name, "VLEK") != 0)
                return error_set(e, -EBADMSG, "evidence", "Certificate type '%s' is not known", name);
        if (evidence->n_certs == SNP_CERTS_MAX)
                return error_set(e, -E2BIG, "evidence", "More than %d certificates", SNP_CERTS_MAX);
        cert = &evidence->certs[evidence->n_certs++];
        cert->is_vek = name[0] == 'V';
        cert->bytes.size = json_object_array_length(data);
        cert->bytes.data = calloc(1, cert->bytes.size + 1);
        if (!cert->bytes.data)
                return error_oom(e);
        return put_array(item, "data", cert->bytes.data, cert->bytes.size, e);
}

static int take_chain(BrokerEvidence *evidence, json_object *o, Error *e) {
        json_object *chain;
        bool has_vek = false;
        size_t n;
        int r;

        if (is_absent(o, "cert_chain"))
                return 0;
        r = json_get_array(o, "cert_chain", 4 * SNP_CERTS_MAX, &chain, e);
        if (r < 0)
                return r;
        evidence->has_chain = true;
        n = json_object_array_length(chain);
        for (size_t i = 0; r == 0 && i < n; i++)
                r = take_cert(evidence, json_object_array_get_idx(chain, i), e);
        for (size_t i = 0; i < evidence->n_certs; i++)
                has_vek |= evidence->certs[i].is_vek;
        if (r == 0 && !has_vek)
                return error_set(e, -EBADMSG, "evidence", "'cert_chain' must include a VCEK or VLEK");
        return r;
}

int broker_evidence_parse(json_object *o, BrokerEvidence *ret, Error *e) {
        AUTO_BROKER_EVIDENCE BrokerEvidence evidence = {};
        json_object *report;
        int r = json_get_obj(o, "attestation_report", &report, e);

        if (r == 0)
                r = rebuild_report(report, evidence.report, e);
        if (r == 0)
                r = take_chain(&evidence, o, e);
        if (r < 0)
                return r;
        *ret = evidence;
        evidence.n_certs = 0;
        return 0;
}

void broker_evidence_done(BrokerEvidence *evidence) {
        for (size_t i = 0; i < evidence->n_certs; i++)
                blob_done(&evidence->certs[i].bytes);
        evidence->n_certs = 0;
}
