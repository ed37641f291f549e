/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/wire/wire.h"

/*
 * Packets: their form, and one non-blocking send or receive of each. SEQPACKET keeps message boundaries,
 * so there is no buffering and no partial message; what arrives in one piece is judged as one piece.
 * Descriptors that a peer might attach are dropped by the kernel, because no control buffer is offered.
 */

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/uio.h>

#include "agent/wire/wire-internal.h"
#include "base/reader.h"
#include "base/writer.h"

#define WIRE_MAGIC UINT32_C(0x41504e53) /* "SNPA" read as little-endian */
#define ERRNO_MAX 4095u                 /* the kernel's own MAX_ERRNO */

void wire_message_done(WireMessage *m) {
        blob_done(&m->body);
        *m = (WireMessage){};
}

void wire_header_encode(uint16_t type, size_t body_size, uint8_t ret[static WIRE_HEADER_SIZE]) {
        assert(body_size <= WIRE_BODY_MAX);
        store_le32(ret, WIRE_MAGIC);
        store_le16(ret + 4, WIRE_VERSION);
        store_le16(ret + 6, type);
        store_le32(ret + 8, (uint32_t) body_size);
        store_le32(ret + 12, 0);
}

int wire_header_parse(const uint8_t *data, size_t packet_size, uint16_t *ret_type, Error *e) {
        Reader r = rd_init(data, packet_size < WIRE_HEADER_SIZE ? packet_size : WIRE_HEADER_SIZE);
        uint32_t magic = rd_le32(&r);
        uint16_t version = rd_le16(&r), type = rd_le16(&r);
        uint32_t size = rd_le32(&r), reserved = rd_le32(&r);
        int code;

        code = rd_finish(&r, "message header", e);
        if (code < 0)
                return code;
        if (magic != WIRE_MAGIC)
                return error_set(e, -EBADMSG, "wire-magic", "Message does not begin with the magic number");
        if (version != WIRE_VERSION)
                return error_set(e, -EBADMSG, "wire-version", "Message has version %u, expected %u", version,
                                 WIRE_VERSION);
        if (reserved != 0)
                return error_set(e, -EBADMSG, "wire-reserved", "Message header has non-zero reserved bytes at offset 12");
        if (size > WIRE_BODY_MAX || size != packet_size - WIRE_HEADER_SIZE)
                return error_set(e, -EBADMSG, "wire-size", "Message announces %u bytes of body but has %zu", size,
                                 packet_size - WIRE_HEADER_SIZE);
        *ret_type = type;
        return 0;
}

int wire_message_parse(const void *data, size_t size, WireMessage *ret, Error *e) {
        WireMessage m = {};
        int r;

        r = wire_header_parse(data, size, &m.type, e);
        if (r < 0)
                return r;
        r = blob_dup((const uint8_t *) data + WIRE_HEADER_SIZE, size - WIRE_HEADER_SIZE, &m.body);
        if (r < 0)
                return error_oom(e);
        *ret = m;
        return 0;
}

int wire_message_encode(uint16_t type, const void *body, size_t size, Blob *ret) {
        AUTO_WRITER Writer w = wr_init(WIRE_HEADER_SIZE + WIRE_BODY_MAX);
        uint8_t header[WIRE_HEADER_SIZE];

        if (size > WIRE_BODY_MAX)
                return -E2BIG;
        wire_header_encode(type, size, header);
        wr_bytes(&w, header, sizeof(header));
        wr_bytes(&w, body, size);
        return wr_finish(&w, ret);
}

