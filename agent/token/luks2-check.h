/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * May a key be used with this LUKS2 header? The header lies on a disk that the host owns and carries no
 * authentication, so it is judged by an allow-list: what is not listed here is refused, with the JSON
 * path of the member and the reason.
 *
 * What is judged today: one segment of type "crypt" with an allowed cipher and no flags; keyslots of type
 * "luks2" with an allowed area encryption; one digest that covers the segment and every keyslot; no
 * pending requirements; and no null cipher anywhere. Cost parameters, area geometry and the pinned
 * identity of a volume are not judged.
 *
 * Source: LUKS2 On-Disk Format Specification 1.1, chapter 3 (the JSON area).
 */

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"

/* The largest JSON area of the format (section 2.1: binary header and JSON area are at most 4 MiB). */
#define LUKS2_JSON_MAX (4u * 1024u * 1024u)
#define LUKS2_KEYSLOTS_MAX 32 /* limit of libcryptsetup */
#define LUKS2_CIPHER_MAX 31   /* characters of a cipher specification that we would accept */

typedef struct Luks2Volume {
        char cipher[LUKS2_CIPHER_MAX + 1]; /* of the one segment */
        uint32_t keyslots;                 /* bit N: keyslot N exists, and opens that segment */
} Luks2Volume;

/**
 * luks2_check() - judge the JSON area of a LUKS2 header
 * @json: as crypt_dump_json() gives it, so that what is judged is what will be used; not trusted
 *
 * Reasons: "luks2-malformed", "luks2-null-cipher", "luks2-cipher", "luks2-type", "luks2-member" (a member
 * that is not in the allow-list, or lacks), "luks2-segments", "luks2-keyslots", "luks2-digests".
 * *@ret is untouched on failure.
 *
 * Return: 0; -EPERM refused; -EBADMSG no JSON or of another shape; -E2BIG; -ENOMEM.
 */
WARN_UNUSED int luks2_check(const char *json, size_t size, Luks2Volume *ret, Error *e);
