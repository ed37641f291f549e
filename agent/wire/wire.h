/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Messages between our own programs over AF_UNIX SOCK_SEQPACKET: agentd asks attesterd, and the LUKS2
 * token plugin and snpctl ask agentd. One request, one answer, then the client closes; both sides check
 * the other's credentials. The set is closed: an unknown type ends the connection.
 *
 * A message is a 16-byte header and a body, all little-endian:
 *   0 u32 magic "SNPA"  4 u16 version  6 u16 type  8 u32 body size  12 u32 reserved, zero
 * The answer's type is the request's with WIRE_ANSWER set, or WIRE_ERROR with the body
 *   0 u32 errno (positive)  4 u16 size, reason  .. u16 size, sentence
 * Bodies are documented at each type. An answer that carries a secret has nothing in its body but the
 * secret, so that both sides move it between the socket and locked memory without a copy.
 */

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "base/blob.h"
#include "base/cleanup.h"
#include "base/deadline.h"
#include "base/error.h"
#include "base/secret.h"

#define WIRE_HEADER_SIZE 16
#define WIRE_VERSION 1
#define WIRE_BODY_MAX (96u * 1024u) /* a report, 16 KiB of certificates, a manifest or a quote; or a secret of SECRET_MAX */
/* Where the token plugin and snpctl look for agentd; the default of its Socket= setting. */
#define WIRE_AGENT_SOCKET "/run/snp-agent/agent.sock"

typedef enum WireType {
        /* agentd to attesterd */
        WIRE_PLATFORM = 0x0001, /* - ; answer: JSON text: what evidence this machine can give */
        WIRE_REPORT = 0x0002,   /* 64 bytes REPORT_DATA, u32 VMPL or UINT32_MAX, u32 deadline in ms;
                                   answer: report (1184 bytes), certificate table (rest) */
        WIRE_QUOTE = 0x0003,    /* u16 size + nonce (1..64), u32 PCR mask, u16 bank (TPM_ALG_*), u32 deadline in ms;
                                   answer: u16 size + TPM2B-less TPMS_ATTEST, u16 size + TPMT_SIGNATURE,
                                   u16 size + TPMT_PUBLIC of the AK, u8 count, then count digests of the bank's size */
        WIRE_DERIVE_KEY = 0x0004, /* u32 root key, u64 GUEST_FIELD_SELECT, u32 VMPL or UINT32_MAX, u32 guest SVN, u64 TCB,
                                   u32 deadline in ms; answer: the key (secret) */
        WIRE_SERVICE_REPORT = 0x0005, /* 64 bytes nonce, 16 bytes GUID of an SVSM's service (zeros: all) in the order of its
                                   text, u32 manifest version, u32 deadline in ms;
                                   answer: report (1184 bytes), u32 size + manifest, certificate table (rest) */
        WIRE_AZURE = 0x0006,    /* as WIRE_QUOTE; answer: u16 size + HCL report, u16 size + AK certificate (DER, may be
                                   empty), then as WIRE_QUOTE */
        WIRE_TPM_KEYS = 0x0007, /* u32 deadline in ms, u8 profile of the EK;
                                   answer: AK's TPMT_PUBLIC, its certificate, EK's TPMT_PUBLIC, its certificate, each
                                   u16 size + bytes, certificates DER or empty */
        WIRE_ACTIVATE = 0x0008, /* u32 deadline in ms, u8 profile of the EK, u16 size + name of the EK (may be empty),
                                   u16 size + credential, as tpm2-tools keep it; answer: what it holds (secret) */
        WIRE_EVENT_LOG = 0x0009, /* u8 which (0 firmware's, 1 of WIRE_MEASURE), u32 offset;
                                   answer: u32 size of the whole log, its SHA-256, bytes from that offset (rest) */
        WIRE_MEASURE = 0x000a,  /* u16 size + domain, u16 size + operation, u16 size + content, u32 deadline in ms:
                                   extends the configured PCR; answer: - */
        WIRE_EVIDENCE = 0x000b, /* u32 VMPL or UINT32_MAX, rest as WIRE_QUOTE: report and quote over one nonce;
                                   answer: u32 size + as WIRE_REPORT, rest as WIRE_QUOTE */
        WIRE_SEAL = 0x000c,     /* u32 deadline in ms, u16 bank, u32 PCR mask, u8 1 if the TPM keeps its seeds, u16 size +
                                   name of the EK (may be empty), u16 size + TPMT_PUBLIC of the key that signs policies
                                   (empty: to the present PCR values), then the secret; answer: file of a sealed object */
        WIRE_UNSEAL = 0x000d,   /* u32 deadline in ms, u16 size + name of the EK (may be empty), u16 size + file of a
                                   sealed object, then signed PCR policies, JSON (may be empty); answer: the secret */
        /* token plugin and snpctl to agentd */
        WIRE_VOLUME_KEY = 0x0101, /* u16 size + UUID text, u16 size + device name, u16 size + token JSON,
                                     u16 size + segment cipher; answer: the passphrase (secret) */
        WIRE_RESOURCE = 0x0102,   /* resource path text; answer: the resource (secret) */
        WIRE_STATUS = 0x0103,     /* - ; answer: JSON text, as GET /v1/status */
        WIRE_ATTEST = 0x0104,     /* - ; answer: JSON text of the status after a fresh handshake */

        WIRE_ERROR = 0x7fff,
        WIRE_ANSWER = 0x8000, /* flag */
} WireType;

