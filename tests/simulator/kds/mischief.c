/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/simulator/kds/mischief.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"

#define CONTROL_FILE_MAX 8192
#define ALL ((1u << KDS_N_WHATS) - 1)

static const char *const what_names[KDS_N_WHATS] = { "vcek", "chain", "crl", "thim" };

static const struct {
        const char *name;
        unsigned where;
        bool argument;
} kinds[KDS_N_FAULTS] = {
        [KDS_FAULT_NONE] = { "none", ALL, false },
        [KDS_FAULT_STATUS] = { "status", ALL, true },
        [KDS_FAULT_THROTTLE] = { "throttle", ALL, true },
        [KDS_FAULT_THROTTLE_DATE] = { "throttle-date", ALL, true },
        [KDS_FAULT_SLOW] = { "slow", ALL, true },
        [KDS_FAULT_DROP] = { "drop", ALL, false },
        [KDS_FAULT_TRUNCATE] = { "truncate", ALL, false },
        [KDS_FAULT_GARBAGE] = { "garbage", ALL, false },
        [KDS_FAULT_OVERSIZE] = { "oversize", ALL, true },
        [KDS_FAULT_REDIRECT] = { "redirect", ALL, false },
        [KDS_FAULT_OTHER_CHIP] = { "other-chip", 1u << KDS_VCEK | 1u << KDS_THIM, false },
        [KDS_FAULT_OTHER_TCB] = { "other-tcb", 1u << KDS_VCEK | 1u << KDS_THIM, false },
        [KDS_FAULT_OTHER_ROOT] = { "other-root", ALL, false },
        [KDS_FAULT_REVOKED] = { "revoked", 1u << KDS_CRL, false },
        [KDS_FAULT_STALE] = { "stale", 1u << KDS_CRL, false },
};

const char *kds_what_name(KdsWhat what) {
        return what < KDS_N_WHATS ? what_names[what] : "unknown";
}

const char *kds_fault_name(KdsFaultKind kind) {
        return kind < KDS_N_FAULTS ? kinds[kind].name : "unknown";
}

static unsigned parse_where(const char *word) {
        if (strcmp(word, "all") == 0)
                return ALL;
        for (KdsWhat i = 0; i < KDS_N_WHATS; i++)
                if (strcmp(what_names[i], word) == 0)
                        return 1u << i;
        return 0;
}

static bool parse_kind(const char *word, unsigned where, KdsFaultKind *ret) {
        for (KdsFaultKind i = 0; i < KDS_N_FAULTS; i++)
                if (strcmp(kinds[i].name, word) == 0 && (where == ALL || kinds[i].where & where)) {
                        *ret = i;
                        return true;
                }
        return false;
}

static int parse_fault(char *line, KdsFault *ret) {
        KdsFault f = {};
        char *rest = NULL, *word = strtok_r(line, " \t", &rest);

        f.where = word ? parse_where(word) : 0;
        word = strtok_r(NULL, " \t", &rest);
        if (!f.where || !word || !parse_kind(word, f.where, &f.kind))
                return -EBADMSG;
        f.where &= kinds[f.kind].where;
        word = strtok_r(NULL, " \t", &rest);
        if (kinds[f.kind].argument) {
                if (!word || text_to_u64(word, 10, 0, UINT32_MAX, &f.value) < 0)
                        return -EBADMSG;
                word = strtok_r(NULL, " \t", &rest);
        }
        if (word && (word[0] != 'x' || text_to_u64(word + 1, 10, 1, UINT32_MAX, &f.times) < 0))
                return -EBADMSG;
        if (word && strtok_r(NULL, " \t", &rest))
                return -EBADMSG;
        *ret = f;
        return 0;
}

static int parse_text(const char *text, KdsMischief *m, const char *path, Error *e) {
        AUTO_FREE char *copy = strdup(text);
        char *rest = copy, *line;

        if (!copy)
                return error_oom(e);
        for (unsigned n = 1; (line = strsep(&rest, "\n")) != NULL; n++) {
                if (line[strspn(line, " \t")] == 0 || line[0] == '#')
                        continue;
                if (m->n_faults == KDS_FAULTS_MAX || parse_fault(line, &m->faults[m->n_faults]) < 0)
                        return error_set(e, -EBADMSG, "control", "%s:%u: not understood", path, n);
                m->n_faults++;
        }
        return 0;
}

static int reload(KdsMischief *m, const char *path, Error *e) {
        KdsMischief fresh = {};
        AUTO_FREE char *text = NULL;
        int r = path ? file_read_text(path, CONTROL_FILE_MAX, &text, NULL) : -ENOENT;

        if (r == -ENOENT && !(text = strdup("")))
                return error_oom(e);
        if (r < 0 && r != -ENOENT)
                return error_set(e, r, "control", "Cannot read %s: %s", path, error_text(NULL, r));
        if (m->text && strcmp(m->text, text) == 0)
                return 0;
        r = parse_text(text, &fresh, path ? path : "", e);
        if (r < 0)
                return r;
        kds_mischief_done(m);
        *m = fresh;
        m->text = TAKE_PTR(text);
        return 0;
}

void kds_mischief_done(KdsMischief *m) {
        free(m->text);
        *m = (KdsMischief){};
}

int kds_mischief_next(KdsMischief *m, const char *path, KdsWhat what, KdsFault *ret, Error *e) {
        int r = reload(m, path, e);

        if (r < 0)
                return r;
        *ret = (KdsFault){};
        m->n_requests[what]++;
        for (size_t i = 0; i < m->n_faults; i++) {
                const KdsFault *f = &m->faults[i];

                if (f->where & 1u << what && (f->times == 0 || m->n_requests[what] <= f->times)) {
                        *ret = *f;
                        return 0;
                }
        }
        return 0;
}
