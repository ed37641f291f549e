/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What a broker's refusal means. Trustee answers nearly everything with status 401 and says what happened in the
 * "type" of a small JSON body (kbs/src/error.rs); so that decides, and the status only where there is no such body,
 * which then comes from a proxy, another broker or no broker at all.
 */

#include "base/cleanup.h"
#include "base/error.h"
#include "keybroker-client/message.h"

typedef enum KbcRemedy {
        KBC_REMEDY_NONE,      /* the answer stays the same however often it is asked for */
        KBC_REMEDY_HANDSHAKE, /* a fresh handshake may help, once */
        KBC_REMEDY_RETRY,     /* later */
} KbcRemedy;

typedef enum KbcStep {
        KBC_STEP_AUTH,
        KBC_STEP_ATTEST,
        KBC_STEP_RESOURCE,
} KbcStep;

/* A body longer than this is no problem report. */
#define KBC_PROBLEM_MAX 16384u

/**
 * kbc_problem_classify() - judge an answer other than 200
 *
 * Return: always negative, the codes of KbcDoneFn and -EBUSY ("later").
 */
int kbc_problem_classify(KbcStep step, const KbcReply *reply, KbcRemedy *ret_remedy, Error *e);
