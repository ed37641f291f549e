/* SPDX-License-Identifier: Apache-2.0 */
/* Commands and responses are those of TPM 2.0 Library Part 3, written out. */
#include "tests/simulator/paravisor.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <openssl/sha.h>

#include "base/reader.h"
#include "base/writer.h"
#include "tests/simulator/hcl.h"
#include "tests/simulator/tpm-bus.h"

/* TPM 2.0 Library Part 2, "TPM_CC", "TPM_ST", "TPM_RH", "TPM_RS", "TPM_RC" */
#define CC_EVICT_CONTROL 0x00000120u
#define CC_CREATE_PRIMARY 0x00000131u
#define CC_NV_READ 0x0000014eu
#define CC_FLUSH_CONTEXT 0x00000165u
#define CC_NV_READ_PUBLIC 0x00000169u
#define CC_READ_PUBLIC 0x00000173u
#define ST_NO_SESSIONS 0x8001u
#define ST_SESSIONS 0x8002u
#define RH_OWNER 0x40000001u
#define RS_PW 0x40000009u
#define RH_ENDORSEMENT 0x4000000bu
#define RC_NV_RANGE 0x146u
#define RC_NV_AUTHORIZATION 0x149u
#define RC_NV_UNINITIALIZED 0x14au
#define RC_HANDLE 0x18bu
#define RC_VALUE 0x1c4u     /* parameter 1 */
#define RC_BAD_AUTH 0x9a2u  /* session 1 */

#define ALG_SHA256 0x000bu
#define SIZE_DEFAULT 2600u
#define CHUNK_DEFAULT 1024u
#define AZURE_POLICY 0x3001Fu
/* AUTHREAD, AUTHWRITE, OWNERREAD, PLATFORMCREATE, NO_DA */
#define ATTRIBUTES 0x42060004u
#define WRITTEN 0x20000000u

typedef struct Model {
        SimParavisorOptions options;
        uint8_t ak[SIM_HCL_MODULUS_SIZE], ek[SIM_HCL_MODULUS_SIZE];
        bool has_ek;
        Blob content;
        uint64_t now_msec, renewed_msec;
        unsigned n_torn;
} Model;

/* ---- towards the TPM behind ---- */

static Writer command(uint16_t tag, uint32_t code) {
        Writer w = wr_init(TPM_BUS_FRAME_MAX);

        wr_be16(&w, tag);
        wr_be32(&w, 0); /* set when sent */
        wr_be32(&w, code);
        return w;
}

static void put_password(Writer *w) {
        wr_be32(w, 9);
        wr_be32(w, RS_PW);
        wr_zeros(w, 5); /* no nonce, no attributes, empty password */
}

/* The response's parts behind its header; fails on any code but success. Ends @w. */
static Reader ask(const Model *m, Writer *w, uint8_t answer[static TPM_BUS_FRAME_MAX]) {
        AUTO_BLOB Blob bytes = {};
        Reader r = {};
        size_t n = 0;

        if (wr_finish(w, &bytes) == 0) {
                store_be32(bytes.data + 2, (uint32_t) bytes.size);
                n = tpm_bus_ask(m->options.swtpm, bytes.data, bytes.size, answer);
        }
        wr_done(w);
        r = rd_init(answer, n);
        rd_skip(&r, 6);
        if (rd_be32(&r) != 0)
                rd_fail(&r);
        return r;
}

/* The last bytes of a TPM2B_PUBLIC are the modulus. */
static bool take_modulus(Reader *r, uint8_t ret[static SIM_HCL_MODULUS_SIZE]) {
        size_t n = rd_be16(r);

        if (n < SIM_HCL_MODULUS_SIZE)
                rd_fail(r);
        rd_skip(r, n - SIM_HCL_MODULUS_SIZE);
        rd_copy(r, ret, SIM_HCL_MODULUS_SIZE);
        return r->error == 0;
}

static bool read_modulus(const Model *m, uint32_t handle, uint8_t ret[static SIM_HCL_MODULUS_SIZE]) {
        Writer w = command(ST_NO_SESSIONS, CC_READ_PUBLIC);
        uint8_t answer[TPM_BUS_FRAME_MAX];
        Reader r;

        wr_be32(&w, handle);
        r = ask(m, &w, answer);
        return r.error == 0 && take_modulus(&r, ret);
}

