/* SPDX-License-Identifier: Apache-2.0 */

/* Values of a policy of which there may be several, one for each time that the key is given. */

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "base/hex.h"
#include "base/reader.h"
#include "snp/policy-keys.h"

#define TURIN_CHIP_ID_SIZE 8 /* the other 56 bytes of CHIP_ID are zero there (publication 57230, hwID) */

static int bad(Error *e, const char *what) {
        return error_set(e, -EINVAL, "config-value", "%s", what);
}

static int too_many(Error *e, size_t max) {
        return error_set(e, -E2BIG, "config-limit", "the key is given more than %zu times", max);
}

static int given_twice(Error *e) {
        return error_set(e, -EINVAL, "config-duplicate", "this value is given twice");
}

/* @n bytes, zeros put behind. */
static int add_bytes(const SnpPolicyKey *key, SnpPolicyBytes *list, const uint8_t *data, size_t n, Error *e) {
        uint8_t item[SNP_POLICY_BYTES_MAX] = {};

        (void) memcpy(item, data, n);
        if (key->not_zero && bytes_are_zero(item, sizeof(item)))
                return bad(e, "nothing but zeros: that is what stands there when there is no value");
        for (size_t i = 0; i < list->n; i++)
                if (memcmp(list->items[i], item, sizeof(item)) == 0)
                        return given_twice(e);
        if (list->n == SNP_POLICY_LIST_MAX)
                return too_many(e, SNP_POLICY_LIST_MAX);
        (void) memcpy(list->items[list->n++], item, sizeof(item));
        return 0;
}

static int parse_bytes(const SnpPolicyKey *key, const char *value, void *field, Error *e) {
        AUTO_BLOB Blob b = {};
        int r = hex_decode(value, strlen(value), key->max, &b);

        if (r == -ENOMEM)
                return error_oom(e);
        if (r < 0 || b.size < key->min)
                return error_set(e, -EINVAL, "config-value", "expected %s%zu bytes in hex",
                                 key->min < key->max ? "at most " : "", (size_t) key->max);
        return add_bytes(key, field, b.data, b.size, e);
}

static int parse_chip_id(const SnpPolicyKey *key, const char *value, void *field, Error *e) {
        uint8_t id[SNP_CHIP_ID_SIZE];
        size_t n = strlen(value);

        if ((n != 2 * sizeof(id) && n != 2 * TURIN_CHIP_ID_SIZE) || hex_decode_exact(value, n, id, n / 2) < 0)
                return bad(e, "expected 64 bytes in hex, or 8 for Turin");
        return add_bytes(key, field, id, n / 2, e);
}

static void print_bytes(const SnpPolicyKey *key, const void *field, size_t index, Writer *w) {
        char hex[2 * SNP_POLICY_BYTES_MAX + 1];

        hex_encode_to(((const SnpPolicyBytes *) field)->items[index], key->max, hex);
        wr_str(w, hex);
}

static size_t count_bytes(const void *field) {
        return ((const SnpPolicyBytes *) field)->n;
}

static void say_count(size_t n, Writer *w) {
        wr_str(w, n == 0 ? "any" : n == 1 ? "must be" : "must be one of");
}

static void say_bytes(const SnpPolicyKey *key, const void *field, Writer *w) {
        (void) key;
        say_count(count_bytes(field), w);
}

const SnpPolicyKind snp_policy_bytes = {
        .parse = parse_bytes, .print = print_bytes, .say = say_bytes, .count = count_bytes,
        .syntax = "bytes in hex; repeat the key for several values", .is_list = true
};

const SnpPolicyKind snp_policy_chip_ids = {
        .parse = parse_chip_id, .print = print_bytes, .say = say_bytes, .count = count_bytes,
        .syntax = "64 bytes in hex, or 8 for Turin; repeat the key for several values", .is_list = true
};

static int parse_csp_id(const SnpPolicyKey *key, const char *value, void *field, Error *e) {
        SnpPolicyCspIds *list = field;
        size_t n = strlen(value);

        (void) key;
        for (size_t i = 0; i < n; i++)
                if (!isprint((unsigned char) value[i]))
                        return bad(e, "a provider's name is printable ASCII");
        if (n > SNP_CSP_ID_MAX || strcmp(value, "*") == 0)
                return bad(e, "expected a provider's name of at most 127 characters, or '*' and its end");
        for (size_t i = 0; i < list->n; i++)
                if (strcmp(list->items[i], value) == 0)
                        return given_twice(e);
        if (list->n == SNP_POLICY_CSP_IDS_MAX)
                return too_many(e, SNP_POLICY_CSP_IDS_MAX);
        (void) memcpy(list->items[list->n++], value, n + 1);
        return 0;
}

static void print_csp_id(const SnpPolicyKey *key, const void *field, size_t index, Writer *w) {
        (void) key;
        wr_str(w, ((const SnpPolicyCspIds *) field)->items[index]);
}

static size_t count_csp_ids(const void *field) {
        return ((const SnpPolicyCspIds *) field)->n;
}

static void say_csp_ids(const SnpPolicyKey *key, const void *field, Writer *w) {
        (void) key;
        say_count(count_csp_ids(field), w);
}

const SnpPolicyKind snp_policy_csp_ids = {
        .parse = parse_csp_id, .print = print_csp_id, .say = say_csp_ids, .count = count_csp_ids,
        .syntax = "all of the name, or '*' and its end; repeat the key for several values", .is_list = true
};
