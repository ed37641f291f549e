/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Attestation keys that a platform has put into its TPMs, with certificates beside them. Sources:
 *   Azure   microsoft/openvmm, vm/devices/tpm: persistent key 0x81000003, certificate in NV 0x01c101d0
 *   Google  google/go-tpm-tools, client/handles.go: templates in NV 0x01c10001 (RSA) and 0x01c10003 (ECC) for primary
 *           keys of the endorsement hierarchy, certificates in 0x01c10000 and 0x01c10002
 * A certificate says who the key's maker thinks it is; who signed it is for the caller to judge.
 */

#include "base/blob.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "vtpm/ak_spec.h"
#include "vtpm/context.h"

#define VTPM_AK_AZURE_HANDLE 0x81000003u

/**
 * vtpm_ak_detect() - which key this platform wants used
 *
 * Azure's when there is a key at its handle and the HCL report or the key's certificate in NV; Google's when its
 * template is there; otherwise an RSASSA primary key. Never VTPM_AK_AUTO. 0 or as VTPM_CALL().
 */
WARN_UNUSED int vtpm_ak_detect(VtpmContext *ctx, VtpmAkSpec *ret, Error *e);

/* Google's template, TPMT_PUBLIC. 0; -ENOENT ("ak-absent"); -EKEYREJECTED not for an attestation key; -EBADMSG. */
WARN_UNUSED int vtpm_ak_platform_template(VtpmContext *ctx, VtpmAkKind kind, Blob *ret, Error *e);

/**
 * vtpm_ak_certificate() - the DER certificate of a platform's key
 * @ak_public:  TPMT_PUBLIC that it must be of
 *
 * Return: 0; -ENOENT there is none ("nv-cert-absent"), also for keys that no platform has put there; or as
 * vtpm_nv_certificate().
 */
WARN_UNUSED int vtpm_ak_certificate(VtpmContext *ctx, const VtpmAkSpec *spec, const Blob *ak_public, Blob *ret,
                                    Error *e);
