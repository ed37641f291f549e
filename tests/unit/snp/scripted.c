/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/snp/scripted.h"

#include <errno.h>
#include <string.h>

#include "base/reader.h"
#include "tests/simulator/report.h"
#include "tests/unit/unit.h"

#define FAKE_FD 1000

const uint8_t script_report_data[SNP_REPORT_DATA_SIZE] = { 0xAA, 1, 2, [63] = 0xBB };
const uint8_t script_key[SNP_DERIVED_KEY_SIZE] = { 0xCC, 3, 4, [31] = 0xDD };

static void *at_address(uint64_t address) {
        return (void *) (uintptr_t) address;
}

static int script_open(void *context, const char *path) {
        Script *s = context;

        ck_assert_str_eq(path, "/dev/sev-guest");
        if (s->open_answer < 0)
                return s->open_answer;
        s->n_open++;
        return FAKE_FD;
}

static void script_close(void *context, int fd) {
        Script *s = context;

        ck_assert_int_eq(fd, FAKE_FD);
        s->n_open--;
}

static int script_sleep(void *context, Deadline deadline, uint64_t usec) {
        Script *s = context;

        ck_assert_uint_ge(usec, 2 * USEC_PER_SEC); /* the throttle of common hosts */
        ck_assert_uint_lt(s->n_sleeps, N_ELEMENTS(s->slept));
        s->slept[s->n_sleeps++] = usec;
        return deadline_left_usec(deadline) < usec ? -ETIMEDOUT : 0;
}

static void check_request(const SevGuestRequest *arg) {
        ck_assert_uint_eq(arg->msg_version, 1);
        ck_assert(bytes_are_zero(arg->pad, sizeof(arg->pad)));
        ck_assert_uint_ne(arg->req_data, 0);
        ck_assert_uint_ne(arg->resp_data, 0);
}

static void check_report_req(const SevGuestReportReq *req) {
        ck_assert(bytes_are_zero(req->rsvd, sizeof(req->rsvd)));
        ck_assert_mem_eq(req->user_data, script_report_data, sizeof(script_report_data));
}

static void check_certs(const SevGuestExtReportReq *req) {
        ck_assert_uint_eq(req->pad, 0);
        ck_assert_uint_eq(req->certs_len % 4096, 0);
        ck_assert_uint_le(req->certs_len, 0x4000);
        ck_assert_uint_eq(req->certs_address % 4096, 0);
        ck_assert(bytes_are_zero(at_address(req->certs_address), req->certs_len));
}

static void fill_report(const Step *step, const SevGuestReportReq *req, SevGuestReportResp *resp) {
        SimPki chip = { .product = SIM_GENOA, .tcb = sim_product(SIM_GENOA)->tcb };
        SimReport r = sim_report_defaults(&chip);

        resp->status = step->status;
        resp->report_size = step->report_size ? step->report_size : SNP_REPORT_SIZE;
        if (step->zero_report)
                return;
        (void) memcpy(r.report_data, req->user_data, sizeof(r.report_data));
        r.report_data[63] ^= step->other_report_data ? 1 : 0;
        r.vmpl = req->vmpl ^ (step->other_vmpl ? 1 : 0);
        sim_report_encode(&r, SIM_GENOA, resp->report);
        resp->report[0x4C] = step->broken_report ? 1 : 0; /* reserved */
}

static void answer_report(Script *s, const Step *step, bool extended, const SevGuestRequest *arg) {
        SevGuestExtReportReq *req = at_address(arg->req_data);

        check_report_req(&req->data);
        s->vmpl = req->data.vmpl;
        if (extended) {
                check_certs(req);
                if (s->at < N_ELEMENTS(s->offered))
                        s->offered[s->at] = req->certs_len;
                if (step->needed)
                        req->certs_len = step->needed;
        }
        if (step->answer < 0)
                return;
        fill_report(step, &req->data, at_address(arg->resp_data));
        if (step->certs)
                (void) memcpy(at_address(req->certs_address), step->certs->data, step->certs->size);
}

static void answer_key(Script *s, const Step *step, const SevGuestRequest *arg) {
        SevGuestDerivedKeyResp *resp = at_address(arg->resp_data);

        (void) memcpy(&s->key, at_address(arg->req_data), sizeof(s->key));
        ck_assert_uint_eq(s->key.rsvd, 0);
        if (step->answer < 0)
                return;
        resp->status = step->status;
        (void) memset(resp->rsvd, 0xEE, sizeof(resp->rsvd));
        if (!step->zero_report)
                (void) memcpy(resp->key, script_key, sizeof(script_key));
}

static int script_ioctl(void *context, int fd, unsigned long request, SevGuestRequest *arg) {
        Script *s = context;
        const Step *step;

        ck_assert_int_eq(fd, FAKE_FD);
        ck_assert_msg(s->at < s->n_steps, "call %zu is one too many", s->at + 1);
        step = &s->steps[s->at];
        ck_assert_uint_eq(request, step->request ? step->request : SCRIPT_EXT_REPORT);
        check_request(arg);
        if (request == SCRIPT_KEY)
                answer_key(s, step, arg);
        else
                answer_report(s, step, request == SCRIPT_EXT_REPORT, arg);
        s->at++;
        if (step->answer < 0) {
                arg->fw_error = step->fw_error;
                arg->vmm_error = step->vmm_error;
        }
        return step->answer;
}

SevGuestKernel script_kernel(Script *script) {
        return (SevGuestKernel){ .context = script, .open = script_open, .ioctl = script_ioctl, .close = script_close,
                                 .sleep = script_sleep };
}

static bool no_snp(void) {
        return false;
}

const SnpGuestSigns script_no_guest = { .platform_path = "/nonexistent/sev-guest", .vmpl_path = "/nonexistent/vmpl",
                                        .cpu_offers_snp = no_snp };

void fixture_init(Fixture *f, const Step *steps, size_t n) {
        *f = (Fixture){ .script = { .steps = steps, .n_steps = n }, .signs = script_no_guest };
        f->kernel = script_kernel(&f->script);
        ck_assert_int_eq(snp_device_open_ioctl_on(&f->kernel, &f->signs, "/dev/sev-guest", &f->device, &f->e), 0);
        snp_device_set_throttle(f->device, &f->throttle);
}

void fixture_done(Fixture *f) {
        snp_device_free(f->device);
        ck_assert_uint_eq(f->script.n_open, 0);
        ck_assert_msg(f->script.at == f->script.n_steps, "%zu of %zu calls made", f->script.at, f->script.n_steps);
        snp_device_report_done(&f->report);
        secret_done(&f->key);
}

int fixture_report(Fixture *f, uint32_t vmpl, uint64_t usec) {
        return snp_device_get_report(f->device, script_report_data, vmpl, deadline_in(usec), &f->report, &f->e);
}

int fixture_key(Fixture *f, const SnpKeyRequest *q, uint64_t usec) {
        return snp_device_derive_key(f->device, q, deadline_in(usec), &f->key, &f->e);
}
