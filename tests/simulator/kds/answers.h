/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Bodies: right ones, and wrong ones of the right form. */

#include "base/blob.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "tests/simulator/kds/mischief.h"
#include "tests/simulator/pki.h"

typedef struct KdsQuestion {
        KdsWhat what;
        SimPki *pki;   /* hierarchy that it is about */
        bool vlek;     /* chain and crl: the VLEK's */
        SimTcb tcb;    /* vcek */
        KdsFaultKind fault; /* OTHER_CHIP and what follows it change the body */
} KdsQuestion;

WARN_UNUSED int kds_answer_body(const KdsQuestion *q, Blob *ret, Error *e);
