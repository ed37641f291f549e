/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/loop-kbc.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>

#include "base/deadline.h"

#define TIMER_ACCURACY_USEC USEC_PER_MSEC

/* One watched descriptor. The client has a handful at most, so a list does. */
typedef struct Watch {
        struct Watch *next;
        sd_event_source *source;
        int fd;
} Watch;

struct LoopKbc {
        sd_event *event;
        LoopKbcTarget target;
        sd_event_source *timer;
        Watch *watches;
};

static int on_fd(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        LoopKbc *loop = userdata;
        unsigned what = 0;

        (void) source;
        /* An error or hang-up is found out by whoever reads or writes. */
        if (revents & (EPOLLIN | EPOLLHUP | EPOLLERR))
                what |= KBC_IO_IN;
        if (revents & (EPOLLOUT | EPOLLHUP | EPOLLERR))
                what |= KBC_IO_OUT;
        if (loop->target.object)
                loop->target.on_fd(loop->target.object, fd, what);
        return 0;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        LoopKbc *loop = userdata;

        (void) source;
        (void) usec;
        if (loop->target.object)
                loop->target.on_timer(loop->target.object);
        return 0;
}

static void forget(LoopKbc *loop, int fd) {
        for (Watch **at = &loop->watches; *at; at = &(*at)->next)
                if ((*at)->fd == fd) {
                        Watch *w = *at;

                        *at = w->next;
                        (void) sd_event_source_disable_unref(w->source);
                        free(w);
                        return;
                }
}

static int set_fd(void *userdata, int fd, unsigned what) {
        LoopKbc *loop = userdata;
        uint32_t events = (what & KBC_IO_IN ? (uint32_t) EPOLLIN : 0) | (what & KBC_IO_OUT ? (uint32_t) EPOLLOUT : 0);
        Watch *w = loop->watches;
        int r;

        if (what == 0) {
                forget(loop, fd);
                return 0;
        }
        while (w && w->fd != fd)
                w = w->next;
        if (w)
                return sd_event_source_set_io_events(w->source, events);
        w = calloc(1, sizeof(*w));
        if (!w)
                return -ENOMEM;
        w->fd = fd;
        r = sd_event_add_io(loop->event, &w->source, fd, events, on_fd, loop);
        if (r < 0) {
                free(w);
                return r;
        }
        w->next = loop->watches;
        loop->watches = w;
        return 0;
}

static int set_timer(void *userdata, uint64_t usec) {
        LoopKbc *loop = userdata;
        int r;

        if (usec == UINT64_MAX)
                return sd_event_source_set_enabled(loop->timer, SD_EVENT_OFF);
        r = sd_event_source_set_time_relative(loop->timer, usec);
        if (r < 0)
                return r;
        return sd_event_source_set_enabled(loop->timer, SD_EVENT_ONESHOT);
}

const KbcLoopOps loop_kbc_ops = { .set_fd = set_fd, .set_timer = set_timer };

int loop_kbc_new(sd_event *event, LoopKbc **ret, Error *e) {
        CLEANUP(loop_kbc_freep) LoopKbc *loop = calloc(1, sizeof(*loop));
        int r;

        if (!loop)
                return error_oom(e);
        loop->event = sd_event_ref(event);
        r = sd_event_add_time_relative(event, &loop->timer, CLOCK_MONOTONIC, 0, TIMER_ACCURACY_USEC, on_timer, loop);
        if (r == 0)
                r = sd_event_source_set_enabled(loop->timer, SD_EVENT_OFF);
        if (r < 0)
                return error_set(e, r, "event-loop", "Cannot set up a timer: %s", error_text(NULL, r));
        *ret = TAKE_PTR(loop);
        return 0;
}

void loop_kbc_set_target(LoopKbc *loop, const LoopKbcTarget *target) {
        loop->target = *target;
}

static void client_on_fd(void *object, int fd, unsigned what) {
        kbc_client_on_fd(object, fd, what);
}

static void client_on_timer(void *object) {
        kbc_client_on_timer(object);
}

void loop_kbc_set_client(LoopKbc *loop, KbcClient *client) {
        loop->target = (LoopKbcTarget){ .on_fd = client_on_fd, .on_timer = client_on_timer, .object = client };
}

void loop_kbc_free(LoopKbc *loop) {
        if (!loop)
                return;
        while (loop->watches)
                forget(loop, loop->watches->fd);
        (void) sd_event_source_disable_unref(loop->timer);
        (void) sd_event_unref(loop->event);
        free(loop);
}
