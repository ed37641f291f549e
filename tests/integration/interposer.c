/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/integration/interposer.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "base/reader.h"
#include "base/writer.h"

#define FRAME_MAX 8192u
#define HEADER_SIZE 10u /* TPM 2.0 Library Part 1: tag, u32 size, u32 command or response code */
#define PATH_SIZE 102u /* with ".ctrl" it fits sockaddr_un */

typedef struct Server {
        InterposerOptions options;
        int data, control; /* listening */
        int record;        /* -1 when nothing is kept */
        unsigned n_seen;
        char path[PATH_SIZE];
        uint8_t last[FRAME_MAX]; /* answer to the command that .options.command names */
        size_t last_size;
} Server;

static int listen_on(const char *path, const char *suffix) {
        struct sockaddr_un sa = { .sun_family = AF_UNIX };
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        (void) snprintf(sa.sun_path, sizeof(sa.sun_path), "%s%s", path, suffix);
        if (fd < 0 || bind(fd, (const struct sockaddr *) &sa, sizeof(sa)) < 0 || listen(fd, 8) < 0)
                return -1;
        return fd;
}

/* One command or response: as many bytes as its header says. 0 at end of file. */
static size_t read_frame(int fd, uint8_t *frame) {
        size_t have = 0, want = HEADER_SIZE;

        while (have < want) {
                ssize_t n = recv(fd, frame + have, want - have, 0);

                if (n <= 0)
                        return 0;
                have += (size_t) n;
                if (have == HEADER_SIZE)
                        want = load_be32(frame + 2);
                if (want < HEADER_SIZE || want > FRAME_MAX)
                        return 0;
        }
        return have;
}

static void write_all(int fd, const void *data, size_t size) {
        (void) send(fd, data, size, MSG_NOSIGNAL);
}

static size_t ask_upstream(const Server *s, const void *command, size_t size, uint8_t *answer) {
        struct sockaddr_un sa = { .sun_family = AF_UNIX };
        AUTO_FD int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        if (!s->options.upstream)
                return 0;
        (void) snprintf(sa.sun_path, sizeof(sa.sun_path), "%s", s->options.upstream->path);
        if (connect(fd, (const struct sockaddr *) &sa, sizeof(sa)) < 0)
                return 0;
        write_all(fd, command, size);
        return read_frame(fd, answer);
}

