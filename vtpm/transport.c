/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two ends of a SEQPACKET socket pair. One packet is one TPM command (towards the module) or a TSS2_RC of
 * the module, little-endian, and the TPM's response (back). The first packet back is a TSS2_RC alone: how
 * loading the module went. End of file in either direction ends the other side.
 *
 * The response comes from outside the trust boundary. Here its frame is checked (header, size, a response
 * code without the layer bits that only software above the TPM may set); its contents are for ESAPI.
 */
#include "vtpm/transport.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <tss2/tss2_tctildr.h>
#include <tss2/tss2_tpm2_types.h>

#include "base/reader.h"
#include "base/text.h"
#include "base/writer.h"
#include "vtpm/rc.h"

#define MAGIC UINT64_C(0x7674706d2d747074) /* ours alone: a TCTI checks that a context is its own */
#define RC_SIZE 4u
#define HEADER_SIZE 10u /* TPM 2.0 Library Part 1, "Response Structure": tag, u32 size, u32 code */
#define PACKET_MAX (RC_SIZE + TPM2_MAX_RESPONSE_SIZE)

struct VtpmTransport {
        TSS2_TCTI_CONTEXT_COMMON_CURRENT tcti; /* first, so that a TCTI context of ours is a VtpmTransport */
        int fd;
        pid_t pid;
        int pidfd;
        bool given_up;
};

/* ---- the process with the module ---- */

/* Keeps nothing of the parent but standard error (for tpm2-tss' log) and @fd, which becomes 3. */
static int child_isolate(int fd, pid_t parent) {
        sigset_t all;
        int null;

        (void) sigfillset(&all);
        (void) sigprocmask(SIG_SETMASK, &all, NULL); /* the parent's handlers are not for us; SIGKILL ends us */
        if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
                return -1;
        (void) prctl(PR_SET_NAME, "vtpm-transport");
        null = open("/dev/null", O_RDWR);
        if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0)
                return -1;
        if (fd != 3 && dup2(fd, 3) < 0)
                return -1;
        if (fcntl(3, F_SETFD, FD_CLOEXEC) < 0)
                return -1;
        return close_range(4, ~0u, 0);
}

static bool child_send(int fd, TSS2_RC rc, uint8_t *packet, size_t response_size) {
        store_le32(packet, rc);
        return send(fd, packet, RC_SIZE + response_size, MSG_NOSIGNAL) == (ssize_t) (RC_SIZE + response_size);
}

static bool child_serve_one(int fd, TSS2_TCTI_CONTEXT *tcti, uint8_t *packet) {
        uint8_t command[TPM2_MAX_COMMAND_SIZE];
        ssize_t n = recv(fd, command, sizeof(command), 0);
        size_t size = TPM2_MAX_RESPONSE_SIZE;
        TSS2_RC rc;

        if (n <= 0)
                return false;
        rc = Tss2_Tcti_Transmit(tcti, (size_t) n, command);
        if (rc == TSS2_RC_SUCCESS)
                rc = Tss2_Tcti_Receive(tcti, &size, packet + RC_SIZE, TSS2_TCTI_TIMEOUT_BLOCK);
        return child_send(fd, rc, packet, rc == TSS2_RC_SUCCESS ? size : 0);
}

static _Noreturn void child_main(const char *conf, int fd, pid_t parent) {
        static uint8_t packet[PACKET_MAX];
        TSS2_TCTI_CONTEXT *tcti = NULL;
        TSS2_RC rc;

        if (child_isolate(fd, parent) < 0)
                _exit(1);
        rc = Tss2_TctiLdr_Initialize(conf, &tcti);
        if (child_send(3, rc, packet, 0) && rc == TSS2_RC_SUCCESS)
                while (child_serve_one(3, tcti, packet))
                        ;
        Tss2_TctiLdr_Finalize(&tcti);
        _exit(0);
}

/* ---- our side: a TCTI ---- */

static VtpmTransport *from_tcti(TSS2_TCTI_CONTEXT *tcti) {
        void *p = tcti;

        return p && TSS2_TCTI_MAGIC(p) == MAGIC ? p : NULL;
}

static TSS2_RC tcti_transmit(TSS2_TCTI_CONTEXT *tcti, size_t size, const uint8_t *command) {
        VtpmTransport *t = from_tcti(tcti);

        if (!t || !command)
                return TSS2_TCTI_RC_BAD_REFERENCE;
        if (size > TPM2_MAX_COMMAND_SIZE)
                return TSS2_TCTI_RC_BAD_VALUE;
        /* One command at a time: the socket's buffer is empty and this does not block. */
        if (send(t->fd, command, size, MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t) size)
                return TSS2_TCTI_RC_NO_CONNECTION;
        return TSS2_RC_SUCCESS;
}

