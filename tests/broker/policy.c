/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/broker/policy.h"

#include <errno.h>
#include <fnmatch.h>
#include <ini.h>
#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "base/text.h"

static int add_measurement(BrokerPolicy *p, const char *value) {
        if (strcmp(value, "any") == 0) {
                p->any_measurement = true;
                return 0;
        }
        if (p->n_measurements == BROKER_MEASUREMENTS_MAX)
                return -E2BIG;
        if (hex_decode_exact(value, strlen(value), p->measurements[p->n_measurements], SNP_MEASUREMENT_SIZE) < 0)
                return -EBADMSG;
        p->n_measurements++;
        return 0;
}

static int add_rule(BrokerPolicy *p, bool allow, const char *pattern) {
        struct BrokerRule *rule = &p->rules[p->n_rules];

        if (p->n_rules == BROKER_RULES_MAX || strlen(pattern) >= sizeof(rule->pattern))
                return -E2BIG;
        rule->allow = allow;
        (void) snprintf(rule->pattern, sizeof(rule->pattern), "%s", pattern);
        p->n_rules++;
        return 0;
}

static int set_minimum(SnpTcb *tcb, const char *part, const char *value) {
        const struct {
                const char *name;
                uint8_t *svn;
        } parts[] = {
                { "boot-loader", &tcb->boot_loader }, { "tee", &tcb->tee }, { "snp", &tcb->snp },
                { "microcode", &tcb->microcode },     { "fmc", &tcb->fmc },
        };
        uint64_t v;

        for (size_t i = 0; i < N_ELEMENTS(parts); i++)
                if (strcmp(parts[i].name, part) == 0) {
                        if (text_to_u64(value, 10, 0, UINT8_MAX, &v) < 0)
                                return -EBADMSG;
                        *parts[i].svn = (uint8_t) v;
                        return 0;
                }
        return -EBADMSG;
}

static int set_evidence(BrokerPolicy *p, const char *name, const char *value) {
        uint64_t v;

        if (strcmp(name, "measurement") == 0)
                return add_measurement(p, value);
        if (text_starts_with(name, "min-"))
                return set_minimum(&p->minimum, name + 4, value);
        if (strcmp(name, "debug") == 0)
                return text_to_bool(value, &p->debug);
        if (strcmp(name, "migration") == 0)
                return text_to_bool(value, &p->migration);
        if (strcmp(name, "masked-chip-id") == 0)
                return text_to_bool(value, &p->masked_chip_id);
        if (strcmp(name, "vmpl") == 0 && text_to_u64(value, 10, 0, 3, &v) == 0) {
                p->vmpls |= 1u << v;
                return 0;
        }
        return -EBADMSG;
}

static int on_line(void *userdata, const char *section, const char *name, const char *value) {
        BrokerPolicy *p = userdata;
        int r = -EBADMSG;

        if (strcmp(section, "evidence") == 0)
                r = set_evidence(p, name, value);
        else if (strcmp(section, "resource") == 0 && strcmp(name, "allow") == 0)
                r = add_rule(p, true, value);
        else if (strcmp(section, "resource") == 0 && strcmp(name, "deny") == 0)
                r = add_rule(p, false, value);
        return r == 0;
}

int broker_policy_load(const char *path, BrokerPolicy *ret, Error *e) {
        BrokerPolicy p = {};
        int r = ini_parse(path, on_line, &p);

        if (r < 0)
                return error_set(e, -ENOENT, "policy", "Cannot read policy %s", path);
        if (r > 0)
                return error_set(e, -EBADMSG, "policy", "%s:%d: not understood", path, r);
        if (p.vmpls == 0)
                p.vmpls = 1u << 0;
        *ret = p;
        return 0;
}

bool broker_policy_allows_measurement(const BrokerPolicy *p, const uint8_t measurement[static SNP_MEASUREMENT_SIZE]) {
        for (size_t i = 0; i < p->n_measurements; i++)
                if (memcmp(p->measurements[i], measurement, SNP_MEASUREMENT_SIZE) == 0)
                        return true;
        return p->any_measurement;
}

const struct BrokerRule *broker_policy_rule(const BrokerPolicy *p, const char *path) {
        for (size_t i = 0; i < p->n_rules; i++)
                if (fnmatch(p->rules[i].pattern, path, FNM_PATHNAME | FNM_NOESCAPE) == 0)
                        return &p->rules[i];
        return NULL;
}
