/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Sends log records to the journal, with their fields, when standard error is connected to it; leaves them on standard
 * error otherwise. */
void daemon_log_start(int max_priority);
