#include "supervision_fixture.hpp"

using namespace supervision_test;

namespace {

pool_options rejecting(std::size_t per_key_max) {
  auto result = small(per_key_max);
  result.when_full = full_policy::reject;
  return result;
}

pool_options with_total(std::size_t total_max, std::size_t per_key_max = 4) {
  auto result = small(per_key_max);
  result.total_max = total_max;
  return result;
}

} // namespace

BOOST_AUTO_TEST_SUITE(supervision_acquire)

// -- reuse before open --------------------------------------------------------

BOOST_AUTO_TEST_CASE(the_first_request_opens_and_gets_what_was_opened) {
  one_key k;
  BOOST_TEST(k.acquire() == "open 1");
  BOOST_TEST(k.opened(1) == "answer 1 with 1 fresh");
}

BOOST_AUTO_TEST_CASE(a_free_slot_is_lent_before_another_is_opened) {
  one_key k;
  k.acquire();
  k.opened(1);
  k.give_back(1);
  BOOST_TEST(k.acquire() == "answer 2 with 1");
}

BOOST_AUTO_TEST_CASE(a_free_slot_is_lent_even_at_the_deadline) {
  one_key k;
  k.acquire();
  k.opened(1);
  k.give_back(1);
  BOOST_TEST(k.acquire("", k.now()) == "answer 2 with 1");
}

BOOST_AUTO_TEST_CASE(nothing_is_opened_for_who_cannot_wait) {
  one_key k;
  BOOST_TEST(k.acquire("", k.now()) == "reject 1 deadline_exceeded");
  BOOST_TEST(k.acquire("", k.now() + 1ns) == "open 1");
}

BOOST_AUTO_TEST_CASE(other_params_need_another_resource) {
  one_key k;
  k.acquire("a");
  k.opened(1);
  k.give_back(1);
  BOOST_TEST(k.acquire("b") == "open 2");
  BOOST_TEST(k.acquire("a") == "answer 3 with 1");
}

BOOST_AUTO_TEST_CASE(with_nobody_waiting_users_borrow_without_a_message) {
  one_key k;
  k.acquire();
  k.opened(1);
  BOOST_TEST(k.give_back(1) == "");
  auto id = k.borrow();
  BOOST_TEST(id != 0u);
  BOOST_TEST(k.give_back(id) == "");
}

// -- a full key ---------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_full_key_evicts_its_least_recently_used_idle_slot) {
  one_key k;
  k.acquire("a");
  k.opened(1);
  k.acquire("b");
  k.opened(2);
  k.give_back(2);
  k.time.at += 1s;
  k.give_back(1);
  BOOST_TEST(k.acquire("c") == "close 2 evicted");
  BOOST_TEST(k.closed(2) == "open 3"); // I1: not before
  BOOST_TEST(k.opened(3) == "answer 3 with 3 fresh");
}

BOOST_AUTO_TEST_CASE(of_those_idle_equally_long_the_one_opened_first_goes) {
  one_key k;
  k.acquire("a");
  k.acquire("b");
  k.opened(2);
  k.opened(1);
  k.give_back(2);
  k.give_back(1);
  BOOST_TEST(k.acquire("c") == "close 1 evicted");
}

BOOST_AUTO_TEST_CASE(a_key_whose_slots_are_all_held_rejects_and_says_why) {
  one_key k;
  k.acquire("a");
  k.acquire("b");
  k.opened(1);
  k.opened(2);
  BOOST_TEST(k.acquire("c") == "reject 3 key_full");
  BOOST_TEST(k.figures.limit == "per_key_max");
  BOOST_TEST(k.figures.limit_value == 2u);
  BOOST_TEST(k.figures.open == 2u);
  BOOST_TEST(k.figures.leased == 2u);
  BOOST_TEST(k.figures.waiting == 0u);
  BOOST_TEST(!k.figures.retry_after_ms.has_value());
}

