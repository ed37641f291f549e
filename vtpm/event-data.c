/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Looks at the data of one event, by its type first and by its form where a type leaves that to its producer (EV_IPL).
 * Whatever does not fit is raw bytes and no error: firmware writes all sorts of things.
 */

#include "vtpm/event-data.h"

#include <errno.h>
#include <string.h>

#define SIGNATURE_SIZE 16u
#define GUID_SIZE 16u
#define PCR_STUB_CONFIG 12u /* systemd-stub: kernel command line, credentials */

static VtpmBytes all_of(const VtpmEvent *event) {
        return (VtpmBytes){ event->data, event->size };
}

static VtpmBytes without_nuls(VtpmBytes b) {
        while (b.size > 0 && b.data[b.size - 1] == 0)
                b.size--;
        return b;
}

static void is_measured(VtpmEventData *d, VtpmBytes bytes) {
        d->measured[d->n_measured++] = bytes;
}

/* No control characters: bytes beyond ASCII may be UTF-8. */
static bool is_text(VtpmBytes b) {
        for (size_t i = 0; i < b.size; i++)
                if ((b.data[i] < 0x20 && b.data[i] != '\n' && b.data[i] != '\t') || b.data[i] == 0x7f)
                        return false;
        return b.size > 0;
}

/* Told by the first character, which in anything we know is a Latin one. */
static bool is_text16(VtpmBytes b) {
        return b.size >= 2 && b.size % 2 == 0 && b.data[0] >= 0x20 && b.data[0] < 0x7f && b.data[1] == 0;
}

static VtpmBytes without_nul16(VtpmBytes b) {
        if (b.size >= 2 && b.data[b.size - 1] == 0 && b.data[b.size - 2] == 0)
                b.size -= 2;
        return b;
}

static void parse_text(VtpmBytes b, VtpmEventData *d) {
        VtpmBytes text = without_nuls(b);

        if (b.size % 2 && b.size > text.size + 1) /* UTF-16 with a NUL of one byte too many, by systemd-boot */
                b.size--;
        if (is_text16(b)) {
                d->kind = VTPM_DATA_TEXT16;
                d->value = without_nul16(b);
        } else if (is_text(text)) {
                d->kind = VTPM_DATA_TEXT;
                d->value = text;
        }
}

static void parse_no_action(const VtpmEvent *event, VtpmEventData *d) {
        static const uint8_t locality[SIGNATURE_SIZE] = "StartupLocality";
        VtpmBytes signature = { event->data, SIGNATURE_SIZE };

        if (event->size < SIGNATURE_SIZE || !is_text(without_nuls(signature)))
                return;
        d->kind = VTPM_DATA_SIGNATURE;
        d->value = without_nuls(signature);
        if (event->size == SIGNATURE_SIZE + 1 && memcmp(event->data, locality, sizeof(locality)) == 0) {
                d->kind = VTPM_DATA_LOCALITY;
                d->number = event->data[SIGNATURE_SIZE];
        }
}

static void parse_separator(const VtpmEvent *event, VtpmEventData *d) {
        is_measured(d, all_of(event));
        if (event->size != 4)
                return;
        d->kind = VTPM_DATA_SEPARATOR;
        d->number = load_le32(event->data);
}

/* EV_ACTION and EV_EFI_ACTION: strings that are measured without NUL. */
static void parse_action(const VtpmEvent *event, VtpmEventData *d) {
        parse_text(all_of(event), d);
        is_measured(d, without_nuls(all_of(event)));
}

/* UEFI_VARIABLE_DATA: GUID, u64 characters in the name, u64 bytes of data, name, data. */
static void parse_variable(const VtpmEvent *event, VtpmEventData *d) {
        VtpmEventData v = *d;
        Reader r = rd_init(event->data, event->size);
        uint64_t n_chars;

        rd_copy(&r, v.guid, GUID_SIZE);
        n_chars = rd_le64(&r);
        v.value.size = rd_le64(&r);
        if (n_chars > rd_left(&r) / 2)
                return;
        v.name.size = 2 * n_chars;
        v.name.data = rd_take(&r, v.name.size);
        v.value.data = rd_take(&r, v.value.size);
        if (rd_check(&r, "", NULL) < 0) /* some firmware puts more behind it */
                return;
        v.kind = VTPM_DATA_VARIABLE;
        *d = v;
}

