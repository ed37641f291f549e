/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Half of what a process with libcurl and libmicrohttpd has resident is text of libraries that only ran
 * their constructors (GnuTLS, Kerberos, LDAP come with them in Debian). On a guest with little memory those
 * pages are better used otherwise.
 */
#include "agent/daemon/memory.h"

#include <link.h>
#include <malloc.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* An object with text relocations has private pages in its text, which would be lost. */
static bool has_text_relocations(const struct dl_phdr_info *info) {
        for (int i = 0; i < info->dlpi_phnum; i++) {
                const ElfW(Phdr) *p = &info->dlpi_phdr[i];

                if (p->p_type != PT_DYNAMIC)
                        continue;
                for (const ElfW(Dyn) *d = (const void *) (info->dlpi_addr + p->p_vaddr); d->d_tag != DT_NULL; d++)
                        if (d->d_tag == DT_TEXTREL || (d->d_tag == DT_FLAGS && (d->d_un.d_val & DF_TEXTREL)))
                                return true;
        }
        return false;
}

static int drop_object(struct dl_phdr_info *info, size_t size, void *userdata) {
        uintptr_t page = (uintptr_t) sysconf(_SC_PAGESIZE);

        (void) size;
        (void) userdata;
        /* The kernel's own object has no file behind it. */
        if (has_text_relocations(info) || strstr(info->dlpi_name, "vdso"))
                return 0;
        for (int i = 0; i < info->dlpi_phnum; i++) {
                const ElfW(Phdr) *p = &info->dlpi_phdr[i];
                uintptr_t from = (info->dlpi_addr + p->p_vaddr) & ~(page - 1);
                uintptr_t to = (info->dlpi_addr + p->p_vaddr + p->p_filesz) & ~(page - 1);

                if (p->p_type == PT_LOAD && !(p->p_flags & PF_W) && to > from)
                        (void) madvise((void *) from, to - from, MADV_DONTNEED); /* advice; may be refused */
        }
        return 0;
}

void daemon_give_back_memory(void) {
        (void) malloc_trim(0);
        (void) dl_iterate_phdr(drop_object, NULL);
}