/* TPMT_PUBLIC: RSA-2048, RSASSA with SHA-256, attributes 0x00050472, no policy. */
static void put_ak_template(Writer *w) {
        wr_be16(w, 24);
        wr_be16(w, 0x0001);
        wr_be16(w, ALG_SHA256);
        wr_be32(w, 0x00050472);
        wr_be16(w, 0);
        wr_be16(w, 0x0010);
        wr_be16(w, 0x0014);
        wr_be16(w, ALG_SHA256);
        wr_be16(w, 2048);
        wr_be32(w, 0);
        wr_be16(w, 0);
}

static bool make_ak(const Model *m) {
        uint8_t answer[TPM_BUS_FRAME_MAX];
        Writer w = command(ST_SESSIONS, CC_CREATE_PRIMARY);
        uint32_t transient;
        Reader r;

        wr_be32(&w, RH_ENDORSEMENT);
        put_password(&w);
        wr_be16(&w, 4);
        wr_zeros(&w, 4); /* no password, no data */
        put_ak_template(&w);
        wr_zeros(&w, 2 + 4); /* no outside information, no PCRs */
        r = ask(m, &w, answer);
        transient = rd_be32(&r);
        if (r.error < 0)
                return false;

        w = command(ST_SESSIONS, CC_EVICT_CONTROL);
        wr_be32(&w, RH_OWNER);
        wr_be32(&w, transient);
        put_password(&w);
        wr_be32(&w, SIM_PARAVISOR_AK);
        r = ask(m, &w, answer);
        if (r.error < 0)
                return false;

        w = command(ST_NO_SESSIONS, CC_FLUSH_CONTEXT);
        wr_be32(&w, transient);
        r = ask(m, &w, answer);
        return r.error == 0;
}

static size_t user_data_size(const Model *m) {
        Writer w = command(ST_NO_SESSIONS, CC_NV_READ_PUBLIC);
        uint8_t answer[TPM_BUS_FRAME_MAX];
        size_t n;
        Reader r;

        wr_be32(&w, SIM_PARAVISOR_NV_USER_DATA);
        r = ask(m, &w, answer);
        n = rd_be16(&r);
        if (n < 2)
                rd_fail(&r);
        rd_skip(&r, n - 2);
        n = rd_be16(&r); /* dataSize is the last member of TPMS_NV_PUBLIC */
        return n < SIM_HCL_USER_DATA_SIZE ? n : SIM_HCL_USER_DATA_SIZE;
}

/* By the owner with an empty password, as the paravisor does; zeros for whatever it does not get. */
static void read_user_data(const Model *m, uint8_t ret[static SIM_HCL_USER_DATA_SIZE]) {
        size_t n = user_data_size(m);
        Writer w = command(ST_SESSIONS, CC_NV_READ);
        uint8_t answer[TPM_BUS_FRAME_MAX];
        Reader r;

        (void) memset(ret, 0, SIM_HCL_USER_DATA_SIZE);
        wr_be32(&w, RH_OWNER);
        wr_be32(&w, SIM_PARAVISOR_NV_USER_DATA);
        put_password(&w);
        wr_be16(&w, (uint16_t) n);
        wr_be16(&w, 0);
        r = ask(m, &w, answer);
        rd_skip(&r, 4); /* size of the parameters */
        if (rd_be16(&r) != n)
                rd_fail(&r);
        rd_copy(&r, ret, n);
}

/* ---- the report ---- */

static size_t index_size(const Model *m) {
        return m->options.recorded ? m->options.recorded->size : m->options.size ? m->options.size : SIZE_DEFAULT;
}

static int make_content(Model *m, const uint8_t user_data[static SIM_HCL_USER_DATA_SIZE]) {
        const SimParavisorOptions *o = &m->options;
        SimHclClaims claims = {
                .ak = m->ak,
                .ek = m->has_ek && !o->old_firmware ? m->ek : NULL,
                .user_data = o->old_firmware ? NULL : user_data,
                .upper_case = o->upper_case,
                .ak_key_ops = o->old_firmware ? "encrypt" : "sign",
        };
        SimReport report = sim_report_defaults(o->pki);
        AUTO_BLOB Blob json = {}, content = {};
        uint8_t bytes[SIM_REPORT_SIZE];
        int r;

        r = sim_hcl_claims(&claims, &json);
        if (r < 0)
                return r;
        report.policy = AZURE_POLICY;
        report.vmpl = o->vmpl;
        (void) SHA256(json.data, json.size, report.report_data);
        report.report_data[SHA256_DIGEST_LENGTH] = o->long_report_data;
        r = sim_report_make(&report, o->pki, bytes, NULL);
        if (r < 0)
                return r;
        r = sim_hcl_frame(&(SimHclFrame){ .type = o->report_type, .report = bytes, .report_size = sizeof(bytes),
                                          .claims = json.data, .claims_size = json.size, .size = index_size(m) },
                          &content);
        if (r < 0)
                return r;
        blob_done(&m->content);
        m->content = blob_take(&content);
        return 0;
}

