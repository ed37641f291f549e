/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Revocation lists (RFC 5280, section 5, as far as AMD's can use it). Three steps: is this a list of this ARK that can
 * name this ASK or ASVK; does it name it; is it current. Only the last depends on the clock and the policy.
 */

#include "snp/crl.h"

#include <errno.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "snp/cert.h"
#include "snp/crl-internal.h"
#include "snp/vek.h"

#define DER_SEQUENCE 0x30

DEFINE_CLEANUP(BIO *, BIO_free_all);
DEFINE_CLEANUP(X509_CRL *, X509_CRL_free);
DEFINE_CLEANUP(ISSUING_DIST_POINT *, ISSUING_DIST_POINT_free);
DEFINE_CLEANUP(CRL_DIST_POINTS *, CRL_DIST_POINTS_free);
#define AUTO_CRL CLEANUP(X509_CRL_freep)

static void cleanup_openssl(void *p) {
        OPENSSL_free(*(void **) p);
}
#define AUTO_OPENSSL CLEANUP(cleanup_openssl)

static const struct {
        const char *name;
} modes[] = { [SNP_CRL_HARD] = { "hard" }, [SNP_CRL_SOFT] = { "soft" }, [SNP_CRL_OFF] = { "off" } };

int snp_crl_mode_from_name(const char *name, SnpCrlMode *ret) {
        for (size_t i = 0; i < N_ELEMENTS(modes); i++)
                if (strcmp(modes[i].name, name) == 0) {
                        *ret = (SnpCrlMode) i;
                        return 0;
                }
        return -EINVAL;
}

const char *snp_crl_mode_name(SnpCrlMode mode) {
        return (size_t) mode < N_ELEMENTS(modes) ? modes[mode].name : "unknown";
}

const char *snp_crl_state_name(SnpCrlState state) {
        static const char *const names[] = {
                [SNP_CRL_NOT_ASKED] = "not-asked", [SNP_CRL_OK] = "ok",             [SNP_CRL_STALE] = "stale",
                [SNP_CRL_ABSENT] = "absent",       [SNP_CRL_UNUSABLE] = "unusable", [SNP_CRL_REVOKED] = "revoked",
        };

        return (size_t) state < N_ELEMENTS(names) ? names[state] : "unknown";
}

static int parse_der(const uint8_t *data, size_t size, X509_CRL **ret, Error *e) {
        AUTO_CRL X509_CRL *crl = NULL;
        const uint8_t *p = data;

        crl = d2i_X509_CRL(NULL, &p, (long) size);
        if (!crl)
                return error_set(e, -EBADMSG, "crl-malformed", "The revocation list is not an X.509 CRL");
        if (p != data + size)
                return error_set(e, -EBADMSG, "crl-trailing-bytes", "%zu bytes follow the revocation list",
                                 (size_t) (data + size - p));
        *ret = TAKE_PTR(crl);
        return 0;
}

static int parse_pem(const void *data, size_t size, X509_CRL **ret, Error *e) {
        CLEANUP(BIO_free_allp) BIO *text = BIO_new_mem_buf(data, (int) size);
        AUTO_OPENSSL char *name = NULL;
        AUTO_OPENSSL char *header = NULL;
        AUTO_OPENSSL unsigned char *der = NULL;
        long n = 0;

        if (!text)
                return error_oom(e);
        if (PEM_read_bio_ex(text, &name, &header, &der, &n, PEM_FLAG_ONLY_B64) != 1)
                return error_set(e, -EBADMSG, "crl-malformed", "The revocation list is neither DER nor PEM");
        if (strcmp(name, PEM_STRING_X509_CRL) != 0 || header[0])
                return error_set(e, -EBADMSG, "crl-malformed", "PEM block '%.32s' is no revocation list", name);
        return parse_der(der, (size_t) n, ret, e);
}

static int parse(const void *data, size_t size, X509_CRL **ret, Error *e) {
        if (size > SNP_CRL_SIZE_MAX)
                return error_set(e, -E2BIG, "crl-size", "The revocation list has %zu bytes, more than %u", size,
                                 SNP_CRL_SIZE_MAX);
        if (size == 0)
                return error_set(e, -EBADMSG, "crl-malformed", "The revocation list is empty");
        return *(const uint8_t *) data == DER_SEQUENCE ? parse_der(data, size, ret, e) : parse_pem(data, size, ret, e);
}

int snp_crl_to_der(const void *data, size_t size, Blob *ret, Error *e) {
        AUTO_CRL X509_CRL *crl = NULL;
        AUTO_OPENSSL unsigned char *der = NULL;
        int r, n;

        (void) ERR_set_mark();
        r = parse(data, size, &crl, e);
        (void) ERR_pop_to_mark();
        if (r < 0)
                return r;
        n = i2d_X509_CRL(crl, &der); /* libcrypto keeps the signed part as it came */
        return n <= 0 || blob_dup(der, (size_t) n, ret) < 0 ? error_oom(e) : 0;
}

/* Extensions of the list and of its entries that change what it says must be among those honoured below. */
static bool has_unknown_critical(const STACK_OF(X509_EXTENSION) *extensions) {
        for (int i = 0; i < sk_X509_EXTENSION_num(extensions); i++) {
                X509_EXTENSION *x = sk_X509_EXTENSION_value(extensions, i);
                int nid = OBJ_obj2nid(X509_EXTENSION_get_object(x));

                if (X509_EXTENSION_get_critical(x) && nid != NID_issuing_distribution_point && nid != NID_crl_number &&
                    nid != NID_authority_key_identifier && nid != NID_crl_reason)
                        return true;
        }
        return false;
}

static bool has_uri(const GENERAL_NAMES *names, const ASN1_STRING *uri) {
        for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
                int type = 0;
                const void *value = GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names, i), &type);

                if (type == GEN_URI && ASN1_STRING_cmp(value, uri) == 0)
                        return true;
        }
        return false;
}

