/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Lends the daemon's event loop to what speaks HTTP, one loop each: KbcLoopOps in terms of sd-event. */

#include <systemd/sd-event.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "keybroker-client/client.h"

typedef struct LoopKbc LoopKbc;

extern const KbcLoopOps loop_kbc_ops;

WARN_UNUSED int loop_kbc_new(sd_event *event, LoopKbc **ret, Error *e);
/* Whoever was told of events must be gone by now. */
void loop_kbc_free(LoopKbc *loop);
DEFINE_CLEANUP(LoopKbc *, loop_kbc_free);

/* Whom to tell; before that, events have nowhere to go. */
typedef struct LoopKbcTarget {
        void (*on_fd)(void *object, int fd, unsigned what); /* KBC_IO_* bits */
        void (*on_timer)(void *object);
        void *object; /* borrowed; NULL: nobody */
} LoopKbcTarget;
void loop_kbc_set_target(LoopKbc *loop, const LoopKbcTarget *target);
/* The usual one. */
void loop_kbc_set_client(LoopKbc *loop, KbcClient *client);
