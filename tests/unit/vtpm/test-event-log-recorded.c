/* SPDX-License-Identifier: Apache-2.0 */

/* Event logs of real machines: structure and PCR values as their manifest says. */

#include <errno.h>
#include <json-c/linkhash.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/hex.h"
#include "base/json.h"
#include "base/text.h"
#include "tests/unit/unit.h"
#include "tests/unit/vtpm/recorded.h"
#include "vtpm/event-data.h"
#include "vtpm/event-log-diff.h"
#include "vtpm/event-log-replay.h"

static const char *const files[] = {
        "arch-workstation.bin", "ccel-aael.bin", "gce-cos101-sev.bin", "gce-debian10-sha1.bin", "gce-rhel8.bin",
        "gce-sp800155.bin", "gce-ubuntu1804-sev.bin", "gce-ubuntu2104-nosb.bin", "gce-ubuntu2404-snp.bin", "hcrtm.b64",
        "host-startup-locality3.bin", "pc-optionrom-sha1.bin", "postcode.bin", "sb-cert.bin", "sdboot-fedora37.bin",
        "short-no-action.bin", "uefi-sha1.bin", "unit-event-uefiaction.bin", "unit-event-uefiservices.bin",
        "unit-event-uefivar.bin", "unit-event.bin", "unit-specid-vendordata-ok.b64",
};

/* Base64 in lines. */
static Blob decoded(Blob *text) {
        size_t n = 0;
        Blob b = {};

        for (size_t i = 0; i < text->size; i++)
                if (text->data[i] != '\n' && text->data[i] != '\r')
                        text->data[n++] = text->data[i];
        ck_assert_int_eq(base64_decode(BASE64_STD, (const char *) text->data, n, 1u << 20, &b), 0);
        blob_done(text);
        return b;
}

static Blob log_read(const char *file) {
        char path[128];
        Blob b;

        (void) snprintf(path, sizeof(path), "vtpm/eventlog/%s", file);
        b = vector_read(path);
        return strstr(file, ".b64") ? decoded(&b) : b;
}

static json_object *expected(json_object *manifest, const char *file) {
        char name[128];

        (void) snprintf(name, sizeof(name), "eventlog/%s", file);
        return recorded_expected(manifest, name);
}

static uint64_t number_of(const char *text) {
        uint64_t n = 0;

        ck_assert_int_eq(text_to_u64(text, 0, 0, UINT32_MAX, &n), 0);
        return n;
}

static void compare_header(const char *file, const VtpmEventLog *log, json_object *want) {
        const char *format = NULL, *spec = NULL;
        json_object *banks = NULL;
        char version[32];

        ck_assert_int_eq(json_get_str(want, "format", 64, &format, NULL), 0);
        ck_assert_int_eq(json_get_str(want, "spec", 64, &spec, NULL), 0);
        ck_assert_int_eq(json_get_opt_obj(want, "banks", &banks, NULL), 0);
        ck_assert_msg(log->agile == (strcmp(format, "crypto-agile") == 0), "%s", file);
        if (!log->agile)
                return;
        (void) snprintf(version, sizeof(version), "%u.%u.%u", log->spec_major, log->spec_minor, log->spec_errata);
        ck_assert_str_eq(version, spec);
        ck_assert_uint_eq(log->n_algs, (size_t) json_object_object_length(banks));
        for (size_t i = 0; i < log->n_algs; i++) {
                char name[16];
                uint64_t size = 0;

                (void) snprintf(name, sizeof(name), "0x%x", log->algs[i].hash);
                ck_assert_int_eq(json_get_u64(banks, name, 64, &size, NULL), 0);
                ck_assert_uint_eq(log->algs[i].size, size);
        }
}

static size_t count_type(VtpmEventLog log, uint64_t type, size_t *ret_total) {
        size_t n = 0;
        VtpmEvent event;
        Error e = {};
        int r;

        *ret_total = 0;
        while ((r = vtpm_event_log_next(&log, &event, &e)) > 0) {
                n += event.type == type;
                ++*ret_total;
        }
        ck_assert_msg(r == 0, "%s", e.text);
        return n;
}

