/* SPDX-License-Identifier: Apache-2.0 */
/* NV indices of a real TPM (swtpm): of the owner and of the platform, in chunks, and every way they are not there. */
#include <errno.h>
#include <string.h>

#include "base/reader.h"
#include "tests/integration/interposer.h"
#include "tests/integration/swtpm.h"
#include "tests/unit/unit.h"
#include "vtpm/context.h"
#include "vtpm/esys.h"
#include "vtpm/nv.h"

#define DEADLINE_USEC (30 * USEC_PER_SEC)

/* TPM 2.0 Library Part 2, "TPM_CC" */
#define CC_NV_WRITE 0x00000137u
#define CC_NV_READ 0x0000014eu
#define CC_NV_READ_PUBLIC 0x00000169u
#define CC_GET_CAPABILITY 0x0000017au

#define INDEX 0x01400002u
#define SIZE_MAX_HERE 2048u /* TPM_PT_NV_INDEX_MAX of libtpms */

#define OWNER (VTPM_NV_OWNERREAD | VTPM_NV_OWNERWRITE)
#define PLATFORM (VTPM_NV_PPREAD | VTPM_NV_PPWRITE | VTPM_NV_PLATFORMCREATE | VTPM_NV_NO_DA)

static Swtpm tpm;

static VtpmContext *open_tpm(const char *tcti) {
        VtpmContext *ctx = NULL;
        Error e = {};
        int r = vtpm_context_open(tcti, deadline_in(DEADLINE_USEC), &ctx, &e);

        ck_assert_msg(r == 0, "%s", error_text(&e, r));
        return ctx;
}

static void must_be(int r, int want, const char *reason, const Error *e) {
        ck_assert_msg(r == want, "%d instead of %d: %s", r, want, error_text(e, r));
        if (want < 0)
                ck_assert_str_eq(error_reason(e, r), reason);
}

/* An index as platforms make them. @password: of the index. */
static void define(uint32_t index, uint32_t attributes, uint16_t size, const char *password) {
        CLEANUP(vtpm_context_freep) VtpmContext *ctx = open_tpm(tpm.tcti);
        ESYS_CONTEXT *esys = vtpm_context_esys(ctx);
        ESYS_TR tr = ESYS_TR_NONE, by = attributes & VTPM_NV_PLATFORMCREATE ? ESYS_TR_RH_PLATFORM : ESYS_TR_RH_OWNER;
        TPM2B_NV_PUBLIC pub = { .nvPublic = { .nvIndex = index, .nameAlg = TPM2_ALG_SHA256, .attributes = attributes,
                                              .dataSize = size } };
        TPM2B_AUTH auth = { .size = (uint16_t) strlen(password) };

        (void) memcpy(auth.buffer, password, auth.size);
        ck_assert_uint_eq(Esys_NV_DefineSpace(esys, by, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, &auth, &pub, &tr),
                          TSS2_RC_SUCCESS);
        (void) Esys_TR_Close(esys, &tr);
}

/* Writes @size bytes that tell where they stand, by the platform or the owner. */
static uint8_t byte_at(size_t offset) {
        return (uint8_t) (offset ^ offset >> 8 ^ 0x5a);
}

static void fill(uint32_t index, uint32_t attributes, uint16_t size) {
        CLEANUP(vtpm_context_freep) VtpmContext *ctx = open_tpm(tpm.tcti);
        ESYS_CONTEXT *esys = vtpm_context_esys(ctx);
        ESYS_TR tr = ESYS_TR_NONE, by = attributes & VTPM_NV_PPWRITE ? ESYS_TR_RH_PLATFORM : ESYS_TR_RH_OWNER;

        ck_assert_uint_eq(Esys_TR_FromTPMPublic(esys, index, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &tr), 0);
        for (uint16_t at = 0; at < size;) {
                TPM2B_MAX_NV_BUFFER part = { .size = (uint16_t) (size - at < 512 ? size - at : 512) };

                for (size_t i = 0; i < part.size; i++)
                        part.buffer[i] = byte_at(at + i);
                ck_assert_uint_eq(Esys_NV_Write(esys, by, tr, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, &part, at),
                                  0);
                at = (uint16_t) (at + part.size);
        }
        (void) Esys_TR_Close(esys, &tr);
}

