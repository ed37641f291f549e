/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A file is a fixed header, a run of variable headers (type, length, content) and file data that they point into.
 * There is one walk over the variable headers: without a guest context it checks, with one it measures, so that
 * nothing can be measured that was not checked in the same way.
 */

#include "snp/launch/igvm.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/reader.h"

#define IGVM_MAGIC 0x4D564749 /* "IGVM" */
#define IGVM_ARCHITECTURE_X64 0
#define FIXED_HEADER_SIZE 24
#define FIXED_HEADER_SIZE_V2 32
#define CHECKSUM_AT 20
#define HEADER_ALIGN 8
#define OPTIONAL_BIT 0x80000000u
#define PLATFORM_SEV_SNP 2
#define SUPPORTED_PLATFORM_VERSION 1
#define PAGES_PER_2M 512
#define VMSA_CR0 0x158 /* Programmer's Manual, volume 2, table B-4 */

/* IGVM_VHT_*, in three ranges that follow each other in a file. */
enum {
        RANGE_PLATFORM_END = 0x100,
        RANGE_INIT_END = 0x200,
        RANGE_DIRECTIVE = 0x301,
        RANGE_DIRECTIVE_END = 0x400,

        VHT_SUPPORTED_PLATFORM = 0x1,
        VHT_GUEST_POLICY = 0x101,
        VHT_RELOCATABLE_REGION = 0x102,
        VHT_PAGE_TABLE_RELOCATION_REGION = 0x103,
        VHT_CORIM_DOCUMENT = 0x104,
        VHT_CORIM_SIGNATURE = 0x105,
        VHT_CCA_POLICY = 0x106,
        VHT_PARAMETER_AREA = 0x301,
        VHT_PAGE_DATA = 0x302,
        VHT_PARAMETER_INSERT = 0x303,
        VHT_VP_CONTEXT = 0x304,
        VHT_REQUIRED_MEMORY = 0x305,
        VHT_VP_COUNT = 0x307,
        VHT_SRAT = 0x308,
        VHT_MADT = 0x309,
        VHT_MMIO_RANGES = 0x30A,
        VHT_SNP_ID_BLOCK = 0x30B,
        VHT_MEMORY_MAP = 0x30C,
        VHT_ERROR_RANGE = 0x30D,
        VHT_COMMAND_LINE = 0x30E,
        VHT_SLIT = 0x30F,
        VHT_PPTT = 0x310,
        VHT_VBS_MEASUREMENT = 0x311,
        VHT_DEVICE_TREE = 0x312,
        VHT_ENVIRONMENT_INFO = 0x313,
};

/* IgvmPageDataFlags and IgvmPageDataType */
enum {
        PAGE_2M = 1 << 0,
        PAGE_UNMEASURED = 1 << 1,
        PAGE_SHARED = 1 << 2,
        PAGE_FLAGS = PAGE_2M | PAGE_UNMEASURED | PAGE_SHARED,

        DATA_NORMAL = 0,
        DATA_SECRETS = 1,
        DATA_CPUID = 2,
        DATA_CPUID_XF = 3,
};

typedef struct Area {
        uint32_t index;
        uint64_t n_pages;
} Area;

typedef struct Walk {
        SnpIgvm *igvm; /* fields are filled in on the checking walk */
        SnpGctx *g;    /* NULL: check only */
        const SnpStages *stages;
        bool native_zero;
        unsigned range; /* of the header before */
        Area areas[SNP_IGVM_AREAS_MAX];
        size_t n_areas;
        bool kvm_vmsa, page_after_vmsa;
} Walk;

static void tell(const Walk *w, const char *what, uint64_t gpa) {
        char name[48];

        if (!w->stages)
                return;
        (void) snprintf(name, sizeof(name), "%s@0x%" PRIx64, what, gpa);
        w->stages->add(w->stages->user, name, w->g->ld);
}

/* @n bytes of file data; NULL and a failed reader when they lie elsewhere. */
static const uint8_t *file_data(const Walk *w, Reader *r, uint32_t offset, size_t n) {
        const Reader file = rd_init(w->igvm->data, w->igvm->size);
        Reader data = rd_at(&file, offset, n);
        const uint8_t *p = offset >= w->igvm->data_at ? rd_take(&data, n) : NULL;

        if (!p)
                rd_fail(r);
        return p;
}

