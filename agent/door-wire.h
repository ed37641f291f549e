/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The door for the LUKS2 token plugin and snpctl: messages of agent/wire/wire.h over SOCK_SEQPACKET. One
 * request, one answer, then the connection ends; a client that leaves earlier has its request cancelled.
 */

#include "agent/agent.h"

/* Takes over @fd, a listening socket, also on failure. */
WARN_UNUSED int door_wire_new(Agent *agent, int fd, DoorWire **ret, Error *e);
/* Drops every connection and what it waits for. */
void door_wire_free(DoorWire *door);
