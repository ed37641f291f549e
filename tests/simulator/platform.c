/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/simulator/platform.h"

#include <errno.h>
#include <ini.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/file.h"
#include "base/text.h"

#define CONTROL_SIZE_MAX (64u * 1024u)
#define VMPL_MAX 3

static const struct {
        const char *name;
        SimPoint point;
        SimFail fail;
        bool takes_arg;
} failures[] = {
        { "none", SIM_AT_REPORT, { SIM_FAIL_NONE } },
        { "enxio", SIM_AT_MKDIR, { SIM_FAIL_ENXIO } },
        { "busy", SIM_AT_STORE, { SIM_FAIL_BUSY } },
        { "eio", SIM_AT_REPORT, { SIM_FAIL_ERRNO, EIO } },
        { "enotty", SIM_AT_REPORT, { SIM_FAIL_ERRNO, ENOTTY } },
        { "einval", SIM_AT_REPORT, { SIM_FAIL_ERRNO, EINVAL } },
        { "etimedout", SIM_AT_REPORT, { SIM_FAIL_ERRNO, ETIMEDOUT } },
        { "ebadmsg", SIM_AT_REPORT, { SIM_FAIL_ERRNO, EBADMSG } },
        { "again", SIM_AT_REPORT, { SIM_FAIL_ERRNO, EAGAIN } },
        { "vmm-error", SIM_AT_REPORT, { SIM_FAIL_VMM_ERROR }, true },
        { "fw-error", SIM_AT_REPORT, { SIM_FAIL_FW_ERROR }, true },
        { "status", SIM_AT_REPORT, { SIM_FAIL_STATUS }, true },
        { "certs-len", SIM_AT_REPORT, { SIM_FAIL_CERTS_LEN }, true },
        { "slow", SIM_AT_REPORT, { SIM_FAIL_SLOW }, true },
        { "wrong-generation", SIM_AT_REPORT, { SIM_FAIL_WRONG_GENERATION } },
        { "wrong-report-data", SIM_AT_REPORT, { SIM_FAIL_WRONG_REPORT_DATA } },
        { "wrong-vmpl", SIM_AT_REPORT, { SIM_FAIL_WRONG_VMPL } },
        { "zero-report", SIM_AT_REPORT, { SIM_FAIL_ZERO_REPORT } },
        { "empty-report", SIM_AT_REPORT, { SIM_FAIL_EMPTY_REPORT } },
        { "truncated", SIM_AT_REPORT, { SIM_FAIL_TRUNCATED } },
        { "oversized", SIM_AT_REPORT, { SIM_FAIL_OVERSIZED } },
        { "bad-signature", SIM_AT_REPORT, { SIM_FAIL_BAD_SIGNATURE } },
        { "vmpl", SIM_AT_REPORT, { SIM_FAIL_VMPL }, true },
        { "other-manifest", SIM_AT_REPORT, { SIM_FAIL_OTHER_MANIFEST } },
        { "truncated-manifest", SIM_AT_REPORT, { SIM_FAIL_TRUNCATED_MANIFEST } },
};

static int fail_error(Error *e, const char *text) {
        return error_set(e, -EINVAL, "sim-fail", "'%s' is no failure of the form MODE[:ARG][*TIMES]", text);
}

int sim_fail_parse(const char *text, SimFail *ret, Error *e) {
        char copy[SIM_FAIL_TEXT_MAX];
        SimFail fail = {};
        char *times, *arg;
        uint64_t v = UINT64_MAX;
        size_t i;

        if (snprintf(copy, sizeof(copy), "%s", text) >= (int) sizeof(copy))
                return fail_error(e, text);
        times = strchr(copy, '*');
        if (times)
                *times++ = 0;
        arg = strchr(copy, ':');
        if (arg)
                *arg++ = 0;
        if (times && text_to_u64(times, 10, 1, UINT64_MAX, &v) < 0)
                return fail_error(e, text);
        for (i = 0; i < N_ELEMENTS(failures) && strcmp(failures[i].name, copy) != 0; i++)
                ;
        if (i == N_ELEMENTS(failures) || (arg != NULL) != failures[i].takes_arg)
                return fail_error(e, text);
        fail = failures[i].fail;
        fail.times = v;
        if (arg) {
                if (text_to_u64(arg, 0, 0, UINT32_MAX, &v) < 0)
                        return fail_error(e, text);
                fail.arg = (uint32_t) v;
        }
        *ret = fail;
        return 0;
}

