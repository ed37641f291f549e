/* SPDX-License-Identifier: Apache-2.0 */
/* Entries as Confidential Containers' own attestation agent writes them. */
#include <errno.h>
#include <string.h>

#include "base/hex.h"
#include "base/json.h"
#include "base/writer.h"
#include "tests/unit/unit.h"
#include "vtpm/aael.h"
#include "vtpm/event-log-replay.h"

static VtpmAaelText text_of(const char *s) {
        return (VtpmAaelText){ s, strlen(s) };
}

static bool text_is(VtpmAaelText t, const char *want) {
        return t.len == strlen(want) && memcmp(t.text, want, t.len) == 0;
}

static VtpmAaelEntry entry_of(const char *domain, const char *operation, const char *content) {
        return (VtpmAaelEntry){ text_of(domain), text_of(operation), text_of(content) };
}

/* A log of that one bank that holds @event and nothing else. */
static Blob log_of(uint16_t hash, const void *event, size_t size) {
        uint8_t header[VTPM_AAEL_HEADER_SIZE];
        Writer w = wr_init(1u << 20);
        Blob b = {};

        vtpm_aael_header(hash, header);
        wr_bytes(&w, header, sizeof(header));
        wr_bytes(&w, event, size);
        ck_assert_int_eq(wr_finish(&w, &b), 0);
        return b;
}

static void second_event(const Blob *bytes, VtpmEventLog *log, VtpmEvent *ret) {
        Error e = {};

        ck_assert_msg(vtpm_event_log_open(bytes->data, bytes->size, log, &e) == 0, "%s", e.text);
        ck_assert(log->agile);
        ck_assert_uint_eq(log->n_algs, 1);
        ck_assert_int_eq(vtpm_event_log_next(log, ret, &e), 1);
        ck_assert_msg(vtpm_event_log_next(log, ret, &e) == 1, "%s", e.text);
}

static const char *member(json_object *o, const char *name) {
        json_object *v = NULL;

        ck_assert(json_object_object_get_ex(o, name, &v));
        return json_object_get_string(v);
}

static void check_vector(json_object *v) {
        VtpmAaelEntry entry = entry_of(member(v, "domain"), member(v, "operation"), member(v, "content")), back;
        AUTO_BLOB Blob event = {}, want = {}, digest_want = {}, pcr_want = {}, bytes = {};
        uint8_t digest[VTPM_DIGEST_MAX];
        json_object *pcr = NULL;
        VtpmPcrValues values;
        VtpmEventLog log;
        VtpmEvent ev;
        uint16_t hash;
        Error e = {};

        ck_assert_int_eq(vtpm_hash_from_name(member(v, "hash"), &hash, &e), 0);
        ck_assert(json_object_object_get_ex(v, "measurement_register", &pcr));
        ck_assert_int_eq(hex_decode(member(v, "entry_hex"), strlen(member(v, "entry_hex")), 65536, &want), 0);
        ck_assert_int_eq(hex_decode(member(v, "event_digest_hex"), strlen(member(v, "event_digest_hex")), 64,
                                    &digest_want), 0);
        ck_assert_int_eq(vtpm_aael_encode(&entry, (uint32_t) json_object_get_int(pcr), hash, &event, digest, &e), 0);
        ck_assert(blob_equal(&event, &want));
        ck_assert_uint_eq(digest_want.size, vtpm_hash_size(hash));
        ck_assert_mem_eq(digest, digest_want.data, digest_want.size);
        bytes = log_of(hash, event.data, event.size);
        second_event(&bytes, &log, &ev);
        ck_assert_int_eq(vtpm_aael_parse(&ev, &back, &e), 0);
        ck_assert(text_is(back.content, member(v, "content")));
        /* The recorded value begins from zero, PCR 17 of a TPM does not: replayed as PCR 8. */
        event.data[0] = 8;
        blob_done(&bytes);
        bytes = log_of(hash, event.data, event.size);
        second_event(&bytes, &log, &ev);
        ck_assert_int_eq(vtpm_event_log_replay(&log, hash, &values, &e), 0);
        ck_assert_int_eq(hex_decode(member(v, "pcr_after_from_zero_hex"), strlen(member(v, "pcr_after_from_zero_hex")),
                                    64, &pcr_want), 0);
        ck_assert_mem_eq(values.values[8], pcr_want.data, pcr_want.size);
}

START_TEST(recorded_entries_are_ours_to_the_byte) {
        AUTO_BLOB Blob text = {};
        AUTO_JSON json_object *o = NULL;
        json_object *list = NULL;
        Error e = {};

        text = vector_read("kbs/aael.json");
        ck_assert_msg(json_parse(text.data, text.size, "aael.json", &o, &e) == 0, "%s", e.text);
        ck_assert(json_object_object_get_ex(o, "vectors", &list));
        ck_assert_uint_gt(json_object_array_length(list), 0);
        for (size_t i = 0; i < json_object_array_length(list); i++)
                check_vector(json_object_array_get_idx(list, i));
}
END_TEST

int main(void) {
        Suite *s;
        TCase *t;

        if (!vectors_dir())
                return unit_skip("recorded vectors are not here");
        s = suite_create("vtpm-aael-recorded");
        t = tcase_create("recorded");
        tcase_add_test(t, recorded_entries_are_ours_to_the_byte);
        suite_add_tcase(s, t);
        return unit_run(s);
}
