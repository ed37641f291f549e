/* SPDX-License-Identifier: Apache-2.0 */

/* One line about an event for people. Everything that came from the log is escaped; nothing is longer than the line. */

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "vtpm/event-data.h"

#define RAW_SHOWN 32u /* bytes of data without a form */
#define ELLIPSIS "..."

/* UEFI specification, device path nodes: type, subtype, u16 length of the whole node. */
#define NODE_HEADER 4u
#define NODE_MEDIA 4u
#define NODE_MEDIA_FILE 4u

typedef struct Line {
        char *buf; /* of VTPM_EVENT_TEXT_MAX */
        size_t n;  /* room for ELLIPSIS and NUL is left behind it */
        bool cut;
} Line;

static void put(Line *l, const char *text) {
        size_t n = strlen(text);

        if (l->cut || n >= VTPM_EVENT_TEXT_MAX - strlen(ELLIPSIS) - l->n) {
                l->cut = true;
                return;
        }
        (void) memcpy(l->buf + l->n, text, n + 1);
        l->n += n;
}

static void putf(Line *l, const char *fmt, ...) __attribute__((__format__(__printf__, 2, 3)));
static void putf(Line *l, const char *fmt, ...) {
        char text[96];
        va_list ap;

        va_start(ap, fmt);
        (void) vsnprintf(text, sizeof(text), fmt, ap);
        va_end(ap);
        put(l, text);
}

/* @digits: of an escape, by the size of the characters. */
static void put_char(Line *l, unsigned c, int digits) {
        if (c < 0x20 || c >= 0x7f)
                putf(l, "\\%c%0*x", digits == 4 ? 'u' : 'x', digits, c);
        else
                put(l, (const char[]){ (char) c, 0 });
}

static void put_text(Line *l, VtpmBytes b) {
        for (size_t i = 0; i < b.size && !l->cut; i++)
                put_char(l, b.data[i], 2);
}

static void put_text16(Line *l, VtpmBytes b) {
        for (size_t i = 0; i + 1 < b.size && !l->cut; i += 2)
                put_char(l, load_le16(b.data + i), 4);
}

static void put_hex(Line *l, VtpmBytes b) {
        putf(l, "%zu bytes%s", b.size, b.size > 0 ? " " : "");
        for (size_t i = 0; i < b.size && i < RAW_SHOWN; i++)
                putf(l, "%02x", b.data[i]);
        if (b.size > RAW_SHOWN)
                put(l, ELLIPSIS);
}

static void put_guid(Line *l, const uint8_t *g) {
        putf(l, "%08x-%04x-%04x-%02x%02x-%02x%02x%02x%02x%02x%02x", load_le32(g), load_le16(g + 4), load_le16(g + 6),
             g[8], g[9], g[10], g[11], g[12], g[13], g[14], g[15]);
}

/* The file names of a device path; nodes for disks and buses between them are left out. */
static void put_files(Line *l, VtpmBytes path) {
        Reader r = rd_init(path.data, path.size);
        const char *before = ": ";

        while (rd_left(&r) >= NODE_HEADER && !l->cut) {
                uint8_t type = rd_u8(&r), subtype = rd_u8(&r);
                uint16_t size = rd_le16(&r);
                VtpmBytes name;

                if (size < NODE_HEADER)
                        return;
                name.size = size - NODE_HEADER;
                name.data = rd_take(&r, name.size);
                if (!name.data || type != NODE_MEDIA || subtype != NODE_MEDIA_FILE)
                        continue;
                if (name.size >= 2 && load_le16(name.data + (name.size & ~(size_t) 1) - 2) == 0)
                        name.size = (name.size & ~(size_t) 1) - 2;
                put(l, before);
                put_text16(l, name);
                before = "";
        }
}

static const char *tag_name(uint64_t id) {
        static const struct {
                uint32_t id;
                const char *name;
        } tags[] = {
                { VTPM_EVENT_TAG_AAEL, "AAEL" },
                { 0x8f3b22ec, "initrd" }, /* Linux EFI stub */
                { 0x8f3b22ed, "load-options" },
                { 0xf5bc582a, "loader.conf" }, /* systemd-boot and systemd-stub */
                { 0x6c46f751, "devicetree-addon" },
                { 0x49dffe0f, "initrd-addon" },
                { 0xdac08e1a, "ucode-addon" },
        };

        for (size_t i = 0; i < N_ELEMENTS(tags); i++)
                if (tags[i].id == id)
                        return tags[i].name;
        return NULL;
}

static bool is_printable(VtpmBytes b) {
        for (size_t i = 0; i < b.size; i++)
                if ((b.data[i] < 0x20 || b.data[i] >= 0x7f) && !(b.data[i] == 0 && i + 1 == b.size))
                        return false;
        return b.size > 0;
}

static void put_tag(Line *l, const VtpmEventData *d) {
        const char *name = tag_name(d->number);

        if (name)
                put(l, name);
        else
                putf(l, "tag 0x%08x", (unsigned) d->number);
        put(l, ": ");
        if (is_printable(d->value))
                put_text(l, (VtpmBytes){ d->value.data, d->value.size - (d->value.data[d->value.size - 1] == 0) });
        else
                put_hex(l, d->value);
}

static void put_variable(Line *l, const VtpmEventData *d) {
        put_text16(l, d->name);
        put(l, " ");
        put_guid(l, d->guid);
        put(l, ": ");
        if (d->value.size == 0)
                put(l, "not set");
        else
                put_hex(l, d->value);
}

static const char *separator_name(uint64_t value) {
        if (value == 0 || value == UINT32_MAX)
                return "end of firmware's part";
        return value == 1 ? "firmware error" : "unusual";
}

static void put_data(Line *l, const VtpmEventData *d) {
        switch (d->kind) {
        case VTPM_DATA_LOCALITY:
                putf(l, "StartupLocality %u", (unsigned) d->number);
                break;
        case VTPM_DATA_SEPARATOR:
                putf(l, "%08x: %s", (unsigned) d->number, separator_name(d->number));
                break;
        case VTPM_DATA_SIGNATURE:
        case VTPM_DATA_TEXT:
                put_text(l, d->value);
                break;
        case VTPM_DATA_TEXT16:
                put_text16(l, d->value);
                break;
        case VTPM_DATA_GRUB:
                put_text(l, d->name);
                put(l, ": ");
                put_text(l, d->value);
                break;
        case VTPM_DATA_VARIABLE:
                put_variable(l, d);
                break;
        case VTPM_DATA_IMAGE:
                putf(l, "0x%llx, %llu bytes", (unsigned long long) d->number, (unsigned long long) d->length);
                put_files(l, d->value);
                break;
        case VTPM_DATA_BLOB:
                put_text(l, d->name);
                putf(l, "%s0x%llx, %llu bytes", d->name.size > 0 ? ": " : "", (unsigned long long) d->number,
                     (unsigned long long) d->length);
                break;
        case VTPM_DATA_TAG:
                put_tag(l, d);
                break;
        case VTPM_DATA_RAW:
        default:
                put_hex(l, d->value);
                break;
        }
}

void vtpm_event_data_text(const VtpmEventData *data, char ret[static VTPM_EVENT_TEXT_MAX]) {
        Line l = { .buf = ret };

        ret[0] = 0;
        put_data(&l, data);
        if (l.cut)
                (void) strcpy(ret + l.n, ELLIPSIS);
}
