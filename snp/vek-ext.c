/* SPDX-License-Identifier: Apache-2.0 */

/*
 * AMD's certificate extensions, arc 1.3.6.1.4.1.3704.1 (publication 57230, table of X.509 extensions). The arc's
 * extensions are collected first, then read in the order of the table, so their order in the certificate is free.
 *
 * The security patch levels are the bytes of TCB_VERSION, taken apart. They are put together again here, reserved
 * ones included, and later compared with the report as eight bytes: no part can be forgotten.
 */

#include "snp/vek-ext.h"

#include <errno.h>
#include <openssl/objects.h>
#include <stdbool.h>
#include <string.h>

#include "base/reader.h"

#define DER_INTEGER 0x02
#define DER_OCTET_STRING 0x04
#define DER_IA5STRING 0x16
#define HWID_SIZE_TURIN 8
#define ABSENT (-1)

typedef enum Ext {
        EXT_STRUCT_VERSION,
        EXT_PRODUCT_NAME,
        EXT_BL_SPL,
        EXT_TEE_SPL,
        EXT_SNP_SPL,
        EXT_SPL4,
        EXT_SPL5,
        EXT_SPL6,
        EXT_SPL7,
        EXT_UCODE_SPL,
        EXT_FMC_SPL,
        EXT_HWID,
        EXT_CSP_ID,
        N_EXTS,
} Ext;

/* Content octets of OID 1.3.6.1.4.1.3704.1; one or two octets follow. */
static const uint8_t arc[] = { 0x2b, 0x06, 0x01, 0x04, 0x01, 0x9c, 0x78, 0x01 };

/* Byte of TCB_VERSION that a patch level fills, by structVersion: 0 is Milan and Genoa, 1 is Turin. */
static const struct {
        const char *name;
        uint8_t suffix[2]; /* second octet 0: there is none */
        bool is_spl;
        int tcb_byte[2];
} exts[N_EXTS] = {
        [EXT_STRUCT_VERSION] = { "structVersion", { 1 } },
        [EXT_PRODUCT_NAME] = { "productName", { 2 } },
        [EXT_BL_SPL] = { "blSPL", { 3, 1 }, true, { 0, 1 } },
        [EXT_TEE_SPL] = { "teeSPL", { 3, 2 }, true, { 1, 2 } },
        [EXT_SNP_SPL] = { "snpSPL", { 3, 3 }, true, { 6, 3 } },
        [EXT_SPL4] = { "spl_4", { 3, 4 }, true, { 2, ABSENT } },
        [EXT_SPL5] = { "spl_5", { 3, 5 }, true, { 3, 4 } },
        [EXT_SPL6] = { "spl_6", { 3, 6 }, true, { 4, 5 } },
        [EXT_SPL7] = { "spl_7", { 3, 7 }, true, { 5, 6 } },
        [EXT_UCODE_SPL] = { "ucodeSPL", { 3, 8 }, true, { 7, 7 } },
        [EXT_FMC_SPL] = { "fmcSPL", { 3, 9 }, true, { ABSENT, 0 } },
        [EXT_HWID] = { "hwID", { 4 } },
        [EXT_CSP_ID] = { "CSP_ID", { 5 } },
};

/* Values in place, borrowed from the certificate; data NULL: the extension is not there. */
typedef struct Collected {
        struct {
                const uint8_t *data;
                size_t size;
        } values[N_EXTS];
} Collected;

/* N_EXTS for an OID outside the table. AMD may add to its arc; what we do not know changes nothing. */
static Ext identify(const ASN1_OBJECT *oid) {
        const uint8_t *data = OBJ_get0_data(oid);
        size_t n = OBJ_length(oid);

        if (n <= sizeof(arc) || memcmp(data, arc, sizeof(arc)) != 0)
                return N_EXTS;
        for (Ext x = 0; x < N_EXTS; x++) {
                size_t suffix_size = exts[x].suffix[1] ? 2 : 1;

                if (n == sizeof(arc) + suffix_size && memcmp(data + sizeof(arc), exts[x].suffix, suffix_size) == 0)
                        return x;
        }
        return N_EXTS;
}

static int collect(const X509 *cert, Collected *c, Error *e) {
        for (int i = 0; i < X509_get_ext_count(cert); i++) {
                X509_EXTENSION *extension = X509_get_ext(cert, i);
                const ASN1_OCTET_STRING *value = X509_EXTENSION_get_data(extension);
                Ext x = identify(X509_EXTENSION_get_object(extension));

                if (x == N_EXTS)
                        continue;
                if (c->values[x].data)
                        return error_set(e, -EBADMSG, "cert-extension", "Extension %s is there twice", exts[x].name);
                c->values[x].data = ASN1_STRING_get0_data(value);
                c->values[x].size = (size_t) ASN1_STRING_length(value);
        }
        return 0;
}

static bool has(const Collected *c, Ext x) {
        return c->values[x].data;
}

/* One-byte DER INTEGER 0..255: 02 01 xx below 0x80, 02 02 00 xx above (X.690 section 8.3). */
static int read_u8(const Collected *c, Ext x, uint8_t *ret, Error *e) {
        Reader r;
        size_t length;
        uint8_t value;

        if (!has(c, x))
                return error_set(e, -EBADMSG, "cert-extension", "Extension %s is missing", exts[x].name);
        r = rd_init(c->values[x].data, c->values[x].size);
        if (rd_u8(&r) != DER_INTEGER)
                rd_fail(&r);
        length = rd_u8(&r);
        if (length == 2)
                rd_zero(&r, 1);
        value = rd_u8(&r);
        if (length < 1 || length > 2 || (length == 2) != (value >= 0x80))
                rd_fail(&r);
        if (rd_finish(&r, exts[x].name, NULL) < 0)
                return error_set(e, -EBADMSG, "cert-extension", "Extension %s is not an INTEGER of 0 to 255",
                                 exts[x].name);
        *ret = value;
        return 0;
}

