/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Functions return 0 (or a documented positive value) on success and a negative errno when the
 * operation could not be completed. The vocabulary is small and means the same everywhere:
 *
 *   EBADMSG       malformed bytes: wrong length, wrong magic, reserved bits, syntax
 *   EPROTO        the peer broke the protocol, with well-formed bytes
 *   E2BIG         over a named limit
 *   EKEYREJECTED  a signature, certificate chain or authentication tag does not hold
 *   ESTALE        nonce, freshness or generation: the right kind of answer, but not to this question
 *   EPERM         policy says no
 *   EACCES        the operating system or a remote server does not let us
 *   ENODEV        no such evidence source on this machine
 *   EOPNOTSUPP    known, but not supported (version, algorithm, platform)
 *   ENOENT        a named thing does not exist; ENODATA: it does, and nothing was ever put there
 *   EINVAL        the caller's argument or a configuration value is wrong
 *   EBUSY EAGAIN  try again later; ETIMEDOUT the deadline passed; ECONNREFUSED, ECONNRESET, EEXIST,
 *   ENOSPC, EIO, ENOMEM as usual
 *
 * What a person or a monitoring rule needs travels in an Error, the optional last parameter: a short
 * stable identifier for machines ("report-truncated") and a sentence for people, with the offset, the
 * field or the file and line. The first cause wins; callers may put context in front of the sentence.
 * Error text never holds a secret.
 */

#define ERROR_TEXT_MAX 384

typedef struct Error {
        int code;                  /* negative errno; 0 as long as nothing went wrong */
        const char *reason;        /* stable machine-readable identifier; static storage */
        char text[ERROR_TEXT_MAX]; /* for people, never parsed */
} Error;

/**
 * error_set() - record a failure unless one is recorded already
 * @e:       may be NULL
 * @code:    negative errno
 * @reason:  static string of [a-z0-9-]
 *
 * Bytes of @text outside printable ASCII are replaced by '?', so text taken from a peer cannot forge
 * log lines or drive a terminal.
 *
 * Return: @code, so that a function can end in `return error_set(e, -EBADMSG, ...)`.
 */
int error_set(Error *e, int code, const char *reason, const char *fmt, ...)
        __attribute__((__format__(__printf__, 4, 5)));

/* Puts "CONTEXT: " in front of the sentence of a recorded failure. No-op when nothing is recorded. */
void error_prefix(Error *e, const char *fmt, ...) __attribute__((__format__(__printf__, 2, 3)));

/* Records -ENOMEM. Return: -ENOMEM. */
int error_oom(Error *e);

/* The sentence, or the name of @code when no sentence was recorded. Never NULL. */
const char *error_text(const Error *e, int code);

/* The identifier, or a generic one made from @code ("out-of-memory", "failed"). Never NULL. */
const char *error_reason(const Error *e, int code);
