/* SPDX-License-Identifier: Apache-2.0 */

/* The keys of section [TPM], in one table that parser, writer and explanation read. */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agent/bundle/tpm-policy-keys.h"
#include "base/hex.h"
#include "base/text.h"

#define WORD_MAX 192 /* longer than a line can be */

static int wrong(Error *e, const char *expected) {
        return error_set(e, -EINVAL, "config-value", "expected %s", expected);
}

static int parse_bool(const char *word, bool *ret, Error *e) {
        return text_to_bool(word, ret) < 0 ? wrong(e, "'yes' or 'no'") : 0;
}

static int parse_quote(TpmPolicy *p, unsigned pcr, const char *word, Error *e) {
        (void) pcr;
        return parse_bool(word, &p->require_quote, e);
}

static int parse_bound(TpmPolicy *p, unsigned pcr, const char *word, Error *e) {
        bool required = true;
        int r = parse_bool(word, &required, e);

        (void) pcr;
        p->unbound_may_be_there = !required;
        return r;
}

static int parse_unbound(TpmPolicy *p, unsigned pcr, const char *word, Error *e) {
        (void) pcr;
        return parse_bool(word, &p->unbound_is_proof, e);
}

static const char *const rules[] = { [TPM_RULE_ALLOW] = "allow", [TPM_RULE_REQUIRE] = "require",
                                     [TPM_RULE_FORBID] = "forbid" };

static int parse_secure_boot(TpmPolicy *p, unsigned pcr, const char *word, Error *e) {
        (void) pcr;
        for (size_t i = 0; i < N_ELEMENTS(rules); i++)
                if (strcmp(word, rules[i]) == 0) {
                        p->secure_boot = (TpmRule) i;
                        return 0;
                }
        return wrong(e, "'allow', 'require' or 'forbid'");
}

static int parse_number(const char *word, unsigned *ret) {
        uint64_t n = 0;

        if (text_to_u64(word, 10, 0, VTPM_N_PCRS - 1, &n) < 0 || (word[0] == '0' && word[1]))
                return -EINVAL;
        *ret = (unsigned) n;
        return 0;
}

static int parse_log_pcr(TpmPolicy *p, unsigned pcr, const char *word, Error *e) {
        if (parse_number(word, &pcr) < 0)
                return wrong(e, "numbers from 0 to 23");
        if (p->log_pcrs & UINT32_C(1) << pcr)
                return error_set(e, -EINVAL, "config-duplicate", "%u is given twice", pcr);
        p->log_pcrs |= UINT32_C(1) << pcr;
        return 0;
}

/* A name is the id of a hash and a digest of it: TPM 2.0 Library Part 1, "Names". */
static int parse_name(TpmPolicy *p, unsigned pcr, const char *word, Error *e) {
        AUTO_BLOB Blob b = {};
        int r = hex_decode(word, strlen(word), VTPM_NAME_MAX, &b);

        (void) pcr;
        if (r == -ENOMEM)
                return error_oom(e);
        if (r < 0 || b.size < 2 || b.size != 2 + vtpm_hash_size((uint16_t) (b.data[0] << 8 | b.data[1])))
                return wrong(e, "the name of a key in hex, as '000b' and 32 more bytes");
        if (p->n_names == TPM_POLICY_VALUES_MAX)
                return error_set(e, -E2BIG, "config-limit", "more than %u values", TPM_POLICY_VALUES_MAX);
        for (size_t i = 0; i < p->n_names; i++)
                if (p->names[i].size == b.size && memcmp(p->names[i].bytes, b.data, b.size) == 0)
                        return error_set(e, -EINVAL, "config-duplicate", "a value is given twice");
        (void) memcpy(p->names[p->n_names].bytes, b.data, b.size);
        p->names[p->n_names++].size = b.size;
        return 0;
}

