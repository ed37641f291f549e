/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Nothing tells the guest whether a report is new: not the write of user data, which the paravisor does not notice, nor
 * the read, which it may answer from memory. Only the claims themselves do, by saying what was written.
 */
#include "vtpm/azure.h"

#include <errno.h>
#include <string.h>

#include "base/reader.h"
#include "vtpm/hcl-binding.h"
#include "vtpm/nv-cert.h"
#include "vtpm/nv.h"

#define TRIES_MAX 5u /* the second one does, unless others ask the same paravisor */

typedef enum Outcome {
        OUTCOME_GOOD,
        OUTCOME_STALE, /* the claims say something else */
        OUTCOME_TORN,  /* parts of two reports */
} Outcome;

/* An index of the paravisor's that is not there, or empty, means that there is no paravisor. */
static int absent_or(int r, const Error *why, Error *e) {
        if (r == -ENOENT || r == -ENODATA)
                return error_set(e, -ENODEV, "azure-absent",
                                 "There is no paravisor's report in this TPM: this is no confidential VM of Azure");
        return r < 0 ? error_set(e, r, error_reason(why, r), "%s", error_text(why, r)) : 0;
}

static int read_report(VtpmContext *ctx, Blob *ret, Error *e) {
        Error why = {};
        int r = vtpm_nv_read(ctx, VTPM_AZURE_NV_REPORT, VTPM_NV_SIZE_MAX, ret, &why);

        return absent_or(r, &why, e);
}

/* Before anything is written into a TPM that may be somebody else's. */
static int check_present(VtpmContext *ctx, Error *e) {
        VtpmNvPublic pub;
        Error why = {};
        int r = vtpm_nv_public(ctx, VTPM_AZURE_NV_REPORT, &pub, &why);

        return absent_or(r, &why, e);
}

int vtpm_azure_detect(VtpmContext *ctx, uint32_t *ret_type, Error *e) {
        AUTO_BLOB Blob content = {};
        VtpmHcl hcl = {};
        Error why = {};
        int r;

        r = read_report(ctx, &content, &why);
        if (r < 0 && r != -ENODEV)
                return error_set(e, r, error_reason(&why, r), "%s", error_text(&why, r));
        if (r == 0 && vtpm_hcl_is(content.data, content.size)) { /* and not somebody else's index of that number */
                r = vtpm_hcl_parse(content.data, content.size, &hcl, e);
                if (r < 0)
                        return r;
        }
        *ret_type = hcl.type;
        return 0;
}

static bool is_ours(const VtpmNvPublic *pub) {
        uint32_t needed = VTPM_NV_OWNERREAD | VTPM_NV_OWNERWRITE;

        return pub->size == VTPM_HCL_USER_DATA_SIZE && (pub->attributes & needed) == needed;
}

/* The index for user data: ours, or made so. The paravisor reads it as the owner, with an empty password. */
static int ensure_index(VtpmContext *ctx, Error *e) {
        VtpmNvPublic pub = {};
        Error why = {};
        int r;

        r = vtpm_nv_public(ctx, VTPM_AZURE_NV_USER_DATA, &pub, &why);
        if (r == 0 && is_ours(&pub))
                return 0;
        if (r < 0 && r != -ENOENT)
                return error_set(e, r, error_reason(&why, r), "%s", error_text(&why, r));
        if (r == 0) {
                r = vtpm_nv_undefine(ctx, VTPM_AZURE_NV_USER_DATA, e);
                if (r < 0)
                        return r;
        }
        return vtpm_nv_define(ctx, VTPM_AZURE_NV_USER_DATA, VTPM_HCL_USER_DATA_SIZE, e);
}

static int write_user_data(VtpmContext *ctx, const VtpmAzureAsked *asked, Error *e) {
        uint8_t bytes[VTPM_HCL_USER_DATA_SIZE] = {};
        int r;

        (void) memcpy(bytes, asked->user_data, asked->size);
        r = ensure_index(ctx, e);
        if (r == 0)
                r = vtpm_nv_write(ctx, VTPM_AZURE_NV_USER_DATA, bytes, sizeof(bytes), e);
        if (r < 0)
                error_prefix(e, "User data for the paravisor");
        return r;
}

/* Unverified: this only tells whether the parts belong together. */
static int judge(const Blob *content, const VtpmAzureAsked *asked, Outcome *ret, Error *e) {
        VtpmHclWitness w = {};
        VtpmHclClaims claims;
        VtpmBinding binding;
        VtpmHcl hcl;
        Error why = {};
        int r;

        r = vtpm_hcl_parse(content->data, content->size, &hcl, e);
        if (r < 0)
                return r;
        w = (VtpmHclWitness){
                .hcl = &hcl,
                .report_data = hcl.report + VTPM_HCL_SNP_REPORT_DATA_AT,
                .vmpl = load_le32(hcl.report + VTPM_HCL_SNP_VMPL_AT),
        };
        r = vtpm_hcl_bind(&w, &claims, &binding, &why);
        if (r == -EKEYREJECTED && strcmp(error_reason(&why, r), "hcl-digest") == 0) {
                *ret = OUTCOME_TORN;
                return 0;
        }
        if (r < 0)
                return error_set(e, r, error_reason(&why, r), "%s", error_text(&why, r));
        if (!claims.has_user_data)
                return error_set(e, -EOPNOTSUPP, "azure-no-user-data",
                                 "The paravisor's firmware is too old to put user data into its claims");
        *ret = vtpm_hcl_claims_say(&claims, asked->user_data, asked->size) ? OUTCOME_GOOD : OUTCOME_STALE;
        return 0;
}