BOOST_AUTO_TEST_CASE(opening_slots_count_as_full) {
  one_key k;
  k.acquire();
  k.acquire();
  BOOST_TEST(k.acquire() == "reject 3 key_full");
  BOOST_TEST(k.figures.open == 2u);
  BOOST_TEST(k.figures.leased == 0u);
  BOOST_TEST(k.figures.waiting == 2u);
}

BOOST_AUTO_TEST_CASE(a_key_told_to_reject_evicts_nobody_and_says_when_to_try) {
  one_key k{rejecting(1)};
  k.acquire("a");
  k.opened(1);
  k.give_back(1);
  k.time.at += 2500ms;
  BOOST_TEST(k.acquire("b") == "reject 2 key_full");
  BOOST_TEST(k.figures.leased == 0u);
  BOOST_TEST(k.figures.retry_after_ms.value() == 7500);
  BOOST_TEST(k.acquire("a") == "answer 3 with 1");
}

BOOST_AUTO_TEST_CASE(closing_slots_are_room_to_be) {
  one_key k{rejecting(1)};
  k.acquire("a");
  k.opened(1);
  k.give_back(1);
  BOOST_TEST(k.evict() == "close 1 requested");
  BOOST_TEST(k.acquire("b") == "");
  BOOST_TEST(k.acquire("c") == "reject 3 key_full"); // promised already
  BOOST_TEST(k.closed(1) == "open 2");
  BOOST_TEST(k.opened(2) == "answer 2 with 2 fresh");
}

BOOST_AUTO_TEST_CASE(each_of_two_who_wait_for_room_has_a_place_evicted_for_it) {
  one_key k;
  for (auto params : {"a", "b"})
    k.acquire(params);
  k.opened(1);
  k.opened(2);
  k.give_back(1);
  k.give_back(2);
  BOOST_TEST(k.acquire("c") == "close 1 evicted");
  BOOST_TEST(k.acquire("d") == "close 2 evicted");
  BOOST_TEST(k.acquire("e") == "reject 5 key_full");
  BOOST_TEST(k.closed(2) == "open 3"); // for "c", who came first
  BOOST_TEST(k.closed(1) == "open 4");
  BOOST_TEST(k.opened(3) == "answer 3 with 3 fresh");
  BOOST_TEST(k.opened(4) == "answer 4 with 4 fresh");
}

// -- opens that fail, or come late --------------------------------------------

BOOST_AUTO_TEST_CASE(a_failed_open_answers_its_waiter_and_frees_its_place) {
  one_key k{small(1)};
  k.acquire();
  BOOST_TEST(k.failed(1) == "reject 1 open_failed");
  BOOST_TEST(k.figures.limit == "");
  BOOST_TEST(k.core.live() == 0u);
  BOOST_TEST(k.acquire() == "open 2");
}

BOOST_AUTO_TEST_CASE(an_open_times_out_at_its_time_and_not_before) {
  one_key k;
  k.acquire();
  BOOST_TEST((k.next_due() == 5s));
  BOOST_TEST(k.tick_after(5s - 1ns) == "");
  BOOST_TEST(k.tick_after(1ns) == "reject 1 open_timed_out");
  BOOST_TEST(k.core.live() == 1u); // I1: it still may bring something
  BOOST_TEST((k.next_due() == off));
}

BOOST_AUTO_TEST_CASE(what_a_late_open_brings_is_closed_as_stalled) {
  one_key k{small(1)};
  k.acquire();
  k.tick_after(5s);
  BOOST_TEST(k.acquire() == "reject 2 key_full");
  BOOST_TEST(k.opened(1) == "close 1 stalled");
  BOOST_TEST(k.acquire() == "");
  BOOST_TEST(k.closed(1) == "open 2");
}

BOOST_AUTO_TEST_CASE(a_late_open_that_fails_only_frees_its_place) {
  one_key k{small(1)};
  k.acquire();
  k.tick_after(5s);
  BOOST_TEST(k.failed(1) == "");
  BOOST_TEST(k.acquire() == "open 2");
}

