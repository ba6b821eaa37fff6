#include "supervision_fixture.hpp"

using namespace supervision_test;

namespace {

// One key with up to `per_key_max` resources, each shared by two.
struct shared_key : one_key {
  explicit shared_key(std::size_t per_key_max, std::size_t total = unlimited)
    : one_key(options_for(per_key_max, total)) {
  }

  static pool_options options_for(std::size_t per_key_max, std::size_t total) {
    auto result = small(per_key_max, 2);
    result.total_max = total;
    return result;
  }
};

} // namespace

BOOST_AUTO_TEST_SUITE(supervision_share)

BOOST_AUTO_TEST_CASE(one_open_serves_as_many_as_may_share_it) {
  shared_key k{2};
  BOOST_TEST(k.acquire() == "open 1");
  BOOST_TEST(k.acquire() == ""); // single flight
  BOOST_TEST(k.acquire() == "open 2");
  BOOST_TEST(k.opened(1) == "answer 1 with 1 fresh; answer 2 with 1");
  BOOST_TEST(k.opened(2) == "answer 3 with 2 fresh");
  BOOST_TEST(k.acquire() == "answer 4 with 2");
  BOOST_TEST(k.acquire() == "reject 5 key_full");
  BOOST_TEST(k.figures.leased == 2u);
}

BOOST_AUTO_TEST_CASE(others_join_an_open_only_if_it_is_for_their_params) {
  shared_key k{2};
  k.acquire("a");
  BOOST_TEST(k.acquire("b") == "open 2");
  BOOST_TEST(k.acquire("a") == "");
  BOOST_TEST(k.opened(1) == "answer 1 with 1 fresh; answer 3 with 1");
}

BOOST_AUTO_TEST_CASE(params_that_only_look_alike_share_no_open) {
  auto params = colliding_params();
  BOOST_REQUIRE(params.has_value());
  const auto& [a, b] = *params;
  shared_key k{2};
  k.acquire(a);
  BOOST_TEST(k.acquire(b) == "open 2");
  BOOST_TEST(k.opened(1) == "answer 1 with 1 fresh");
  BOOST_TEST(k.opened(2) == "answer 2 with 2 fresh");
}

BOOST_AUTO_TEST_CASE(a_promise_goes_to_nobody_whose_params_only_look_alike) {
  auto params = colliding_params();
  BOOST_REQUIRE(params.has_value());
  const auto& [a, b] = *params;
  shared_key k{2, 2};
  k.budget.start_queue();
  BOOST_TEST(k.acquire(a) == "ask");
  BOOST_TEST(k.acquire(b) == "ask");
  BOOST_TEST(k.acquire(b) == ""); // follows 2
  k.forget(1);
  BOOST_TEST(k.permit_granted() == "open 1");
  BOOST_TEST(k.permit_granted() == "return"); // 3 waits for what 2 opens
}

BOOST_AUTO_TEST_CASE(an_exclusive_open_is_joined_by_nobody) {
  one_key k{small(2, 1)};
  BOOST_TEST(k.acquire() == "open 1");
  BOOST_TEST(k.acquire() == "open 2");
}

BOOST_AUTO_TEST_CASE(a_failed_open_answers_all_who_joined_it) {
  shared_key k{2};
  k.acquire();
  k.acquire();
  k.acquire();
  BOOST_TEST(k.failed(1) == "reject 1 open_failed; reject 2 open_failed");
  BOOST_TEST(k.opened(2) == "answer 3 with 2 fresh");
}

BOOST_AUTO_TEST_CASE(
  a_stalled_open_answers_all_who_joined_it_and_is_joined_no_more) {
  shared_key k{2};
  k.acquire();
  k.acquire();
  BOOST_TEST(k.tick_after(5s)
             == "reject 1 open_timed_out; reject 2 open_timed_out");
  BOOST_TEST(k.acquire() == "open 2");
  BOOST_TEST(k.opened(1) == "close 1 stalled");
}

BOOST_AUTO_TEST_CASE(a_slot_that_all_share_is_closed_by_nobody) {
  shared_key k{1};
  k.acquire("a");
  k.acquire("a");
  k.opened(1);
  k.give_back(1);
  BOOST_TEST(k.acquire("b") == "reject 3 key_full"); // I4
  k.give_back(2);
  BOOST_TEST(k.acquire("b") == "close 1 evicted");
}

BOOST_AUTO_TEST_CASE(the_place_of_who_left_an_open_is_free_for_another) {
  shared_key k{1};
  k.acquire();
  k.acquire();
  BOOST_TEST(k.acquire() == "reject 3 key_full");
  k.forget(1);
  BOOST_TEST(k.acquire() == "");
  BOOST_TEST(k.opened(1) == "answer 2 with 1 fresh; answer 4 with 1");
}