static void supported_platform(Walk *w, Reader *r) {
        uint32_t mask = rd_le32(r);
        uint8_t platform;
        uint16_t version;

        rd_skip(r, 1); /* highest_vtl */
        platform = rd_u8(r);
        version = rd_le16(r);
        rd_skip(r, 8); /* shared_gpa_boundary */
        if (mask == 0 || (mask & (mask - 1)) != 0)
                rd_fail(r);
        if (platform != PLATFORM_SEV_SNP)
                return;
        if (version != SUPPORTED_PLATFORM_VERSION || (w->igvm->mask && !w->g))
                rd_fail(r); /* two of them would be two launches */
        w->igvm->mask = mask;
}

static void guest_policy(Walk *w, Reader *r) {
        uint64_t policy = rd_le64(r);
        uint32_t mask = rd_le32(r);

        rd_zero(r, 4);
        if (!(mask & w->igvm->mask))
                return;
        if (w->igvm->has_policy && !w->g)
                rd_fail(r);
        w->igvm->has_policy = true;
        w->igvm->policy = policy;
}

/* Regions that a loader may move: where to is not in the file. Neither applies to SNP. */
static void relocation(Walk *w, Reader *r) {
        uint32_t mask = rd_le32(r);

        rd_skip(r, rd_left(r));
        if (mask & w->igvm->mask)
                rd_fail(r);
}

static const Area *find_area(const Walk *w, uint32_t index) {
        for (size_t i = 0; i < w->n_areas; i++)
                if (w->areas[i].index == index)
                        return &w->areas[i];
        return NULL;
}

static void parameter_area(Walk *w, Reader *r) {
        uint64_t bytes = rd_le64(r);
        uint32_t index = rd_le32(r);
        uint32_t offset = rd_le32(r);

        /* Page-aligned by the definition. What it is filled with initially is not measured, but must be there. */
        if (bytes % SNP_PAGE_SIZE != 0 || find_area(w, index) || w->n_areas == SNP_IGVM_AREAS_MAX)
                rd_fail(r);
        if (offset != 0)
                (void) file_data(w, r, offset, bytes);
        if (r->error == 0)
                w->areas[w->n_areas++] = (Area){ index, bytes / SNP_PAGE_SIZE };
}

/* An area has less than 2^52 pages and a file less than 2^24 headers, but the sum must not come near 2^64. */
static void count_pages(Walk *w, uint64_t n) {
        if (w->g)
                return;
        w->igvm->n_pages += n > SNP_LAUNCH_PAGES_MAX ? SNP_LAUNCH_PAGES_MAX + 1 : n;
        w->page_after_vmsa |= w->igvm->n_vmsas > 0;
}

static void parameter_insert(Walk *w, Reader *r) {
        uint64_t gpa = rd_le64(r);
        uint32_t mask = rd_le32(r);
        const Area *area = find_area(w, rd_le32(r));

        if (!(mask & w->igvm->mask))
                return;
        if (!area || gpa % SNP_PAGE_SIZE != 0) {
                rd_fail(r);
                return;
        }
        count_pages(w, area->n_pages);
        if (w->g) {
                snp_gctx_empty(w->g, SNP_PAGE_UNMEASURED, gpa, area->n_pages);
                tell(w, "param_insert", gpa);
        }
}

/* A page without data is full of zeros. */
static void measure_normal(Walk *w, uint64_t gpa, const uint8_t *data, size_t n_pages) {
        static const uint8_t zeros[SNP_PAGE_SIZE];
        uint8_t hash[SNP_LD_SIZE];

        if (data) {
                snp_gctx_data(w->g, gpa, data, n_pages * SNP_PAGE_SIZE);
                return;
        }
        if (w->native_zero) {
                snp_gctx_empty(w->g, SNP_PAGE_ZERO, gpa, n_pages);
                return;
        }
        snp_gctx_hash(w->g, zeros, sizeof(zeros), hash);
        for (size_t i = 0; i < n_pages; i++)
                snp_gctx_page(w->g, SNP_PAGE_NORMAL, gpa + i * SNP_PAGE_SIZE, hash);
}