START_TEST(structure_is_what_the_manifest_says) {
        AUTO_JSON json_object *manifest = recorded_manifest();
        json_object *want = expected(manifest, files[_i]), *types = NULL;
        AUTO_BLOB Blob b = log_read(files[_i]);
        uint64_t n_events = 0;
        VtpmEventLog log;
        size_t total;
        Error e = {};

        ck_assert_msg(vtpm_event_log_open(b.data, b.size, &log, &e) == 0, "%s: %s", files[_i], e.text);
        compare_header(files[_i], &log, want);
        ck_assert_int_eq(json_get_u64(want, "events", 100000, &n_events, NULL), 0);
        (void) count_type(log, 0, &total);
        ck_assert_msg(total == n_events, "%s: %zu events", files[_i], total);
        ck_assert_int_eq(json_get_obj(want, "event_types", &types, NULL), 0);
        json_object_object_foreach(types, name, count)
                ck_assert_msg(count_type(log, number_of(name), &total) == (size_t) json_object_get_int(count),
                              "%s: type %s", files[_i], name);
} END_TEST

static void compare_bank(const char *file, const VtpmEventLog *log, const char *name, json_object *want) {
        VtpmPcrValues pcrs = {};
        uint32_t mask = 0;
        uint16_t hash = 0;
        Error e = {};

        ck_assert_int_eq(vtpm_hash_from_name(name, &hash, NULL), 0);
        ck_assert_msg(vtpm_event_log_replay(log, hash, &pcrs, &e) == 0, "%s: %s", file, e.text);
        json_object_object_foreach(want, number, value) {
                uint64_t pcr = number_of(number);
                char hex[2 * VTPM_DIGEST_MAX + 1];

                ck_assert_uint_lt(pcr, VTPM_N_PCRS);
                hex_encode_to(pcrs.values[pcr], vtpm_hash_size(hash), hex);
                ck_assert_msg(strcmp(hex, json_object_get_string(value)) == 0, "%s: PCR %s of %s is %s", file, number,
                              name, hex);
                mask |= 1u << pcr;
        }
        ck_assert_msg(pcrs.mask == mask, "%s: PCRs %06x of %s", file, pcrs.mask, name);
}

START_TEST(replay_equals_the_published_banks) {
        AUTO_JSON json_object *manifest = recorded_manifest();
        AUTO_BLOB Blob b = log_read(files[_i]);
        json_object *banks = NULL;
        VtpmEventLog log;

        ck_assert_int_eq(vtpm_event_log_open(b.data, b.size, &log, NULL), 0);
        ck_assert_int_eq(json_get_obj(expected(manifest, files[_i]), "replayed_pcrs", &banks, NULL), 0);
        json_object_object_foreach(banks, name, want)
                compare_bank(files[_i], &log, name, want);
} END_TEST

/* An event in the midst of those that extend; false when there is none. */
static bool find_middle(VtpmEventLog log, uint16_t bank, VtpmEvent *ret) {
        VtpmEvent event;
        size_t n = 0, at = 0;

        vtpm_event_log_rewind(&log);
        while (vtpm_event_log_next(&log, &event, NULL) > 0)
                n += event.type != VTPM_EV_NO_ACTION && vtpm_event_digest(&event, bank);
        vtpm_event_log_rewind(&log);
        while (vtpm_event_log_next(&log, ret, NULL) > 0)
                if (ret->type != VTPM_EV_NO_ACTION && vtpm_event_digest(ret, bank) && at++ == n / 2)
                        return true;
        return false;
}

