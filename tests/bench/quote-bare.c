/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/quote-bare.h"

#include <string.h>

#include <tss2/tss2_esys.h>
#include <tss2/tss2_tctildr.h>

#include "vtpm/transport.h"

/* fixedTPM, fixedParent, sensitiveDataOrigin, userWithAuth, noDA, restricted, sign */
#define AK_ATTRIBUTES 0x00050472

static TPM2B_PUBLIC template_of(bool ecc) {
        TPM2B_PUBLIC t = { .publicArea = { .nameAlg = TPM2_ALG_SHA256, .objectAttributes = AK_ATTRIBUTES } };
        TPMT_PUBLIC *p = &t.publicArea;

        if (ecc) {
                p->type = TPM2_ALG_ECC;
                p->parameters.eccDetail.symmetric.algorithm = TPM2_ALG_NULL;
                p->parameters.eccDetail.scheme.scheme = TPM2_ALG_ECDSA;
                p->parameters.eccDetail.scheme.details.ecdsa.hashAlg = TPM2_ALG_SHA256;
                p->parameters.eccDetail.curveID = TPM2_ECC_NIST_P256;
                p->parameters.eccDetail.kdf.scheme = TPM2_ALG_NULL;
        } else {
                p->type = TPM2_ALG_RSA;
                p->parameters.rsaDetail.symmetric.algorithm = TPM2_ALG_NULL;
                p->parameters.rsaDetail.scheme.scheme = TPM2_ALG_RSASSA;
                p->parameters.rsaDetail.scheme.details.rsassa.hashAlg = TPM2_ALG_SHA256;
                p->parameters.rsaDetail.keyBits = 2048;
        }
        return t;
}

static TPML_PCR_SELECTION select_pcrs(uint8_t a, uint8_t b, uint8_t c) {
        return (TPML_PCR_SELECTION){
                .count = 1,
                .pcrSelections[0] = { .hash = TPM2_ALG_SHA256, .sizeofSelect = 3, .pcrSelect = { a, b, c } },
        };
}

/* Eight at a time. */
static bool read_pcrs(ESYS_CONTEXT *esys) {
        bool ok = true;

        for (unsigned i = 0; i < 3 && ok; i++) {
                TPML_PCR_SELECTION which = select_pcrs(i == 0 ? 0xff : 0, i == 1 ? 0xff : 0, i == 2 ? 0xff : 0);
                TPML_PCR_SELECTION *given = NULL;
                TPML_DIGEST *values = NULL;
                UINT32 counter;

                ok = Esys_PCR_Read(esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &which, &counter, &given, &values) ==
                     TSS2_RC_SUCCESS;
                Esys_Free(given);
                Esys_Free(values);
        }
        return ok;
}

static bool quote(ESYS_CONTEXT *esys, ESYS_TR key) {
        TPML_PCR_SELECTION all = select_pcrs(0xff, 0xff, 0xff);
        TPMT_SIG_SCHEME own = { .scheme = TPM2_ALG_NULL };
        TPM2B_DATA nonce = { .size = 32 };
        TPMT_SIGNATURE *signature = NULL;
        TPM2B_ATTEST *attest = NULL;
        bool ok;

        ok = Esys_Quote(esys, key, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, &nonce, &own, &all, &attest,
                        &signature) == TSS2_RC_SUCCESS;
        Esys_Free(attest);
        Esys_Free(signature);
        return ok;
}

static bool work(ESYS_CONTEXT *esys, bool ecc) {
        static const TPM2B_SENSITIVE_CREATE no_auth;
        static const TPM2B_DATA no_data;
        static const TPML_PCR_SELECTION no_pcrs;
        TPM2B_PUBLIC template = template_of(ecc);
        ESYS_TR key = ESYS_TR_NONE;
        bool ok;

        if (Esys_CreatePrimary(esys, ESYS_TR_RH_ENDORSEMENT, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, &no_auth,
                               &template, &no_data, &no_pcrs, &key, NULL, NULL, NULL, NULL) != TSS2_RC_SUCCESS)
                return false;
        ok = read_pcrs(esys) && quote(esys, key);
        return Esys_FlushContext(esys, key) == TSS2_RC_SUCCESS && ok;
}

static bool with_tcti(TSS2_TCTI_CONTEXT *tcti, bool ecc) {
        ESYS_CONTEXT *esys = NULL;
        bool ok = false;

        if (Esys_Initialize(&esys, tcti, NULL) == TSS2_RC_SUCCESS)
                ok = work(esys, ecc);
        Esys_Finalize(&esys);
        return ok;
}

static bool in_process(const char *tcti, bool ecc) {
        TSS2_TCTI_CONTEXT *context = NULL;
        bool ok;

        if (Tss2_TctiLdr_Initialize(tcti, &context) != TSS2_RC_SUCCESS)
                return false;
        ok = with_tcti(context, ecc);
        Tss2_TctiLdr_Finalize(&context);
        return ok;
}

bool quote_bare(const char *tcti, QuoteModel model, bool ecc) {
        CLEANUP(vtpm_transport_freep) VtpmTransport *transport = NULL;

        if (model == QUOTE_IN_PROCESS)
                return in_process(tcti, ecc);
        if (vtpm_transport_open(tcti, deadline_never(), &transport, NULL) < 0)
                return false;
        return with_tcti(vtpm_transport_tcti(transport), ecc);
}
