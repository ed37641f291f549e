/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/simulator/kds/answers.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <openssl/evp.h>

#include "base/hex.h"
#include "base/json.h"

#define YEAR ((time_t) 365 * 24 * 60 * 60)

/* A certificate that is issued anew is for the same key: it is the chip that has it, and signs with it. */
static int keep_keys(const SimPki *of, SimPki *to, Error *e) {
        static const SimKey own[] = { SIM_VCEK, SIM_VLEK };

        for (size_t i = 0; i < N_ELEMENTS(own); i++)
                if (of->keys[own[i]] && to->keys[own[i]] && EVP_PKEY_up_ref(of->keys[own[i]]) == 1) {
                        EVP_PKEY_free(to->keys[own[i]]);
                        to->keys[own[i]] = of->keys[own[i]];
                }
        return sim_pki_reissue(to, &to->tcb, to->chip_id, e);
}

/*
 * The hierarchy that the answer is taken from: the one in question with what the fault changes. It has the same RSA
 * keys, except that a foreign root borrows the key of another role, since making one takes seconds.
 */
static int variant(const KdsQuestion *q, SimPki **ret, Error *e) {
        SimPkiParams params = { .product = q->pki->product, .tcb = q->tcb, .not_before = q->pki->not_before,
                                .csp_id = q->pki->csp_id[0] ? q->pki->csp_id : NULL };
        CLEANUP(sim_pki_freep) SimPki *pki = NULL;
        SimPki keys = *q->pki;
        int r;

        (void) memcpy(params.chip_id, q->pki->chip_id, sizeof(params.chip_id));
        if (q->fault == KDS_FAULT_OTHER_CHIP)
                params.chip_id[0] ^= 1;
        else if (q->fault == KDS_FAULT_OTHER_TCB)
                params.tcb.ucode ^= 1;
        else if (q->fault == KDS_FAULT_OTHER_ROOT)
                keys.keys[SIM_ARK] = q->pki->keys[SIM_ASK];
        else if (q->fault == KDS_FAULT_STALE)
                params.not_before -= 2 * YEAR;
        params.revoke_ask = params.revoke_asvk = q->fault == KDS_FAULT_REVOKED;
        r = sim_pki_new(&params, &keys, &pki, e);
        if (r == 0)
                r = keep_keys(q->pki, pki, e);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(pki);
        return 0;
}

/* As the host's firmware is, and during an update as it will be. */
static int thim_body(const SimPki *pki, Blob *ret, Error *e) {
        AUTO_BLOB Blob vek = {}, chain = {};
        AUTO_JSON json_object *root = json_object_new_object();
        uint8_t tcb[SIM_TCB_SIZE], tcbm[SIM_TCB_SIZE];
        char hex[2 * SIM_TCB_SIZE + 1];
        const char *text;
        int r = sim_pki_cert_pem(pki, SIM_VCEK, &vek, e);

        if (r == 0)
                r = sim_pki_chain_pem(pki, SIM_VCEK, &chain, e);
        if (r < 0)
                return r;
        sim_tcb_encode(pki->product, &pki->tcb, tcb);
        for (size_t i = 0; i < sizeof(tcb); i++)
                tcbm[i] = tcb[sizeof(tcb) - 1 - i];
        hex_encode_to(tcbm, sizeof(tcbm), hex);
        if (json_add_take(root, "vcekCert", json_object_new_string_len((char *) vek.data, (int) vek.size)) < 0 ||
            json_add_str(root, "tcbm", hex) < 0 ||
            json_add_take(root, "certificateChain", json_object_new_string_len((char *) chain.data, (int) chain.size)) < 0 ||
            json_add_str(root, "cacheControl", "86400") < 0)
                return error_oom(e);
        text = json_object_to_json_string_ext(root, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
        return blob_dup(text, strlen(text), ret) < 0 ? error_oom(e) : 0;
}

int kds_answer_body(const KdsQuestion *q, Blob *ret, Error *e) {
        CLEANUP(sim_pki_freep) SimPki *pki = NULL;
        int r = variant(q, &pki, e);

        if (r < 0)
                return r;
        switch (q->what) {
        case KDS_VCEK:
                return sim_pki_cert_der(pki, SIM_VCEK, ret, e);
        case KDS_CHAIN:
                return sim_pki_chain_pem(pki, q->vlek ? SIM_VLEK : SIM_VCEK, ret, e);
        case KDS_CRL:
                return sim_pki_crl_der(pki, q->vlek ? SIM_CRL_VLEK : SIM_CRL_VCEK, ret, e);
        case KDS_THIM:
                return thim_body(pki, ret, e);
        case KDS_N_WHATS:
        default:
                return -EINVAL;
        }
}
