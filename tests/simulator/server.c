/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/simulator/server.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/text.h"

static int on_own(void *user, int val, const char *value) {
        SimServer *s = user;
        uint64_t fd;

        switch (val) {
        case 'm':
                s->place = value;
                return 0;
        case 'p':
                s->pki = value;
                return 0;
        case 'P':
                s->product = value;
                return 0;
        case 'c':
                s->control = value;
                return 0;
        case 'r':
                if (text_to_u64(value, 10, 0, INT32_MAX, &fd) < 0)
                        return -EINVAL;
                s->ready_fd = (int) fd;
                return 0;
        case 'd':
                s->die_with_parent = true;
                return 0;
        case 'h':
                s->help = true;
                return 0;
        default:
                return -EINVAL;
        }
}

int sim_server_parse(SimServer *ret, int argc, char **argv) {
        const struct option own[] = {
                { ret->place_option, required_argument, NULL, 'm' },
                { "pki", required_argument, NULL, 'p' },
                { "product", required_argument, NULL, 'P' },
                { "control", required_argument, NULL, 'c' },
                { "ready-fd", required_argument, NULL, 'r' },
                { "die-with-parent", no_argument, NULL, 'd' },
                { "help", no_argument, NULL, 'h' },
                {},
        };
        Error e = {};
        int r;

        ret->ready_fd = -1;
        ret->parent = getppid();
        r = sim_options_parse(argc, argv, own, on_own, ret, &ret->settings, &e);
        if (r == 0 && !ret->help && (!ret->place || !ret->pki))
                r = error_set(&e, -EINVAL, "sim-options", "--%s and --pki are required", ret->place_option);
        if (r < 0)
                fprintf(stderr, "%s: %s; see --help\n", ret->program, error_text(&e, r));
        return r;
}

void sim_server_print_options(void) {
        printf("  --pki DIR              hierarchy made by snp-sim-pki\n"
               "  --product NAME         refuse a hierarchy of another product line\n"
               "  --control FILE         settings to read again before every act; may be absent\n"
               "  --ready-fd FD          write \"ready\" and close FD once it serves\n"
               "  --die-with-parent      stop when the parent process ends\n");
        sim_options_print_settings();
}

int sim_server_start(const SimServer *s, SimPlatform *platform, Error *e) {
        SimPki *pki;
        int r;

        if (s->die_with_parent && (prctl(PR_SET_PDEATHSIG, SIGTERM) < 0 || getppid() != s->parent))
                return error_set(e, -ESRCH, "sim-parent", "The parent has gone");
        r = sim_pki_load(s->pki, &pki, e);
        if (r < 0)
                return r;
        sim_platform_init(platform, pki, s->control);
        if (s->product && strcmp(s->product, sim_product(pki->product)->name) != 0)
                return error_set(e, -EINVAL, "sim-product", "%s is a %s hierarchy", s->pki,
                                 sim_product(pki->product)->name);
        r = sim_options_apply(&s->settings, platform, e);
        return r < 0 ? r : sim_platform_refresh(platform, e);
}

void sim_server_announce(const SimServer *s) {
        if (s->ready_fd < 0)
                return;
        if (write(s->ready_fd, "ready\n", 6) != 6)
                fprintf(stderr, "%s: nobody reads that we are ready\n", s->program);
        (void) close(s->ready_fd);
}
