#include "sim_fixture.hpp"

#include <optional>
#include <stdexcept>

using namespace sim_test;

// -- time ---------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(time_goes_from_due_time_to_due_time) {
  sim s;
  std::vector<duration> seen;
  s.spawn(metronome, &s, &seen);
  auto start = s.now();
  s.run_for(5s);
  BOOST_TEST((seen == std::vector<duration>{1s, 2s, 3s, 4s, 5s}));
  BOOST_TEST((s.now() == start + 5s));
  BOOST_TEST(s.steps() == 1u + 5u * 2u); // it starts; a timer, a message
}

BOOST_AUTO_TEST_CASE(time_passes_though_nothing_happens) {
  sim s;
  auto start = s.now();
  s.run_for(5min);
  BOOST_TEST((s.now() == start + 5min));
  BOOST_TEST(s.steps() == 0u);
}

BOOST_AUTO_TEST_CASE(what_is_due_at_the_limit_happens_and_not_a_moment_before) {
  sim s;
  std::vector<duration> seen;
  s.spawn(metronome, &s, &seen);
  s.run_for(1s - 1ns);
  BOOST_TEST(seen.empty());
  s.run_for(1ns);
  BOOST_TEST((seen == std::vector<duration>{1s}));
}

BOOST_AUTO_TEST_CASE(time_stands_still_while_all_settles) {
  sim s;
  std::vector<duration> seen;
  s.spawn(metronome, &s, &seen);
  auto start = s.now();
  s.settle();
  BOOST_TEST(s.at_rest());
  BOOST_TEST(s.has_timer());
  BOOST_TEST(seen.empty());
  BOOST_TEST((s.now() == start));
}

BOOST_AUTO_TEST_CASE(no_time_is_too_long) {
  for (auto longest : {sim::how_long{std::chrono::hours::max()},
                       sim::how_long{std::chrono::duration<double>{1e300}},
                       sim::how_long{duration::max()}}) {
    BOOST_TEST((longest.value == duration::max()));
    sim s;
    auto seen = false;
    auto a = s.spawn([&](caf::event_based_actor*) -> caf::behavior {
      return {[&](ping) { seen = true; }};
    });
    caf::delayed_anon_send(a, 24h * 365 * 100, ping{});
    s.run_for(longest);
    BOOST_TEST(seen);
    BOOST_TEST(!s.run_until([] { return false; }, longest));
  }
  BOOST_TEST((sim::how_long{1500us}.value == 1500us));
  BOOST_TEST(
    (sim::how_long{std::chrono::duration<double>{0.5}}.value == 500ms));
  BOOST_TEST(
    (sim::how_long{std::chrono::hours::min()}.value == -duration::max()));
}

BOOST_AUTO_TEST_CASE(an_actor_starts_in_a_step_of_its_own) {
  sim s{{.traced = true}};
  auto a = s.spawn([](caf::event_based_actor* self) -> caf::behavior {
    cafx::send(self, self, tick{});
    return {[](tick) {}, [](ping) {}};
  });
  s.call(a, "parrot");
  cafx::send_anon(a, ping{});
  s.settle();
  std::vector<std::string> told;
  for (const auto& e : s.events().events())
    told.push_back(e.what);
  BOOST_TEST(told == (std::vector<std::string>{"starts", "ping", "tick"}),
             boost::test_tools::per_element());
  // So another one can come between.
  std::string order;
  sim t;
  t.set_order(schedule{{0, 1}});
  auto b = t.spawn([&](caf::event_based_actor*) -> caf::behavior {
    order += 's';
    return {[&](ping) { order += 'b'; }};
  });
  auto c = t.spawn([&](caf::event_based_actor*) -> caf::behavior {
    return {[&](ping) { order += 'c'; }};
  });
  cafx::send_anon(b, ping{});
  cafx::send_anon(c, ping{});
  t.settle();
  BOOST_TEST(order == "sbc");
}

BOOST_AUTO_TEST_CASE(what_never_settles_is_a_failure) {
  sim s{{.steps_max = 1000}};
  s.spawn(restless);
  for (const auto& text :
       {failure_of([&] { s.settle(); }), failure_of([&] { s.run_for(1s); }),
        failure_of([&] { s.run_until([] { return false; }); })})
    BOOST_TEST(contains(text, "it does not come to rest: more than 1000 steps"),
               text);
}

BOOST_AUTO_TEST_CASE(who_does_not_let_time_go_on_is_named) {
  sim s{{.steps_max = 1000}};
  s.run_for(5s);
  s.call(s.spawn(restless), "hamster");
  BOOST_TEST(failure_of([&] { s.settle(); })
             == "it does not come to rest: more than 1000 steps in one settle, "
                "and time stands still at +5s; next comes hamster");
  // So is a timer that is due at once.
  sim t{{.steps_max = 1000}};
  t.spawn([](caf::event_based_actor* self) -> caf::behavior {
    cafx::send_later(self, duration{0}, tick{});
    return {[self](tick) { cafx::send_later(self, duration{0}, tick{}); }};
  });
  BOOST_TEST(contains(failure_of([&] { t.run_for(1s); }),
                      "more than 1000 steps in one run_for, and time stands "
                      "still at +0s; next comes "));
}