/* Whether one of the addresses that @cert gives for its lists is among @names (RFC 5280, section 6.3.3 (b)(2)). */
static bool points_to(X509 *cert, const GENERAL_NAMES *names) {
        CLEANUP(CRL_DIST_POINTS_freep)
        CRL_DIST_POINTS *points = X509_get_ext_d2i(cert, NID_crl_distribution_points, NULL, NULL);

        for (int i = 0; i < sk_DIST_POINT_num(points); i++) {
                const DIST_POINT_NAME *name = sk_DIST_POINT_value(points, i)->distpoint;

                if (!name || name->type != 0)
                        continue;
                for (int k = 0; k < sk_GENERAL_NAME_num(name->name.fullname); k++) {
                        int type = 0;
                        const void *uri = GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(name->name.fullname, k), &type);

                        if (type == GEN_URI && has_uri(names, uri))
                                return true;
                }
        }
        return false;
}

/* Lists for another set of certificates would be silent about ours and mean nothing by it. */
static int check_scope(const X509_CRL *crl, X509 *issuer, Error *e) {
        CLEANUP(ISSUING_DIST_POINT_freep) ISSUING_DIST_POINT *scope = NULL;
        int critical = 0;

        if (X509_CRL_get_ext_by_NID(crl, NID_delta_crl, -1) >= 0)
                return error_set(e, -EBADMSG, "crl-scope", "The revocation list is a delta of another one");
        scope = X509_CRL_get_ext_d2i(crl, NID_issuing_distribution_point, &critical, NULL);
        if (!scope)
                return critical == -1 ? 0 : error_set(e, -EBADMSG, "crl-malformed",
                                                      "The revocation list has a malformed issuing distribution point");
        if (scope->onlyuser > 0 || scope->onlyattr > 0 || scope->indirectCRL > 0 || scope->onlysomereasons)
                return error_set(e, -EBADMSG, "crl-scope", "The revocation list is not about certificate authorities");
        if (scope->distpoint && (scope->distpoint->type != 0 || !points_to(issuer, scope->distpoint->name.fullname)))
                return error_set(e, -EBADMSG, "crl-scope", "The revocation list is of another distribution point");
        return 0;
}

static int check_extensions(X509_CRL *crl, X509 *issuer, Error *e) {
        STACK_OF(X509_REVOKED) *entries = X509_CRL_get_REVOKED(crl);
        bool unknown = has_unknown_critical(X509_CRL_get0_extensions(crl));

        for (int i = 0; i < sk_X509_REVOKED_num(entries); i++)
                unknown |= has_unknown_critical(X509_REVOKED_get0_extensions(sk_X509_REVOKED_value(entries, i)));
        if (unknown)
                return error_set(e, -EBADMSG, "crl-extension", "The revocation list has an unknown critical extension");
        return check_scope(crl, issuer, e);
}

static int check_signature(X509_CRL *crl, X509 *ark, Error *e) {
        const X509_ALGOR *algorithm = NULL;

        X509_CRL_get0_signature(crl, NULL, &algorithm);
        if (!snp_cert_is_pss_sha384(algorithm))
                return error_set(e, -EBADMSG, "crl-algorithm",
                                 "The revocation list is not signed with RSASSA-PSS, SHA-384, MGF1-SHA-384, salt 48");
        if (X509_NAME_cmp(X509_CRL_get_issuer(crl), X509_get_subject_name(ark)) != 0)
                return error_set(e, -EKEYREJECTED, "crl-issuer", "The revocation list is not from the ARK of the chain");
        if (!(X509_get_key_usage(ark) & KU_CRL_SIGN))
                return error_set(e, -EKEYREJECTED, "crl-issuer", "The ARK may not sign revocation lists");
        if (X509_CRL_verify(crl, X509_get0_pubkey(ark)) != 1)
                return error_set(e, -EKEYREJECTED, "crl-signature", "The signature of the revocation list does not hold");
        return 0;
}

static int read_time(const ASN1_TIME *time, time_t *ret, Error *e) {
        struct tm tm = {};

        if (!time || ASN1_TIME_to_tm(time, &tm) != 1)
                return error_set(e, -EBADMSG, "crl-malformed", "The revocation list has no thisUpdate or nextUpdate");
        *ret = timegm(&tm);
        return 0;
}

