/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "tests/unit/unit.h"
#include "tests/unit/vtpm/event-logs.h"
#include "vtpm/event-data.h"

#define GUID "\x61\xdf\xe4\x8b\xca\x93\xd2\x11\xaa\x0d\x00\xe0\x98\x03\x2b\x8c"
#define GUID_TEXT "8be4df61-93ca-11d2-aa0d-00e098032b8c"
#define U64(n) n "\0\0\0\0\0\0\0"
#define VARIABLE GUID U64("\2") U64("\3") "d\0b\0" "xyz"
#define IMAGE U64("\x10") U64("\x20") U64("\0")
#define FILE_NODE "\4\4\x0c\0\\\0a\0.\0\0\0"
#define END_NODE "\x7f\xff\4\0"

#define DATA(text) text, sizeof(text) - 1

/* What is described, and as what; @measured says what the digest is of, NULL: nothing that is in the log. */
typedef struct Row {
        uint32_t type, pcr;
        const char *data;
        size_t size;
        VtpmEventDataKind kind;
        const char *text;
        const char *measured;
        size_t measured_size;
} Row;

static const Row rows[] = {
        { VTPM_EV_NO_ACTION, 0, DATA("Spec ID Event03\0more"), VTPM_DATA_SIGNATURE, "Spec ID Event03", NULL, 0 },
        { VTPM_EV_NO_ACTION, 0, DATA("SP800-155 Event3more"), VTPM_DATA_SIGNATURE, "SP800-155 Event3", NULL, 0 },
        { VTPM_EV_NO_ACTION, 0, DATA("StartupLocality\0\3"), VTPM_DATA_LOCALITY, "StartupLocality 3", NULL, 0 },
        { VTPM_EV_NO_ACTION, 0, DATA("StartupLocality"), VTPM_DATA_RAW, "15 bytes 537461727475704c6f63616c697479",
          NULL, 0 },
        { VTPM_EV_EFI_HCRTM_EVENT, 0, DATA("HCRTM"), VTPM_DATA_TEXT, "HCRTM", NULL, 0 },
        { VTPM_EV_SEPARATOR, 7, DATA("\0\0\0\0"), VTPM_DATA_SEPARATOR, "00000000: end of firmware's part",
          DATA("\0\0\0\0") },
        { VTPM_EV_SEPARATOR, 7, DATA("\xff\xff\xff\xff"), VTPM_DATA_SEPARATOR, "ffffffff: end of firmware's part",
          DATA("\xff\xff\xff\xff") },
        { VTPM_EV_SEPARATOR, 7, DATA("\1\0\0\0"), VTPM_DATA_SEPARATOR, "00000001: firmware error", DATA("\1\0\0\0") },
        { VTPM_EV_SEPARATOR, 7, DATA("\2\0\0\0"), VTPM_DATA_SEPARATOR, "00000002: unusual", DATA("\2\0\0\0") },
        { VTPM_EV_SEPARATOR, 7, DATA("\0"), VTPM_DATA_RAW, "1 bytes 00", DATA("\0") },
        { VTPM_EV_EFI_ACTION, 4, DATA("Calling EFI\0"), VTPM_DATA_TEXT, "Calling EFI", DATA("Calling EFI") },
        { VTPM_EV_ACTION, 4, DATA(""), VTPM_DATA_RAW, "0 bytes", DATA("") },
        { VTPM_EV_S_CRTM_VERSION, 0, DATA("1\0.\0" "2\0\0\0"), VTPM_DATA_TEXT16, "1.2", NULL, 0 },
        { VTPM_EV_EFI_VARIABLE_DRIVER_CONFIG, 7, DATA(VARIABLE), VTPM_DATA_VARIABLE, "db " GUID_TEXT ": 3 bytes 78797a",
          DATA(VARIABLE) },
        { VTPM_EV_EFI_VARIABLE_AUTHORITY, 7, DATA(VARIABLE "behind"), VTPM_DATA_VARIABLE,
          "db " GUID_TEXT ": 3 bytes 78797a", DATA(VARIABLE "behind") },
        { VTPM_EV_EFI_VARIABLE_BOOT, 1, DATA(VARIABLE), VTPM_DATA_VARIABLE, "db " GUID_TEXT ": 3 bytes 78797a",
          DATA("xyz") },
        { VTPM_EV_EFI_VARIABLE_BOOT2, 1, DATA(VARIABLE), VTPM_DATA_VARIABLE, "db " GUID_TEXT ": 3 bytes 78797a",
          NULL, 0 },
        { VTPM_EV_EFI_VARIABLE_DRIVER_CONFIG, 7, DATA(GUID U64("\2") U64("\0") "P\0K\0"), VTPM_DATA_VARIABLE,
          "PK " GUID_TEXT ": not set", DATA(GUID U64("\2") U64("\0") "P\0K\0") },
        { VTPM_EV_EFI_VARIABLE_DRIVER_CONFIG, 7, DATA(GUID U64("\2") U64("\4") "d\0b\0" "xyz"), VTPM_DATA_RAW,
          "39 bytes 61dfe48bca93d211aa0d00e098032b8c02000000000000000400000000000000...",
          DATA(GUID U64("\2") U64("\4") "d\0b\0" "xyz") },
        { VTPM_EV_EFI_VARIABLE_BOOT, 1, DATA(GUID "\1\0\0\0\0\0\0\x80" U64("\0") "d\0"), VTPM_DATA_RAW,
          "34 bytes 61dfe48bca93d211aa0d00e098032b8c01000000000000800000000000000000...",
          DATA(GUID "\1\0\0\0\0\0\0\x80" U64("\0") "d\0") },
        { VTPM_EV_EFI_BOOT_SERVICES_APPLICATION, 4, DATA(IMAGE U64("\x10") FILE_NODE END_NODE), VTPM_DATA_IMAGE,
          "0x10, 32 bytes: \\a.", NULL, 0 },
        { VTPM_EV_EFI_BOOT_SERVICES_DRIVER, 2, DATA(IMAGE U64("\4") END_NODE), VTPM_DATA_IMAGE, "0x10, 32 bytes",
          NULL, 0 },
        { VTPM_EV_EFI_RUNTIME_SERVICES_DRIVER, 2, DATA(IMAGE U64("\4") "\4\4\3\0"), VTPM_DATA_IMAGE, "0x10, 32 bytes",
          NULL, 0 },
        { VTPM_EV_EFI_BOOT_SERVICES_DRIVER, 2, DATA(IMAGE U64("\5") "\4\4\x40\0"), VTPM_DATA_RAW,
          "36 bytes 1000000000000000200000000000000000000000000000000500000000000000...", NULL, 0 },
        { VTPM_EV_EFI_PLATFORM_FIRMWARE_BLOB, 0, DATA(U64("\x10") U64("\x20")), VTPM_DATA_BLOB, "0x10, 32 bytes",
          NULL, 0 },
        { VTPM_EV_EFI_PLATFORM_FIRMWARE_BLOB2, 0, DATA("\3Fv\0" U64("\x10") U64("\x20")), VTPM_DATA_BLOB,
          "Fv: 0x10, 32 bytes", NULL, 0 },
        { VTPM_EV_EFI_PLATFORM_FIRMWARE_BLOB, 0, DATA(U64("\x10")), VTPM_DATA_RAW, "8 bytes 1000000000000000",
          NULL, 0 },
        { VTPM_EV_POST_CODE, 0, DATA("ACPI DATA"), VTPM_DATA_TEXT, "ACPI DATA", NULL, 0 },
        { VTPM_EV_POST_CODE, 0, DATA(U64("\x10") U64("\x20")), VTPM_DATA_BLOB, "0x10, 32 bytes", NULL, 0 },
        { VTPM_EV_IPL, 8, DATA("grub_cmd: set x=1\0"), VTPM_DATA_GRUB, "grub_cmd: set x=1", DATA("set x=1") },
        { VTPM_EV_IPL, 8, DATA("kernel_cmdline: /vmlinuz ro\0"), VTPM_DATA_GRUB, "kernel_cmdline: /vmlinuz ro",
          DATA("/vmlinuz ro") },
        { VTPM_EV_IPL, 8, DATA("module_cmdline: /initrd"), VTPM_DATA_GRUB, "module_cmdline: /initrd", DATA("/initrd") },
        { VTPM_EV_IPL, 9, DATA("(hd0,gpt1)/vmlinuz\0"), VTPM_DATA_TEXT, "(hd0,gpt1)/vmlinuz", NULL, 0 },
        { VTPM_EV_IPL, 11, DATA(".\0l\0i\0\0\0"), VTPM_DATA_TEXT16, ".li", NULL, 0 },
        { VTPM_EV_IPL, 12, DATA("r\0o\0\0\0"), VTPM_DATA_TEXT16, "ro", DATA("r\0o\0\0\0") },
        { VTPM_EV_IPL, 12, DATA("r\0o\0\0\0"), VTPM_DATA_TEXT16, "ro", DATA("r\0o\0") },
        { VTPM_EV_IPL, 8, DATA("r\0o\0\0\0\0"), VTPM_DATA_TEXT16, "ro", NULL, 0 },
        { VTPM_EV_IPL, 9, DATA("\033[2J\n"), VTPM_DATA_RAW, "5 bytes 1b5b324a0a", NULL, 0 },
        { VTPM_EV_IPL, 8, DATA("grub_cmd: \033[2J\x7f\xc3\xa9"), VTPM_DATA_GRUB, "grub_cmd: \\x1b[2J\\x7f\\xc3\\xa9",
          DATA("\033[2J\x7f\xc3\xa9") },
        { VTPM_EV_IPL, 12, DATA("a\0\x1b\0\xac\x20"), VTPM_DATA_TEXT16, "a\\u001b\\u20ac", DATA("a\0\x1b\0\xac\x20") },
        { VTPM_EV_EVENT_TAG, 9, DATA("\xec\x22\x3b\x8f\5\0\0\0Linux"), VTPM_DATA_TAG, "initrd: Linux", NULL, 0 },
        { VTPM_EV_EVENT_TAG, 17, DATA("LEAA\5\0\0\0a b c"), VTPM_DATA_TAG, "AAEL: a b c", DATA("LEAA\5\0\0\0a b c") },
        { VTPM_EV_EVENT_TAG, 1, DATA("\1\0\0\0\2\0\0\0\0\1"), VTPM_DATA_TAG, "tag 0x00000001: 2 bytes 0001", NULL, 0 },
        { VTPM_EV_EVENT_TAG, 1, DATA("\1\0\0\0\0\0\0\0"), VTPM_DATA_TAG, "tag 0x00000001: 0 bytes", NULL, 0 },
        { VTPM_EV_EVENT_TAG, 1, DATA("\1\0\0\0\3\0\0\0\0\1"), VTPM_DATA_RAW, "10 bytes 01000000030000000001", NULL, 0 },
        { 0x12345678, 1, DATA("text"), VTPM_DATA_RAW, "4 bytes 74657874", NULL, 0 },
};