static void measure_page(Walk *w, uint64_t gpa, uint32_t flags, uint16_t type, const uint8_t *data) {
        size_t n_pages = flags & PAGE_2M ? PAGES_PER_2M : 1;

        if (type == DATA_SECRETS)
                snp_gctx_empty(w->g, SNP_PAGE_SECRETS, gpa, n_pages);
        else if (type != DATA_NORMAL)
                snp_gctx_empty(w->g, SNP_PAGE_CPUID, gpa, n_pages);
        else if (flags & PAGE_UNMEASURED)
                snp_gctx_empty(w->g, SNP_PAGE_UNMEASURED, gpa, n_pages);
        else
                measure_normal(w, gpa, data, n_pages);
        tell(w, "page", gpa);
}

static void page_data(Walk *w, Reader *r) {
        uint64_t gpa = rd_le64(r);
        uint32_t mask = rd_le32(r), offset = rd_le32(r), flags = rd_le32(r);
        uint16_t type = rd_le16(r);
        size_t size = flags & PAGE_2M ? PAGES_PER_2M * SNP_PAGE_SIZE : SNP_PAGE_SIZE;
        const uint8_t *data = NULL;

        rd_zero(r, 2);
        if (!(mask & w->igvm->mask))
                return;
        if (gpa % size != 0 || flags & ~(unsigned) PAGE_FLAGS || type > DATA_CPUID_XF ||
            (flags & PAGE_2M && type != DATA_NORMAL))
                rd_fail(r);
        if (offset != 0)
                data = file_data(w, r, offset, size);
        if (r->error < 0 || flags & PAGE_SHARED) /* shared pages are the host's and never become private */
                return;
        count_pages(w, size / SNP_PAGE_SIZE);
        if (w->g)
                measure_page(w, gpa, flags, type, data);
}

static void vp_context(Walk *w, Reader *r) {
        uint64_t gpa = rd_le64(r);
        uint32_t mask = rd_le32(r), offset = rd_le32(r);
        uint16_t index = rd_le16(r);
        uint8_t hash[SNP_LD_SIZE];
        const uint8_t *vmsa;
        char name[16];

        rd_zero(r, 2);
        if (!(mask & w->igvm->mask))
                return;
        vmsa = file_data(w, r, offset, SNP_PAGE_SIZE);
        if (gpa % SNP_PAGE_SIZE != 0)
                rd_fail(r);
        if (r->error < 0)
                return;
        if (!w->g) {
                /* KVM measures the VMSA of the boot processor itself, at the end, and sets CR0 as it must be. */
                uint64_t cr0 = load_le64(vmsa + VMSA_CR0);

                w->igvm->n_vmsas++;
                w->igvm->n_pages++;
                w->kvm_vmsa = gpa == SNP_VMSA_GPA && index == 0 && (cr0 == 0x31 || cr0 == 0x30);
                return;
        }
        snp_gctx_hash(w->g, vmsa, SNP_PAGE_SIZE, hash);
        snp_gctx_page(w->g, SNP_PAGE_VMSA, gpa, hash);
        (void) snprintf(name, sizeof(name), "vmsa%u", index);
        if (w->stages)
                w->stages->add(w->stages->user, name, w->g->ld);
}

static void id_block(Walk *w, Reader *r) {
        const uint8_t *p = rd_take(r, SNP_IGVM_ID_BLOCK_SIZE);

        if (!p || !(load_le32(p) & w->igvm->mask))
                return;
        if (w->igvm->id_block && !w->g)
                rd_fail(r);
        w->igvm->id_block = p;
}

static void not_measured(Walk *w, Reader *r) {
        (void) w;
        rd_skip(r, rd_left(r));
}

