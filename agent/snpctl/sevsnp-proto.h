/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Evidence in protocol buffers, as go-sev-guest's `attest -outform proto` writes it: a message sevsnp.Report, or
 * sevsnp.Attestation with a report and certificates. The report is there field by field, and is put together again to
 * the bytes that were signed. Source: google/go-sev-guest, proto/sevsnp.proto and abi/abi.go ("ReportToAbiBytes");
 * protobuf.dev, "Encoding".
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "snp/report.h"
#include "snp/verify.h"

#define SEVSNP_PROTO_MAX (128u * 1024u)

typedef struct SevsnpProto {
        uint8_t report[SNP_REPORT_SIZE];
        SnpCertBytes vcek, vlek, ask, ark; /* borrowed from the input; data NULL: not there */
} SevsnpProto;

/* Whether it begins as such a message does, which no report does. */
bool sevsnp_proto_is(const void *data, size_t size);

/**
 * sevsnp_proto_parse() - read either message
 * @data: not trusted; borrowed by @ret
 *
 * Fields that are not known are passed over, as the format wants it; those that are known may be there once, must have
 * their length, and numbers must fit into the report's field.
 *
 * Return: 0; -EBADMSG; -E2BIG.
 */
WARN_UNUSED int sevsnp_proto_parse(const void *data, size_t size, SevsnpProto *ret, Error *e);
