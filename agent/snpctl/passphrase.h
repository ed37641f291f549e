/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* A passphrase typed at a terminal. */

#include "base/cleanup.h"
#include "base/error.h"
#include "base/secret.h"

#define PASSPHRASE_MAX 512 /* as cryptsetup's interactive limit */

/**
 * passphrase_ask() - read one line from the terminal @fd without echo, straight into locked memory
 *
 * The terminal is as before when this returns, also after Ctrl-C, which is read as a character meanwhile.
 *
 * Return: 0; -ECANCELED Ctrl-C, Ctrl-D or end of file; -E2BIG; -ENOTTY; -EIO.
 */
WARN_UNUSED int passphrase_ask(int fd, const char *prompt, Secret *ret, Error *e);