static int renew(Model *m) {
        uint8_t user_data[SIM_HCL_USER_DATA_SIZE];

        if (m->options.recorded)
                return 0;
        read_user_data(m, user_data);
        m->renewed_msec = m->now_msec;
        return make_content(m, user_data);
}

static void begin_reading(Model *m) {
        m->now_msec += m->options.step_msec;
        if (m->now_msec - m->renewed_msec > SIM_PARAVISOR_WINDOW_MSEC && renew(m) < 0)
                _exit(1);
}

/* Another process of the guest has read it meanwhile, with data of its own. */
static void put_another_under(Model *m) {
        uint8_t theirs[SIM_HCL_USER_DATA_SIZE];

        if (m->n_torn == 0 || m->options.recorded)
                return;
        m->n_torn--;
        (void) memset(theirs, 0xee, sizeof(theirs));
        if (make_content(m, theirs) < 0)
                _exit(1);
}

/* ---- towards the guest ---- */

static size_t answer_public(const Model *m, uint8_t *answer) {
        AUTO_WRITER Writer w = wr_init(TPM_BUS_FRAME_MAX);
        AUTO_BLOB Blob all = {};
        uint8_t pub[14], name[2 + SHA256_DIGEST_LENGTH];

        if (m->options.absent)
                return tpm_bus_code(RC_HANDLE, answer);
        store_be32(pub, SIM_PARAVISOR_NV_REPORT);
        store_be16(pub + 4, ALG_SHA256);
        store_be32(pub + 6, m->options.unwritten ? ATTRIBUTES : ATTRIBUTES | WRITTEN);
        store_be16(pub + 10, 0); /* no policy */
        store_be16(pub + 12, (uint16_t) index_size(m));
        store_be16(name, ALG_SHA256);
        (void) SHA256(pub, sizeof(pub), name + 2);
        wr_be16(&w, ST_NO_SESSIONS);
        wr_be32(&w, TPM_BUS_HEADER_SIZE + 2 + sizeof(pub) + 2 + sizeof(name));
        wr_be32(&w, 0);
        wr_be16(&w, sizeof(pub));
        wr_bytes(&w, pub, sizeof(pub));
        wr_be16(&w, sizeof(name));
        wr_bytes(&w, name, sizeof(name));
        if (wr_finish(&w, &all) < 0)
                _exit(1);
        (void) memcpy(answer, all.data, all.size);
        return all.size;
}

static size_t answer_data(const Model *m, size_t offset, size_t size, uint8_t *answer) {
        AUTO_WRITER Writer w = wr_init(TPM_BUS_FRAME_MAX);
        AUTO_BLOB Blob all = {};

        wr_be16(&w, ST_SESSIONS);
        wr_be32(&w, (uint32_t) (TPM_BUS_HEADER_SIZE + 4 + 2 + size + 5));
        wr_be32(&w, 0);
        wr_be32(&w, (uint32_t) (2 + size));
        wr_be16(&w, (uint16_t) size);
        wr_bytes(&w, m->content.data + offset, size);
        wr_be16(&w, 0);
        wr_u8(&w, 1); /* continueSession, as always with passwords */
        wr_be16(&w, 0);
        if (wr_finish(&w, &all) < 0)
                _exit(1);
        (void) memcpy(answer, all.data, all.size);
        return all.size;
}

/* @r: behind the handles. */
static size_t answer_read(Model *m, Reader *r, uint32_t authority, uint8_t *answer) {
        uint32_t auth_size = rd_be32(r), session = rd_be32(r);
        size_t size, offset, n;

        rd_skip(r, auth_size - 4);
        size = rd_be16(r);
        offset = rd_be16(r);
        if (m->options.absent)
                return tpm_bus_code(RC_HANDLE, answer);
        if (r->error < 0 || session != RS_PW || auth_size != 9)
                return tpm_bus_code(RC_BAD_AUTH, answer);
        if (authority != RH_OWNER && authority != SIM_PARAVISOR_NV_REPORT)
                return tpm_bus_code(RC_NV_AUTHORIZATION, answer);
        if (size > (m->options.chunk_max ? m->options.chunk_max : CHUNK_DEFAULT))
                return tpm_bus_code(RC_VALUE, answer);
        if (m->options.unwritten)
                return tpm_bus_code(RC_NV_UNINITIALIZED, answer);
        if (offset + size > index_size(m))
                return tpm_bus_code(RC_NV_RANGE, answer);
        if (offset == 0)
                begin_reading(m);
        n = answer_data(m, offset, size, answer);
        if (offset == 0)
                put_another_under(m);
        return n;
}

