/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/snpctl/run.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"

#define VERB_WORDS_MAX 3

/* How many words of @argv spell the verb's name; 0 when they do not. */
static size_t matching_words(const CtlVerb *verb, const char *const *argv) {
        const char *name = verb->name;

        for (size_t n = 0; n < VERB_WORDS_MAX && argv[n]; n++) {
                size_t len = strcspn(name, " ");

                if (strlen(argv[n]) != len || strncmp(argv[n], name, len) != 0)
                        return 0;
                if (!name[len])
                        return n + 1;
                name += len + 1;
        }
        return 0;
}

static const CtlVerb *find_verb(const CtlVerbs *verbs, const char *const *argv, size_t *ret_words) {
        for (size_t i = 0; i < verbs->n; i++) {
                *ret_words = matching_words(verbs->list[i], argv);
                if (*ret_words > 0)
                        return verbs->list[i];
        }
        return NULL;
}

static bool is_of_group(const CtlVerb *verb, const char *group) {
        const char *rest = text_starts_with(verb->name, group) ? verb->name + strlen(group) : NULL;

        return rest && *rest == ' ';
}

/* The first word of several verbs, as "tpm" is; NULL when @word is none. */
static const char *find_group(const CtlVerbs *verbs, const char *word) {
        for (size_t i = 0; i < verbs->n; i++)
                if (is_of_group(verbs->list[i], word))
                        return word;
        return NULL;
}

/* All verbs, or those of a @group. */
static void help_of_all(const CtlVerbs *verbs, const char *group, Writer *w) {
        char line[160];

        wr_str(w, "Usage: snpctl VERB [OPTION...]\n\n");
        for (size_t i = 0; i < verbs->n; i++) {
                if (group && !is_of_group(verbs->list[i], group))
                        continue;
                (void) snprintf(line, sizeof(line), "  %-15s %s\n", verbs->list[i]->name, verbs->list[i]->summary);
                wr_str(w, line);
        }
        wr_str(w, "\n'snpctl VERB --help' lists the options of a verb; 'snpctl --version' tells the version.\n"
                  "\nExit status:\n");
        wr_str(w, ctl_exit_help);
}

static void help_of_verb(const CtlVerb *verb, Writer *w) {
        char line[160];

        (void) snprintf(line, sizeof(line), "Usage: snpctl %s%s%s [OPTION...]\n\n%s.\n", verb->name,
                        verb->operands ? " " : "", verb->operands ? verb->operands : "", verb->summary);
        wr_str(w, line);
        if (verb->details)
                wr_str(w, verb->details);
        wr_str(w, "\nOptions:\n");
        ctl_args_help(&verb->options, w);
        wr_str(w, "\nExit status:\n");
        wr_str(w, ctl_exit_help);
}

/* Help that was asked for goes to standard output, help that was not to standard error. */
static int print_help(const CtlVerbs *verbs, const char *group, const CtlVerb *verb, int fd) {
        AUTO_WRITER Writer w = wr_init(CTL_OUTPUT_MAX);
        AUTO_BLOB Blob text = {};

        if (verb)
                help_of_verb(verb, &w);
        else
                help_of_all(verbs, group, &w);
        if (wr_finish(&w, &text) < 0 || file_write_fd(fd, "help", text.data, text.size, NULL) < 0)
                return CTL_EXIT_FAILED;
        return fd == STDOUT_FILENO ? CTL_EXIT_OK : CTL_EXIT_USAGE;
}

/* Does not return when the helper could be started. It lies beside this program, or where it is installed. */
static int exec_helper(const char *helper, char **argv, Error *e) {
        char self[PATH_MAX], path[PATH_MAX + NAME_MAX];
        ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
        char *slash;

        if (n > 0) {
                self[n] = 0;
                slash = strrchr(self, '/');
                if (slash) {
                        (void) snprintf(path, sizeof(path), "%.*s/%s", (int) (slash - self), self, helper);
                        (void) execv(path, argv);
                }
        }
        (void) snprintf(path, sizeof(path), "%s/%s", SNP_AGENT_LIBEXECDIR, helper);
        (void) execv(path, argv);
        return error_set(e, -errno, "helper-missing", "Cannot start %s: %s", path, error_text(NULL, -errno));
}

