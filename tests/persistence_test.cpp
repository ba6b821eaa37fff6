#include <boost/test/unit_test.hpp>

#include "persistence_fixtures.hpp"

#include <set>

using namespace steward;
using namespace record_test;

using answers = std::vector<record_place>;

BOOST_FIXTURE_TEST_SUITE(batching, persistence_fixture)

BOOST_AUTO_TEST_CASE(all_that_waits_is_written_in_one_transaction) {
  start();
  answers coming;
  spy->before = [&](record_store&) {
    for (auto& x : coming)
      BOOST_TEST(!ready(x), "answered before the commit");
  };
  for (int i = 0; i < 64; ++i)
    coming.push_back(ask("n-" + std::to_string(i)));
  run();
  BOOST_TEST((spy->writes == std::vector<std::size_t>{64}));
  std::set<std::int64_t> ids;
  for (auto& x : coming) {
    auto answer = take(x);
    BOOST_TEST(answer.verdict == record_verdict::created);
    ids.insert(answer.row.id);
  }
  BOOST_TEST(ids.size() == 64u);
  BOOST_TEST(rows().size() == 64u);
  BOOST_TEST(counters->written == 64u);
  BOOST_TEST(counters->batches == 1u);
  BOOST_TEST(counters->queued == 0u);
}

BOOST_AUTO_TEST_CASE(who_comes_while_others_still_come_goes_with_them) {
  start();
  run();
  note(create("a"));
  note(create("b"));
  scheduler.run_once(); // takes both, and means to look again
  note(create("c"));
  scheduler.run_once(); // more came: looks once more
  BOOST_TEST(spy->writes.empty());
  note(create("d"));
  run();
  BOOST_TEST((spy->writes == std::vector<std::size_t>{4}));
  note(create("e")); // who comes alone does not wait for others
  run();
  BOOST_TEST((spy->writes == std::vector<std::size_t>{4, 1}));
}

BOOST_AUTO_TEST_CASE(a_transaction_has_at_most_batch_max_rows) {
  options.batch_max = 10;
  start();
  for (int i = 0; i < 25; ++i)
    note(create("n-" + std::to_string(i)));
  run();
  BOOST_TEST((spy->writes == std::vector<std::size_t>{10, 10, 5}));
  BOOST_TEST(rows().size() == 25u);
}

BOOST_AUTO_TEST_CASE(requests_for_one_name_share_a_row) {
  start();
  auto a = ask("same");
  auto b = ask("same");
  auto c = ask("same");
  run();
  BOOST_TEST((spy->writes == std::vector<std::size_t>{1}));
  auto first = take(a);
  BOOST_TEST(first.verdict == record_verdict::created);
  for (auto* x : {&b, &c}) {
    auto other = take(*x);
    BOOST_TEST(other.verdict == record_verdict::existed);
    BOOST_TEST(other.row.id == first.row.id);
  }
  BOOST_TEST(counters->written == 1u);
  BOOST_TEST(counters->conflicts == 2u);
  BOOST_TEST(counters->lost_races == 0u);
}

BOOST_AUTO_TEST_CASE(notes_open_and_close_rows_without_an_answer) {
  start();
  note(create("a"));
  note(create("b"));
  note(close("a", close_reason::lifetime));
  note(close("nobody"));
  run();
  auto all = rows();
  BOOST_REQUIRE_EQUAL(all.size(), 2u);
  BOOST_TEST(!all[0].open);
  BOOST_TEST((all[0].reason == close_reason::lifetime));
  BOOST_TEST(all[1].open);
  BOOST_TEST(counters->written == 2u);
  BOOST_TEST(counters->closed == 1u);
  BOOST_TEST(counters->failed == 0u);
}

BOOST_AUTO_TEST_CASE(a_row_of_another_store_is_a_conflict) {
  start();
  sqlite_store other{path, 5s};
  auto theirs = create("a", 900);
  auto won = other.write(std::span{&theirs, 1}, 5s).at(0);
  auto mine = ask("a");
  run();
  auto answer = take(mine);
  BOOST_TEST(answer.verdict == record_verdict::existed);
  BOOST_TEST(answer.row.id == won.row.id);
  BOOST_TEST(counters->conflicts == 1u);
}