START_TEST(real_log_differs_by_the_event_that_was_changed) {
        AUTO_BLOB Blob a = log_read(files[_i]), b = log_read(files[_i]);
        AUTO_VTPM_EVENT_LOG_DIFF VtpmEventLogDiff none = {}, one = {};
        VtpmEventLog old, new;
        const uint8_t *digest;
        VtpmEvent event;
        uint16_t bank;

        ck_assert_int_eq(vtpm_event_log_open(a.data, a.size, &old, NULL), 0);
        ck_assert_int_eq(vtpm_event_log_open(b.data, b.size, &new, NULL), 0);
        bank = old.algs[old.n_algs - 1].hash;
        ck_assert_int_eq(vtpm_event_log_diff(&old, &new, bank, &none, NULL), 0);
        ck_assert_uint_eq(none.n_changes, 0);
        if (!find_middle(new, bank, &event))
                return;
        digest = vtpm_event_digest(&event, bank)->bytes;
        b.data[digest - b.data] ^= 0x80;
        ck_assert_int_eq(vtpm_event_log_diff(&old, &new, bank, &one, NULL), 0);
        ck_assert_msg(one.n_changes == 1, "%s: %zu changes", files[_i], one.n_changes);
        ck_assert_int_eq(one.changes[0].kind, VTPM_CHANGE_CHANGED);
        ck_assert_uint_eq(one.changes[0].pcr, event.pcr);
        ck_assert_uint_eq(one.changes[0].old.number, event.number);
        ck_assert_uint_eq(one.changes[0].new.number, event.number);
} END_TEST

START_TEST(the_list_above_is_complete) {
        AUTO_JSON json_object *manifest = recorded_manifest();
        json_object *all = NULL;
        size_t n = 0;

        ck_assert_int_eq(json_get_array(manifest, "vectors", 1000, &all, NULL), 0);
        for (size_t i = 0; i < json_object_array_length(all); i++) {
                const char *file = NULL;

                ck_assert_int_eq(json_get_str(json_object_array_get_idx(all, i), "file", 256, &file, NULL), 0);
                n += text_starts_with(file, "eventlog/");
        }
        ck_assert_uint_eq(n, N_ELEMENTS(files) + 1); /* and the malformed one below */
} END_TEST

START_TEST(vendor_data_outside_of_its_event_is_refused) {
        AUTO_BLOB Blob b = log_read("unit-specid-vendordata.bin");
        VtpmEventLog log;
        Error e = {};

        ck_assert_int_eq(vtpm_event_log_open(b.data, b.size, &log, &e), -EBADMSG);
        ck_assert_msg(strstr(e.text, "Spec ID") != NULL, "%s", e.text);
} END_TEST

START_TEST(every_truncation_of_a_real_log_is_survived) {
        AUTO_BLOB Blob b = log_read("sdboot-fedora37.bin");
        size_t n_whole = 0;

        for (size_t n = 0; n < b.size; n++) {
                uint8_t *exact = malloc(n > 0 ? n : 1);
                VtpmPcrValues pcrs;
                VtpmEventLog log;

                (void) memcpy(exact, b.data, n);
                if (vtpm_event_log_open(exact, n, &log, NULL) == 0 &&
                    vtpm_event_log_replay(&log, VTPM_ALG_SHA256, &pcrs, NULL) == 0)
                        n_whole++;
                free(exact);
        }
        ck_assert_uint_eq(n_whole, 27); /* behind each of 28 events but the last */
} END_TEST

static const char *proof_of(const VtpmEvent *event) {
        VtpmEventProof proof = VTPM_PROOF_NONE;
        VtpmEventData d;
        int r = -ENOENT;

        vtpm_event_data_parse(event, &d);
        for (size_t i = 0; i < event->n_digests && r < 0; i++)
                r = vtpm_event_data_check(event, &d, event->digests[i].hash, &proof, NULL);
        ck_assert_int_eq(r, 0);
        return vtpm_event_proof_name(proof);
}

/* Certificates that old releases of shim verified with do not have the digests that the rules ask for. */
static bool is_of_shim(const VtpmEvent *event) {
        return event->type == VTPM_EV_EFI_VARIABLE_AUTHORITY && event->size > 40 &&
               memcmp(event->data + 32, "S\0h\0i\0m\0", 8) == 0;
}

