/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A policy as an object: its defaults, the file it is read from, and the one that suits a report. It is built afresh
 * each time and handed out only when everything holds.
 */

#include "snp/policy.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/hex.h"
#include "base/ini-text.h"
#include "snp/policy-keys.h"

typedef struct PolicyParser {
        SnpPolicy *policy;
        const char *name;                    /* of the file */
        const SnpPolicyOther *other;         /* or NULL */
        unsigned lines[SNP_POLICY_KEYS_MAX]; /* where a key was last given; 0: nowhere */
} PolicyParser;

int snp_policy_new(SnpPolicy **ret, Error *e) {
        CLEANUP(snp_policy_freep) SnpPolicy *policy = calloc(1, sizeof(*policy));

        if (!policy)
                return error_oom(e);
        for (size_t i = 0; i < snp_n_policy_keys; i++) {
                const SnpPolicyKey *key = &snp_policy_keys[i];
                int r = 0;

                if (key->fallback)
                        r = key->kind->parse(key, key->fallback, (uint8_t *) policy + key->offset, e);
                assert(r == 0); /* our own table */
        }
        *ret = TAKE_PTR(policy);
        return 0;
}

void snp_policy_free(SnpPolicy *policy) {
        free(policy);
}

/* Reading */

static bool is_others(const PolicyParser *p, const IniLine *line) {
        return p->other && strcmp(line->section, p->other->section) == 0;
}

static int on_section(void *userdata, const IniLine *line, Error *e) {
        if (is_others(userdata, line))
                return 0;
        if (snp_policy_section_is_known(line->section))
                return 0;
        return error_set(e, -EINVAL, "config-section", "unknown section [%s]", line->section);
}

static int on_key(void *userdata, const IniLine *line, Error *e) {
        PolicyParser *p = userdata;
        const SnpPolicyKey *key = snp_policy_key_find(line->section, line->key);
        int r;

        if (is_others(p, line))
                return p->other->key(p->other->userdata, line, e);
        if (!key)
                return error_set(e, -EINVAL, "config-key", "unknown key %s= in section [%s]", line->key, line->section);
        if (!*line->value)
                return error_set(e, -EINVAL, "config-value", "%s=: a value is missing", line->key);
        r = key->kind->parse(key, line->value, (uint8_t *) p->policy + key->offset, e);
        if (r < 0)
                error_prefix(e, "%s=", line->key);
        p->lines[key - snp_policy_keys] = line->line;
        return r;
}

static bool may_repeat(void *userdata, const IniLine *line) {
        const SnpPolicyKey *key = snp_policy_key_find(line->section, line->key);
        const PolicyParser *p = userdata;

        if (is_others(p, line))
                return p->other->may_repeat(p->other->userdata, line);
        return key && key->kind->is_list;
}

static unsigned line_of(const PolicyParser *p, const char *section, const char *name) {
        const SnpPolicyKey *key = snp_policy_key_find(section, name);

        assert(key);
        return p->lines[key - snp_policy_keys];
}

/* Trusted keys are asked for when they are named: else a host could evade them without an ID block. */
static int check_keys(PolicyParser *p, Error *e) {
        SnpPolicy *policy = p->policy;
        unsigned block = line_of(p, "Guest", "RequireIdBlock"), author = line_of(p, "Guest", "RequireAuthorKey");
        bool named = policy->id_keys.n > 0 || policy->author_keys.n > 0;

        if (block > 0 && !policy->require_id_block && (named || policy->require_author_key))
                return error_set(e, -EINVAL, "config-contradiction",
                                 "%s:%u: RequireIdBlock=no, but other keys of [Guest] require one", p->name, block);
        if (policy->require_author_key && policy->author_keys.n == 0)
                return error_set(e, -EINVAL, "config-incomplete",
                                 "%s:%u: RequireAuthorKey= needs TrustedAuthorKey=", p->name, author);
        if (policy->require_id_block && !named)
                return error_set(e, -EINVAL, "config-incomplete",
                                 "%s:%u: RequireIdBlock= needs TrustedIdKey= or TrustedAuthorKey=", p->name, block);
        policy->require_id_block = named;
        return 0;
}

/* A minimum given for one product line only would let a host evade it by being of another. */
static int check_line(PolicyParser *p, const char *name, Error *e) {
        static const char *const sections[] = {
                [SNP_PRODUCT_MILAN] = "Milan", [SNP_PRODUCT_GENOA] = "Genoa", [SNP_PRODUCT_TURIN] = "Turin"
        };
        const char *with = NULL, *without = NULL;
        unsigned line = 0;

        for (SnpProduct i = SNP_PRODUCT_MILAN; i < SNP_N_PRODUCTS; i++) {
                unsigned here = line_of(p, sections[i], name);

                if (!(p->policy->products & 1u << i))
                        continue;
                if (here > 0) {
                        with = sections[i];
                        line = here;
                } else
                        without = sections[i];
        }
        if (!with || !without)
                return 0;
        return error_set(e, -EINVAL, "config-incomplete",
                         "%s:%u: %s= is in [%s] but not in [%s], which Product= in [Platform] accepts too", p->name,
                         line, name, with, without);
}

