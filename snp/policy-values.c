/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Values of a policy that are one number, one rule or one set: from text, back to text, and in words. A parser judges
 * the whole value before it touches the field. Sentences say what is allowed; the caller puts file, line and key in
 * front.
 */

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "snp/policy-keys.h"

/* The longest set of names, "Milan Genoa Turin", and a word of a TCB, "boot_loader=255", fit with ease. */
#define VALUE_MAX 160

static int bad(Error *e, const char *what) {
        return error_set(e, -EINVAL, "config-value", "%s", what);
}

static void put(Writer *w, const char *fmt, ...) __attribute__((__format__(__printf__, 2, 3)));

static void put(Writer *w, const char *fmt, ...) {
        char text[64];
        va_list ap;

        va_start(ap, fmt);
        (void) vsnprintf(text, sizeof(text), fmt, ap);
        va_end(ap);
        wr_str(w, text);
}

/* Takes the next word of *@rest off; NULL at the end. */
static char *next_word(char **rest) {
        char *word;

        while ((word = strsep(rest, " \t")))
                if (*word)
                        return word;
        return NULL;
}

/* Rules about one bit */

static const char *const rules[] = {
        [SNP_RULE_FORBID] = "forbid", [SNP_RULE_ALLOW] = "allow", [SNP_RULE_REQUIRE] = "require"
};

static int parse_rule(const SnpPolicyKey *key, const char *value, void *field, Error *e) {
        (void) key;
        for (size_t i = 0; i < N_ELEMENTS(rules); i++)
                if (strcmp(rules[i], value) == 0) {
                        *(SnpPolicyRule *) field = (SnpPolicyRule) i;
                        return 0;
                }
        return bad(e, "expected 'forbid', 'allow' or 'require'");
}

static void print_rule(const SnpPolicyKey *key, const void *field, size_t index, Writer *w) {
        (void) key;
        (void) index;
        wr_str(w, rules[*(const SnpPolicyRule *) field]);
}

static void say_rule(const SnpPolicyKey *key, const void *field, Writer *w) {
        static const char *const words[] = {
                [SNP_RULE_FORBID] = "must be clear",
                [SNP_RULE_ALLOW] = "may be set or clear",
                [SNP_RULE_REQUIRE] = "must be set",
        };

        (void) key;
        wr_str(w, words[*(const SnpPolicyRule *) field]);
}

const SnpPolicyKind snp_policy_rule = {
        .parse = parse_rule, .print = print_rule, .say = say_rule, .syntax = "forbid, allow or require"
};

static int parse_switch(const SnpPolicyKey *key, const char *value, void *field, Error *e) {
        if (strcmp(value, rules[SNP_RULE_REQUIRE]) == 0)
                return bad(e, "expected 'forbid' or 'allow'");
        return parse_rule(key, value, field, e);
}

static void say_switch(const SnpPolicyKey *key, const void *field, Writer *w) {
        (void) key;
        wr_str(w, *(const SnpPolicyRule *) field == SNP_RULE_FORBID ? "refused" : "accepted");
}

const SnpPolicyKind snp_policy_switch = {
        .parse = parse_switch, .print = print_rule, .say = say_switch, .syntax = "forbid or allow"
};

static int parse_yes_no(const SnpPolicyKey *key, const char *value, void *field, Error *e) {
        (void) key;
        return text_to_bool(value, field) < 0 ? bad(e, "expected 'yes' or 'no'") : 0;
}

static void print_yes_no(const SnpPolicyKey *key, const void *field, size_t index, Writer *w) {
        (void) key;
        (void) index;
        wr_str(w, *(const bool *) field ? "yes" : "no");
}

static void say_yes_no(const SnpPolicyKey *key, const void *field, Writer *w) {
        (void) key;
        wr_str(w, *(const bool *) field ? "required" : "not required");
}

const SnpPolicyKind snp_policy_yes_no = {
        .parse = parse_yes_no, .print = print_yes_no, .say = say_yes_no, .syntax = "yes or no"
};

/* Minimums */

static int parse_least(const SnpPolicyKey *key, const char *value, void *field, Error *e) {
        uint64_t n;

        if (text_to_u64(value, 10, key->min, key->max, &n) < 0)
                return error_set(e, -EINVAL, "config-value", "expected a number from %" PRIu64 " to %" PRIu64, key->min,
                                 key->max);
        *(uint32_t *) field = (uint32_t) n;
        return 0;
}

static void print_least(const SnpPolicyKey *key, const void *field, size_t index, Writer *w) {
        (void) key;
        (void) index;
        put(w, "%" PRIu32, *(const uint32_t *) field);
}

static void say_least(const SnpPolicyKey *key, const void *field, Writer *w) {
        uint32_t n = *(const uint32_t *) field;

        (void) key;
        if (n == 0)
                wr_str(w, "any");
        else
                put(w, "at least %" PRIu32, n);
}

const SnpPolicyKind snp_policy_least = {
        .parse = parse_least, .print = print_least, .say = say_least, .syntax = "a number"
};