START_TEST(digests_are_of_what_we_say_they_are_of) {
        AUTO_BLOB Blob b = log_read(files[_i]);
        VtpmEventLog log;
        VtpmEvent event;

        ck_assert_int_eq(vtpm_event_log_open(b.data, b.size, &log, NULL), 0);
        while (vtpm_event_log_next(&log, &event, NULL) > 0)
                ck_assert_msg(is_of_shim(&event) || strcmp(proof_of(&event), "differs") != 0, "%s: event %zu",
                              files[_i], event.number);
} END_TEST

START_TEST(every_grub_command_of_a_real_log_is_proven) {
        AUTO_BLOB Blob b = log_read("gce-ubuntu2404-snp.bin");
        size_t n_grub = 0, n_proven = 0;
        VtpmEventLog log;
        VtpmEvent event;

        ck_assert_int_eq(vtpm_event_log_open(b.data, b.size, &log, NULL), 0);
        while (vtpm_event_log_next(&log, &event, NULL) > 0) {
                VtpmEventData d;

                vtpm_event_data_parse(&event, &d);
                n_grub += d.kind == VTPM_DATA_GRUB;
                n_proven += d.kind == VTPM_DATA_GRUB && strcmp(proof_of(&event), "matches") == 0;
        }
        ck_assert_uint_eq(n_grub, 71);
        ck_assert_uint_eq(n_proven, 71);
} END_TEST

/* Event of a file, by its number in the log. */
static const struct {
        const char *file;
        size_t number;
        const char *text;
} described[] = {
        { "gce-ubuntu2404-snp.bin", 25, "0xbcb78018, 966664 bytes: \\EFI\\ubuntu\\shimx64.efi" },
        { "gce-ubuntu2404-snp.bin", 3, "SecureBoot 8be4df61-93ca-11d2-aa0d-00e098032b8c: 1 bytes 00" },
        { "gce-ubuntu2404-snp.bin", 34, "grub_cmd: set prefix=(hd0,gpt16)/grub" },
        { "host-startup-locality3.bin", 1, "StartupLocality 3" },
        { "sdboot-fedora37.bin", 23, " console=ttyS0 console=tty0 efi=debug " },
        { "sdboot-fedora37.bin", 25, "initrd: Linux initrd" },
        { "hcrtm.b64", 1, "HCRTM" },
};

START_TEST(real_events_are_described) {
        AUTO_BLOB Blob b = log_read(described[_i].file);
        char text[VTPM_EVENT_TEXT_MAX];
        VtpmEventLog log;
        VtpmEventData d;
        VtpmEvent event;

        ck_assert_int_eq(vtpm_event_log_open(b.data, b.size, &log, NULL), 0);
        for (size_t n = 0; n <= described[_i].number; n++)
                ck_assert_int_eq(vtpm_event_log_next(&log, &event, NULL), 1);
        vtpm_event_data_parse(&event, &d);
        vtpm_event_data_text(&d, text);
        ck_assert_str_eq(text, described[_i].text);
} END_TEST

static Suite *suite(void) {
        Suite *s = suite_create("event-log-recorded");
        TCase *tc = tcase_create("recorded");

        tcase_add_loop_test(tc, structure_is_what_the_manifest_says, 0, N_ELEMENTS(files));
        tcase_add_loop_test(tc, replay_equals_the_published_banks, 0, N_ELEMENTS(files));
        tcase_add_loop_test(tc, real_log_differs_by_the_event_that_was_changed, 0, N_ELEMENTS(files));
        tcase_add_test(tc, the_list_above_is_complete);
        tcase_add_test(tc, vendor_data_outside_of_its_event_is_refused);
        tcase_add_test(tc, every_truncation_of_a_real_log_is_survived);
        tcase_add_loop_test(tc, digests_are_of_what_we_say_they_are_of, 0, N_ELEMENTS(files));
        tcase_add_test(tc, every_grub_command_of_a_real_log_is_proven);
        tcase_add_loop_test(tc, real_events_are_described, 0, N_ELEMENTS(described));
        suite_add_tcase(s, tc);
        return s;
}

int main(void) {
        return vectors_dir() ? unit_run(suite()) : unit_skip("no recorded vectors");
}