static int parse_pcr_value(const char *word, TpmPcrValue *ret, Error *e) {
        const char *colon = strchr(word, ':');
        char bank[sizeof("sha512")];

        if (!colon || (size_t) (colon - word) >= sizeof(bank))
                return wrong(e, "BANK:HEX");
        (void) snprintf(bank, sizeof(bank), "%.*s", (int) (colon - word), word);
        if (vtpm_hash_from_name(bank, &ret->hash, NULL) < 0)
                return wrong(e, "bank sha256, sha384 or sha512");
        if (!vtpm_hash_is_sound(ret->hash))
                return error_set(e, -EINVAL, "config-value", "bank %s proves nothing: its hash can be made to collide",
                                 bank);
        if (hex_decode_exact(colon + 1, strlen(colon + 1), ret->value, vtpm_hash_size(ret->hash)) < 0)
                return error_set(e, -EINVAL, "config-value", "expected %zu bytes in hex behind '%s:'",
                                 vtpm_hash_size(ret->hash), bank);
        return 0;
}

static int parse_pcr(TpmPolicy *p, unsigned pcr, const char *word, Error *e) {
        TpmPcrValuesWanted *wanted = &p->pcrs[pcr];
        TpmPcrValue value = {};
        int r = parse_pcr_value(word, &value, e);

        if (r < 0)
                return r;
        if (wanted->n == TPM_POLICY_VALUES_MAX)
                return error_set(e, -E2BIG, "config-limit", "more than %u values", TPM_POLICY_VALUES_MAX);
        for (size_t i = 0; i < wanted->n; i++)
                if (wanted->items[i].hash == value.hash && memcmp(wanted->items[i].value, value.value,
                                                                  sizeof(value.value)) == 0)
                        return error_set(e, -EINVAL, "config-duplicate", "a value is given twice");
        wanted->items[wanted->n++] = value;
        return 0;
}

static void print_bool(bool value, Writer *w) {
        wr_str(w, value ? "yes" : "no");
}

static void print_quote(const TpmPolicy *p, unsigned pcr, size_t index, Writer *w) {
        (void) pcr, (void) index;
        print_bool(p->require_quote, w);
}

static void print_bound(const TpmPolicy *p, unsigned pcr, size_t index, Writer *w) {
        (void) pcr, (void) index;
        print_bool(!p->unbound_may_be_there, w);
}

static void print_unbound(const TpmPolicy *p, unsigned pcr, size_t index, Writer *w) {
        (void) pcr, (void) index;
        print_bool(p->unbound_is_proof, w);
}

static void print_secure_boot(const TpmPolicy *p, unsigned pcr, size_t index, Writer *w) {
        (void) pcr, (void) index;
        wr_str(w, rules[p->secure_boot]);
}

static void print_log_pcr(const TpmPolicy *p, unsigned pcr, size_t index, Writer *w) {
        char text[16];

        for (pcr = 0; pcr < VTPM_N_PCRS; pcr++)
                if (p->log_pcrs & UINT32_C(1) << pcr && index-- == 0)
                        break;
        (void) snprintf(text, sizeof(text), "%u", pcr);
        wr_str(w, text);
}

static void print_name(const TpmPolicy *p, unsigned pcr, size_t index, Writer *w) {
        char hex[2 * VTPM_NAME_MAX + 1];

        (void) pcr;
        hex_encode_to(p->names[index].bytes, p->names[index].size, hex);
        wr_str(w, hex);
}

static void print_pcr(const TpmPolicy *p, unsigned pcr, size_t index, Writer *w) {
        const TpmPcrValue *v = &p->pcrs[pcr].items[index];
        char hex[2 * VTPM_DIGEST_MAX + 1];

        hex_encode_to(v->value, vtpm_hash_size(v->hash), hex);
        wr_str(w, vtpm_hash_name(v->hash));
        wr_str(w, ":");
        wr_str(w, hex);
}

static size_t count_names(const TpmPolicy *p, unsigned pcr) {
        (void) pcr;
        return p->n_names;
}

static size_t count_log_pcrs(const TpmPolicy *p, unsigned pcr) {
        (void) pcr;
        return vtpm_pcr_count(p->log_pcrs);
}

static size_t count_pcr(const TpmPolicy *p, unsigned pcr) {
        return p->pcrs[pcr].n;
}

