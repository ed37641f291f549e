/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The door for workloads: HTTP/1.1 on a UNIX socket, by libmicrohttpd on the agent's own loop. What is
 * served is a table in rest-routes.c. Who is at the other end is what the kernel says of the connection.
 */

#include "agent/agent.h"

/* Takes over @fd, a listening stream socket, also on failure. */
WARN_UNUSED int door_rest_new(Agent *agent, int fd, DoorRest **ret, Error *e);
/* Drops every connection and what it waits for. */
void door_rest_free(DoorRest *door);
