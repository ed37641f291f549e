/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Inside of snp/: the table of every key of a policy file. Parser, writer, explanation and tests all read it. */

#include "base/writer.h"
#include "snp/policy-internal.h"

#define SNP_POLICY_KEYS_MAX 96

typedef struct SnpPolicyKey SnpPolicyKey;

/* How values of a kind are read, written and told. @field points to what the key's offset says. */
typedef struct SnpPolicyKind {
        /* -EINVAL or -E2BIG with a sentence, and @field as it was. Lists grow by @value. */
        int (*parse)(const SnpPolicyKey *key, const char *value, void *field, Error *e);
        void (*print)(const SnpPolicyKey *key, const void *field, size_t index, Writer *w);
        void (*say)(const SnpPolicyKey *key, const void *field, Writer *w); /* "must be clear", "any" */
        size_t (*count)(const void *field); /* values there are; NULL: always one */
        const char *syntax;
        bool is_list; /* the key may be repeated */
} SnpPolicyKind;

typedef struct SnpPolicyName {
        const char *name;
        uint32_t bit;
} SnpPolicyName;

struct SnpPolicyKey {
        const char *section, *name;
        const SnpPolicyKind *kind;
        size_t offset;               /* in SnpPolicy */
        const char *fallback;        /* the default, as text; NULL: zero */
        const char *about;           /* a phrase */
        const char *example;         /* written as a comment when there is no value */
        uint64_t min, max;           /* numbers: the range; bytes: sizes; versions: numbers in it; TCBs: the layout */
        const SnpPolicyName *names;  /* sets: what can be in them, ended by NULL */
        bool not_zero;               /* bytes: zeros mean that there is no value */
};

extern const SnpPolicyKey snp_policy_keys[];
extern const size_t snp_n_policy_keys;

const SnpPolicyKey *snp_policy_key_find(const char *section, const char *name);
bool snp_policy_section_is_known(const char *section);

static inline const void *snp_policy_field(const SnpPolicy *policy, const SnpPolicyKey *key) {
        return (const uint8_t *) policy + key->offset;
}
size_t snp_policy_key_count(const SnpPolicy *policy, const SnpPolicyKey *key);

extern const SnpPolicyKind snp_policy_rule;     /* SnpPolicyRule about a bit */
extern const SnpPolicyKind snp_policy_switch;   /* SnpPolicyRule, FORBID or ALLOW */
extern const SnpPolicyKind snp_policy_yes_no;   /* bool */
extern const SnpPolicyKind snp_policy_least;    /* uint32_t, a minimum */
extern const SnpPolicyKind snp_policy_set;      /* uint32_t, bits by name */
extern const SnpPolicyKind snp_policy_mask;     /* uint64_t, bits that must be set */
extern const SnpPolicyKind snp_policy_unnamed;  /* uint64_t, bits that may be set */
extern const SnpPolicyKind snp_policy_version;  /* SnpFirmwareVersion, a minimum */
extern const SnpPolicyKind snp_policy_bytes;    /* SnpPolicyBytes */
extern const SnpPolicyKind snp_policy_chip_ids; /* SnpPolicyBytes of 64 bytes, given as 64 or, for Turin, 8 */
extern const SnpPolicyKind snp_policy_csp_ids;  /* SnpPolicyCspIds */
extern const SnpPolicyKind snp_policy_tcb;      /* SnpPolicyTcb */

/* The parts of a TCB in @layout, "boot_loader=3 tee=0 snp=20 microcode=209". */
void snp_policy_print_tcb(SnpTcbLayout layout, const SnpTcb *tcb, Writer *w);
