/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Evidence below Azure's paravisor: its report, whose REPORT_DATA is not ours to choose, and a quote of its vTPM. Our
 * bytes are in the claims that the report vouches for. The broker's evidence must have the chip's certificate in it,
 * which no host hands over there: while it is being fetched, the broker's question waits.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "agent/evidence-internal.h"
#include "keybroker-client/evidence-az.h"
#include "vtpm/hcl-binding.h"

static_assert(VTPM_REPORT_DATA_SIZE == SNP_REPORT_DATA_SIZE, "the binding is about the report's own field");

static int check_claims(const EvidenceJob *job, const VtpmHcl *hcl, Error *e) {
        const WireBytes *ak = &job->evidence.quote.ak_public;
        VtpmHclWitness w = {
                .hcl = hcl, .report_data = hcl->report + VTPM_HCL_SNP_REPORT_DATA_AT,
                .ak = ak->data, .ak_size = ak->size,
        };
        VtpmHclClaims claims;
        VtpmBinding binding;
        int r;

        r = vtpm_hcl_bind(&w, &claims, &binding, e);
        if (r < 0)
                return r;
        if (!vtpm_hcl_claims_say(&claims, job->nonce, job->nonce_size))
                return error_set(e, -ESTALE, "azure-stale", "The paravisor's claims do not say what was asked for");
        return 0;
}

static int take(EvidenceJob *job, const Blob *answer, Error *e) {
        Evidence *ev = &job->evidence;
        PlatformVerdict before = job->agent->platform.verdict;
        VtpmHcl hcl;
        int r;

        if (blob_dup(answer->data, answer->size, &ev->body) < 0)
                return error_oom(e);
        r = wire_azure_answer_parse(ev->body.data, ev->body.size, EVIDENCE_BANK, &ev->azure, e);
        if (r == 0)
                r = vtpm_hcl_parse(ev->azure.hcl.data, ev->azure.hcl.size, &hcl, e);
        if (r < 0)
                return r;
        ev->report = (WireReportAnswer){ .report = { .data = hcl.report, .size = VTPM_HCL_REPORT_SIZE } };
        ev->quote = ev->azure.quote;
        ev->has_quote = ev->is_azure = true;
        r = check_claims(job, &hcl, e);
        if (r == 0)
                r = platform_observe(&job->agent->platform, job->generation->collateral,
                                     hcl.report + VTPM_HCL_SNP_REPORT_DATA_AT, &ev->report, e);
        if (r == 0)
                agent_note_verdict(job->agent, before);
        return r;
}

static int on_patience(sd_event_source *source, uint64_t usec, void *userdata) {
        (void) source;
        (void) usec;
        evidence_finish(userdata, 0, NULL); /* what is missing will be said when it is put together */
        return 0;
}

/* 0 and true in @ret_waits; or that there is nothing to wait for. */
static int wait_for_vcek(EvidenceJob *job, bool *ret_waits, Error *e) {
        int r;

        *ret_waits = job->for_broker && !evidence_vcek_for(job->generation, &job->evidence) &&
                     collateral_is_fetching(job->generation->collateral);
        if (!*ret_waits)
                return 0;
        r = sd_event_add_time(job->agent->event, &job->patience, CLOCK_MONOTONIC, job->deadline.usec, USEC_PER_MSEC,
                              on_patience, job);
        return r < 0 ? error_set(e, r, "event-loop", "Cannot set up a timer: %s", error_text(NULL, r)) : 0;
}

static void on_azure(void *userdata, int r, const Blob *answer, const Error *why) {
        EvidenceJob *job = userdata;
        bool waits = false;
        Error e = {};

        job->call = NULL;
        if (r < 0) {
                evidence_finish(job, r, why);
                return;
        }
        r = take(job, answer, &e);
        if (r == 0)
                r = wait_for_vcek(job, &waits, &e);
        if (r < 0 || !waits)
                evidence_finish(job, r, &e);
}

/* One that need not wait any longer. */
static EvidenceJob *find_ready(const Agent *agent, const Generation *g) {
        for (EvidenceJob *job = agent->evidence_jobs; job; job = job->next)
                if (job->patience && job->generation == g &&
                    (evidence_vcek_for(g, &job->evidence) || !collateral_is_fetching(g->collateral)))
                        return job;
        return NULL;
}

void evidence_collateral_changed(Agent *agent, const Generation *generation) {
        EvidenceJob *job;

        while ((job = find_ready(agent, generation)))
                evidence_finish(job, 0, NULL);
}

int evidence_azure_ask(EvidenceJob *job, Error *e) {
        WireQuoteRequest q = { .nonce_size = job->nonce_size, .pcr_mask = EVIDENCE_PCR_MASK, .bank = EVIDENCE_BANK,
                               .deadline_msec = attester_deadline_msec(job->deadline) };
        AUTO_BLOB Blob body = {};

        (void) memcpy(q.nonce, job->nonce, job->nonce_size);
        if (wire_quote_request_encode(&q, &body) < 0)
                return error_oom(e);
        return evidence_ask(job, WIRE_AZURE, &body, on_azure, e);
}

int evidence_azure_for_broker(const Generation *g, const Evidence *ev, KbcEvidence *ret, unsigned *ret_warnings,
                              Error *e) {
        VtpmPcrValues pcrs = { .hash = EVIDENCE_BANK };
        const Blob *vcek = evidence_vcek_for(g, ev);
        KbcAzEvidence in = {
                .hcl = ev->azure.hcl.data, .hcl_size = ev->azure.hcl.size,
                .attest = ev->quote.attest.data, .attest_size = ev->quote.attest.size,
                .signature = ev->quote.signature.data, .signature_size = ev->quote.signature.size,
                .pcrs = &pcrs,
                .vcek = vcek ? vcek->data : NULL, .vcek_size = vcek ? vcek->size : 0,
        };

        for (unsigned i = 0; i < ev->quote.n_digests; i++) { /* all of them were asked for */
                (void) memcpy(pcrs.values[i], ev->quote.digests[i].data, ev->quote.digests[i].size);
                pcrs.mask |= 1u << i;
        }
        return kbc_evidence_az(&in, ret, ret_warnings, e);
}