static const struct Kind {
        uint32_t type;
        uint32_t length; /* of the content, exact; 0: any, as it belongs to other platforms */
        void (*take)(Walk *w, Reader *r);
} kinds[] = {
        { VHT_SUPPORTED_PLATFORM, 16, supported_platform },
        { VHT_GUEST_POLICY, 16, guest_policy },
        { VHT_RELOCATABLE_REGION, 48, relocation },
        { VHT_PAGE_TABLE_RELOCATION_REGION, 32, relocation },
        { VHT_CORIM_DOCUMENT, 0, not_measured },
        { VHT_CORIM_SIGNATURE, 0, not_measured },
        { VHT_CCA_POLICY, 0, not_measured },
        { VHT_PARAMETER_AREA, 16, parameter_area },
        { VHT_PAGE_DATA, 24, page_data },
        { VHT_PARAMETER_INSERT, 16, parameter_insert },
        { VHT_VP_CONTEXT, 20, vp_context },
        { VHT_REQUIRED_MEMORY, 24, not_measured },
        { VHT_VP_COUNT, 8, not_measured },
        { VHT_SRAT, 8, not_measured },
        { VHT_MADT, 8, not_measured },
        { VHT_MMIO_RANGES, 8, not_measured },
        { VHT_SNP_ID_BLOCK, SNP_IGVM_ID_BLOCK_SIZE, id_block },
        { VHT_MEMORY_MAP, 8, not_measured },
        { VHT_ERROR_RANGE, 16, not_measured },
        { VHT_COMMAND_LINE, 8, not_measured },
        { VHT_SLIT, 8, not_measured },
        { VHT_PPTT, 8, not_measured },
        { VHT_VBS_MEASUREMENT, 0, not_measured },
        { VHT_DEVICE_TREE, 8, not_measured },
        { VHT_ENVIRONMENT_INFO, 8, not_measured },
};

static const struct Kind *find_kind(uint32_t type) {
        for (size_t i = 0; i < N_ELEMENTS(kinds); i++)
                if (kinds[i].type == type)
                        return &kinds[i];
        return NULL;
}

static unsigned range_of(uint32_t type) {
        if (type >= 1 && type <= RANGE_PLATFORM_END)
                return 1;
        if (type > RANGE_PLATFORM_END && type <= RANGE_INIT_END)
                return 2;
        return type >= RANGE_DIRECTIVE && type <= RANGE_DIRECTIVE_END ? 3 : 0;
}

/* One variable header. Unknown ones may be skipped only when they say so. */
static void take_header(Walk *w, Reader *r) {
        uint32_t tag = rd_le32(r), type = tag & ~OPTIONAL_BIT, length = rd_le32(r);
        unsigned range = range_of(type);
        const struct Kind *kind = find_kind(type);
        Reader content = rd_sub(r, length);

        rd_zero(r, (HEADER_ALIGN - length % HEADER_ALIGN) % HEADER_ALIGN);
        if (range == 0 || range < w->range || (!kind && !(tag & OPTIONAL_BIT)) ||
            (kind && kind->length && length != kind->length)) {
                rd_fail(r);
                return;
        }
        w->range = range;
        if (!kind || r->error < 0)
                return;
        kind->take(w, &content);
        if (content.error < 0)
                rd_fail(r);
}

static int bad(Error *e, const char *fmt, ...) __attribute__((__format__(__printf__, 2, 3)));

static int bad(Error *e, const char *fmt, ...) {
        char text[160];
        va_list ap;

        va_start(ap, fmt);
        (void) vsnprintf(text, sizeof(text), fmt, ap);
        va_end(ap);
        return error_set(e, -EBADMSG, "bad-igvm", "IGVM file: %s", text);
}

static int walk_headers(Walk *w, Error *e) {
        const Reader file = rd_init(w->igvm->data, w->igvm->size);
        Reader r = rd_at(&file, w->igvm->headers_at, w->igvm->headers_size);

        while (r.error == 0 && rd_left(&r) > 0) {
                size_t at = rd_offset(&r);

                take_header(w, &r);
                if (r.error < 0)
                        return bad(e, "the variable header at offset %zu is malformed, or of an unknown kind", at);
        }
        return r.error;
}

/* CRC-32 of IEEE 802.3, section 3.2.9, four bits at a time. */
static uint32_t crc32_add(uint32_t crc, const uint8_t *p, size_t n) {
        static const uint32_t table[16] = {
                0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
                0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c, 0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
        };

        crc = ~crc;
        for (size_t i = 0; i < n; i++) {
                crc = table[(crc ^ p[i]) & 0xF] ^ crc >> 4;
                crc = table[(crc ^ (uint32_t) p[i] >> 4) & 0xF] ^ crc >> 4;
        }
        return ~crc;
}

