/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * AMD's key distribution service for the chips of the simulator, with the addresses and the manners of the real one
 * (publication 57230): a VCEK is issued anew at every request, Milan and Genoa want 128 lower-case hex digits and
 * Turin 16, an unknown chip or product is 404, a missing parameter 400. And Azure's endpoint, for the first hierarchy,
 * which wants the header "Metadata: true".
 *
 *   GET /vcek/v1/PRODUCT/HWID?blSPL=..&teeSPL=..&snpSPL=..&ucodeSPL=..     DER (Turin: fmcSPL too)
 *   GET /{vcek,vlek}/v1/PRODUCT/cert_chain                                 PEM
 *   GET /{vcek,vlek}/v1/PRODUCT/crl                                        DER
 *   GET /metadata/THIM/amd/certification                                   JSON
 *
 * The log has one line for each request, before it is answered:
 *
 *   request n=3 what=vcek product=Genoa fault=none path=/vcek/v1/Genoa/0102..
 */

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"

#define SIM_KDS_HIERARCHIES_MAX 4

typedef struct SimKdsConfig {
        const char *listen;                               /* NULL: 127.0.0.1:0 */
        const char *cert_file, *key_file;                 /* PEM; NULL: plain HTTP */
        const char *hierarchies[SIM_KDS_HIERARCHIES_MAX]; /* directories of snp-sim-pki */
        const char *control;                              /* see mischief.h; NULL: no faults */
        const char *log;                                  /* appended to; NULL: standard error */
} SimKdsConfig;

typedef struct SimKds SimKds;

WARN_UNUSED int sim_kds_start(const SimKdsConfig *config, SimKds **ret, Error *e);
void sim_kds_stop(SimKds *kds);
DEFINE_CLEANUP(SimKds *, sim_kds_stop);

uint16_t sim_kds_port(const SimKds *kds);
uint64_t sim_kds_n_requests(SimKds *kds); /* so far, failed ones included */
