/* SPDX-License-Identifier: Apache-2.0 */
#include "snp/key-request.h"

#include <errno.h>
#include <string.h>

#include "snp/device-internal.h"

/* In the order of their bits. */
static const char *const fields[] = {
        "policy", "image-id", "family-id", "measurement", "guest-svn", "tcb-version", "launch-mit-vector",
};

static const char *const roots[] = {
        [SNP_ROOT_KEY_VCEK] = "vcek",
        [SNP_ROOT_KEY_VMRK] = "vmrk",
};

const char *snp_key_field_name(unsigned bit) {
        return bit < N_ELEMENTS(fields) ? fields[bit] : NULL;
}

uint64_t snp_key_field_find(const char *name, size_t len) {
        for (size_t i = 0; i < N_ELEMENTS(fields); i++)
                if (strlen(fields[i]) == len && memcmp(fields[i], name, len) == 0)
                        return UINT64_C(1) << i;
        return 0;
}

const char *snp_root_key_name(SnpRootKey root) {
        return (size_t) root < N_ELEMENTS(roots) ? roots[root] : "unknown";
}

int snp_root_key_find(const char *name, SnpRootKey *ret) {
        for (size_t i = 0; i < N_ELEMENTS(roots); i++)
                if (strcmp(roots[i], name) == 0) {
                        *ret = (SnpRootKey) i;
                        return 0;
                }
        return -EINVAL;
}

int snp_key_request_check(const SnpKeyRequest *q, Error *e) {
        if ((size_t) q->root >= N_ELEMENTS(roots))
                return error_set(e, -EINVAL, "key-root", "There is no root key %u", (unsigned) q->root);
        if (q->fields & SNP_KEY_LAUNCH_MIT_VECTOR)
                return error_set(e, -EOPNOTSUPP, "key-mit-vector", "The launch mitigation vector cannot be mixed in: the "
                                 "kernel's interface has no room for it and would drop it silently");
        if (q->fields >> N_ELEMENTS(fields) != 0)
                return error_set(e, -EINVAL, "key-fields", "Bits of the field selection are set that mean nothing");
        if (q->vmpl > SNP_VMPL_MAX && q->vmpl != SNP_VMPL_AUTO)
                return error_set(e, -EINVAL, "vmpl-range", "There is no VMPL %u", q->vmpl);
        /* A value that is not mixed in would protect nothing, against what its giver thinks. */
        if (q->guest_svn != 0 && !(q->fields & SNP_KEY_GUEST_SVN))
                return error_set(e, -EINVAL, "key-svn", "A guest SVN is given, but is not among the fields to mix in");
        if (q->tcb != 0 && !(q->fields & SNP_KEY_TCB_VERSION))
                return error_set(e, -EINVAL, "key-tcb", "A TCB is given, but is not among the fields to mix in");
        return 0;
}
