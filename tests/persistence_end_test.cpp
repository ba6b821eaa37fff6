// How persistence ends, and what it says to whom then.
#include <boost/test/unit_test.hpp>

#include "persistence_fixtures.hpp"

using namespace steward;
using namespace record_test;

BOOST_FIXTURE_TEST_SUITE(ending, persistence_fixture)

BOOST_AUTO_TEST_CASE(flush_is_answered_when_all_before_it_is_durable) {
  options.batch_max = 2;
  start();
  for (int i = 0; i < 5; ++i)
    note(create("n-" + std::to_string(i)));
  auto flushed = ask_flush();
  run();
  BOOST_TEST(take(flushed).pending == 0u);
  BOOST_TEST(rows().size() == 5u);
  auto idle = ask_flush();
  run();
  BOOST_TEST(take(idle).pending == 0u);
}

BOOST_AUTO_TEST_CASE(flush_says_at_its_deadline_what_is_pending) {
  start();
  lock_holder other{path};
  note(create("a"));
  auto flushed = ask_flush(noon + 1s);
  pass(1s);
  auto answer = take(flushed);
  BOOST_TEST(answer.pending == 1u);
  BOOST_TEST(contains(answer.cause, "locked by another process"));
}

BOOST_AUTO_TEST_CASE(stop_writes_what_waits_closes_the_file_and_ends) {
  options.batch_max = 2;
  start();
  caf::scoped_actor watcher{sys};
  watcher->monitor(persistence);
  for (int i = 0; i < 6; ++i)
    desk->leave_note(create("n-" + std::to_string(i)));
  auto stopped = ask_stop(noon + 1s);
  record_place refused;
  spy->before = [&](record_store&) {
    if (spy->writes.size() == 3) // the last one
      refused = ask("late");
  };
  run();
  BOOST_TEST(take(stopped).pending == 0u);
  BOOST_TEST(take(refused).cause == "records are being closed");
  BOOST_TEST(spy->closed);
  BOOST_TEST(!std::filesystem::exists(path.string() + "-wal"));
  BOOST_TEST(watcher->has_next_message()); // it is down
  BOOST_TEST(rows().size() == 6u);
}

BOOST_AUTO_TEST_CASE(stop_gives_up_at_its_deadline_and_says_what_is_lost) {
  start();
  lock_holder other{path};
  auto coming = ask("a", noon + 1h);
  note(create("b"));
  run();
  auto stopped = ask_stop(noon + 3s);
  pass(3s - 1ms);
  BOOST_TEST(!ready(coming));
  pass(1ms);
  auto answer = take(stopped);
  BOOST_TEST(answer.pending == 1u);
  BOOST_TEST(contains(answer.cause, "locked by another process"));
  BOOST_TEST(take(coming).verdict == record_verdict::unavailable);
  BOOST_TEST(counters->failed == 1u);
  BOOST_TEST(spy->closed);
}

BOOST_AUTO_TEST_CASE(stop_ends_under_a_clock_that_stands_still) {
  start();
  lock_holder other{path};
  note(create("a"));
  run();
  auto stopped = ask_stop(noon + 3s);
  pass(4s, false);
  BOOST_TEST(take(stopped).pending == 1u);
}

BOOST_AUTO_TEST_CASE(an_exit_message_makes_one_more_try_and_answers_all) {
  start();
  auto written = ask("a");
  caf::anon_send_exit(persistence, caf::exit_reason::user_shutdown);
  run();
  BOOST_TEST(take(written).verdict == record_verdict::created);
  BOOST_TEST(spy->closed);
}

BOOST_AUTO_TEST_CASE(a_request_to_who_has_ended_is_answered_at_once) {
  start();
  auto stopped = ask_stop();
  run();
  auto refused = leave("a").refused;
  BOOST_REQUIRE(refused);
  BOOST_TEST((refused->trouble == record_trouble::closing));
  BOOST_TEST(!refused->may_exist);
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

BOOST_AUTO_TEST_CASE(an_exit_message_ends_who_has_nothing_to_write) {
  start();
  run();
  caf::anon_send_exit(persistence, caf::exit_reason::user_shutdown);
  run();
  BOOST_TEST(spy->closed);
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
  BOOST_TEST(!answer.may_exist); // no statement was begun
  BOOST_TEST(spy->writes.empty());
}

BOOST_AUTO_TEST_CASE(one_message_is_enough_for_all_who_left_something) {
  start();
  BOOST_TEST(desk->leave(create("a"), never).first);
  auto second = desk->leave(create("b"), never);
  BOOST_TEST(!second.first);
  run();
  BOOST_TEST(!ready(second.place));
  cafx::send_anon(persistence, writes_left{});
  run();
  BOOST_TEST(take(second.place).verdict == record_verdict::created);
  BOOST_TEST((spy->writes == std::vector<std::size_t>{2}));
  BOOST_TEST(desk->leave(create("c"), never).first); // anew
}

BOOST_AUTO_TEST_SUITE_END()
