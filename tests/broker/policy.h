/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What the broker wants of a guest, from an ini file:
 *
 *   [evidence]
 *   measurement = HEX          one per line, any of them will do; "any" switches the claim off
 *   vmpl = 0                   one per line; 0 alone when none is given
 *   min-boot-loader = N        also min-tee, min-snp, min-microcode, min-fmc (Turin only); 0 by default
 *   debug = no                 yes tolerates a guest whose policy allows debugging
 *   migration = no             yes tolerates a migration agent
 *   masked-chip-id = no        yes accepts a VCEK-signed report with an all-zero CHIP_ID
 *   [resource]
 *   allow = default/disk/root  repository/type/tag; "*" and "?" as in a shell, within a segment
 *   deny = default/disk/other  the first rule that matches decides; nothing matched is denied
 *
 * Everything not allowed is denied; an unknown section or key is an error with its line.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "snp/report.h"
#include "snp/tcb.h"

#define BROKER_MEASUREMENTS_MAX 16
#define BROKER_RULES_MAX 32

typedef struct BrokerPolicy {
        bool any_measurement;
        uint8_t measurements[BROKER_MEASUREMENTS_MAX][SNP_MEASUREMENT_SIZE];
        size_t n_measurements;
        unsigned vmpls; /* bit mask */
        SnpTcb minimum;
        bool debug, migration, masked_chip_id;
        struct BrokerRule {
                bool allow;
                char pattern[128];
        } rules[BROKER_RULES_MAX];
        size_t n_rules;
} BrokerPolicy;

/* 0; -EBADMSG with file and line; what opening the file failed with. */
WARN_UNUSED int broker_policy_load(const char *path, BrokerPolicy *ret, Error *e);

bool broker_policy_allows_measurement(const BrokerPolicy *p, const uint8_t measurement[static SNP_MEASUREMENT_SIZE]);
/* The rule that decides about @path ("repository/type/tag"); NULL when none does. */
const struct BrokerRule *broker_policy_rule(const BrokerPolicy *p, const char *path);
