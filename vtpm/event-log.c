/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Walks a log from event to event. Nothing is kept but the position, so a log of any size costs its reader the same
 * memory, and time in proportion to its length: each byte of a header is looked at once, event data not at all.
 */

#include "vtpm/event-log.h"

#include <errno.h>
#include <string.h>

#define SHA1_SIZE 20u

/* TCG_EfiSpecIDEvent.signature of the crypto-agile format; "...00" and "...02" stand in SHA-1 logs. */
static const uint8_t spec_id_signature[16] = "Spec ID Event03";

static const struct {
        uint32_t type;
        const char *name;
} type_names[] = {
        { VTPM_EV_PREBOOT_CERT, "EV_PREBOOT_CERT" },
        { VTPM_EV_POST_CODE, "EV_POST_CODE" },
        { VTPM_EV_NO_ACTION, "EV_NO_ACTION" },
        { VTPM_EV_SEPARATOR, "EV_SEPARATOR" },
        { VTPM_EV_ACTION, "EV_ACTION" },
        { VTPM_EV_EVENT_TAG, "EV_EVENT_TAG" },
        { VTPM_EV_S_CRTM_CONTENTS, "EV_S_CRTM_CONTENTS" },
        { VTPM_EV_S_CRTM_VERSION, "EV_S_CRTM_VERSION" },
        { VTPM_EV_CPU_MICROCODE, "EV_CPU_MICROCODE" },
        { VTPM_EV_PLATFORM_CONFIG_FLAGS, "EV_PLATFORM_CONFIG_FLAGS" },
        { VTPM_EV_TABLE_OF_DEVICES, "EV_TABLE_OF_DEVICES" },
        { VTPM_EV_COMPACT_HASH, "EV_COMPACT_HASH" },
        { VTPM_EV_IPL, "EV_IPL" },
        { VTPM_EV_IPL_PARTITION_DATA, "EV_IPL_PARTITION_DATA" },
        { VTPM_EV_NONHOST_CODE, "EV_NONHOST_CODE" },
        { VTPM_EV_NONHOST_CONFIG, "EV_NONHOST_CONFIG" },
        { VTPM_EV_NONHOST_INFO, "EV_NONHOST_INFO" },
        { VTPM_EV_OMIT_BOOT_DEVICE_EVENTS, "EV_OMIT_BOOT_DEVICE_EVENTS" },
        { VTPM_EV_EFI_VARIABLE_DRIVER_CONFIG, "EV_EFI_VARIABLE_DRIVER_CONFIG" },
        { VTPM_EV_EFI_VARIABLE_BOOT, "EV_EFI_VARIABLE_BOOT" },
        { VTPM_EV_EFI_BOOT_SERVICES_APPLICATION, "EV_EFI_BOOT_SERVICES_APPLICATION" },
        { VTPM_EV_EFI_BOOT_SERVICES_DRIVER, "EV_EFI_BOOT_SERVICES_DRIVER" },
        { VTPM_EV_EFI_RUNTIME_SERVICES_DRIVER, "EV_EFI_RUNTIME_SERVICES_DRIVER" },
        { VTPM_EV_EFI_GPT_EVENT, "EV_EFI_GPT_EVENT" },
        { VTPM_EV_EFI_ACTION, "EV_EFI_ACTION" },
        { VTPM_EV_EFI_PLATFORM_FIRMWARE_BLOB, "EV_EFI_PLATFORM_FIRMWARE_BLOB" },
        { VTPM_EV_EFI_HANDOFF_TABLES, "EV_EFI_HANDOFF_TABLES" },
        { VTPM_EV_EFI_PLATFORM_FIRMWARE_BLOB2, "EV_EFI_PLATFORM_FIRMWARE_BLOB2" },
        { VTPM_EV_EFI_HANDOFF_TABLES2, "EV_EFI_HANDOFF_TABLES2" },
        { VTPM_EV_EFI_VARIABLE_BOOT2, "EV_EFI_VARIABLE_BOOT2" },
        { VTPM_EV_EFI_HCRTM_EVENT, "EV_EFI_HCRTM_EVENT" },
        { VTPM_EV_EFI_VARIABLE_AUTHORITY, "EV_EFI_VARIABLE_AUTHORITY" },
};

const char *vtpm_event_type_name(uint32_t type) {
        for (size_t i = 0; i < N_ELEMENTS(type_names); i++)
                if (type_names[i].type == type)
                        return type_names[i].name;
        return NULL;
}

static const VtpmEventAlg *find_alg(const VtpmEventLog *log, uint16_t hash) {
        for (size_t i = 0; i < log->n_algs; i++)
                if (log->algs[i].hash == hash)
                        return &log->algs[i];
        return NULL;
}

bool vtpm_event_log_has_bank(const VtpmEventLog *log, uint16_t hash) {
        return find_alg(log, hash);
}

const VtpmEventDigest *vtpm_event_digest(const VtpmEvent *event, uint16_t hash) {
        for (size_t i = 0; i < event->n_digests; i++)
                if (event->digests[i].hash == hash)
                        return &event->digests[i];
        return NULL;
}

/* TCG_EfiSpecIdEventAlgorithmSize. A size other than the algorithm's own would shift every event that follows. */
static void read_alg(Reader *r, VtpmEventLog *log) {
        VtpmEventAlg alg = { .hash = rd_le16(r), .size = rd_le16(r) };
        size_t known = alg.hash == VTPM_ALG_SM3_256 ? 32 : vtpm_hash_size(alg.hash);

        if (alg.size == 0 || alg.size > VTPM_DIGEST_MAX || (known > 0 && alg.size != known) || find_alg(log, alg.hash))
                rd_fail(r);
        else
                log->algs[log->n_algs++] = alg;
}

