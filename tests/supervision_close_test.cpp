#include "supervision_fixture.hpp"

using namespace supervision_test;

namespace {

pool_options with_lifetime(duration x) {
  auto result = small();
  result.max_lifetime = x;
  return result;
}

// A key with one open resource, held by request 1.
struct open_key : one_key {
  explicit open_key(pool_options options_of_key = small())
    : one_key(std::move(options_of_key)) {
    acquire();
    opened(1);
  }
};

} // namespace

BOOST_AUTO_TEST_SUITE(supervision_close)

// -- idle ---------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(
  a_slot_is_closed_when_it_was_idle_long_enough_and_not_before) {
  open_key k;
  k.give_back(1);
  BOOST_TEST(k.tick_after(10s - 1ns) == ""); // I5
  BOOST_TEST(k.tick_after(1ns) == "close 1 idle");
  BOOST_TEST(k.tick() == "");
  BOOST_TEST(k.closed(1) == "");
}

BOOST_AUTO_TEST_CASE(idle_counts_from_the_end_of_the_last_use) {
  open_key k;
  k.time.at += 7s;
  k.give_back(1);
  auto id = k.borrow();
  k.time.at += 7s;
  BOOST_TEST(k.tick_after(100s) == ""); // held
  k.give_back(id);
  BOOST_TEST(k.tick_after(10s - 1ns) == "");
  BOOST_TEST(k.tick_after(1ns) == "close 1 idle");
}

BOOST_AUTO_TEST_CASE(
  a_resource_that_nobody_ever_used_is_idle_from_its_opening) {
  one_key k;
  k.acquire();
  k.forget(1);
  k.time.at += 3s;
  k.opened(1);
  BOOST_TEST(k.tick_after(10s - 1ns) == "");
  BOOST_TEST(k.tick_after(1ns) == "close 1 idle");
}

BOOST_AUTO_TEST_CASE(cleanup_is_due_on_the_grid_of_the_ticks) {
  open_key k;
  k.time.at += 300ms;
  k.give_back(1);
  BOOST_TEST((k.next_due() == 11s)); // 10.3 s, rounded up
  k.time.at = start + 2s;
  k.give_back(k.borrow());
  BOOST_TEST((k.next_due() == 12s)); // exact: not a tick later
}

BOOST_AUTO_TEST_CASE(between_two_points_of_the_grid_nothing_is_cleaned_up) {
  open_key k;
  k.time.at += 300ms;
  k.give_back(1);
  BOOST_TEST(k.tick_after(10s) == ""); // idle for 10 s, but the grid says 11 s
  BOOST_TEST(k.tick_after(700ms - 1ns) == "");
  BOOST_TEST(k.tick_after(1ns) == "close 1 idle");
}

BOOST_AUTO_TEST_CASE(a_tick_that_comes_late_cleans_up_as_of_the_grid) {
  open_key k;
  k.give_back(1);
  BOOST_TEST(k.tick_after(10s + 999ms) == "close 1 idle");
  k.closed(1);
  k.acquire();
  k.opened(2);
  k.give_back(2); // at 10.999 s
  BOOST_TEST(k.tick_after(10s) == "");
  BOOST_TEST(k.tick_after(1ms) == "close 2 idle");
}

BOOST_AUTO_TEST_CASE(the_next_tick_of_a_held_slot_misses_no_return) {
  open_key k;
  k.time.at += 1s;
  BOOST_TEST((k.next_due() == 11s)); // given back right now it is due then
  k.give_back(1);
  BOOST_TEST((k.next_due() == 11s));
}

BOOST_AUTO_TEST_CASE(with_everything_off_nothing_is_ever_due) {
  auto options = small();
  options.idle_timeout = off;
  open_key k{options};
  BOOST_TEST((k.next_due() == off));
  k.give_back(1);
  BOOST_TEST((k.next_due() == off));
  BOOST_TEST(k.tick_after(24h * 365) == "");
}

BOOST_AUTO_TEST_CASE(the_earliest_of_all_is_due_next) {
  one_key k{small(4)};
  k.acquire("a");
  k.opened(1);
  k.give_back(1);
  k.time.at += 4s;
  k.acquire("b");
  BOOST_TEST((k.next_due() == 9s)); // that open, on no grid
  k.acquire("c", k.now() + 1500ms);
  BOOST_TEST((k.next_due() == 5500ms));
  k.opened(3);
  k.opened(2);
  BOOST_TEST((k.next_due() == 10s));
}

