/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/broker/mischief.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"

#define CONTROL_FILE_MAX 8192
#define EVERYWHERE 7u
#define AUTH (1u << BROKER_AUTH)
#define ATTEST (1u << BROKER_ATTEST)
#define RESOURCE (1u << BROKER_RESOURCE)

static const char *const endpoint_names[BROKER_N_ENDPOINTS] = { "auth", "attest", "resource" };

static const struct {
        const char *name;
        unsigned where;
        enum { NO_ARGUMENT, NUMBER, WORD } argument;
} kinds[BROKER_N_FAULTS] = {
        [BROKER_FAULT_SLOW] = { "slow", EVERYWHERE, NUMBER },
        [BROKER_FAULT_DROP] = { "drop", EVERYWHERE, NO_ARGUMENT },
        [BROKER_FAULT_TRUNCATE] = { "truncate", EVERYWHERE, NO_ARGUMENT },
        [BROKER_FAULT_GARBAGE] = { "garbage", EVERYWHERE, NO_ARGUMENT },
        [BROKER_FAULT_STATUS] = { "status", EVERYWHERE, NUMBER },
        [BROKER_FAULT_BUSY] = { "busy", EVERYWHERE, NUMBER },
        [BROKER_FAULT_REDIRECT] = { "redirect", EVERYWHERE, NO_ARGUMENT },
        [BROKER_FAULT_OVERSIZE] = { "oversize", EVERYWHERE, NUMBER },
        [BROKER_FAULT_FORGET] = { "forget", EVERYWHERE, NO_ARGUMENT },
        [BROKER_FAULT_WRONG_VERSION] = { "wrong-version", AUTH, NO_ARGUMENT },
        [BROKER_FAULT_HASH] = { "hash", AUTH, WORD },
        [BROKER_FAULT_CHALLENGE] = { "challenge", AUTH, WORD },
        [BROKER_FAULT_NO_COOKIE] = { "no-cookie", AUTH, NO_ARGUMENT },
        [BROKER_FAULT_NO_TOKEN] = { "no-token", ATTEST, NO_ARGUMENT },
        [BROKER_FAULT_BAD_TOKEN] = { "bad-token", ATTEST, NO_ARGUMENT },
        [BROKER_FAULT_EXPIRED] = { "expired-token", ATTEST | RESOURCE, NO_ARGUMENT },
        [BROKER_FAULT_BAD_TAG] = { "bad-tag", RESOURCE, NO_ARGUMENT },
        [BROKER_FAULT_BAD_ALG] = { "bad-alg", RESOURCE, NO_ARGUMENT },
        [BROKER_FAULT_BAD_ENC] = { "bad-enc", RESOURCE, NO_ARGUMENT },
        [BROKER_FAULT_BAD_EPK] = { "bad-epk", RESOURCE, NO_ARGUMENT },
        [BROKER_FAULT_NO_IV] = { "no-iv", RESOURCE, NO_ARGUMENT },
        [BROKER_FAULT_OTHER_KEY] = { "other-key", RESOURCE, NO_ARGUMENT },
};

static int parse_where(const char *word, BrokerEndpoint *ret) {
        for (BrokerEndpoint i = 0; i < BROKER_N_ENDPOINTS; i++)
                if (strcmp(endpoint_names[i], word) == 0) {
                        *ret = i;
                        return 0;
                }
        return -EBADMSG;
}

static int parse_kind(const char *word, BrokerEndpoint where, BrokerFaultKind *ret) {
        for (BrokerFaultKind i = 0; i < BROKER_N_FAULTS; i++)
                if (strcmp(kinds[i].name, word) == 0 && (kinds[i].where & 1u << where)) {
                        *ret = i;
                        return 0;
                }
        return -EBADMSG;
}

static int parse_fault(char *line, struct BrokerFault *ret) {
        struct BrokerFault f = {};
        char *rest = NULL, *word = strtok_r(line, " \t", &rest);

        if (!word || parse_where(word, &f.where) < 0)
                return -EBADMSG;
        word = strtok_r(NULL, " \t", &rest);
        if (!word || parse_kind(word, f.where, &f.kind) < 0)
                return -EBADMSG;
        word = strtok_r(NULL, " \t", &rest);
        if (kinds[f.kind].argument != NO_ARGUMENT) {
                if (!word || strlen(word) >= sizeof(f.argument))
                        return -EBADMSG;
                (void) snprintf(f.argument, sizeof(f.argument), "%s", word);
                if (kinds[f.kind].argument == NUMBER && text_to_u64(word, 10, 0, UINT32_MAX, &f.value) < 0)
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

static int parse_text(const char *text, BrokerMischief *m, const char *path, Error *e) {
        AUTO_FREE char *copy = strdup(text);
        char *rest = copy, *line;

        if (!copy)
                return error_oom(e);
        for (unsigned n = 1; (line = strsep(&rest, "\n")) != NULL; n++) {
                if (line[strspn(line, " \t")] == 0 || line[0] == '#')
                        continue;
                if (m->n_faults == BROKER_FAULTS_MAX || parse_fault(line, &m->faults[m->n_faults]) < 0)
                        return error_set(e, -EBADMSG, "control", "%s:%u: not understood", path, n);
                m->n_faults++;
        }
        return 0;
}

int broker_mischief_reload(BrokerMischief *m, const char *path, Error *e) {
        BrokerMischief fresh = {};
        AUTO_FREE char *text = NULL;
        int r;

        r = path ? file_read_text(path, CONTROL_FILE_MAX, &text, NULL) : -ENOENT;
        if (r == -ENOENT && !(text = strdup("")))
                return error_oom(e);
        if (r < 0 && r != -ENOENT)
                return error_set(e, r, "control", "Cannot read %s: %s", path, error_text(NULL, r));
        if (m->text && strcmp(m->text, text) == 0)
                return 0;
        r = parse_text(text, &fresh, path ? path : "", e);
        if (r < 0)
                return r;
        broker_mischief_done(m);
        *m = fresh;
        m->text = TAKE_PTR(text);
        return 0;
}

void broker_mischief_done(BrokerMischief *m) {
        free(m->text);
        *m = (BrokerMischief){};
}

void broker_mischief_begin(BrokerMischief *m, BrokerEndpoint where) {
        m->n_requests[where]++;
}

const struct BrokerFault *broker_mischief_fault(const BrokerMischief *m, BrokerEndpoint where, BrokerFaultKind kind) {
        for (size_t i = 0; i < m->n_faults; i++) {
                const struct BrokerFault *f = &m->faults[i];

                if (f->where == where && f->kind == kind && (f->times == 0 || m->n_requests[where] <= f->times))
                        return f;
        }
        return NULL;
}