static void undefine(uint32_t index) {
        CLEANUP(vtpm_context_freep) VtpmContext *ctx = open_tpm(tpm.tcti);
        ESYS_CONTEXT *esys = vtpm_context_esys(ctx);
        AUTO_ESYS_FREE TPM2B_NV_PUBLIC *pub = NULL;
        ESYS_TR tr = ESYS_TR_NONE;

        if (Esys_TR_FromTPMPublic(esys, index, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &tr) != 0)
                return;
        ck_assert_uint_eq(Esys_NV_ReadPublic(esys, tr, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &pub, NULL), 0);
        ck_assert_uint_eq(Esys_NV_UndefineSpace(esys,
                                                pub->nvPublic.attributes & VTPM_NV_PLATFORMCREATE ? ESYS_TR_RH_PLATFORM
                                                                                                 : ESYS_TR_RH_OWNER,
                                                tr, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE), 0);
}

static void read_from(const char *tcti, size_t max, int want, const char *reason, Blob *ret) {
        CLEANUP(vtpm_context_freep) VtpmContext *ctx = open_tpm(tcti);
        Error e = {};

        must_be(vtpm_nv_read(ctx, INDEX, max, ret, &e), want, reason, &e);
}

static void must_hold(const Blob *data, size_t size) {
        ck_assert_uint_eq(data->size, size);
        for (size_t i = 0; i < size; i++)
                ck_assert_uint_eq(data->data[i], byte_at(i));
}

static void setup(void) {
        undefine(INDEX);
}

START_TEST(index_of_the_owner_lives_and_dies) {
        CLEANUP(vtpm_context_freep) VtpmContext *ctx = open_tpm(tpm.tcti);
        AUTO_BLOB Blob data = {};
        VtpmNvPublic pub;
        uint8_t bytes[64];
        Error e = {};

        (void) memset(bytes, 7, sizeof(bytes));
        must_be(vtpm_nv_define(ctx, INDEX, sizeof(bytes), &e), 0, NULL, &e);
        must_be(vtpm_nv_public(ctx, INDEX, &pub, &e), 0, NULL, &e);
        ck_assert_uint_eq(pub.index, INDEX);
        ck_assert_uint_eq(pub.size, sizeof(bytes));
        ck_assert_uint_eq(pub.name_alg, TPM2_ALG_SHA256);
        ck_assert_uint_eq(pub.attributes, OWNER);
        must_be(vtpm_nv_write(ctx, INDEX, bytes, sizeof(bytes), &e), 0, NULL, &e);
        must_be(vtpm_nv_public(ctx, INDEX, &pub, &e), 0, NULL, &e);
        ck_assert_uint_eq(pub.attributes, OWNER | VTPM_NV_WRITTEN);
        must_be(vtpm_nv_read(ctx, INDEX, sizeof(bytes), &data, &e), 0, NULL, &e);
        ck_assert_uint_eq(data.size, sizeof(bytes));
        ck_assert_mem_eq(data.data, bytes, sizeof(bytes));
        must_be(vtpm_nv_undefine(ctx, INDEX, &e), 0, NULL, &e);
        must_be(vtpm_nv_public(ctx, INDEX, &pub, &e), -ENOENT, "nv-absent", &e);
}
END_TEST

