/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "base/base64.h"
#include "base/hex.h"
#include "base/json.h"
#include "vtpm/policy-signed.h"
#include "vtpm/public.h"

#define HEX_MAX 64u
#define BASE64_MAX ((VTPM_RSA_SIZE_MAX + 2u) / 3u * 4u)

static const uint16_t banks[] = { VTPM_ALG_SHA1, VTPM_ALG_SHA256, VTPM_ALG_SHA384, VTPM_ALG_SHA512 };

static int bad_member(const char *name, Error *e) {
        return error_set(e, -EBADMSG, "policy-signatures", "Signed PCR policies: '%s' is not what it must be", name);
}

static int read_pcrs(json_object *item, uint32_t *ret, Error *e) {
        json_object *list;
        uint32_t mask = 0;
        int r;

        r = json_get_array(item, "pcrs", VTPM_N_PCRS, &list, e);
        if (r < 0)
                return r;
        for (size_t i = 0; i < json_object_array_length(list); i++) {
                json_object *number = json_object_array_get_idx(list, i);
                int64_t pcr = json_object_is_type(number, json_type_int) ? json_object_get_int64(number) : -1;

                if (pcr < 0 || pcr >= VTPM_N_PCRS || mask >> pcr & 1)
                        return bad_member("pcrs", e);
                mask |= 1u << pcr;
        }
        if (mask == 0)
                return bad_member("pcrs", e);
        *ret = mask;
        return 0;
}

static int read_hex(json_object *item, const char *name, uint8_t ret[static 32], Error *e) {
        const char *text;
        int r = json_get_str(item, name, HEX_MAX, &text, e);

        if (r < 0)
                return r;
        return hex_decode_exact(text, strlen(text), ret, 32) < 0 ? bad_member(name, e) : 0;
}

static int read_item(json_object *item, uint16_t bank, VtpmPolicySignature *ret, Error *e) {
        AUTO_VTPM_POLICY_SIGNATURE VtpmPolicySignature s = { .bank = bank };
        const char *text;
        int r;

        if (!json_object_is_type(item, json_type_object))
                return bad_member(vtpm_hash_name(bank), e);
        r = read_pcrs(item, &s.mask, e);
        if (r == 0)
                r = read_hex(item, "pkfp", s.key, e);
        if (r == 0)
                r = read_hex(item, "pol", s.policy, e);
        if (r == 0)
                r = json_get_str(item, "sig", BASE64_MAX, &text, e);
        if (r < 0)
                return r;
        r = base64_decode(BASE64_STD, text, strlen(text), VTPM_RSA_SIZE_MAX, &s.signature);
        if (r == -ENOMEM)
                return error_oom(e);
        if (r < 0 || s.signature.size == 0)
                return bad_member("sig", e);
        *ret = s;
        s = (VtpmPolicySignature){};
        return 0;
}

static int read_bank(json_object *root, uint16_t bank, VtpmPolicySignatures *to, Error *e) {
        json_object *list;
        int r;

        if (!json_object_object_get_ex(root, vtpm_hash_name(bank), NULL))
                return 0;
        r = json_get_array(root, vtpm_hash_name(bank), VTPM_POLICY_SIGNATURES_MAX, &list, e);
        if (r < 0)
                return r;
        for (size_t i = 0; i < json_object_array_length(list); i++) {
                if (to->n == VTPM_POLICY_SIGNATURES_MAX)
                        return error_set(e, -E2BIG, "policy-signatures", "More than %u signed PCR policies",
                                         VTPM_POLICY_SIGNATURES_MAX);
                r = read_item(json_object_array_get_idx(list, i), bank, &to->items[to->n], e);
                if (r < 0)
                        return r;
                to->n++;
        }
        return 0;
}

int vtpm_policy_signatures_parse(const char *text, size_t len, VtpmPolicySignatures *ret, Error *e) {
        AUTO_VTPM_POLICY_SIGNATURES VtpmPolicySignatures s = {};
        AUTO_JSON json_object *root = NULL;
        int r;

        if (len > VTPM_POLICY_SIGNATURES_TEXT_MAX)
                return error_set(e, -E2BIG, "policy-signatures", "Signed PCR policies of %zu bytes exceed %u", len,
                                 VTPM_POLICY_SIGNATURES_TEXT_MAX);
        r = json_parse(text, len, "Signed PCR policies", &root, e);
        if (r < 0)
                return r;
        if (!json_object_is_type(root, json_type_object))
                return error_set(e, -EBADMSG, "policy-signatures", "Signed PCR policies are not a JSON object");
        for (size_t i = 0; i < N_ELEMENTS(banks); i++) {
                r = read_bank(root, banks[i], &s, e);
                if (r < 0)
                        return r;
        }
        *ret = s;
        s.n = 0;
        return 0;
}

static int add_item(json_object *list, const VtpmPolicySignature *s) {
        AUTO_FREE char *sig = base64_encode(BASE64_STD, s->signature.data, s->signature.size);
        json_object *item = json_object_new_object(), *pcrs = json_object_new_array();
        int bad = sig ? 0 : -ENOMEM;

        for (unsigned i = 0; pcrs && i < VTPM_N_PCRS; i++)
                if (s->mask >> i & 1) {
                        json_object *number = json_object_new_int((int) i);

                        if (!number || json_object_array_add(pcrs, number) < 0)
                                bad = -ENOMEM;
                }
        bad |= json_add_take(item, "pcrs", pcrs);
        bad |= json_add_hex(item, "pkfp", s->key, sizeof(s->key));
        bad |= json_add_hex(item, "pol", s->policy, sizeof(s->policy));
        bad |= json_add_str(item, "sig", sig ? sig : "");
        if (bad == 0 && json_object_array_add(list, item) == 0)
                return 0;
        (void) json_object_put(item);
        return -ENOMEM;
}

int vtpm_policy_signatures_encode(const VtpmPolicySignatures *s, char **ret) {
        AUTO_JSON json_object *root = json_object_new_object();
        const char *text;
        int bad = root ? 0 : -ENOMEM;

        for (size_t b = 0; bad == 0 && b < N_ELEMENTS(banks); b++) {
                json_object *list = NULL;

                for (size_t i = 0; bad == 0 && i < s->n; i++) {
                        if (s->items[i].bank != banks[b])
                                continue;
                        if (!list) {
                                list = json_object_new_array();
                                bad = json_add_take(root, vtpm_hash_name(banks[b]), list);
                        }
                        if (bad == 0)
                                bad = add_item(list, &s->items[i]);
                }
        }
        text = bad == 0 ? json_object_to_json_string_ext(root, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE)
                        : NULL;
        *ret = text ? strdup(text) : NULL;
        return *ret ? 0 : -ENOMEM;
}
