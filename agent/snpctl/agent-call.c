/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/snpctl/agent-call.h"

#include <errno.h>

int ctl_agent_connect(const char *socket, Deadline deadline, int *ret_fd, Error *e) {
        Error why = {};
        int r = wire_connect(socket ? socket : WIRE_AGENT_SOCKET, deadline, ret_fd, &why);

        if (r < 0)
                return error_set(e, r == -EPERM ? -EACCES : r, "agent-unreachable", "The agent cannot be reached: %s",
                                 error_text(&why, r));
        return 0;
}
