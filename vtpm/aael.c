/* SPDX-License-Identifier: Apache-2.0 */
#include "vtpm/aael.h"

#include <errno.h>
#include <string.h>

#include "base/reader.h"
#include "base/writer.h"
#include "vtpm/event-data.h"

#define TEXT_MAX (2 * (VTPM_AAEL_WORD_MAX + 1) + VTPM_AAEL_CONTENT_MAX)
#define TAG_HEADER_SIZE 8u    /* id, length */
#define EVENT_OVERHEAD_MAX 96u /* PCR, type, count, algorithm, digest, size */

static bool is_word(VtpmAaelText t) {
        for (size_t i = 0; i < t.len; i++)
                if (t.text[i] <= ' ' || t.text[i] > '~')
                        return false;
        return t.len > 0 && t.len <= VTPM_AAEL_WORD_MAX;
}

/* UTF-8 is let through: what is not ASCII is the content's own business. */
static bool is_content(VtpmAaelText t) {
        for (size_t i = 0; i < t.len; i++)
                if ((unsigned char) t.text[i] < ' ' || t.text[i] == 0x7f)
                        return false;
        return t.len <= VTPM_AAEL_CONTENT_MAX;
}

int vtpm_aael_check(const VtpmAaelEntry *entry, Error *e) {
        if (!is_word(entry->domain) || !is_word(entry->operation))
                return error_set(e, -EINVAL, "measurement-text",
                                 "Domain and operation of a measurement are 1 to %u printable characters without space",
                                 VTPM_AAEL_WORD_MAX);
        if (!is_content(entry->content))
                return error_set(e, -EINVAL, "measurement-text",
                                 "Content of a measurement is at most %u bytes without control characters",
                                 VTPM_AAEL_CONTENT_MAX);
        return 0;
}

/* The tagged event, which is what is hashed. */
static int encode_data(const VtpmAaelEntry *entry, Blob *ret) {
        AUTO_WRITER Writer w = wr_init(TAG_HEADER_SIZE + TEXT_MAX);

        wr_le32(&w, VTPM_EVENT_TAG_AAEL);
        wr_le32(&w, (uint32_t) (entry->domain.len + 1 + entry->operation.len + 1 + entry->content.len));
        wr_bytes(&w, entry->domain.text, entry->domain.len);
        wr_u8(&w, ' ');
        wr_bytes(&w, entry->operation.text, entry->operation.len);
        wr_u8(&w, ' ');
        wr_bytes(&w, entry->content.text, entry->content.len);
        return wr_finish(&w, ret);
}

int vtpm_aael_encode(const VtpmAaelEntry *entry, uint32_t pcr, uint16_t hash, Blob *ret,
                     uint8_t ret_digest[static VTPM_DIGEST_MAX], Error *e) {
        AUTO_WRITER Writer w = wr_init(EVENT_OVERHEAD_MAX + TAG_HEADER_SIZE + TEXT_MAX);
        AUTO_BLOB Blob data = {};
        int r;

        r = vtpm_aael_check(entry, e);
        if (r < 0)
                return r;
        if (encode_data(entry, &data) < 0)
                return error_oom(e);
        r = vtpm_hash_bytes(hash, data.data, data.size, ret_digest, e);
        if (r < 0)
                return r;
        wr_le32(&w, pcr);
        wr_le32(&w, VTPM_EV_EVENT_TAG);
        wr_le32(&w, 1);
        wr_le16(&w, hash);
        wr_bytes(&w, ret_digest, vtpm_hash_size(hash));
        wr_le32(&w, (uint32_t) data.size);
        wr_bytes(&w, data.data, data.size);
        return wr_finish(&w, ret) < 0 ? error_oom(e) : 0;
}

static bool split(VtpmAaelText *rest, VtpmAaelText *ret_word) {
        const char *space = memchr(rest->text, ' ', rest->len);

        if (!space)
                return false;
        *ret_word = (VtpmAaelText){ rest->text, (size_t) (space - rest->text) };
        *rest = (VtpmAaelText){ space + 1, rest->len - ret_word->len - 1 };
        return true;
}

static int check_digests(const VtpmEvent *event, const VtpmEventData *d, Error *e) {
        size_t n_known = 0;

        for (size_t i = 0; i < event->n_digests; i++) {
                VtpmEventProof proof;
                int r;

                if (vtpm_hash_size(event->digests[i].hash) == 0)
                        continue;
                r = vtpm_event_data_check(event, d, event->digests[i].hash, &proof, e);
                if (r < 0)
                        return r;
                if (proof != VTPM_PROOF_MATCHES)
                        return error_set(e, -EBADMSG, "measurement-digest",
                                         "Event %zu has a digest that is not that of its data", event->number);
                n_known++;
        }
        if (n_known == 0)
                return error_set(e, -EBADMSG, "measurement-digest", "Event %zu has no digest that can be computed",
                                 event->number);
        return 0;
}

int vtpm_aael_parse(const VtpmEvent *event, VtpmAaelEntry *ret, Error *e) {
        VtpmEventData d;
        VtpmAaelEntry entry = {};

        if (event->type != VTPM_EV_EVENT_TAG || event->size < TAG_HEADER_SIZE ||
            load_le32(event->data) != VTPM_EVENT_TAG_AAEL)
                return error_set(e, -ENOENT, "not-a-measurement", "Event %zu is of another kind", event->number);
        vtpm_event_data_parse(event, &d);
        if (d.kind != VTPM_DATA_TAG)
                return error_set(e, -EBADMSG, "measurement-malformed", "Event %zu has a wrong length inside",
                                 event->number);
        entry.content = (VtpmAaelText){ (const char *) d.value.data, d.value.size };
        if (!split(&entry.content, &entry.domain) || !split(&entry.content, &entry.operation) ||
            vtpm_aael_check(&entry, NULL) < 0)
                return error_set(e, -EBADMSG, "measurement-malformed",
                                 "Event %zu is not of the form \"DOMAIN OPERATION CONTENT\"", event->number);
        *ret = entry;
        return check_digests(event, &d, e);
}

void vtpm_aael_header(uint16_t hash, uint8_t ret[static VTPM_AAEL_HEADER_SIZE]) {
        static const char signature[16] = "Spec ID Event03";
        uint8_t *p = ret;

        (void) memset(ret, 0, VTPM_AAEL_HEADER_SIZE);
        store_le32(p + 4, VTPM_EV_NO_ACTION);
        store_le32(p + 28, VTPM_AAEL_HEADER_SIZE - 32); /* after PCR, type and a SHA-1 digest of zeros */
        (void) memcpy(p + 32, signature, sizeof(signature));
        p[53] = 2;  /* major version; platform class and minor version stay 0 */
        p[55] = 2;  /* UINTN is 64 bits wide */
        store_le32(p + 56, 1);
        store_le16(p + 60, hash);
        store_le16(p + 62, (uint16_t) vtpm_hash_size(hash));
}