BOOST_AUTO_TEST_CASE(a_waiter_is_refused_exactly_at_its_own_deadline) {
  one_key k;
  k.acquire("", start + 1s + 1ns); // not on the grid of the ticks
  BOOST_TEST((k.next_due() == 1s + 1ns));
  BOOST_TEST(k.tick_after(1s) == "");
  BOOST_TEST(k.tick_after(1ns) == "reject 1 deadline_exceeded");
  BOOST_TEST(k.figures.open == 1u);
  BOOST_TEST(k.opened(1) == ""); // it stays for the next one
  BOOST_TEST(k.borrow() != 0u);
}

// -- who went away ------------------------------------------------------------

BOOST_AUTO_TEST_CASE(what_was_opened_for_who_went_away_becomes_idle) {
  one_key k;
  k.acquire();
  BOOST_TEST(k.forget(1) == "");
  BOOST_TEST(k.opened(1) == "");
  BOOST_TEST(k.borrow() != 0u);
}

BOOST_AUTO_TEST_CASE(the_room_of_who_went_away_is_for_the_next_one) {
  one_key k{small(1)};
  k.acquire("a");
  k.opened(1);
  k.give_back(1);
  BOOST_TEST(k.acquire("b") == "close 1 evicted");
  BOOST_TEST(k.forget(2) == "");
  BOOST_TEST(k.acquire("c") == "");
  BOOST_TEST(k.closed(1) == "open 2");
  BOOST_TEST(k.opened(2) == "answer 3 with 2 fresh");
}

BOOST_AUTO_TEST_CASE(
  forgetting_a_stranger_or_who_was_answered_changes_nothing) {
  one_key k;
  k.acquire();
  BOOST_TEST(k.forget(99) == "");
  k.opened(1);
  BOOST_TEST(k.forget(1) == "");
  BOOST_TEST(k.held.count(1) == 1u);
}

// -- I7: the order of arrival -------------------------------------------------

BOOST_AUTO_TEST_CASE(what_comes_back_goes_to_who_came_first) {
  one_key k{small(3)};
  k.acquire("a");
  k.opened(1);
  k.acquire("a");
  k.acquire("a");
  BOOST_TEST(k.give_back(1) == "answer 2 with 1");
  BOOST_TEST(k.give_back(2) == "answer 3 with 1");
  BOOST_TEST(k.opened(2) == ""); // opened for them, and not needed any more
  BOOST_TEST(k.opened(3) == "");
}

BOOST_AUTO_TEST_CASE(what_opens_first_goes_to_who_came_first) {
  one_key k;
  k.acquire();
  k.acquire();
  BOOST_TEST(k.opened(2) == "answer 1 with 2 fresh");
  BOOST_TEST(k.failed(1) == "reject 2 open_failed"); // it depends on that now
}

BOOST_AUTO_TEST_CASE(who_was_served_early_leaves_the_promise_to_others) {
  one_key k{small(2)};
  k.acquire("a");
  k.opened(1);
  k.acquire("b");
  k.opened(2);
  k.give_back(2);
  BOOST_TEST(k.acquire("a") == "close 2 evicted"); // waits for the close
  BOOST_TEST(k.give_back(1) == "answer 3 with 1");
  BOOST_TEST(k.closed(2) == ""); // nobody needs it
  BOOST_TEST(k.acquire("c") == "open 3");
}

BOOST_AUTO_TEST_CASE(while_one_waits_nobody_borrows_past_the_supervisor) {
  one_key k{small(2)};
  k.acquire("a");
  k.opened(1);
  k.acquire("a");
  BOOST_TEST(k.borrow("a") == 0u);
  k.let_go(1); // its message is on the way
  BOOST_TEST(k.borrow("a") == 0u);
  BOOST_TEST(k.mail.size() == 1u);
  BOOST_TEST(k.deliver() == "answer 2 with 1");
  k.give_back(2);
  BOOST_TEST(k.borrow("a") != 0u); // nobody waits any more
}

