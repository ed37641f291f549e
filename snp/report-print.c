/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A report for machines and for people. The JSON object is the one description of what there is to show, in the
 * order of the specification's table; the text is that object laid out, so that the two cannot disagree.
 */

#include "snp/report.h"

#include <errno.h>
#include <inttypes.h>
#include <json-c/linkhash.h>
#include <stdio.h>

#include "base/hex.h"
#include "base/json.h"
#include "base/writer.h"

/* Far above what a report needs (about 4 KiB); a Writer wants a limit. */
#define TEXT_MAX (64u * 1024u)
#define INDENT 4
#define VALUE_COLUMN 32 /* beyond the longest name */

typedef struct BitName {
        uint64_t bit;
        const char *name;
} BitName;

static const BitName policy_bits[] = {
        { SNP_POLICY_SMT, "smt" },
        { SNP_POLICY_MIGRATE_MA, "migrate_ma" },
        { SNP_POLICY_DEBUG, "debug" },
        { SNP_POLICY_SINGLE_SOCKET, "single_socket" },
        { SNP_POLICY_CXL_ALLOW, "cxl_allow" },
        { SNP_POLICY_MEM_AES_256_XTS, "mem_aes_256_xts" },
        { SNP_POLICY_RAPL_DIS, "rapl_dis" },
        { SNP_POLICY_CIPHERTEXT_HIDING, "ciphertext_hiding_dram" },
        { SNP_POLICY_PAGE_SWAP_DISABLE, "page_swap_disable" },
};

static const BitName platform_bits[] = {
        { SNP_PLATFORM_SMT_EN, "smt_en" },
        { SNP_PLATFORM_TSME_EN, "tsme_en" },
        { SNP_PLATFORM_ECC_EN, "ecc_en" },
        { SNP_PLATFORM_RAPL_DIS, "rapl_dis" },
        { SNP_PLATFORM_CIPHERTEXT_HIDING_EN, "ciphertext_hiding_dram_en" },
        { SNP_PLATFORM_ALIAS_CHECK_COMPLETE, "alias_check_complete" },
        { SNP_PLATFORM_TIO_EN, "tio_en" },
};

static const char *signing_key_name(SnpSigningKey key) {
        switch (key) {
        case SNP_SIGNING_KEY_VCEK:
                return "VCEK";
        case SNP_SIGNING_KEY_VLEK:
                return "VLEK";
        case SNP_SIGNING_KEY_NONE:
        default:
                return "none";
        }
}

/* Sticky like a Reader: the first failure is kept and later additions are skipped. */
typedef struct Builder {
        json_object *object;
        int error;
} Builder;

static Builder builder_new(void) {
        json_object *object = json_object_new_object();

        return (Builder){ .object = object, .error = object ? 0 : -ENOMEM };
}

static void builder_done(Builder *b) {
        json_object_cleanup(&b->object);
}
#define AUTO_BUILDER CLEANUP(builder_done)

static void add_u64(Builder *b, const char *name, uint64_t value) {
        if (b->error == 0)
                b->error = json_add_u64(b->object, name, value);
}

static void add_bool(Builder *b, const char *name, bool value) {
        if (b->error == 0)
                b->error = json_add_bool(b->object, name, value);
}

static void add_str(Builder *b, const char *name, const char *value) {
        if (b->error == 0)
                b->error = json_add_str(b->object, name, value);
}

static void add_bytes(Builder *b, const char *name, const void *data, size_t n) {
        if (b->error == 0)
                b->error = json_add_hex(b->object, name, data, n);
}

/* 64-bit masks as text: many JSON readers keep only 53 bits of a number. */
static void add_mask(Builder *b, const char *name, uint64_t value) {
        char text[sizeof("0x") + 16];

        (void) snprintf(text, sizeof(text), "0x%" PRIx64, value);
        add_str(b, name, text);
}

/* Moves @child, finished or failed, into @b. */
static void add_object(Builder *b, const char *name, Builder *child) {
        if (b->error == 0)
                b->error = child->error;
        if (b->error == 0)
                b->error = json_add_take(b->object, name, TAKE_PTR(child->object));
}

static void add_bits(Builder *b, const BitName *bits, size_t n, uint64_t value) {
        for (size_t i = 0; i < n; i++)
                add_bool(b, bits[i].name, value & bits[i].bit);
}

static void add_policy(Builder *b, uint64_t policy) {
        AUTO_BUILDER Builder o = builder_new();

        add_mask(&o, "value", policy);
        add_u64(&o, "abi_major", policy >> 8 & 0xff); /* bits 15:8 */
        add_u64(&o, "abi_minor", policy & 0xff);      /* bits 7:0 */
        add_bits(&o, policy_bits, N_ELEMENTS(policy_bits), policy);
        add_object(b, "policy", &o);
}

static void add_platform_info(Builder *b, uint64_t info) {
        AUTO_BUILDER Builder o = builder_new();
        uint64_t unnamed = info;

        for (size_t i = 0; i < N_ELEMENTS(platform_bits); i++)
                unnamed &= ~platform_bits[i].bit;
        add_mask(&o, "value", info);
        add_bits(&o, platform_bits, N_ELEMENTS(platform_bits), info);
        add_mask(&o, "unnamed_bits", unnamed);
        add_object(b, "platform_info", &o);
}

static void add_key_info(Builder *b, const SnpReport *report) {
        AUTO_BUILDER Builder o = builder_new();

        add_str(&o, "signing_key", signing_key_name(report->signing_key));
        add_bool(&o, "mask_chip_key", report->mask_chip_key);
        add_bool(&o, "author_key_en", report->author_key_en);
        add_object(b, "key_info", &o);
}

