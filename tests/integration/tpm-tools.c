/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/integration/tpm-tools.h"

#include <check.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <openssl/x509.h>

#include "base/file.h"

#define ARGS_MAX 24u
#define FILE_MAX 65536u

/* TPM 2.0 Library Part 2, "TPM_HC"; tpm2-tss' own names for them shift into the sign bit */
#define TRANSIENT_FIRST 0x80000000u
#define LOADED_SESSION_FIRST 0x02000000u
#define SAVED_SESSION_FIRST 0x03000000u

VtpmContext *tpm_open(const char *tcti) {
        VtpmContext *ctx = NULL;
        Error e = {};
        int r = vtpm_context_open(tcti, deadline_in(TPM_USEC), &ctx, &e);

        ck_assert_msg(r == 0, "%s", error_text(&e, r));
        return ctx;
}

void tpm_must_be(int r, int want, const char *reason, const Error *e) {
        ck_assert_msg(r == want, "%d instead of %d: %s", r, want, error_text(e, r));
        if (want < 0)
                ck_assert_msg(strcmp(error_reason(e, r), reason) == 0, "%s instead of %s: %s", error_reason(e, r),
                              reason, error_text(e, r));
}

static void must_have_none(VtpmContext *ctx, uint32_t first) {
        AUTO_ESYS_FREE TPMS_CAPABILITY_DATA *data = NULL;

        ck_assert_uint_eq(Esys_GetCapability(vtpm_context_esys(ctx), ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                                             TPM2_CAP_HANDLES, first, 32, NULL, &data), TSS2_RC_SUCCESS);
        ck_assert_msg(data->data.handles.count == 0, "%u handles from 0x%08x on", data->data.handles.count,
                      data->data.handles.handle[0]);
}

void tpm_must_be_clean(const Swtpm *tpm) {
        CLEANUP(vtpm_context_freep) VtpmContext *ctx = tpm_open(tpm->tcti);

        must_have_none(ctx, TRANSIENT_FIRST);
        must_have_none(ctx, LOADED_SESSION_FIRST);
        must_have_none(ctx, SAVED_SESSION_FIRST);
}

void tpm_tool(const Swtpm *tpm, const char *first, ...) {
        const char *argv[ARGS_MAX] = { first };
        va_list ap;

        va_start(ap, first);
        for (size_t n = 1; argv[n - 1]; n++) {
                ck_assert_uint_lt(n, ARGS_MAX);
                argv[n] = va_arg(ap, const char *);
        }
        va_end(ap);
        ck_assert_msg(swtpm_run(tpm, argv) == 0, "%s failed", first);
}

static void path_of(const Swtpm *tpm, const char *name, char *ret, size_t size) {
        (void) snprintf(ret, size, "%s/%s", tpm->dir, name);
}

Blob tpm_file_read(const Swtpm *tpm, const char *name) {
        char path[160];
        Blob b = {};

        path_of(tpm, name, path, sizeof(path));
        ck_assert_int_eq(file_read(path, FILE_MAX, &b, NULL), 0);
        return b;
}

void tpm_file_write(const Swtpm *tpm, const char *name, const void *data, size_t size) {
        char path[160];
        FILE *f;

        path_of(tpm, name, path, sizeof(path));
        f = fopen(path, "we");
        ck_assert_ptr_nonnull(f);
        ck_assert_uint_eq(fwrite(data, 1, size, f), size);
        ck_assert_int_eq(fclose(f), 0);
}

Blob tpm_certificate(EVP_PKEY *key, EVP_PKEY *signer) {
        X509 *cert = X509_new();
        unsigned char *der = NULL;
        Blob b = {};
        int n;

        ck_assert_int_eq(X509_set_version(cert, X509_VERSION_3), 1);
        ck_assert_int_eq(ASN1_INTEGER_set(X509_get_serialNumber(cert), 1), 1);
        ck_assert_ptr_nonnull(X509_gmtime_adj(X509_getm_notBefore(cert), 0));
        ck_assert_ptr_nonnull(X509_gmtime_adj(X509_getm_notAfter(cert), 3600));
        ck_assert_int_eq(X509_set_pubkey(cert, key), 1);
        ck_assert_int_gt(X509_sign(cert, signer ? signer : key, EVP_sha256()), 0);
        n = i2d_X509(cert, &der);
        ck_assert_int_gt(n, 0);
        ck_assert_int_eq(blob_dup(der, (size_t) n, &b), 0);
        OPENSSL_free(der);
        X509_free(cert);
        return b;
}

void tpm_nv_put(const Swtpm *tpm, uint32_t index, const void *data, size_t size) {
        char name[16], bytes[16];

        (void) snprintf(name, sizeof(name), "0x%08x", index);
        (void) snprintf(bytes, sizeof(bytes), "%zu", size);
        tpm_file_write(tpm, "nv.bin", data, size);
        tpm_tool(tpm, "tpm2_nvdefine", name, "-C", "p", "-s", bytes, "-a",
                 "ppwrite|ppread|ownerread|authread|platformcreate|no_da", NULL);
        tpm_tool(tpm, "tpm2_nvwrite", name, "-C", "p", "-i", "nv.bin", NULL);
}