BOOST_AUTO_TEST_CASE(what_came_back_just_before_is_found) {
  one_key k{small(2)};
  k.acquire("a");
  k.opened(1);
  k.give_back(1);
  auto id = k.borrow("a");
  BOOST_TEST(k.acquire("a") == "open 2");
  k.forget(3); // attention goes, so the hold comes back without a message
  BOOST_TEST(k.give_back(id) == "");
  BOOST_TEST(k.acquire("a") == "answer 4 with 1");
}

BOOST_AUTO_TEST_CASE(a_hold_handed_over_after_the_waiter_left_is_simply_free) {
  one_key k{small(2)};
  k.acquire("a");
  k.opened(1);
  k.acquire("a");
  k.let_go(1);
  k.forget(2);
  BOOST_TEST(k.deliver() == "");
  BOOST_TEST(k.borrow("a") != 0u);
}

BOOST_AUTO_TEST_CASE(a_waiter_for_other_params_leaves_a_slot_alone) {
  one_key k{small(2)};
  k.acquire("a");
  k.opened(1);
  k.acquire("b");
  BOOST_TEST(k.give_back(1) == "");
  BOOST_TEST(k.acquire("a") == "answer 3 with 1");
  BOOST_TEST(k.opened(2) == "answer 2 with 2 fresh");
}

BOOST_AUTO_TEST_CASE(params_with_one_tag_do_not_keep_a_waiter_busy) {
  auto params = colliding_params();
  if (!params) {
    BOOST_TEST_MESSAGE("no collision known for this standard library");
    return;
  }
  one_key k{small(2)};
  k.acquire(params->first);
  k.opened(1);
  BOOST_TEST(k.acquire(params->second) == "open 2");
  BOOST_TEST(k.give_back(1) == "");
  BOOST_TEST(k.mail.empty());
  BOOST_TEST(k.opened(2) == "answer 2 with 2 fresh");
}

// -- I2: permits --------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_permit_is_taken_without_a_message_while_there_is_one) {
  one_key k{with_total(1)};
  BOOST_TEST(k.acquire() == "open 1");
  BOOST_TEST(k.opened(1) == "report opened 1; answer 1 with 1 fresh");
  BOOST_TEST(!k.budget.try_take());
  k.give_back(1);
  BOOST_TEST(k.evict() == "close 1 requested");
  BOOST_TEST(!k.budget.try_take()); // closing counts
  BOOST_TEST(k.closed(1) == "report closed 1");
  BOOST_TEST(k.budget.try_take());
}

BOOST_AUTO_TEST_CASE(a_failed_open_puts_its_permit_back) {
  one_key k{with_total(1)};
  k.acquire();
  BOOST_TEST(k.failed(1) == "reject 1 open_failed");
  BOOST_TEST(k.budget.try_take());
}

BOOST_AUTO_TEST_CASE(who_lacks_a_permit_asks_for_one_and_waits) {
  one_key k{with_total(1)};
  k.budget.try_take(); // another key has it
  BOOST_TEST(k.acquire("a") == "ask");
  BOOST_TEST(k.acquire("b") == "ask");
  BOOST_TEST(k.permit_granted() == "open 1"); // for "a", who came first
  BOOST_TEST(k.permit_denied() == "reject 2 total_full");
  BOOST_TEST(k.figures.limit == "total_max");
  BOOST_TEST(k.figures.limit_value == 1u);
  BOOST_TEST(k.opened(1) == "report opened 1; answer 1 with 1 fresh");
}

BOOST_AUTO_TEST_CASE(nobody_takes_a_permit_past_who_waits_for_one) {
  one_key k{with_total(1)};
  k.budget.try_take();
  k.acquire("a");
  k.budget.try_put();
  BOOST_TEST(k.acquire("b")
             == "open 1"); // for "a"; what was asked for is "b"'s
  BOOST_TEST(k.opened(1) == "report opened 1; answer 1 with 1 fresh");
  BOOST_TEST(k.permit_denied() == "reject 2 total_full");
}

