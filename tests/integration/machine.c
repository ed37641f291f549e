/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/integration/machine.h"

#include <check.h>
#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "base/writer.h"
#include "tests/simulator/report.h"

#define REPLY_MAX (1u << 20)

static SimTsmRun sim;
static Swtpm tpm;
static SimPki *pki;

const char *machine_unusable(void) {
        const char *why = sim_tsm_unusable();

        if (why)
                return why;
        return swtpm_available() ? NULL : "swtpm is not installed";
}

static void give_up(const char *what, const char *why) {
        (void) fprintf(stderr, "%s: %s\n", what, why);
        exit(EXIT_FAILURE);
}

void machine_platform_start(void) {
        Error e = {};
        int r = sim_tsm_start(SIM_GENOA, NULL, &sim, &e);

        if (r < 0)
                give_up("platform", error_text(&e, r));
        r = sim_pki_load(sim.pki, &pki, &e);
        if (r < 0)
                give_up("hierarchy", error_text(&e, r));
        if (swtpm_start(NULL, &tpm) < 0)
                give_up("swtpm", "does not start");
}

int machine_platform_stop(int status) {
        sim_pki_free(pki);
        swtpm_stop(&tpm);
        return sim_tsm_stop(&sim) < 0 ? EXIT_FAILURE : status;
}

void machine_platform_control(const char *text) {
        Error e = {};
        int r = sim_tsm_control(&sim, text, &e);

        ck_assert_msg(r == 0, "%s", error_text(&e, r));
}

const char *machine_tsm_path(void) {
        return sim.mountpoint;
}

void machine_write_report(const char *path) {
        SimReport report = sim_report_defaults(pki);
        uint8_t bytes[SIM_REPORT_SIZE];
        Error e = {};
        int r;

        r = sim_report_make(&report, pki, bytes, &e);
        if (r == 0)
                r = file_write_atomic(path, bytes, sizeof(bytes), 0644, &e);
        ck_assert_msg(r == 0, "%s", error_text(&e, r));
}

const char *machine_test_root(void) {
        static char path[SIM_PATH_MAX + 16];

        (void) snprintf(path, sizeof(path), "%s/ark.pem", sim.pki);
        return path;
}

void machine_configure(const Machine *m, const char *more) {
        daemon_put(m->dir, "agent.conf",
                   "[Attester]\nSocket=%s\nSource=configfs-tsm\nTsmPath=%s\nRequestTimeout=10s\nReportInterval=0\n"
                   "[Tpm]\nTcti=%s\nAk=ecc-p256\n"
                   "[Trust]\nTestRoot=%s\n"
                   "[Broker]\nURL=%s\nCA=%s\nRequestTimeout=5s\nDeadline=10s\n"
                   "[Agent]\nSocket=%s\nRestSocket=%s\n"
                   "[Collateral]\nFetch=never\nCache=none\n"
                   "[Volume root]\nUUID=" MACHINE_UUID "\nResource=" FIXTURE_RESOURCE "\n"
                   "[Secret own]\nResource=default/app/own\nUser=0\n"
                   "[Secret others]\nResource=default/app/others\nUser=4242\n"
                   "[Secret unit]\nResource=default/app/unit\nUnit=no-such.service\n"
                   "[Secret absent]\nResource=default/app/absent\nUser=0\n"
                   "[Secret denied]\nResource=default/denied/own\nUser=0\n",
                   m->attester_socket, sim.mountpoint, tpm.tcti, machine_test_root(), m->broker.url, m->broker.ca_file,
                   m->agent_socket, m->rest_socket);
        daemon_put(m->dir, "agent.conf.d/more.conf", "%s", more);
}

void machine_broker_put(const Machine *m, const char *resource, const char *text) {
        char name[256];
        Error e = {};
        int r;

        (void) snprintf(name, sizeof(name), "resources/%s", resource);
        r = fixture_write_text(&m->broker, name, text, &e);
        ck_assert_msg(r == 0, "%s", error_text(&e, r));
}

void machine_broker_control(const Machine *m, const char *text) {
        Error e = {};
        int r = fixture_write_text(&m->broker, "control", text, &e);

        ck_assert_msg(r == 0, "%s", error_text(&e, r));
}

