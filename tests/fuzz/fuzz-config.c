/* SPDX-License-Identifier: Apache-2.0 */

/* The configuration: a mistake is told with its place, and what is accepted stays accepted, unchanged, with a comment
 * on top. */

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/config/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void same(const Config *a, const Config *b) {
        assert(strcmp(a->attester.socket, b->attester.socket) == 0);
        assert(a->attester.vmpl == b->attester.vmpl);
        assert(a->tpm.ak == b->tpm.ak && a->tpm.ak_handle == b->tpm.ak_handle);
        assert(!a->broker.url == !b->broker.url);
        assert(a->agent.max_requests == b->agent.max_requests);
        assert(a->n_volumes == b->n_volumes && a->n_secrets == b->n_secrets);
        for (size_t i = 0; i < a->n_secrets; i++) {
                assert(strcmp(a->secrets[i].resource, b->secrets[i].resource) == 0);
                assert(a->secrets[i].users.n == b->secrets[i].users.n);
                assert(a->secrets[i].units.n == b->secrets[i].units.n);
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        static const char comment[] = "# once more\n";
        CLEANUP(config_freep) Config *c = NULL, *again = NULL;
        AUTO_FREE uint8_t *longer = NULL;
        Error e = {};
        int r;

        r = config_parse("f", data, size, &c, &e);
        if (r < 0) {
                assert(!c && e.code == r);
                assert(r == -E2BIG || strncmp(e.text, "f:", 2) == 0);
                return 0;
        }
        if (size + sizeof(comment) > CONFIG_FILE_SIZE_MAX)
                return 0;
        longer = malloc(size + sizeof(comment));
        assert(longer);
        (void) memcpy(longer, comment, sizeof(comment) - 1);
        if (size > 0)
                (void) memcpy(longer + sizeof(comment) - 1, data, size);
        assert(config_parse("f", longer, size + sizeof(comment) - 1, &again, NULL) == 0);
        same(c, again);
        return 0;
}
