/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Lets the kernel have the memory that an idle daemon does not need: free heap, and the pages of program
 * text and constants that start-up touched. The latter are read again from the page cache when they are
 * used again; nothing that was ever written is among them.
 */
void daemon_give_back_memory(void);
