/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Shared by wire.c and wire-client.c. */

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "agent/wire/wire.h"

#define WIRE_REASON_MAX 47  /* longest identifier that travels */
#define WIRE_REASONS_MAX 96 /* distinct identifiers kept in one process */

void wire_header_encode(uint16_t type, size_t body_size, uint8_t ret[static WIRE_HEADER_SIZE]);
/* @data: the packet, of which at least the first min(@packet_size, WIRE_HEADER_SIZE) bytes are readable. */
WARN_UNUSED int wire_header_parse(const uint8_t *data, size_t packet_size, uint16_t *ret_type, Error *e);

WARN_UNUSED int wire_send_vec(int fd, uint16_t type, const void *body, size_t size, Error *e);
/* One packet into @iov. -EAGAIN, -ECONNRESET, -EBADMSG when it does not fit. */
WARN_UNUSED int wire_recv_vec(int fd, struct iovec *iov, size_t n_iov, size_t *ret_size, Error *e);
