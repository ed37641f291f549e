/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/snpctl/key-args.h"

#include <errno.h>
#include <string.h>

#include "agent/snpctl/exit.h"
#include "base/text.h"
#include "snp/device.h"

static int parse_fields(const char *text, uint64_t *ret, Error *e) {
        uint64_t fields = 0;

        if (strcmp(text, "none") == 0) {
                *ret = 0;
                return 0;
        }
        for (;;) {
                size_t n = strcspn(text, ",");
                uint64_t field = snp_key_field_find(text, n);

                if (field == 0)
                        return ctl_usage(e, "--fields: '%.*s' is none of policy, image-id, family-id, measurement, "
                                         "guest-svn, tcb-version", n < 40 ? (int) n : 40, text);
                if (fields & field)
                        return ctl_usage(e, "--fields: '%.*s' stands there twice", (int) n, text);
                fields |= field;
                if (!text[n])
                        break;
                text += n + 1;
        }
        *ret = fields;
        return 0;
}

/* A value and its field belong together: a key mixed with a zero that nobody chose would surprise later. */
static int parse_value(const char *text, const char *option, const char *field, bool selected, uint64_t max,
                       uint64_t *ret, Error *e) {
        *ret = 0;
        if (selected != (text != NULL))
                return ctl_usage(e, "--%s and '%s' in --fields go together", option, field);
        if (text && text_to_u64(text, 0, 0, max, ret) < 0)
                return ctl_usage(e, "--%s '%.40s' is no acceptable number", option, text);
        return 0;
}

int key_args_parse(const KeyArgs *args, SnpKeyRequest *ret, Error *e) {
        SnpKeyRequest q = { .root = SNP_ROOT_KEY_VCEK };
        uint64_t vmpl = SNP_VMPL_AUTO, svn;
        int r;

        if (!args->fields)
                return ctl_usage(e, "--fields is missing: what is mixed into the key decides who else can have it");
        if (args->root && snp_root_key_find(args->root, &q.root) < 0)
                return ctl_usage(e, "--root '%.20s' is neither vcek nor vmrk", args->root);
        if (args->vmpl && text_to_u64(args->vmpl, 10, 0, 3, &vmpl) < 0)
                return ctl_usage(e, "--vmpl '%.20s' is not 0, 1, 2 or 3", args->vmpl);
        r = parse_fields(args->fields, &q.fields, e);
        if (r == 0)
                r = parse_value(args->guest_svn, "guest-svn", "guest-svn", q.fields & SNP_KEY_GUEST_SVN, UINT32_MAX, &svn,
                                e);
        if (r == 0)
                r = parse_value(args->tcb, "tcb", "tcb-version", q.fields & SNP_KEY_TCB_VERSION, UINT64_MAX, &q.tcb, e);
        if (r < 0)
                return r;
        q.vmpl = (uint32_t) vmpl;
        q.guest_svn = (uint32_t) svn;
        *ret = q;
        return snp_key_request_check(&q, e);
}

const char *key_args_warning(const SnpKeyRequest *q, size_t i) {
        const char *list[4] = {};
        size_t n = 0;

        if (q->root == SNP_ROOT_KEY_VCEK)
                list[n++] = "this key is of this chip: it is lost when the guest runs on another host";
        if (!(q->fields & SNP_KEY_MEASUREMENT))
                list[n++] = "without 'measurement', another guest that the host starts on this chip can have the same key";
        else
                list[n++] = "the key changes with the measurement, and so with updates of what is measured at launch";
        if (!(q->fields & SNP_KEY_POLICY))
                list[n++] = "without 'policy', a guest that the host may debug can have the same key";
        return i < n ? list[i] : NULL;
}