static TSS2_RC wait_readable(int fd, int msec) {
        struct pollfd p = { .fd = fd, .events = POLLIN };
        int n = poll(&p, 1, msec);

        if (n == 0 || (n < 0 && errno == EINTR))
                return TSS2_TCTI_RC_TRY_AGAIN;
        return n < 0 ? TSS2_TCTI_RC_IO_ERROR : TSS2_RC_SUCCESS;
}

/* A response code without layer, or with the one a resource manager in the kernel uses. */
static bool code_is_plausible(uint32_t code) {
        uint32_t layer = code & ~0xffffu;

        return layer == 0 || layer == TSS2_RESMGR_RC_LAYER || layer == TSS2_RESMGR_TPM_RC_LAYER;
}

static TSS2_RC check_frame(const uint8_t *response, size_t size) {
        Reader r = rd_init(response, size);
        uint32_t said, code;

        rd_skip(&r, 2); /* tag */
        said = rd_be32(&r);
        code = rd_be32(&r);
        if (r.error < 0 || said != size || !code_is_plausible(code))
                return TSS2_TCTI_RC_MALFORMED_RESPONSE;
        return TSS2_RC_SUCCESS;
}

/* ESAPI asks twice: for the size (@response NULL), then for the bytes. */
static TSS2_RC tcti_receive(TSS2_TCTI_CONTEXT *tcti, size_t *size, uint8_t *response, int32_t timeout) {
        VtpmTransport *t = from_tcti(tcti);
        uint8_t packet[PACKET_MAX];
        ssize_t n;
        TSS2_RC rc;

        if (!t || !size)
                return TSS2_TCTI_RC_BAD_REFERENCE;
        rc = wait_readable(t->fd, timeout);
        if (rc != TSS2_RC_SUCCESS)
                return rc;
        n = recv(t->fd, packet, sizeof(packet), MSG_DONTWAIT | MSG_TRUNC | (response ? 0 : MSG_PEEK));
        if (n <= 0)
                return TSS2_TCTI_RC_NO_CONNECTION;
        if ((size_t) n < RC_SIZE || (size_t) n > sizeof(packet))
                return TSS2_TCTI_RC_MALFORMED_RESPONSE;
        rc = load_le32(packet);
        if (rc != TSS2_RC_SUCCESS)
                return rc == TSS2_TCTI_RC_TRY_AGAIN ? TSS2_TCTI_RC_IO_ERROR : rc;
        rc = check_frame(packet + RC_SIZE, (size_t) n - RC_SIZE);
        if (rc != TSS2_RC_SUCCESS)
                return rc;
        if (response && *size < (size_t) n - RC_SIZE)
                return TSS2_TCTI_RC_INSUFFICIENT_BUFFER;
        *size = (size_t) n - RC_SIZE;
        if (response)
                (void) memcpy(response, packet + RC_SIZE, *size);
        return TSS2_RC_SUCCESS;
}

static void tcti_finalize(TSS2_TCTI_CONTEXT *tcti) {
        (void) tcti; /* vtpm_transport_free() does it */
}

static void init_tcti(VtpmTransport *t) {
        t->tcti.v1.magic = MAGIC;
        t->tcti.v1.version = 2;
        t->tcti.v1.transmit = tcti_transmit;
        t->tcti.v1.receive = tcti_receive;
        t->tcti.v1.finalize = tcti_finalize;
        /* cancel, getPollHandles, setLocality, makeSticky: NULL, which the TCTI macros report as not implemented */
}

TSS2_TCTI_CONTEXT *vtpm_transport_tcti(VtpmTransport *transport) {
        void *p = &transport->tcti;

        return p;
}

/* ---- its life ---- */

static int start(VtpmTransport *t, const char *conf, Error *e) {
        AUTO_FD int ours = -1;
        AUTO_FD int theirs = -1;
        pid_t parent = getpid();
        int pair[2];

        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
                return error_set(e, -EIO, "tpm-transport", "Cannot create a socket pair: %s", error_text(NULL, -errno));
        ours = pair[0];
        theirs = pair[1];
        t->pid = fork();
        if (t->pid < 0)
                return error_set(e, -errno, "tpm-transport", "Cannot start the TPM transport process: %s",
                                 error_text(NULL, -errno));
        if (t->pid == 0)
                child_main(conf, theirs, parent);
        t->fd = TAKE_FD(ours);
        t->pidfd = pidfd_open(t->pid, 0);
        if (t->pidfd < 0)
                return error_set(e, -EIO, "tpm-transport", "Cannot watch the TPM transport process: %s",
                                 error_text(NULL, -errno));
        return 0;
}

