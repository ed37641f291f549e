/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <libsmartcols/libsmartcols.h>
#include <stdlib.h>

#include "agent/snpctl/output.h"

struct CtlTable {
        struct libscols_table *table;
        size_t n_columns;
};

int ctl_table_new(const char *const *columns, size_t n_columns, CtlTable **ret, Error *e) {
        CLEANUP(ctl_table_freep) CtlTable *t = calloc(1, sizeof(*t));

        if (!t)
                return error_oom(e);
        t->n_columns = n_columns;
        t->table = scols_new_table();
        if (!t->table)
                return error_oom(e);
        for (size_t i = 0; i < n_columns; i++)
                if (!scols_table_new_column(t->table, columns[i], 0, 0))
                        return error_oom(e);
        *ret = TAKE_PTR(t);
        return 0;
}

void ctl_table_free(CtlTable *t) {
        if (!t)
                return;
        scols_unref_table(t->table);
        free(t);
}

int ctl_table_add(CtlTable *t, const char *const *cells, Error *e) {
        struct libscols_line *line = scols_table_new_line(t->table, NULL);

        if (!line)
                return error_oom(e);
        for (size_t i = 0; i < t->n_columns; i++)
                if (scols_line_set_data(line, i, cells[i] ? cells[i] : "") < 0)
                        return error_oom(e);
        return 0;
}

int ctl_table_print(CtlTable *t, CtlOutput *out, Error *e) {
        AUTO_FREE char *text = NULL;

        if (scols_print_table_to_string(t->table, &text) < 0)
                return error_oom(e);
        wr_str(&out->text, text);
        wr_str(&out->text, "\n");
        return 0;
}