START_TEST(part_of_an_index_can_be_written) {
        CLEANUP(vtpm_context_freep) VtpmContext *ctx = open_tpm(tpm.tcti);
        AUTO_BLOB Blob data = {};
        Error e = {};

        must_be(vtpm_nv_define(ctx, INDEX, 8, &e), 0, NULL, &e);
        must_be(vtpm_nv_write(ctx, INDEX, "abc", 3, &e), 0, NULL, &e);
        must_be(vtpm_nv_read(ctx, INDEX, 8, &data, &e), 0, NULL, &e);
        ck_assert_mem_eq(data.data, "abc\xff\xff\xff\xff\xff", 8); /* Part 3, "TPM2_NV_Write": the rest is ones */
        must_be(vtpm_nv_write(ctx, INDEX, "123456789", 9, &e), -E2BIG, "nv-too-large", &e);
}
END_TEST

START_TEST(index_that_is_not_there_is_told_so) {
        CLEANUP(vtpm_context_freep) VtpmContext *ctx = open_tpm(tpm.tcti);
        AUTO_BLOB Blob data = {};
        VtpmNvPublic pub;

        for (int i = 0; i < 4; i++) {
                Error e = {};
                int r = i == 0   ? vtpm_nv_public(ctx, INDEX, &pub, &e)
                        : i == 1 ? vtpm_nv_read(ctx, INDEX, 64, &data, &e)
                        : i == 2 ? vtpm_nv_write(ctx, INDEX, "x", 1, &e)
                                 : vtpm_nv_undefine(ctx, INDEX, &e);

                must_be(r, -ENOENT, "nv-absent", &e);
        }
        ck_assert_ptr_null(data.data);
}
END_TEST

START_TEST(handle_of_another_kind_is_no_index) {
        CLEANUP(vtpm_context_freep) VtpmContext *ctx = open_tpm(tpm.tcti);
        VtpmNvPublic pub;

        for (int i = 0; i < 2; i++) {
                Error e = {};

                must_be(i ? vtpm_nv_define(ctx, 0x81000003, 64, &e) : vtpm_nv_public(ctx, 0x81000003, &pub, &e), -EINVAL,
                        "nv-index", &e);
        }
}
END_TEST

START_TEST(index_never_written_is_told_from_an_absent_one) {
        AUTO_BLOB Blob data = {};

        define(INDEX, OWNER, 64, "");
        read_from(tpm.tcti, 64, -ENODATA, "nv-unwritten", &data);
        ck_assert_ptr_null(data.data);
}
END_TEST

START_TEST(index_is_defined_once_and_not_larger_than_the_tpm_takes) {
        CLEANUP(vtpm_context_freep) VtpmContext *ctx = open_tpm(tpm.tcti);
        Error defined = {}, large = {};

        define(INDEX, OWNER, 64, "");
        must_be(vtpm_nv_define(ctx, INDEX, 64, &defined), -EEXIST, "nv-defined", &defined);
        must_be(vtpm_nv_define(ctx, INDEX + 1, SIZE_MAX_HERE + 1, &large), -E2BIG, "nv-too-large", &large);
}
END_TEST

START_TEST(room_for_indices_ends) {
        CLEANUP(vtpm_context_freep) VtpmContext *ctx = open_tpm(tpm.tcti);
        uint32_t index = INDEX + 0x100;
        Error e = {};
        int r = 0;

        for (; r == 0 && index < INDEX + 0x200; index++)
                r = vtpm_nv_define(ctx, index, SIZE_MAX_HERE, &e);
        for (uint32_t made = INDEX + 0x100; made < index - 1; made++)
                ck_assert_int_eq(vtpm_nv_undefine(ctx, made, NULL), 0);
        must_be(r, -ENOSPC, "nv-full", &e);
}
END_TEST

/* Around the chunks of 1024 and 512 bytes. */
static const uint16_t sizes[] = { 1, 511, 512, 513, 1023, 1024, 1025, 1536, 2047, 2048 };

START_TEST(every_size_is_read_whole) {
        uint32_t attributes = PLATFORM | VTPM_NV_OWNERREAD | VTPM_NV_AUTHREAD;
        AUTO_BLOB Blob data = {};

        define(INDEX, attributes, sizes[_i], "");
        fill(INDEX, attributes, sizes[_i]);
        read_from(tpm.tcti, VTPM_NV_SIZE_MAX, 0, NULL, &data);
        must_hold(&data, sizes[_i]);
}
END_TEST

