/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/vtpm/recorded.h"

#include <stdio.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "base/base64.h"
#include "base/hex.h"
#include "base/reader.h"
#include "base/text.h"
#include "base/writer.h"
#include "tests/unit/unit.h"
#include "vtpm/public.h"

#define TEXT_MAX 20000u

void recorded_quote_done(RecordedQuote *q) {
        blob_done(&q->attest);
        blob_done(&q->signature);
        vtpm_ak_public_free(q->ak);
        q->ak = NULL;
}

static json_object *parse_json(const void *text, size_t size, const char *what) {
        json_object *o = NULL;
        Error e = {};

        ck_assert_msg(json_parse(text, size, what, &o, &e) == 0, "%s", e.text);
        return o;
}

static json_object *read_json(const char *file) {
        AUTO_BLOB Blob b = vector_read(file);

        return parse_json(b.data, b.size, file);
}

json_object *recorded_manifest(void) {
        return read_json("vtpm/MANIFEST.json");
}

static json_object *member(json_object *o, const char *name) {
        json_object *ret = NULL;
        Error e = {};

        ck_assert_msg(json_get_obj(o, name, &ret, &e) == 0, "%s", e.text);
        return ret;
}

static const char *text_member(json_object *o, const char *name) {
        const char *ret = NULL;
        Error e = {};

        ck_assert_msg(json_get_str(o, name, TEXT_MAX, &ret, &e) == 0, "%s", e.text);
        return ret;
}

static uint64_t number_member(json_object *o, const char *name) {
        uint64_t ret = 0;
        Error e = {};

        ck_assert_msg(json_get_u64(o, name, UINT64_MAX, &ret, &e) == 0, "%s", e.text);
        return ret;
}

static json_object *array_member(json_object *o, const char *name) {
        json_object *ret = NULL;
        Error e = {};

        ck_assert_msg(json_get_array(o, name, 1000, &ret, &e) == 0, "%s", e.text);
        return ret;
}

json_object *recorded_expected(json_object *manifest, const char *file) {
        json_object *all = array_member(manifest, "vectors");

        for (size_t i = 0; i < json_object_array_length(all); i++) {
                json_object *one = json_object_array_get_idx(all, i);

                if (strcmp(text_member(one, "file"), file) == 0)
                        return member(one, "expected");
        }
        ck_abort_msg("the manifest does not know %s", file);
}

static Blob unhex(const char *text) {
        Blob b = {};

        ck_assert_int_eq(hex_decode(text, strlen(text), TEXT_MAX, &b), 0);
        return b;
}

static Blob unbase64(Base64Variant variant, const char *text) {
        Blob b = {};

        ck_assert_int_eq(base64_decode(variant, text, strlen(text), TEXT_MAX, &b), 0);
        return b;
}

/* ---- keys ---- */

static VtpmAkPublic *rsassa_key(EVP_PKEY *key) {
        VtpmAkPublic *ak = NULL;
        Error e = {};

        ck_assert_ptr_nonnull(key);
        ck_assert_msg(vtpm_ak_public_new_from_key(key, VTPM_ALG_RSASSA, VTPM_ALG_SHA256, &ak, &e) == 0, "%s", e.text);
        EVP_PKEY_free(key);
        return ak;
}

static VtpmAkPublic *key_from_pem(const char *file) {
        AUTO_BLOB Blob pem = vector_read(file);
        BIO *bio = BIO_new_mem_buf(pem.data, (int) pem.size);
        EVP_PKEY *key = PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);

        BIO_free(bio);
        return rsassa_key(key);
}

static VtpmAkPublic *key_from_tpm2b(const char *file) {
        AUTO_BLOB Blob b = vector_read(file);
        VtpmAkPublic *ak = NULL;
        Error e = {};

        ck_assert_uint_gt(b.size, 2);
        ck_assert_uint_eq(load_be16(b.data), b.size - 2);
        ck_assert_msg(vtpm_ak_public_new(b.data + 2, b.size - 2, &ak, &e) == 0, "%s", e.text);
        return ak;
}

