/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What the programs snp-test-broker and snp-test-proxy do alike around their server. */

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"

/* Blocks the signals that end the program, before any thread starts. -ESRCH when the parent is gone already. */
WARN_UNUSED int program_prepare(bool die_with_parent, sigset_t *ret_stop, Error *e);
/* "listening PORT\n"; closes @fd unless it is a standard one. */
WARN_UNUSED int program_say_ready(int fd, uint16_t port, Error *e);
/* Until SIGTERM or SIGINT. */
void program_wait(const sigset_t *stop);