const TpmKey tpm_keys[] = {
        { "RequireQuote", "'yes' or 'no'", "", "a TPM's quote, also when no other key asks for one", parse_quote,
          print_quote, NULL },
        { "RequireBound", "'yes' or 'no'", "",
          "the quote that is asked for must be by a TPM that the report vouches for; an unbound one is the host's word",
          parse_bound, print_bound, NULL },
        { "AllowUnboundAsEvidence", "'yes' or 'no'", "",
          "take the word of a TPM that the host may run; needs RequireBound=no", parse_unbound, print_unbound, NULL },
        { "AkName", "the name of a key in hex, hash and digest; may be repeated", "",
          "which attestation key must sign the quote", parse_name, print_name, count_names },
        { "EventLogPcrs", "numbers from 0 to 23", "0 1 2 3 4 7", "PCRs to whose quoted values the event log must lead",
          parse_log_pcr, print_log_pcr, count_log_pcrs },
        { "SecureBoot", "'allow', 'require' or 'forbid'", "",
          "UEFI Secure Boot, as measured into PCR 7 by an event log that leads there", parse_secure_boot,
          print_secure_boot, NULL },
};
const size_t tpm_n_keys = N_ELEMENTS(tpm_keys);

const TpmKey tpm_pcr_key = { TPM_PCR_KEY, "BANK:HEX, bank sha256, sha384 or sha512; may be repeated", "",
                             "quoted value of that PCR", parse_pcr, print_pcr, count_pcr };

static const TpmKey *find_key(const char *name, unsigned *ret_pcr) {
        *ret_pcr = 0;
        for (size_t i = 0; i < tpm_n_keys; i++)
                if (strcmp(tpm_keys[i].name, name) == 0)
                        return &tpm_keys[i];
        if (text_starts_with(name, TPM_PCR_KEY) && parse_number(name + strlen(TPM_PCR_KEY), ret_pcr) == 0)
                return &tpm_pcr_key;
        return NULL;
}

bool tpm_policy_may_repeat(const IniLine *line) {
        unsigned pcr;
        const TpmKey *key = find_key(line->key, &pcr);

        return key && key->count;
}

static int set_words(TpmPolicy *policy, const TpmKey *key, unsigned pcr, const char *value, Error *e) {
        while (*value) {
                size_t n = strcspn(value, " \t");
                char word[WORD_MAX + 1];
                int r;

                if (n > WORD_MAX)
                        return error_set(e, -E2BIG, "config-limit", "a value is too long");
                (void) snprintf(word, sizeof(word), "%.*s", (int) n, value);
                r = key->parse(policy, pcr, word, e);
                if (r < 0)
                        return r;
                value += n;
                value += strspn(value, " \t");
        }
        return 0;
}

int tpm_policy_set(TpmPolicy *policy, const IniLine *line, Error *e) {
        unsigned pcr;
        const TpmKey *key = find_key(line->key, &pcr);
        int r;

        if (!key)
                return error_set(e, -EINVAL, "config-key", "unknown key %s= in section [%s]", line->key, line->section);
        if (!*line->value)
                return error_set(e, -EINVAL, "config-value", "%s=: a value is missing", line->key);
        r = key->count ? set_words(policy, key, pcr, line->value, e) : key->parse(policy, pcr, line->value, e);
        if (r < 0)
                error_prefix(e, "%s=", line->key);
        return r;
}

bool tpm_policy_asks(const TpmPolicy *policy) {
        bool asks = policy->require_quote || policy->n_names > 0 || policy->log_pcrs != 0 ||
                    policy->secure_boot != TPM_RULE_ALLOW;

        for (unsigned i = 0; i < VTPM_N_PCRS; i++)
                asks = asks || policy->pcrs[i].n > 0;
        return asks;
}

int tpm_policy_check(const TpmPolicy *policy, const char *name, Error *e) {
        if (policy->unbound_is_proof && !policy->unbound_may_be_there)
                return error_set(e, -EINVAL, "config-contradiction",
                                 "%s: AllowUnboundAsEvidence=yes in [" TPM_POLICY_SECTION "] needs RequireBound=no", name);
        return 0;
}