/* TPM2_PCR_Extend of PCR 10, SHA-256, 32 bytes of 0xee, empty password. TPM 2.0 Library Part 3. */
static void extend(const Server *s) {
        AUTO_WRITER Writer w = wr_init(FRAME_MAX);
        AUTO_BLOB Blob command = {};
        uint8_t answer[FRAME_MAX];

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
        uint8_t answer[FRAME_MAX];
        size_t n;

        switch (s->options.act) {
        case INTERPOSER_HANG:
                hang();
                break;
        case INTERPOSER_HANG_MIDWAY:
                n = ask_upstream(s, command, size, answer);
                write_all(fd, answer, n / 2);
                hang();
                break;
        case INTERPOSER_GONE:
                _exit(0);
        case INTERPOSER_GARBAGE:
                (void) memset(answer, 0xa5, sizeof(answer));
                store_be32(answer + 2, 32); /* a plausible size, so that the transport takes it */
                write_all(fd, answer, 32);
                break;
        case INTERPOSER_WRONG_SIZE:
                n = ask_upstream(s, command, size, answer);
                if (n < HEADER_SIZE + 4)
                        break;
                store_be32(answer + 2, (uint32_t) n - 4);
                write_all(fd, answer, n);
                break;
        case INTERPOSER_REPLAY:
                write_all(fd, s->last, s->last_size);
                break;
        case INTERPOSER_CODE:
                store_be16(answer, 0x8001); /* TPM_ST_NO_SESSIONS */
                store_be32(answer + 2, HEADER_SIZE);
                store_be32(answer + 6, s->options.code);
                write_all(fd, answer, HEADER_SIZE);
                break;
        case INTERPOSER_ALTER:
                n = ask_upstream(s, command, size, answer);
                s->options.alter(answer, n);
                record(s, answer, n);
                write_all(fd, answer, n);
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

static void serve_command(Server *s, int fd) {
        uint8_t command[FRAME_MAX], answer[FRAME_MAX];
        size_t n = read_frame(fd, command), m;

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
        write_all(fd, answer, m);
}

/* swtpm's control channel: u32 command, parameters; answered by u32 result. */
static void serve_control(const Server *s, int fd) {
        static const uint8_t fine[4] = {};
        uint8_t request[64];

        if (recv(fd, request, sizeof(request), 0) <= 0)
                return;
        if (s->options.control_hangs)
                hang();
        write_all(fd, fine, sizeof(fine));
}

static _Noreturn void serve(Server *s) {
        struct pollfd p[] = { { .fd = s->data, .events = POLLIN }, { .fd = s->control, .events = POLLIN } };

        for (;;) {
                if (poll(p, N_ELEMENTS(p), -1) < 0)
                        _exit(1);
                for (size_t i = 0; i < N_ELEMENTS(p); i++) {
                        AUTO_FD int fd = p[i].revents ? accept(p[i].fd, NULL, NULL) : -1;

                        if (fd >= 0 && p[i].fd == s->data)
                                serve_command(s, fd);
                        else if (fd >= 0)
                                serve_control(s, fd);
                }
        }
}

static int open_record(const Interposer *i, int flags) {
        char path[PATH_SIZE];

        (void) snprintf(path, sizeof(path), "%s/bus", i->dir);
        return open(path, flags | O_CLOEXEC, 0600);
}

bool interposer_saw(const Interposer *i, const void *bytes, size_t size) {
        AUTO_FD int fd = open_record(i, O_RDONLY);
        uint8_t frame[FRAME_MAX];
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
        Server s = { .options = *options, .data = -1, .control = -1, .record = -1 };
        Interposer i = {};
        pid_t parent = getpid();

        /* Within the TPM's directory, which goes when that is stopped, also after a test that failed. */
        (void) snprintf(i.dir, sizeof(i.dir), "%s/snp-interposer-XXXXXX",
                        options->upstream ? options->upstream->dir : "/tmp");
        if (!mkdtemp(i.dir)) {
                perror("mkdtemp");
                return -1;
        }
        (void) snprintf(s.path, sizeof(s.path), "%s/sock", i.dir);
        (void) snprintf(i.tcti, sizeof(i.tcti), "swtpm:path=%s", s.path);
        s.data = listen_on(s.path, "");
        s.control = listen_on(s.path, ".ctrl");
        if (options->record)
                s.record = open_record(&i, O_WRONLY | O_CREAT | O_EXCL);
        i.pid = s.data < 0 || s.control < 0 || (options->record && s.record < 0) ? -1 : fork();
        if (i.pid == 0) {
                if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
                        _exit(1);
                serve(&s);
        }
        cleanup_fd(&s.data);
        cleanup_fd(&s.control);
        cleanup_fd(&s.record);
        if (i.pid < 0) {
                perror("interposer");
                interposer_stop(&i);
                return -1;
        }
        *ret = i;
        return 0;
}

void interposer_stop(Interposer *i) {
        static const char *const names[] = { "/sock", "/sock.ctrl", "/bus", "" };

        if (i->pid > 0) {
                (void) kill(i->pid, SIGKILL);
                (void) waitpid(i->pid, NULL, 0);
        }
        for (size_t n = 0; i->dir[0] && n < N_ELEMENTS(names); n++) {
                char path[PATH_SIZE];

                (void) snprintf(path, sizeof(path), "%s%s", i->dir, names[n]);
                (void) remove(path);
        }
        *i = (Interposer){};
}