static int give_up(Outcome last, Error *e) {
        if (last == OUTCOME_TORN)
                return error_set(e, -EAGAIN, "azure-torn", "The paravisor's report changed during each of %u readings",
                                 TRIES_MAX);
        return error_set(e, -ESTALE, "azure-stale", "The paravisor's claims do not say what it was asked to, after %u "
                         "tries", TRIES_MAX);
}

int vtpm_azure_report(VtpmContext *ctx, const VtpmAzureAsked *asked, Blob *ret, Error *e) {
        uint64_t window = asked->window_usec ? asked->window_usec : VTPM_AZURE_WINDOW_USEC;
        Outcome outcome = OUTCOME_STALE;
        int r;

        if (asked->size == 0 || asked->size > VTPM_HCL_USER_DATA_SIZE)
                return error_set(e, -EINVAL, "nonce-size", "User data have 1 to %u bytes, not %zu",
                                 VTPM_HCL_USER_DATA_SIZE, asked->size);
        r = check_present(ctx, e);
        if (r < 0)
                return r;
        for (unsigned i = 0; i < TRIES_MAX; i++) {
                AUTO_BLOB Blob content = {};

                /* The last report was made before we read it, so the window that it opened ends before ours does. */
                if (i > 0 && outcome == OUTCOME_STALE && deadline_sleep(asked->deadline, window) < 0)
                        return error_set(e, -ETIMEDOUT, "azure-stale",
                                         "No time left to wait for a new report of the paravisor");
                r = write_user_data(ctx, asked, e); /* each time: others may have written since */
                if (r == 0)
                        r = read_report(ctx, &content, e);
                if (r == 0)
                        r = judge(&content, asked, &outcome, e);
                if (r < 0)
                        return r;
                if (outcome == OUTCOME_GOOD) {
                        *ret = blob_take(&content);
                        return 0;
                }
        }
        return give_up(outcome, e);
}

void vtpm_azure_evidence_done(VtpmAzureEvidence *evidence) {
        blob_done(&evidence->hcl);
        vtpm_quote_done(&evidence->quote);
        blob_done(&evidence->ak_cert);
}

/* The certificate is an extra, for verifiers that know Microsoft's authority: what is wrong with it only loses it. */
static void read_ak_cert(VtpmContext *ctx, Blob *ret) {
        (void) !vtpm_nv_certificate(ctx, VTPM_AZURE_NV_AK_CERT, NULL, ret, NULL);
}

static int get_report(const VtpmAzureRequest *q, VtpmAzureEvidence *to, Error *e) {
        CLEANUP(vtpm_context_freep) VtpmContext *ctx = NULL;
        VtpmAzureAsked asked = { .user_data = q->nonce, .size = q->nonce_size, .window_usec = q->window_usec,
                                 .deadline = q->deadline };
        int r;

        r = vtpm_context_open(q->tcti, q->deadline, &ctx, e);
        if (r < 0)
                return r;
        r = vtpm_azure_report(ctx, &asked, &to->hcl, e);
        if (r < 0)
                return r;
        read_ak_cert(ctx, &to->ak_cert);
        return 0;
}

static int get_quote(const VtpmAzureRequest *q, VtpmQuote *to, Error *e) {
        VtpmQuoteRequest request = {
                .tcti = q->tcti,
                .ak = { .kind = VTPM_AK_PERSISTENT, .handle = VTPM_AZURE_AK },
                .nonce = q->nonce,
                .nonce_size = q->nonce_size,
                .pcrs = { .n_banks = 1, .banks[0] = { .hash = q->bank, .mask = q->pcr_mask } },
                .deadline = q->deadline,
        };

        return vtpm_quote_run(&request, to, e);
}

/* The guest's owner can evict the key and put another in its place, whose quotes nobody would believe. */
static int check_key(const VtpmAzureEvidence *evidence, Error *e) {
        VtpmBinding binding;
        VtpmHcl hcl;
        int r;

        r = vtpm_hcl_parse(evidence->hcl.data, evidence->hcl.size, &hcl, e);
        if (r < 0)
                return r;
        return vtpm_hcl_bind(&(VtpmHclWitness){
                                     .hcl = &hcl,
                                     .report_data = hcl.report + VTPM_HCL_SNP_REPORT_DATA_AT,
                                     .ak = evidence->quote.ak.data,
                                     .ak_size = evidence->quote.ak.size,
                             }, NULL, &binding, e);
}

int vtpm_azure_evidence_run(const VtpmAzureRequest *request, VtpmAzureEvidence *ret, Error *e) {
        AUTO_VTPM_AZURE_EVIDENCE VtpmAzureEvidence evidence = {};
        int r;

        r = get_report(request, &evidence, e);
        if (r == 0)
                r = get_quote(request, &evidence.quote, e);
        if (r == 0)
                r = check_key(&evidence, e);
        if (r < 0)
                return r;
        *ret = evidence;
        evidence = (VtpmAzureEvidence){};
        return 0;
}