/* How many numbers there are between the dots of @text, at most @max; 0 when one of them is none. */
static size_t split_version(char *text, size_t max, uint64_t parts[static 3]) {
        size_t n = 0;

        for (const char *part = strsep(&text, "."); part; part = strsep(&text, ".")) {
                if (n == max || text_to_u64(part, 10, 0, UINT8_MAX, &parts[n]) < 0)
                        return 0;
                n++;
        }
        return n;
}

/* "MAJOR.MINOR", and with key->max 3 also "MAJOR.MINOR.BUILD" */
static int parse_version(const SnpPolicyKey *key, const char *value, void *field, Error *e) {
        char copy[sizeof("255.255.255")] = "";
        uint64_t parts[3] = {};

        if (strlen(value) < sizeof(copy))
                (void) strcpy(copy, value);
        if (split_version(copy, key->max, parts) < 2)
                return bad(e, key->max == 3 ? "expected MAJOR.MINOR or MAJOR.MINOR.BUILD" : "expected MAJOR.MINOR");
        *(SnpFirmwareVersion *) field = (SnpFirmwareVersion){
                .major = (uint8_t) parts[0], .minor = (uint8_t) parts[1], .build = (uint8_t) parts[2]
        };
        return 0;
}

static void print_version(const SnpPolicyKey *key, const void *field, size_t index, Writer *w) {
        const SnpFirmwareVersion *v = field;

        (void) index;
        put(w, "%u.%u", v->major, v->minor);
        if (key->max == 3)
                put(w, ".%u", v->build);
}

static void say_version(const SnpPolicyKey *key, const void *field, Writer *w) {
        const SnpFirmwareVersion *v = field;

        if (v->major == 0 && v->minor == 0 && v->build == 0) {
                wr_str(w, "any");
                return;
        }
        wr_str(w, "at least ");
        print_version(key, field, 0, w);
}

const SnpPolicyKind snp_policy_version = {
        .parse = parse_version, .print = print_version, .say = say_version, .syntax = "numbers with dots"
};

/* Sets of names */

static const SnpPolicyName *name_find(const SnpPolicyName *names, const char *name) {
        for (; names->name; names++)
                if (strcmp(names->name, name) == 0)
                        return names;
        return NULL;
}

static int parse_set(const SnpPolicyKey *key, const char *value, void *field, Error *e) {
        char copy[VALUE_MAX], *rest = copy;
        uint32_t set = 0;

        if (strlen(value) >= sizeof(copy))
                return bad(e, "the value is too long");
        (void) strcpy(copy, value);
        for (const char *word = next_word(&rest); word; word = next_word(&rest)) {
                const SnpPolicyName *name = name_find(key->names, word);

                if (!name)
                        return error_set(e, -EINVAL, "config-value", "'%.40s' is none of: %s", word,
                                         key->example);
                if (set & name->bit)
                        return error_set(e, -EINVAL, "config-duplicate", "'%s' is given twice", word);
                set |= name->bit;
        }
        *(uint32_t *) field = set; /* not empty: no value is */
        return 0;
}

static void put_set(const SnpPolicyKey *key, uint32_t set, const char *separator, Writer *w) {
        const char *before = "";

        for (const SnpPolicyName *n = key->names; n->name; n++)
                if (set & n->bit) {
                        wr_str(w, before);
                        wr_str(w, n->name);
                        before = separator;
                }
}

static void print_set(const SnpPolicyKey *key, const void *field, size_t index, Writer *w) {
        (void) index;
        put_set(key, *(const uint32_t *) field, " ", w);
}

static void say_set(const SnpPolicyKey *key, const void *field, Writer *w) {
        put_set(key, *(const uint32_t *) field, " or ", w);
}

const SnpPolicyKind snp_policy_set = {
        .parse = parse_set, .print = print_set, .say = say_set, .syntax = "one or several of"
};

/* Masks */

static int parse_hex_number(const char *value, uint64_t *ret) {
        return text_starts_with(value, "0x") ? text_to_u64(value, 0, 0, UINT64_MAX, ret) : -EINVAL;
}

static int parse_mask(const SnpPolicyKey *key, const char *value, void *field, Error *e) {
        (void) key;
        return parse_hex_number(value, field) < 0 ? bad(e, "expected a mask of at most 64 bits, like 0xb") : 0;
}

static void print_mask(const SnpPolicyKey *key, const void *field, size_t index, Writer *w) {
        (void) key;
        (void) index;
        put(w, "0x%" PRIx64, *(const uint64_t *) field);
}

static void say_mask(const SnpPolicyKey *key, const void *field, Writer *w) {
        (void) key;
        if (*(const uint64_t *) field == 0)
                wr_str(w, "any");
        else
                put(w, "all of 0x%" PRIx64 " must be set", *(const uint64_t *) field);
}

const SnpPolicyKind snp_policy_mask = {
        .parse = parse_mask, .print = print_mask, .say = say_mask, .syntax = "a mask in hex"
};

#define ALL_UNNAMED (~SNP_POLICY_NAMED_PLATFORM_BITS)

