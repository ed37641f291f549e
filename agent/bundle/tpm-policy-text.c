/* SPDX-License-Identifier: Apache-2.0 */

/* Section [TPM] as a file and in words, looking as the sections do that snp/policy-text.c writes. */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agent/bundle/tpm-policy-keys.h"
#include "base/json.h"

#define TEXT_MAX 1024u
#define NAME_SIZE 32
#define KEY_COLUMN 24
#define MEANING_COLUMN 32

static size_t count_of(const TpmPolicy *p, const TpmKey *key, unsigned pcr) {
        return key->count ? key->count(p, pcr) : 1;
}

static void name_of(const TpmKey *key, unsigned pcr, char ret[static NAME_SIZE]) {
        if (key == &tpm_pcr_key)
                (void) snprintf(ret, NAME_SIZE, "%s%u", key->name, pcr);
        else
                (void) snprintf(ret, NAME_SIZE, "%s", key->name);
}

static void write_head(const TpmKey *key, Writer *w) {
        wr_str(w, "\n# ");
        wr_str(w, key->about);
        wr_str(w, "\n# Value: ");
        wr_str(w, key->syntax);
        wr_str(w, "\n");
}

static void write_example(const TpmKey *key, unsigned pcr, Writer *w) {
        char name[NAME_SIZE];

        name_of(key, pcr, name);
        wr_str(w, "#");
        wr_str(w, name);
        wr_str(w, "=");
        wr_str(w, key->example);
        wr_str(w, "\n");
}

static void write_values(const TpmPolicy *p, const TpmKey *key, unsigned pcr, Writer *w) {
        char name[NAME_SIZE];

        name_of(key, pcr, name);
        for (size_t i = 0; i < count_of(p, key, pcr); i++) {
                wr_str(w, name);
                wr_str(w, "=");
                key->print(p, pcr, i, w);
                wr_str(w, "\n");
        }
}

void tpm_policy_write(const TpmPolicy *policy, Writer *w) {
        wr_str(w, "\n[" TPM_POLICY_SECTION "]\n");
        for (size_t i = 0; i < tpm_n_keys; i++) {
                write_head(&tpm_keys[i], w);
                if (count_of(policy, &tpm_keys[i], 0) == 0)
                        write_example(&tpm_keys[i], 0, w);
                write_values(policy, &tpm_keys[i], 0, w);
        }
        write_head(&tpm_pcr_key, w);
        if (policy->pcrs[7].n == 0)
                write_example(&tpm_pcr_key, 7, w);
        for (unsigned pcr = 0; pcr < VTPM_N_PCRS; pcr++)
                write_values(policy, &tpm_pcr_key, pcr, w);
}

/* In words */

static int values_of(const TpmPolicy *p, const TpmKey *key, unsigned pcr, json_object **ret) {
        AUTO_JSON json_object *array = json_object_new_array();

        for (size_t i = 0; i < count_of(p, key, pcr) && array; i++) {
                AUTO_WRITER Writer w = wr_init(TEXT_MAX);
                AUTO_JSON json_object *value = NULL;
                AUTO_FREE char *text = NULL;

                key->print(p, pcr, i, &w);
                if (wr_finish_str(&w, &text) == 0)
                        value = json_object_new_string(text);
                if (!value || json_object_array_add(array, value) < 0)
                        return -ENOMEM;
                value = NULL; /* the array's */
        }
        *ret = TAKE_PTR(array);
        return *ret ? 0 : -ENOMEM;
}

/* Of a list how many there are, else the value itself. */
static void meaning_of(const TpmKey *key, json_object *values, char *ret, size_t size) {
        size_t n = json_object_array_length(values);

        if (key->count && n == 0)
                (void) snprintf(ret, size, "any");
        else if (key->count && n > 1)
                (void) snprintf(ret, size, "%zu values", n);
        else if (key->count)
                (void) snprintf(ret, size, "one value");
        else
                (void) snprintf(ret, size, "%s", json_object_get_string(json_object_array_get_idx(values, 0)));
}

static int add_key(const TpmPolicy *policy, const TpmKey *key, unsigned pcr, json_object *array) {
        static const TpmPolicy defaults = {};
        AUTO_JSON json_object *o = json_object_new_object(), *values = NULL, *others = NULL;
        char name[NAME_SIZE], meaning[NAME_SIZE];
        int r = values_of(policy, key, pcr, &values);

        if (r == 0)
                r = values_of(&defaults, key, pcr, &others);
        if (r < 0)
                return r;
        name_of(key, pcr, name);
        meaning_of(key, values, meaning, sizeof(meaning));
        if (json_add_str(o, "section", TPM_POLICY_SECTION) < 0 || json_add_str(o, "key", name) < 0 ||
            json_add_bool(o, "default", json_object_equal(values, others)) < 0 ||
            json_add_take(o, "values", TAKE_PTR(values)) < 0 || json_add_str(o, "about", key->about) < 0 ||
            json_add_str(o, "meaning", meaning) < 0 || json_object_array_add(array, o) < 0)
                return -ENOMEM;
        o = NULL; /* the array's */
        return 0;
}

/* Of the PCRs those that have a value, or one that stands for all. */
int tpm_policy_explain_json(const TpmPolicy *policy, json_object *array) {
        bool any = false;
        int r = 0;

        for (size_t i = 0; i < tpm_n_keys && r == 0; i++)
                r = add_key(policy, &tpm_keys[i], 0, array);
        for (unsigned pcr = 0; pcr < VTPM_N_PCRS && r == 0; pcr++)
                if (policy->pcrs[pcr].n > 0) {
                        r = add_key(policy, &tpm_pcr_key, pcr, array);
                        any = true;
                }
        return r == 0 && !any ? add_key(policy, &tpm_pcr_key, 7, array) : r;
}

static const char *member(json_object *o, const char *name) {
        return json_object_get_string(json_object_object_get(o, name));
}

static void explain_key(json_object *o, Writer *w) {
        bool is_default = json_object_get_boolean(json_object_object_get(o, "default"));
        json_object *values = json_object_object_get(o, "values");
        char meaning[64], line[320];

        (void) snprintf(meaning, sizeof(meaning), "%s%s", member(o, "meaning"), is_default ? " (default)" : "");
        (void) snprintf(line, sizeof(line), "  %-*s%-*s %s\n", KEY_COLUMN, member(o, "key"), MEANING_COLUMN - 1,
                        meaning, member(o, "about"));
        wr_str(w, line);
        for (size_t i = 0; i < json_object_array_length(values); i++) {
                const char *value = json_object_get_string(json_object_array_get_idx(values, i));

                if (strcmp(member(o, "meaning"), value) == 0)
                        continue; /* told already */
                (void) snprintf(line, sizeof(line), "%*s%s\n", KEY_COLUMN + 2, "", value);
                wr_str(w, line);
        }
}

int tpm_policy_explain(const TpmPolicy *policy, Writer *w) {
        AUTO_JSON json_object *array = json_object_new_array();
        int r = array ? tpm_policy_explain_json(policy, array) : -ENOMEM;

        if (r < 0)
                return r;
        wr_str(w, "\n[" TPM_POLICY_SECTION "]\n");
        for (size_t i = 0; i < json_object_array_length(array); i++)
                explain_key(json_object_array_get_idx(array, i), w);
        return 0;
}