/* Also finds --json in a command line that cannot be parsed, so that the complaint has the form that was asked for. */
static bool wants_json(const char *const *argv) {
        for (; *argv && strcmp(*argv, "--") != 0; argv++)
                if (strcmp(*argv, "--json") == 0)
                        return true;
        return false;
}

static int parse(const CtlVerb *verb, const char *const *argv, void *args, CtlCommon *common, Error *e) {
        int r = ctl_args_parse(&verb->options, argv, args, common, e);

        if (r < 0 || common->help)
                return r;
        if (common->n_operands < verb->n_operands)
                return ctl_usage(e, "%s is missing; see --help", verb->operands);
        if (common->n_operands > verb->n_operands)
                return ctl_usage(e, "'%.40s' is one word too many; see --help", common->operands[verb->n_operands]);
        return 0;
}

static int run_verb(const CtlVerb *verb, const void *args, const CtlCommon *common, CtlExit *ret_exit, Error *e) {
        AUTO_CTL_OUTPUT CtlOutput out = ctl_output_init(common->json);
        const CtlCall call = { .args = args, .operands = common->operands };
        int r;

        r = verb->run(&call, &out, e);
        if (r == 0)
                r = ctl_output_write(&out, e);
        if (r == 0)
                *ret_exit = out.exit;
        return r;
}

static int run(const CtlVerbs *verbs, const CtlVerb *verb, const char *const *argv) {
        AUTO_FREE void *args = calloc(1, verb->args_size + 1);
        CtlExit status = CTL_EXIT_OK;
        CtlCommon common = {};
        Error e = {};
        int r;

        r = args ? parse(verb, argv, args, &common, &e) : error_oom(&e);
        if (r == 0 && common.help)
                return print_help(verbs, NULL, verb, STDOUT_FILENO);
        if (r == 0)
                r = run_verb(verb, args, &common, &status, &e);
        if (r == 0)
                return (int) status;
        ctl_output_fail(wants_json(argv), verb->name, r, &e);
        return (int) ctl_exit_of(r, &e);
}

static int print_version(void) {
        bool printed = printf("snpctl %s\n", SNP_AGENT_VERSION) > 0 && fflush(stdout) == 0;

        return printed ? CTL_EXIT_OK : CTL_EXIT_FAILED;
}

static bool is_help(const char *word) {
        return word && strcmp(word, "--help") == 0;
}

static int no_verb(const char *const *words, const char *group, Error *e) {
        if (!group)
                return ctl_usage(e, "there is no verb '%.40s'; 'snpctl --help' lists them", words[0]);
        if (!words[1] || words[1][0] == '-')
                return ctl_usage(e, "the verb lacks a word behind '%.40s'; 'snpctl %.40s --help' lists them", group, group);
        return ctl_usage(e, "there is no verb '%.40s %.40s'; 'snpctl %.40s --help' lists them", group, words[1], group);
}

int ctl_main(const CtlVerbs *verbs, int argc, char **argv) {
        const char *const *words = (const char *const *) argv + (argc > 0);
        const CtlVerb *verb;
        const char *group;
        Error e = {};
        size_t n = 0;

        if (!words[0])
                return print_help(verbs, NULL, NULL, STDERR_FILENO);
        if (is_help(words[0]))
                return print_help(verbs, NULL, NULL, STDOUT_FILENO);
        if (strcmp(words[0], "--version") == 0)
                return print_version();
        verb = find_verb(verbs, words, &n);
        group = verb ? NULL : find_group(verbs, words[0]);
        if (group && is_help(words[1]))
                return print_help(verbs, group, NULL, STDOUT_FILENO);
        if (!verb)
                (void) no_verb(words, group, &e);
        else if (verb->helper)
                (void) exec_helper(verb->helper, argv, &e);
        else
                return run(verbs, verb, words + n);
        ctl_output_fail(wants_json(words), verb ? verb->name : "", e.code, &e);
        return (int) ctl_exit_of(e.code, &e);
}