static int parse_spec_id(const VtpmEvent *event, VtpmEventLog *log, Error *e) {
        Reader r = rd_init(event->data, event->size);
        uint32_t n_algs;

        r.origin = event->offset + 12 + SHA1_SIZE; /* header of a SHA-1 event, and u32 size */
        rd_skip(&r, sizeof(spec_id_signature));
        log->platform_class = rd_le32(&r);
        log->spec_minor = rd_u8(&r);
        log->spec_major = rd_u8(&r);
        log->spec_errata = rd_u8(&r);
        rd_skip(&r, 1); /* uintnSize: width of a pointer in the firmware; its structures are read as 64-bit ones */
        n_algs = rd_le32(&r);
        if (n_algs == 0 || n_algs > VTPM_EVENT_ALGS_MAX)
                rd_fail(&r);
        for (uint32_t i = 0; i < n_algs && r.error == 0; i++)
                read_alg(&r, log);
        rd_skip(&r, rd_u8(&r)); /* vendorInfo */
        return rd_finish(&r, "The Spec ID event of the event log", e);
}

/* TCG_PCClientPCREvent */
static void read_sha1_event(Reader *r, VtpmEvent *event) {
        event->pcr = rd_le32(r);
        event->type = rd_le32(r);
        event->n_digests = 1;
        event->digests[0] =
                (VtpmEventDigest){ .hash = VTPM_ALG_SHA1, .size = SHA1_SIZE, .bytes = rd_take(r, SHA1_SIZE) };
        event->size = rd_le32(r);
        event->data = rd_take(r, event->size);
}

static void read_digest(Reader *r, const VtpmEventLog *log, VtpmEvent *event) {
        uint16_t hash = rd_le16(r);
        const VtpmEventAlg *alg = find_alg(log, hash);

        if (!alg || vtpm_event_digest(event, hash)) { /* of unknown length; or two digests, and who knows which */
                rd_fail(r);
                return;
        }
        event->digests[event->n_digests++] =
                (VtpmEventDigest){ .hash = hash, .size = alg->size, .bytes = rd_take(r, alg->size) };
}

/* TCG_PCR_EVENT2 */
static void read_agile_event(Reader *r, const VtpmEventLog *log, VtpmEvent *event) {
        uint32_t n_digests;

        event->pcr = rd_le32(r);
        event->type = rd_le32(r);
        event->n_digests = 0;
        n_digests = rd_le32(r);
        if (n_digests == 0 || n_digests > log->n_algs)
                rd_fail(r);
        for (uint32_t i = 0; i < n_digests && r->error == 0; i++)
                read_digest(r, log, event);
        event->size = rd_le32(r);
        event->data = rd_take(r, event->size);
}

/* Stops at the first other byte, which in an event stands within the first eight: its type is none of 0xffffffff. */
static bool only_filling_follows(const Reader *r) {
        const uint8_t *p = r->data + r->pos;

        for (size_t i = 0; i < rd_left(r); i++)
                if (p[i] != 0xff)
                        return false;
        return true;
}

static bool is_spec_id(const VtpmEvent *event) {
        return event->type == VTPM_EV_NO_ACTION && event->size >= sizeof(spec_id_signature) &&
               memcmp(event->data, spec_id_signature, sizeof(spec_id_signature)) == 0;
}

int vtpm_event_log_open(const void *data, size_t size, VtpmEventLog *ret, Error *e) {
        VtpmEventLog log = { .reader = rd_init(data, size) };
        VtpmEvent first = {};
        int r;

        if (size > VTPM_EVENT_LOG_MAX)
                return error_set(e, -E2BIG, "event-log-size", "The event log has more than %u bytes",
                                 VTPM_EVENT_LOG_MAX);
        read_sha1_event(&log.reader, &first);
        r = rd_check(&log.reader, "The event log's first event", e);
        if (r < 0)
                return r;
        if (is_spec_id(&first)) {
                log.agile = true;
                r = parse_spec_id(&first, &log, e);
                if (r < 0)
                        return r;
        } else
                log.algs[log.n_algs++] = (VtpmEventAlg){ .hash = VTPM_ALG_SHA1, .size = SHA1_SIZE };
        vtpm_event_log_rewind(&log);
        *ret = log;
        return 0;
}

void vtpm_event_log_rewind(VtpmEventLog *log) {
        log->reader.pos = 0;
        log->reader.error = 0;
        log->n_events = 0;
}

int vtpm_event_log_next(VtpmEventLog *log, VtpmEvent *ret, Error *e) {
        Reader *r = &log->reader;
        VtpmEvent event;
        int err;

        if (r->error == 0 && only_filling_follows(r))
                return 0;
        event.number = log->n_events;
        event.offset = rd_offset(r);
        if (log->agile && log->n_events > 0)
                read_agile_event(r, log, &event);
        else
                read_sha1_event(r, &event);
        if (event.pcr > VTPM_EVENT_PCR_MAX && event.type != VTPM_EV_NO_ACTION)
                rd_fail(r);
        err = rd_check(r, "The event log", e);
        if (err < 0) {
                error_prefix(e, "Event %zu", log->n_events);
                return err;
        }
        log->n_events++;
        *ret = event;
        return 1;
}
