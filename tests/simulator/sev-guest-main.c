/* SPDX-License-Identifier: Apache-2.0 */
/*
 * snp-sim-sev-guest: a character device that behaves like /dev/sev-guest, through CUSE. Single-threaded, since the real
 * driver holds a mutex.
 *
 * An "unrestricted" ioctl reaches us with nothing but the address of its argument. Each round we tell the kernel which
 * parts of the caller's memory we want to read and to write, and get the call again from the start with these; so the
 * sizes that come in say how far we are, and everything is judged anew:
 *
 *   in                 out                             what is known
 *   -                  -                               nothing
 *   ioctl              ioctl                           addresses of request and response
 *   ioctl, req         ioctl, resp                     address and length for certificates
 *   ioctl, req         ioctl, req, resp [, certs]      all (extended report)
 */
#define FUSE_USE_VERSION 31
#include <cuse_lowlevel.h>
#include <errno.h>
#include <fuse_opt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/simulator/server.h"
#include "tests/simulator/sev-guest.h"

typedef struct Program {
        SimServer server;
        SimPlatform platform;
        SimSevGuest guest;
} Program;

typedef struct Round {
        fuse_req_t req;
        const void *arg; /* address in the caller */
        const void *in;
        size_t in_size, out_size;
} Round;

static struct iovec part(uint64_t address, size_t size) {
        return (struct iovec){ .iov_base = (void *) (uintptr_t) address, .iov_len = size };
}

static void ask_again(const Round *round, const struct iovec *in, size_t n_in, const struct iovec *out, size_t n_out) {
        (void) fuse_reply_ioctl_retry(round->req, in, n_in, out, n_out);
}

/* The ioctl's own structure first, so that a short answer is that alone. */
static void reply(const Round *round, const SimSevCall *c, int result) {
        bool extended = c->request == SIM_SEV_EXT_REPORT;
        uint8_t out[SIM_SEV_IOCTL_SIZE + SIM_SEV_REQ_MAX + SIM_SEV_RESP_MAX + SIM_SEV_CERTS_MAX];
        size_t n = sizeof(c->ioctl);

        (void) memcpy(out, c->ioctl, n);
        if (extended && (c->wrote_req || c->wrote_resp)) {
                (void) memcpy(out + n, c->req, sim_sev_req_size(c->request));
                n += sim_sev_req_size(c->request);
        }
        if (c->wrote_resp) {
                (void) memcpy(out + n, c->resp, sim_sev_resp_size(c->request));
                n += sim_sev_resp_size(c->request);
                (void) memcpy(out + n, c->certs, sim_sev_certs_len(c));
                n += sim_sev_certs_len(c);
        }
        (void) fuse_reply_ioctl(round->req, result, out, n < round->out_size ? n : round->out_size);
}

static void want_req(const Round *round, const SimSevCall *c) {
        struct iovec in[] = { part((uintptr_t) round->arg, sizeof(c->ioctl)),
                              part(sim_sev_req_address(c), sim_sev_req_size(c->request)) };
        struct iovec out[] = { in[0], part(sim_sev_resp_address(c), sim_sev_resp_size(c->request)) };

        ask_again(round, in, N_ELEMENTS(in), out, N_ELEMENTS(out));
}

static void want_certs(const Round *round, const SimSevCall *c) {
        struct iovec in[] = { part((uintptr_t) round->arg, sizeof(c->ioctl)),
                              part(sim_sev_req_address(c), sim_sev_req_size(c->request)) };
        struct iovec out[] = { in[0], in[1], part(sim_sev_resp_address(c), sim_sev_resp_size(c->request)),
                               part(sim_sev_certs_address(c), sim_sev_certs_len(c)) };

        ask_again(round, in, N_ELEMENTS(in), out, sim_sev_certs_len(c) > 0 ? 4 : 3);
}

