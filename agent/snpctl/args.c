/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/snpctl/args.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agent/snpctl/exit.h"
#include "base/text.h"

#define HELP_COLUMN 28

static const CtlOption common_options[] = {
        { "json", NULL, "print the result, or the error, as one JSON object", CTL_FLAG, offsetof(CtlCommon, json) },
        { "help", NULL, "print this and exit", CTL_FLAG, offsetof(CtlCommon, help) },
};

static const CtlOption *find_option(const CtlOption *list, size_t n, const char *name, size_t len) {
        for (size_t i = 0; i < n; i++)
                if (strlen(list[i].name) == len && strncmp(list[i].name, name, len) == 0)
                        return &list[i];
        return NULL;
}

static int store(const CtlOption *option, void *base, const char *value, Error *e) {
        void *to = (char *) base + option->offset;
        const char **text = to;
        CtlTexts *texts = to;

        switch (option->kind) {
        case CTL_FLAG:
                *(bool *) to = true;
                return 0;
        case CTL_TEXT:
                if (*text)
                        return ctl_usage(e, "--%s is given twice", option->name);
                *text = value;
                return 0;
        case CTL_TEXTS:
        default:
                if (texts->n == CTL_TEXTS_MAX)
                        return ctl_usage(e, "--%s is given more than %d times", option->name, CTL_TEXTS_MAX);
                texts->items[texts->n++] = value;
                return 0;
        }
}

/* One option at @*argv; moves @*argv to its last word. */
static int parse_option(const CtlOptions *options, const char *const **argv, void *args, CtlCommon *common, Error *e) {
        const char *name = **argv + strlen("--");
        size_t len = strcspn(name, "=");
        const char *value = name[len] ? name + len + 1 : NULL;
        const CtlOption *option = find_option(options->list, options->n, name, len);
        void *base = args;

        if (!option) {
                option = find_option(common_options, N_ELEMENTS(common_options), name, len);
                base = common;
        }
        if (!option)
                return ctl_usage(e, "there is no option '--%.*s'", (int) (len < 40 ? len : 40), name);
        if (option->kind == CTL_FLAG && value)
                return ctl_usage(e, "--%s takes no value", option->name);
        if (option->kind != CTL_FLAG && !value) {
                if (!(*argv)[1])
                        return ctl_usage(e, "--%s needs a value (%s)", option->name, option->value);
                value = *++*argv;
        }
        return store(option, base, value, e);
}

static int add_operand(CtlCommon *common, const char *operand, Error *e) {
        if (common->n_operands == CTL_OPERANDS_MAX)
                return ctl_usage(e, "'%.40s' is one word too many", operand);
        common->operands[common->n_operands++] = operand;
        return 0;
}

int ctl_args_parse(const CtlOptions *options, const char *const *argv, void *args, CtlCommon *common, Error *e) {
        bool only_operands = false;
        int r = 0;

        for (; *argv && r == 0; argv++) {
                if (only_operands || !text_starts_with(*argv, "-") || strcmp(*argv, "-") == 0)
                        r = add_operand(common, *argv, e);
                else if (strcmp(*argv, "--") == 0)
                        only_operands = true;
                else if (text_starts_with(*argv, "--"))
                        r = parse_option(options, &argv, args, common, e);
                else
                        r = ctl_usage(e, "there is no option '%.40s'", *argv);
        }
        return r;
}

static void help_line(const CtlOption *o, Writer *w) {
        char left[64], line[256];

        (void) snprintf(left, sizeof(left), "--%s%s%s", o->name, o->value ? " " : "", o->value ? o->value : "");
        (void) snprintf(line, sizeof(line), "  %-*s %s%s\n", HELP_COLUMN, left, o->help,
                        o->kind == CTL_TEXTS ? "; may be repeated" : "");
        wr_str(w, line);
}

void ctl_args_help(const CtlOptions *options, Writer *w) {
        for (size_t i = 0; i < options->n; i++)
                help_line(&options->list[i], w);
        for (size_t i = 0; i < N_ELEMENTS(common_options); i++)
                help_line(&common_options[i], w);
}
