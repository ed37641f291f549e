/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/simulator/derived-key.h"

#include <errno.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

#include "base/reader.h"
#include "base/writer.h"

#define VMPL_MAX 3
#define FIELDS_MAX 0x3f /* version 1 of the message */
#define STATUS_INVALID_PARAM 0x16
#define AT_KEY 32

typedef struct KeyReq {
        uint32_t root, rsvd, vmpl, svn;
        uint64_t fields;
        uint8_t tcb[SIM_TCB_SIZE];
} KeyReq;

static KeyReq parse(const uint8_t *req) {
        KeyReq q = {
                .root = load_le32(req), .rsvd = load_le32(req + 4), .fields = load_le64(req + 8),
                .vmpl = load_le32(req + 16), .svn = load_le32(req + 20),
        };

        (void) memcpy(q.tcb, req + 24, sizeof(q.tcb));
        return q;
}

static bool is_allowed(const SimPlatform *p, const KeyReq *q) {
        uint8_t committed[SIM_TCB_SIZE];

        sim_tcb_encode(p->pki->product, &p->now.report.committed, committed);
        for (size_t i = 0; i < sizeof(committed); i++)
                if (q->tcb[i] > committed[i])
                        return false;
        return q->root <= 1 && q->rsvd == 0 && q->fields <= FIELDS_MAX && q->vmpl >= p->now.vmpl_floor &&
               q->vmpl <= VMPL_MAX && q->svn <= p->now.report.guest_svn;
}

/* The chosen properties in the order of their bits, each as wide as in the report. */
static void mix(Writer *w, const SimReport *r, const KeyReq *q) {
        wr_le64(w, q->fields);
        wr_le32(w, q->vmpl);
        if (q->fields & 1)
                wr_le64(w, r->policy);
        if (q->fields & 2)
                wr_bytes(w, r->image_id, sizeof(r->image_id));
        if (q->fields & 4)
                wr_bytes(w, r->family_id, sizeof(r->family_id));
        if (q->fields & 8)
                wr_bytes(w, r->measurement, sizeof(r->measurement));
        if (q->fields & 16)
                wr_le32(w, q->svn);
        if (q->fields & 32)
                wr_bytes(w, q->tcb, sizeof(q->tcb));
}

/* The chip's own key changes with the chip, the guest's moves with it. */
static void root_of(const SimPlatform *p, const KeyReq *q, uint8_t ret[static 1 + SIM_CHIP_ID_SIZE]) {
        ret[0] = (uint8_t) (0xA0 + q->root);
        if (q->root == 0)
                (void) memcpy(ret + 1, p->now.report.chip_id, SIM_CHIP_ID_SIZE);
}

int sim_derived_key(const SimPlatform *p, const uint8_t req[static SIM_KEY_REQ_SIZE],
                    uint8_t ret[static SIM_KEY_RSP_SIZE], Error *e) {
        uint8_t root[1 + SIM_CHIP_ID_SIZE] = {};
        AUTO_WRITER Writer w = wr_init(256);
        AUTO_BLOB Blob mixed = {};
        KeyReq q = parse(req);

        (void) memset(ret, 0, SIM_KEY_RSP_SIZE);
        if (!is_allowed(p, &q)) {
                store_le32(ret, STATUS_INVALID_PARAM);
                return 0;
        }
        mix(&w, &p->now.report, &q);
        root_of(p, &q, root);
        if (wr_finish(&w, &mixed) < 0 ||
            !HMAC(EVP_sha256(), root, sizeof(root), mixed.data, mixed.size, ret + AT_KEY, NULL))
                return error_set(e, -EIO, "sim-key", "The key cannot be derived");
        return 0;
}