static void act(const Round *round, SimSevGuest *guest, SimSevCall *c) {
        size_t out = sizeof(c->ioctl) + sim_sev_resp_size(c->request);
        int r;

        if (c->request == SIM_SEV_EXT_REPORT) {
                if (sim_sev_check_req(c) < 0) {
                        reply(round, c, -EINVAL);
                        return;
                }
                if (round->out_size == out) {
                        want_certs(round, c);
                        return;
                }
                out += sim_sev_req_size(c->request) + sim_sev_certs_len(c);
        }
        if (round->out_size != out) { /* the caller changes its memory under our hands */
                (void) fuse_reply_err(round->req, EFAULT);
                return;
        }
        r = sim_sev_act(guest, c);
        reply(round, c, r);
}

static void on_ioctl(fuse_req_t req, int cmd, void *arg, struct fuse_file_info *fi, unsigned flags, const void *in,
                     size_t in_size, size_t out_size) {
        Program *p = fuse_req_userdata(req);
        const Round round = { .req = req, .arg = arg, .in = in, .in_size = in_size, .out_size = out_size };
        SimSevCall c = { .request = (uint32_t) cmd };
        size_t req_size = sim_sev_req_size(c.request);
        struct iovec self = part((uintptr_t) arg, sizeof(c.ioctl));
        bool silent;
        int r;

        (void) fi, (void) flags;
        if (in_size < sizeof(c.ioctl)) {
                ask_again(&round, &self, 1, &self, 1);
                return;
        }
        (void) memcpy(c.ioctl, in, sizeof(c.ioctl));
        r = sim_sev_check_ioctl(&c, &silent);
        if (r < 0 && silent)
                (void) fuse_reply_err(req, -r);
        else if (r < 0)
                reply(&round, &c, r);
        else if (in_size != sizeof(c.ioctl) + req_size)
                want_req(&round, &c);
        else {
                (void) memcpy(c.req, (const uint8_t *) in + sizeof(c.ioctl), req_size);
                act(&round, &p->guest, &c);
        }
}

static void on_open(fuse_req_t req, struct fuse_file_info *fi) {
        (void) fuse_reply_open(req, fi);
}

static void on_ready(void *userdata) {
        const Program *p = userdata;

        sim_server_announce(&p->server);
}

static const struct cuse_lowlevel_ops operations = {
        .init_done = on_ready,
        .open = on_open,
        .ioctl = on_ioctl,
};

static int serve(Program *p) {
        char name[64], program[] = "snp-sim-sev-guest", foreground[] = "-f", single[] = "-s";
        const char *device[] = { name };
        char *argv[] = { program, foreground, single, NULL };
        struct cuse_info info = { .dev_info_argc = 1, .dev_info_argv = device, .flags = CUSE_UNRESTRICTED_IOCTL };

        if (snprintf(name, sizeof(name), "DEVNAME=%s", p->server.place) >= (int) sizeof(name))
                return -EINVAL;
        return cuse_lowlevel_main(3, argv, &info, &operations, p) == 0 ? 0 : -EIO;
}

static void print_usage(void) {
        printf("Usage: snp-sim-sev-guest --name NAME --pki DIR [OPTION...]\n"
               "\n"
               "Serves /dev/NAME as the sev-guest driver does, in the foreground, until SIGTERM. Needs /dev/cuse.\n"
               "\n");
        sim_server_print_options();
}

int main(int argc, char **argv) {
        Program p = { .server = { .program = "snp-sim-sev-guest", .place_option = "name" } };
        Error e = {};
        int r;

        r = sim_server_parse(&p.server, argc, argv);
        if (p.server.help)
                print_usage();
        if (p.server.help || r < 0)
                return p.server.help ? EXIT_SUCCESS : 2;
        r = sim_server_start(&p.server, &p.platform, &e);
        p.guest.platform = &p.platform;
        if (r == 0)
                r = serve(&p);
        if (r < 0)
                fprintf(stderr, "snp-sim-sev-guest: %s\n", error_text(&e, r));
        sim_platform_done(&p.platform);
        return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
