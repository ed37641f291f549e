/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The machine inside user-mode-linux, for its test: see init.c. Every function fails the test, or the program, when it
 * does not work. */

#include <check.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "snp/device.h"

/* The server behind /dev/sev-guest, once for the whole suite. */
void guest_start(void);
void guest_stop(void);

/* Replaces the settings of the machine, which "boots" with it: a wiped message key is there again. */
void guest_control(const char *settings);
/* Whether the kernel shows that it is an SNP guest, and its VMPL. */
void guest_sign(bool there);
void guest_vmpl(unsigned vmpl);
/* Everything as at first. */
void guest_restore(void);

/* Judges an answer with nothing but its own certificates and the machine's root. */
int guest_verify(const SnpDeviceReport *answer, Error *e);

/* Runs snpctl in /run. @args end with NULL. Its exit status; standard output and error go to the files "out" and "err". */
int guest_snpctl(const char *const *args);

/* The tests of test-key-derive.c. */
TCase *test_key_derive(void);
