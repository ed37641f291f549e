/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/agent.h"
#include "agent/peer.h"
#include "tests/unit/unit.h"

static Agent agent;
static Generation generation;
static Config config;

static void with_places(uint32_t n) {
        config.agent.max_requests = n;
        generation.config = &config;
        agent.current = &generation;
}

START_TEST(places_are_bounded_and_come_back) {
        AgentSlot slots[3] = {};
        Error e = {};

        with_places(2);
        ck_assert_int_eq(agent_slot_take(&agent, 0, &slots[0], &e), 0);
        ck_assert_int_eq(agent_slot_take(&agent, 0, &slots[1], &e), 0);
        ck_assert_int_eq(agent_slot_take(&agent, 0, &slots[2], &e), -EBUSY);
        ck_assert_str_eq(e.reason, "queue-full");
        ck_assert_uint_eq(agent.counters.n_turned_away, 1);
        agent_slot_give(&slots[0]);
        agent_slot_give(&slots[0]); /* once is enough, twice does no harm */
        agent_slot_give(&slots[2]); /* never taken */
        ck_assert_uint_eq(agent.n_slots, 1);
        ck_assert_int_eq(agent_slot_take(&agent, 0, &slots[2], NULL), 0);
        agent_slot_give(&slots[1]);
        agent_slot_give(&slots[2]);
        ck_assert_uint_eq(agent.n_slots, 0);
        ck_assert_ptr_null(agent.slots);
}
END_TEST

START_TEST(user_has_half_of_the_places_and_root_all) {
        AgentSlot slots[8] = {};
        Error e = {};

        with_places(4);
        ck_assert_int_eq(agent_slot_take(&agent, 1000, &slots[0], NULL), 0);
        ck_assert_int_eq(agent_slot_take(&agent, 1000, &slots[1], NULL), 0);
        ck_assert_int_eq(agent_slot_take(&agent, 1000, &slots[2], &e), -EBUSY);
        ck_assert_str_eq(e.reason, "user-queue-full");
        ck_assert_int_eq(agent_slot_take(&agent, 1001, &slots[3], NULL), 0);
        ck_assert_int_eq(agent_slot_take(&agent, 0, &slots[4], NULL), 0);
        ck_assert_int_eq(agent_slot_take(&agent, 0, &slots[5], NULL), -EBUSY);
}
END_TEST

START_TEST(a_single_place_can_be_had_by_a_user) {
        AgentSlot slot = {};

        with_places(1);
        ck_assert_int_eq(agent_slot_take(&agent, 1000, &slot, NULL), 0);
}
END_TEST

START_TEST(last_error_is_kept_with_its_reason) {
        Error e = {};

        (void) error_set(&e, -EIO, "first", "one");
        agent_note_error(&agent, -EIO, &e);
        e = (Error){};
        (void) error_set(&e, -EPERM, "second", "two");
        agent_note_error(&agent, -EPERM, &e);
        ck_assert_int_eq(agent.last_error.code, -EPERM);
        ck_assert_str_eq(agent.last_error.reason, "second");
        ck_assert_str_eq(agent.last_error.text, "two");
        ck_assert_uint_gt(agent.last_error_at_usec, 0);
}
END_TEST

START_TEST(peer_is_whom_the_kernel_says) {
        AUTO_PEER Peer peer = {};
        Error e = {};
        int fds[2];

        ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
        ck_assert_msg(peer_identify(fds[0], &peer, &e) == 0, "%s", e.text);
        ck_assert_int_eq(peer.pid, getpid());
        ck_assert_uint_eq(peer.uid, geteuid());
        (void) close(fds[0]);
        (void) close(fds[1]);
}
END_TEST

START_TEST(what_is_no_socket_has_no_peer) {
        Peer peer = {};
        Error e = {};

        ck_assert_int_lt(peer_identify(STDIN_FILENO, &peer, &e), 0);
        ck_assert_str_eq(e.reason, "peer-unknown");
        ck_assert_ptr_null(peer.unit);
}
END_TEST

START_TEST(copy_of_a_peer_has_its_own_unit) {
        char unit[] = "x.service";
        Peer peer = { .pid = 1, .uid = 2, .unit = unit }, copy = {};

        ck_assert_int_eq(peer_dup(&peer, &copy), 0);
        ck_assert_str_eq(copy.unit, "x.service");
        ck_assert_ptr_ne(copy.unit, unit);
        ck_assert_uint_eq(copy.uid, 2);
        peer_done(&copy);
        ck_assert_ptr_null(copy.unit);
}
END_TEST

int main(void) {
        Suite *s = suite_create("agent");
        TCase *tc = tcase_create("agent");

        tcase_add_test(tc, places_are_bounded_and_come_back);
        tcase_add_test(tc, user_has_half_of_the_places_and_root_all);
        tcase_add_test(tc, a_single_place_can_be_had_by_a_user);
        tcase_add_test(tc, last_error_is_kept_with_its_reason);
        tcase_add_test(tc, peer_is_whom_the_kernel_says);
        tcase_add_test(tc, what_is_no_socket_has_no_peer);
        tcase_add_test(tc, copy_of_a_peer_has_its_own_unit);
        suite_add_tcase(s, tc);
        return unit_run(s);
}
