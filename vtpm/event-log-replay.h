/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Which values PCRs have when an event log tells everything that was extended. Comparing them with quoted values
 * is what turns a log from a claim into evidence.
 *
 * Source: TCG PC Client Platform Firmware Profile, "Event Logging", EV_NO_ACTION events and "TCG_EfiStartupLocality";
 * PC Client Platform TPM Profile, "PCR Initial and Reset Values"; TPM 2.0 Library Part 1, "H-CRTM".
 */

#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "vtpm/event-log.h"
#include "vtpm/pcr_values.h"

/**
 * vtpm_event_log_locality() - which locality started the TPM, and so the last byte that PCR 0 begins with
 *
 * 4 if the log has an H-CRTM event for PCR 0, else what its StartupLocality event says, else 0.
 *
 * Return: 0; -EBADMSG the log is malformed, or says what no TPM can do (a locality other than 0, 3 and 4, or two
 * different ones).
 */
WARN_UNUSED int vtpm_event_log_locality(const VtpmEventLog *log, uint8_t *ret, Error *e);

/**
 * vtpm_event_log_replay() - extend every digest that the log has for one bank
 * @log:   where it stands does not matter, and does not change
 * @hash:  the bank
 * @ret:   mask: the PCRs that were extended; values: of all PCRs, initial values where nothing was extended
 *
 * Events of type EV_NO_ACTION are not extended, wherever they stand. An event without a digest for this bank leaves
 * it as it was. A log ends where firmware's work does: PCRs that the system extends later come out different.
 *
 * Return: 0; -ENOENT the log has no such bank; -EOPNOTSUPP unknown hash; -EBADMSG the log is malformed; -ENOMEM; -EIO.
 */
WARN_UNUSED int vtpm_event_log_replay(const VtpmEventLog *log, uint16_t hash, VtpmPcrValues *ret, Error *e);

/**
 * vtpm_event_log_explains() - PCRs of @actual whose value is the replayed one
 *
 * A PCR outside the result is not explained by this log; that it is bad cannot be said. 0 for different banks.
 */
uint32_t vtpm_event_log_explains(const VtpmPcrValues *replayed, const VtpmPcrValues *actual);
