/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Certificates that AMD would never issue, made by changing ones that the simulator's hierarchy issued and signing
 * them again, with that hierarchy's keys or with wrong ones. Everything here fails the running test on error.
 */

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdbool.h>

#include "base/blob.h"
#include "snp/verify.h"
#include "tests/simulator/pki.h"

#define FORGE_CERTS_MAX 4

/*
 * A hierarchy for @product with VCEK and VLEK, valid around FORGE_NOW. All of them share the RSA keys that the build
 * has made for tests, but for an impostor's, which are new. Call these before the first test runs.
 */
#define FORGE_NOW 1750000000 /* 2025-06-15 */
SimPki *forge_pki(SimProduct product);
SimPki *forge_impostor(SimProduct product);

X509 *forge_copy(const SimPki *pki, SimKey which);

/* AMD's arc, @suffix like "3.8". */
void forge_ext_add(X509 *cert, const char *suffix, const void *value, size_t n, bool critical);
void forge_ext_remove(X509 *cert, const char *suffix);

/* Replaces one attribute of a name, by its index: OU, C, L, ST, O, CN. */
void forge_name(X509 *cert, bool subject, int index, const char *value);

typedef struct ForgeAlgorithm {
        const char *name;
        int padding; /* RSA_PKCS1_PADDING or RSA_PKCS1_PSS_PADDING */
        const char *digest, *mgf1;
        int salt;
} ForgeAlgorithm;

/* Signs as AMD does, or as @algorithm says; the result is DER. */
Blob forge_sign(X509 *cert, EVP_PKEY *key);
Blob forge_sign_with(X509 *cert, EVP_PKEY *key, const ForgeAlgorithm *algorithm);

EVP_PKEY *forge_ec_key(const char *curve, bool explicit_parameters);

/* What goes into snp_vek_new(), owned. */
typedef struct Evidence {
        Blob vek, others[FORGE_CERTS_MAX];
        size_t n_others;
} Evidence;

Evidence forge_evidence(const SimPki *pki, SimKey vek); /* VCEK, ASK, ARK or VLEK, ASVK, ARK */
void evidence_done(Evidence *e);
#define AUTO_EVIDENCE CLEANUP(evidence_done)

SnpTrust *forge_trust(const SimPki *pki);
/* Under the test root of @pki, at FORGE_NOW. */
int forge_judge(const SimPki *pki, const Evidence *evidence, SnpVek **ret, Error *e);
int forge_judge_at(const SnpTrust *trust, const Evidence *evidence, time_t at, SnpVek **ret, Error *e);

/* Expects @code, @reason (NULL: any) and @text somewhere in the sentence (NULL: any). */
void forge_refused(const SimPki *pki, const Evidence *evidence, int code, const char *reason, const char *text);
