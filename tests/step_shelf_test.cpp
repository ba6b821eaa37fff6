// A shelf, with holds that give themselves back, in every interleaving.
#include <boost/test/unit_test.hpp>

#include <steward/tests/stepper/check.hpp>
#include <steward/tests/stepper/shelf_programs.hpp>

using namespace stepper;

BOOST_AUTO_TEST_SUITE(step_shelf)

BOOST_AUTO_TEST_CASE(users_find_what_is_free) {
  check_proved(explore<two_open>("2 slots, 2 users", reduced, 2),
               {"as many as may share"});
  check_proved(explore<two_open>("2 slots, 3 users", reduced, 3),
               {"turned away"});
}

BOOST_AUTO_TEST_CASE(a_shelf_grows_while_users_look) {
  check_proved(explore<growing>("1 block more, 1 user", reduced, 1, 1),
               {"borrowed"});
  check_proved(explore<growing>("1 block more, 2 users", reduced, 2, 2),
               {"borrowed", "turned away"});
  check_proved(explore<growing>("2 blocks more, 1 user", reduced, 1, 3),
               {"borrowed"});
}

BOOST_AUTO_TEST_CASE(what_is_evicted_was_idle_since_it_was_found) {
  check_proved(explore<evicting>("evict, 1 user", reduced, 1, 1),
               {"evicted", "used meanwhile", "nothing to evict", "turned away",
                "borrowed after the eviction"});
  check_proved(explore<evicting>("evict 1 of 2, 1 user", reduced, 1, 2),
               {"evicted", "borrowed after the eviction"});
  check_proved(explore<evicting>("evict 1 of 2, 2 users", with_preemptions(1),
                                 2, 2),
               {"evicted", "used meanwhile", "borrowed after the eviction"});
}

BOOST_AUTO_TEST_CASE(params_with_one_tag_are_told_apart) {
  check_proved(explore<colliding>("params that collide", reduced),
               {"handed over"});
}

BOOST_AUTO_TEST_CASE(who_waits_for_one_of_some_hears_of_the_first) {
  check_proved(explore<waiting>("wait for 1, 1 user", reduced, 1, 1),
               {"found free", "handed over", "turned away"});
  check_proved(explore<waiting>("wait for 1, 2 users", reduced, 2, 1),
               {"found free", "handed over", "turned away"});
  check_proved(explore<waiting>("wait for 1 of 2, 2 users", with_preemptions(2),
                                2, 2),
               {"found free", "handed over", "turned away"});
  check_broken(explore<waiting>("waits without another look", reduced, 1, 1,
                                false),
               "I7: who waits hears of what comes back");
}

BOOST_AUTO_TEST_CASE(what_is_broken_is_closed_when_the_last_sharer_is_gone) {
  check_proved(explore<broken>("broken, shared", reduced),
               {"handed over", "handed over as unhealthy", "closed"});
}

BOOST_AUTO_TEST_SUITE_END()
