/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/simulator/tpm-bus.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "base/reader.h"
#include "base/writer.h"

static int listen_on(const char *path, const char *suffix) {
        struct sockaddr_un sa = { .sun_family = AF_UNIX };
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        (void) snprintf(sa.sun_path, sizeof(sa.sun_path), "%s%s", path, suffix);
        if (fd < 0 || bind(fd, (const struct sockaddr *) &sa, sizeof(sa)) < 0 || listen(fd, 8) < 0)
                return -1;
        return fd;
}

int tpm_bus_listen(TpmBus *bus) {
        bus->data = listen_on(bus->path, "");
        bus->control = listen_on(bus->path, ".ctrl");
        return bus->data < 0 || bus->control < 0 ? -1 : 0;
}

void tpm_bus_close(TpmBus *bus) {
        cleanup_fd(&bus->data);
        cleanup_fd(&bus->control);
}

size_t tpm_bus_read(int fd, uint8_t frame[static TPM_BUS_FRAME_MAX]) {
        size_t have = 0, want = TPM_BUS_HEADER_SIZE;

        while (have < want) {
                ssize_t n = recv(fd, frame + have, want - have, 0);

                if (n <= 0)
                        return 0;
                have += (size_t) n;
                if (have == TPM_BUS_HEADER_SIZE)
                        want = load_be32(frame + 2);
                if (want < TPM_BUS_HEADER_SIZE || want > TPM_BUS_FRAME_MAX)
                        return 0;
        }
        return have;
}

void tpm_bus_write(int fd, const void *data, size_t size) {
        (void) send(fd, data, size, MSG_NOSIGNAL);
}

size_t tpm_bus_ask(const char *path, const void *command, size_t size, uint8_t answer[static TPM_BUS_FRAME_MAX]) {
        struct sockaddr_un sa = { .sun_family = AF_UNIX };
        AUTO_FD int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        (void) snprintf(sa.sun_path, sizeof(sa.sun_path), "%s", path);
        if (connect(fd, (const struct sockaddr *) &sa, sizeof(sa)) < 0)
                return 0;
        tpm_bus_write(fd, command, size);
        return tpm_bus_read(fd, answer);
}

void tpm_bus_control_fine(void *user, int fd) {
        static const uint8_t fine[4] = {};
        uint8_t request[64];

        (void) user;
        if (recv(fd, request, sizeof(request), 0) > 0)
                tpm_bus_write(fd, fine, sizeof(fine));
}

size_t tpm_bus_code(uint32_t code, uint8_t answer[static TPM_BUS_FRAME_MAX]) {
        store_be16(answer, 0x8001); /* TPM_ST_NO_SESSIONS */
        store_be32(answer + 2, TPM_BUS_HEADER_SIZE);
        store_be32(answer + 6, code);
        return TPM_BUS_HEADER_SIZE;
}

_Noreturn void tpm_bus_serve(TpmBus *bus) {
        struct pollfd p[] = { { .fd = bus->data, .events = POLLIN }, { .fd = bus->control, .events = POLLIN } };

        for (;;) {
                if (poll(p, N_ELEMENTS(p), -1) < 0)
                        _exit(1);
                for (size_t i = 0; i < N_ELEMENTS(p); i++) {
                        AUTO_FD int fd = p[i].revents ? accept(p[i].fd, NULL, NULL) : -1;

                        if (fd >= 0 && p[i].fd == bus->data)
                                bus->on_command(bus->user, fd);
                        else if (fd >= 0)
                                (bus->on_control ? bus->on_control : tpm_bus_control_fine)(bus->user, fd);
                }
        }
}

pid_t tpm_bus_spawn(TpmBus *bus) {
        pid_t parent = getpid(), pid = fork();

        if (pid == 0) {
                if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
                        _exit(1);
                tpm_bus_serve(bus);
        }
        tpm_bus_close(bus);
        return pid;
}

void tpm_bus_kill(pid_t pid) {
        if (pid <= 0)
                return;
        (void) kill(pid, SIGKILL);
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
                ;
}
