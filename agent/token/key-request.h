/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Asks the agent for the passphrase of a volume whose header has been checked. */

#include <stdbool.h>

#include "base/cleanup.h"
#include "base/deadline.h"
#include "base/error.h"
#include "base/secret.h"

/* Borrowed texts, all of them on the untrusted disk's word except the cipher, which was checked. */
typedef struct KeyRequest {
        const char *uuid;
        const char *device;
        const char *token_json;
        const char *cipher;
} KeyRequest;

typedef enum KeyAnswer {
        KEY_DENIED = 0, /* the agent or the broker says no; asking again is in vain */
        KEY_NOT_READY,  /* nobody there, no answer in time, or one that makes no sense */
        KEY_RELEASED,
} KeyAnswer;

/* Never waits beyond @deadline. @ret is set when the answer is KEY_RELEASED, @e otherwise. */
WARN_UNUSED KeyAnswer key_request_run(const char *socket_path, const KeyRequest *request, Deadline deadline,
                                      Secret *ret, Error *e);
