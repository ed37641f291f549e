/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/snpctl/tpm-event.h"

#include <stdio.h>

int tpm_event_text(const VtpmEvent *event, uint16_t bank, TpmEventText *ret, Error *e) {
        const char *type = vtpm_event_type_name(event->type);
        VtpmEventData data;
        int r = 0;

        vtpm_event_data_parse(event, &data);
        vtpm_event_data_text(&data, ret->text);
        ret->proof = VTPM_PROOF_NONE;
        if (vtpm_event_digest(event, bank)) /* the Spec ID event has none */
                r = vtpm_event_data_check(event, &data, bank, &ret->proof, e);
        if (type)
                (void) snprintf(ret->type, sizeof(ret->type), "%s", type);
        else
                (void) snprintf(ret->type, sizeof(ret->type), "0x%08x", event->type);
        return r;
}
