/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/snpctl/sevsnp-proto.h"

#include <errno.h>
#include <string.h>

#include "base/reader.h"

/* protobuf.dev, "Message Structure" */
enum { WIRE_VARINT = 0, WIRE_I64 = 1, WIRE_LEN = 2, WIRE_I32 = 5 };

#define CPUID_FIELD 29u /* sevsnp.Report.cpuid1eax_fms */
#define CPUID_OFFSET 0x188u
#define FIELDS_MAX 32u /* of sevsnp.Report; the bits of a mask */

/* sevsnp.Report, and where each field stands in ATTESTATION_REPORT. */
static const struct Field {
        uint8_t number;
        bool is_bytes; /* else a number, little-endian in the report */
        uint16_t offset, size;
} fields[] = {
        { 1, false, 0x000, 4 },  { 2, false, 0x004, 4 },  { 3, false, 0x008, 8 },   { 4, true, 0x010, 16 },
        { 5, true, 0x020, 16 },  { 6, false, 0x030, 4 },  { 7, false, 0x034, 4 },   { 8, false, 0x038, 8 },
        { 9, false, 0x040, 8 },  { 10, false, 0x048, 4 }, { 11, true, 0x050, 64 },  { 12, true, 0x090, 48 },
        { 13, true, 0x0c0, 32 }, { 14, true, 0x0e0, 48 }, { 15, true, 0x110, 48 },  { 16, true, 0x140, 32 },
        { 17, true, 0x160, 32 }, { 18, false, 0x180, 8 }, { 19, true, 0x1a0, 64 },  { 20, false, 0x1e0, 8 },
        { 21, false, 0x1e8, 1 }, { 22, false, 0x1e9, 1 }, { 23, false, 0x1ea, 1 },  { 24, false, 0x1ec, 1 },
        { 25, false, 0x1ed, 1 }, { 26, false, 0x1ee, 1 }, { 27, false, 0x1f0, 8 },  { 28, true, 0x2a0, 512 },
        { 30, false, 0x1f8, 8 }, { 31, false, 0x200, 8 },
};

/* One field of a message. */
typedef struct Item {
        uint64_t number;
        unsigned type;
        uint64_t value;      /* VARINT */
        const uint8_t *data; /* LEN, borrowed */
        size_t size;
} Item;

/* Seven bits a byte, the least first; ten bytes at most, of the last only one bit counts. */
static uint64_t read_varint(Reader *r) {
        uint64_t v = 0;

        for (unsigned shift = 0; shift < 64; shift += 7) {
                uint8_t byte = rd_u8(r);

                if (shift == 63 && byte > 1)
                        break;
                v |= (uint64_t) (byte & 0x7f) << shift;
                if (!(byte & 0x80))
                        return v;
        }
        rd_fail(r);
        return 0;
}

/* False at the end of the message, or when it is malformed: the reader knows. */
static bool next_item(Reader *r, Item *ret) {
        Item item = {};
        uint64_t tag;

        if (rd_left(r) == 0 || r->error < 0)
                return false;
        tag = read_varint(r);
        item.number = tag >> 3;
        item.type = (unsigned) tag & 7;
        if (item.number == 0)
                rd_fail(r);
        else if (item.type == WIRE_VARINT)
                item.value = read_varint(r);
        else if (item.type == WIRE_I64 || item.type == WIRE_I32)
                rd_skip(r, item.type == WIRE_I64 ? 8 : 4);
        else if (item.type == WIRE_LEN) {
                uint64_t n = read_varint(r);

                if (n > rd_left(r))
                        rd_fail(r);
                item.size = (size_t) n;
                item.data = rd_take(r, item.size);
        } else
                rd_fail(r); /* groups; in no message of theirs */
        *ret = item;
        return r->error == 0;
}

static int wrong_field(uint64_t number, Error *e) {
        return error_set(e, -EBADMSG, "sevsnp-field", "Field %llu of sevsnp.Report is malformed, or there twice",
                         (unsigned long long) number);
}

/* CPUID leaf 1, EAX: base numbers, and extensions that count as AMD's manual, volume 3, "Function 1h" has it. */
static void put_cpuid(uint64_t eax, uint8_t *report) {
        uint8_t family = eax >> 8 & 0xf;

        report[CPUID_OFFSET] = (uint8_t) (family == 0xf ? 0xf + (eax >> 20 & 0xff) : family);
        report[CPUID_OFFSET + 1] = (uint8_t) ((eax >> 16 & 0xf) << 4 | (eax >> 4 & 0xf));
        report[CPUID_OFFSET + 2] = (uint8_t) (eax & 0xf);
}