/* Is this a list of @ark that can name @issuer? */
static int check_list(X509_CRL *crl, X509 *issuer, X509 *ark, SnpCrlVerdict *v, Error *e) {
        time_t this_update = 0, next_update = 0;
        long version = X509_CRL_get_version(crl);
        int r;

        if (version != X509_CRL_VERSION_1 && version != X509_CRL_VERSION_2)
                return error_set(e, -EBADMSG, "crl-malformed", "The revocation list is of an unknown version");
        r = check_signature(crl, ark, e);
        if (r == 0)
                r = check_extensions(crl, issuer, e);
        if (r == 0)
                r = read_time(X509_CRL_get0_lastUpdate(crl), &this_update, e);
        if (r == 0)
                r = read_time(X509_CRL_get0_nextUpdate(crl), &next_update, e);
        if (r < 0)
                return r;
        v->this_update = this_update;
        v->next_update = next_update;
        return 0;
}

static bool is_listed(X509_CRL *crl, const X509 *issuer) {
        STACK_OF(X509_REVOKED) *entries = X509_CRL_get_REVOKED(crl);
        const ASN1_INTEGER *serial = X509_get0_serialNumber(issuer);

        for (int i = 0; i < sk_X509_REVOKED_num(entries); i++)
                if (ASN1_INTEGER_cmp(X509_REVOKED_get0_serialNumber(sk_X509_REVOKED_value(entries, i)), serial) == 0)
                        return true;
        return false;
}

static void judge_age(const SnpCrlPolicy *policy, time_t at, SnpCrlVerdict *v) {
        bool soft = policy->mode == SNP_CRL_SOFT;

        if (at < v->this_update) {
                v->state = SNP_CRL_UNUSABLE;
                v->accepted = soft;
                (void) error_set(&v->why, -EKEYREJECTED, "crl-not-yet-valid",
                                 "The revocation list is from the future: is the clock right?");
        } else if (at > v->next_update) {
                v->state = SNP_CRL_STALE;
                v->accepted = soft && (uint64_t) (at - v->next_update) <= policy->stale_max;
                (void) error_set(&v->why, -EKEYREJECTED, "crl-stale",
                                 "A newer revocation list was due %lld days ago",
                                 (long long) (at - v->next_update) / (24 * 60 * 60));
        } else {
                v->state = SNP_CRL_OK;
                v->accepted = true;
        }
}

static int judge(X509 *issuer, X509 *ark, const SnpCrlPolicy *policy, const SnpCertBytes *bytes, time_t at,
                 SnpCrlVerdict *v) {
        AUTO_CRL X509_CRL *crl = NULL;
        int r = parse(bytes->data, bytes->size, &crl, &v->why);

        if (r == 0)
                r = check_list(crl, issuer, ark, v, &v->why);
        if (r == -ENOMEM)
                return r;
        if (r < 0) {
                v->state = SNP_CRL_UNUSABLE;
                v->accepted = policy->mode == SNP_CRL_SOFT;
        } else if (is_listed(crl, issuer)) {
                v->state = SNP_CRL_REVOKED;
                (void) error_set(&v->why, -EKEYREJECTED, "revoked", "The ASK or ASVK is on the ARK's revocation list");
        } else
                judge_age(policy, at, v);
        return 0;
}

int snp_crl_judge(X509 *issuer, X509 *ark, const SnpCrlPolicy *policy, const SnpCertBytes *crl, time_t at,
                  SnpCrlVerdict *ret, Error *e) {
        SnpCrlVerdict v = {};
        int r = 0;

        if (policy->mode == SNP_CRL_OFF)
                v.accepted = true;
        else if (!crl->data) {
                v.state = SNP_CRL_ABSENT;
                v.accepted = policy->mode == SNP_CRL_SOFT;
                (void) error_set(&v.why, -EKEYREJECTED, "crl-absent", "There is no revocation list");
        } else {
                (void) ERR_set_mark();
                r = judge(issuer, ark, policy, crl, at, &v);
                (void) ERR_pop_to_mark();
        }
        if (r < 0)
                return error_oom(e);
        *ret = v;
        return v.accepted ? 0 : error_set(e, -EKEYREJECTED, v.why.reason, "%s", v.why.text);
}

int snp_vek_check_crl(SnpVek *vek, const SnpCrlPolicy *policy, const SnpCertBytes *crl, time_t at, SnpCrlVerdict *ret,
                      Error *e) {
        SnpCrlVerdict v = {};
        int r;

        vek->crl = SNP_CRL_UNUSABLE; /* until it is known better */
        vek->crl_accepted = false;
        r = snp_crl_judge(vek->issuer, vek->ark, policy, crl, at, &v, e);
        if (r == -ENOMEM)
                return r;
        vek->crl = v.state;
        vek->crl_accepted = v.accepted;
        *ret = v;
        return r;
}

SnpCrlState snp_vek_crl_state(const SnpVek *vek) {
        return vek->crl;
}
