/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The whole cleanup vocabulary. A variable that owns something is declared with one of these and an
 * initialiser; ownership leaves the function by TAKE_PTR or TAKE_FD at the point of success, and by
 * nothing else.
 */

#include <stdlib.h>
#include <unistd.h>

#define CLEANUP(fn) __attribute__((__cleanup__(fn)))

/* Defines FNp(), which calls FN on a non-NULL pointer; use as CLEANUP(FNp). */
#define DEFINE_CLEANUP(type, fn)                                                                   \
        static inline void fn##p(type *p) {                                                        \
                if (*p)                                                                            \
                        fn(*p);                                                                    \
                *p = NULL;                                                                         \
        }                                                                                          \
        struct fn##_cleanup_needs_semicolon

static inline void cleanup_free(void *p) {
        free(*(void **) p);
        *(void **) p = NULL;
}

static inline void cleanup_fd(int *fd) {
        if (*fd >= 0)
                (void) close(*fd);
        *fd = -1;
}

#define AUTO_FREE CLEANUP(cleanup_free)
#define AUTO_FD CLEANUP(cleanup_fd)

#define TAKE_PTR(p)                                                                                \
        ({                                                                                         \
                __typeof__(p) taken_ = (p);                                                        \
                (p) = NULL;                                                                        \
                taken_;                                                                            \
        })
#define TAKE_FD(fd)                                                                                \
        ({                                                                                         \
                int taken_ = (fd);                                                                 \
                (fd) = -1;                                                                         \
                taken_;                                                                            \
        })

#define N_ELEMENTS(array) (sizeof(array) / sizeof((array)[0]))
#define WARN_UNUSED __attribute__((__warn_unused_result__))
