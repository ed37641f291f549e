/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What an attestation token says of the guest: the payload of an EAR, with Trustee's names for SNP claims. */

#include <json-c/json_object.h>

#include "base/cleanup.h"
#include "tests/broker/appraise.h"
#include "tests/broker/message.h"

/* *ret owned; 0 or -ENOMEM. @appraisal is authentic. */
WARN_UNUSED int broker_claims(const BrokerAppraisal *appraisal, const BrokerAttestation *attestation,
                              json_object **ret);