static size_t answer_command(Model *m, const uint8_t *frame, size_t size, uint8_t *answer) {
        Reader r = rd_init(frame, size);
        uint32_t code, first, second;

        rd_skip(&r, 6);
        code = rd_be32(&r);
        first = rd_be32(&r);
        if (code == CC_NV_READ_PUBLIC && first == SIM_PARAVISOR_NV_REPORT)
                return answer_public(m, answer);
        second = rd_be32(&r);
        if (code == CC_NV_READ && second == SIM_PARAVISOR_NV_REPORT)
                return answer_read(m, &r, first, answer);
        return tpm_bus_ask(m->options.swtpm, frame, size, answer);
}

static void serve_command(void *user, int fd) {
        uint8_t frame[TPM_BUS_FRAME_MAX], answer[TPM_BUS_FRAME_MAX];
        size_t n = tpm_bus_read(fd, frame);

        if (n > 0) /* otherwise somebody only looked whether we listen */
                tpm_bus_write(fd, answer, answer_command(user, frame, n, answer));
}

static int boot(Model *m, Error *e) {
        uint8_t fresh[SIM_HCL_MODULUS_SIZE];

        if (!read_modulus(m, SIM_PARAVISOR_AK, m->ak) &&
            (!make_ak(m) || !read_modulus(m, SIM_PARAVISOR_AK, m->ak)))
                return error_set(e, -EIO, "sim-start", "The TPM behind does not make an attestation key");
        m->has_ek = read_modulus(m, SIM_PARAVISOR_EK, m->ek);
        if (m->options.foreign_ak) {
                (void) memset(fresh, 0xd7, sizeof(fresh));
                (void) memcpy(m->ak, fresh, sizeof(fresh));
        }
        if (m->options.recorded) {
                if (blob_dup(m->options.recorded->data, m->options.recorded->size, &m->content) < 0)
                        return error_oom(e);
        } else if (renew(m) < 0)
                return error_set(e, -EIO, "sim-start", "The paravisor's first report cannot be made");
        m->n_torn = m->options.n_torn;
        return 0;
}

static int serve(Model *m, SimParavisor *p, Error *e) {
        TpmBus bus = { .on_command = serve_command, .user = m };

        /* Beside the TPM behind, whose directory goes when that is stopped, also after a test that failed. */
        (void) snprintf(p->dir, sizeof(p->dir), "%.*s/snp-paravisor-XXXXXX",
                        (int) (strrchr(m->options.swtpm, '/') - m->options.swtpm), m->options.swtpm);
        if (!mkdtemp(p->dir))
                return error_set(e, -errno, "sim-start", "Cannot make a directory: %s", error_text(NULL, -errno));
        (void) snprintf(p->path, sizeof(p->path), "%s/sock", p->dir);
        (void) snprintf(p->tcti, sizeof(p->tcti), "swtpm:path=%s", p->path);
        (void) memcpy(bus.path, p->path, sizeof(p->path));
        p->pid = tpm_bus_listen(&bus) < 0 ? -1 : tpm_bus_spawn(&bus);
        if (p->pid < 0) {
                tpm_bus_close(&bus);
                return error_set(e, -EIO, "sim-start", "The paravisor cannot listen at %s", p->path);
        }
        return 0;
}

int sim_paravisor_start(const SimParavisorOptions *options, SimParavisor *ret, Error *e) {
        Model m = { .options = *options };
        SimParavisor p = {};
        int r;

        r = boot(&m, e);
        if (r == 0)
                r = serve(&m, &p, e); /* the child has its own copy of the model */
        blob_done(&m.content);
        if (r < 0) {
                sim_paravisor_stop(&p);
                return r;
        }
        *ret = p;
        return 0;
}

void sim_paravisor_stop(SimParavisor *p) {
        char control[128];

        tpm_bus_kill(p->pid);
        if (p->dir[0]) {
                (void) snprintf(control, sizeof(control), "%s.ctrl", p->path);
                (void) unlink(p->path);
                (void) unlink(control);
                (void) rmdir(p->dir);
        }
        *p = (SimParavisor){};
}
