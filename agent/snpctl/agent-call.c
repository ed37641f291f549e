/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/snpctl/agent-call.h"

#include <errno.h>
#include <string.h>

/* What to look at next, which connect(2)'s own errors do not tell. */
static const char *advice(const Error *why, int r) {
        if (strcmp(error_reason(why, r), "connect-failed") != 0)
                return "";
        switch (r) {
        case -ENOENT:
        case -ECONNREFUSED:
                return "; is snp-agent.socket started?";
        case -EACCES:
                return "; it is open to root and the group snp-client";
        default:
                return "";
        }
}

int ctl_agent_connect(const char *socket, Deadline deadline, int *ret_fd, Error *e) {
        Error why = {};
        int r = wire_connect(socket ? socket : WIRE_AGENT_SOCKET, deadline, ret_fd, &why);

        if (r < 0)
                return error_set(e, r == -EPERM ? -EACCES : r, "agent-unreachable", "The agent cannot be reached: %s%s",
                                 error_text(&why, r), advice(&why, r));
        return 0;
}
