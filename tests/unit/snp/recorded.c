/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/snp/recorded.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "tests/unit/unit.h"

#define DAY 86400

static json_object *manifest;
static json_object *files;

bool recorded_load(void) {
        AUTO_FREE char *path = NULL;
        AUTO_BLOB Blob text = {};
        Error e = {};
        int r;

        if (!vectors_dir() || asprintf(&path, "%s/snp/MANIFEST.json", vectors_dir()) < 0)
                return false;
        r = file_read(path, 1u << 22, &text, &e);
        if (r == -ENOENT)
                return false;
        if (r == 0)
                r = json_parse(text.data, text.size, path, &manifest, &e);
        if (r == 0)
                r = json_get_array(manifest, "files", 10000, &files, &e);
        if (r < 0)
                (void) fprintf(stderr, "%s\n", error_text(&e, r));
        return r == 0;
}

void recorded_unload(void) {
        json_object_cleanup(&manifest);
        files = NULL;
}

static bool is_kind(json_object *file, const char *kind) {
        return strcmp(recorded_str(file, "kind"), kind) == 0;
}

size_t recorded_count(const char *kind) {
        size_t n = 0;

        for (size_t i = 0; i < json_object_array_length(files); i++)
                n += is_kind(json_object_array_get_idx(files, i), kind);
        return n;
}

json_object *recorded_get(const char *kind, size_t index) {
        size_t n = 0;

        for (size_t i = 0; i < json_object_array_length(files); i++) {
                json_object *file = json_object_array_get_idx(files, i);

                if (is_kind(file, kind) && n++ == index)
                        return file;
        }
        ck_abort_msg("manifest has no %s number %zu", kind, index);
        return NULL;
}

json_object *recorded_find(const char *name) {
        for (size_t i = 0; i < json_object_array_length(files); i++) {
                json_object *file = json_object_array_get_idx(files, i);

                if (strcmp(recorded_str(file, "file"), name) == 0)
                        return file;
        }
        ck_abort_msg("manifest has no '%s'", name);
        return NULL;
}

json_object *recorded_member(json_object *o, const char *name) {
        json_object *value = NULL;

        ck_assert_msg(json_object_object_get_ex(o, name, &value), "manifest lacks '%s'", name);
        return value;
}

const char *recorded_str(json_object *o, const char *name) {
        json_object *value = recorded_member(o, name);

        return value ? json_object_get_string(value) : NULL;
}

bool recorded_is_true(json_object *o, const char *name) {
        json_object *value = recorded_member(o, name);

        return json_object_is_type(value, json_type_boolean) && json_object_get_boolean(value);
}

Blob recorded_bytes(const char *file) {
        AUTO_FREE char *path = NULL;

        ck_assert_int_gt(asprintf(&path, "snp/%s", file), 0);
        return vector_read(path);
}

time_t recorded_time(const char *iso) {
        struct tm tm = {};
        const char *end = strptime(iso, "%Y-%m-%dT%H:%M:%SZ", &tm);

        ck_assert_msg(end && *end == '\0', "'%s'", iso);
        return timegm(&tm);
}

SnpReport recorded_report(const char *file) {
        AUTO_BLOB Blob b = recorded_bytes(file);
        SnpReport report;
        Error e = {};
        int r = snp_report_parse(b.data, b.size, &report, &e);

        ck_assert_msg(r == 0, "%s: %s", file, error_text(&e, r));
        return report;
}

RecordedCerts recorded_certs(const char *vek, json_object *chain) {
        RecordedCerts c = { .vek = recorded_bytes(vek) };

        c.certs.vek = (SnpCertBytes){ c.vek.data, c.vek.size };
        ck_assert_uint_le(json_object_array_length(chain), RECORDED_OTHERS_MAX);
        for (size_t i = 0; i < json_object_array_length(chain); i++) {
                c.others[i] = recorded_bytes(json_object_get_string(json_object_array_get_idx(chain, i)));
                c.certs.others[i] = (SnpCertBytes){ c.others[i].data, c.others[i].size };
                c.certs.n_others++;
        }
        return c;
}

void recorded_certs_done(RecordedCerts *c) {
        blob_done(&c->vek);
        for (size_t i = 0; i < RECORDED_OTHERS_MAX; i++)
                blob_done(&c->others[i]);
}

SnpVek *recorded_vek(json_object *entry) {
        AUTO_RECORDED_CERTS RecordedCerts c = recorded_certs(recorded_str(entry, "file"),
                                                             recorded_member(entry, "chain"));
        CLEANUP(snp_trust_freep) SnpTrust *trust = NULL;
        SnpVek *vek = NULL;
        Error e = {};
        int r = snp_trust_new_amd(&trust, &e);

        if (r == 0)
                r = snp_vek_new(trust, &c.certs, recorded_time(recorded_str(entry, "not_before")) + DAY, &vek, &e);
        ck_assert_msg(r == 0, "%s: %s", recorded_str(entry, "file"), error_text(&e, r));
        return vek;
}
