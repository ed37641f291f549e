/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Nonces and REPORT_DATA as given on a command line. */

#include <stdbool.h>
#include <stdint.h>

#include "base/blob.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "snp/report.h"

/**
 * ctl_nonce_parse() - 1 to 64 bytes from "--data HEX" or "--nonce BASE64URL"
 * @data, @nonce: one of them is not NULL; both are refused, and a nonce that looks like hex
 *
 * Return: 0; -EINVAL with reason "usage".
 */
WARN_UNUSED int ctl_nonce_parse(const char *data, const char *nonce, Blob *ret, Error *e);

/**
 * ctl_challenge_parse() - REPORT_DATA from "--data HEX" or "--nonce BASE64URL"
 * @data, @nonce: as ctl_nonce_parse(); zeros are put behind
 *
 * The nonce has the form of the agent's GET /v1/evidence?nonce=.
 *
 * Return: 0; -EINVAL with reason "usage".
 */
WARN_UNUSED int ctl_challenge_parse(const char *data, const char *nonce, uint8_t ret[static SNP_REPORT_DATA_SIZE],
                                    Error *e);
