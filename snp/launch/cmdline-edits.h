/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Inside of snp/launch/: how a kernel command line comes to differ from the one that somebody wrote down. */

#include "base/cleanup.h"

/* Told of each edit once or more; @how is for people: "without 'quiet'". Any return value but 0 ends the walk. */
typedef int (*SnpCmdlineEdit)(void *user, const char *cmdline, const char *how);

/* 0; what @edit returned; -ENOMEM. */
WARN_UNUSED int snp_cmdline_edits(const char *cmdline, SnpCmdlineEdit edit, void *user);