START_TEST(every_size_is_written_whole) {
        CLEANUP(vtpm_context_freep) VtpmContext *ctx = open_tpm(tpm.tcti);
        AUTO_BLOB Blob data = {};
        uint8_t bytes[SIZE_MAX_HERE];
        Error e = {};

        for (size_t i = 0; i < sizeof(bytes); i++)
                bytes[i] = byte_at(i);
        must_be(vtpm_nv_define(ctx, INDEX, sizes[_i], &e), 0, NULL, &e);
        must_be(vtpm_nv_write(ctx, INDEX, bytes, sizes[_i], &e), 0, NULL, &e);
        must_be(vtpm_nv_read(ctx, INDEX, sizes[_i], &data, &e), 0, NULL, &e);
        must_hold(&data, sizes[_i]);
}
END_TEST

START_TEST(more_than_the_caller_takes_is_not_read) {
        AUTO_BLOB Blob data = {};

        define(INDEX, OWNER, 65, "");
        fill(INDEX, OWNER, 65);
        read_from(tpm.tcti, 64, -E2BIG, "nv-too-large", &data);
        read_from(tpm.tcti, 65, 0, NULL, &data);
        must_hold(&data, 65);
}
END_TEST

/* Who may read, with what password the index has, and what comes of it. */
static const struct {
        const char *why;
        uint32_t attributes;
        const char *password;
        int want;
        const char *reason;
} readers[] = {
        { "the owner", PLATFORM | VTPM_NV_OWNERREAD, "", 0, NULL },
        { "the index alone", PLATFORM | VTPM_NV_AUTHREAD, "", 0, NULL },
        { "the index, which has a password", PLATFORM | VTPM_NV_AUTHREAD, "secret", -EACCES, "tpm-auth" },
        { "the owner, whatever password the index has", PLATFORM | VTPM_NV_OWNERREAD | VTPM_NV_AUTHREAD, "secret", 0,
          NULL },
        { "the platform alone", PLATFORM, "", -EACCES, "nv-auth" },
};

START_TEST(reading_takes_the_way_that_is_open) {
        AUTO_BLOB Blob data = {};

        define(INDEX, readers[_i].attributes, 16, readers[_i].password);
        fill(INDEX, readers[_i].attributes, 16);
        read_from(tpm.tcti, 16, readers[_i].want, readers[_i].reason, &data);
        if (readers[_i].want == 0)
                must_hold(&data, 16);
        else
                ck_assert_ptr_null(data.data);
}
END_TEST

static void set_owner_password(const char *old, const char *new) {
        CLEANUP(vtpm_context_freep) VtpmContext *ctx = open_tpm(tpm.tcti);
        ESYS_CONTEXT *esys = vtpm_context_esys(ctx);
        TPM2B_AUTH was = { .size = (uint16_t) strlen(old) }, is = { .size = (uint16_t) strlen(new) };

        (void) memcpy(was.buffer, old, was.size);
        (void) memcpy(is.buffer, new, is.size);
        ck_assert_uint_eq(Esys_TR_SetAuth(esys, ESYS_TR_RH_OWNER, &was), 0);
        ck_assert_uint_eq(Esys_HierarchyChangeAuth(esys, ESYS_TR_RH_OWNER, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE,
                                                   &is), 0);
}

