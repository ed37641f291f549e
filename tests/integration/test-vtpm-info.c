/* SPDX-License-Identifier: Apache-2.0 */
/* What a real TPM (swtpm) says about itself, and what becomes of it when one of its answers is none. */
#include <errno.h>
#include <string.h>

#include "tests/integration/interposer.h"
#include "tests/integration/swtpm.h"
#include "tests/unit/unit.h"
#include "vtpm/context.h"
#include "vtpm/info.h"

#define DEADLINE_USEC (30 * USEC_PER_SEC)

/* TPM 2.0 Library Part 2, "TPM_CC" */
#define CC_READ_PUBLIC 0x00000173u
#define CC_GET_CAPABILITY 0x0000017au
#define CC_READ_CLOCK 0x00000181u

static Swtpm tpm;

/* Storage, signing and no key at all, beside an attestation key. */
static void make_keys(void) {
        static const char script[] =
                "set -e; f() { tpm2_flushcontext -t; }\n"
                "tpm2_createprimary -Q -C o -G rsa2048 -c srk; f; tpm2_evictcontrol -Q -C o -c srk 0x81000011; f\n"
                "tpm2_createprimary -Q -C o -G ecc256:ecdsa-sha256:null -c sk -a "
                "'fixedtpm|fixedparent|sensitivedataorigin|userwithauth|sign'; f\n"
                "tpm2_evictcontrol -Q -C o -c sk 0x81000012; f\n"
                "tpm2_createprimary -Q -C e -G ecc384:ecdsa-sha384:null -g sha384 -c ak -a "
                "'fixedtpm|fixedparent|sensitivedataorigin|userwithauth|noda|restricted|sign'; f\n"
                "tpm2_evictcontrol -Q -C o -c ak 0x81000013; f\n"
                "echo secret | tpm2_create -Q -C srk -i - -u s.pub -r s.priv; f\n"
                "tpm2_load -Q -C srk -u s.pub -r s.priv -c s; f; tpm2_evictcontrol -Q -C o -c s 0x81000014; f\n";
        const char *argv[] = { "sh", "-c", script, NULL };

        ck_assert_int_eq(swtpm_run(&tpm, argv), 0);
}

static int read_info(const char *tcti, VtpmInfo *ret, Error *e) {
        CLEANUP(vtpm_context_freep) VtpmContext *ctx = NULL;
        int r = vtpm_context_open(tcti, deadline_in(DEADLINE_USEC), &ctx, e);

        return r < 0 ? r : vtpm_info_read(ctx, ret, e);
}

START_TEST(facts_and_keys_are_told) {
        static const struct { uint32_t handle; VtpmKeyRole role; uint16_t type, bits; } want[] = {
                { 0x81000011, VTPM_KEY_STORAGE, VTPM_ALG_RSA, 2048 },
                { 0x81000012, VTPM_KEY_SIGNING, VTPM_ALG_ECC, 256 },
                { 0x81000013, VTPM_KEY_ATTESTATION, VTPM_ALG_ECC, 384 },
                { 0x81000014, VTPM_KEY_OTHER, 0, 0 }, /* a sealed secret */
        };
        VtpmInfo info;
        Error e = {};
        int r = read_info(tpm.tcti, &info, &e);

        ck_assert_msg(r == 0, "%s", error_text(&e, r));
        ck_assert_str_eq(info.family, "2.0");
        ck_assert_str_eq(info.manufacturer, "IBM");
        ck_assert_str_eq(info.vendor, "SW   TPM");
        ck_assert_uint_eq(info.nv_index_max, 2048);
        ck_assert_uint_eq(info.nv_buffer_max, 1024);
        ck_assert_uint_eq(info.spec_year, 2021);
        ck_assert(info.owner_enabled && info.endorsement_enabled && !info.owner_auth && !info.in_lockout);
        ck_assert_uint_gt(info.lockout_max, 0);
        ck_assert_uint_gt(info.clock.reset_count, 0);
        ck_assert_uint_eq(info.banks.n_banks, 4);
        ck_assert_uint_gt(info.n_algs, 20);
        for (size_t i = 1; i < info.n_algs; i++)
                ck_assert_uint_gt(info.algs[i], info.algs[i - 1]);
        ck_assert_uint_eq(info.transient.n, 0);
        ck_assert_uint_eq(info.n_keys, N_ELEMENTS(want));
        ck_assert_uint_eq(info.persistent.n, N_ELEMENTS(want));
        for (size_t i = 0; i < N_ELEMENTS(want); i++) {
                ck_assert_uint_eq(info.keys[i].handle, want[i].handle);
                ck_assert_int_eq(info.keys[i].role, want[i].role);
                ck_assert_uint_eq(info.keys[i].type, want[i].type);
                ck_assert_uint_eq(info.keys[i].bits, want[i].bits);
        }
} END_TEST

