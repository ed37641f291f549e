/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/integration/interposer.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "base/reader.h"
#include "base/writer.h"
#include "tests/simulator/tpm-bus.h"

typedef struct Server {
        InterposerOptions options;
        int record; /* -1 when nothing is kept */
        unsigned n_seen;
        uint8_t last[TPM_BUS_FRAME_MAX]; /* answer to the command that .options.command names */
        size_t last_size;
} Server;

static size_t ask_upstream(const Server *s, const void *command, size_t size,
                           uint8_t answer[static TPM_BUS_FRAME_MAX]) {
        return s->options.upstream ? tpm_bus_ask(s->options.upstream->path, command, size, answer) : 0;
}

/* TPM2_PCR_Extend of PCR 10, SHA-256, 32 bytes of 0xee, empty password. TPM 2.0 Library Part 3. */
static void extend(const Server *s) {
        AUTO_WRITER Writer w = wr_init(TPM_BUS_FRAME_MAX);
        AUTO_BLOB Blob command = {};
        uint8_t answer[TPM_BUS_FRAME_MAX];

        wr_be16(&w, 0x8002); /* TPM_ST_SESSIONS */
        wr_be32(&w, 65);
        wr_be32(&w, 0x00000182);
        wr_be32(&w, 10);
        wr_be32(&w, 9); /* size of the authorisation area */
        wr_be32(&w, 0x40000009); /* TPM_RS_PW */
        wr_zeros(&w, 5);
        wr_be32(&w, 1);
        wr_be16(&w, 0x000b);
        for (unsigned i = 0; i < 32; i++)
                wr_u8(&w, 0xee);
        if (wr_finish(&w, &command) == 0)
                (void) ask_upstream(s, command.data, command.size, answer);
}

/* Each frame on its own, so that nothing is found that only touches. */
static void record(const Server *s, const uint8_t *frame, size_t size) {
        uint8_t header[4];
        struct iovec parts[] = {
                { .iov_base = header, .iov_len = sizeof(header) },
                { .iov_len = size },
        };

        if (s->record < 0)
                return;
        store_be32(header, (uint32_t) size);
        parts[1].iov_base = (uint8_t *) (uintptr_t) frame;
        if (writev(s->record, parts, N_ELEMENTS(parts)) != (ssize_t) (sizeof(header) + size))
                _exit(1);
}

static void hang(void) {
        for (;;)
                (void) pause();
}

static void misbehave(const Server *s, int fd, const uint8_t *command, size_t size) {
        uint8_t answer[TPM_BUS_FRAME_MAX];
        size_t n;

        switch (s->options.act) {
        case INTERPOSER_HANG:
                hang();
                break;
        case INTERPOSER_HANG_MIDWAY:
                n = ask_upstream(s, command, size, answer);
                tpm_bus_write(fd, answer, n / 2);
                hang();
                break;
        case INTERPOSER_GONE:
                _exit(0);
        case INTERPOSER_GARBAGE:
                (void) memset(answer, 0xa5, sizeof(answer));
                store_be32(answer + 2, 32); /* a plausible size, so that the transport takes it */
                tpm_bus_write(fd, answer, 32);
                break;
        case INTERPOSER_WRONG_SIZE:
                n = ask_upstream(s, command, size, answer);
                if (n < TPM_BUS_HEADER_SIZE + 4)
                        break;
                store_be32(answer + 2, (uint32_t) n - 4);
                tpm_bus_write(fd, answer, n);
                break;
        case INTERPOSER_REPLAY:
                tpm_bus_write(fd, s->last, s->last_size);
                break;
        case INTERPOSER_CODE:
                tpm_bus_write(fd, answer, tpm_bus_code(s->options.code, answer));
                break;
        case INTERPOSER_ALTER:
                n = ask_upstream(s, command, size, answer);
                s->options.alter(answer, n);
                record(s, answer, n);
                tpm_bus_write(fd, answer, n);
                break;
        case INTERPOSER_PASS:
        case INTERPOSER_CLOSE:
        default:
                break;
        }
}

