/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The framing of swtpm's Unix sockets, for what stands between a client and its swtpm: a connection per command, and a
 * control channel beside it. The client names such a socket as "swtpm:path=PATH".
 */

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/cleanup.h"

#define TPM_BUS_FRAME_MAX 8192u
#define TPM_BUS_HEADER_SIZE 10u /* TPM 2.0 Library Part 1: tag, u32 size, u32 command or response code */
#define TPM_BUS_PATH_SIZE 102u  /* with ".ctrl" it fits sockaddr_un */

/* Listens at PATH and PATH.ctrl. */
typedef struct TpmBus {
        char path[TPM_BUS_PATH_SIZE];
        int data, control;
        /* Serves one accepted connection. May end the process. */
        void (*on_command)(void *user, int fd);
        void (*on_control)(void *user, int fd); /* NULL: tpm_bus_control_fine() */
        void *user;
} TpmBus;

/* bus->path and the functions are set. 0 or -1 with errno. */
WARN_UNUSED int tpm_bus_listen(TpmBus *bus);
void tpm_bus_close(TpmBus *bus); /* here; the files stay */
_Noreturn void tpm_bus_serve(TpmBus *bus);

/* A child process that serves, and ends with this one at the latest. Its id, or -1. Closes the listeners here. */
pid_t tpm_bus_spawn(TpmBus *bus);
void tpm_bus_kill(pid_t pid);

/* One command or response: as many bytes as its header says. 0 at end of file. */
size_t tpm_bus_read(int fd, uint8_t frame[static TPM_BUS_FRAME_MAX]);
void tpm_bus_write(int fd, const void *data, size_t size);
/* Hands a command to the swtpm at @path. Size of its answer, 0 when there is none. */
size_t tpm_bus_ask(const char *path, const void *command, size_t size, uint8_t answer[static TPM_BUS_FRAME_MAX]);
/* swtpm's control channel: u32 command, parameters; answered by u32 result, zero here. */
void tpm_bus_control_fine(void *user, int fd);

/* A response that is only a code. Its size. */
size_t tpm_bus_code(uint32_t code, uint8_t answer[static TPM_BUS_FRAME_MAX]);
