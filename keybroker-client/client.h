/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * One broker, seen from a daemon: attest when needed, fetch resources, never block. The client keeps one
 * session (TEE key pair, cookie, token) and single-flights the handshake: requests that arrive while one
 * is under way wait for it. It classifies the broker's refusals so that nothing is retried in vain.
 *
 * The event loop belongs to the caller (KbcLoopOps); kbc_client_wait() runs a plain poll loop for
 * programs that have none.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/blob.h"
#include "base/cleanup.h"
#include "base/deadline.h"
#include "base/error.h"
#include "base/secret.h"
#include "base/text.h"

typedef struct KbcClient KbcClient;
typedef struct KbcRequest KbcRequest;

#define KBC_IO_IN 1u
#define KBC_IO_OUT 2u

/* What the client asks of the caller's event loop. */
typedef struct KbcLoopOps {
        /* Watch @fd for @what (KBC_IO_* bits; 0 stops), replacing what was asked before. 0 or negative errno. */
        int (*set_fd)(void *loop, int fd, unsigned what);
        /* Call kbc_client_on_timer() in @usec; UINT64_MAX disarms. 0 or negative errno. */
        int (*set_timer)(void *loop, uint64_t usec);
} KbcLoopOps;

/* Evidence for a TEE type, ready for the broker. */
typedef struct KbcEvidence {
        Blob json; /* the primary evidence object, serialised */
} KbcEvidence;

/*
 * Asks the caller for evidence over @report_data, which is borrowed for the call: 64 bytes for TEE type "snp" (a digest
 * and zeros), the bare digest for any other. The answer comes later (or at once) through
 * kbc_client_evidence_ready() or kbc_client_evidence_failed(), exactly once per call; a negative return
 * means that it never will. Callers without a loop answer at once. There is never a second call before the
 * answer to the first, even if that is not needed any more.
 */
typedef int (*KbcEvidenceFn)(void *userdata, const uint8_t *report_data, size_t size, Deadline deadline, Error *e);

typedef enum KbcTeeAlg {
        KBC_TEE_ALG_ECDH_P256, /* ECDH-ES+A256KW, the default */
        KBC_TEE_ALG_ECDH_P384, /* not offered by today's brokers */
        KBC_TEE_ALG_ECDH_P521,
        KBC_TEE_ALG_RSA_OAEP,     /* SHA-1: only for brokers that have nothing better */
        KBC_TEE_ALG_RSA_OAEP_256,
} KbcTeeAlg;

typedef struct KbcClientConfig {
        const char *url;           /* https://host[:port][/base]; nothing but https */
        const char *ca_file;       /* PEM; NULL only together with use_system_ca */
        bool use_system_ca;
        const char *tee;           /* "snp" */
        KbcTeeAlg alg;             /* RSA keys take some tenths of a second to make, in which nothing else happens */
        uint64_t request_timeout_usec; /* one HTTP exchange; 0 = 30 s */
        const KbcLoopOps *loop_ops;    /* NULL: use kbc_client_wait() */
        void *loop;
        KbcEvidenceFn evidence;
        void *evidence_userdata;
} KbcClientConfig;

/* Strings are copied. Reads the CA file once. 0, -EINVAL, -ENOENT, -EBADMSG, -ENOMEM. */
WARN_UNUSED int kbc_client_new(const KbcClientConfig *config, KbcClient **ret, Error *e);
/* Cancels everything; pending callbacks are not called. May be called from inside a callback. */
void kbc_client_free(KbcClient *client);
DEFINE_CLEANUP(KbcClient *, kbc_client_free);

/* @what: KBC_IO_* bits; errors and hang-ups count as KBC_IO_IN. */
void kbc_client_on_fd(KbcClient *client, int fd, unsigned what);
void kbc_client_on_timer(KbcClient *client);

/* @evidence is copied. */
void kbc_client_evidence_ready(KbcClient *client, const KbcEvidence *evidence);
void kbc_client_evidence_failed(KbcClient *client, int code, const Error *e);

/*
 * Called once, never from inside the function that made the request. @r 0: @secret holds the resource (for
 * kbc_client_attest(): NULL) and the callee may take it. @r < 0: @e says why; codes:
 *   -EPERM         the broker's policy denies this resource
 *   -ENOENT        no such resource, or the plugin failed: the protocol does not tell these apart
 *   -EKEYREJECTED  the broker does not accept our evidence; or TLS authentication failed
 *   -EPROTO        protocol version or message not understood; -EBADMSG malformed answer; -E2BIG too large
 *   -ECONNREFUSED, -EHOSTUNREACH, -ECONNRESET, -EIO  the broker cannot be reached, or breaks off
 *   -EBUSY         the broker asks for more time than there is
 *   -EOPNOTSUPP    the broker wants an algorithm that we do not have
 *   -ETIMEDOUT, -ECANCELED, -ENOMEM, or what the evidence source reported
 */
typedef void (*KbcDoneFn)(void *userdata, int r, Secret *secret, const Error *e);

/* Fetches resource @path ("repository/type/tag"), attesting first if there is no live session. */
/* At most 64 requests at a time: -EBUSY. -EINVAL for a name that is none. */
WARN_UNUSED int kbc_client_get_resource(KbcClient *client, const char *path, Deadline deadline, KbcDoneFn done,
                                        void *userdata, KbcRequest **ret, Error *e);
/* A fresh handshake, whatever session there is. */
WARN_UNUSED int kbc_client_attest(KbcClient *client, Deadline deadline, KbcDoneFn done, void *userdata,
                                  KbcRequest **ret, Error *e);
/* The callback will not be called; the pointer is invalid afterwards. A request is gone after its callback too. */
void kbc_request_cancel(KbcRequest *request);

/* For callers without a loop: runs until nothing is pending or @deadline. 0 or -ETIMEDOUT. */
WARN_UNUSED int kbc_client_wait(KbcClient *client, Deadline deadline, Error *e);

typedef struct KbcClientStatus {
        bool attested;              /* a session is live */
        uint64_t attested_at_usec;  /* monotonic; 0 = never */
        uint64_t expires_at_usec;   /* monotonic, by our own clock since receipt */
        uint64_t n_handshakes, n_resources, n_failures;
        int last_code;              /* of the last finished request; 0 = success */
        char last_error[ERROR_TEXT_MAX];
} KbcClientStatus;
void kbc_client_get_status(const KbcClient *client, KbcClientStatus *ret);

/* The rule of text_is_resource_path(). */
#define KBC_RESOURCE_PATH_MAX TEXT_RESOURCE_PATH_MAX
bool kbc_resource_path_is_valid(const char *path);
