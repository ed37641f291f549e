/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The image is read from its end. The reset vector occupies the last 32 bytes; before it comes the footer entry
 * (length of the table, GUID of the table), and before that the entries, each with its length and GUID behind its
 * data. Lengths count themselves and the GUID.
 */

#include "snp/launch/ovmf.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/reader.h"
#include "snp/launch/efi-guid.h"
#include "snp/launch/gctx.h"

#define RESET_VECTOR_SIZE 32
#define ENTRY_HEADER_SIZE 18 /* u16 length, GUID; behind the data */
#define FOUR_GIB (UINT64_C(1) << 32)

/* edk2, OvmfPkg/ResetVector/Ia16/ResetVectorVtf0.asm and OvmfPkg/Include/Guid. */
static const uint8_t guid_table[] = EFI_GUID(0x96b582de, 0x1fb2, 0x45f7, 0xbaea, 0xa366c55a082d);
static const uint8_t guid_ap_reset[] = EFI_GUID(0x00f771de, 0x1a7e, 0x4fcb, 0x890e, 0x68c77e2fb44e);
static const uint8_t guid_hash_area[] = EFI_GUID(0x7255371f, 0x3a3b, 0x4b04, 0x927b, 0x1da6efa8d454);
static const uint8_t guid_metadata[] = EFI_GUID(0xdc886566, 0x984a, 0x4798, 0xa75e, 0x5585a7bf67cc);
/* coconut-svsm, stage2's metadata */
static const uint8_t guid_svsm[] = EFI_GUID(0xa789a612, 0x0597, 0x4c4b, 0xa49f, 0xcbb1fe9d1ddd);

/* OvmfSevMetadata.asm */
#define METADATA_MAGIC 0x56455341 /* "ASEV" */
#define METADATA_VERSION 1
#define METADATA_HEADER_SIZE 16
#define SECTION_SIZE 12

/* What the walk has seen; the first one met is the one nearest to the end. */
typedef struct Table {
        bool has_ap_reset, has_metadata;
        uint32_t metadata_distance;
} Table;

static int bad_table(Error *e, size_t at, const char *what) {
        return error_set(e, -EBADMSG, "bad-footer-table", "The firmware's table of GUIDed entries: %s at offset %zu",
                         what, at);
}

static int take_entry(const uint8_t guid[static EFI_GUID_SIZE], Reader data, Table *table, SnpOvmf *o, Error *e) {
        if (memcmp(guid, guid_ap_reset, EFI_GUID_SIZE) == 0 && !table->has_ap_reset) {
                table->has_ap_reset = true;
                o->ap_reset = rd_le32(&data);
        } else if (memcmp(guid, guid_hash_area, EFI_GUID_SIZE) == 0 && !o->has_hash_area) {
                o->has_hash_area = true;
                o->hash_base = rd_le32(&data);
                o->hash_size = rd_le32(&data);
        } else if (memcmp(guid, guid_metadata, EFI_GUID_SIZE) == 0 && !table->has_metadata) {
                table->has_metadata = true;
                table->metadata_distance = rd_le32(&data);
        } else if (memcmp(guid, guid_svsm, EFI_GUID_SIZE) == 0 && !o->has_svsm_entry) {
                o->has_svsm_entry = true;
                o->svsm_entry = rd_le32(&data);
        } else
                return 0; /* none of ours, or met before */
        return rd_finish(&data, "entry", NULL) < 0 ? bad_table(e, rd_offset(&data), "entry of wrong length") : 0;
}