BOOST_AUTO_TEST_CASE(as_long_as_time_goes_on_a_run_takes_as_many_as_it_takes) {
  sim s{{.steps_max = 10}};
  std::vector<duration> seen;
  s.spawn(metronome, &s, &seen);
  s.run_for(1h);
  BOOST_TEST(seen.size() == 3600u);
  BOOST_TEST(!s.run_until([] { return false; }, 1h));
  BOOST_TEST(seen.size() == 7200u);
}

BOOST_AUTO_TEST_CASE(a_run_ends_when_it_is_done_and_says_so) {
  sim s;
  std::vector<duration> seen;
  s.spawn(metronome, &s, &seen);
  BOOST_TEST(s.run_until([&] { return seen.size() == 3; }));
  BOOST_TEST((s.now() == sim_options{}.start + 3s));
}

BOOST_AUTO_TEST_CASE(a_run_that_is_never_done_takes_all_its_patience) {
  sim s;
  auto start = s.now();
  BOOST_TEST(!s.run_until([] { return false; }, 7s));
  BOOST_TEST((s.now() == start + 7s));
}

BOOST_AUTO_TEST_CASE(what_was_due_while_the_machine_slept_is_late) {
  sim s;
  std::vector<duration> seen;
  s.spawn(metronome, &s, &seen);
  s.settle();
  s.oversleep(10s);
  BOOST_TEST(seen.empty());
  s.settle();
  BOOST_TEST((seen == std::vector<duration>{10s}));
  s.run_for(1s);
  BOOST_TEST((seen == std::vector<duration>{10s, 11s}));
}

BOOST_AUTO_TEST_CASE(a_timer_is_as_late_as_told) {
  sim s;
  std::vector<duration> seen;
  s.spawn(metronome, &s, &seen);
  int asked = 0;
  s.late_if([&] { return ++asked == 2 ? 3s : duration{0}; });
  s.run_for(7s);
  BOOST_TEST((seen == std::vector<duration>{1s, 5s, 6s, 7s}));
}

BOOST_AUTO_TEST_CASE(time_that_is_left_out_is_in_the_wall_clock_only) {
  sim s;
  auto start = s.now();
  s.run_for(10s);
  s.time()->leave_out(4s);
  BOOST_TEST((s.now() == start + 6s));
  BOOST_TEST((s.time()->now() == s.now()));
  BOOST_TEST((s.wall() == start + 10s));
  s.run_for(1s);
  BOOST_TEST((s.now() == start + 7s));
}

BOOST_AUTO_TEST_CASE(a_timer_fires_before_ready_messages_if_the_schedule_says) {
  for (auto early : {0.0, 1.0}) {
    sim s{{.order = {.early_timers = early}}};
    std::vector<std::string> seen;
    auto a = s.spawn([&](caf::event_based_actor* self) -> caf::behavior {
      cafx::send_later(self, 1h, tick{});
      return {
        [&](tick) { seen.push_back("timer"); },
        [&](ping) { seen.push_back("message"); },
      };
    });
    auto b = s.spawn([=](caf::event_based_actor* self) -> caf::behavior {
      return {
        [=](ping) { cafx::send(self, a, ping{}); },
      };
    });
    s.settle();
    cafx::send_anon(b, ping{});
    s.run_for(1h);
    // Early, the timer fires before b even gets what makes it write to a.
    auto first = early == 0 ? "message" : "timer";
    BOOST_REQUIRE(seen.size() == 2u);
    BOOST_TEST(seen.front() == first);
  }
}

// -- order --------------------------------------------------------------------

namespace {

struct logbook {
  std::vector<std::string> lines;
};

caf::behavior writer(caf::event_based_actor*, logbook* to, std::string name) {
  return {
    [=](const ping& m) { to->lines.push_back(name + std::to_string(m.n)); },
  };
}

// Two actors with two messages each, in this order of choices.
std::vector<std::string> written(sim& s) {
  logbook book;
  auto a = s.spawn(writer, &book, "a");
  auto b = s.spawn(writer, &book, "b");
  s.settle(); // they start
  for (int n : {1, 2}) {
    cafx::send_anon(a, ping{n});
    cafx::send_anon(b, ping{n});
  }
  s.settle();
  return book.lines;
}

std::uint64_t hash_of(const sim_options& how) {
  sim s{how};
  written(s);
  return s.hash();
}

} // namespace