/* HCLAkPub of an Azure paravisor's report: a JWK in the claims at 0x4d4, whose size stands at 0x4d0, little-endian. */
static VtpmAkPublic *key_from_hcl(const Blob *hcl) {
        CLEANUP(json_object_cleanup) json_object *claims = NULL;
        VtpmPublic pub = { .type = VTPM_ALG_RSA, .rsa_bits = 2048 };
        json_object *keys;
        EVP_PKEY *key = NULL;

        ck_assert_uint_gt(hcl->size, 0x4d4);
        ck_assert_uint_le(load_le32(hcl->data + 0x4d0), hcl->size - 0x4d4);
        claims = parse_json(hcl->data + 0x4d4, load_le32(hcl->data + 0x4d0), "runtime claims");
        keys = array_member(claims, "keys");
        for (size_t i = 0; i < json_object_array_length(keys); i++) {
                json_object *jwk = json_object_array_get_idx(keys, i);
                AUTO_BLOB Blob n = {};

                if (strcmp(text_member(jwk, "kid"), "HCLAkPub") != 0)
                        continue;
                n = unbase64(BASE64_URL, text_member(jwk, "n"));
                ck_assert_uint_eq(n.size, 256);
                (void) memcpy(pub.modulus, n.data, n.size);
                pub.modulus_size = n.size;
                ck_assert_int_eq(vtpm_public_to_key(&pub, &key, NULL), 0);
        }
        return rsassa_key(key);
}

/* ---- quotes ---- */

/* A TPMT_SIGNATURE around the bare signature that Azure's evidence holds. */
static Blob wrap_rsassa(const uint8_t *raw, size_t size) {
        AUTO_WRITER Writer w = wr_init(1024);
        Blob b = {};

        wr_be16(&w, VTPM_ALG_RSASSA);
        wr_be16(&w, VTPM_ALG_SHA256);
        wr_be16(&w, (uint16_t) size);
        wr_bytes(&w, raw, size);
        ck_assert_int_eq(wr_finish(&w, &b), 0);
        return b;
}

static void read_pcr_array(json_object *array, RecordedQuote *q) {
        ck_assert_uint_eq(json_object_array_length(array), VTPM_N_PCRS);
        q->n_pcrs = 1;
        q->pcrs[0] = (VtpmPcrValues){ .hash = VTPM_ALG_SHA256, .mask = VTPM_PCR_MASK_ALL };
        for (size_t i = 0; i < VTPM_N_PCRS; i++) {
                const char *hex = json_object_get_string(json_object_array_get_idx(array, i));

                ck_assert_int_eq(hex_decode_exact(hex, strlen(hex), q->pcrs[0].values[i], 32), 0);
        }
}

/* signature, message and PCRs as Trustee's evidence for Azure has them. */
static void read_azure(json_object *quote, const Blob *hcl, RecordedQuote *q) {
        AUTO_BLOB Blob raw = unhex(text_member(quote, "signature"));

        q->signature = wrap_rsassa(raw.data, raw.size);
        q->attest = unhex(text_member(quote, "message"));
        read_pcr_array(array_member(quote, "pcrs"), q);
        q->ak = key_from_hcl(hcl);
}

static void read_azure_evidence(const char *file, RecordedQuote *q) {
        AUTO_JSON json_object *o = read_json(file);
        const char *text = text_member(o, "hcl_report");
        AUTO_BLOB Blob hcl = unbase64(strchr(text, '=') ? BASE64_URL_PADDED : BASE64_URL, text);

        read_azure(member(o, "tpm_quote"), &hcl, q);
}

static void read_azure_quote(const char *file, RecordedQuote *q) {
        AUTO_JSON json_object *o = read_json(file);
        AUTO_BLOB Blob hcl = vector_read("vtpm/azure/hcl-snp-2600.bin");

        read_azure(o, &hcl, q);
}