BOOST_AUTO_TEST_CASE(an_actor_that_asks_is_answered) {
  start();
  caf::scoped_actor self{sys};
  auto coming = self->request(router, caf::infinite,
                              get_or_create{draft("a"), never});
  auto flushed = self->request(router, caf::infinite, flush_records{});
  run();
  BOOST_REQUIRE(self->has_next_message());
  std::move(coming).receive(
    [](const record_answer& x) {
      BOOST_TEST(x.verdict == record_verdict::created);
    },
    [](const caf::error&) { BOOST_ERROR("an error for an answer"); });
  BOOST_REQUIRE(self->has_next_message());
  std::move(flushed).receive(
    [](const records_flushed& x) { BOOST_TEST(x.pending == 0u); },
    [](const caf::error&) { BOOST_ERROR("an error for an answer"); });
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(trouble, persistence_fixture)

BOOST_AUTO_TEST_CASE(a_lock_that_stays_makes_requests_unavailable_in_time) {
  start();
  std::optional<lock_holder> other{path};
  auto early = ask("a", noon + 1s);
  auto late = ask("b", noon + 2s);
  note(create("c"));
  pass(1s - 1ms);
  BOOST_TEST(!ready(early));
  pass(1ms);
  auto answer = take(early);
  BOOST_TEST(answer.verdict == record_verdict::unavailable);
  BOOST_TEST(answer.cause
             == "database is locked by another process (" + url
                  + "), gave up after 1s");
  BOOST_TEST(!ready(late));
  pass(1s);
  BOOST_TEST(take(late).verdict == record_verdict::unavailable);
  BOOST_TEST(counters->queued == 1u); // the note
  BOOST_TEST(counters->retries > 4u);
  BOOST_TEST(contains(counters->last_error(), "database is locked"));
  other.reset();
  pass(500ms);
  BOOST_TEST(counters->queued == 0u);
  auto all = rows();
  BOOST_REQUIRE_EQUAL(all.size(), 1u); // nothing that was refused came later
  BOOST_TEST(all[0].name == "c");
}

BOOST_AUTO_TEST_CASE(a_lock_that_goes_away_in_time_is_not_noticed) {
  start();
  std::optional<lock_holder> other{path};
  auto coming = ask("a", noon + 2s);
  pass(1s);
  BOOST_TEST(!ready(coming));
  other.reset();
  pass(500ms); // the longest wait between two tries
  BOOST_TEST(take(coming).verdict == record_verdict::created);
}

BOOST_AUTO_TEST_CASE(a_request_that_comes_during_a_wait_keeps_its_deadline) {
  options.backoff = {500ms, 500ms};
  start();
  std::optional<lock_holder> other{path};
  note(create("a"));
  run(); // fails; the next try is somewhere in the next 500 ms
  auto coming = ask("b", noon + 2ms);
  pass(2ms);
  BOOST_TEST(take(coming).verdict == record_verdict::unavailable);
}

BOOST_AUTO_TEST_CASE(a_deadline_that_has_passed_already_is_answered_at_once) {
  start();
  auto coming = ask("a", noon);
  run();
  BOOST_TEST(take(coming).verdict == record_verdict::unavailable);
  BOOST_TEST(spy->writes.empty());
  BOOST_TEST(rows().empty());
}

BOOST_AUTO_TEST_CASE(a_full_disk_passes_when_there_is_space_again) {
  start();
  spy->before = [](record_store& inner) {
    dynamic_cast<sqlite_store&>(inner).set_pages_max(1);
  };
  answers coming;
  for (int i = 0; i < 500; ++i)
    coming.push_back(ask("n-" + std::to_string(i), noon + 10s));
  auto hopeless = ask("z", noon + 1s);
  pass(1s);
  auto refused = take(hopeless);
  BOOST_TEST(refused.verdict == record_verdict::unavailable);
  BOOST_TEST(contains(refused.cause, "full"), refused.cause);
  BOOST_TEST(rows().empty());
  spy->before = [](record_store& inner) {
    dynamic_cast<sqlite_store&>(inner).set_pages_max(0);
  };
  pass(500ms);
  for (auto& x : coming)
    BOOST_TEST(take(x).verdict == record_verdict::created);
  BOOST_TEST(rows().size() == 500u);
}

BOOST_AUTO_TEST_CASE(an_error_that_stays_answers_all_and_the_actor_lives_on) {
  options.batch_max = 1;
  start();
  spy->before = [](record_store&) { fail_with(store_errc::damaged); };
  auto a = ask("a");
  auto b = ask("b"); // not even in the batch
  note(create("c"));
  run();
  for (auto* x : {&a, &b}) {
    auto answer = take(*x);
    BOOST_TEST(answer.verdict == record_verdict::unavailable);
    BOOST_TEST(answer.cause == "planted damaged");
  }
  BOOST_TEST(counters->queued == 1u);
  spy->before = nullptr; // somebody helped
  auto again = ask("a");
  pass(500ms);
  BOOST_TEST(take(again).verdict == record_verdict::created);
  BOOST_TEST(rows().size() == 2u);
  BOOST_TEST(counters->last_error() == "planted damaged");
}

BOOST_AUTO_TEST_CASE(any_exception_of_a_store_is_survived) {
  start();
  spy->before = [](record_store&) { throw std::bad_alloc{}; };
  auto a = ask("a");
  run();
  BOOST_TEST(take(a).verdict == record_verdict::unavailable);
  spy->before = nullptr;
  auto b = ask("b");
  pass(500ms);
  BOOST_TEST(take(b).verdict == record_verdict::created);
}

BOOST_AUTO_TEST_CASE(a_bad_row_fails_alone) {
  start();
  answers coming;
  for (int i = 0; i < 100; ++i)
    coming.push_back(ask(i == 37 ? "" : "n-" + std::to_string(i)));
  note(create(std::string(2000, 'n')));
  note(create("last"));
  run();
  for (std::size_t i = 0; i < coming.size(); ++i) {
    auto answer = take(coming[i]);
    BOOST_TEST((answer.verdict == record_verdict::created) == (i != 37));
    if (i == 37)
      BOOST_TEST(answer.cause == "a record name has 1 to 1024 bytes, not 0");
  }
  BOOST_TEST(rows().size() == 100u);
  BOOST_TEST(counters->failed == 2u);
  BOOST_TEST(counters->written == 100u);
  BOOST_TEST(counters->queued == 0u);
}

BOOST_AUTO_TEST_CASE(a_commit_whose_answer_was_lost_is_settled_by_reading) {
  start();
  spy->after = [&] {
    spy->after = nullptr;
    fail_with(store_errc::io); // written, but nobody knows
  };
  auto coming = ask("a", noon + 5s);
  run();
  BOOST_TEST(!ready(coming));
  pass(500ms);
  BOOST_TEST(take(coming).verdict == record_verdict::created);
  BOOST_TEST(rows().size() == 1u);
  BOOST_TEST(counters->written == 1u);
  BOOST_TEST(counters->conflicts == 0u);
}

BOOST_AUTO_TEST_CASE(a_lost_answer_that_nobody_could_settle_may_exist) {
  start();
  spy->after = [] { fail_with(store_errc::io); };
  auto coming = ask("a", noon + 1s);
  pass(1s);
  auto answer = take(coming);
  BOOST_TEST(answer.verdict == record_verdict::unavailable);
  BOOST_TEST(answer.may_exist);
  BOOST_TEST((answer.trouble == record_trouble::timed_out));
  BOOST_TEST(rows().size() == 1u);
  BOOST_TEST(counters->unknown > 0u);
}

BOOST_AUTO_TEST_CASE(what_cannot_have_been_written_does_not_exist) {
  start();
  lock_holder other{path};
  auto coming = ask("a", noon + 1s);
  pass(1s);
  BOOST_TEST(!take(coming).may_exist);
}

BOOST_AUTO_TEST_CASE(no_space_until_the_deadline_is_said_as_such) {
  start();
  spy->before = [](record_store&) { fail_with(store_errc::full); };
  auto coming = ask("a", noon + 1s);
  pass(1s);
  auto answer = take(coming);
  BOOST_TEST((answer.trouble == record_trouble::storage_full));
  BOOST_TEST(!answer.may_exist);
}

BOOST_AUTO_TEST_CASE(what_waits_has_a_length_and_an_age) {
  start();
  lock_holder other{path};
  note(create("a"));
  pass(1s);
  note(create("b"));
  pass(1s);
  BOOST_TEST(counters->queued == 2u);
  BOOST_TEST((counters->age(time->now()) == 2s));
  BOOST_TEST((record_counters{}.age(noon) == 0s));
}

BOOST_AUTO_TEST_CASE(who_waits_for_a_server_too_long_is_answered_meanwhile) {
  start();
  auto late = ask("a", noon + 1s);
  auto patient = ask("b", noon + 1h);
  spy->before = [&](record_store&) {
    time->advance(1s);
    BOOST_TEST(!ready(late));
    spy->waits(); // as PostgreSQL does
    BOOST_TEST(ready(late));
  };
  run();
  auto answer = take(late);
  BOOST_TEST(answer.verdict == record_verdict::unavailable);
  BOOST_TEST(answer.may_exist);
  BOOST_TEST(take(patient).verdict == record_verdict::created);
  BOOST_TEST(rows().size() == 2u);
}

BOOST_AUTO_TEST_CASE(who_comes_while_a_server_hangs_counts_and_has_a_deadline) {
  options.queue_max = 3;
  start();
  auto first = ask("a", noon + 1h);
  auto hangs = true;
  spy->before = [&](record_store&) {
    if (!std::exchange(hangs, false))
      return;
    auto late = ask("b", noon + 1s);
    auto patient = ask("c", noon + 1h);
    BOOST_TEST(counters->queued == 3u);
    auto refused = leave("d").refused;
    BOOST_REQUIRE(refused);
    BOOST_TEST((refused->trouble == record_trouble::queue_full));
    BOOST_TEST(!refused->may_exist);
    time->advance(1s);
    spy->waits();
    auto answer = take(late);
    BOOST_TEST((answer.trouble == record_trouble::timed_out));
    BOOST_TEST(!answer.may_exist);
    BOOST_TEST(!ready(patient));
    BOOST_TEST(counters->queued == 2u);
    BOOST_TEST((counters->age(time->now()) == 1s));
    BOOST_TEST(!leave("e").refused);
  };
  run();
  BOOST_TEST(take(first).verdict == record_verdict::created);
  BOOST_TEST((spy->writes == std::vector<std::size_t>{1, 2}));
  BOOST_TEST(counters->queued == 0u);
  BOOST_TEST(counters->refused == 1u);
}

BOOST_AUTO_TEST_CASE(an_actor_hears_of_its_deadline_while_a_server_hangs) {
  start();
  caf::scoped_actor self{sys};
  run();
  note(create("a"));
  std::optional<record_answer> heard;
  auto hangs = true;
  spy->before = [&](record_store&) {
    if (!std::exchange(hangs, false))
      return;
    auto coming = self->request(router, caf::infinite,
                                get_or_create{draft("b"), noon + 1s});
    auto flushed = self->request(router, caf::infinite,
                                 flush_records{noon + 1s});
    run(); // the router is not in the call
    time->advance(1s);
    spy->waits();
    run();
    std::move(coming).receive([&](const record_answer& x) { heard = x; },
                              [](const caf::error&) {});
    std::move(flushed).receive(
      [](const records_flushed& x) { BOOST_TEST(x.pending == 1u); },
      [](const caf::error&) { BOOST_ERROR("an error for an answer"); });
  };
  run();
  BOOST_REQUIRE(heard);
  BOOST_TEST((heard->trouble == record_trouble::timed_out));
  BOOST_TEST(rows().size() == 1u);
}

BOOST_AUTO_TEST_CASE(beyond_queue_max_requests_are_refused_and_notes_are_not) {
  options.queue_max = 3;
  start();
  note(create("a"));
  note(create("b"));
  note(create("c"));
  auto refused = leave("d").refused;
  note(create("e"));
  run();
  BOOST_REQUIRE(refused);
  BOOST_TEST(refused->verdict == record_verdict::unavailable);
  BOOST_TEST((refused->trouble == record_trouble::queue_full));
  BOOST_TEST(!refused->may_exist);
  BOOST_TEST(refused->cause == "record queue is full (3 waiting)");
  BOOST_TEST(counters->refused == 1u);
  BOOST_TEST(rows().size() == 4u);
  BOOST_TEST(!leave("d").refused); // there is room again
}

BOOST_AUTO_TEST_SUITE_END()