START_TEST(owner_with_a_password_leaves_the_index_its_own_way) {
        CLEANUP(vtpm_context_freep) VtpmContext *ctx = NULL;
        AUTO_BLOB Blob data = {}, none = {};
        uint32_t both = PLATFORM | VTPM_NV_OWNERREAD | VTPM_NV_AUTHREAD;
        Error owner = {}, making = {};

        define(INDEX, both, 16, "");
        fill(INDEX, both, 16);
        define(INDEX + 1, PLATFORM | VTPM_NV_OWNERREAD, 16, "");
        fill(INDEX + 1, PLATFORM, 16);
        set_owner_password("", "tenant");
        read_from(tpm.tcti, 16, 0, NULL, &data);
        must_hold(&data, 16);
        ctx = open_tpm(tpm.tcti);
        must_be(vtpm_nv_read(ctx, INDEX + 1, 16, &none, &owner), -EACCES, "tpm-auth", &owner);
        must_be(vtpm_nv_define(ctx, INDEX + 2, 16, &making), -EACCES, "tpm-auth", &making);
        vtpm_context_free(TAKE_PTR(ctx));
        set_owner_password("tenant", "");
        undefine(INDEX + 1);
}
END_TEST

START_TEST(what_the_owner_may_not_write_or_remove_stays) {
        CLEANUP(vtpm_context_freep) VtpmContext *ctx = open_tpm(tpm.tcti);
        AUTO_BLOB Blob data = {};
        Error writing = {}, removing = {};

        define(INDEX, PLATFORM | VTPM_NV_OWNERREAD, 16, "");
        fill(INDEX, PLATFORM, 16);
        must_be(vtpm_nv_write(ctx, INDEX, "x", 1, &writing), -EACCES, "nv-auth", &writing);
        must_be(vtpm_nv_undefine(ctx, INDEX, &removing), -EACCES, "nv-auth", &removing);
        ck_assert_int_eq(vtpm_nv_read(ctx, INDEX, 16, &data, NULL), 0);
        must_hold(&data, 16);
}
END_TEST

static Interposer interpose(InterposerOptions options) {
        Interposer i;

        options.upstream = &tpm;
        ck_assert_int_eq(interposer_start(&options, &i), 0);
        return i;
}

/* 0x1c4: TPM_RC_VALUE for parameter 1; 0x1d5: TPM_RC_SIZE. */
static const uint32_t too_much[] = { 0x1c4, 0x1d5 };

START_TEST(tpm_that_takes_less_than_it_says_gets_less) {
        uint32_t attributes = PLATFORM | VTPM_NV_OWNERREAD;
        Interposer i = interpose((InterposerOptions){ .act = INTERPOSER_CODE, .command = CC_NV_READ, .n_act = 1,
                                                      .code = too_much[_i] });
        AUTO_BLOB Blob data = {};

        define(INDEX, attributes, 1500, "");
        fill(INDEX, attributes, 1500);
        read_from(i.tcti, 1500, 0, NULL, &data);
        must_hold(&data, 1500);
        interposer_stop(&i);
}
END_TEST

START_TEST(tpm_that_takes_nothing_is_not_asked_for_ever) {
        uint32_t attributes = PLATFORM | VTPM_NV_OWNERREAD;
        Interposer i = interpose((InterposerOptions){ .act = INTERPOSER_CODE, .command = CC_NV_READ,
                                                      .code = too_much[_i] });
        AUTO_BLOB Blob data = {};

        define(INDEX, attributes, 1500, "");
        fill(INDEX, attributes, 1500);
        read_from(i.tcti, 1500, -EIO, "tpm-error", &data);
        interposer_stop(&i);
}
END_TEST

static const struct {
        uint32_t command;
        uint32_t code;
        int want;
        const char *reason;
} codes[] = {
        { CC_NV_READ, 0x14a, -ENODATA, "nv-unwritten" },
        { CC_NV_READ, 0x146, -E2BIG, "nv-range" },
        { CC_NV_READ, 0x148, -EACCES, "nv-locked" },
        { CC_NV_READ, 0x18b, -ENOENT, "nv-absent" }, /* removed since it was looked at */
        { CC_NV_READ_PUBLIC, 0x18b, -ENOENT, "nv-absent" },
        { CC_NV_READ_PUBLIC, 0x101, -EIO, "tpm-failure-mode" },
        { CC_GET_CAPABILITY, 0x101, -EIO, "tpm-failure-mode" },
};

