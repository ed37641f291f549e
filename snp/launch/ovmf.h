/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What a firmware image says about its own launch: the table of GUIDed entries at its end, and the SEV metadata
 * that the table points to (edk2, OvmfPkg/ResetVector/Ia16/ResetVectorVtf0.asm and X64/OvmfSevMetadata.asm). The
 * Coconut SVSM's images carry the same table.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"

/* Largest image that is read. QEMU's own limit is 8 MiB unless told otherwise (pc-max-fw-size). */
#define SNP_FIRMWARE_MAX (64u << 20)

/* Types of SEV metadata sections (OvmfSevMetadata.asm). */
typedef enum SnpSectionType {
        SNP_SECTION_SEC_MEM = 0x01,
        SNP_SECTION_SECRETS = 0x02,
        SNP_SECTION_CPUID = 0x03,
        SNP_SECTION_SVSM_CAA = 0x04,
        SNP_SECTION_KERNEL_HASHES = 0x10,
} SnpSectionType;

typedef struct SnpSection {
        uint32_t gpa, size; /* multiples of SNP_PAGE_SIZE */
        SnpSectionType type;
} SnpSection;

typedef struct SnpOvmf {
        const uint8_t *data; /* borrowed */
        size_t size;         /* a multiple of SNP_PAGE_SIZE */
        uint32_t ap_reset;   /* where application processors start; 0: the image does not say */
        bool has_hash_area;
        uint32_t hash_base, hash_size; /* of the kernel hashes, guest physical; hash_base 0: unsupported */
        bool has_svsm_entry;
        uint32_t svsm_entry; /* from the start of the image, which is then an SVSM's */
        bool has_metadata;
        const uint8_t *sections; /* borrowed from data: checked, see snp_ovmf_section() */
        size_t n_sections;
} SnpOvmf;

/* What holds of any image, whatever is in it. As snp_ovmf_parse(). */
WARN_UNUSED int snp_firmware_check_size(size_t size, Error *e);

/**
 * snp_ovmf_parse() - find and check the table and the metadata of an image
 * @data: not trusted; borrowed by @ret
 *
 * Entries that are missing are no failure here: what a launch cannot do without depends on the kind of launch.
 * Of two entries with one GUID the one nearest to the end of the image counts, as for a reader that searches
 * from there. Allocates nothing.
 *
 * Return: 0; -EBADMSG with reason "firmware-not-page-multiple", "no-footer-table", "bad-footer-table" or
 * "bad-sev-metadata"; -E2BIG.
 */
WARN_UNUSED int snp_ovmf_parse(const void *data, size_t size, SnpOvmf *ret, Error *e);

/* Section @i of n_sections, in the order of the image. */
SnpSection snp_ovmf_section(const SnpOvmf *ovmf, size_t i);

/* The first section of this type; false when there is none. There is at most one for kernel hashes. */
bool snp_ovmf_find_section(const SnpOvmf *ovmf, SnpSectionType type, SnpSection *ret);

/* Where the image lies in the guest: it ends at 4 GiB. */
uint64_t snp_ovmf_gpa(const SnpOvmf *ovmf);

const char *snp_section_name(SnpSectionType type); /* "sec_mem", ... */