// -- lifetime -----------------------------------------------------------------

BOOST_AUTO_TEST_CASE(an_old_slot_is_closed_however_much_it_is_used) {
  open_key k{with_lifetime(15s)};
  k.give_back(1);
  for (int i = 0; i < 14; ++i) {
    BOOST_TEST(k.tick_after(1s) == "");
    k.give_back(k.borrow());
  }
  BOOST_TEST((k.next_due() == 15s));
  BOOST_TEST(k.tick_after(1s - 1ns) == "");
  BOOST_TEST(k.tick_after(1ns) == "close 1 lifetime");
}

BOOST_AUTO_TEST_CASE(age_counts_from_when_it_was_open) {
  one_key k{with_lifetime(5s)};
  k.acquire();
  k.time.at += 3s;
  k.opened(1);
  k.give_back(1);
  BOOST_TEST((k.next_due() == 8s));
  BOOST_TEST(k.tick_after(5s - 1ns) == "");
  BOOST_TEST(k.tick_after(1ns) == "close 1 lifetime");
}

BOOST_AUTO_TEST_CASE(
  an_old_slot_that_is_held_is_closed_at_the_first_tick_after_it) {
  open_key k{with_lifetime(5s)};
  BOOST_TEST(k.tick_after(5s) == "");
  BOOST_TEST((k.next_due() == 6s)); // asked at every tick
  BOOST_TEST(k.tick_after(1s) == "");
  BOOST_TEST((k.next_due() == 7s));
  k.time.at += 500ms;
  BOOST_TEST(k.give_back(1) == "");
  BOOST_TEST((k.next_due() == 7s));
  BOOST_TEST(k.tick_after(500ms) == "close 1 lifetime");
}

BOOST_AUTO_TEST_CASE(an_old_slot_held_at_a_tick_that_nobody_saw_waits_for_one) {
  open_key k{with_lifetime(5s)};
  k.time.at += 5s;
  BOOST_TEST(k.give_back(1) == ""); // at the tick itself it was held
  BOOST_TEST((k.next_due() == 6s));
  BOOST_TEST(k.tick_after(1s - 1ns) == ""); // for something on no grid
  BOOST_TEST(k.tick_after(1ns) == "close 1 lifetime");
}

BOOST_AUTO_TEST_CASE(what_is_both_idle_and_old_is_closed_as_idle) {
  open_key k{with_lifetime(10s)};
  k.give_back(1);
  BOOST_TEST(k.tick_after(10s) == "close 1 idle");
}

// -- unhealthy ----------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_resource_given_up_is_closed_and_lent_to_nobody) {
  open_key k;
  BOOST_TEST(k.give_back(1, false) == "close 1 unhealthy");
  BOOST_TEST(k.acquire() == "open 2");
}

BOOST_AUTO_TEST_CASE(
  a_shared_resource_given_up_is_closed_when_the_last_one_leaves) {
  one_key k{small(2, 2)};
  k.acquire();
  k.acquire();
  k.opened(1);
  BOOST_TEST(k.give_back(1, false) == "");
  BOOST_TEST(k.borrow() == 0u);
  BOOST_TEST(k.acquire() == "open 2");
  BOOST_TEST(k.give_back(2) == "close 1 unhealthy"); // I4
}

BOOST_AUTO_TEST_CASE(the_place_of_a_broken_resource_is_room_for_who_waits) {
  one_key k{small(2)};
  k.acquire("a");
  k.opened(1);
  k.acquire("b");
  k.opened(2);
  k.give_back(2);
  BOOST_TEST(k.acquire("c") == "close 2 evicted");
  BOOST_TEST(k.give_back(1, false) == "close 1 unhealthy");
  BOOST_TEST(k.acquire("d") == "");
  BOOST_TEST(k.closed(1) == "open 3");
  BOOST_TEST(k.closed(2) == "open 4");
}

// -- evict --------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(evict_closes_what_is_idle_now_and_what_is_held_later) {
  one_key k{small(3)};
  k.acquire("a");
  k.opened(1);
  k.acquire("b");
  k.opened(2);
  k.acquire("c");
  k.give_back(1);
  BOOST_TEST(k.evict() == "close 1 requested");
  BOOST_TEST(k.evicted == 2u);
  BOOST_TEST(k.borrow("b") == 0u);
  BOOST_TEST(k.give_back(2) == "close 2 requested");
  BOOST_TEST(k.opened(3) == "answer 3 with 3 fresh"); // not what was meant
}