typedef struct WireMessage {
        uint16_t type;
        Blob body;
} WireMessage;
void wire_message_done(WireMessage *m);
#define AUTO_WIRE_MESSAGE CLEANUP(wire_message_done)

/* Decodes one packet; *@ret owns a copy of the body. The body's own form is judged by the handler. 0 or -EBADMSG. */
WARN_UNUSED int wire_message_parse(const void *data, size_t size, WireMessage *ret, Error *e);
WARN_UNUSED int wire_message_encode(uint16_t type, const void *body, size_t size, Blob *ret);
/* Turns a WIRE_ERROR body into @e; returns the (negative) code it carries, or -EBADMSG. The reason, when it is one of
 * [a-z0-9-]{1,47}, lives for the rest of the process; otherwise it reads "remote-error". */
int wire_error_parse(const void *body, size_t size, Error *e);
WARN_UNUSED int wire_error_encode(int code, const Error *e, Blob *ret);

/*
 * Client side, blocking with a deadline. The listener must be root (a socket held by systemd) or run as we do, so that
 * nobody else can put a socket of theirs in the way: -EACCES. The descriptor is non-blocking and close-on-exec.
 */
WARN_UNUSED int wire_connect(const char *path, Deadline deadline, int *ret_fd, Error *e);
/* As wire_connect(), but -EAGAIN instead of waiting when the listener's queue is full. */
WARN_UNUSED int wire_connect_now(const char *path, int *ret_fd, Error *e);
/* Sends a request and waits for its answer; a WIRE_ERROR becomes the return value and @e. */
WARN_UNUSED int wire_call(int fd, uint16_t type, const void *body, size_t size, Deadline deadline, Blob *ret, Error *e);
/* As wire_call(), for answers whose body is a secret: received straight into locked memory. */
WARN_UNUSED int wire_call_secret(int fd, uint16_t type, const void *body, size_t size, Deadline deadline, Secret *ret,
                                 Error *e);

/* Server side, on a non-blocking descriptor: one packet each. -EAGAIN when not possible now, -ECONNRESET at end of file. */
WARN_UNUSED int wire_recv(int fd, WireMessage *ret, Error *e);
/* As wire_recv(), straight into locked memory, for who may be sent secrets. At most @max bytes of body; may be empty. */
WARN_UNUSED int wire_recv_secret(int fd, size_t max, uint16_t *ret_type, Secret *ret, Error *e);
WARN_UNUSED int wire_send(int fd, uint16_t type, const void *body, size_t size, Error *e);
WARN_UNUSED int wire_send_secret(int fd, uint16_t type, const Secret *secret, Error *e);
WARN_UNUSED int wire_send_error(int fd, int code, const Error *error, Error *e);

/* Who is at the other end, as the kernel recorded it when the connection was made. 0 or negative errno. */
WARN_UNUSED int wire_peer(int fd, struct ucred *ret, Error *e);
/* Binds a listener of @type (SOCK_SEQPACKET; SOCK_STREAM for the REST door) at @path, replacing a stale socket but never
 * another kind of file. Non-blocking. */
WARN_UNUSED int wire_listen(const char *path, int type, mode_t mode, int *ret_fd, Error *e);
