/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/simulator/product.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

/* Serial numbers as AMD's own certificates have them; CPUID of a common part of each line. */
static const SimProductInfo products[SIM_N_PRODUCTS] = {
        [SIM_MILAN] = { .name = "Milan", .vcek_name = "Milan-B0",
                        .ark_serial = 0x10000, .ask_serial = 0x10001, .asvk_serial = 0x10101,
                        .cpuid_family = 0x19, .cpuid_model = 0x01, .cpuid_stepping = 1,
                        .tcb = { .bl = 4, .tee = 0, .snp = 24, .ucode = 219 },
                        .major = 1, .minor = 55, .build = 29 },
        [SIM_GENOA] = { .name = "Genoa", .vcek_name = "Genoa",
                        .ark_serial = 0x20000, .ask_serial = 0x20002, .asvk_serial = 0x20101,
                        .cpuid_family = 0x19, .cpuid_model = 0x11, .cpuid_stepping = 1,
                        .tcb = { .bl = 10, .tee = 0, .snp = 24, .ucode = 84 },
                        .major = 1, .minor = 55, .build = 42 },
        [SIM_TURIN] = { .name = "Turin", .vcek_name = "Turin",
                        .ark_serial = 0x30000, .ask_serial = 0x30001, .asvk_serial = 0x30101,
                        .cpuid_family = 0x1A, .cpuid_model = 0x02, .cpuid_stepping = 1,
                        .turin_layout = true,
                        .tcb = { .fmc = 1, .bl = 1, .tee = 1, .snp = 4, .ucode = 81 },
                        .major = 1, .minor = 55, .build = 65 },
};

const SimProductInfo *sim_product(SimProduct product) {
        return &products[product];
}

int sim_product_parse(const char *name, SimProduct *ret, Error *e) {
        for (SimProduct p = 0; p < SIM_N_PRODUCTS; p++)
                if (strcmp(products[p].name, name) == 0) {
                        *ret = p;
                        return 0;
                }
        return error_set(e, -EINVAL, "sim-product", "'%s' is not Milan, Genoa or Turin", name);
}

void sim_tcb_encode(SimProduct product, const SimTcb *tcb, uint8_t ret[static SIM_TCB_SIZE]) {
        /* 56860, TCB_VERSION: bytes 0 BOOT_LOADER, 1 TEE, 6 SNP, 7 MICROCODE; family 1Ah: 0 FMC, 1 BOOT_LOADER,
         * 2 TEE, 3 SNP, 7 MICROCODE. */
        if (products[product].turin_layout)
                (void) memcpy(ret, (const uint8_t[]){ tcb->fmc, tcb->bl, tcb->tee, tcb->snp, 0, 0, 0, tcb->ucode },
                              SIM_TCB_SIZE);
        else
                (void) memcpy(ret, (const uint8_t[]){ tcb->bl, tcb->tee, 0, 0, 0, 0, tcb->snp, tcb->ucode },
                              SIM_TCB_SIZE);
}

bool sim_tcb_equal(const SimTcb *a, const SimTcb *b) {
        return a->fmc == b->fmc && a->bl == b->bl && a->tee == b->tee && a->snp == b->snp && a->ucode == b->ucode;
}

static uint8_t *part_of(SimTcb *tcb, const char *name) {
        if (strcmp(name, "fmc") == 0)
                return &tcb->fmc;
        if (strcmp(name, "bl") == 0)
                return &tcb->bl;
        if (strcmp(name, "tee") == 0)
                return &tcb->tee;
        if (strcmp(name, "snp") == 0)
                return &tcb->snp;
        if (strcmp(name, "ucode") == 0)
                return &tcb->ucode;
        return NULL;
}

int sim_tcb_parse(const char *text, SimTcb *ret, Error *e) {
        AUTO_FREE char *copy = strdup(text);
        SimTcb tcb = *ret;
        char *rest = copy;

        if (!copy)
                return error_oom(e);
        for (char *item; (item = strsep(&rest, ","));) {
                char *value = strchr(item, '=');
                uint8_t *part;
                uint64_t v;

                if (value)
                        *value++ = 0;
                part = part_of(&tcb, item);
                if (!part || !value || text_to_u64(value, 10, 0, UINT8_MAX, &v) < 0)
                        return error_set(e, -EINVAL, "sim-tcb", "'%s' is no TCB; write bl=4,tee=0,snp=24,ucode=219",
                                         text);
                *part = (uint8_t) v;
        }
        *ret = tcb;
        return 0;
}

void sim_tcb_format(const SimTcb *tcb, char ret[static SIM_TCB_TEXT_MAX]) {
        (void) snprintf(ret, SIM_TCB_TEXT_MAX, "fmc=%u,bl=%u,tee=%u,snp=%u,ucode=%u", tcb->fmc, tcb->bl, tcb->tee,
                        tcb->snp, tcb->ucode);
}
