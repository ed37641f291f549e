/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Lends the daemon's event loop to the broker client: KbcLoopOps in terms of sd-event. */

#include <systemd/sd-event.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "keybroker-client/client.h"

typedef struct LoopKbc LoopKbc;

extern const KbcLoopOps loop_kbc_ops;

WARN_UNUSED int loop_kbc_new(sd_event *event, LoopKbc **ret, Error *e);
/* The client must be gone by now. */
void loop_kbc_free(LoopKbc *loop);
DEFINE_CLEANUP(LoopKbc *, loop_kbc_free);

/* Whom to tell; before that, events have nowhere to go. Borrowed. */
void loop_kbc_set_client(LoopKbc *loop, KbcClient *client);