/* A log with one event of these data, whose digests are of @measured. */
static Blob log_of(const Row *row, VtpmEvent *ret) {
        static const uint16_t bank = VTPM_ALG_SHA256;
        const char *measured = row->measured ? row->measured : "an image that is not in the log";
        AUTO_WRITER Writer w = wr_init(8192);
        VtpmEventLog log;
        Blob b = {};

        event_logs_begin(&w, &bank, 1);
        event_logs_add_measured(&w, &bank, 1, row->pcr, row->type, row->data, row->size, measured,
                                row->measured ? row->measured_size : strlen(measured));
        ck_assert_int_eq(wr_finish(&w, &b), 0);
        ck_assert_int_eq(vtpm_event_log_open(b.data, b.size, &log, NULL), 0);
        ck_assert_int_eq(vtpm_event_log_next(&log, ret, NULL), 1);
        ck_assert_int_eq(vtpm_event_log_next(&log, ret, NULL), 1);
        return b;
}

START_TEST(data_are_described) {
        char text[VTPM_EVENT_TEXT_MAX];
        VtpmEventData d;
        VtpmEvent event;
        AUTO_BLOB Blob b = log_of(&rows[_i], &event);

        ck_assert_uint_gt(b.size, event.offset);
        vtpm_event_data_parse(&event, &d);
        vtpm_event_data_text(&d, text);
        ck_assert_msg(strcmp(text, rows[_i].text) == 0, "'%s' instead of '%s'", text, rows[_i].text);
        ck_assert_msg(d.kind == rows[_i].kind, "%s: kind %d", rows[_i].text, (int) d.kind);
} END_TEST

