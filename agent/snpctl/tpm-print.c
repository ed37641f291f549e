/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/snpctl/tpm-print.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/hex.h"
#include "base/json.h"
#include "vtpm/public.h"

void tpm_print_pcrs(const VtpmPcrValues *pcrs, size_t n, CtlOutput *out) {
        char hex[2 * VTPM_DIGEST_MAX + 1];

        for (size_t k = 0; k < n; k++) {
                ctl_printf(out, "%s\n", vtpm_hash_name(pcrs[k].hash));
                for (unsigned i = 0; i < VTPM_N_PCRS; i++) {
                        if (!(pcrs[k].mask >> i & 1))
                                continue;
                        hex_encode_to(pcrs[k].values[i], vtpm_hash_size(pcrs[k].hash), hex);
                        ctl_printf(out, "%5u %s\n", i, hex);
                }
        }
}

static int bank_to_json(const VtpmPcrValues *pcrs, json_object **ret) {
        AUTO_JSON json_object *o = json_object_new_object();

        for (unsigned i = 0; i < VTPM_N_PCRS; i++) {
                char name[8];

                (void) snprintf(name, sizeof(name), "%u", i);
                if (pcrs->mask >> i & 1 && json_add_hex(o, name, pcrs->values[i], vtpm_hash_size(pcrs->hash)) < 0)
                        return -ENOMEM;
        }
        *ret = TAKE_PTR(o);
        return *ret ? 0 : -ENOMEM;
}

int tpm_pcrs_to_json(const VtpmPcrValues *pcrs, size_t n, json_object **ret) {
        AUTO_JSON json_object *o = json_object_new_object();

        for (size_t i = 0; i < n; i++) {
                json_object *bank = NULL;

                if (bank_to_json(&pcrs[i], &bank) < 0 || json_add_take(o, vtpm_hash_name(pcrs[i].hash), bank) < 0)
                        return -ENOMEM;
        }
        *ret = TAKE_PTR(o);
        return *ret ? 0 : -ENOMEM;
}

void tpm_print_clock(const VtpmClock *clock, CtlOutput *out) {
        ctl_printf(out, "Clock: %" PRIu64 ".%03u s powered on%s, reset count %" PRIu32 ", restart count %" PRIu32 "\n",
                   clock->clock_msec / 1000, (unsigned) (clock->clock_msec % 1000),
                   clock->safe ? "" : " (may have been higher before)", clock->reset_count, clock->restart_count);
}

int tpm_clock_to_json(const VtpmClock *clock, json_object **ret) {
        AUTO_JSON json_object *o = json_object_new_object();

        if (json_add_u64(o, "msec", clock->clock_msec) < 0 || json_add_bool(o, "safe", clock->safe) < 0 ||
            json_add_u64(o, "reset_count", clock->reset_count) < 0 ||
            json_add_u64(o, "restart_count", clock->restart_count) < 0)
                return -ENOMEM;
        *ret = TAKE_PTR(o);
        return 0;
}

void tpm_key_text(const Blob *tpmt, char ret[static TPM_KEY_TEXT_MAX]) {
        const char *scheme;
        VtpmPublic pub;

        if (vtpm_public_parse(tpmt->data, tpmt->size, &pub, NULL) < 0) {
                (void) snprintf(ret, TPM_KEY_TEXT_MAX, "?");
                return;
        }
        scheme = vtpm_alg_name(pub.scheme);
        if (pub.type == VTPM_ALG_RSA)
                (void) snprintf(ret, TPM_KEY_TEXT_MAX, "RSA-%u, %s-%s", pub.rsa_bits, scheme ? scheme : "?",
                                vtpm_hash_name(pub.scheme_hash));
        else
                (void) snprintf(ret, TPM_KEY_TEXT_MAX, "%s, %s-%s",
                                vtpm_curve_group(pub.curve) ? vtpm_curve_group(pub.curve) : "?",
                                scheme ? scheme : "?", vtpm_hash_name(pub.scheme_hash));
}
