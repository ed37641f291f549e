/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Filling a bundle with what files and platforms have: certificates and lists as DER or PEM, one or several in a file.
 * Nothing is judged here; what is wrong is found by bundle_verify().
 */

#include "agent/bundle/bundle.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "snp/report.h"

/* Replaces the VCEK or VLEK. 0; -EBADMSG neither DER nor PEM, or more than one in it; -E2BIG; -ENOMEM. */
WARN_UNUSED int bundle_set_vek(Bundle *bundle, const void *data, size_t size, Error *e);
/* Adds all certificates of @data to the chain; those that are there already are passed over. As bundle_set_vek(). */
WARN_UNUSED int bundle_add_chain(Bundle *bundle, const void *data, size_t size, Error *e);
/* The same for revocation lists. */
WARN_UNUSED int bundle_add_crls(Bundle *bundle, const void *data, size_t size, Error *e);
/*
 * What the host's certificate table has: the key's certificate unless there is one, its chain, lists. Also as
 * snp_cert_table_parse().
 */
WARN_UNUSED int bundle_add_table(Bundle *bundle, const void *data, size_t size, SnpSigningKey signing_key, Error *e);

/**
 * bundle_check() - does what was put in fit together?
 *
 * To be asked by whoever has made a bundle, who would otherwise learn from its verifier that he mixed up files.
 *
 * Return: 0; -ENOENT there is no VCEK or VLEK ("bundle-vek"); -ESTALE REPORT_DATA or the quote is of another nonce
 * ("bundle-report-data", "bundle-quote-nonce"); or as bundle_report_data(), snp_report_parse() and vtpm_attest_parse().
 */
WARN_UNUSED int bundle_check(const Bundle *bundle, Error *e);