START_TEST(code_of_the_tpm_is_told) {
        Interposer i;
        AUTO_BLOB Blob data = {};

        define(INDEX, OWNER, 16, "");
        fill(INDEX, OWNER, 16);
        i = interpose((InterposerOptions){ .act = INTERPOSER_CODE, .command = codes[_i].command,
                                           .code = codes[_i].code });
        read_from(i.tcti, 16, codes[_i].want, codes[_i].reason, &data);
        ck_assert_ptr_null(data.data);
        interposer_stop(&i);
}
END_TEST

START_TEST(index_removed_between_two_looks_is_absent) {
        Interposer i = interpose((InterposerOptions){ .act = INTERPOSER_CODE, .command = CC_NV_READ_PUBLIC, .n_pass = 1,
                                                      .code = 0x18b });
        CLEANUP(vtpm_context_freep) VtpmContext *ctx = NULL;
        VtpmNvPublic pub;
        Error e = {};

        define(INDEX, OWNER, 16, "");
        ctx = open_tpm(i.tcti);
        must_be(vtpm_nv_public(ctx, INDEX, &pub, &e), -ENOENT, "nv-absent", &e);
        interposer_stop(&i);
}
END_TEST

START_TEST(write_that_fails_is_told) {
        Interposer i = interpose((InterposerOptions){ .act = INTERPOSER_CODE, .command = CC_NV_WRITE, .code = 0x148 });
        CLEANUP(vtpm_context_freep) VtpmContext *ctx = NULL;
        Error e = {};

        define(INDEX, OWNER, 16, "");
        ctx = open_tpm(i.tcti);
        must_be(vtpm_nv_write(ctx, INDEX, "x", 1, &e), -EACCES, "nv-locked", &e);
        interposer_stop(&i);
}
END_TEST

static Suite *suite(void) {
        Suite *s = suite_create("vtpm-nv");
        TCase *c = tcase_create("nv");

        tcase_add_checked_fixture(c, setup, setup);
        tcase_add_test(c, index_of_the_owner_lives_and_dies);
        tcase_add_test(c, part_of_an_index_can_be_written);
        tcase_add_test(c, index_that_is_not_there_is_told_so);
        tcase_add_test(c, handle_of_another_kind_is_no_index);
        tcase_add_test(c, index_never_written_is_told_from_an_absent_one);
        tcase_add_test(c, index_is_defined_once_and_not_larger_than_the_tpm_takes);
        tcase_add_test(c, room_for_indices_ends);
        tcase_add_loop_test(c, every_size_is_read_whole, 0, N_ELEMENTS(sizes));
        tcase_add_loop_test(c, every_size_is_written_whole, 0, N_ELEMENTS(sizes));
        tcase_add_test(c, more_than_the_caller_takes_is_not_read);
        tcase_add_loop_test(c, reading_takes_the_way_that_is_open, 0, N_ELEMENTS(readers));
        tcase_add_test(c, owner_with_a_password_leaves_the_index_its_own_way);
        tcase_add_test(c, what_the_owner_may_not_write_or_remove_stays);
        tcase_add_loop_test(c, tpm_that_takes_less_than_it_says_gets_less, 0, N_ELEMENTS(too_much));
        tcase_add_loop_test(c, tpm_that_takes_nothing_is_not_asked_for_ever, 0, N_ELEMENTS(too_much));
        tcase_add_loop_test(c, code_of_the_tpm_is_told, 0, N_ELEMENTS(codes));
        tcase_add_test(c, index_removed_between_two_looks_is_absent);
        tcase_add_test(c, write_that_fails_is_told);
        suite_add_tcase(s, c);
        return s;
}

int main(void) {
        int r;

        if (!swtpm_available())
                return unit_skip("swtpm is not installed");
        if (swtpm_start(NULL, &tpm) < 0)
                return 1;
        r = unit_run(suite());
        swtpm_stop(&tpm);
        return r;
}
