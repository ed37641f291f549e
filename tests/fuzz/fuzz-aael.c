/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Measurements of the running system: an entry that is believed encodes to the very event it was read from, with the
 * digest that the log has; and a record of a pending measurement that is accepted encodes to the bytes it came from.
 */

#include <assert.h>
#include <string.h>

#include "vtpm/aael.h"
#include "vtpm/measure-pending.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_entry(const VtpmEvent *event, const VtpmAaelEntry *entry, const uint8_t *data) {
        uint8_t digest[VTPM_DIGEST_MAX];
        AUTO_BLOB Blob again = {};

        if (event->n_digests != 1)
                return; /* believed, but not of the form that we write */
        assert(vtpm_aael_encode(entry, event->pcr, event->digests[0].hash, &again, digest, NULL) == 0);
        assert(memcmp(digest, event->digests[0].bytes, event->digests[0].size) == 0);
        assert(memcmp(data + event->offset, again.data, again.size) == 0);
}

static void check_pending(const uint8_t *data, size_t size) {
        AUTO_BLOB Blob again = {};
        VtpmPending p;

        if (vtpm_pending_parse(data, size, &p, NULL) < 0)
                return;
        assert(vtpm_pending_encode(&p, &again) == 0 || size > VTPM_PENDING_SIZE_MAX);
        assert(size > VTPM_PENDING_SIZE_MAX || (again.size == size && memcmp(again.data, data, size) == 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        VtpmAaelEntry entry;
        VtpmEventLog log;
        VtpmEvent event;

        check_pending(data, size);
        if (vtpm_event_log_open(data, size, &log, NULL) < 0)
                return 0;
        while (vtpm_event_log_next(&log, &event, NULL) > 0)
                if (log.agile && event.number > 0 && vtpm_aael_parse(&event, &entry, NULL) == 0)
                        check_entry(&event, &entry, data);
        return 0;
}