START_TEST(digests_prove_what_they_are_of) {
        VtpmEventProof proof = VTPM_PROOF_DIFFERS;
        VtpmEventData d;
        VtpmEvent event;
        AUTO_BLOB Blob b = log_of(&rows[_i], &event);

        vtpm_event_data_parse(&event, &d);
        ck_assert_int_eq(vtpm_event_data_check(&event, &d, VTPM_ALG_SHA256, &proof, NULL), 0);
        ck_assert_msg(proof == (rows[_i].measured ? VTPM_PROOF_MATCHES : VTPM_PROOF_NONE), "%s: %s", rows[_i].text,
                      vtpm_event_proof_name(proof));
        b.data[event.digests[0].bytes - b.data] ^= 1;
        ck_assert_int_eq(vtpm_event_data_check(&event, &d, VTPM_ALG_SHA256, &proof, NULL), 0);
        ck_assert_msg(proof == (rows[_i].measured ? VTPM_PROOF_DIFFERS : VTPM_PROOF_NONE), "%s", rows[_i].text);
} END_TEST

START_TEST(a_digest_that_is_not_there_proves_nothing) {
        VtpmEventProof proof = VTPM_PROOF_DIFFERS;
        VtpmEventData d;
        VtpmEvent event;
        AUTO_BLOB Blob b = log_of(&rows[5], &event);

        ck_assert_uint_gt(b.size, event.offset);
        vtpm_event_data_parse(&event, &d);
        ck_assert_int_eq(vtpm_event_data_check(&event, &d, VTPM_ALG_SHA384, &proof, NULL), -ENOENT);
        ck_assert_int_eq(proof, VTPM_PROOF_DIFFERS); /* untouched */
        ck_assert_str_eq(vtpm_event_proof_name(VTPM_PROOF_MATCHES), "matches");
        ck_assert_str_eq(vtpm_event_proof_name(VTPM_PROOF_DIFFERS), "differs");
        ck_assert_str_eq(vtpm_event_proof_name(VTPM_PROOF_NONE), "unknown");
} END_TEST