static int parse_unnamed(const SnpPolicyKey *key, const char *value, void *field, Error *e) {
        uint64_t mask = 0;

        (void) key;
        if (strcmp(value, rules[SNP_RULE_ALLOW]) == 0)
                mask = ALL_UNNAMED;
        else if (strcmp(value, rules[SNP_RULE_FORBID]) != 0 && parse_hex_number(value, &mask) < 0)
                return bad(e, "expected 'forbid', 'allow' or the mask of those allowed, like 0x40");
        if (mask & ~ALL_UNNAMED)
                return bad(e, "the mask has a bit that has a key of its own");
        *(uint64_t *) field = mask;
        return 0;
}

static void print_unnamed(const SnpPolicyKey *key, const void *field, size_t index, Writer *w) {
        uint64_t mask = *(const uint64_t *) field;

        if (mask == 0 || mask == ALL_UNNAMED)
                wr_str(w, rules[mask == 0 ? SNP_RULE_FORBID : SNP_RULE_ALLOW]);
        else
                print_mask(key, field, index, w);
}

static void say_unnamed(const SnpPolicyKey *key, const void *field, Writer *w) {
        uint64_t mask = *(const uint64_t *) field;

        (void) key;
        if (mask == 0)
                wr_str(w, "must be clear");
        else if (mask == ALL_UNNAMED)
                wr_str(w, "may be set or clear");
        else
                put(w, "none but 0x%" PRIx64 " may be set", mask);
}

const SnpPolicyKind snp_policy_unnamed = {
        .parse = parse_unnamed, .print = print_unnamed, .say = say_unnamed, .syntax = "forbid, allow, or a mask in hex"
};

/* TCBs */

static const struct {
        const char *name;
        size_t offset;
} tcb_parts[] = {
        { "fmc", offsetof(SnpTcb, fmc) }, /* Turin's layout only */
        { "boot_loader", offsetof(SnpTcb, boot_loader) },
        { "tee", offsetof(SnpTcb, tee) },
        { "snp", offsetof(SnpTcb, snp) },
        { "microcode", offsetof(SnpTcb, microcode) },
};

static bool layout_has(SnpTcbLayout layout, size_t part) {
        return part > 0 || layout == SNP_TCB_LAYOUT_TURIN;
}

/* "NAME=NUMBER"; @seen has a bit for each part that was given. */
static int parse_tcb_part(SnpTcbLayout layout, const char *word, SnpTcb *tcb, unsigned *seen) {
        size_t n = strcspn(word, "=");
        uint64_t value;

        for (size_t i = 0; i < N_ELEMENTS(tcb_parts); i++) {
                if (!layout_has(layout, i) || strlen(tcb_parts[i].name) != n ||
                    strncmp(tcb_parts[i].name, word, n) != 0)
                        continue;
                if (!word[n] || *seen & 1u << i || text_to_u64(word + n + 1, 10, 0, UINT8_MAX, &value) < 0)
                        return -EINVAL;
                *seen |= 1u << i;
                ((uint8_t *) tcb)[tcb_parts[i].offset] = (uint8_t) value;
                return 0;
        }
        return -EINVAL;
}

static int parse_tcb(const SnpPolicyKey *key, const char *value, void *field, Error *e) {
        SnpTcbLayout layout = (SnpTcbLayout) key->max;
        char copy[VALUE_MAX] = "", *rest = copy;
        unsigned seen = 0;
        SnpTcb tcb = {};
        int r = strlen(value) < sizeof(copy) ? 0 : -EINVAL;

        if (r == 0)
                (void) strcpy(copy, value);
        for (const char *word = next_word(&rest); word && r == 0; word = next_word(&rest))
                r = parse_tcb_part(layout, word, &tcb, &seen);
        if (r < 0)
                return error_set(e, r, "config-value", "expected parts of 0 to 255, each once at most: %s",
                                 key->example);
        *(SnpPolicyTcb *) field = (SnpPolicyTcb){ .given = true, .least = tcb };
        return 0;
}

void snp_policy_print_tcb(SnpTcbLayout layout, const SnpTcb *tcb, Writer *w) {
        for (size_t i = 0; i < N_ELEMENTS(tcb_parts); i++) {
                if (!layout_has(layout, i))
                        continue;
                if (i > 0 && layout_has(layout, i - 1))
                        wr_str(w, " ");
                wr_str(w, tcb_parts[i].name);
                put(w, "=%u", ((const uint8_t *) tcb)[tcb_parts[i].offset]);
        }
}

static void print_tcb(const SnpPolicyKey *key, const void *field, size_t index, Writer *w) {
        (void) index;
        snp_policy_print_tcb((SnpTcbLayout) key->max, &((const SnpPolicyTcb *) field)->least, w);
}

static void say_tcb(const SnpPolicyKey *key, const void *field, Writer *w) {
        (void) key;
        wr_str(w, ((const SnpPolicyTcb *) field)->given ? "each part at least" : "any");
}

static size_t count_tcb(const void *field) {
        return ((const SnpPolicyTcb *) field)->given;
}

const SnpPolicyKind snp_policy_tcb = {
        .parse = parse_tcb, .print = print_tcb, .say = say_tcb, .count = count_tcb, .syntax = "parts, the rest being 0"
};
