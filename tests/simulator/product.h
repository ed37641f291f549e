/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Product lines and TCB versions as the simulator sees them. Written from the tables in AMD's documents
 * (56860 for the report, 57230 for certificates) and sharing nothing with snp/, so that the two can only
 * agree by both being right.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"

typedef enum SimProduct {
        SIM_MILAN,
        SIM_GENOA,
        SIM_TURIN,
        SIM_N_PRODUCTS,
} SimProduct;

typedef struct SimTcb {
        uint8_t fmc; /* Turin only */
        uint8_t bl, tee, snp, ucode;
} SimTcb;

#define SIM_TCB_SIZE 8
#define SIM_CHIP_ID_SIZE 64
#define SIM_TURIN_HWID_SIZE 8

typedef struct SimProductInfo {
        const char *name;        /* in certificate names and addresses */
        const char *vcek_name;   /* productName of its VCEKs */
        uint32_t ark_serial, ask_serial, asvk_serial;
        uint8_t cpuid_family, cpuid_model, cpuid_stepping;
        bool turin_layout;       /* structVersion 1, TCB with FMC, hwID of 8 bytes */
        SimTcb tcb;              /* a plausible one, for defaults */
        uint8_t build, minor, major; /* firmware version that goes with it */
} SimProductInfo;

const SimProductInfo *sim_product(SimProduct product);

/* "Milan", "Genoa", "Turin". 0 or -EINVAL. */
WARN_UNUSED int sim_product_parse(const char *name, SimProduct *ret, Error *e);

void sim_tcb_encode(SimProduct product, const SimTcb *tcb, uint8_t ret[static SIM_TCB_SIZE]);
bool sim_tcb_equal(const SimTcb *a, const SimTcb *b);

/* "fmc=1,bl=2,tee=3,snp=4,ucode=81" in any order; parts left out keep their value in *ret. 0 or -EINVAL. */
WARN_UNUSED int sim_tcb_parse(const char *text, SimTcb *ret, Error *e);
/* The inverse, at most SIM_TCB_TEXT_MAX bytes with the NUL. */
#define SIM_TCB_TEXT_MAX 48
void sim_tcb_format(const SimTcb *tcb, char ret[static SIM_TCB_TEXT_MAX]);
