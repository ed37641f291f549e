/* SPDX-License-Identifier: Apache-2.0 */
#include <time.h>

#include "agent/collateral-internal.h"
#include "base/json.h"

static json_object *or_nothing(json_object *o, int bad) {
        if (bad == 0)
                return o;
        (void) json_object_put(o);
        return NULL;
}

static int add_error(json_object *o, const Error *e) {
        return json_add_str(o, "reason", error_reason(e, e->code)) | json_add_str(o, "detail", error_text(e, e->code));
}

/* RFC 3339; left out when there is no such time. */
static int add_time(json_object *o, const char *name, time_t when) {
        char text[32];
        struct tm tm;

        if (when == 0 || !gmtime_r(&when, &tm) || strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
                return 0;
        return json_add_str(o, name, text);
}

static json_object *crl_to_json(const Collateral *c) {
        json_object *o = json_object_new_object();
        int bad;

        bad = json_add_str(o, "mode", snp_crl_mode_name(c->crl_policy.mode));
        bad |= json_add_str(o, "state", snp_crl_state_name(c->crl.state));
        bad |= json_add_str(o, "source", snp_source_name(snp_collateral_source(c->parts, SNP_PART_CRL)));
        bad |= add_time(o, "this_update", c->crl.this_update);
        bad |= add_time(o, "next_update", c->crl.next_update);
        if (c->crl.why.code < 0)
                bad |= add_error(o, &c->crl.why);
        return or_nothing(o, bad);
}

/* The first of them says most of why there is nothing. */
static json_object *refusal_to_json(const SnpRefusal *refusal) {
        json_object *o = json_object_new_object();
        int bad;

        bad = json_add_str(o, "part", snp_part_name(refusal->part));
        bad |= json_add_str(o, "source", snp_source_name(refusal->source));
        bad |= add_error(o, &refusal->why);
        return or_nothing(o, bad);
}

static int add_parts(json_object *o, const Collateral *c) {
        const SnpRefusal *refusal = snp_collateral_refusal(c->parts, 0);
        int bad;

        bad = json_add_str(o, "certificate", snp_source_name(snp_collateral_source(c->parts, SNP_PART_VEK)));
        bad |= json_add_str(o, "chain", snp_source_name(snp_collateral_source(c->parts, SNP_PART_CHAIN)));
        bad |= add_time(o, "not_after", snp_collateral_not_after(c->parts));
        bad |= json_add_take(o, "crl", crl_to_json(c));
        if (refusal)
                bad |= json_add_take(o, "refused", refusal_to_json(refusal));
        return bad;
}

static json_object *cache_to_json(const Collateral *c) {
        json_object *o = json_object_new_object();
        int bad;

        bad = json_add_str(o, "directory", c->setup.config->cache ? c->setup.config->cache : "none");
        if (c->setup.config->cache)
                bad |= json_add_bool(o, "open", c->cache != NULL);
        if (c->cache_why.code < 0)
                bad |= add_error(o, &c->cache_why);
        return or_nothing(o, bad);
}

static json_object *fetch_to_json(const Collateral *c) {
        static const char *const phases[] = {
                [FETCH_IDLE] = "idle",         [FETCH_STARTING] = "starting", [FETCH_WAITING] = "waiting-for-turn",
                [FETCH_RUNNING] = "running",   [FETCH_PAUSED] = "paused",
        };
        const CollateralFetch *f = &c->fetch;
        json_object *o = json_object_new_object();
        uint64_t now = now_monotonic_usec();
        int bad;

        bad = json_add_str(o, "state", f->loop ? phases[f->phase] : "never");
        bad |= json_add_u64(o, "attempts", f->n_attempts);
        bad |= json_add_u64(o, "requests", f->n_requests);
        bad |= json_add_u64(o, "failures", f->n_failures);
        if (f->phase == FETCH_IDLE && f->next_usec > now)
                bad |= json_add_u64(o, "next_attempt_in_seconds", (f->next_usec - now) / USEC_PER_SEC);
        if (f->last_error.code < 0)
                bad |= add_error(o, &f->last_error);
        return or_nothing(o, bad);
}

json_object *collateral_to_json(const Collateral *c) {
        json_object *o = json_object_new_object();
        int bad = 0;

        if (c->parts)
                bad = add_parts(o, c);
        bad |= json_add_take(o, "cache", cache_to_json(c));
        bad |= json_add_take(o, "fetch", fetch_to_json(c));
        return or_nothing(o, bad);
}