static void add_tcb(Builder *b, const char *name, SnpTcbLayout layout, const uint8_t raw[static SNP_TCB_SIZE]) {
        AUTO_BUILDER Builder o = builder_new();
        SnpTcb tcb;

        add_bytes(&o, "raw", raw, SNP_TCB_SIZE);
        if (snp_tcb_decode(layout, raw, &tcb) == 0) {
                if (layout == SNP_TCB_LAYOUT_TURIN)
                        add_u64(&o, "fmc", tcb.fmc);
                add_u64(&o, "boot_loader", tcb.boot_loader);
                add_u64(&o, "tee", tcb.tee);
                add_u64(&o, "snp", tcb.snp);
                add_u64(&o, "microcode", tcb.microcode);
        }
        add_object(b, name, &o);
}

static void add_firmware_version(Builder *b, const char *name, const SnpFirmwareVersion *v) {
        char text[sizeof("255.255.255")];

        (void) snprintf(text, sizeof(text), "%u.%u.%u", v->major, v->minor, v->build);
        add_str(b, name, text);
}

static void add_cpuid(Builder *b, const SnpReport *report) {
        AUTO_BUILDER Builder o = builder_new();

        if (!report->has_cpuid)
                return;
        add_u64(&o, "family", report->cpuid_family);
        add_u64(&o, "model", report->cpuid_model);
        add_u64(&o, "stepping", report->cpuid_stepping);
        add_object(b, "cpuid", &o);
}

static void add_signature(Builder *b, const SnpReport *report) {
        AUTO_BUILDER Builder o = builder_new();

        add_bytes(&o, "r", report->signature_r, sizeof(report->signature_r));
        add_bytes(&o, "s", report->signature_s, sizeof(report->signature_s));
        add_object(b, "signature", &o);
}

static void add_identity(Builder *b, const SnpReport *report) {
        add_bytes(b, "report_data", report->report_data, sizeof(report->report_data));
        add_bytes(b, "measurement", report->measurement, sizeof(report->measurement));
        add_bytes(b, "host_data", report->host_data, sizeof(report->host_data));
        add_bytes(b, "id_key_digest", report->id_key_digest, sizeof(report->id_key_digest));
        add_bytes(b, "author_key_digest", report->author_key_digest, sizeof(report->author_key_digest));
        add_bytes(b, "report_id", report->report_id, sizeof(report->report_id));
        add_bytes(b, "report_id_ma", report->report_id_ma, sizeof(report->report_id_ma));
}

int snp_report_to_json(const SnpReport *report, SnpProduct product, json_object **ret) {
        AUTO_BUILDER Builder b = builder_new();
        SnpProduct line = snp_report_product(report, product);
        SnpTcbLayout layout = snp_product_tcb_layout(line);

        add_u64(&b, "version", report->version);
        add_str(&b, "product", snp_product_name(line));
        add_u64(&b, "guest_svn", report->guest_svn);
        add_policy(&b, report->policy);
        add_bytes(&b, "family_id", report->family_id, sizeof(report->family_id));
        add_bytes(&b, "image_id", report->image_id, sizeof(report->image_id));
        add_u64(&b, "vmpl", report->vmpl);
        add_u64(&b, "signature_algo", report->signature_algo);
        add_tcb(&b, "current_tcb", layout, report->current_tcb);
        add_platform_info(&b, report->platform_info);
        add_key_info(&b, report);
        add_identity(&b, report);
        add_tcb(&b, "reported_tcb", layout, report->reported_tcb);
        add_cpuid(&b, report);
        add_bytes(&b, "chip_id", report->chip_id, sizeof(report->chip_id));
        add_tcb(&b, "committed_tcb", layout, report->committed_tcb);
        add_firmware_version(&b, "current_version", &report->current);
        add_firmware_version(&b, "committed_version", &report->committed);
        add_tcb(&b, "launch_tcb", layout, report->launch_tcb);
        if (report->has_mitigation_vectors) {
                add_mask(&b, "launch_mit_vector", report->launch_mit_vector);
                add_mask(&b, "current_mit_vector", report->current_mit_vector);
        }
        add_signature(&b, report);
        if (b.error == 0)
                *ret = TAKE_PTR(b.object);
        return b.error;
}

static void write_scalar(Writer *w, const char *name, json_object *value, int indent) {
        char label[64];

        (void) snprintf(label, sizeof(label), "%*s%-*s", indent, "", VALUE_COLUMN - indent, name);
        wr_str(w, label);
        if (json_object_is_type(value, json_type_boolean))
                wr_str(w, json_object_get_boolean(value) ? "yes" : "no");
        else
                wr_str(w, json_object_get_string(value));
        wr_str(w, "\n");
}

/* One nesting level exists, so there is no recursion to bound. */
static void write_object(Writer *w, const char *name, json_object *object) {
        wr_str(w, name);
        wr_str(w, "\n");
        json_object_object_foreach(object, key, value) {
                write_scalar(w, key, value, INDENT);
        }
}

int snp_report_to_text(const SnpReport *report, SnpProduct product, char **ret) {
        AUTO_JSON json_object *o = NULL;
        AUTO_WRITER Writer w = wr_init(TEXT_MAX);
        int r = snp_report_to_json(report, product, &o);

        if (r < 0)
                return r;
        json_object_object_foreach(o, key, value) {
                if (json_object_is_type(value, json_type_object))
                        write_object(&w, key, value);
                else
                        write_scalar(&w, key, value, 0);
        }
        return wr_finish_str(&w, ret);
}
