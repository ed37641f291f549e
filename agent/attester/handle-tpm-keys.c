/* SPDX-License-Identifier: Apache-2.0 */
/* WIRE_TPM_KEYS and WIRE_ACTIVATE: who the TPM is, and the proof that the attestation key lives in it. */
#include <assert.h>
#include <errno.h>

#include "agent/attester/handlers-internal.h"
#include "agent/wire/bodies-tpm.h"
#include "vtpm/activate.h"
#include "vtpm/ak-platform.h"
#include "vtpm/ak-store.h"
#include "vtpm/ek.h"
#include "vtpm/nv.h"
#include "vtpm/public.h"

static_assert(WIRE_EK_PROFILES == VTPM_N_EK_PROFILES, "messages name every profile");
static_assert(WIRE_TPM_PUBLIC_MAX == VTPM_PUBLIC_SIZE_MAX && WIRE_CERT_MAX == VTPM_NV_SIZE_MAX &&
                      WIRE_CREDENTIAL_MAX == VTPM_CREDENTIAL_FILE_MAX,
              "messages carry whole keys, certificates and credentials");

int attester_open_tpm(const Attester *a, uint32_t deadline_msec, VtpmContext **ret, Error *e) {
        if (!a->config->tpm.tcti)
                return error_set(e, -ENODEV, "tpm-not-configured", "No TPM is configured");
        return vtpm_context_open(a->config->tpm.tcti, attester_deadline(a, deadline_msec), ret, e);
}

/* A certificate that is missing is no failure: most TPMs have none for our own key. Others are told. */
static int unless_absent(int r, const Error *why, Error *e) {
        return r < 0 && r != -ENOENT ? error_set(e, r, error_reason(why, r), "%s", error_text(why, r)) : 0;
}

static WireBytes borrowed(const Blob *b) {
        return (WireBytes){ .data = b->data, .size = b->size };
}

int attester_handle_tpm_keys(Attester *a, const Blob *body, Blob *ret, Error *e) {
        AUTO_BLOB Blob ak = {}, ak_cert = {}, ek = {}, ek_cert = {};
        CLEANUP(vtpm_context_freep) VtpmContext *ctx = NULL;
        VtpmAkSpec spec = attester_ak_spec(a);
        WireTpmKeysAnswer answer;
        WireTpmKeysRequest q;
        Error why = {};
        int r;

        r = wire_tpm_keys_request_parse(body->data, body->size, &q, e);
        if (r == 0)
                r = attester_open_tpm(a, q.deadline_msec, &ctx, e);
        if (r == 0)
                r = vtpm_ak_show(ctx, &spec, &ak, e);
        if (r == 0)
                r = vtpm_ek_public(ctx, (VtpmEkProfile) q.ek_profile, &ek, e);
        if (r == 0)
                r = unless_absent(vtpm_ak_certificate(ctx, &spec, &ak, &ak_cert, &why), &why, e);
        why = (Error){};
        if (r == 0)
                r = unless_absent(vtpm_ek_certificate(ctx, (VtpmEkProfile) q.ek_profile, &ek, &ek_cert, &why), &why, e);
        if (r < 0)
                return r;
        answer = (WireTpmKeysAnswer){ borrowed(&ak), borrowed(&ak_cert), borrowed(&ek), borrowed(&ek_cert) };
        return wire_tpm_keys_answer_encode(&answer, ret) < 0 ? error_oom(e) : 0;
}

int attester_handle_activate(Attester *a, const Blob *body, Secret *ret, Error *e) {
        AUTO_VTPM_CREDENTIAL VtpmCredential credential = {};
        CLEANUP(vtpm_context_freep) VtpmContext *ctx = NULL;
        WireActivateRequest q;
        VtpmActivation how;
        int r;

        r = wire_activate_request_parse(body->data, body->size, &q, e);
        if (r == 0)
                r = vtpm_credential_parse(q.credential.data, q.credential.size, &credential, e);
        if (r == 0)
                r = attester_open_tpm(a, q.deadline_msec, &ctx, e);
        if (r < 0)
                return r;
        how = (VtpmActivation){
                .ak = attester_ak_spec(a),
                .ek = (VtpmEkProfile) q.ek_profile,
                .salt_name = q.salt_name.size > 0 ? q.salt_name.data : NULL,
                .salt_name_size = q.salt_name.size,
        };
        return vtpm_credential_activate(ctx, &how, &credential, ret, e);
}
