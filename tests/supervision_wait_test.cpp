// Who waits for somebody to give back: `waiters_max`.
#include "supervision_fixture.hpp"

using namespace supervision_test;

namespace {

pool_options patient(std::size_t waiters_max, std::size_t per_key_max = 1,
                     std::size_t holders_max = 1) {
  auto result = small(per_key_max, holders_max);
  result.waiters_max = waiters_max;
  return result;
}

pool_options patient_rejecting(std::size_t waiters_max) {
  auto result = patient(waiters_max);
  result.when_full = full_policy::reject;
  return result;
}

// With one resource, lent to request 1.
struct one_lent : one_key {
  explicit one_lent(pool_options x, std::string params = {}) : one_key(x) {
    acquire(std::move(params));
    opened(1);
  }
};

} // namespace

BOOST_AUTO_TEST_SUITE(supervision_wait)

BOOST_AUTO_TEST_CASE(without_waiters_max_nobody_waits_for_a_holder) {
  one_lent k{patient(0)};
  BOOST_TEST(k.acquire() == "reject 2 key_full");
  BOOST_TEST(k.figures.limit == "per_key_max");
}

BOOST_AUTO_TEST_CASE(who_waits_gets_what_comes_back_in_order_of_arrival) {
  one_lent k{patient(2)};
  BOOST_TEST(k.acquire() == "");
  BOOST_TEST(k.acquire() == "");
  BOOST_TEST(k.borrow() == 0);
  BOOST_TEST(k.give_back(1) == "answer 2 with 1");
  BOOST_TEST(k.give_back(2) == "answer 3 with 1");
  BOOST_TEST(k.give_back(3) == "");
  BOOST_TEST(k.borrow() != 0);
}

BOOST_AUTO_TEST_CASE(more_than_waiters_max_are_refused_and_told_why) {
  one_lent k{patient(2)};
  k.acquire();
  k.acquire();
  BOOST_TEST(k.acquire() == "reject 4 key_full");
  BOOST_TEST(k.figures.limit == "waiters_max");
  BOOST_TEST(k.figures.limit_value == 2);
  BOOST_TEST(k.figures.waiting == 2);
  BOOST_TEST(k.figures.leased == 1);
}

BOOST_AUTO_TEST_CASE(who_waits_for_an_open_does_not_count) {
  one_key k{patient(1)};
  BOOST_TEST(k.acquire() == "open 1");
  BOOST_TEST(k.acquire() == "");
  BOOST_TEST(k.acquire() == "reject 3 key_full");
  BOOST_TEST(k.opened(1) == "answer 1 with 1 fresh");
  BOOST_TEST(k.give_back(1) == "answer 2 with 1");
}

BOOST_AUTO_TEST_CASE(a_wait_ends_at_its_deadline) {
  one_lent k{patient(2)};
  BOOST_TEST(k.acquire("", start + 2s) == "");
  BOOST_TEST(k.acquire() == "");
  BOOST_TEST((k.next_due() == 2s));
  BOOST_TEST(k.tick_after(2s) == "reject 2 deadline_exceeded");
  BOOST_TEST(k.give_back(1) == "answer 3 with 1");
}

BOOST_AUTO_TEST_CASE(what_comes_back_makes_room_for_other_params) {
  one_lent k{patient(3), "a"};
  BOOST_TEST(k.acquire("b") == "");
  BOOST_TEST(k.acquire("a") == ""); // does not overtake
  BOOST_TEST(k.give_back(1) == "close 1 evicted");
  BOOST_TEST(k.closed(1) == "open 2");
  BOOST_TEST(k.opened(2) == "answer 2 with 2 fresh");
  BOOST_TEST(k.give_back(2) == "close 2 evicted");
  BOOST_TEST(k.closed(2) == "open 3");
  BOOST_TEST(k.opened(3) == "answer 3 with 3 fresh");
}

BOOST_AUTO_TEST_CASE(nobody_new_overtakes_who_waits_for_other_params) {
  one_lent k{patient(3, 2), "a"};
  k.acquire("a");
  k.opened(2); // requests 1 and 2 have both
  BOOST_TEST(k.acquire("b") == "");
  BOOST_TEST(k.acquire("a") == "");
  BOOST_TEST(k.give_back(1) == "close 1 evicted");
  BOOST_TEST(k.give_back(2) == "answer 4 with 2");
  BOOST_TEST(k.closed(1) == "open 3");
  BOOST_TEST(k.opened(3) == "answer 3 with 3 fresh");
}