/* The TCTI layer's codes do not say why a device cannot be opened; the kernel does. */
static int unreachable(TSS2_RC rc, const char *conf, Error *e) {
        static const char device[] = "device:";
        Error why = {};
        int r;

        if (rc == TSS2_TCTI_RC_MEMORY)
                return error_oom(e);
        if (text_starts_with(conf, device) && access(conf + sizeof(device) - 1, R_OK | W_OK) < 0) {
                r = errno;
                if (r == EACCES || r == EPERM)
                        return error_set(e, -EACCES, "tpm-access", "No access to the TPM at '%s'", conf);
                return error_set(e, -ENODEV, "tpm-absent", "There is no TPM at '%s': %s", conf, error_text(NULL, -r));
        }
        r = vtpm_rc_error(rc, "the TCTI module says", &why);
        if (rc == TSS2_TCTI_RC_BAD_VALUE)
                return error_set(e, -EINVAL, "tcti-configuration", "Bad TCTI configuration '%s': %s", conf,
                                 error_text(&why, r));
        return error_set(e, -ENODEV, "tpm-absent", "Cannot reach the TPM at '%s': %s", conf, error_text(&why, r));
}

static int wait_hello(VtpmTransport *t, const char *conf, Deadline deadline, Error *e) {
        uint8_t rc[RC_SIZE];
        TSS2_RC q;
        ssize_t n;

        do
                q = wait_readable(t->fd, deadline_poll_msec(deadline));
        while (q == TSS2_TCTI_RC_TRY_AGAIN && !deadline_expired(deadline));
        if (q == TSS2_TCTI_RC_TRY_AGAIN) {
                t->given_up = true;
                return error_set(e, -ETIMEDOUT, "tpm-timeout", "No contact with the TPM at '%s' in time", conf);
        }
        n = recv(t->fd, rc, sizeof(rc), MSG_DONTWAIT);
        if (n != sizeof(rc))
                return error_set(e, -EIO, "tpm-transport", "The TPM transport process for '%s' failed to start", conf);
        return load_le32(rc) == TSS2_RC_SUCCESS ? 0 : unreachable(load_le32(rc), conf, e);
}

int vtpm_transport_open(const char *tcti, Deadline deadline, VtpmTransport **ret, Error *e) {
        CLEANUP(vtpm_transport_freep) VtpmTransport *t = calloc(1, sizeof(*t));
        int r;

        if (!t)
                return error_oom(e);
        t->fd = t->pidfd = -1;
        init_tcti(t);
        r = start(t, tcti, e);
        if (r < 0)
                return r;
        r = wait_hello(t, tcti, deadline, e);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(t);
        return 0;
}

void vtpm_transport_give_up(VtpmTransport *transport) {
        transport->given_up = true;
}

static bool reaped(VtpmTransport *t, uint64_t usec) {
        struct pollfd p = { .fd = t->pidfd, .events = POLLIN };
        Deadline until = deadline_in(usec);

        while (poll(&p, 1, deadline_poll_msec(until)) < 0 && errno == EINTR)
                ;
        return waitpid(t->pid, NULL, WNOHANG) != 0; /* also when somebody else has reaped it */
}

/* A process that even SIGKILL does not end is stuck in a driver: it is left behind, and init reaps it after us. */
static void stop(VtpmTransport *t) {
        if (!t->given_up && t->pidfd >= 0 && reaped(t, VTPM_TRANSPORT_CLOSE_USEC / 2))
                return;
        (void) kill(t->pid, SIGKILL);
        if (t->pidfd >= 0)
                (void) reaped(t, VTPM_TRANSPORT_CLOSE_USEC / 2);
        else
                (void) waitpid(t->pid, NULL, WNOHANG);
}

void vtpm_transport_free(VtpmTransport *transport) {
        if (!transport)
                return;
        cleanup_fd(&transport->fd); /* end of file: the module is to close the TPM and exit */
        if (transport->pid > 0)
                stop(transport);
        cleanup_fd(&transport->pidfd);
        free(transport);
}
