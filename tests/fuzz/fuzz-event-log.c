/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Event logs: the events that are read lie one behind the other and encode to the very bytes that came in; a log
 * that reads to its end replays, unless it lies about the startup locality; only PCRs that an event names move; and
 * descriptions are printable, whatever they describe.
 */

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/writer.h"
#include "vtpm/event-data.h"
#include "vtpm/event-log-replay.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void encode(Writer *w, const VtpmEventLog *log, const VtpmEvent *event) {
        bool agile = log->agile && event->number > 0;

        wr_le32(w, event->pcr);
        wr_le32(w, event->type);
        if (agile)
                wr_le32(w, (uint32_t) event->n_digests);
        for (size_t i = 0; i < event->n_digests; i++) {
                if (agile)
                        wr_le16(w, event->digests[i].hash);
                wr_bytes(w, event->digests[i].bytes, event->digests[i].size);
        }
        wr_le32(w, (uint32_t) event->size);
        wr_bytes(w, event->data, event->size);
}

static void inside(const VtpmEvent *event, VtpmBytes b) {
        assert(b.size == 0 || (b.data >= event->data && b.size <= event->size - (size_t) (b.data - event->data)));
}

/* A description is of what lies in the event, and safe to print. */
static void describe(const VtpmEvent *event) {
        char text[VTPM_EVENT_TEXT_MAX];
        VtpmEventProof proof;
        VtpmEventData d;

        vtpm_event_data_parse(event, &d);
        inside(event, d.name);
        inside(event, d.value);
        for (size_t i = 0; i < d.n_measured; i++)
                inside(event, d.measured[i]);
        vtpm_event_data_text(&d, text);
        assert(strlen(text) < sizeof(text));
        for (const char *p = text; *p; p++)
                assert(*p >= 0x20 && *p < 0x7f);
        for (size_t i = 0; i < event->n_digests; i++)
                if (vtpm_event_data_check(event, &d, event->digests[i].hash, &proof, NULL) == 0)
                        assert((proof == VTPM_PROOF_NONE) == (d.n_measured == 0));
}

/* Return: as the last vtpm_event_log_next(). */
static int walk(VtpmEventLog log, const uint8_t *data, size_t size, uint32_t *ret_pcrs) {
        AUTO_WRITER Writer w = wr_init(VTPM_EVENT_LOG_MAX);
        VtpmEvent event;
        Error e = {};
        int r;

        while ((r = vtpm_event_log_next(&log, &event, &e)) > 0) {
                assert(event.offset == w.size);
                encode(&w, &log, &event);
                describe(&event);
                if (event.type != VTPM_EV_NO_ACTION)
                        *ret_pcrs |= 1u << event.pcr;
        }
        assert(w.error == 0 && w.size <= size && (w.size == 0 || memcmp(w.data, data, w.size) == 0));
        for (size_t i = w.size; r == 0 && i < size; i++)
                assert(data[i] == 0xff);
        assert(r == 0 || (r == -EBADMSG && e.code == r));
        return r;
}

static void replay(const VtpmEventLog *log, uint16_t hash, int walked, uint32_t pcrs) {
        static const VtpmPcrValues untouched = { .mask = 0xeeeeeeee };
        VtpmPcrValues values = untouched;
        Error e = {};
        int r = vtpm_event_log_replay(log, hash, &values, &e);

        if (r < 0)
                assert(memcmp(&values, &untouched, sizeof(values)) == 0);
        if (walked < 0)
                assert(r < 0);
        else if (vtpm_hash_size(hash) == 0)
                assert(r == -EOPNOTSUPP);
        else if (r < 0)
                assert(strcmp(e.reason, "event-log-locality") == 0);
        else
                assert((values.mask & ~pcrs) == 0 && vtpm_event_log_explains(&values, &values) == values.mask);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        VtpmEventLog log;
        uint32_t pcrs = 0;
        int r;

        if (vtpm_event_log_open(data, size, &log, NULL) < 0)
                return 0;
        r = walk(log, data, size, &pcrs);
        for (size_t i = 0; i < log.n_algs; i++)
                replay(&log, log.algs[i].hash, r, pcrs);
        return 0;
}
