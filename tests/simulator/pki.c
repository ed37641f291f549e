/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/simulator/pki.h"

#include <errno.h>
#include <openssl/err.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "tests/simulator/openssl.h"
#include "tests/simulator/pki-internal.h"

#define RSA_BITS 4096 /* 57230: all CA keys */

int sim_ssl_error(Error *e, const char *what) {
        const char *reason = ERR_reason_error_string(ERR_get_error());

        ERR_clear_error();
        return error_set(e, -EIO, "sim-openssl", "%s: %s", what, reason ? reason : "OpenSSL gave no reason");
}

SimPkiParams sim_pki_params(SimProduct product) {
        SimPkiParams p = { .product = product, .tcb = sim_product(product)->tcb };
        size_t n = sim_product(product)->turin_layout ? SIM_TURIN_HWID_SIZE : SIM_CHIP_ID_SIZE;

        /* Begins with 04h on purpose: readers of hwID that guess at an OCTET STRING header trip over it. */
        for (size_t i = 0; i < n; i++)
                p.chip_id[i] = (uint8_t) (0x04 + 0x11 * i + 0x40 * product);
        p.not_before = time(NULL) - 24 * 60 * 60;
        return p;
}

static void *generate_rsa(void *slot) {
        *(EVP_PKEY **) slot = EVP_RSA_gen(RSA_BITS);
        return NULL;
}

/* Seconds of work for each key: one thread for each. */
static int generate_ca_keys(SimPki *pki, Error *e) {
        pthread_t threads[SIM_ASVK + 1];
        bool started[SIM_ASVK + 1] = {};

        for (SimKey k = SIM_ARK; k <= SIM_ASVK; k++) {
                if (pki->keys[k] || (k == SIM_ASVK && !pki->csp_id[0]))
                        continue;
                started[k] = pthread_create(&threads[k], NULL, generate_rsa, &pki->keys[k]) == 0;
                if (!started[k])
                        (void) generate_rsa(&pki->keys[k]);
        }
        for (SimKey k = SIM_ARK; k <= SIM_ASVK; k++)
                if (started[k])
                        (void) pthread_join(threads[k], NULL);
        for (SimKey k = SIM_ARK; k <= SIM_ASVK; k++)
                if (!pki->keys[k] && (k != SIM_ASVK || pki->csp_id[0]))
                        return sim_ssl_error(e, "Cannot make an RSA key");
        return 0;
}

static int borrow_ca_keys(SimPki *pki, const SimPki *from) {
        for (SimKey k = SIM_ARK; k <= SIM_ASVK; k++)
                if (from->keys[k] && (k != SIM_ASVK || pki->csp_id[0])) {
                        if (EVP_PKEY_up_ref(from->keys[k]) != 1)
                                return -ENOMEM;
                        pki->keys[k] = from->keys[k];
                }
        return 0;
}

static int generate_vek_key(SimPki *pki, SimKey which, Error *e) {
        pki->keys[which] = EVP_EC_gen("P-384");
        return pki->keys[which] ? 0 : sim_ssl_error(e, "Cannot make a P-384 key");
}

static int issue_veks(SimPki *pki, Error *e) {
        for (SimKey k = SIM_VCEK; k <= SIM_VLEK; k++) {
                X509 *cert;
                int r;

                if (!pki->keys[k])
                        continue;
                r = sim_cert_issue_vek(pki, k, &cert, e);
                if (r < 0)
                        return r;
                X509_free(pki->certs[k]);
                pki->certs[k] = cert;
        }
        return 0;
}

static int issue_all(SimPki *pki, const SimPkiParams *params, Error *e) {
        int r = 0;

        for (SimKey k = SIM_ARK; r == 0 && k <= SIM_ASVK; k++)
                if (pki->keys[k])
                        r = sim_cert_issue_ca(pki, k, &pki->certs[k], e);
        if (r == 0)
                r = issue_veks(pki, e);
        for (SimCrl c = 0; r == 0 && c < SIM_N_CRLS; c++)
                r = sim_crl_issue(pki, params->revoke_ask, params->revoke_asvk, &pki->crls[c], e);
        return r;
}

static int check_chip_id(SimProduct product, const uint8_t *chip_id, Error *e) {
        if (sim_product(product)->turin_layout)
                for (size_t i = SIM_TURIN_HWID_SIZE; i < SIM_CHIP_ID_SIZE; i++)
                        if (chip_id[i] != 0)
                                return error_set(e, -EINVAL, "sim-chip-id", "A Turin chip ID has only 8 bytes");
        return 0;
}

int sim_pki_new(const SimPkiParams *params, const SimPki *keys_of, SimPki **ret, Error *e) {
        CLEANUP(sim_pki_freep) SimPki *pki = calloc(1, sizeof(*pki));
        int r;

        if (!pki)
                return error_oom(e);
        r = check_chip_id(params->product, params->chip_id, e);
        if (r < 0)
                return r;
        if (params->csp_id && (!params->csp_id[0] || strlen(params->csp_id) >= SIM_CSP_ID_MAX))
                return error_set(e, -EINVAL, "sim-csp-id", "A CSP_ID has 1 to %d characters", SIM_CSP_ID_MAX - 1);
        pki->product = params->product;
        pki->tcb = params->tcb;
        pki->not_before = params->not_before;
        (void) memcpy(pki->chip_id, params->chip_id, sizeof(pki->chip_id));
        (void) snprintf(pki->csp_id, sizeof(pki->csp_id), "%s", params->csp_id ? params->csp_id : "");

        if (keys_of && borrow_ca_keys(pki, keys_of) < 0)
                return error_oom(e);
        r = generate_ca_keys(pki, e);
        if (r == 0)
                r = generate_vek_key(pki, SIM_VCEK, e);
        if (r == 0 && params->csp_id)
                r = generate_vek_key(pki, SIM_VLEK, e);
        if (r == 0)
                r = issue_all(pki, params, e);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(pki);
        return 0;
}

void sim_pki_free(SimPki *pki) {
        if (!pki)
                return;
        for (SimKey k = 0; k < SIM_N_KEYS; k++) {
                EVP_PKEY_free(pki->keys[k]);
                X509_free(pki->certs[k]);
        }
        for (SimCrl c = 0; c < SIM_N_CRLS; c++)
                X509_CRL_free(pki->crls[c]);
        free(pki);
}

int sim_pki_reissue(SimPki *pki, const SimTcb *tcb, const uint8_t chip_id[static SIM_CHIP_ID_SIZE], Error *e) {
        int r = check_chip_id(pki->product, chip_id, e);

        if (r < 0)
                return r;
        pki->tcb = *tcb;
        (void) memmove(pki->chip_id, chip_id, sizeof(pki->chip_id));
        return issue_veks(pki, e);
}
