/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Inside of snp/: chains that do not come as one PEM text. */

#include "snp/cert.h"
#include "snp/collateral.h"

/* As snp_collateral_offer() for SNP_PART_CHAIN, picking from @list whatever fits. */
WARN_UNUSED int snp_collateral_offer_list(SnpCollateral *c, const SnpCertList *list, SnpSource source, time_t at,
                                          Error *e);

/* Remembers that @source had no usable @part, for snp_collateral_refusal(). */
void snp_collateral_note(SnpCollateral *c, SnpPart part, SnpSource source, const Error *why);

/*
 * Whether the list that is held says less than @other: one of the same issuer's that is newer, or revokes where the one
 * held does not. False when @other is no such list; its age is no matter.
 */
bool snp_collateral_crl_is_older(const SnpCollateral *c, const Blob *other);
