/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/integration/kds-world.h"

#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "tests/broker/tls-pki.h"
#include "tests/integration/daemon.h"

void kds_world_start(KdsWorld *w, const char *hierarchy) {
        char tls[96], cert[128], key[128];
        SimKdsConfig config = { .cert_file = cert, .key_file = key, .hierarchies = { hierarchy } };
        Error e = {};
        int r;

        *w = (KdsWorld){};
        daemon_make_dir(w->dir);
        ck_assert_int_eq(chmod(w->dir, 0755), 0);
        (void) snprintf(tls, sizeof(tls), "%s/tls", w->dir);
        r = broker_pki_make(tls, &e);
        ck_assert_msg(r == 0, "%s", error_text(&e, r));
        (void) snprintf(cert, sizeof(cert), "%s/server.pem", tls);
        (void) snprintf(key, sizeof(key), "%s/server.key", tls);
        (void) snprintf(w->ca, sizeof(w->ca), "%s/ca.pem", tls);
        (void) snprintf(w->cache, sizeof(w->cache), "%s/cache", w->dir);
        (void) snprintf(w->control, sizeof(w->control), "%s/control", w->dir);
        (void) snprintf(w->log, sizeof(w->log), "%s/kds.log", w->dir);
        ck_assert_int_eq(mkdir(w->cache, 0755), 0);
        config.control = w->control;
        config.log = w->log;
        r = sim_kds_start(&config, &w->kds, &e);
        ck_assert_msg(r == 0, "%s", error_text(&e, r));
        (void) snprintf(w->url, sizeof(w->url), "https://127.0.0.1:%u", sim_kds_port(w->kds));
}

void kds_world_go_down(KdsWorld *w) {
        sim_kds_stop(TAKE_PTR(w->kds));
}

void kds_world_stop(KdsWorld *w) {
        if (w->kds)
                kds_world_go_down(w);
        daemon_remove_dir(w->dir);
}

void kds_world_control(const KdsWorld *w, const char *text) {
        daemon_put(w->dir, "control", "%s", text);
}

size_t kds_world_count(const KdsWorld *w, const char *text) {
        AUTO_FREE char *log = NULL;
        size_t n = 0;
        int r = file_read_text(w->log, 1u << 20, &log, NULL);

        if (r == -ENOENT)
                return 0;
        ck_assert_int_eq(r, 0);
        for (char *rest = log, *line; (line = strsep(&rest, "\n"));)
                n += strstr(line, text) != NULL;
        return n;
}

size_t kds_world_cached(const KdsWorld *w, const char *part) {
        DIR *dir = opendir(w->cache);
        size_t n = 0;

        ck_assert_ptr_nonnull(dir);
        for (const struct dirent *d = readdir(dir); d; d = readdir(dir))
                n += strstr(d->d_name, part) != NULL;
        (void) closedir(dir);
        return n;
}
