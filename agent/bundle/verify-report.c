/* SPDX-License-Identifier: Apache-2.0 */

/* The parts that are the chip's: its report, the chain of its key, whether that is revoked, and what was put in. */

#include <errno.h>
#include <openssl/crypto.h>
#include <string.h>

#include "agent/bundle/verify-internal.h"

static bool is_rejection(int r) {
        return r == -EBADMSG || r == -EOPNOTSUPP || r == -EKEYREJECTED || r == -E2BIG;
}

static int load_vek(const BundleCase *c, Error *why) {
        const Bundle *b = c->bundle;
        SnpCerts certs = { .vek = { b->vek.data, b->vek.size }, .n_others = b->n_chain };

        for (size_t i = 0; i < b->n_chain; i++)
                certs.others[i] = (SnpCertBytes){ b->chain[i].data, b->chain[i].size };
        return snp_vek_new(c->question->trust, &certs, c->question->at, &c->v->vek, why);
}

/* The better a list, the later: one that revokes beats all, one that cannot be used is better than none. */
static int weight(SnpCrlState state) {
        static const int weights[] = { [SNP_CRL_ABSENT] = 1,   [SNP_CRL_UNUSABLE] = 2, [SNP_CRL_STALE] = 3,
                                       [SNP_CRL_OK] = 4,       [SNP_CRL_REVOKED] = 5 };

        return (size_t) state < N_ELEMENTS(weights) ? weights[state] : 0;
}

static int apply_list(const BundleCase *c, const Blob *list, SnpCrlVerdict *ret) {
        const SnpCertBytes bytes = { list ? list->data : NULL, list ? list->size : 0 };

        return snp_vek_check_crl(c->v->vek, &c->question->crl, &bytes, c->question->at, ret, NULL);
}

/* Lists for both kinds of key may be there, and lists of several days: that which tells most is the one that counts. */
static int judge_revocation(const BundleCase *c, Error *e) {
        const Bundle *b = c->bundle;
        const Blob *best = NULL;
        SnpCrlVerdict *crl = &c->v->crl;
        int most = 0;

        for (size_t i = 0; i < b->n_crls; i++) {
                if (apply_list(c, &b->crls[i], crl) == -ENOMEM)
                        return error_oom(e);
                if (weight(crl->state) > most) {
                        most = weight(crl->state);
                        best = &b->crls[i];
                }
        }
        if (apply_list(c, best, crl) == -ENOMEM) /* again: the key remembers what was asked last */
                return error_oom(e);
        if (crl->state == SNP_CRL_NOT_ASKED)
                bundle_settle(c, BUNDLE_PART_REVOCATION, BUNDLE_NOT_ASKED, "crl-off", "Nobody asked");
        else if (crl->state == SNP_CRL_OK)
                bundle_settle(c, BUNDLE_PART_REVOCATION, BUNDLE_OK, NULL, "Not on a list that is current");
        else
                bundle_settle(c, BUNDLE_PART_REVOCATION, crl->accepted ? BUNDLE_UNPROVEN : BUNDLE_FAILED,
                              error_reason(&crl->why, -EKEYREJECTED), "%s", error_text(&crl->why, -EKEYREJECTED));
        return 0;
}

static int judge_signature(const BundleCase *c, Error *e) {
        const BundlePolicy *policy = c->question->policy;
        unsigned flags = policy ? snp_policy_verify_flags(policy->snp) : 0;
        Error why = {};
        int r = snp_report_verify(&c->v->report, c->v->vek, flags, &c->v->snp, &why);

        if (r < 0)
                return bundle_settle_error(c, BUNDLE_PART_REPORT, BUNDLE_FAILED, r, &why, e);
        bundle_settle(c, BUNDLE_PART_REPORT, BUNDLE_OK, NULL, "Signed by a %s of %s, whose chain leads to %s",
                      snp_vek_kind(c->v->vek) == SNP_SIGNING_KEY_VLEK ? "VLEK" : "VCEK",
                      snp_product_name(snp_vek_product(c->v->vek)), c->v->test_root ? "a TEST ROOT" : "AMD's root");
        return 0;
}

int bundle_judge_report(const BundleCase *c, Error *e) {
        Error why = {};
        int r = snp_report_parse(c->bundle->report.data, c->bundle->report.size, &c->v->report, &why);

        bundle_settle(c, BUNDLE_PART_REVOCATION, BUNDLE_NOT_DONE, "chain-unverified",
                      "There is no key whose issuer could be looked up");
        c->v->has_report = r == 0;
        if (r == 0)
                r = load_vek(c, &why);
        if (r < 0 && !is_rejection(r))
                return error_set(e, r, error_reason(&why, r), "%s", error_text(&why, r));
        if (r < 0)
                return bundle_settle_error(c, BUNDLE_PART_REPORT, BUNDLE_FAILED, r, &why, e);
        r = judge_revocation(c, e); /* first: the verdict on the report tells it too */
        return r < 0 ? r : judge_signature(c, e);
}

/* Whose nonce it is, is no secret; that it is compared in constant time costs nothing. */
void bundle_judge_nonce(const BundleCase *c) {
        const BundleQuestion *q = c->question;
        const Bundle *b = c->bundle;

        if (!q->nonce)
                bundle_settle(c, BUNDLE_PART_NONCE, BUNDLE_UNPROVEN, "nonce-unknown",
                              "No nonce was given to compare with: the evidence may be of any time");
        else if (q->nonce_size != b->nonce_size || CRYPTO_memcmp(q->nonce, b->nonce, b->nonce_size) != 0)
                bundle_settle(c, BUNDLE_PART_NONCE, BUNDLE_FAILED, "nonce-mismatch",
                              "The bundle answers another nonce than the one that was given");
        else
                bundle_settle(c, BUNDLE_PART_NONCE, BUNDLE_OK, NULL, "The one that was given");
}

/* What an unverified report says is not compared: anybody could have written it. */
int bundle_judge_report_data(const BundleCase *c, Error *e) {
        uint8_t wanted[SNP_REPORT_DATA_SIZE];
        Error why = {};
        int r;

        if (c->v->parts[BUNDLE_PART_REPORT].result != BUNDLE_OK) {
                bundle_settle(c, BUNDLE_PART_REPORT_DATA, BUNDLE_NOT_DONE, "report-unverified",
                              "Nothing counts that an unverified report says");
                return 0;
        }
        r = bundle_report_data(c->bundle, wanted, &why);
        if (r < 0)
                return bundle_settle_error(c, BUNDLE_PART_REPORT_DATA, BUNDLE_FAILED, r, &why, e);
        if (CRYPTO_memcmp(wanted, c->v->report.report_data, sizeof(wanted)) != 0)
                bundle_settle(c, BUNDLE_PART_REPORT_DATA, BUNDLE_FAILED, "report-data-mismatch",
                              "REPORT_DATA does not follow from the nonce by the rule '%s'",
                              bundle_rule_name(c->bundle->rule));
        else if (c->bundle->rule == BUNDLE_RULE_HCL)
                bundle_settle(c, BUNDLE_PART_REPORT_DATA, BUNDLE_OK, NULL,
                              "The digest of the runtime claims; fresh is only what a bound quote says");
        else
                bundle_settle(c, BUNDLE_PART_REPORT_DATA, BUNDLE_OK, NULL, "Follows from the nonce by the rule '%s'",
                              bundle_rule_name(c->bundle->rule));
        return 0;
}