BOOST_AUTO_TEST_CASE(a_permit_that_nobody_needs_any_more_goes_back) {
  one_key k{with_total(1)};
  k.budget.try_take();
  k.acquire();
  k.forget(1);
  BOOST_TEST(k.permit_granted() == "");
  BOOST_TEST(k.budget.try_take());
}

BOOST_AUTO_TEST_CASE(a_permit_goes_back_by_message_where_others_queue_for_it) {
  one_key k{with_total(1)};
  k.acquire();
  k.opened(1);
  k.give_back(1);
  k.budget.start_queue();
  BOOST_TEST(k.give_up(1) == "close 1 evicted");
  // The permit first: else the budget would ask somebody for another one.
  BOOST_TEST(k.closed(1) == "return; report closed 1");
  k.acquire();
  k.forget(2);
  BOOST_TEST(k.permit_granted() == "return");
}

BOOST_AUTO_TEST_CASE(who_takes_over_counts_what_is_under_way) {
  one_key k;
  auto counted = [&] {
    return supervision{k.place,
                       k.options,
                       k.budget,
                       k.opened_seq,
                       cleanup_grid{start, k.options.tick},
                       k.now()}
      .live();
  };
  BOOST_TEST(counted() == 0u);
  k.acquire("a");
  k.acquire("b");
  BOOST_TEST(counted() == 2u); // opening
  k.opened(1);
  k.give_back(1);
  BOOST_TEST(counted() == 2u);
  k.tick_after(10s);
  BOOST_TEST(counted() == 2u); // one of them closing, and one late
  k.closed(1);
  BOOST_TEST(counted() == 1u);
}

BOOST_AUTO_TEST_CASE(an_asked_permit_serves_whoever_leads_when_it_comes) {
  one_key k{with_total(1)};
  k.budget.try_take();
  BOOST_TEST(k.acquire("a") == "ask");
  k.forget(1);
  BOOST_TEST(k.acquire("b") == ""); // one is on its way already
  BOOST_TEST(k.permit_granted() == "open 1");
  BOOST_TEST(k.opened(1) == "report opened 1; answer 2 with 1 fresh");
}

BOOST_AUTO_TEST_CASE(who_waits_for_a_close_does_not_ask_for_a_permit) {
  one_key k{with_total(1, 1)};
  k.acquire("a");
  k.opened(1);
  k.give_back(1);
  BOOST_TEST(k.acquire("b") == "close 1 evicted");
  BOOST_TEST(k.closed(1) == "report closed 1; open 2"); // with that permit
}

BOOST_AUTO_TEST_CASE(the_budget_gets_no_resource_that_is_used_gone_or_unknown) {
  one_key k{with_total(2)};
  k.acquire();
  BOOST_TEST(k.give_up(1) == "kept"); // opening
  k.opened(1);
  BOOST_TEST(k.give_up(1) == "kept"); // held
  BOOST_TEST(k.give_up(2) == "kept");
  k.give_back(1);
  BOOST_TEST(k.give_up(1) == "close 1 evicted");
  BOOST_TEST(k.give_up(1) == "kept");
  k.closed(1);
  BOOST_TEST(k.give_up(1) == "kept");
  k.acquire(); // another resource in the same slot
  k.opened(2);
  k.give_back(2);
  BOOST_TEST(k.give_up(1) == "kept");
}

BOOST_AUTO_TEST_CASE(who_waits_for_a_permit_is_served_by_what_comes_back) {
  one_key k{with_total(1)};
  k.acquire("a");
  k.opened(1);
  BOOST_TEST(k.acquire("a") == "ask");
  BOOST_TEST(k.give_back(1) == "answer 2 with 1");
  BOOST_TEST(k.permit_denied() == "");
}

BOOST_AUTO_TEST_SUITE_END()