static bool is_chosen(Server *s, const uint8_t *command) {
        const InterposerOptions *o = &s->options;

        if (o->act == INTERPOSER_PASS || (o->command && load_be32(command + 6) != o->command))
                return false;
        s->n_seen++;
        return s->n_seen > o->n_pass && (o->n_act == 0 || s->n_seen <= o->n_pass + o->n_act);
}

static void serve_command(void *user, int fd) {
        Server *s = user;
        uint8_t command[TPM_BUS_FRAME_MAX], answer[TPM_BUS_FRAME_MAX];
        size_t n = tpm_bus_read(fd, command), m;

        if (n == 0)
                return; /* the client only looked whether somebody listens */
        record(s, command, n);
        if (is_chosen(s, command)) {
                misbehave(s, fd, command, n);
                return;
        }
        m = ask_upstream(s, command, n, answer);
        if (load_be32(command + 6) == s->options.command) {
                (void) memcpy(s->last, answer, m);
                s->last_size = m;
        }
        if (s->options.n_extend > 0 && load_be32(command + 6) == s->options.command) {
                extend(s);
                s->options.n_extend--;
        }
        record(s, answer, m);
        tpm_bus_write(fd, answer, m);
}

static void hang_on_control(void *user, int fd) {
        uint8_t request[64];

        (void) user;
        if (recv(fd, request, sizeof(request), 0) > 0)
                hang();
}

static int open_record(const Interposer *i, int flags) {
        char path[TPM_BUS_PATH_SIZE];

        (void) snprintf(path, sizeof(path), "%s/bus", i->dir);
        return open(path, flags | O_CLOEXEC, 0600);
}

bool interposer_saw(const Interposer *i, const void *bytes, size_t size) {
        AUTO_FD int fd = open_record(i, O_RDONLY);
        uint8_t frame[TPM_BUS_FRAME_MAX];
        uint8_t header[4];

        while (fd >= 0 && read(fd, header, sizeof(header)) == (ssize_t) sizeof(header)) {
                size_t n = load_be32(header);

                if (n > sizeof(frame) || read(fd, frame, n) != (ssize_t) n)
                        abort();
                if (memmem(frame, n, bytes, size))
                        return true;
        }
        return false;
}

int interposer_start(const InterposerOptions *options, Interposer *ret) {
        Server s = { .options = *options, .record = -1 };
        TpmBus bus = { .on_command = serve_command, .on_control = options->control_hangs ? hang_on_control : NULL,
                       .user = &s };
        Interposer i = {};
        int r;

        /* Within the TPM's directory, which goes when that is stopped, also after a test that failed. */
        (void) snprintf(i.dir, sizeof(i.dir), "%s/snp-interposer-XXXXXX",
                        options->upstream ? options->upstream->dir : "/tmp");
        if (!mkdtemp(i.dir)) {
                perror("mkdtemp");
                return -1;
        }
        (void) snprintf(bus.path, sizeof(bus.path), "%s/sock", i.dir);
        (void) snprintf(i.tcti, sizeof(i.tcti), "swtpm:path=%s", bus.path);
        r = tpm_bus_listen(&bus);
        if (options->record)
                s.record = open_record(&i, O_WRONLY | O_CREAT | O_EXCL);
        i.pid = r < 0 || (options->record && s.record < 0) ? -1 : tpm_bus_spawn(&bus);
        cleanup_fd(&s.record);
        if (i.pid < 0) {
                perror("interposer");
                tpm_bus_close(&bus);
                interposer_stop(&i);
                return -1;
        }
        *ret = i;
        return 0;
}

void interposer_stop(Interposer *i) {
        static const char *const names[] = { "/sock", "/sock.ctrl", "/bus", "" };

        tpm_bus_kill(i->pid);
        for (size_t n = 0; i->dir[0] && n < N_ELEMENTS(names); n++) {
                char path[TPM_BUS_PATH_SIZE];

                (void) snprintf(path, sizeof(path), "%s%s", i->dir, names[n]);
                (void) remove(path);
        }
        *i = (Interposer){};
}
