/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/snpctl/measure-explain.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agent/snpctl/exit.h"
#include "agent/snpctl/launch-files.h"
#include "base/deadline.h"
#include "base/json.h"
#include "base/text.h"

bool explain_args_are_given(const ExplainArgs *args) {
        return args->kernels || args->initrds || args->firmwares || args->appends || args->max_vcpus ||
               args->max_changes;
}

static int read_limits(const ExplainArgs *args, SnpExplainInput *x, Error *e) {
        uint64_t vcpus = SNP_EXPLAIN_VCPUS_DEFAULT, changes = SNP_EXPLAIN_CHANGES_MAX;

        if (args->max_vcpus && text_to_u64(args->max_vcpus, 10, 1, SNP_VCPUS_MAX, &vcpus) < 0)
                return ctl_usage(e, "--max-vcpus '%.40s' is not a number from 1 to %d", args->max_vcpus, SNP_VCPUS_MAX);
        if (args->max_changes && text_to_u64(args->max_changes, 10, 1, SNP_EXPLAIN_CHANGES_MAX, &changes) < 0)
                return ctl_usage(e, "--max-changes '%.40s' is not 1 or 2", args->max_changes);
        x->max_vcpus = (uint32_t) vcpus;
        x->max_changes = (unsigned) changes;
        return 0;
}

int explain(const ExplainArgs *args, const LaunchInput *in, const uint8_t want[static SNP_LD_SIZE], Explained *ret,
            Error *e) {
        AUTO_LAUNCH_HASHES LaunchHashes kernels = {}, initrds = {};
        AUTO_LAUNCH_IMAGES LaunchImages firmwares = {};
        AUTO_LAUNCH_LINES LaunchLines appends = {};
        SnpExplainInput x = {
                .launch = in->launch,
                .has_kernel = in->has_kernel,
                .hashes_on = in->launch.kernel != NULL,
                .hashes = in->hashes,
                .cmdline = in->cmdline,
        };
        uint64_t begin = now_monotonic_usec();
        int r = in->firmware_only ? ctl_usage(e, "--explain needs a whole launch") : read_limits(args, &x, e);

        if (r == 0)
                r = launch_hashes_read(args->kernels, &kernels, e);
        if (r == 0)
                r = launch_hashes_read(args->initrds, &initrds, e);
        if (r == 0)
                r = launch_images_read(args->firmwares, &firmwares, e);
        if (r == 0)
                r = launch_lines_read(args->appends, &appends, e);
        if (r < 0)
                return r;
        x.kernels = kernels.list, x.n_kernels = kernels.n;
        x.initrds = initrds.list, x.n_initrds = initrds.n;
        x.firmwares = firmwares.list, x.n_firmwares = firmwares.n;
        x.cmdlines = appends.lines, x.n_cmdlines = appends.n;
        r = snp_explain(&x, want, &ret->result, e);
        ret->seconds = (double) (now_monotonic_usec() - begin) / (double) USEC_PER_SEC;
        return r;
}

static size_t n_listed(const SnpExplainResult *r) {
        return r->n_found < SNP_EXPLANATIONS_MAX ? r->n_found : SNP_EXPLANATIONS_MAX;
}

static json_object *change_to_json(const SnpChange *c) {
        AUTO_JSON json_object *o = json_object_new_object();

        if (json_add_str(o, "what", snp_dimension_name(c->dimension)) < 0 || json_add_str(o, "from", c->from) < 0 ||
            json_add_str(o, "to", c->to) < 0)
                return NULL;
        return TAKE_PTR(o);
}

static json_object *explanation_to_json(const SnpExplanation *x) {
        AUTO_JSON json_object *list = json_object_new_array();

        for (size_t i = 0; i < x->n_changes; i++) {
                json_object *change = change_to_json(&x->changes[i]);

                if (!list || !change || json_object_array_add(list, change) < 0) {
                        (void) json_object_put(change);
                        return NULL;
                }
        }
        return TAKE_PTR(list);
}

static json_object *tried_to_json(const SnpExplainResult *r) {
        AUTO_JSON json_object *o = json_object_new_object();

        for (unsigned d = 0; d < SNP_N_DIMENSIONS; d++)
                if (json_add_u64(o, snp_dimension_name((SnpDimension) d), r->n_values[d]) < 0)
                        return NULL;
        return TAKE_PTR(o);
}

int explained_to_json(const Explained *x, json_object **ret) {
        AUTO_JSON json_object *o = json_object_new_object(), *list = json_object_new_array();
        const SnpExplainResult *r = &x->result;

        for (size_t i = 0; i < n_listed(r); i++) {
                json_object *one = explanation_to_json(&r->found[i]);

                if (!list || !one || json_object_array_add(list, one) < 0) {
                        (void) json_object_put(one);
                        return -ENOMEM;
                }
        }
        if (json_add_take(o, "found", TAKE_PTR(list)) < 0 || json_add_u64(o, "n_found", r->n_found) < 0 ||
            json_add_u64(o, "max_changes", r->max_changes_tried) < 0 ||
            json_add_u64(o, "variants", r->n_variants) < 0 ||
            json_add_u64(o, "impossible", r->n_impossible) < 0 || json_add_take(o, "tried", tried_to_json(r)) < 0)
                return -ENOMEM;
        *ret = TAKE_PTR(o);
        return 0;
}

static void print_explanation(const SnpExplanation *x, CtlOutput *out) {
        for (size_t i = 0; i < x->n_changes; i++)
                ctl_printf(out, "%s %s: %s (not: %s)\n", i == 0 ? "  -" : "   ",
                           snp_dimension_name(x->changes[i].dimension), x->changes[i].to, x->changes[i].from);
}

static int print_tried(const SnpExplainResult *r, CtlOutput *out, Error *e) {
        static const char *const columns[] = { "TRIED", "OTHER VALUES" };
        CLEANUP(ctl_table_freep) CtlTable *table = NULL;
        int k = ctl_table_new(columns, N_ELEMENTS(columns), &table, e);

        for (unsigned d = 0; d < SNP_N_DIMENSIONS && k == 0; d++) {
                char n[24];
                const char *const cells[] = { snp_dimension_name((SnpDimension) d), n };

                (void) snprintf(n, sizeof(n), "%zu", r->n_values[d]);
                k = ctl_table_add(table, cells, e);
        }
        return k < 0 ? k : ctl_table_print(table, out, e);
}

int explained_print(const Explained *x, CtlOutput *out, Error *e) {
        const SnpExplainResult *r = &x->result;

        if (r->n_found == 0)
                ctl_printf(out, "\nNot explained by %u change%s.\n", r->max_changes_tried,
                           r->max_changes_tried == 1 ? "" : "s");
        else
                ctl_printf(out, "\nThe digest is that of a launch with %s:\n",
                           r->max_changes_tried == 1 ? "one change" : "two changes");
        for (size_t i = 0; i < n_listed(r); i++)
                print_explanation(&r->found[i], out);
        if (r->n_found > SNP_EXPLANATIONS_MAX)
                ctl_printf(out, "  and %zu more\n", r->n_found - SNP_EXPLANATIONS_MAX);
        ctl_printf(out, "\n%llu launches with up to %u change%s in %.2f s, %llu choices without a launch.\n\n",
                   (unsigned long long) r->n_variants, r->max_changes_tried, r->max_changes_tried == 1 ? "" : "s",
                   x->seconds, (unsigned long long) r->n_impossible);
        return print_tried(r, out, e);
}
