/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Makes a LUKS2 volume open with a key that the broker will release. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/secret.h"

/* A random key of 256 bits; more would not be harder to guess. */
#define ENROLL_KEY_SIZE 32

typedef struct EnrollRequest {
        const char *device;   /* block device or image file */
        const char *resource; /* of the broker, "repository/type/tag" */
        const Secret *unlock; /* a passphrase or key that opens the volume now */
        const Secret *key;    /* what the broker will release */
        bool replace;         /* an earlier token for @resource, and its keyslots, give way */
} EnrollRequest;

#define ENROLL_UUID_SIZE 40 /* libcryptsetup's UUID_STRING_L */

typedef struct EnrollResult {
        char uuid[ENROLL_UUID_SIZE];
        int keyslot, token;
        uint32_t removed_keyslots; /* bit N */
        Error leftover;            /* enrolled, but something of an earlier enrolment could not be removed */
} EnrollResult;

/**
 * enroll_volume() - add a keyslot for the key and a token that names the resource
 *
 * The header is judged as the token plugin judges it, before and after. The new keyslot is tried before a token points
 * to it, and a failure leaves the volume as it was. Once the token points to it the new key is in force: what
 * cannot be removed of an earlier enrolment is told in @ret, and nothing is undone for its sake. Termination signals
 * wait until the volume is consistent.
 *
 * Return: 0; -EPERM the volume's header is refused, or @unlock does not open it; -EEXIST enrolled for @resource
 * already and not to be replaced; -EINVAL no LUKS2 volume or no resource path; another errno of libcryptsetup.
 */
WARN_UNUSED int enroll_volume(const EnrollRequest *request, EnrollResult *ret, Error *e);
