/* SPDX-License-Identifier: Apache-2.0 */
#include "snp/launch/uki.h"

#include <errno.h>
#include <string.h>

#include "base/reader.h"

/* PE Format, "MS-DOS Stub", "COFF File Header", "Optional Header", "Section Table". */
#define DOS_MAGIC 0x5A4D /* "MZ" */
#define DOS_PE_OFFSET_AT 0x3C
#define PE_MAGIC 0x00004550 /* "PE\0\0" */
#define MACHINE_AMD64 0x8664
#define OPTIONAL_MAGIC_PE32_PLUS 0x20B
#define SECTION_SIZE 40
#define SECTION_NAME_SIZE 8

static int bad(Error *e, const char *what) {
        return error_set(e, -EBADMSG, "bad-uki", "This is no PE file for x86-64: %s", what);
}

/* The section table. */
static int parse_headers(const Reader *file, Reader *ret, Error *e) {
        Reader r = *file, optional;
        uint16_t machine, n_sections, optional_size;
        uint32_t pe_at;

        if (rd_le16(&r) != DOS_MAGIC)
                return bad(e, "no MZ at its beginning");
        rd_skip(&r, DOS_PE_OFFSET_AT - 2);
        pe_at = rd_le32(&r);
        if (r.error < 0 || pe_at > file->size)
                return bad(e, "the PE header lies beyond the end");
        r = rd_at(file, pe_at, file->size - pe_at);
        if (rd_le32(&r) != PE_MAGIC)
                return bad(e, "no PE header");
        machine = rd_le16(&r);
        n_sections = rd_le16(&r);
        rd_skip(&r, 4 + 4 + 4); /* TimeDateStamp, PointerToSymbolTable, NumberOfSymbols */
        optional_size = rd_le16(&r);
        rd_skip(&r, 2); /* Characteristics */
        optional = rd_sub(&r, optional_size);
        if (machine != MACHINE_AMD64 || rd_le16(&optional) != OPTIONAL_MAGIC_PE32_PLUS)
                return bad(e, "another processor, or not PE32+");
        if (n_sections > SNP_UKI_SECTIONS_MAX)
                return bad(e, "too many sections");
        *ret = rd_sub(&r, (size_t) n_sections * SECTION_SIZE);
        return ret->error < 0 ? bad(e, "the section table does not fit in") : 0;
}

typedef struct Section {
        char name[SECTION_NAME_SIZE + 1];
        SnpUkiPart content;
} Section;

static bool is_named(const Section *s, const char *name) {
        return strcmp(s->name, name) == 0;
}

/* What is in the file of a section may be longer than it (padding up to FileAlignment), but not shorter: the rest
 * would be zeros that only a loader sees. */
static int take_section(const Reader *file, Reader *table, Section *ret, Error *e) {
        uint32_t virtual_size, raw_size, raw_at;
        Reader raw;

        *ret = (Section){};
        rd_copy(table, ret->name, SECTION_NAME_SIZE);
        virtual_size = rd_le32(table);
        rd_skip(table, 4); /* VirtualAddress */
        raw_size = rd_le32(table);
        raw_at = rd_le32(table);
        rd_skip(table, 16); /* relocations, line numbers, characteristics */
        if (!is_named(ret, ".linux") && !is_named(ret, ".initrd") && !is_named(ret, ".cmdline"))
                return 0;
        raw = rd_at(file, raw_at, raw_size);
        ret->content.size = virtual_size;
        ret->content.data = rd_take(&raw, virtual_size);
        return ret->content.data ? 0 : bad(e, "a section lies beyond the end, or is not wholly in the file");
}

static int take_part(SnpUki *uki, const Section *s, Error *e) {
        SnpUkiPart *part = is_named(s, ".linux")    ? &uki->linux_image
                           : is_named(s, ".initrd") ? &uki->initrd
                                                    : &uki->cmdline;

        if (!s->content.data)
                return 0;
        if (part->data)
                return bad(e, "a section is there twice");
        *part = s->content;
        return 0;
}

int snp_uki_parse(const void *data, size_t size, SnpUki *ret, Error *e) {
        const Reader file = rd_init(data, size);
        SnpUki uki = {};
        Reader table;
        int r;

        if (size > SNP_UKI_MAX)
                return error_set(e, -E2BIG, "uki-too-large", "The image has %zu bytes; %u are the limit", size,
                                 SNP_UKI_MAX);
        r = parse_headers(&file, &table, e);
        while (r == 0 && rd_left(&table) > 0) {
                Section s;

                r = take_section(&file, &table, &s, e);
                if (r == 0 && is_named(&s, ".profile"))
                        break;
                if (r == 0)
                        r = take_part(&uki, &s, e);
        }
        if (r < 0)
                return r;
        if (!uki.linux_image.data)
                return error_set(e, -ENOENT, "no-kernel",
                                 "The PE file has no section .linux: it is no unified kernel image");
        *ret = uki;
        return 0;
}

int snp_uki_cmdline(const SnpUki *uki, char **ret, Error *e) {
        size_t n = uki->cmdline.size;
        char *text;

        while (n > 0 && memchr("\0\n\r\t ", uki->cmdline.data[n - 1], 5))
                n--;
        if (n > 0 && memchr(uki->cmdline.data, 0, n))
                return error_set(e, -EBADMSG, "nul-in-text", "The image's command line holds a NUL byte");
        text = malloc(n + 1);
        if (!text)
                return error_oom(e);
        if (n > 0)
                (void) memcpy(text, uki->cmdline.data, n);
        text[n] = 0;
        *ret = text;
        return 0;
}
