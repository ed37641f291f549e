/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/access.h"

#include <errno.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"

static AccessDecision deny(const char *rule, const Error *why) {
        return (AccessDecision){ .outcome = ACCESS_DENY, .rule = rule, .why = *why };
}

static AccessDecision allow(const char *rule, const char *resource) {
        return (AccessDecision){ .outcome = ACCESS_ALLOW, .rule = rule, .resource = resource };
}

/* The header is on the untrusted disk: its token is a hint, and one that points elsewhere is an attempt. */
static int check_token(const ConfigVolume *v, WireText token, Error *e) {
        AUTO_JSON json_object *o = NULL;
        const char *resource;
        int r;

        r = json_parse(token.text, token.len, "LUKS2 token", &o, e);
        if (r < 0)
                return r;
        r = json_get_str(o, "resource", TEXT_RESOURCE_PATH_MAX, &resource, e);
        if (r < 0)
                return r;
        if (strcmp(resource, v->resource) != 0)
                return error_set(e, -EPERM, "token-mismatch", "The LUKS2 token names resource '%s', the rule '%s'",
                                 resource, v->resource);
        return 0;
}

/* A null cipher would show the disk, and whatever is written to it, to everybody. */
static int check_cipher(WireText cipher, Error *e) {
        if (cipher.len == 0)
                return error_set(e, -EPERM, "cipher-refused", "The volume's cipher was not told");
        for (size_t i = 0; i + 4 <= cipher.len; i++)
                if (strncasecmp(cipher.text + i, "null", 4) == 0)
                        return error_set(e, -EPERM, "cipher-refused", "The volume has the null cipher '%.*s'",
                                         (int) cipher.len, cipher.text);
        return 0;
}

AccessDecision access_volume(const Config *config, const Peer *peer, const WireVolumeRequest *request) {
        const ConfigVolume *v = config_find_volume(config, request->uuid.text, request->uuid.len);
        Error e = {};

        if (peer->uid != 0) {
                (void) error_set(&e, -EPERM, "not-root", "Volume keys are for root, not for user %u", peer->uid);
                return deny(v ? v->name : NULL, &e);
        }
        if (!v) {
                (void) error_set(&e, -EPERM, "volume-unknown", "No [Volume] section has the UUID '%.*s'",
                                 (int) request->uuid.len, request->uuid.text);
                return deny(NULL, &e);
        }
        if (check_token(v, request->token, &e) < 0 || check_cipher(request->cipher, &e) < 0)
                return deny(v->name, &e);
        return allow(v->name, v->resource);
}

AccessDecision access_resource(const Config *config, const Peer *peer, const char *path) {
        const ConfigSecret *s;
        Error e = {};

        if (!text_is_resource_path(path)) {
                (void) error_set(&e, -EBADMSG, "resource-name", "'%s' is not of the form REPOSITORY/TYPE/TAG", path);
                return deny(NULL, &e);
        }
        s = config_find_secret(config, path);
        if (!s) {
                (void) error_set(&e, -EPERM, "resource-unknown", "No [Secret] section has the resource '%s'", path);
                return deny(NULL, &e);
        }
        if (s->users.n > 0 && !config_users_have(&s->users, peer->uid)) {
                (void) error_set(&e, -EPERM, "user-denied", "Secret '%s' is not for user %u", s->name, peer->uid);
                return deny(s->name, &e);
        }
        if (s->units.n > 0 && !(peer->unit && config_units_have(&s->units, peer->unit))) {
                (void) error_set(&e, -EPERM, "unit-denied", "Secret '%s' is not for unit '%s'", s->name,
                                 peer->unit ? peer->unit : "-");
                return deny(s->name, &e);
        }
        /* A rule with neither list lets nobody in; the parser refuses one, this does not rely on it. */
        if (s->users.n == 0 && s->units.n == 0) {
                (void) error_set(&e, -EPERM, "user-denied", "Secret '%s' is for nobody", s->name);
                return deny(s->name, &e);
        }
        return allow(s->name, s->resource);
}

AccessDecision access_evidence(const Config *config, const Peer *peer) {
        Error e = {};

        if (peer->uid == 0 || config_users_have(&config->agent.evidence_users, peer->uid))
                return allow(NULL, NULL);
        (void) error_set(&e, -EPERM, "user-denied", "Evidence is for root and EvidenceUser=, not for user %u", peer->uid);
        return deny(NULL, &e);
}

AccessDecision access_attest(const Peer *peer) {
        Error e = {};

        if (peer->uid == 0)
                return allow(NULL, NULL);
        (void) error_set(&e, -EPERM, "not-root", "A handshake is for root to ask, not for user %u", peer->uid);
        return deny(NULL, &e);
}
