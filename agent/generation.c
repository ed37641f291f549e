/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/generation.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "base/file.h"
#include "keybroker-client/evidence-az.h"

#define TEST_ROOT_SIZE_MAX (64u * 1024u) /* a few PEM certificates */

static int make_trust(const ConfigTrust *c, SnpTrust **ret, Error *e) {
        AUTO_BLOB Blob pem = {};
        int r;

        if (!c->test_root)
                return snp_trust_new_amd(ret, e);
        r = file_read(c->test_root, TEST_ROOT_SIZE_MAX, &pem, e);
        if (r == 0)
                r = snp_trust_new_test(pem.data, pem.size, ret, e);
        if (r < 0)
                error_prefix(e, "TestRoot=");
        return r;
}

static void on_collateral(void *userdata) {
        Generation *g = userdata;

        g->all->collateral_changed(g->all->userdata, g);
}

static int make_collateral(Generation *g, Error *e) {
        const CollateralSetup setup = {
                .config = &g->config->collateral, .trust = g->trust, .event = g->all->event, .changed = on_collateral,
                .userdata = g,
        };
        int r = collateral_new(&setup, &g->collateral, e);

        if (r < 0)
                error_prefix(e, "[Collateral]");
        return r;
}

static int on_evidence(void *userdata, const uint8_t *report_data, size_t size, Deadline deadline, Error *e) {
        Generation *g = userdata;

        return g->all->evidence(g->all->userdata, g, report_data, size, deadline, e);
}

static int make_client(Generation *g, Error *e) {
        static const KbcTeeAlg algs[] = {
                [CONFIG_TEE_KEY_EC_P256] = KBC_TEE_ALG_ECDH_P256,
                [CONFIG_TEE_KEY_EC_P384] = KBC_TEE_ALG_ECDH_P384,
                [CONFIG_TEE_KEY_EC_P521] = KBC_TEE_ALG_ECDH_P521,
                [CONFIG_TEE_KEY_RSA_OAEP_256] = KBC_TEE_ALG_RSA_OAEP_256,
                [CONFIG_TEE_KEY_RSA_OAEP] = KBC_TEE_ALG_RSA_OAEP,
        };
        static const char *const tees[] = { [CONFIG_TEE_SNP] = "snp",
                                            [CONFIG_TEE_AZ_SNP_VTPM] = KBC_TEE_AZ_SNP_VTPM };
        const ConfigBroker *b = &g->config->broker;
        KbcClientConfig c = {
                .url = b->url,
                .ca_file = b->ca_file,
                .use_system_ca = b->use_system_ca,
                .tee = tees[b->tee],
                .alg = algs[b->tee_key],
                .request_timeout_usec = b->request_timeout_usec,
                .loop_ops = &loop_kbc_ops,
                .evidence = on_evidence,
                .evidence_userdata = g,
        };
        int r;

        if (!b->url)
                return 0;
        r = loop_kbc_new(g->all->event, &g->loop, e);
        if (r < 0)
                return r;
        c.loop = g->loop;
        r = kbc_client_new(&c, &g->client, e);
        if (r < 0) {
                error_prefix(e, "%s:%u: [Broker]", b->place.file, b->place.line);
                return r;
        }
        loop_kbc_set_client(g->loop, g->client);
        return 0;
}

static void generation_free(Generation *g) {
        for (Generation **at = &g->all->first; *at; at = &(*at)->next)
                if (*at == g) {
                        *at = g->next;
                        break;
                }
        kbc_client_free(g->client);
        loop_kbc_free(g->loop);
        collateral_free(g->collateral);
        snp_trust_free(g->trust);
        config_free(g->config);
        free(g);
}

static int on_reap(sd_event_source *source, void *userdata) {
        Generations *all = userdata;
        Generation *next;

        (void) source;
        for (Generation *g = all->first; g; g = next) {
                next = g->next;
                if (g->refs == 0)
                        generation_free(g);
        }
        return 0;
}

static int make_reaper(Generations *all, Error *e) {
        int r;

        if (all->reaper)
                return 0;
        r = sd_event_add_defer(all->event, &all->reaper, on_reap, all);
        if (r == 0)
                r = sd_event_source_set_enabled(all->reaper, SD_EVENT_OFF);
        if (r < 0)
                return error_set(e, r, "event-loop", "Cannot set up the event loop: %s", error_text(NULL, r));
        return 0;
}

int generation_new(Generations *all, Config *config, Generation **ret, Error *e) {
        Generation *g;
        int r;

        r = make_reaper(all, e);
        g = r < 0 ? NULL : calloc(1, sizeof(*g));
        if (!g) {
                config_free(config);
                return r < 0 ? r : error_oom(e);
        }
        *g = (Generation){ .next = all->first, .all = all, .refs = 1, .config = config };
        all->first = g;
        r = make_trust(&config->trust, &g->trust, e);
        if (r == 0)
                r = make_collateral(g, e);
        if (r == 0)
                r = make_client(g, e);
        if (r < 0) {
                generation_free(g);
                return r;
        }
        *ret = g;
        return 0;
}

Generation *generation_ref(Generation *g) {
        g->refs++;
        return g;
}

Generation *generation_unref(Generation *g) {
        if (!g)
                return NULL;
        assert(g->refs > 0);
        if (--g->refs == 0)
                (void) sd_event_source_set_enabled(g->all->reaper, SD_EVENT_ONESHOT);
        return NULL;
}

void generations_done(Generations *all) {
        while (all->first)
                generation_free(all->first);
        all->reaper = sd_event_source_disable_unref(all->reaper);
}