static const struct {
        uint32_t command;
        unsigned n_pass;
        uint32_t code;
        int r;
} failures[] = {
        { CC_GET_CAPABILITY, 0, 0x101, -EIO }, { CC_GET_CAPABILITY, 1, 0x101, -EIO },
        { CC_GET_CAPABILITY, 2, 0x101, -EIO }, { CC_GET_CAPABILITY, 3, 0x101, -EIO },
        { CC_GET_CAPABILITY, 4, 0x101, -EIO }, { CC_GET_CAPABILITY, 5, 0x101, -EIO },
        { CC_READ_CLOCK, 0, 0x101, -EIO },
        { CC_READ_PUBLIC, 0, 0x18b, 0 }, /* a key that went away in between */
};

START_TEST(failing_command_fails_the_whole) {
        InterposerOptions options = { .upstream = &tpm, .act = INTERPOSER_CODE, .command = failures[_i].command,
                                      .n_pass = failures[_i].n_pass, .code = failures[_i].code };
        VtpmInfo info = {};
        Error e = {};
        Interposer i;
        int r;

        ck_assert_int_eq(interposer_start(&options, &i), 0);
        r = read_info(i.tcti, &info, &e);
        interposer_stop(&i);
        ck_assert_msg(r == failures[_i].r, "%d: %s", r, error_text(&e, r));
        if (r == 0)
                ck_assert_int_eq(info.keys[0].role, VTPM_KEY_OTHER);
        else
                ck_assert_uint_eq(info.n_algs, 0); /* untouched */
} END_TEST

START_TEST(lost_connection_is_told) {
        static const uint32_t commands[] = { CC_GET_CAPABILITY, CC_READ_CLOCK, CC_READ_PUBLIC };
        InterposerOptions options = { .upstream = &tpm, .act = INTERPOSER_CLOSE, .command = commands[_i] };
        VtpmInfo info;
        Error e = {};
        Interposer i;
        int r;

        ck_assert_int_eq(interposer_start(&options, &i), 0);
        r = read_info(i.tcti, &info, &e);
        interposer_stop(&i);
        ck_assert_msg(r < 0 && r == e.code, "%d", r);
} END_TEST

START_TEST(names_are_told_or_not) {
        ck_assert_str_eq(vtpm_key_role_name(VTPM_KEY_ENDORSEMENT), "endorsement");
        ck_assert_str_eq(vtpm_key_role_name((VtpmKeyRole) 99), "other");
        ck_assert_str_eq(vtpm_alg_name(VTPM_ALG_RSAPSS), "rsapss");
        ck_assert_str_eq(vtpm_alg_name(VTPM_ALG_SHA512), "sha512");
        ck_assert_ptr_null(vtpm_alg_name(0xfffe));
} END_TEST

static Suite *suite(void) {
        Suite *s = suite_create("vtpm-info");
        TCase *tc = tcase_create("info");

        tcase_add_unchecked_fixture(tc, make_keys, NULL);
        tcase_add_test(tc, facts_and_keys_are_told);
        tcase_add_loop_test(tc, failing_command_fails_the_whole, 0, N_ELEMENTS(failures));
        tcase_add_loop_test(tc, lost_connection_is_told, 0, 3);
        tcase_add_test(tc, names_are_told_or_not);
        suite_add_tcase(s, tc);
        return s;
}

int main(void) {
        int r;

        if (!swtpm_available())
                return unit_skip("swtpm is not installed");
        if (!program_available("tpm2_createprimary"))
                return unit_skip("tpm2-tools is not installed");
        if (swtpm_start(NULL, &tpm) < 0)
                return 1;
        r = unit_run(suite());
        swtpm_stop(&tpm);
        return r;
}