static int check_lines(PolicyParser *p, Error *e) {
        static const char *const names[] = {
                "MinimumTcb", "MinimumCommittedTcb", "MinimumCurrentTcb", "MinimumLaunchTcb", "MinimumVersion"
        };

        for (size_t i = 0; i < N_ELEMENTS(names); i++) {
                int r = check_line(p, names[i], e);

                if (r < 0)
                        return r;
        }
        return 0;
}

int snp_policy_parse_with(const char *name, const void *data, size_t size, const SnpPolicyOther *other,
                          SnpPolicy **ret, Error *e) {
        static const IniHandler handler = { .section = on_section, .key = on_key, .may_repeat = may_repeat };
        CLEANUP(snp_policy_freep) SnpPolicy *policy = NULL;
        PolicyParser p = { .name = name, .other = other };
        int r = snp_policy_new(&policy, e);

        if (r < 0)
                return r;
        p.policy = policy;
        r = ini_text_parse(name, data, size, SNP_POLICY_FILE_SIZE_MAX, &handler, &p, e);
        if (r == 0)
                r = check_keys(&p, e);
        if (r == 0)
                r = check_lines(&p, e);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(policy);
        return 0;
}

int snp_policy_parse(const char *name, const void *data, size_t size, SnpPolicy **ret, Error *e) {
        return snp_policy_parse_with(name, data, size, NULL, ret, e);
}

int snp_policy_load(const char *path, SnpPolicy **ret, Error *e) {
        AUTO_BLOB Blob b = {};
        int r = file_read(path, SNP_POLICY_FILE_SIZE_MAX, &b, e);

        return r < 0 ? r : snp_policy_parse(path, b.data, b.size, ret, e);
}

/* From a report */

static SnpPolicyTcb at_least(SnpTcbLayout layout, const uint8_t raw[static SNP_TCB_SIZE]) {
        SnpPolicyTcb tcb = { .given = true };
        int r = snp_tcb_decode(layout, raw, &tcb.least);

        assert(r == 0); /* of a known line */
        return tcb;
}

int snp_policy_new_from_report(const SnpReport *report, SnpProduct product, SnpPolicy **ret, Error *e) {
        CLEANUP(snp_policy_freep) SnpPolicy *policy = NULL;
        SnpProduct line = snp_report_product(report, product);
        SnpTcbLayout layout = snp_product_tcb_layout(line);
        int r;

        if (layout == SNP_TCB_LAYOUT_UNKNOWN)
                return error_set(e, -EINVAL, "report-product", "A version %u report does not tell its product line",
                                 report->version);
        if (report->vmpl > 3 || report->signing_key == SNP_SIGNING_KEY_NONE)
                return error_set(e, -EINVAL, "report-origin",
                                 "No policy can accept a report that the host asked for, or that is not signed");
        r = snp_policy_new(&policy, e);
        if (r < 0)
                return r;
        policy->products = 1u << line;
        policy->signing_keys = 1u << report->signing_key;
        policy->vmpls = 1u << report->vmpl;
        policy->min_guest_svn = report->guest_svn;
        (void) memcpy(policy->measurements.items[policy->measurements.n++], report->measurement, SNP_MEASUREMENT_SIZE);
        policy->lines[line].reported = at_least(layout, report->reported_tcb);
        policy->lines[line].committed = at_least(layout, report->committed_tcb);
        policy->lines[line].current = at_least(layout, report->current_tcb);
        policy->lines[line].launch = at_least(layout, report->launch_tcb);
        policy->launch_mitigations = report->launch_mit_vector;
        policy->current_mitigations = report->current_mit_vector;
        *ret = TAKE_PTR(policy);
        return 0;
}

int snp_policy_trust_key(SnpPolicy *policy, bool author, const uint8_t *digest, Error *e) {
        const SnpPolicyKey *key = snp_policy_key_find("Guest", author ? "TrustedAuthorKey" : "TrustedIdKey");
        char hex[2 * SNP_POLICY_BYTES_MAX + 1];
        int r;

        assert(key);
        hex_encode_to(digest, key->max, hex);
        r = key->kind->parse(key, hex, (uint8_t *) policy + key->offset, e);
        if (r == 0)
                policy->require_id_block = true;
        return r;
}

/* Asking */

unsigned snp_policy_verify_flags(const SnpPolicy *policy) {
        return policy->masked_chip_id == SNP_RULE_ALLOW ? SNP_VERIFY_ALLOW_MASKED_CHIP_ID : 0;
}

bool snp_policy_names_guest(const SnpPolicy *policy) {
        return policy->measurements.n > 0 || policy->require_id_block;
}
