/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Runtime claims of Azure's paravisor: the JSON text in an HCL report that says which key the vTPM attests with, how
 * the machine was configured, and what the guest wanted to have said.
 * Source: openvmm, openhcl/openhcl_attestation_protocol/src/igvm_attest/get.rs ("runtime_claims"); firmware before
 * 2024 by its recorded reports. Firmware adds members as it goes: those not named here are ignored.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/blob.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "vtpm/attest.h"
#include "vtpm/public.h"

#define VTPM_HCL_USER_DATA_SIZE 64u
#define VTPM_HCL_TEXT_MAX 128u

/* An RSA key as the claims have it: RFC 7517, RFC 7518 section 6.3. */
typedef struct VtpmHclKey {
        uint8_t modulus[VTPM_RSA_SIZE_MAX];
        size_t modulus_size; /* 0: the claims have no such key */
        uint32_t exponent;
} VtpmHclKey;

typedef enum VtpmHclFlag {
        VTPM_HCL_UNSAID = 0,
        VTPM_HCL_NO,
        VTPM_HCL_YES,
} VtpmHclFlag;

/* Yes and no of "vm-configuration". */
typedef enum VtpmHclSwitch {
        VTPM_HCL_SECURE_BOOT,
        VTPM_HCL_TPM_ENABLED,
        VTPM_HCL_TPM_PERSISTED, /* no: other keys after each boot, and nothing sealed survives it */
        VTPM_HCL_CONSOLE,
        VTPM_HCL_INTERACTIVE_CONSOLE,
        VTPM_HCL_FILTERED_VPCI_DEVICES,
        VTPM_HCL_N_SWITCHES,
} VtpmHclSwitch;

typedef struct VtpmHclClaims {
        VtpmHclKey ak; /* "HCLAkPub"; always there */
        VtpmHclKey ek; /* "HCLEkPub"; not in old firmware */
        bool has_user_data; /* false: firmware too old to carry any */
        uint8_t user_data[VTPM_HCL_USER_DATA_SIZE]; /* all zero: the guest has said nothing yet */
        VtpmHclFlag switches[VTPM_HCL_N_SWITCHES];
        /* Texts are printable ASCII, with ? for what was not: they go to terminals. */
        char vm_id[VTPM_HCL_TEXT_MAX + 1];              /* "vmUniqueId"; texts are empty where there is none */
        char root_cert_thumbprint[VTPM_HCL_TEXT_MAX + 1];
        char sealing_policy[VTPM_HCL_TEXT_MAX + 1];     /* "hardware-sealing-policy": none, hash, signer */
        bool has_time;
        uint64_t time_sec; /* "current-time", of the host's clock */
} VtpmHclClaims;

/**
 * vtpm_hcl_claims_parse() - read the claims
 * @text:  exactly the bytes that are hashed; not yet trusted
 *
 * Keys are told by their "kid" alone: old firmware says of its signing key that it were for encryption.
 *
 * Return: 0; -EBADMSG no JSON, or a member known here is of another type, malformed or there twice, or there is no
 * HCLAkPub ("hcl-no-ak"); -EOPNOTSUPP a key that is not RSA; -E2BIG; -ENOMEM.
 */
WARN_UNUSED int vtpm_hcl_claims_parse(const void *text, size_t size, VtpmHclClaims *ret, Error *e);

/* The name of the member, "secure-boot"; and "yes", "no", "unsaid". */
const char *vtpm_hcl_switch_name(VtpmHclSwitch which);
const char *vtpm_hcl_flag_name(VtpmHclFlag flag);

/*
 * What the paravisor was asked to say: true when user data are @size bytes of @data (at most
 * VTPM_HCL_USER_DATA_SIZE) and zeros from there on.
 */
bool vtpm_hcl_claims_say(const VtpmHclClaims *claims, const void *data, size_t size);

/*
 * TPMT_PUBLIC of the attestation key: the claims have only its modulus, the rest is as the paravisor makes it (RSASSA
 * with SHA-256, attributes 0x00050472: openvmm, vm/devices/tpm/tpm_lib/src/lib.rs, "ak_pub_template"). 0 or -ENOMEM.
 */
WARN_UNUSED int vtpm_hcl_claims_ak(const VtpmHclClaims *claims, Blob *ret_public);

/**
 * vtpm_hcl_claims_check_signer() - is the key that a quote names the one in the claims?
 *
 * The quote names the signer by its qualified name (TPM 2.0 Library Part 1, "Qualified Name"), which for a primary key
 * of the endorsement hierarchy follows from its public area. That is said by the very key that it is said about, and so
 * proves nothing; it shows when claims and quote of two machines or two boots were put together.
 *
 * Return: 0; -EKEYREJECTED another key ("hcl-signer"); -ENOMEM; -EIO.
 */
WARN_UNUSED int vtpm_hcl_claims_check_signer(const VtpmHclClaims *claims, const VtpmAttest *attest, Error *e);