BOOST_AUTO_TEST_CASE(where_nothing_is_evicted_others_are_served_meanwhile) {
  one_lent k{patient_rejecting(3), "a"};
  BOOST_TEST(k.acquire("b", start + 3s) == "");
  BOOST_TEST(k.acquire("a") == "");
  BOOST_TEST(k.give_back(1) == "answer 3 with 1");
  BOOST_TEST(k.give_back(3) == "");
  BOOST_TEST(k.tick_after(3s) == "reject 2 deadline_exceeded");
}

BOOST_AUTO_TEST_CASE(where_nothing_is_evicted_a_close_makes_room) {
  one_lent k{patient_rejecting(3), "a"};
  BOOST_TEST(k.acquire("b") == "");
  BOOST_TEST(k.give_back(1, false) == "close 1 unhealthy");
  BOOST_TEST(k.closed(1) == "open 2");
  BOOST_TEST(k.opened(2) == "answer 2 with 2 fresh");
}

BOOST_AUTO_TEST_CASE(what_breaks_makes_room_for_the_first) {
  one_lent k{patient(2)};
  k.acquire();
  k.acquire();
  BOOST_TEST(k.give_back(1, false) == "close 1 unhealthy");
  BOOST_TEST(k.closed(1) == "open 2");
  BOOST_TEST(k.opened(2) == "answer 2 with 2 fresh");
  BOOST_TEST(k.give_back(2) == "answer 3 with 2");
}

BOOST_AUTO_TEST_CASE(when_an_open_fails_the_next_one_tries) {
  one_key k{patient(2)};
  k.acquire();
  k.acquire();
  BOOST_TEST(k.failed(1) == "reject 1 open_failed; open 2");
  BOOST_TEST(k.opened(2) == "answer 2 with 2 fresh");
}

BOOST_AUTO_TEST_CASE(who_is_first_and_gone_holds_nobody_up) {
  one_lent k{patient(2), "a"};
  k.acquire("b");
  k.acquire("a");
  BOOST_TEST(k.forget(2) == "");
  BOOST_TEST(k.give_back(1) == "answer 3 with 1");
}

BOOST_AUTO_TEST_CASE(a_shared_resource_runs_dry_for_who_needs_its_place) {
  one_lent k{patient(3, 1, 2), "a"};
  auto second = k.borrow("a");
  BOOST_TEST(second != 0);
  BOOST_TEST(k.acquire("b") == "");
  BOOST_TEST(k.acquire("a") == "");
  BOOST_TEST(k.give_back(1) == "");
  BOOST_TEST(k.give_back(second) == "close 1 evicted");
  BOOST_TEST(k.closed(1) == "open 2");
}

BOOST_AUTO_TEST_CASE(who_waits_is_refused_by_a_drain) {
  one_lent k{patient(2)};
  k.acquire();
  BOOST_TEST(k.drain() == "reject 2 draining");
}

// -- who waits, elsewhere -----------------------------------------------------

BOOST_AUTO_TEST_CASE(who_waits_for_his_turn_only_can_wait_elsewhere) {
  one_lent k{patient(5), "p"};
  BOOST_TEST(!k.core.wanted_by_all().has_value()); // nobody waits
  k.acquire("p", start + 3s);
  k.acquire("p", start + 2s);
  BOOST_REQUIRE(k.core.wanted_by_all() == "p");
  auto away = k.core.hand_out();
  BOOST_REQUIRE(away.size() == 2u);
  BOOST_TEST(k.core.waiting() == 0u);
  BOOST_TEST(k.core.quiet() == false); // they may come back
  for (const auto& w : away)
    k.core.take_back(w.id, w.params, w.deadline);
  BOOST_TEST(k.core.waiting() == 2u);
  BOOST_TEST(k.tick_after(2s) == "reject 3 deadline_exceeded");
  BOOST_TEST(k.give_back(1) == "answer 2 with 1");
}

BOOST_AUTO_TEST_CASE(who_needs_a_decision_waits_here) {
  one_lent other{patient(5), "p"};
  other.acquire("q"); // has the place evicted for it
  BOOST_TEST(!other.core.wanted_by_all().has_value());

  one_lent mixed{patient(5), "p"};
  mixed.acquire("p");
  mixed.acquire("q");
  BOOST_TEST(!mixed.core.wanted_by_all().has_value());

  one_lent opening{patient(5, 2), "p"};
  opening.acquire("p"); // is promised an open
  opening.acquire("p");
  BOOST_TEST(!opening.core.wanted_by_all().has_value());

  one_lent doomed{patient(5), "p"};
  doomed.acquire("p");
  doomed.evict();
  BOOST_TEST(!doomed.core.wanted_by_all().has_value());
}

BOOST_AUTO_TEST_SUITE_END()
