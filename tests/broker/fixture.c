/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/broker/fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/file.h"
#include "base/hex.h"
#include "base/writer.h"
#include "tests/broker/tls-pki.h"
#include "tests/simulator/report.h"

#define LOG_MAX (64u * 1024u * 1024u)

void fixture_path(const BrokerFixture *f, const char *name, char ret[static FIXTURE_PATH_MAX]) {
        (void) snprintf(ret, FIXTURE_PATH_MAX, "%s/%s", f->dir, name);
}

int fixture_write(const BrokerFixture *f, const char *name, const void *data, size_t size, Error *e) {
        char path[FIXTURE_PATH_MAX];

        fixture_path(f, name, path);
        for (char *p = path + strlen(f->dir) + 1; (p = strchr(p, '/')) != NULL; *p++ = '/') {
                *p = 0;
                if (mkdir(path, 0700) < 0 && errno != EEXIST)
                        return error_set(e, -errno, "fixture", "Cannot make %s", path);
        }
        return file_write_atomic(path, data, size, 0600, e);
}

int fixture_write_text(const BrokerFixture *f, const char *name, const char *text, Error *e) {
        return fixture_write(f, name, text, strlen(text), e);
}

/* A chain file with the intermediates of both kinds of key. */
static int write_chain(const BrokerFixture *f, const SimPki *pki, Error *e) {
        AUTO_BLOB Blob chain = {};
        AUTO_BLOB Blob asvk = {};
        AUTO_WRITER Writer w = wr_init(UINT16_MAX);
        int r = sim_pki_chain_pem(pki, SIM_VCEK, &chain, e);

        if (r == 0 && pki->csp_id[0])
                r = sim_pki_cert_pem(pki, SIM_ASVK, &asvk, e);
        if (r < 0)
                return r;
        wr_bytes(&w, chain.data, chain.size);
        wr_bytes(&w, asvk.data, asvk.size);
        return w.error < 0 ? error_oom(e) : fixture_write(f, "chain.pem", w.data, w.size, e);
}

static int write_root(const BrokerFixture *f, const SimPki *pki, Error *e) {
        AUTO_BLOB Blob root = {};
        int r = sim_pki_cert_pem(pki, SIM_ARK, &root, e);

        return r < 0 ? r : fixture_write(f, "root.pem", root.data, root.size, e);
}

static int write_policy(const BrokerFixture *f, const SimPki *pki, Error *e) {
        SimReport report = sim_report_defaults(pki);
        AUTO_FREE char *measurement = hex_encode(report.measurement, sizeof(report.measurement));
        AUTO_FREE char *text = NULL;

        if (!measurement || asprintf(&text,
                                     "[evidence]\nmeasurement = %s\n"
                                     "[resource]\ndeny = default/denied/*\nallow = default/*/*\n", measurement) < 0)
                return error_oom(e);
        return fixture_write_text(f, "policy", text, e);
}

static int fill(const BrokerFixture *f, const SimPki *pki, Error *e) {
        char tls[FIXTURE_PATH_MAX];
        int r;

        fixture_path(f, "tls", tls);
        r = broker_pki_make(tls, e);
        if (r == 0)
                r = write_root(f, pki, e);
        if (r == 0)
                r = write_chain(f, pki, e);
        if (r == 0)
                r = write_policy(f, pki, e);
        if (r == 0)
                r = fixture_write_text(f, "resources/" FIXTURE_RESOURCE, FIXTURE_SECRET, e);
        if (r == 0)
                r = fixture_write_text(f, "resources/default/disk/empty", "", e);
        return r;
}

enum { ROOT, CHAIN, STORE, RESOURCES, POLICY, CONTROL, LOG, N_FILES };
static const char *const file_names[N_FILES] = {
        "root.pem", "chain.pem", "store", "resources", "policy", "control", "log",
};