void machine_start(Machine *m, const char *more) {
        static char config[96];
        Error e = {};
        int r;

        *m = (Machine){};
        r = fixture_open(pki, &m->broker, &e);
        ck_assert_msg(r == 0, "%s", error_text(&e, r));
        daemon_make_dir(m->dir);
        ck_assert_int_eq(chmod(m->dir, 0755), 0);
        (void) snprintf(m->attester_socket, sizeof(m->attester_socket), "%s/attester.sock", m->dir);
        (void) snprintf(m->agent_socket, sizeof(m->agent_socket), "%s/agent.sock", m->dir);
        (void) snprintf(m->rest_socket, sizeof(m->rest_socket), "%s/rest.sock", m->dir);
        (void) snprintf(config, sizeof(config), "%s/agent.conf.d", m->dir);
        ck_assert_int_eq(mkdir(config, 0755), 0);
        (void) snprintf(config, sizeof(config), "%s/agent.conf", m->dir);
        machine_broker_put(m, "default/app/own", "for root alone");
        machine_configure(m, more);
        m->attester = (Daemon){ .program = "agent/attester/snp-attesterd", .dir = m->dir, .config = config };
        m->agent = (Daemon){ .program = "agent/snp-agentd", .dir = m->dir, .config = config };
        daemon_start(&m->attester);
        daemon_start(&m->agent);
}

void machine_stop(Machine *m) {
        ck_assert_int_eq(daemon_stop(&m->agent), 0);
        ck_assert_int_eq(daemon_stop(&m->attester), 0);
        machine_platform_control("");
        daemon_remove_dir(m->dir);
        fixture_done(&m->broker);
}

void reply_done(Reply *r) {
        blob_done(&r->body);
        free(r->headers);
        *r = (Reply){};
}

static size_t collect(char *data, size_t size, size_t n, void *userdata) {
        wr_bytes(userdata, data, size * n);
        return size * n;
}

Reply machine_rest(const Machine *m, const char *target, const Call *call) {
        AUTO_WRITER Writer body = wr_init(REPLY_MAX), headers = wr_init(REPLY_MAX);
        static const Call plain;
        CURL *curl = curl_easy_init();
        AUTO_FREE char *url = NULL;
        Reply reply = {};

        call = call ? call : &plain;
        ck_assert_ptr_nonnull(curl);
        ck_assert_int_ge(asprintf(&url, "http://localhost%s", target), 0);
        (void) curl_easy_setopt(curl, CURLOPT_URL, url);
        (void) curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
        (void) curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, m->rest_socket);
        (void) curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
        (void) curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, call->timeout_msec ? call->timeout_msec : 30000L);
        (void) curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, collect);
        (void) curl_easy_setopt(curl, CURLOPT_WRITEDATA, &body);
        (void) curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, collect);
        (void) curl_easy_setopt(curl, CURLOPT_HEADERDATA, &headers);
        if (call->body)
                (void) curl_easy_setopt(curl, CURLOPT_POSTFIELDS, call->body);
        if (call->method && strcmp(call->method, "HEAD") == 0)
                (void) curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
        else if (call->method)
                (void) curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, call->method);
        if (curl_easy_perform(curl) == CURLE_OK)
                (void) curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &reply.status);
        curl_easy_cleanup(curl);
        ck_assert_int_eq(wr_finish(&body, &reply.body), 0);
        ck_assert_int_eq(wr_finish_str(&headers, &reply.headers), 0);
        return reply;
}

long machine_rest_as_stranger(const Machine *m, const char *target) {
        pid_t pid = fork();
        int status;

        ck_assert_int_ge(pid, 0);
        if (pid == 0) {
                Reply reply;

                if (setgid(MACHINE_STRANGER) < 0 || setuid(MACHINE_STRANGER) < 0)
                        _exit(255);
                reply = machine_rest(m, target, NULL);
                _exit((int) (reply.status / 100 * 40 + reply.status % 100)); /* 403 is 163: fits into a status */
        }
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert(WIFEXITED(status));
        return WEXITSTATUS(status) / 40 * 100 + WEXITSTATUS(status) % 40;
}

const char *reply_reason(const Reply *r, char buf[static 64]) {
        AUTO_JSON json_object *o = NULL;
        const char *reason = "";

        buf[0] = 0;
        if (json_parse(r->body.data, r->body.size, "problem", &o, NULL) == 0 &&
            json_get_str(o, "reason", 63, &reason, NULL) == 0)
                (void) snprintf(buf, 64, "%s", reason);
        return buf;
}