/* u64 size and signature, u64 size and TPMS_ATTEST, u64 count and PCRs; little-endian. */
static void read_bincode(const char *file, RecordedQuote *q) {
        AUTO_BLOB Blob b = vector_read(file);
        Reader r = rd_init(b.data, b.size);
        size_t n = rd_le64(&r);
        const uint8_t *p = rd_take(&r, n);

        ck_assert_ptr_nonnull(p);
        q->signature = wrap_rsassa(p, n);
        n = rd_le64(&r);
        p = rd_take(&r, n);
        ck_assert_ptr_nonnull(p);
        ck_assert_int_eq(blob_dup(p, n, &q->attest), 0);
        ck_assert_uint_eq(rd_le64(&r), VTPM_N_PCRS);
        q->n_pcrs = 1;
        q->pcrs[0] = (VtpmPcrValues){ .hash = VTPM_ALG_SHA256, .mask = VTPM_PCR_MASK_ALL };
        for (size_t i = 0; i < VTPM_N_PCRS; i++)
                rd_copy(&r, q->pcrs[0].values[i], 32);
        ck_assert_int_eq(rd_finish(&r, file, NULL), 0);
        q->ak = key_from_pem("vtpm/azure/akpub-1.pem");
}

static void read_orphan(RecordedQuote *q) {
        AUTO_BLOB Blob raw = vector_read("vtpm/azure/quote-orphan.sig");

        q->attest = vector_read("vtpm/azure/quote-orphan.msg");
        q->signature = wrap_rsassa(raw.data, raw.size);
}

static void read_trustee_tpm(const char *file, RecordedQuote *q) {
        AUTO_JSON json_object *o = read_json(file);
        json_object *quote = member(o, "tpm_quote");
        AUTO_BLOB Blob spki = unbase64(BASE64_STD, text_member(o, "ak_public"));
        const uint8_t *p = spki.data;

        q->attest = unbase64(BASE64_STD, text_member(quote, "message"));
        q->signature = unbase64(BASE64_STD, text_member(quote, "signature"));
        read_pcr_array(array_member(quote, "pcrs"), q);
        q->ak = rsassa_key(d2i_PUBKEY(NULL, &p, (long) spki.size));
}

/* "r" base64(attest) ":" base64(signature) ":" base64(a dump of PCRs in tpm2-tools' own form) */
static void read_keylime(const char *file, RecordedQuote *q) {
        AUTO_BLOB Blob b = vector_read(file);
        AUTO_FREE char *text = strndup((const char *) b.data, b.size);
        char *save = NULL, *field;

        ck_assert_ptr_nonnull(text);
        ck_assert_int_eq(text[0], 'r');
        field = strtok_r(text + 1, ":", &save);
        q->attest = unbase64(BASE64_STD, field);
        field = strtok_r(NULL, ":", &save);
        q->signature = unbase64(BASE64_STD, field);
}

static void read_swtpm_values(json_object *bank, VtpmPcrValues *to) {
        for (unsigned i = 0; i < VTPM_N_PCRS; i++) {
                char name[4];
                const char *hex;

                if (!(to->mask & 1u << i))
                        continue;
                (void) snprintf(name, sizeof(name), "%u", i);
                hex = text_member(bank, name);
                ck_assert_int_eq(hex_decode_exact(hex, strlen(hex), to->values[i], vtpm_hash_size(to->hash)), 0);
        }
}

/* The values of all quotes in that folder are in one file. Which were quoted, the attest says. */
static void read_swtpm_pcrs(RecordedQuote *q) {
        AUTO_JSON json_object *o = read_json("vtpm/swtpm/pcrs.json");
        VtpmAttest attest;

        if (vtpm_attest_parse(q->attest.data, q->attest.size, &attest, NULL) < 0)
                return;
        ck_assert_uint_le(attest.selection.n_banks, N_ELEMENTS(q->pcrs));
        q->n_pcrs = attest.selection.n_banks;
        for (size_t i = 0; i < q->n_pcrs; i++) {
                q->pcrs[i] = (VtpmPcrValues){ .hash = attest.selection.banks[i].hash,
                                              .mask = attest.selection.banks[i].mask };
                read_swtpm_values(member(o, vtpm_hash_name(q->pcrs[i].hash)), &q->pcrs[i]);
        }
}