/* Walks backwards over the entries in [@begin, @end). */
static int walk_entries(const Reader *image, size_t begin, size_t end, Table *table, SnpOvmf *o, Error *e) {
        while (end - begin >= ENTRY_HEADER_SIZE) {
                Reader header = rd_at(image, end - ENTRY_HEADER_SIZE, ENTRY_HEADER_SIZE);
                size_t length = rd_le16(&header);
                uint8_t guid[EFI_GUID_SIZE];
                int r;

                rd_copy(&header, guid, sizeof(guid));
                if (length < ENTRY_HEADER_SIZE || length > end - begin)
                        return bad_table(e, end - ENTRY_HEADER_SIZE, "entry length out of range");
                end -= length;
                r = take_entry(guid, rd_at(image, end, length - ENTRY_HEADER_SIZE), table, o, e);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int parse_table(const Reader *image, Table *table, SnpOvmf *o, Error *e) {
        Reader footer;
        size_t end, length;
        const uint8_t *guid;

        end = image->size - RESET_VECTOR_SIZE - ENTRY_HEADER_SIZE;
        footer = rd_at(image, end, ENTRY_HEADER_SIZE);
        length = rd_le16(&footer);
        guid = rd_take(&footer, EFI_GUID_SIZE);
        if (!guid || memcmp(guid, guid_table, EFI_GUID_SIZE) != 0)
                return error_set(e, -EBADMSG, "no-footer-table",
                                 "The firmware has no table of GUIDed entries at its end: it is no OVMF image, or only "
                                 "the variables' half of one");
        if (length < ENTRY_HEADER_SIZE || length - ENTRY_HEADER_SIZE > end)
                return bad_table(e, end, "table length out of range");
        return walk_entries(image, end - (length - ENTRY_HEADER_SIZE), end, table, o, e);
}

static bool section_type_is_known(uint32_t type) {
        return type == SNP_SECTION_SEC_MEM || type == SNP_SECTION_SECRETS || type == SNP_SECTION_CPUID ||
               type == SNP_SECTION_SVSM_CAA || type == SNP_SECTION_KERNEL_HASHES;
}

/* SECRETS and CPUID are one page each: tools differ on larger ones, and no firmware has them. */
static bool section_size_is_known(const SnpSection *s) {
        return (s->type != SNP_SECTION_SECRETS && s->type != SNP_SECTION_CPUID) || s->size == SNP_PAGE_SIZE;
}

static int check_sections(const SnpOvmf *o, Error *e) {
        bool has_hashes = false;

        for (size_t i = 0; i < o->n_sections; i++) {
                SnpSection s = snp_ovmf_section(o, i);

                if (!section_type_is_known((uint32_t) s.type))
                        return error_set(e, -EBADMSG, "bad-sev-metadata",
                                         "SEV metadata section %zu has unknown type 0x%x: what is not known how to "
                                         "measure has no digest", i, (unsigned) s.type);
                if (s.gpa % SNP_PAGE_SIZE != 0 || s.size % SNP_PAGE_SIZE != 0 || !section_size_is_known(&s))
                        return error_set(e, -EBADMSG, "bad-sev-metadata",
                                         "SEV metadata section %zu (%s at 0x%x, 0x%x bytes) does not consist of whole "
                                         "pages, or of too many", i, snp_section_name(s.type), s.gpa, s.size);
                if (s.type == SNP_SECTION_KERNEL_HASHES && has_hashes)
                        return error_set(e, -EBADMSG, "bad-sev-metadata",
                                         "SEV metadata section %zu is a second place for kernel hashes", i);
                has_hashes |= s.type == SNP_SECTION_KERNEL_HASHES;
        }
        return 0;
}

static int parse_metadata(const Reader *image, uint32_t distance, SnpOvmf *o, Error *e) {
        size_t at = image->size - distance; /* wraps to something that rd_at() refuses */
        Reader header = rd_at(image, at, METADATA_HEADER_SIZE), sections;
        uint32_t magic = rd_le32(&header), length = rd_le32(&header), version = rd_le32(&header);
        uint64_t n = rd_le32(&header);

        if (header.error < 0 || magic != METADATA_MAGIC || version != METADATA_VERSION ||
            length < METADATA_HEADER_SIZE + n * SECTION_SIZE)
                return error_set(e, -EBADMSG, "bad-sev-metadata",
                                 "No SEV metadata of version %d lies %u bytes before the end of the firmware",
                                 METADATA_VERSION, distance);
        sections = rd_at(image, at + METADATA_HEADER_SIZE, n * SECTION_SIZE);
        o->sections = rd_take(&sections, n * SECTION_SIZE);
        if (!o->sections)
                return error_set(e, -EBADMSG, "bad-sev-metadata",
                                 "%llu SEV metadata sections do not fit into the firmware", (unsigned long long) n);
        o->n_sections = n;
        o->has_metadata = true;
        return check_sections(o, e);
}

int snp_firmware_check_size(size_t size, Error *e) {
        if (size < RESET_VECTOR_SIZE + ENTRY_HEADER_SIZE)
                return error_set(e, -EBADMSG, "no-footer-table", "%zu bytes are too short for a firmware image", size);
        if (size > SNP_FIRMWARE_MAX)
                return error_set(e, -E2BIG, "firmware-too-large", "The firmware has %zu bytes; %u are the limit", size,
                                 SNP_FIRMWARE_MAX);
        if (size % SNP_PAGE_SIZE != 0)
                return error_set(e, -EBADMSG, "firmware-not-page-multiple",
                                 "The firmware's size of %zu bytes is not a multiple of %d", size, SNP_PAGE_SIZE);
        return 0;
}

int snp_ovmf_parse(const void *data, size_t size, SnpOvmf *ret, Error *e) {
        Reader image = rd_init(data, size);
        SnpOvmf o = { .data = data, .size = size };
        Table table = {};
        int r;

        r = snp_firmware_check_size(size, e);
        if (r < 0)
                return r;
        r = parse_table(&image, &table, &o, e);
        if (r < 0)
                return r;
        if (table.has_metadata) {
                r = parse_metadata(&image, table.metadata_distance, &o, e);
                if (r < 0)
                        return r;
        }
        *ret = o;
        return 0;
}

SnpSection snp_ovmf_section(const SnpOvmf *ovmf, size_t i) {
        const uint8_t *p = ovmf->sections + i * SECTION_SIZE;

        assert(i < ovmf->n_sections);
        return (SnpSection){
                .gpa = load_le32(p),
                .size = load_le32(p + 4),
                .type = (SnpSectionType) load_le32(p + 8),
        };
}

bool snp_ovmf_find_section(const SnpOvmf *ovmf, SnpSectionType type, SnpSection *ret) {
        for (size_t i = 0; i < ovmf->n_sections; i++) {
                SnpSection s = snp_ovmf_section(ovmf, i);

                if (s.type == type) {
                        *ret = s;
                        return true;
                }
        }
        return false;
}

uint64_t snp_ovmf_gpa(const SnpOvmf *ovmf) {
        return FOUR_GIB - ovmf->size;
}

const char *snp_section_name(SnpSectionType type) {
        switch (type) {
        case SNP_SECTION_SEC_MEM:
                return "sec_mem";
        case SNP_SECTION_SECRETS:
                return "secrets";
        case SNP_SECTION_CPUID:
                return "cpuid";
        case SNP_SECTION_SVSM_CAA:
                return "svsm_caa";
        case SNP_SECTION_KERNEL_HASHES:
                return "kernel_hashes";
        default:
                return "unknown";
        }
}