// -- leaders and followers ----------------------------------------------------

BOOST_AUTO_TEST_CASE(who_can_share_follows_who_waits_for_a_permit) {
  shared_key k{2, 1};
  k.budget.try_take();
  BOOST_TEST(k.acquire() == "ask");
  BOOST_TEST(k.acquire() == ""); // one permit will do for both
  BOOST_TEST(k.acquire() == "ask");
  BOOST_TEST(k.permit_granted() == "open 1");
  BOOST_TEST(k.opened(1)
             == "report opened 1; answer 1 with 1 fresh; answer 2 with 1");
  BOOST_TEST(k.permit_denied() == "reject 3 total_full");
}

BOOST_AUTO_TEST_CASE(a_follower_takes_the_lead_of_who_went_away) {
  shared_key k{1, 1};
  k.budget.try_take();
  k.acquire();
  k.acquire();
  BOOST_TEST(k.forget(1) == "");
  BOOST_TEST(k.permit_granted() == "open 1");
  BOOST_TEST(k.opened(1) == "report opened 1; answer 2 with 1 fresh");
}

BOOST_AUTO_TEST_CASE(a_follower_takes_the_lead_of_who_was_out_of_time) {
  shared_key k{1, 1};
  k.budget.try_take();
  k.acquire("", start + 1s);
  k.acquire();
  BOOST_TEST(k.tick_after(1s) == "reject 1 deadline_exceeded");
  BOOST_TEST(k.permit_granted() == "open 1");
  BOOST_TEST(k.opened(1) == "report opened 1; answer 2 with 1 fresh");
}

BOOST_AUTO_TEST_CASE(
  a_follower_takes_the_lead_of_who_was_denied_and_asks_again) {
  shared_key k{1, 1};
  k.budget.try_take();
  k.acquire();
  k.acquire();
  BOOST_TEST(k.permit_denied() == "reject 1 total_full; ask");
  BOOST_TEST(k.permit_denied() == "reject 2 total_full");
}

BOOST_AUTO_TEST_CASE(a_follower_takes_the_lead_of_who_was_served_otherwise) {
  shared_key k{2};
  k.acquire("a");
  k.acquire("a");
  k.opened(1);
  k.acquire("b");
  k.opened(2);
  k.give_back(3);
  BOOST_TEST(k.acquire("a") == "close 2 evicted"); // 4 leads
  BOOST_TEST(k.acquire("a") == "");                // 5 follows
  BOOST_TEST(k.give_back(1) == "answer 4 with 1");
  BOOST_TEST(k.closed(2) == "open 3");
  BOOST_TEST(k.opened(3) == "answer 5 with 3 fresh");
}

BOOST_AUTO_TEST_CASE(
  who_joined_an_open_and_came_too_late_gets_the_others_promise) {
  shared_key k{2};
  k.acquire("x");
  k.opened(1);
  k.give_back(1);
  k.acquire("a");
  k.acquire("a");
  BOOST_TEST(k.acquire("a") == "close 1 evicted"); // 4 waits for the close
  k.forget(2);
  BOOST_TEST(k.acquire("a") == ""); // 5 joins the open in the place of 2
  BOOST_TEST(k.opened(2) == "answer 3 with 2 fresh; answer 4 with 2");
  BOOST_TEST(k.core.waiting() == 1u);
  BOOST_TEST(k.closed(1) == "open 3"); // what 4 was promised is for 5 now
  BOOST_TEST(k.opened(3) == "answer 5 with 3 fresh");
}

BOOST_AUTO_TEST_CASE(places_that_change_hands_do_not_become_more) {
  shared_key k{2};
  k.acquire("x");
  k.opened(1);
  k.give_back(1);
  k.acquire("a");
  k.acquire("a");
  BOOST_TEST(k.acquire("a") == "close 1 evicted"); // 4 leads, 5 follows
  k.acquire("a");
  k.forget(2);
  k.forget(3);
  k.acquire("a"); // 6 and 7 join the open instead
  k.acquire("a");
  BOOST_TEST(k.opened(2) == "answer 4 with 2 fresh; answer 5 with 2");
  BOOST_TEST(k.acquire("a") == "reject 8 key_full"); // one place, two wait
  BOOST_TEST(k.closed(1) == "open 3");
  BOOST_TEST(k.opened(3) == "answer 6 with 3 fresh; answer 7 with 3");
}

BOOST_AUTO_TEST_SUITE_END()