static SimPoint point_of(SimFailure kind) {
        for (size_t i = 0; i < N_ELEMENTS(failures); i++)
                if (failures[i].fail.kind == kind)
                        return failures[i].point;
        return SIM_AT_REPORT;
}

SimFail sim_platform_fail(SimPlatform *p, SimPoint point) {
        if (p->fail.kind == SIM_FAIL_NONE || p->fail.times == 0 || point_of(p->fail.kind) != point)
                return (SimFail){};
        p->fail.times--;
        return p->fail;
}

void sim_platform_init(SimPlatform *p, SimPki *pki, const char *control) {
        *p = (SimPlatform){ .pki = pki, .control = control,
                            .base = { .report = sim_report_defaults(pki), .provider = "sev_guest" } };
        p->now = p->base;
}

void sim_platform_done(SimPlatform *p) {
        sim_pki_free(p->pki);
        *p = (SimPlatform){};
}

typedef struct ControlReader {
        SimPlatform *p;
        Error *e;
} ControlReader;

/* inih: non-zero = understood. */
static int on_control_line(void *user, const char *section, const char *key, const char *value) {
        ControlReader *c = user;

        (void) section;
        return sim_settings_set(&c->p->now, c->p->pki, key, value, c->e) == 0;
}

static int read_control(SimPlatform *p, Error *e) {
        AUTO_FREE char *text = NULL;
        int r, line;

        if (!p->control || access(p->control, F_OK) < 0)
                return 0;
        r = file_read_text(p->control, CONTROL_SIZE_MAX, &text, e);
        if (r < 0)
                return r;
        line = ini_parse_string(text, on_control_line, &(ControlReader){ .p = p, .e = e });
        if (line != 0)
                return error_set(e, -EINVAL, "sim-control", "%s:%d is not understood", p->control, line);
        return 0;
}

static bool control_changed(SimPlatform *p) {
        struct stat st = {}, *seen = &p->control_seen;
        bool changed;

        if (p->control && stat(p->control, &st) < 0)
                st = (struct stat){};
        changed = st.st_ino != seen->st_ino || st.st_size != seen->st_size ||
                  st.st_mtim.tv_sec != seen->st_mtim.tv_sec || st.st_mtim.tv_nsec != seen->st_mtim.tv_nsec;
        *seen = st;
        return changed;
}

int sim_platform_refresh(SimPlatform *p, Error *e) {
        bool changed = control_changed(p);
        char before[SIM_FAIL_TEXT_MAX];
        int r;

        p->n_changes += changed;
        (void) memcpy(before, p->now.fail, sizeof(before));
        p->now = p->base;
        r = read_control(p, e);
        if (r < 0)
                return r;
        if (!p->now.fail[0])
                p->fail = (SimFail){};
        else if (changed || strcmp(before, p->now.fail) != 0)
                return sim_fail_parse(p->now.fail, &p->fail, e);
        return 0;
}

/* Firmware with another TCB has another VCEK, and AMD a certificate for it. */
static int follow_settings(SimPlatform *p, Error *e) {
        const SimReport *r = &p->now.report;

        if (sim_tcb_equal(&r->reported, &p->pki->tcb) &&
            memcmp(r->chip_id, p->pki->chip_id, sizeof(r->chip_id)) == 0)
                return 0;
        return sim_pki_reissue(p->pki, &r->reported, r->chip_id, e);
}

static void sleep_msec(uint32_t msec) {
        struct timespec t = { .tv_sec = msec / 1000, .tv_nsec = (long) (msec % 1000) * 1000000 };

        (void) nanosleep(&t, NULL); /* a signal ends it: the simulator is being stopped */
}

static int make_table(const SimPlatform *p, Blob *ret, Error *e) {
        int r;

        if (p->now.certs == SIM_CERTS_NONE) {
                *ret = (Blob){};
                return 0;
        }
        r = sim_cert_table_of(p->pki, p->now.report.signer, p->now.certs == SIM_CERTS_FULL, ret, e);
        if (r == 0 && p->now.certs == SIM_CERTS_GARBAGE)
                (void) memset(ret->data + 16, 0xFF, 4); /* offset of the first entry */
        return r;
}