int wire_send_vec(int fd, uint16_t type, const void *body, size_t size, Error *e) {
        uint8_t header[WIRE_HEADER_SIZE];
        struct iovec iov[2] = { { .iov_base = header, .iov_len = sizeof(header) } };
        struct msghdr msg = { .msg_iov = iov, .msg_iovlen = size > 0 ? 2 : 1 };
        ssize_t n;

        if (size > WIRE_BODY_MAX)
                return error_set(e, -E2BIG, "wire-size", "Message body of %zu bytes exceeds the limit of %u", size,
                                 WIRE_BODY_MAX);
        wire_header_encode(type, size, header);
        /* The kernel only reads through this pointer. */
        (void) memcpy(&iov[1].iov_base, &body, sizeof(body));
        iov[1].iov_len = size;
        do
                n = sendmsg(fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
        while (n < 0 && errno == EINTR);
        if (n < 0 && errno == EAGAIN)
                return -EAGAIN;
        if (n < 0 && (errno == EPIPE || errno == ECONNRESET))
                return error_set(e, -ECONNRESET, "peer-gone", "The other side closed the connection");
        if (n < 0)
                return error_set(e, -errno, "send-failed", "Cannot send a message: %s", error_text(NULL, -errno));
        return 0; /* SEQPACKET sends all or nothing */
}

int wire_send(int fd, uint16_t type, const void *body, size_t size, Error *e) {
        return wire_send_vec(fd, type, body, size, e);
}

int wire_send_secret(int fd, uint16_t type, const Secret *secret, Error *e) {
        return wire_send_vec(fd, type, secret->bytes, secret->len, e);
}

int wire_send_error(int fd, int code, const Error *error, Error *e) {
        AUTO_BLOB Blob body = {};
        int r;

        r = wire_error_encode(code, error, &body);
        if (r < 0)
                return error_oom(e);
        return wire_send_vec(fd, WIRE_ERROR, body.data, body.size, e);
}

/*
 * A peer that hangs up before it has read all we sent, as one does that refuses us unheard, leaves an ECONNRESET
 * in front of its last words. Linux tells it once; the words are there behind it.
 */
int wire_recv_vec(int fd, struct iovec *iov, size_t n_iov, size_t *ret_size, Error *e) {
        struct msghdr msg = { .msg_iov = iov, .msg_iovlen = n_iov };
        unsigned resets = 0;
        ssize_t n;

        do
                n = recvmsg(fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
        while (n < 0 && (errno == EINTR || (errno == ECONNRESET && resets++ == 0)));
        if (n < 0 && errno == EAGAIN)
                return -EAGAIN;
        if (n == 0 || (n < 0 && errno == ECONNRESET))
                return error_set(e, -ECONNRESET, "peer-gone", "The other side closed the connection");
        if (n < 0)
                return error_set(e, -errno, "receive-failed", "Cannot receive a message: %s", error_text(NULL, -errno));
        if (msg.msg_flags & MSG_TRUNC)
                return error_set(e, -EBADMSG, "wire-size", "Message is larger than any that is expected here");
        *ret_size = (size_t) n;
        return 0;
}

/* Size of the next packet without taking it. */
static int next_size(int fd, size_t *ret, Error *e) {
        unsigned resets = 0;
        ssize_t n;

        do
                n = recv(fd, NULL, 0, MSG_PEEK | MSG_TRUNC | MSG_DONTWAIT);
        while (n < 0 && (errno == EINTR || (errno == ECONNRESET && resets++ == 0)));
        if (n < 0 && errno == EAGAIN)
                return -EAGAIN;
        if (n == 0 || (n < 0 && errno == ECONNRESET))
                return error_set(e, -ECONNRESET, "peer-gone", "The other side closed the connection");
        if (n < 0)
                return error_set(e, -errno, "receive-failed", "Cannot receive a message: %s", error_text(NULL, -errno));
        *ret = (size_t) n;
        return 0;
}

int wire_recv(int fd, WireMessage *ret, Error *e) {
        uint8_t header[WIRE_HEADER_SIZE];
        AUTO_WIRE_MESSAGE WireMessage m = {};
        size_t size = 0;
        int r;

        r = next_size(fd, &size, e);
        if (r < 0)
                return r;
        if (size > WIRE_HEADER_SIZE + WIRE_BODY_MAX)
                return error_set(e, -EBADMSG, "wire-size", "Message of %zu bytes is larger than any", size);
        if (size > WIRE_HEADER_SIZE) {
                m.body.size = size - WIRE_HEADER_SIZE;
                m.body.data = malloc(m.body.size);
                if (!m.body.data)
                        return error_oom(e);
        }
        struct iovec iov[2] = {
                { .iov_base = header, .iov_len = sizeof(header) },
                { .iov_base = m.body.data, .iov_len = m.body.size },
        };
        r = wire_recv_vec(fd, iov, 2, &size, e);
        if (r < 0)
                return r;
        r = wire_header_parse(header, size, &m.type, e);
        if (r < 0)
                return r;
        *ret = m;
        m = (WireMessage){};
        return 0;
}

int wire_recv_secret(int fd, size_t max, uint16_t *ret_type, Secret *ret, Error *e) {
        uint8_t header[WIRE_HEADER_SIZE];
        AUTO_SECRET Secret body = {};
        uint16_t type;
        size_t size;
        int r;

        r = next_size(fd, &size, e);
        if (r < 0)
                return r;
        if (size > WIRE_HEADER_SIZE + max)
                return error_set(e, -EBADMSG, "wire-size", "Message of %zu bytes is larger than any", size);
        if (size > WIRE_HEADER_SIZE) {
                r = secret_alloc(size - WIRE_HEADER_SIZE, &body, e);
                if (r < 0)
                        return r;
        }
        struct iovec iov[2] = {
                { .iov_base = header, .iov_len = sizeof(header) },
                { .iov_base = body.bytes, .iov_len = body.len },
        };
        r = wire_recv_vec(fd, iov, 2, &size, e);
        if (r == 0)
                r = wire_header_parse(header, size, &type, e);
        if (r < 0)
                return r;
        *ret_type = type;
        *ret = secret_take(&body);
        return 0;
}

int wire_error_encode(int code, const Error *e, Blob *ret) {
        AUTO_WRITER Writer w = wr_init(WIRE_BODY_MAX);
        const char *reason = error_reason(e, code), *text = error_text(e, code);
        size_t n_reason = strnlen(reason, WIRE_REASON_MAX), n_text = strnlen(text, ERROR_TEXT_MAX - 1);

        assert(code < 0 && code >= -(int) ERRNO_MAX);
        wr_le32(&w, (uint32_t) -code);
        wr_le16(&w, (uint16_t) n_reason);
        wr_bytes(&w, reason, n_reason);
        wr_le16(&w, (uint16_t) n_text);
        wr_bytes(&w, text, n_text);
        return wr_finish(&w, ret);
}

/*
 * Error.reason has static storage, but this one came from a peer. The programs that talk here use a few dozen
 * identifiers, so each is kept once, for good; a peer that invents more is told apart no further.
 */
static const char *keep_reason(const char *reason, size_t len) {
        static char kept[WIRE_REASONS_MAX][WIRE_REASON_MAX + 1];
        static size_t n_kept;

        if (len == 0 || len > WIRE_REASON_MAX)
                return "remote-error";
        for (size_t i = 0; i < len; i++)
                if (!((reason[i] >= 'a' && reason[i] <= 'z') || (reason[i] >= '0' && reason[i] <= '9') ||
                      reason[i] == '-'))
                        return "remote-error";
        for (size_t i = 0; i < n_kept; i++)
                if (strlen(kept[i]) == len && memcmp(kept[i], reason, len) == 0)
                        return kept[i];
        if (n_kept == WIRE_REASONS_MAX)
                return "remote-error";
        (void) memcpy(kept[n_kept], reason, len);
        return kept[n_kept++];
}

int wire_error_parse(const void *body, size_t size, Error *e) {
        Reader r = rd_init(body, size);
        uint32_t code = rd_le32(&r);
        uint16_t n_reason = rd_le16(&r);
        const uint8_t *reason = rd_take(&r, n_reason);
        uint16_t n_text = rd_le16(&r);
        const uint8_t *text = rd_take(&r, n_text);
        int rc;

        rc = rd_finish(&r, "error message", e);
        if (rc < 0)
                return rc;
        if (code == 0 || code > ERRNO_MAX || n_text >= ERROR_TEXT_MAX)
                return error_set(e, -EBADMSG, "wire-error", "Error message carries code %u and %u bytes of text", code,
                                 n_text);
        return error_set(e, -(int) code, keep_reason((const char *) reason, n_reason), "%.*s", (int) n_text,
                         (const char *) text);
}