BOOST_AUTO_TEST_CASE(what_is_doomed_and_held_is_lent_to_nobody_else) {
  one_key k{small(2, 2)};
  k.acquire();
  k.opened(1);
  k.evict();
  BOOST_TEST(k.acquire() == "open 2");
  BOOST_TEST(k.opened(2) == "answer 2 with 2 fresh");
  BOOST_TEST(k.give_back(1) == "close 1 requested");
}

BOOST_AUTO_TEST_CASE(the_first_reason_to_close_is_the_one_that_counts) {
  open_key k;
  k.evict();
  BOOST_TEST(k.evict() == "");
  BOOST_TEST(k.give_back(1, false) == "close 1 requested");
}

// -- leaving ------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(an_empty_supervisor_leaves_after_it_lingered) {
  open_key k;
  k.give_back(1);
  k.tick_after(10s);
  k.time.at += 500ms;
  k.closed(1);
  BOOST_TEST((k.next_due() == 41s));   // 10.5 s + 30 s, rounded up
  BOOST_TEST(k.tick_after(30s) == ""); // not on the grid
  BOOST_TEST(k.tick_after(500ms - 1ns) == "");
  BOOST_TEST(k.tick_after(1ns) == "passivate");
}

BOOST_AUTO_TEST_CASE(a_supervisor_that_never_opened_anything_leaves_too) {
  one_key k;
  BOOST_TEST((k.next_due() == 30s));
  k.acquire();
  k.time.at += 3s;
  k.failed(1);
  BOOST_TEST((k.next_due() == 33s));
  BOOST_TEST(k.tick_after(30s) == "passivate");
}

BOOST_AUTO_TEST_CASE(
  nobody_leaves_who_has_a_resource_a_waiter_or_a_permit_to_come) {
  auto options = small();
  options.total_max = 1;
  options.idle_timeout = off;
  one_key k{options};
  k.acquire("a");
  BOOST_TEST(k.tick_after(4s) == "");
  k.opened(1);
  k.give_back(1);
  BOOST_TEST(k.tick_after(100s) == "");
  k.give_up(1);
  BOOST_TEST(k.tick_after(100s) == ""); // closing
  k.closed(1);
  k.budget.try_take();
  k.acquire("b");
  BOOST_TEST(k.tick_after(100s) == ""); // waits
  k.forget(2);
  BOOST_TEST(k.tick_after(100s) == ""); // would have to bring it back
  k.permit_granted();
  BOOST_TEST(k.tick_after(100s) == "passivate");
}

// -- what the budget missed ---------------------------------------------------

BOOST_AUTO_TEST_CASE(what_was_missed_and_comes_back_by_message_is_told) {
  auto options = small(1);
  options.total_max = 1;
  options.waiters_max = 1;
  one_key k{options};
  k.acquire("a");
  k.opened(1);
  auto& s = *k.resources.at(1).place;
  BOOST_TEST(s.try_miss(s.word()));
  k.acquire("a"); // waits, and gets it: it is not idle yet
  BOOST_TEST(k.give_back(1) == "answer 2 with 1");
  BOOST_TEST(s.word().missed());
  k.acquire("a");
  k.let_go(2);
  k.forget(3); // while it is on its way
  BOOST_TEST(k.deliver_all() == "report idle 1");
}

// -- drain --------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(an_empty_supervisor_is_drained_at_once) {
  one_key k;
  BOOST_TEST(k.drain() == "passivate");
  BOOST_TEST(k.core.draining());
  BOOST_TEST((k.next_due() == off));
}

BOOST_AUTO_TEST_CASE(a_drain_closes_what_is_idle_and_waits_for_the_rest) {
  one_key k{small(4)};
  for (auto params : {"idle", "held", "opening"})
    k.acquire(params);
  k.opened(1);
  k.opened(2);
  k.give_back(1);
  k.acquire("waiting");
  BOOST_TEST(k.drain()
             == "reject 3 draining; reject 4 draining; close 1 drained");
  BOOST_TEST(k.acquire("idle") == "reject 5 draining");
  BOOST_TEST(k.borrow("held") == 0u);
  BOOST_TEST(k.closed(1) == "");
  BOOST_TEST(k.give_back(2) == "close 2 drained");
  BOOST_TEST(k.opened(3) == "close 3 drained");
  BOOST_TEST(k.closed(2) == "");
  BOOST_TEST(k.failed(4) == "");
  BOOST_TEST(k.closed(3) == "passivate");
}

