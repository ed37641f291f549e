/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A policy as a file, and a policy in words. The words are laid out from the JSON object, so that the two cannot
 * disagree.
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "snp/policy-keys.h"

#define TEXT_MAX (1u << 20) /* some 100 KiB at most; a Writer wants a limit */
#define KEY_COLUMN 24       /* beyond the longest name of a key */
#define MEANING_COLUMN 32   /* beyond most meanings */

static void write_key(const SnpPolicy *policy, const SnpPolicyKey *key, Writer *w) {
        size_t n = snp_policy_key_count(policy, key);

        wr_str(w, "\n# ");
        wr_str(w, key->about);
        wr_str(w, "\n# Value: ");
        wr_str(w, key->kind->syntax);
        if (key->names) {
                wr_str(w, " ");
                wr_str(w, key->example);
        }
        wr_str(w, "\n");
        if (n == 0) {
                wr_str(w, "#");
                wr_str(w, key->name);
                wr_str(w, "=");
                wr_str(w, key->example ? key->example : "");
                wr_str(w, "\n");
        }
        for (size_t i = 0; i < n; i++) {
                wr_str(w, key->name);
                wr_str(w, "=");
                key->kind->print(key, snp_policy_field(policy, key), i, w);
                wr_str(w, "\n");
        }
}

int snp_policy_to_text(const SnpPolicy *policy, char **ret) {
        AUTO_WRITER Writer w = wr_init(TEXT_MAX);
        const char *section = "";

        for (size_t i = 0; i < snp_n_policy_keys; i++) {
                const SnpPolicyKey *key = &snp_policy_keys[i];

                if (strcmp(section, key->section) != 0) {
                        section = key->section;
                        wr_str(&w, i > 0 ? "\n[" : "[");
                        wr_str(&w, section);
                        wr_str(&w, "]\n");
                }
                write_key(policy, key, &w);
        }
        return wr_finish_str(&w, ret);
}

static int value_to_json(const SnpPolicy *policy, const SnpPolicyKey *key, size_t index, json_object **ret) {
        AUTO_WRITER Writer w = wr_init(TEXT_MAX);
        AUTO_FREE char *text = NULL;
        int r;

        key->kind->print(key, snp_policy_field(policy, key), index, &w);
        r = wr_finish_str(&w, &text);
        if (r < 0)
                return r;
        *ret = json_object_new_string(text);
        return *ret ? 0 : -ENOMEM;
}

static int values_to_json(const SnpPolicy *policy, const SnpPolicyKey *key, json_object **ret) {
        AUTO_JSON json_object *array = json_object_new_array();
        size_t n = snp_policy_key_count(policy, key);

        if (!array)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++) {
                AUTO_JSON json_object *value = NULL;
                int r = value_to_json(policy, key, i, &value);

                if (r < 0)
                        return r;
                if (json_object_array_add(array, value) < 0)
                        return -ENOMEM;
                value = NULL; /* the array's */
        }
        *ret = TAKE_PTR(array);
        return 0;
}

static int meaning_of(const SnpPolicy *policy, const SnpPolicyKey *key, char **ret) {
        AUTO_WRITER Writer w = wr_init(TEXT_MAX);

        key->kind->say(key, snp_policy_field(policy, key), &w);
        return wr_finish_str(&w, ret);
}

static int key_to_json(const SnpPolicy *policy, const SnpPolicy *defaults, const SnpPolicyKey *key,
                       json_object **ret) {
        AUTO_JSON json_object *o = json_object_new_object(), *values = NULL, *others = NULL;
        AUTO_FREE char *meaning = NULL;
        int r = values_to_json(policy, key, &values);

        if (r == 0)
                r = values_to_json(defaults, key, &others);
        if (r == 0)
                r = meaning_of(policy, key, &meaning);
        if (r == 0)
                r = json_add_str(o, "section", key->section);
        if (r == 0)
                r = json_add_str(o, "key", key->name);
        if (r == 0)
                r = json_add_bool(o, "default", json_object_equal(values, others));
        if (r == 0)
                r = json_add_take(o, "values", TAKE_PTR(values));
        if (r == 0)
                r = json_add_str(o, "about", key->about);
        if (r == 0)
                r = json_add_str(o, "meaning", meaning);
        if (r == 0)
                *ret = TAKE_PTR(o);
        return r;
}

int snp_policy_explain_json(const SnpPolicy *policy, json_object **ret) {
        CLEANUP(snp_policy_freep) SnpPolicy *defaults = NULL;
        AUTO_JSON json_object *array = json_object_new_array();
        int r = array ? snp_policy_new(&defaults, NULL) : -ENOMEM;

        for (size_t i = 0; i < snp_n_policy_keys && r == 0; i++) {
                AUTO_JSON json_object *o = NULL;

                r = key_to_json(policy, defaults, &snp_policy_keys[i], &o);
                if (r == 0)
                        r = json_object_array_add(array, o) < 0 ? -ENOMEM : 0;
                if (r == 0)
                        o = NULL; /* the array's */
        }
        if (r == 0)
                *ret = TAKE_PTR(array);
        return r;
}

static const char *member(json_object *o, const char *name) {
        return json_object_get_string(json_object_object_get(o, name));
}

/* Values that the meaning does not hold already. */
static void write_values(const SnpPolicyKey *key, json_object *values, Writer *w) {
        if (!key->kind->count)
                return;
        for (size_t i = 0; i < json_object_array_length(values); i++) {
                char indent[KEY_COLUMN + 4];

                (void) snprintf(indent, sizeof(indent), "\n%*s", KEY_COLUMN + 2, "");
                wr_str(w, indent);
                wr_str(w, json_object_get_string(json_object_array_get_idx(values, i)));
        }
}

int snp_policy_explain(const SnpPolicy *policy, char **ret) {
        AUTO_WRITER Writer w = wr_init(TEXT_MAX);
        AUTO_JSON json_object *array = NULL;
        const char *section = "";
        int r = snp_policy_explain_json(policy, &array);

        if (r < 0)
                return r;
        for (size_t i = 0; i < snp_n_policy_keys; i++) {
                const SnpPolicyKey *key = &snp_policy_keys[i];
                json_object *o = json_object_array_get_idx(array, i);
                bool is_default = json_object_get_boolean(json_object_object_get(o, "default"));
                char meaning[128], line[256];

                if (strcmp(section, key->section) != 0) {
                        section = key->section;
                        wr_str(&w, i > 0 ? "\n[" : "[");
                        wr_str(&w, section);
                        wr_str(&w, "]\n");
                }
                (void) snprintf(meaning, sizeof(meaning), "%s%s", member(o, "meaning"), is_default ? " (default)" : "");
                (void) snprintf(line, sizeof(line), "  %-*s%-*s %s", KEY_COLUMN, key->name, MEANING_COLUMN - 1,
                                meaning, key->about);
                wr_str(&w, line);
                write_values(key, json_object_object_get(o, "values"), &w);
                wr_str(&w, "\n");
        }
        return wr_finish_str(&w, ret);
}