/* Every length and every flipped bit of every row, in memory of exactly that size. */
START_TEST(damaged_data_are_survived) {
        for (size_t n = 0; n <= rows[_i].size; n++)
                for (size_t bit = 0; bit <= 8 * n; bit++) {
                        char text[VTPM_EVENT_TEXT_MAX];
                        AUTO_BLOB Blob b = event_logs_exact((const uint8_t *) rows[_i].data, n);
                        VtpmEvent event = { .type = rows[_i].type, .pcr = rows[_i].pcr, .data = b.data, .size = n };
                        VtpmEventData d;

                        if (bit > 0 && n < rows[_i].size)
                                break;
                        if (bit > 0)
                                b.data[(bit - 1) / 8] ^= (uint8_t) (1u << (bit - 1) % 8);
                        vtpm_event_data_parse(&event, &d);
                        vtpm_event_data_text(&d, text);
                        for (const char *p = text; *p; p++)
                                ck_assert_msg(*p >= 0x20 && *p < 0x7f, "%s", text);
                }
} END_TEST

START_TEST(long_texts_are_cut) {
        static const struct { size_t size; const char *end; } sizes[] = {
                { 508, "aaa" }, { 509, "..." }, { 4000, "..." },
        };
        char text[VTPM_EVENT_TEXT_MAX], data[4000];
        VtpmEvent event = { .type = VTPM_EV_EFI_ACTION, .data = (const uint8_t *) data, .size = sizes[_i].size };
        VtpmEventData d;

        (void) memset(data, 'a', sizeof(data));
        vtpm_event_data_parse(&event, &d);
        vtpm_event_data_text(&d, text);
        ck_assert_uint_le(strlen(text), VTPM_EVENT_TEXT_MAX - 1);
        ck_assert_str_eq(text + strlen(text) - 3, sizes[_i].end);
} END_TEST

static Suite *suite(void) {
        Suite *s = suite_create("event-data");
        TCase *tc = tcase_create("data");

        tcase_add_loop_test(tc, data_are_described, 0, N_ELEMENTS(rows));
        tcase_add_loop_test(tc, digests_prove_what_they_are_of, 0, N_ELEMENTS(rows));
        tcase_add_test(tc, a_digest_that_is_not_there_proves_nothing);
        tcase_add_loop_test(tc, damaged_data_are_survived, 0, N_ELEMENTS(rows));
        tcase_add_loop_test(tc, long_texts_are_cut, 0, 3);
        suite_add_tcase(s, tc);
        return s;
}

int main(void) {
        return unit_run(suite());
}