/* What is hashed differs: EV_EFI_VARIABLE_BOOT is older firmware's, and of the value alone. */
static void parse_variable_event(const VtpmEvent *event, VtpmEventData *d) {
        parse_variable(event, d);
        if (event->type == VTPM_EV_EFI_VARIABLE_BOOT && d->kind == VTPM_DATA_VARIABLE)
                is_measured(d, d->value);
        if (event->type != VTPM_EV_EFI_VARIABLE_BOOT2)
                is_measured(d, all_of(event));
}

/* UEFI_IMAGE_LOAD_EVENT: address, length, link-time address, length of the path, path. */
static void parse_image(const VtpmEvent *event, VtpmEventData *d) {
        Reader r = rd_init(event->data, event->size);
        VtpmEventData v = *d;

        v.number = rd_le64(&r);
        v.length = rd_le64(&r);
        rd_skip(&r, 8);
        v.value.size = rd_le64(&r);
        v.value.data = rd_take(&r, v.value.size);
        if (rd_check(&r, "", NULL) < 0)
                return;
        v.kind = VTPM_DATA_IMAGE;
        *d = v;
}

/* UEFI_PLATFORM_FIRMWARE_BLOB, and in version 2 a description (u8 length) before it. */
static void parse_blob(const VtpmEvent *event, bool described, VtpmEventData *d) {
        Reader r = rd_init(event->data, event->size);
        VtpmEventData v = *d;

        if (described) {
                v.name.size = rd_u8(&r);
                v.name.data = rd_take(&r, v.name.size);
        }
        v.number = rd_le64(&r);
        v.length = rd_le64(&r);
        if (rd_finish(&r, "", NULL) < 0)
                return;
        v.name = without_nuls(v.name);
        v.kind = VTPM_DATA_BLOB;
        *d = v;
}

/* A name of the code, or the place where it is. */
static void parse_post_code(const VtpmEvent *event, VtpmEventData *d) {
        parse_text(all_of(event), d);
        if (d->kind == VTPM_DATA_RAW)
                parse_blob(event, false, d);
}

/* TCG_PCClientTaggedEvent: id, length, data. */
static void parse_tag(const VtpmEvent *event, VtpmEventData *d) {
        Reader r = rd_init(event->data, event->size);
        VtpmEventData v = *d;

        v.number = rd_le32(&r);
        v.value.size = rd_le32(&r);
        v.value.data = rd_take(&r, v.value.size);
        if (rd_finish(&r, "", NULL) < 0)
                return;
        v.kind = VTPM_DATA_TAG;
        if (v.number == VTPM_EVENT_TAG_AAEL)
                is_measured(&v, all_of(event));
        *d = v;
}

/* "grub_cmd: TEXT", of which TEXT is measured. */
static bool parse_grub(VtpmBytes text, VtpmEventData *d) {
        static const char *const prefixes[] = { "grub_cmd: ", "kernel_cmdline: ", "module_cmdline: " };

        for (size_t i = 0; i < N_ELEMENTS(prefixes); i++) {
                size_t n = strlen(prefixes[i]);

                if (text.size < n || memcmp(text.data, prefixes[i], n) != 0)
                        continue;
                d->kind = VTPM_DATA_GRUB;
                d->name = (VtpmBytes){ text.data, n - strlen(": ") };
                d->value = (VtpmBytes){ text.data + n, text.size - n };
                is_measured(d, d->value);
                return true;
        }
        return false;
}