BOOST_AUTO_TEST_CASE(a_drain_waits_for_a_permit_that_is_on_its_way) {
  auto options = small();
  options.total_max = 1;
  one_key k{options};
  k.budget.try_take();
  k.acquire();
  BOOST_TEST(k.drain() == "reject 1 draining");
  BOOST_TEST(k.permit_granted() == "passivate");
  BOOST_TEST(k.budget.try_take());
}

BOOST_AUTO_TEST_CASE(a_drain_keeps_the_reason_of_what_was_doomed_before) {
  open_key k;
  k.evict();
  k.drain();
  BOOST_TEST(k.give_back(1) == "close 1 requested");
}

BOOST_AUTO_TEST_CASE(a_draining_supervisor_still_closes_late_opens_as_stalled) {
  one_key k;
  k.acquire();
  k.tick_after(5s);
  k.drain();
  BOOST_TEST(k.opened(1) == "close 1 stalled");
  BOOST_TEST(k.closed(1) == "passivate");
}

// -- force --------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(
  force_closes_what_is_held_and_keeps_its_memory_for_holders) {
  one_key k{small(1, 2)};
  k.acquire();
  k.acquire();
  k.opened(1);
  k.drain();
  BOOST_TEST(k.force() == "close 1 drained revoked"); // I4
  BOOST_TEST(k.revoked == 2u);
  BOOST_TEST(k.held.at(1).revoked());
  BOOST_TEST(k.closed(1) == "passivate");
  auto destroyed = k.resources.at(1).destroyed;
  BOOST_TEST(k.give_back(1) == "");
  BOOST_TEST(!*destroyed);
  BOOST_TEST(k.give_back(2, false) == "");
  BOOST_TEST(*destroyed);
}

BOOST_AUTO_TEST_CASE(
  a_resource_outlives_its_holders_until_its_close_has_ended) {
  open_key k;
  k.drain();
  k.force();
  auto destroyed = k.resources.at(1).destroyed;
  k.give_back(1);
  BOOST_TEST(!*destroyed);
  BOOST_TEST(k.closed(1) == "passivate");
  BOOST_TEST(*destroyed);
}

BOOST_AUTO_TEST_CASE(a_hold_in_the_mail_is_revoked_as_well) {
  open_key k;
  k.drain();
  k.let_go(1);
  BOOST_TEST(k.mail.size() == 1u);
  BOOST_TEST(k.force() == "close 1 drained revoked");
  BOOST_TEST(k.revoked == 1u);
  BOOST_TEST(k.deliver() == "");
  BOOST_TEST(k.closed(1) == "passivate");
  BOOST_TEST(*k.resources.at(1).destroyed);
}

BOOST_AUTO_TEST_CASE(force_closes_what_is_free_like_any_other) {
  open_key k;
  k.give_back(1);
  BOOST_TEST(k.force() == "close 1 drained");
  BOOST_TEST(k.revoked == 0u);
  k.closed(1);
  BOOST_TEST(*k.resources.at(1).destroyed);
  BOOST_TEST(k.acquire() == "open 2"); // in the same slot
  BOOST_TEST((k.resources.at(2).place == k.resources.at(1).place));
}

BOOST_AUTO_TEST_CASE(a_place_that_was_revoked_is_not_used_again) {
  open_key k;
  k.force();
  k.closed(1);
  k.give_back(1);
  BOOST_TEST(k.acquire() == "open 2");
  BOOST_TEST((k.resources.at(2).place != k.resources.at(1).place));
}

// -- resources that open and close at once ------------------------------------

BOOST_AUTO_TEST_CASE(an_opener_that_does_not_block_is_served_within_the_event) {
  one_key k{small(1), true};
  BOOST_TEST(k.acquire("a") == "open 1; answer 1 with 1 fresh");
  k.give_back(1);
  BOOST_TEST(k.acquire("b")
             == "close 1 evicted; open 2; answer 2 with 2 fresh");
  k.give_back(2);
  BOOST_TEST(k.tick_after(10s) == "close 2 idle");
  BOOST_TEST(k.drain() == "passivate");
}

BOOST_AUTO_TEST_SUITE_END()