int fixture_restart(BrokerFixture *f, const FixtureOptions *options, Error *e) {
        char cert[FIXTURE_PATH_MAX], key[FIXTURE_PATH_MAX], files[N_FILES][FIXTURE_PATH_MAX], name[64];
        const char *identity = options->identity ? options->identity : "server";
        int r;

        broker_stop(TAKE_PTR(f->broker));
        (void) snprintf(name, sizeof(name), "tls/%s.pem", identity);
        fixture_path(f, name, cert);
        (void) snprintf(name, sizeof(name), "tls/%s.key", identity);
        fixture_path(f, name, key);
        for (size_t i = 0; i < N_FILES; i++)
                fixture_path(f, file_names[i], files[i]);
        r = broker_start(&(BrokerConfig){ .cert_file = cert,
                                          .key_file = key,
                                          .trust_root = options->amd_trust ? NULL : files[ROOT],
                                          .chains = { files[CHAIN] },
                                          .vek_dir = files[STORE],
                                          .resources = files[RESOURCES],
                                          .policy = files[POLICY],
                                          .control = files[CONTROL],
                                          .log = files[LOG],
                                          .session_seconds = options->session_seconds,
                                          .token_seconds = options->token_seconds },
                         &f->broker, e);
        if (r == 0)
                (void) snprintf(f->url, sizeof(f->url), "https://127.0.0.1:%u", broker_port(f->broker));
        return r;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw) {
        (void) st, (void) type, (void) ftw;
        return remove(path);
}

static void remove_tree(const char *dir) {
        (void) nftw(dir, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

/* In the child: nothing of the parent's may stay open here, and its process group may be killed without us. */
static void __attribute__((__noreturn__)) janitor(const char *dir, int fd) {
        int null = open("/dev/null", O_RDWR);
        char byte;

        (void) setsid();
        for (int i = STDIN_FILENO; i <= STDERR_FILENO; i++)
                (void) dup2(null, i);
        (void) dup2(fd, STDERR_FILENO + 1);
        (void) close_range(STDERR_FILENO + 2, UINT_MAX, 0);
        while (read(STDERR_FILENO + 1, &byte, 1) < 0 && errno == EINTR)
                ;
        remove_tree(dir);
        _exit(EXIT_SUCCESS);
}

static int start_janitor(BrokerFixture *f, Error *e) {
        int fds[2];

        if (pipe2(fds, O_CLOEXEC) < 0)
                return error_set(e, -errno, "fixture", "Cannot make a pipe");
        f->janitor = fork();
        if (f->janitor == 0)
                janitor(f->dir, fds[0]);
        (void) close(fds[0]);
        f->janitor_fd = fds[1];
        return f->janitor < 0 ? error_set(e, -errno, "fixture", "Cannot fork") : 0;
}

int fixture_open(const SimPki *pki, BrokerFixture *ret, Error *e) {
        AUTO_FIXTURE BrokerFixture f = { .dir = "/tmp/snp-broker-XXXXXX", .janitor_fd = -1 };
        int r;

        if (!mkdtemp(f.dir)) {
                r = error_set(e, -errno, "fixture", "Cannot make a directory in /tmp");
                f.dir[0] = 0;
                return r;
        }
        fixture_path(&f, "tls/ca.pem", f.ca_file);
        r = start_janitor(&f, e);
        if (r == 0)
                r = fill(&f, pki, e);
        if (r == 0)
                r = fixture_restart(&f, &FIXTURE_DEFAULTS, e);
        if (r < 0)
                return r;
        *ret = f;
        f = (BrokerFixture){ .janitor_fd = -1 };
        return 0;
}

void fixture_done(BrokerFixture *f) {
        broker_stop(TAKE_PTR(f->broker));
        if (!f->dir[0])
                return;
        remove_tree(f->dir);
        f->dir[0] = 0;
        if (f->janitor > 0) {
                (void) kill(f->janitor, SIGKILL);
                (void) waitpid(f->janitor, NULL, 0);
        }
        if (f->janitor_fd >= 0)
                (void) close(f->janitor_fd);
}

int fixture_start_proxy(const BrokerFixture *f, ProxyMode mode, Proxy **ret, Error *e) {
        char cert[FIXTURE_PATH_MAX], key[FIXTURE_PATH_MAX], log[FIXTURE_PATH_MAX];

        fixture_path(f, "tls/proxy.pem", cert);
        fixture_path(f, "tls/proxy.key", key);
        fixture_path(f, "proxy-log", log);
        return proxy_start(&(ProxyConfig){ .cert_file = cert,
                                           .key_file = key,
                                           .upstream = f->url,
                                           .ca_file = f->ca_file,
                                           .log = log,
                                           .mode = mode },
                           ret, e);
}

size_t fixture_count_log(const BrokerFixture *f, const char *log, const char *a, const char *b) {
        AUTO_FREE char *text = NULL;
        char path[FIXTURE_PATH_MAX];
        char *rest, *line;
        size_t n = 0;

        fixture_path(f, log, path);
        if (file_read_text(path, LOG_MAX, &text, NULL) < 0)
                return 0;
        for (rest = text; (line = strsep(&rest, "\n")) != NULL;)
                if (strstr(line, a) && (!b || strstr(line, b)))
                        n++;
        return n;
}
