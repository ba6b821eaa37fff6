// At most one supervisor per key, and no message to one that leaves or falls
// asleep is lost; what sleeps is attended to by the code of the caretaker; who
// waits for his turn gets it.
#include <boost/test/unit_test.hpp>

#include <steward/tests/stepper/check.hpp>
#include <steward/tests/stepper/directory_world.hpp>

#include <string_view>

using namespace stepper;

BOOST_TEST_GLOBAL_FIXTURE(post_office);

BOOST_AUTO_TEST_SUITE(step_directory)

BOOST_AUTO_TEST_CASE(no_message_to_a_supervisor_that_leaves_is_lost) {
  check_proved(explore<world>("1 user, leave", reduced, cast{.ticks = 1}),
               {"left", "stayed for a message"});
  check_proved(explore<world>("1 user twice, leave", reduced,
                              cast{.times = 2, .supervisors = 2, .ticks = 1}),
               {"borrowed", "idle", "stayed for a message",
                "a second supervisor"});
  check_proved(explore<world>("2 users", reduced, cast{.users = 2}),
               {"borrowed", "key_full", "left"});
  check_proved(explore<world>("2 users, leave", reduced,
                              cast{.users = 2, .supervisors = 2, .ticks = 1}),
               {"borrowed", "idle", "stayed for a message",
                "a second supervisor"});
}

BOOST_AUTO_TEST_CASE(a_drain_ends_and_nobody_comes_after_it) {
  check_proved(explore<world>("1 user, drain", reduced, cast{.drains = true}),
               {"turned away", "draining", "drained", "handed over"});
  check_proved(explore<world>("1 user, leave, drain", reduced,
                              cast{.ticks = 1, .drains = true}),
               {"turned away", "draining", "drained", "idle", "left"});
  check_proved(explore<world>("1 user twice, drain", with_preemptions(1),
                              cast{.times = 2, .drains = true}),
               {"turned away", "borrowed", "draining", "drained",
                "handed over"});
}

BOOST_AUTO_TEST_CASE(no_message_to_a_supervisor_that_falls_asleep_is_lost) {
  check_proved(explore<world>("1 user, sleep", reduced,
                              cast{.supervisors = 2, .sleeps = true}),
               {"slept", "closed while asleep"});
  check_proved(
    explore<world>("1 user twice, sleep", with_preemptions(2),
                   cast{.times = 2, .supervisors = 3, .sleeps = true}),
    {"slept", "borrowed", "closed while asleep", "a second supervisor"});
  check_proved(
    explore<world>("2 users, sleep", with_preemptions(1),
                   cast{.users = 2, .supervisors = 4, .sleeps = true}),
    {"slept", "borrowed", "closed while asleep", "a second supervisor"});
}

BOOST_AUTO_TEST_CASE(who_attends_is_alone) {
  check_proved(explore<world>("1 user attends", reduced,
                              cast{.sleeps = true, .attends = true}),
               {"opened while asleep", "closed while asleep"});
  check_proved(
    explore<world>(
      "2 users attend", with_preemptions(2),
      cast{.users = 2, .supervisors = 3, .sleeps = true, .attends = true}),
    {"opened while asleep", "closed while asleep", "key_full",
     "woke while it was attended to", "borrowed"});
  check_proved(
    explore<world>(
      "1 user attends, drain", with_preemptions(1),
      cast{.supervisors = 3, .drains = true, .sleeps = true, .attends = true}),
    {"opened while asleep", "turned away", "woke while it was attended to"});
}

BOOST_AUTO_TEST_CASE(a_drain_ends_what_sleeps) {
  check_proved(
    explore<world>("1 user, sleep, drain", with_preemptions(1),
                   cast{.supervisors = 3, .drains = true, .sleeps = true}),
    {"slept", "drained while asleep", "draining"});
}

BOOST_AUTO_TEST_CASE(who_waits_for_his_turn_gets_it) {
  check_proved(explore<world>("2 users wait", reduced,
                              cast{.users = 2, .waits = true}),
               {"handed over", "left"});
  check_proved(explore<world>(
                 "2 users wait twice", with_preemptions(1),
                 cast{.users = 2, .times = 2, .supervisors = 3, .waits = true}),
               {"handed over", "called in", "left"});
  check_proved(
    explore<world>("3 users wait", with_preemptions(1),
                   cast{.users = 3, .supervisors = 3, .waits = true}),
    {"joined", "called in", "left"});
  check_proved(explore<world>("2 users wait, drain", with_preemptions(1),
                              cast{.users = 2, .drains = true, .waits = true}),
               {"called in", "draining"});
  check_broken(explore<world>("calls nobody in", reduced,
                              cast{.users = 2,
                                   .drains = true,
                                   .waits = true,
                                   .fault = wrong::calls_nobody_in}),
               "I8: no message is lost");
}

BOOST_AUTO_TEST_CASE(a_wrong_handshake_is_found) {
  auto with = [](std::string_view name, cast who, wrong what) {
    who.fault = what;
    return explore<world>(name, reduced, who);
  };
  const cast leaving{.times = 2, .supervisors = 2, .ticks = 1};
  check_broken(with("leaves with mail", leaving, wrong::leaves_with_mail),
               "I8: no message is lost");
  check_broken(with("counted down early", leaving, wrong::counts_down_early),
               "I8: no message is lost");
  check_broken(with("never counted down", leaving, wrong::never_counts_down),
               "no end after 5000 steps");
  check_broken(with("borrows without lock", leaving,
                    wrong::borrows_without_lock),
               "use of something that is gone");
  check_broken(with("sleeps unasked",
                    cast{.times = 2, .supervisors = 3, .sleeps = true},
                    wrong::sleeps_unasked),
               "all that was opened was closed");
  check_broken(with("drains without close", cast{.drains = true},
                    wrong::drains_without_close),
               "all is closed then");
}

BOOST_AUTO_TEST_SUITE_END()