BOOST_AUTO_TEST_CASE(who_has_more_mail_goes_to_the_end_of_the_line) {
  sim s;
  BOOST_TEST(written(s) == (std::vector<std::string>{"a1", "b1", "a2", "b2"}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_list_says_whose_turn_it_is) {
  sim s;
  // One choice when they start; then b before a, and what is left.
  s.set_order(schedule{{0, 1, 1}});
  BOOST_TEST(written(s) == (std::vector<std::string>{"b1", "b2", "a1", "a2"}),
             boost::test_tools::per_element());
  BOOST_TEST(schedule_text(s.order().taken()) == "1:1,2:1");
}

BOOST_AUTO_TEST_CASE(the_same_seed_gives_the_same_hash) {
  sim_options one{.order = {.how = fair_random{}, .seed = 1}};
  BOOST_TEST(hash_of(one) == hash_of(one));
}

BOOST_AUTO_TEST_CASE(another_schedule_gives_another_hash) {
  auto plain = hash_of({});
  bool differs = false;
  for (std::uint64_t seed = 1; seed <= 5; ++seed)
    differs |= hash_of({.order = {.how = fair_random{}, .seed = seed}})
               != plain;
  BOOST_TEST(differs);
}

BOOST_AUTO_TEST_CASE(the_hash_knows_types_of_messages_and_times_of_timers) {
  auto after = [](auto what) {
    sim s;
    auto a = s.spawn(echo, 1);
    what(s, a);
    s.settle();
    return s.hash();
  };
  auto with_ping = after([](sim&, auto& a) { cafx::send_anon(a, ping{}); });
  auto with_lost = after([](sim&, auto& a) { cafx::send_anon(a, lost{}); });
  auto with_timer = [&](duration d) {
    return after([&](sim& s, auto& a) {
      caf::delayed_anon_send(a, d, ping{});
      s.run_for(1min);
    });
  };
  BOOST_TEST(with_ping != with_lost);
  BOOST_TEST(with_timer(1s) != with_timer(2s));
  BOOST_TEST(with_timer(1s) == with_timer(1s));
}

BOOST_AUTO_TEST_CASE(a_message_arrives_twice_if_told) {
  sim s;
  logbook book;
  auto a = s.spawn(writer, &book, "a");
  bool once = true;
  s.twice_if([&](const cafx::content& what) {
    return what.match_elements<ping>() && std::exchange(once, false);
  });
  cafx::send_anon(a, ping{1});
  cafx::send_anon(a, ping{2});
  s.settle();
  BOOST_TEST(book.lines == (std::vector<std::string>{"a1", "a2", "a1"}),
             boost::test_tools::per_element());
}

// -- what is wrong ------------------------------------------------------------

BOOST_AUTO_TEST_CASE(each_step_can_be_judged) {
  sim s;
  s.spawn(echo, 1);
  int steps = 0;
  s.after_each_step([&] {
    if (++steps == 2)
      throw failure("a rule", "is broken");
  });
  BOOST_TEST(s.step());
  BOOST_TEST(!s.step());
  s.spawn(echo, 1);
  BOOST_TEST(failure_of([&] { s.step(); }) == "a rule: is broken");
}

BOOST_AUTO_TEST_CASE(
  what_is_reported_comes_out_of_the_step_and_the_first_counts) {
  sim s;
  s.spawn([&](caf::event_based_actor*) -> caf::behavior {
    s.report(failure{"first", "one"});
    s.report(failure{"second", "two"});
    return {[](ping) {}};
  });
  BOOST_TEST(failure_of([&] { s.settle(); }) == "first: one");
  BOOST_TEST(failure_of([&] { s.settle(); }) == "");
}

BOOST_AUTO_TEST_CASE(nothing_is_judged_any_more_if_told) {
  sim s;
  s.after_each_step([] { throw failure("a rule", "is broken"); });
  auto a = s.spawn(echo, 1);
  s.stop_judging();
  cafx::send_anon(a, bad{});
  BOOST_TEST(failure_of([&] { s.settle(); }) == "");
}

BOOST_AUTO_TEST_CASE(an_actor_may_not_wait) {
  sim s;
  auto other = s.spawn(echo, 1);
  auto p = s.probe("p");
  s.spawn([=](caf::event_based_actor*) mutable -> caf::behavior {
    p.request<pong>(other, ping{}).get();
    return {[](ping) {}};
  });
  BOOST_TEST(contains(failure_of([&] { s.settle(); }),
                      "a call that blocks inside an actor"));
}

BOOST_AUTO_TEST_CASE(nor_may_who_judges) {
  sim s;
  s.spawn(echo, 1);
  s.after_each_step([&] { s.run_for(1s); });
  BOOST_TEST(contains(failure_of([&] { s.step(); }),
                      "a call that blocks inside an actor"));
}

BOOST_AUTO_TEST_CASE(time_goes_on_only) {
  sim s;
  auto back = [&](auto f) { return failure_of([&] { f(); }); };
  BOOST_TEST(back([&] { s.run_for(-3s); })
             == "bad duration: run_for is told to go back by 3s; time goes on "
                "only");
  BOOST_TEST(contains(back([&] { s.oversleep(-1ms); }), "oversleep is told"));
  BOOST_TEST(
    contains(back([&] { s.run_until([] { return false; }, duration{-1}); }),
             "run_until is told"));
  BOOST_TEST((s.now() == sim_options{}.start));
}