static void read_swtpm(const char *file, RecordedQuote *q) {
        AUTO_FREE char *sig = strdup(file);

        ck_assert_ptr_nonnull(sig);
        q->attest = vector_read(file);
        (void) strcpy(strrchr(sig, '.'), ".sig");
        q->signature = vector_read(sig);
        q->ak = key_from_tpm2b(strstr(file, "rsassa") ? "vtpm/swtpm/ak-rsassa.tpm2b_public"
                                                      : "vtpm/swtpm/ak-ecdsa.tpm2b_public");
        read_swtpm_pcrs(q);
}

RecordedQuote recorded_quote(const char *file) {
        AUTO_FREE char *path = NULL;
        RecordedQuote q = {};

        ck_assert_int_gt(asprintf(&path, "vtpm/%s", file), 0);
        if (strcmp(file, "azure/quote-1.bincode") == 0)
                read_bincode(path, &q);
        else if (strcmp(file, "azure/quote-2.json") == 0)
                read_azure_quote(path, &q);
        else if (strcmp(file, "azure/quote-orphan.msg") == 0)
                read_orphan(&q);
        else if (text_starts_with(file, "azure/evidence"))
                read_azure_evidence(path, &q);
        else if (strcmp(file, "generic/tpm-evidence.json") == 0)
                read_trustee_tpm(path, &q);
        else if (strcmp(file, "generic/keylime-quote.txt") == 0)
                read_keylime(path, &q);
        else
                read_swtpm(path, &q);
        return q;
}

/* ---- what the manifest says ---- */

static void compare_hex(const char *file, json_object *want, const char *name, const uint8_t *data, size_t size) {
        AUTO_BLOB Blob b = unhex(text_member(want, name));

        ck_assert_msg(b.size == size && (size == 0 || memcmp(b.data, data, size) == 0), "%s: %s", file, name);
}

static void compare_selection(const char *file, json_object *want, const VtpmPcrSelection *got) {
        ck_assert_uint_eq(json_object_array_length(want), got->n_banks);
        for (size_t i = 0; i < got->n_banks; i++) {
                json_object *bank = json_object_array_get_idx(want, i);
                json_object *pcrs = json_object_array_get_idx(bank, 1);
                uint64_t hash = 0;
                uint32_t mask = 0;

                ck_assert_int_eq(text_to_u64(json_object_get_string(json_object_array_get_idx(bank, 0)), 16, 0, 0xffff,
                                             &hash), 0);
                for (size_t j = 0; j < json_object_array_length(pcrs); j++)
                        mask |= 1u << json_object_get_int(json_object_array_get_idx(pcrs, j));
                ck_assert_msg(got->banks[i].hash == hash && got->banks[i].mask == mask, "%s: pcrSelect", file);
        }
}

void recorded_compare_attest(const char *file, const VtpmAttest *a, json_object *want) {
        char version[17];

        ck_assert_str_eq(text_member(want, "magic"), "ff544347");
        ck_assert_str_eq(text_member(want, "type"), "8018");
        ck_assert_uint_eq(number_member(want, "trailing"), 0);
        compare_hex(file, want, "qualifiedSigner", a->signer, a->signer_size);
        compare_hex(file, want, "extraData", a->extra, a->extra_size);
        ck_assert_uint_eq(a->clock.clock_msec, number_member(want, "clock"));
        ck_assert_uint_eq(a->clock.reset_count, number_member(want, "resetCount"));
        ck_assert_uint_eq(a->clock.restart_count, number_member(want, "restartCount"));
        ck_assert_uint_eq(a->clock.safe, number_member(want, "safe"));
        (void) snprintf(version, sizeof(version), "%016lx", (unsigned long) a->firmware_version);
        ck_assert_str_eq(version, text_member(want, "firmwareVersion"));
        compare_selection(file, array_member(want, "pcrSelect"), &a->selection);
        compare_hex(file, want, "pcrDigest", a->pcr_digest, a->pcr_digest_size);
}

VtpmQuoteAsked recorded_asked(const VtpmAttest *attest) {
        return (VtpmQuoteAsked){ .nonce = attest->extra, .nonce_size = attest->extra_size, .pcrs = attest->selection };
}
