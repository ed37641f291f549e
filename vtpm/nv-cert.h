/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Certificates as TPMs keep them in NV indices: DER, and as a rule followed by padding up to the size of the index.
 * Whom they come from is not judged here.
 */

#include <stddef.h>

#include "base/blob.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "vtpm/context.h"

/**
 * vtpm_nv_cert_cut() - the certificate at the start of @data, without what follows it
 * @tpmt_public: the key that it must be of; NULL: any
 *
 * Return: 0; -EBADMSG no DER certificate, or its key is another ("nv-cert-key"); -EOPNOTSUPP a key of another kind;
 * -ENOMEM.
 */
WARN_UNUSED int vtpm_nv_cert_cut(const void *data, size_t size, const Blob *tpmt_public, Blob *ret, Error *e);

/* The same from an NV index. 0; -ENOENT it is absent or empty; as vtpm_nv_cert_cut() or vtpm_nv_read(). */
WARN_UNUSED int vtpm_nv_certificate(VtpmContext *ctx, uint32_t index, const Blob *tpmt_public, Blob *ret, Error *e);
