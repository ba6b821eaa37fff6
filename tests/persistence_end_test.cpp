// However persistence ends, who waits is answered.
#include "persistence_fixtures.hpp"

using namespace steward;
using namespace record_test;

BOOST_FIXTURE_TEST_SUITE(the_end, persistence_fixture)

BOOST_AUTO_TEST_CASE(an_exit_message_makes_one_more_try_and_answers_all) {
  start();
  auto written = ask("a");
  caf::anon_send_exit(persistence, caf::exit_reason::user_shutdown);
  run();
  BOOST_TEST(take(written).verdict == record_verdict::created);
  BOOST_TEST(spy->closed);
}

BOOST_AUTO_TEST_CASE(an_exit_message_ends_who_has_nothing_to_write) {
  start();
  run();
  caf::anon_send_exit(persistence, caf::exit_reason::user_shutdown);
  run();
  BOOST_TEST(spy->closed);
}

BOOST_AUTO_TEST_CASE(a_request_to_who_has_ended_is_answered_at_once) {
  start();
  auto stopped = ask_stop();
  run();
  auto answer = take(ask("a"));
  BOOST_TEST((answer.trouble == record_trouble::closing));
  BOOST_TEST(!answer.may_exist);
}

BOOST_AUTO_TEST_CASE(what_is_at_the_desk_when_the_actor_ends_is_answered) {
  start();
  run();
  auto left = desk->leave(create("a"), never).place; // and nobody is told
  caf::anon_send_exit(persistence, caf::exit_reason::kill);
  run();
  auto answer = take(left);
  BOOST_TEST((answer.trouble == record_trouble::closing));
  BOOST_TEST(!answer.may_exist);
  BOOST_TEST(rows().empty());
}

BOOST_AUTO_TEST_CASE(what_was_taken_when_the_actor_ends_is_answered) {
  start();
  run();
  auto taken = ask("a");
  scheduler.run_once(); // it takes it, and comes to write in its next turn
  caf::anon_send<caf::message_priority::high>(
    persistence, caf::exit_msg{persistence.address(), caf::exit_reason::kill});
  run();
  auto answer = take(taken);
  BOOST_TEST((answer.trouble == record_trouble::closing));
  BOOST_TEST(answer.may_exist); // nobody knows any more
  BOOST_TEST(spy->writes.empty());
}

BOOST_AUTO_TEST_SUITE_END()
