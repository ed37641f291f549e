/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/token/key-request.h"

#include <errno.h>
#include <string.h>

#include "agent/wire/bodies.h"
#include "agent/wire/wire.h"

static WireText text_of(const char *text) {
        return (WireText){ .text = text ? text : "", .len = text ? strlen(text) : 0 };
}

/* What the agent or the broker decided, as opposed to what prevented a decision. */
static KeyAnswer answer_of(int r) {
        switch (r) {
        case 0:
                return KEY_RELEASED;
        case -EPERM:
        case -EACCES:
        case -EKEYREJECTED:
        case -ENOENT:
        case -EINVAL:
                return KEY_DENIED;
        default:
                return KEY_NOT_READY;
        }
}

KeyAnswer key_request_run(const char *socket_path, const KeyRequest *request, Deadline deadline, Secret *ret,
                          Error *e) {
        const WireVolumeRequest q = {
                .uuid = text_of(request->uuid),
                .device = text_of(request->device),
                .token = text_of(request->token_json),
                .cipher = text_of(request->cipher),
        };
        AUTO_BLOB Blob body = {};
        AUTO_FD int fd = -1;
        int r;

        r = wire_volume_request_encode(&q, &body);
        if (r < 0) {
                (void) error_set(e, r, "request-too-large", "The volume's names do not fit into a request: %s",
                                 error_text(NULL, r));
                return KEY_DENIED;
        }
        /* Whatever keeps us from reaching the agent is no decision of the agent's. */
        r = wire_connect(socket_path, deadline, &fd, e);
        if (r < 0)
                return KEY_NOT_READY;
        return answer_of(wire_call_secret(fd, WIRE_VOLUME_KEY, body.data, body.size, deadline, ret, e));
}
