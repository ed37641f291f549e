/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/measure.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/wire/bodies-measure.h"
#include "base/hex.h"
#include "base/log.h"

#define DOMAIN "snp-agent"
#define HEX_SIZE (2 * CONFIG_DIGEST_SIZE + 1)
#define CONTENT_MAX 256u

struct MeasureJob {
        MeasureJob *next;
        Agent *agent;
        Generation *generation; /* a reference */
        AttesterCall *call;
        char *resource; /* NULL: only the configuration */
        Deadline deadline;
        MeasureDoneFn done;
        void *userdata;
};

static void on_configuration(void *userdata, int r, const Blob *answer, const Error *e);
static void on_release(void *userdata, int r, const Blob *answer, const Error *e);

bool measure_is_due(const Generation *generation) {
        const ConfigMeasure *c = &generation->config->measure;

        return c->enabled && (c->releases || (c->configuration && !generation->measured));
}

void measure_cancel(MeasureJob *job) {
        if (!job)
                return;
        for (MeasureJob **at = &job->agent->measure_jobs; *at; at = &(*at)->next)
                if (*at == job) {
                        *at = job->next;
                        break;
                }
        if (job->call)
                attester_call_cancel(job->call);
        (void) generation_unref(job->generation);
        free(job->resource);
        free(job);
}

void measure_cancel_all(Agent *agent) {
        while (agent->measure_jobs)
                measure_cancel(agent->measure_jobs);
}

static void finish(MeasureJob *job, int r, const Error *e) {
        job->done(job->userdata, r, e);
        measure_cancel(job); /* nothing is open any more: this frees it */
}

static WireText text_of(const char *s) {
        return (WireText){ .text = s, .len = strlen(s) };
}

static int ask(MeasureJob *job, const char *operation, const char *content, AttesterDoneFn done, Error *e) {
        WireMeasureRequest q = {
                .domain = text_of(DOMAIN), .operation = text_of(operation), .content = text_of(content),
                .deadline_msec = attester_deadline_msec(job->deadline),
        };
        AUTO_BLOB Blob body = {};
        AttesterQuestion question;

        if (wire_measure_request_encode(&q, &body) < 0)
                return error_oom(e);
        question = (AttesterQuestion){
                .path = job->generation->config->attester.socket, .type = WIRE_MEASURE, .body = body.data,
                .size = body.size, .may_take_kept = true, .deadline = job->deadline,
        };
        return attester_client_ask(&job->agent->attester, &question, done, job, &job->call, e);
}

static int ask_configuration(MeasureJob *job, Error *e) {
        char hex[HEX_SIZE], content[CONTENT_MAX];

        hex_encode_to(job->generation->config->digest, CONFIG_DIGEST_SIZE, hex);
        (void) snprintf(content, sizeof(content), "{\"digest\":\"sha256:%s\"}", hex);
        return ask(job, "Configuration", content, on_configuration, e);
}

static int ask_release(MeasureJob *job, Error *e) {
        char policy[HEX_SIZE], resource[HEX_SIZE], content[CONTENT_MAX];
        uint8_t digest[CONFIG_DIGEST_SIZE];

        if (!EVP_Digest(job->resource, strlen(job->resource), digest, NULL, EVP_sha256(), NULL))
                return error_set(e, -EIO, "digest-failed", "SHA-256 failed");
        hex_encode_to(job->generation->config->digest, CONFIG_DIGEST_SIZE, policy);
        hex_encode_to(digest, sizeof(digest), resource);
        (void) snprintf(content, sizeof(content), "{\"policy\":\"sha256:%s\",\"resource\":\"sha256:%s\"}", policy,
                        resource);
        return ask(job, "Release", content, on_release, e);
}

/* Asks for what is to be measured next. 1: it will come; 0: all is measured. */
static int go_on(MeasureJob *job, bool released, Error *e) {
        const ConfigMeasure *c = &job->generation->config->measure;
        int r;

        if (c->configuration && !job->generation->measured)
                r = ask_configuration(job, e);
        else if (job->resource && c->releases && !released)
                r = ask_release(job, e);
        else
                return 0;
        return r < 0 ? r : 1;
}

static void answered(MeasureJob *job, int r, bool released, const Error *why) {
        Error e = {};

        job->call = NULL;
        if (r < 0) {
                finish(job, r, why);
                return;
        }
        r = go_on(job, released, &e);
        if (r <= 0)
                finish(job, r, &e);
}

static void on_configuration(void *userdata, int r, const Blob *answer, const Error *e) {
        MeasureJob *job = userdata;

        (void) answer;
        if (r == 0)
                job->generation->measured = true;
        answered(job, r, false, e);
}

static void on_release(void *userdata, int r, const Blob *answer, const Error *e) {
        (void) answer;
        answered(userdata, r, true, e);
}

int measure_start(Agent *agent, Generation *generation, const char *resource, Deadline deadline, MeasureDoneFn done,
                  void *userdata, MeasureJob **ret, Error *e) {
        MeasureJob *job = calloc(1, sizeof(*job));
        int r;

        if (!job)
                return error_oom(e);
        *job = (MeasureJob){
                .next = agent->measure_jobs, .agent = agent, .generation = generation_ref(generation),
                .deadline = deadline, .done = done, .userdata = userdata,
                .resource = resource ? strdup(resource) : NULL,
        };
        agent->measure_jobs = job;
        r = resource && !job->resource ? error_oom(e) : go_on(job, false, e);
        if (r == 0) /* callers ask only where there is something to be measured */
                r = error_set(e, -EINVAL, "measure-nothing", "There is nothing to be measured");
        if (r < 0) {
                measure_cancel(job);
                return r;
        }
        *ret = job;
        return 0;
}

static void on_configuration_done(void *userdata, int r, const Error *e) {
        Agent *agent = userdata;

        if (r == 0)
                return;
        agent_note_error(agent, r, e);
        log_warning("The configuration could not be measured, trying again with the next release: %s",
                    error_text(e, r));
}

void measure_configuration(Agent *agent, Generation *generation) {
        const Config *c = generation->config;
        MeasureJob *job; /* in the agent's list until it ends */
        Error e = {};
        int r;

        if (!c->measure.enabled || !c->measure.configuration)
                return;
        r = measure_start(agent, generation, NULL, deadline_in(c->attester.request_timeout_usec), on_configuration_done,
                          agent, &job, &e);
        if (r < 0)
                on_configuration_done(agent, r, &e);
}