/* How the answer looks once the failure has had its way with it. */
static int make_report(const SimPlatform *p, SimReport *report, SimFail fail, Blob *ret, Error *e) {
        uint8_t bytes[40 * 1024] = {}; /* kernel's limit is 32 KiB */
        size_t n = SIM_REPORT_SIZE;
        int r;

        if (fail.kind == SIM_FAIL_WRONG_REPORT_DATA)
                report->report_data[0] ^= 0xFF;
        if (fail.kind == SIM_FAIL_WRONG_VMPL)
                report->vmpl ^= 1;
        if (fail.kind == SIM_FAIL_VMPL)
                report->vmpl = fail.arg;
        r = sim_report_make(report, p->pki, bytes, e);
        if (r < 0)
                return r;
        if (fail.kind == SIM_FAIL_ZERO_REPORT)
                (void) memset(bytes, 0, sizeof(bytes));
        if (fail.kind == SIM_FAIL_BAD_SIGNATURE)
                bytes[0x090] ^= 1; /* MEASUREMENT */
        if (fail.kind == SIM_FAIL_EMPTY_REPORT)
                n = 0;
        if (fail.kind == SIM_FAIL_TRUNCATED)
                n = SIM_REPORT_SIZE - 1;
        if (fail.kind == SIM_FAIL_OVERSIZED)
                n = sizeof(bytes);
        return blob_dup(bytes, n, ret) < 0 ? error_oom(e) : 0;
}

static int answer(SimPlatform *p, const uint8_t report_data[static SIM_REPORT_DATA_SIZE], uint32_t vmpl, SimFail fail,
                  Blob *ret_report, Blob *ret_table, Error *e) {
        AUTO_BLOB Blob report = {}, table = {};
        SimReport r = p->now.report;
        int q = follow_settings(p, e);

        if (q < 0)
                return q;
        (void) memcpy(r.report_data, report_data, sizeof(r.report_data));
        r.vmpl = vmpl;
        /* 57230: providers that use VLEKs mask the chip's identity. */
        if (p->now.mask_chip_id || r.signer == SIM_SIGNER_VLEK)
                (void) memset(r.chip_id, 0, sizeof(r.chip_id));
        q = make_report(p, &r, fail, &report, e);
        if (q == 0)
                q = make_table(p, &table, e);
        if (q < 0)
                return q;
        *ret_report = blob_take(&report);
        *ret_table = blob_take(&table);
        return 0;
}

/* What the driver makes of it for those who ask through configfs-tsm. */
static int errno_of(SimFail fail) {
        switch ((int) fail.kind) {
        case SIM_FAIL_ERRNO:
                return -(int) fail.arg;
        case SIM_FAIL_VMM_ERROR:
        case SIM_FAIL_FW_ERROR:
        case SIM_FAIL_CERTS_LEN:
                return -EIO;
        case SIM_FAIL_STATUS:
                return fail.arg == 0x16 || fail.arg == 0x27 ? -EINVAL : -ENXIO;
        default:
                return 0;
        }
}

static int fail_first(SimFail fail) {
        if (fail.kind == SIM_FAIL_SLOW)
                sleep_msec(fail.arg);
        return errno_of(fail);
}

int sim_platform_report(SimPlatform *p, const uint8_t report_data[static SIM_REPORT_DATA_SIZE], uint32_t vmpl,
                        SimFail fail, Blob *ret_report, Blob *ret_table, Error *e) {
        int r = fail_first(fail);

        if (r < 0)
                return r;
        if (vmpl < p->now.vmpl_floor || vmpl > VMPL_MAX)
                return -EINVAL;
        return answer(p, report_data, vmpl, fail, ret_report, ret_table, e);
}

int sim_platform_report_vmpl0(SimPlatform *p, const uint8_t report_data[static SIM_REPORT_DATA_SIZE], SimFail fail,
                              Blob *ret_report, Blob *ret_table, Error *e) {
        int r = fail_first(fail);

        return r < 0 ? r : answer(p, report_data, 0, fail, ret_report, ret_table, e);
}

bool sim_platform_has_svsm(const SimPlatform *p) {
        return p->now.vmpl_floor > 0 && !p->now.old_kernel;
}
