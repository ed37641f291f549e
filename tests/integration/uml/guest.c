/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/integration/uml/guest.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "snp/cert_table.h"
#include "snp/verify.h"

#define CONTROL "/run/control"
#define VMPL "/sys/devices/system/cpu/sev/vmpl"
#define SIGN "/sys/devices/platform/sev-guest"
#define FILE_MAX (64u * 1024u)

static pid_t server;

static const char *env(const char *name) {
        const char *value = getenv(name);

        if (value)
                return value;
        (void) fprintf(stderr, "$%s is not set\n", name);
        exit(EXIT_FAILURE);
}

static void pki_path(const char *name, char ret[static 512]) {
        (void) snprintf(ret, 512, "%s/tests/simulator/pki-Genoa%s", env("SNP_TEST_BUILD"), name);
}

static void run_server(int ready_fd) {
        char pki[512], fd[16];

        pki_path("", pki);
        (void) snprintf(fd, sizeof(fd), "%d", ready_fd);
        (void) execl(env("SNP_UML_SERVER"), "snp-sim-sev-guest", "--name", "sev-guest", "--pki", pki, "--control", CONTROL,
                     "--ready-fd", fd, "--die-with-parent", NULL);
        _exit(127);
}

void guest_start(void) {
        char word[6] = {};
        int fds[2];

        if (pipe(fds) < 0 || (server = fork()) < 0)
                exit(EXIT_FAILURE);
        if (server == 0) {
                (void) close(fds[0]);
                run_server(fds[1]);
        }
        (void) close(fds[1]);
        if (read(fds[0], word, sizeof(word)) != sizeof(word) || memcmp(word, "ready\n", sizeof(word)) != 0 ||
            access("/dev/sev-guest", F_OK) < 0) {
                (void) fprintf(stderr, "the server does not serve\n");
                exit(EXIT_FAILURE);
        }
        (void) close(fds[0]);
}

void guest_stop(void) {
        (void) kill(server, SIGTERM);
        (void) waitpid(server, NULL, 0);
}

static void put(const char *path, const char *text) {
        Error e = {};
        int r = file_write_atomic(path, text, strlen(text), 0600, &e);

        ck_assert_msg(r == 0, "%s", error_text(&e, r));
}

void guest_control(const char *settings) {
        put(CONTROL, settings);
}

void guest_sign(bool there) {
        if (there)
                ck_assert(mkdir(SIGN, 0755) == 0 || errno == EEXIST);
        else
                ck_assert(rmdir(SIGN) == 0 || errno == ENOENT);
}

void guest_vmpl(unsigned vmpl) {
        char text[16];

        (void) snprintf(text, sizeof(text), "%u\n", vmpl);
        put(VMPL, text);
}

void guest_restore(void) {
        (void) unlink(VMPL);
        guest_sign(false);
        guest_control("");
}

static int load_trust(SnpTrust **ret, Error *e) {
        AUTO_BLOB Blob pem = {};
        char path[512];
        int r;

        pki_path("/ark.pem", path);
        r = file_read(path, FILE_MAX, &pem, e);
        return r < 0 ? r : snp_trust_new_test(pem.data, pem.size, ret, e);
}

int guest_verify(const SnpDeviceReport *answer, Error *e) {
        CLEANUP(snp_trust_freep) SnpTrust *trust = NULL;
        CLEANUP(snp_vek_freep) SnpVek *vek = NULL;
        SnpCerts certs = {};
        SnpVerdict verdict;
        SnpCertTable table;
        SnpReport report;
        int r;

        r = load_trust(&trust, e);
        if (r == 0)
                r = snp_cert_table_parse(answer->certs.data, answer->certs.size, &table, e);
        if (r < 0)
                return r;
        for (size_t i = 0; i < table.n_entries; i++) {
                SnpCertBytes bytes = { .data = table.entries[i].data, .size = table.entries[i].size };

                if (table.entries[i].kind == SNP_CERT_VCEK)
                        certs.vek = bytes;
                else if (certs.n_others < N_ELEMENTS(certs.others))
                        certs.others[certs.n_others++] = bytes;
        }
        r = snp_vek_new(trust, &certs, time(NULL), &vek, e);
        if (r == 0)
                r = snp_report_parse(answer->report, sizeof(answer->report), &report, e);
        return r < 0 ? r : snp_report_verify(&report, vek, 0, &verdict, e);
}

int guest_snpctl(const char *const *args) {
        int status;
        pid_t pid = fork();

        ck_assert_int_ge(pid, 0);
        if (pid == 0) {
                if (chdir("/run") == 0 && freopen("out", "w", stdout) && freopen("err", "w", stderr))
                        (void) execv(env("SNP_UML_SNPCTL"), (char *const *) (uintptr_t) args);
                _exit(127);
        }
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert(WIFEXITED(status));
        return WEXITSTATUS(status);
}
