/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* An event of a log, ready to be shown. */

#include "base/cleanup.h"
#include "base/error.h"
#include "vtpm/event-data.h"

#define TPM_TYPE_NAME_MAX 40u

typedef struct TpmEventText {
        char type[TPM_TYPE_NAME_MAX]; /* "EV_SEPARATOR", or its number in hex */
        char text[VTPM_EVENT_TEXT_MAX];
        VtpmEventProof proof; /* NONE also for an event without digest of that bank */
} TpmEventText;

/* 0; or as vtpm_event_data_check(). */
WARN_UNUSED int tpm_event_text(const VtpmEvent *event, uint16_t bank, TpmEventText *ret, Error *e);
