/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What a REST client is told when it does not get what it wants: RFC 9457 problem details. */

#include "base/cleanup.h"
#include "base/error.h"

#define REST_PROBLEM_TYPE "application/problem+json"

/*
 * Status code for a failure of the work behind a request: nobody knows whose fault EBADMSG is, so what is
 * wrong with the request itself is told apart by the caller. Broker says no: 403, 404; broker cannot be
 * reached or makes no sense: 502; not in time: 504; this machine cannot: 503; too much at once: 429, 503.
 */
unsigned rest_status_of(int code, const Error *e);

/* "Not Found" (RFC 9110, section 15); "Error" for one we never send. */
const char *rest_status_title(unsigned status);

/* Heap text of {"type","title","status","detail","reason"}; NULL without memory. */
char *rest_problem_text(unsigned status, int code, const Error *e);