static int put_field(const struct Field *f, const Item *item, uint8_t *report, Error *e) {
        if (item->type != (f->is_bytes ? WIRE_LEN : WIRE_VARINT))
                return wrong_field(item->number, e);
        if (f->is_bytes) {
                if (item->size != f->size)
                        return wrong_field(item->number, e);
                (void) memcpy(report + f->offset, item->data, f->size);
                return 0;
        }
        if (f->size < 8 && item->value >> 8 * f->size)
                return wrong_field(item->number, e);
        for (size_t i = 0; i < f->size; i++)
                report[f->offset + i] = (uint8_t) (item->value >> 8 * i);
        return 0;
}

static int put_item(const Item *item, uint8_t *report, Error *e) {
        if (item->number == CPUID_FIELD) {
                if (item->type != WIRE_VARINT || item->value > UINT32_MAX)
                        return wrong_field(item->number, e);
                put_cpuid(item->value, report);
                return 0;
        }
        for (size_t i = 0; i < N_ELEMENTS(fields); i++)
                if (fields[i].number == item->number)
                        return put_field(&fields[i], item, report, e);
        return 0;
}

/* Without a field, its value is zero: only a message without anything of a report is none. */
static int parse_report(const void *data, size_t size, uint8_t *report, Error *e) {
        Reader r = rd_init(data, size);
        uint32_t seen = 0;
        Item item;

        while (next_item(&r, &item)) {
                int k;

                if (item.number >= FIELDS_MAX)
                        continue;
                if (seen & UINT32_C(1) << item.number)
                        return wrong_field(item.number, e);
                seen |= UINT32_C(1) << item.number;
                k = put_item(&item, report, e);
                if (k < 0)
                        return k;
        }
        return rd_finish(&r, "The message sevsnp.Report", e);
}

static int parse_chain(const void *data, size_t size, SevsnpProto *p, Error *e) {
        Reader r = rd_init(data, size);
        Item item;

        while (next_item(&r, &item)) {
                SnpCertBytes *slot = item.number == 1 ? &p->vcek : item.number == 6 ? &p->vlek :
                                     item.number == 2 ? &p->ask : item.number == 3 ? &p->ark : NULL;

                if (!slot)
                        continue;
                if (item.type != WIRE_LEN || slot->data)
                        return error_set(e, -EBADMSG, "sevsnp-field",
                                         "A certificate in sevsnp.CertificateChain is malformed, or there twice");
                if (item.size > 0)
                        *slot = (SnpCertBytes){ item.data, item.size };
        }
        return rd_finish(&r, "The message sevsnp.CertificateChain", e);
}

static int parse_attestation(const void *data, size_t size, SevsnpProto *p, Error *e) {
        Reader r = rd_init(data, size);
        bool has_report = false, has_chain = false;
        Item item;
        int k = 0;

        while (k == 0 && next_item(&r, &item)) {
                bool *has = item.number == 1 ? &has_report : item.number == 2 ? &has_chain : NULL;

                if (!has)
                        continue;
                if (item.type != WIRE_LEN || *has)
                        return error_set(e, -EBADMSG, "sevsnp-field",
                                         "A member of sevsnp.Attestation is malformed, or there twice");
                *has = true;
                k = item.number == 1 ? parse_report(item.data, item.size, p->report, e)
                                     : parse_chain(item.data, item.size, p, e);
        }
        if (k == 0)
                k = rd_finish(&r, "The message sevsnp.Attestation", e);
        if (k == 0 && !has_report)
                k = error_set(e, -EBADMSG, "sevsnp-field", "The message sevsnp.Attestation has no report");
        return k;
}

#define TAG_REPORT (1u << 3 | WIRE_LEN)     /* first field of sevsnp.Attestation */
#define TAG_VERSION (1u << 3 | WIRE_VARINT) /* first field of sevsnp.Report; the least version of a report is 2 */

/* Go's library writes fields in the order of their numbers. A raw report begins with its version, 2 to 5. */
bool sevsnp_proto_is(const void *data, size_t size) {
        const uint8_t *p = data;

        return size > 0 && (p[0] == TAG_REPORT || p[0] == TAG_VERSION);
}

int sevsnp_proto_parse(const void *data, size_t size, SevsnpProto *ret, Error *e) {
        SevsnpProto p = {};
        int r;

        if (size > SEVSNP_PROTO_MAX)
                return error_set(e, -E2BIG, "sevsnp-size", "The message has more than %u bytes", SEVSNP_PROTO_MAX);
        if (!sevsnp_proto_is(data, size))
                return error_set(e, -EBADMSG, "sevsnp-field", "This is no message of sevsnp");
        r = *(const uint8_t *) data == TAG_REPORT ? parse_attestation(data, size, &p, e)
                                                  : parse_report(data, size, p.report, e);
        if (r == 0)
                *ret = p;
        return r;
}
