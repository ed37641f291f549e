/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The hash covers every byte, so the edits are about bytes: blanks that a shell, a file or a boot loader leaves or
 * eats, words that somebody or something adds, and their order.
 */

#include "snp/launch/cmdline-edits.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What distributions, boot loaders and virtual machine managers add. */
static const char *const common_words[] = {
        "quiet", "splash", "ro", "rw", "debug", "nomodeset", "nokaslr", "initrd=initrd", "initrd=/initrd",
        "console=ttyS0", "console=ttyS0,115200", "console=ttyS0,115200n8", "console=tty0", "console=tty1",
        "console=hvc0", "earlyprintk=serial", "earlyprintk=ttyS0", "earlycon", "panic=1", "panic=-1",
        "loglevel=3", "loglevel=7", "net.ifnames=0", "mitigations=auto", "swiotlb=force", "random.trust_cpu=on",
        "systemd.unified_cgroup_hierarchy=1", "rd.shell=0", "rd.emergency=reboot", "audit=0", "selinux=0",
        "root=/dev/sda1", "root=/dev/vda1", "root=/dev/vda", "rootfstype=ext4",
};

typedef struct Edits {
        const char *cmdline;
        SnpCmdlineEdit edit;
        void *user;
} Edits;

/* Takes both texts, which may be NULL for want of memory. */
static int tell(const Edits *edits, char *cmdline, char *how) {
        int r = 0;

        if (!cmdline || !how)
                r = -ENOMEM;
        else if (strcmp(cmdline, edits->cmdline) != 0)
                r = edits->edit(edits->user, cmdline, how);
        free(cmdline);
        free(how);
        return r;
}

static char *format(const char *fmt, ...) __attribute__((__format__(__printf__, 1, 2)));

static char *format(const char *fmt, ...) {
        char *text = NULL;
        va_list ap;
        int n;

        va_start(ap, fmt);
        n = vasprintf(&text, fmt, ap);
        va_end(ap);
        return n < 0 ? NULL : text;
}

static bool is_blank(char c) {
        return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Between words one space, none around them. */
static char *squeeze(const char *text) {
        char *out = malloc(strlen(text) + 1), *p = out;

        if (!out)
                return NULL;
        for (; *text; text++)
                if (!is_blank(*text))
                        *p++ = *text;
                else if (p > out && p[-1] != ' ')
                        *p++ = ' ';
        while (p > out && p[-1] == ' ')
                p--;
        *p = 0;
        return out;
}

static int edit_blanks(const Edits *x) {
        static const struct { const char *before, *after, *how; } around[] = {
                { "", "\n", "with a newline at its end" },
                { "", " ", "with a space at its end" },
                { " ", "", "with a space in front" },
                { " ", " ", "with a space on both sides" },
                { "\"", "\"", "in double quotes" },
                { "'", "'", "in single quotes" },
        };
        size_t n = strlen(x->cmdline);
        int r = 0;

        for (size_t i = 0; r == 0 && i < N_ELEMENTS(around); i++)
                r = tell(x, format("%s%s%s", around[i].before, x->cmdline, around[i].after),
                         format("%s", around[i].how));
        if (r == 0)
                r = tell(x, squeeze(x->cmdline), format("with single spaces and none around"));
        while (n > 0 && is_blank(x->cmdline[n - 1]))
                n--;
        if (r == 0)
                r = tell(x, format("%.*s", (int) n, x->cmdline), format("without blanks at its end"));
        n = strlen(x->cmdline);
        if (r == 0 && n >= 2 && (x->cmdline[0] == '"' || x->cmdline[0] == '\'') && x->cmdline[n - 1] == x->cmdline[0])
                r = tell(x, format("%.*s", (int) n - 2, x->cmdline + 1), format("without the quotes around it"));
        return r == 0 ? tell(x, format("%s", ""), format("empty")) : r;
}

static int add_words(const Edits *x) {
        const char *gap = *x->cmdline ? " " : "";
        int r = 0;

        for (size_t i = 0; r == 0 && i < N_ELEMENTS(common_words); i++) {
                const char *word = common_words[i];

                r = tell(x, format("%s%s%s", x->cmdline, gap, word), format("with '%s' at its end", word));
                if (r == 0 && *gap)
                        r = tell(x, format("%s %s", word, x->cmdline), format("with '%s' in front", word));
        }
        return r;
}

/* The command line with @word, which lies in it, replaced; an empty replacement takes one blank with it. */
static char *replace(const char *cmdline, const char *word, size_t len, const char *with) {
        size_t before = (size_t) (word - cmdline);
        const char *after = word + len;

        if (!*with && before > 0)
                before--;
        else if (!*with && *after)
                after++;
        return format("%.*s%s%s", (int) before, cmdline, with, after);
}

static int edit_word(const Edits *x, const char *word, size_t len) {
        static const char *const opposites[][2] = { { "ro", "rw" }, { "rw", "ro" } };
        const char *next = word + len + strspn(word + len, " ");
        size_t next_len = strcspn(next, " ");
        int r = tell(x, replace(x->cmdline, word, len, ""), format("without '%.*s'", (int) len, word));

        for (size_t i = 0; r == 0 && i < N_ELEMENTS(opposites); i++)
                if (strlen(opposites[i][0]) == len && memcmp(word, opposites[i][0], len) == 0)
                        r = tell(x, replace(x->cmdline, word, len, opposites[i][1]),
                                 format("'%s' instead of '%s'", opposites[i][1], opposites[i][0]));
        if (r == 0 && next_len > 0)
                r = tell(x, format("%.*s%.*s%.*s%.*s%s", (int) (word - x->cmdline), x->cmdline, (int) next_len, next,
                                   (int) (next - word - (ptrdiff_t) len), word + len, (int) len, word, next + next_len),
                         format("with '%.*s' and '%.*s' swapped", (int) len, word, (int) next_len, next));
        return r;
}

static int edit_words(const Edits *x) {
        const char *p = x->cmdline;
        int r = 0;

        while (r == 0 && *(p += strspn(p, " "))) {
                size_t len = strcspn(p, " ");

                r = edit_word(x, p, len);
                p += len;
        }
        return r;
}

int snp_cmdline_edits(const char *cmdline, SnpCmdlineEdit edit, void *user) {
        const Edits x = { cmdline, edit, user };
        int r = edit_blanks(&x);

        if (r == 0)
                r = edit_words(&x);
        return r == 0 ? add_words(&x) : r;
}