/* Over the fixed header with its checksum taken as zero, and the variable headers. */
static uint32_t checksum_of(const SnpIgvm *igvm, size_t fixed_size) {
        uint8_t fixed[FIXED_HEADER_SIZE_V2];

        (void) memcpy(fixed, igvm->data, fixed_size);
        (void) memset(fixed + CHECKSUM_AT, 0, 4);
        return crc32_add(crc32_add(0, fixed, fixed_size), igvm->data + igvm->headers_at, igvm->headers_size);
}

static int parse_fixed_header(SnpIgvm *igvm, Error *e) {
        Reader r = rd_init(igvm->data, igvm->size);
        uint32_t magic = rd_le32(&r), version = rd_le32(&r), headers_at = rd_le32(&r), headers_size = rd_le32(&r);
        uint32_t total = rd_le32(&r), checksum = rd_le32(&r);
        size_t fixed_size = version == 2 ? FIXED_HEADER_SIZE_V2 : FIXED_HEADER_SIZE;

        if (magic != IGVM_MAGIC || (version != 1 && version != 2))
                return bad(e, "no magic number, or not of version 1 or 2");
        if (version == 2 && (rd_le32(&r) != IGVM_ARCHITECTURE_X64 || rd_le32(&r) != SNP_PAGE_SIZE))
                rd_fail(&r);
        if (r.error < 0 || total != igvm->size || headers_at < fixed_size || headers_at % HEADER_ALIGN != 0 ||
            headers_at > total || headers_size > total - headers_at)
                return bad(e, "a malformed fixed header, or not the whole file");
        igvm->headers_at = headers_at;
        igvm->headers_size = headers_size;
        igvm->data_at = headers_at + headers_size;
        if (checksum != checksum_of(igvm, fixed_size))
                return bad(e, "wrong checksum");
        return 0;
}

int snp_igvm_parse(const void *data, size_t size, SnpIgvm *ret, Error *e) {
        SnpIgvm igvm = { .data = data, .size = size };
        Walk w = { .igvm = &igvm };
        int r;

        if (size > SNP_IGVM_FILE_MAX)
                return error_set(e, -E2BIG, "igvm-too-large", "The IGVM file has %zu bytes; %u are the limit", size,
                                 SNP_IGVM_FILE_MAX);
        r = parse_fixed_header(&igvm, e);
        if (r == 0)
                r = walk_headers(&w, e);
        if (r < 0)
                return r;
        if (!igvm.mask)
                return error_set(e, -EBADMSG, "no-snp-platform", "The IGVM file is not for SEV-SNP");
        if (!igvm.has_policy)
                return bad(e, "no guest policy for SEV-SNP");
        if (igvm.n_pages > SNP_LAUNCH_PAGES_MAX)
                return error_set(e, -E2BIG, "too-many-pages", "The IGVM file describes a launch of more than %llu pages",
                                 (unsigned long long) SNP_LAUNCH_PAGES_MAX);
        igvm.fits_kvm = igvm.n_vmsas == 1 && w.kvm_vmsa && !w.page_after_vmsa;
        *ret = igvm;
        return 0;
}

int snp_igvm_measure(const SnpIgvm *igvm, bool native_zero, const SnpStages *stages, SnpLaunchDigest *ret, Error *e) {
        AUTO_SNP_GCTX SnpGctx g = {};
        SnpIgvm again = *igvm; /* the walk writes what it finds, which is the same */
        Walk w = { .igvm = &again, .g = &g, .stages = stages, .native_zero = native_zero };
        int r = snp_gctx_init(&g, e);

        if (r == 0)
                r = walk_headers(&w, e);
        if (r == 0)
                r = snp_gctx_check(&g, e);
        if (r < 0)
                return r;
        ret->size = SNP_LD_SIZE;
        (void) memcpy(ret->bytes, g.ld, SNP_LD_SIZE);
        return 0;
}