/* Texts by GRUB, shim and systemd-stub. systemd releases differ in whether the command line's NUL is measured. */
static void parse_ipl(const VtpmEvent *event, VtpmEventData *d) {
        if (parse_grub(without_nuls(all_of(event)), d))
                return;
        parse_text(all_of(event), d);
        if (d->kind == VTPM_DATA_TEXT16 && event->pcr == PCR_STUB_CONFIG) {
                is_measured(d, all_of(event));
                is_measured(d, d->value);
        }
}

static void parse_by_type(const VtpmEvent *event, VtpmEventData *d) {
        switch (event->type) {
        case VTPM_EV_NO_ACTION:
                parse_no_action(event, d);
                break;
        case VTPM_EV_SEPARATOR:
                parse_separator(event, d);
                break;
        case VTPM_EV_ACTION:
        case VTPM_EV_EFI_ACTION:
                parse_action(event, d);
                break;
        case VTPM_EV_EFI_VARIABLE_DRIVER_CONFIG:
        case VTPM_EV_EFI_VARIABLE_BOOT:
        case VTPM_EV_EFI_VARIABLE_BOOT2:
        case VTPM_EV_EFI_VARIABLE_AUTHORITY:
                parse_variable_event(event, d);
                break;
        case VTPM_EV_EFI_BOOT_SERVICES_APPLICATION:
        case VTPM_EV_EFI_BOOT_SERVICES_DRIVER:
        case VTPM_EV_EFI_RUNTIME_SERVICES_DRIVER:
                parse_image(event, d);
                break;
        case VTPM_EV_EFI_PLATFORM_FIRMWARE_BLOB:
        case VTPM_EV_EFI_PLATFORM_FIRMWARE_BLOB2:
                parse_blob(event, event->type == VTPM_EV_EFI_PLATFORM_FIRMWARE_BLOB2, d);
                break;
        case VTPM_EV_POST_CODE:
                parse_post_code(event, d);
                break;
        case VTPM_EV_EVENT_TAG:
                parse_tag(event, d);
                break;
        case VTPM_EV_IPL:
                parse_ipl(event, d);
                break;
        case VTPM_EV_S_CRTM_CONTENTS:
        case VTPM_EV_S_CRTM_VERSION:
        case VTPM_EV_NONHOST_INFO:
        case VTPM_EV_EFI_HCRTM_EVENT:
        case VTPM_EV_PLATFORM_CONFIG_FLAGS:
        case VTPM_EV_COMPACT_HASH:
        case VTPM_EV_OMIT_BOOT_DEVICE_EVENTS:
                parse_text(all_of(event), d);
                break;
        default:
                break;
        }
}

void vtpm_event_data_parse(const VtpmEvent *event, VtpmEventData *ret) {
        VtpmEventData d = {};

        parse_by_type(event, &d);
        if (d.kind == VTPM_DATA_RAW)
                d.value = all_of(event);
        *ret = d;
}

int vtpm_event_data_check(const VtpmEvent *event, const VtpmEventData *data, uint16_t hash, VtpmEventProof *ret,
                          Error *e) {
        const VtpmEventDigest *digest = vtpm_event_digest(event, hash);
        VtpmEventProof proof = data->n_measured > 0 ? VTPM_PROOF_DIFFERS : VTPM_PROOF_NONE;
        uint8_t bytes[VTPM_DIGEST_MAX];

        if (!digest)
                return error_set(e, -ENOENT, "event-log-bank", "Event %zu has no digest of bank %s", event->number,
                                 vtpm_hash_name(hash));
        for (size_t i = 0; i < data->n_measured; i++) {
                int r = vtpm_hash_bytes(hash, data->measured[i].data, data->measured[i].size, bytes, e);

                if (r < 0)
                        return r;
                if (memcmp(bytes, digest->bytes, digest->size) == 0)
                        proof = VTPM_PROOF_MATCHES;
        }
        *ret = proof;
        return 0;
}

const char *vtpm_event_proof_name(VtpmEventProof proof) {
        switch (proof) {
        case VTPM_PROOF_MATCHES:
                return "matches";
        case VTPM_PROOF_DIFFERS:
                return "differs";
        case VTPM_PROOF_NONE:
        default:
                return "unknown";
        }
}