/* IA5String of printable characters, in place. */
static int read_text(const Collected *c, Ext x, const char **ret, size_t *ret_len, Error *e) {
        Reader r;
        size_t length;
        const uint8_t *text;

        if (!has(c, x))
                return error_set(e, -EBADMSG, "cert-extension", "Extension %s is missing", exts[x].name);
        r = rd_init(c->values[x].data, c->values[x].size);
        if (rd_u8(&r) != DER_IA5STRING)
                rd_fail(&r);
        length = rd_u8(&r);
        if (length > SNP_CSP_ID_MAX)
                rd_fail(&r);
        text = rd_take(&r, length);
        for (size_t i = 0; text && i < length; i++)
                if (text[i] < 0x20 || text[i] > 0x7e)
                        rd_fail(&r);
        if (rd_finish(&r, exts[x].name, NULL) < 0)
                return error_set(e, -EBADMSG, "cert-extension", "Extension %s is not a short printable IA5String",
                                 exts[x].name);
        *ret = (const char *) text;
        *ret_len = length;
        return 0;
}

static int read_struct_version(const Collected *c, unsigned *ret, Error *e) {
        uint8_t version = 0;
        int r = read_u8(c, EXT_STRUCT_VERSION, &version, e);

        if (r < 0)
                return r;
        if (version > 1)
                return error_set(e, -EBADMSG, "cert-extension", "structVersion %u is not known (0 and 1 are)",
                                 version);
        *ret = version;
        return 0;
}

static int read_product(const Collected *c, SnpProduct *ret, Error *e) {
        const char *name = NULL;
        size_t len = 0;
        int r = read_text(c, EXT_PRODUCT_NAME, &name, &len, e);

        if (r < 0)
                return r;
        *ret = snp_product_from_name(name, len);
        if (*ret == SNP_PRODUCT_UNKNOWN)
                return error_set(e, -EBADMSG, "cert-extension", "productName '%.*s' is no known product line",
                                 (int) len, name);
        return 0;
}

static int read_tcb(const Collected *c, unsigned struct_version, uint8_t ret[static SNP_TCB_SIZE], Error *e) {
        for (Ext x = 0; x < N_EXTS; x++) {
                int byte = exts[x].tcb_byte[struct_version];
                int r;

                if (!exts[x].is_spl)
                        continue;
                if (byte == ABSENT) {
                        if (has(c, x))
                                return error_set(e, -EBADMSG, "cert-extension",
                                                 "Extension %s does not belong to structVersion %u", exts[x].name,
                                                 struct_version);
                        continue;
                }
                r = read_u8(c, x, &ret[byte], e);
                if (r < 0)
                        return r;
        }
        return 0;
}

/*
 * The bytes themselves in every certificate that AMD issues; some tools wrap them in an OCTET STRING. Length tells
 * which it is. The first byte does not: a chip's identity may well begin with 04.
 */
static int read_hwid(const Collected *c, unsigned struct_version, SnpVekExtensions *ext, Error *e) {
        size_t want = struct_version == 1 ? HWID_SIZE_TURIN : SNP_HWID_MAX;
        Reader r = rd_init(c->values[EXT_HWID].data, c->values[EXT_HWID].size);

        if (rd_left(&r) == want + 2 && (rd_u8(&r) != DER_OCTET_STRING || rd_u8(&r) != want))
                rd_fail(&r);
        rd_copy(&r, ext->hwid, want);
        if (rd_finish(&r, exts[EXT_HWID].name, NULL) < 0)
                return error_set(e, -EBADMSG, "cert-extension", "Extension hwID does not hold %zu bytes", want);
        ext->hwid_size = want;
        return 0;
}

static int read_csp_id(const Collected *c, SnpVekExtensions *ext, Error *e) {
        const char *text = NULL;
        size_t len = 0;
        int r = read_text(c, EXT_CSP_ID, &text, &len, e);

        if (r < 0)
                return r;
        if (len == 0)
                return error_set(e, -EBADMSG, "cert-extension", "Extension CSP_ID is empty");
        (void) memcpy(ext->csp_id, text, len);
        ext->has_csp_id = true;
        return 0;
}

static int read_identity(const Collected *c, unsigned struct_version, SnpVekExtensions *ext, Error *e) {
        if (has(c, EXT_HWID) && has(c, EXT_CSP_ID))
                return error_set(e, -EBADMSG, "cert-extension", "Extensions hwID and CSP_ID exclude each other");
        if (has(c, EXT_HWID))
                return read_hwid(c, struct_version, ext, e);
        if (has(c, EXT_CSP_ID))
                return read_csp_id(c, ext, e);
        return 0;
}

int snp_vek_extensions_parse(const X509 *cert, SnpVekExtensions *ret, Error *e) {
        SnpVekExtensions ext = {};
        Collected c = {};
        unsigned struct_version = 0;
        int r;

        r = collect(cert, &c, e);
        if (r < 0)
                return r;
        r = read_struct_version(&c, &struct_version, e);
        if (r < 0)
                return r;
        ext.layout = struct_version == 1 ? SNP_TCB_LAYOUT_TURIN : SNP_TCB_LAYOUT_MILAN;
        r = read_product(&c, &ext.product, e);
        if (r < 0)
                return r;
        r = read_tcb(&c, struct_version, ext.tcb, e);
        if (r < 0)
                return r;
        r = read_identity(&c, struct_version, &ext, e);
        if (r < 0)
                return r;
        *ret = ext;
        return 0;
}
