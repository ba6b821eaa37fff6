// What no campaign may let pass: violations that nobody throws, faults that
// nobody asks for, situations, promises about schedules that it cannot keep.
#include "exploration_fixture.hpp"

#include <algorithm>
#include <limits>
#include <string>

using namespace sim_test;

namespace {

// An actor, so that there is a step.
void one_step(world& w) {
  w.sim().spawn(echo, 1);
}

run_result run_of(const scenario& what) {
  return run_once({.name = "rules"}, what, {1});
}

std::string violation_of(const scenario& what) {
  auto r = run_of(what);
  return r.violated.empty() ? "" : r.violated + ": " + r.detail;
}

void add_always(world& w) {
  w.always("late", [] { return true; });
}

void add_at_rest(world& w) {
  w.at_rest("late", [] { return true; });
}

void add_eventually(world& w) {
  w.eventually("late", [] { return true; });
}

} // namespace

// -- violations that are only reported ----------------------------------------

BOOST_AUTO_TEST_CASE(what_is_reported_fails_the_run_wherever_that_happens) {
  for (auto step : {false, true}) {
    auto with = [&](const std::function<void(world&)>& more) {
      return violation_of([&](world& w) {
        if (step)
          one_step(w);
        more(w);
      });
    };
    BOOST_TEST(with([](world& w) { w.violated("a rule", "scene"); })
               == "a rule: scene");
    BOOST_TEST(with([](world& w) {
                 w.eventually("fine", [&w] {
                   w.violated("a rule", "in the end");
                   return true;
                 });
               })
               == "a rule: in the end");
    BOOST_TEST(with([](world& w) {
                 w.finally([&w] { w.violated("a rule", "at last"); });
               })
               == "a rule: at last");
  }
}

BOOST_AUTO_TEST_CASE(what_comes_after_a_report_is_not_done) {
  int done = 0;
  BOOST_TEST(violation_of([&](world& w) {
               w.finally([&w] { w.violated("a rule", "first"); });
               w.finally([&] { ++done; });
             })
             == "a rule: first");
  BOOST_TEST(done == 0);
}

BOOST_AUTO_TEST_CASE(a_report_that_a_scenario_catches_fails_the_run_too) {
  auto text = violation_of([](world& w) {
    auto a = w.sim().spawn([&w](caf::event_based_actor*) -> caf::behavior {
      return {[&w](ping) { w.violated("a rule", "there"); }};
    });
    cafx::send_anon(a, ping{});
    BOOST_CHECK_THROW(w.sim().settle(), failure);
    w.sim().settle();
  });
  BOOST_TEST(text == "a rule: there");
}

BOOST_AUTO_TEST_CASE(a_simulation_throws_what_is_reported_between_two_steps) {
  sim s;
  s.report(failure{"a rule", "between"});
  BOOST_CHECK_THROW(s.settle(), failure);
  s.settle(); // once
  s.report(failure{"a rule", "again"});
  BOOST_CHECK_THROW(s.run_for(1s), failure);
  BOOST_REQUIRE(s.reported());
  BOOST_TEST(s.reported()->detail() == "between");
}

BOOST_AUTO_TEST_CASE(a_rule_may_add_another_one) {
  BOOST_TEST(violation_of([](world& w) {
               w.always("the first", [&w] {
                 for (int i = 0; i < 100; ++i)
                   w.always("number " + std::to_string(i),
                            [i] { return i != 99; });
                 return true;
               });
             })
             == "number 99: it does not hold");
}

BOOST_AUTO_TEST_CASE(a_run_without_a_step_is_judged_too) {
  BOOST_TEST(
    violation_of([](world& w) { w.always("a rule", [] { return false; }); })
    == "a rule: it does not hold");
  BOOST_TEST(
    violation_of([](world& w) { w.at_rest("a rule", [] { return false; }); })
    == "a rule: it does not hold");
  auto c = explore({.seeds = 3}, [](world& w) {
    w.sometimes("it is quiet", [&w] { return w.sim().at_rest(); });
  });
  BOOST_TEST(c.situations.at("it is quiet") == 3u);
}

// -- faults -------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_probability_is_a_probability) {
  for (auto p : {-0.1, 1.01, std::numeric_limits<double>::quiet_NaN(),
                 std::numeric_limits<double>::infinity()}) {
    auto text = report_of_exploring({.name = "rules"}, [p](world& w) {
      w.fault("open.fails", p);
    });
    BOOST_TEST(text
                 == "bad fault: the probability of \"open.fails\" is "
                      + std::to_string(p)
                      + "; allowed: 0 to 1; in rules, seed 1",
               text);
  }
  for (auto p : {0.0, 1.0})
    BOOST_TEST(report_of_exploring({.seeds = 1},
                                   [p](world& w) {
                                     w.fault("mine", p);
                                     w.fires("mine");
                                   })
               == "");
}

BOOST_AUTO_TEST_CASE(a_fault_that_nobody_asks_for_is_found) {
  explore_options o{.name = "rules", .seeds = 5};
  auto silent = [](world& w) { w.fault("mine", 0.5); };
  BOOST_TEST(report_of_exploring(o, silent)
             == "never reached: \"somebody asks whether mine fires\" in 5 runs "
                "of rules");
  // That it may not fire in this run is no reason.
  auto c = explore(o, [](world& w) { w.fault("mine", 0.0); });
  BOOST_TEST(c.situations.empty());
}

BOOST_AUTO_TEST_CASE(a_fault_that_is_asked_for_only_when_all_is_fair_is_found) {
  auto asked_in_the_end = [](world& w) {
    w.fault("mine", 0.5);
    w.finally([&w] { w.fires("mine"); });
  };
  auto asked_in_a_step = [](world& w) {
    w.fault("mine", 0.5);
    cafx::send_anon(
      w.sim().spawn([&w](caf::event_based_actor*) -> caf::behavior {
        return {[&w](ping) { w.fires("mine"); }};
      }),
      ping{});
  };
  explore_options o{.seeds = 5};
  auto never = "never reached: \"somebody asks whether mine fires\"";
  BOOST_TEST(contains(report_of_exploring(o, asked_in_the_end), never));
  BOOST_TEST(report_of_exploring(o, asked_in_a_step) == "");
  o.chaos_steps = 0;
  BOOST_TEST(contains(report_of_exploring(o, asked_in_a_step), never));
}

BOOST_AUTO_TEST_CASE(a_fault_that_no_run_has_is_found_by_its_name) {
  explore_options o{.name = "rules", .seeds = 5};
  auto misspelt = [](world& w) {
    w.fault("open.fail", 0.5);
    w.fault("late", 0.0);
    w.fires("late");
    w.fires("open.fails");
  };
  BOOST_TEST(report_of_exploring(o, misspelt)
             == "unknown fault: somebody asks whether \"open.fails\" fires; no "
                "run of rules has that, but \"late\", \"open.fail\"");
  BOOST_TEST(report_of_exploring(o, [](world& w) { w.fires("mine"); })
             == "unknown fault: somebody asks whether \"mine\" fires; no run "
                "of rules has that, but none");
  // Enough if some runs have it, and too few runs prove nothing.
  auto now_and_then = [](world& w) {
    if (w.seed() % 2 == 0)
      w.fault("mine", 0.5);
    w.fires("mine");
  };
  BOOST_TEST(report_of_exploring(o, now_and_then) == "");
  set_variable few{"STEWARD_TESTKIT_SEEDS", "1"};
  auto c = explore(o, now_and_then);
  BOOST_TEST(!c.faults.at("mine"));
}

BOOST_AUTO_TEST_CASE(who_may_be_killed_must_be_somebody) {
  auto text = report_of_exploring({}, [](world& w) { w.mortal({}); });
  BOOST_TEST(contains(text, "a handle to no actor: nobody can be mortal"));
}

BOOST_AUTO_TEST_CASE(there_must_be_something_to_choose_from) {
  auto text = report_of_exploring({.name = "rules"},
                                  [](world& w) { w.swarm<int>("limit", {}); });
  BOOST_TEST(text
             == "nothing to choose from: swarm \"limit\" has no choices; in "
                "rules, seed 1");
}

// -- rules that are never judged ----------------------------------------------

BOOST_AUTO_TEST_CASE(a_rule_that_is_never_judged_is_found) {
  // It has mail for as long as the campaign looks.
  auto busy = [](bool calm) {
    return [calm](world& w) {
      auto n = std::make_shared<int>(calm ? 3 : 300);
      auto a
        = w.sim().spawn([n](caf::event_based_actor* self) -> caf::behavior {
            return {[n, self](ping) {
              if (--*n > 0)
                cafx::send(self, self, ping{});
            }};
          });
      cafx::send_anon(a, ping{});
      w.at_rest("a rule", [n] { return *n == 0; });
    };
  };
  explore_options o{
    .name = "rules", .seeds = 3, .chaos_steps = 10, .fair_steps = 0};
  BOOST_TEST(report_of_exploring(o, busy(true)) == "");
  BOOST_TEST(report_of_exploring(o, busy(false))
             == "never reached: \"the rule \"a rule\" is judged\" in 3 runs of "
                "rules");
  // Nor is one that comes too late.
  for (auto add : {&add_always, &add_at_rest, &add_eventually})
    BOOST_TEST(
      contains(report_of_exploring(
                 o, [add](world& w) { w.finally([&w, add] { add(w); }); }),
               "never reached: \"the rule \"late\" is judged\""));
}

BOOST_AUTO_TEST_CASE(what_is_to_be_called_must_be_something) {
  using steward::testkit::scenario;
  auto refused = [](const scenario& what) {
    return report_of_exploring({.name = "rules"}, what);
  };
  BOOST_TEST(refused(nullptr) == "nothing to call: rules has no scenario");
  world::condition none;
  world::explained nothing;
  for (const scenario& x :
       {scenario{[&](world& w) { w.always("mine", none); }},
        scenario{[&](world& w) { w.always("mine", nothing); }},
        scenario{[&](world& w) { w.at_rest("mine", none); }},
        scenario{[&](world& w) { w.at_rest("mine", nothing); }},
        scenario{[&](world& w) { w.eventually("mine", none); }},
        scenario{[&](world& w) { w.eventually("mine", nothing); }}})
    BOOST_TEST(refused(x)
               == "nothing to call: the rule \"mine\" has no function; in "
                  "rules, seed 1");
  BOOST_TEST(refused([&](world& w) { w.sometimes("mine", none); })
             == "nothing to call: sometimes \"mine\" has no function; in "
                "rules, seed 1");
  BOOST_TEST(refused([](world& w) { w.finally(nullptr); })
             == "nothing to call: finally has no function; in rules, seed 1");
}

// -- what never comes to rest -------------------------------------------------

BOOST_AUTO_TEST_CASE(who_goes_on_for_ever_in_no_time_is_a_violation) {
  explore_options o{.name = "rules", .seeds = 1, .fair_steps = 1'000};
  auto text = report_of_exploring(o, [](world& w) {
    w.sim().call(w.sim().spawn(restless), "hamster");
  });
  BOOST_TEST(contains(text, "it does not come to rest: time stands still for "),
             text);
  BOOST_TEST(contains(text, " steps, though all is fair; fair_steps is 1000\n"),
             text);
  BOOST_TEST(contains(text, "hamster -> hamster: tick\n"), text);
  // Timers that are due at once are no better.
  auto at_once = [](caf::event_based_actor* self) -> caf::behavior {
    cafx::send_later(self, duration{0}, tick{});
    return {[self](tick) { cafx::send_later(self, duration{0}, tick{}); }};
  };
  BOOST_TEST(
    contains(report_of_exploring(o, [&](world& w) { w.sim().spawn(at_once); }),
             "it does not come to rest"));
}

BOOST_AUTO_TEST_CASE(who_goes_on_for_ever_in_time_is_none) {
  for (std::size_t steps : {1u, 2u, 3u, 1000u})
    BOOST_TEST(
      report_of_exploring({.seeds = 3, .chaos_steps = 5, .fair_steps = steps},
                          [](world& w) {
                            auto& seen = w.make<std::vector<duration>>();
                            w.sim().spawn(metronome, &w.sim(), &seen);
                          })
      == "");
}

// -- situations ---------------------------------------------------------------

namespace {

// Some runs have three steps, none has four.
scenario reaches(std::uint64_t steps) {
  return [steps](world& w) {
    for (auto n = w.swarm("actors", {1, 2, 3}); n > 0; --n)
      one_step(w);
    w.sometimes("many", [&w, steps] { return w.sim().steps() == steps; });
  };
}

} // namespace

BOOST_AUTO_TEST_CASE(a_campaign_must_reach_what_is_to_happen_sometimes) {
  explore_options o{.name = "rules", .seeds = 20};
  BOOST_TEST(report_of_exploring(o, reaches(3)) == "");
  BOOST_TEST(report_of_exploring(o, reaches(4))
             == "never reached: \"many\" in 20 runs of rules");
}

BOOST_AUTO_TEST_CASE(a_campaign_that_was_cut_short_need_not) {
  set_variable few{"STEWARD_TESTKIT_SEEDS", "2"};
  explore_options o{.name = "rules", .seeds = 20};
  auto c = explore(o, reaches(4));
  BOOST_TEST(c.runs == 2u);
  BOOST_TEST((c.unreached == std::vector<std::string>{"many"}));
  o.sometimes_after = 2;
  BOOST_TEST(contains(report_of_exploring(o, reaches(4)), "never reached"));
  o.sometimes_after = 3;
  BOOST_TEST(report_of_exploring(o, reaches(4)) == "");
}

// -- all small deviations -----------------------------------------------------

BOOST_AUTO_TEST_CASE(what_there_was_no_time_for_is_told) {
  auto many = [](world& w) {
    for (int i = 0; i < 6; ++i)
      one_step(w);
    for (int i = 0; i < 6; ++i)
      cafx::send_anon(w.sim().spawn(echo, 1), ping{});
  };
  explore_options o{.name = "rules",
                    .seeds = 1'000'000'000,
                    .exhaustive = 20,
                    .time_limit = 1s};
  auto text = report_of_exploring(o, many);
  BOOST_TEST(
    text.rfind("not exhaustive: of the schedules of rules with at most "
               "20 deviations those that deviate first at decision ",
               0)
      == 0u,
    text);
  BOOST_TEST(contains(text, ", were not all run, as time was up"), text);
  o.count_failures = true;
  auto c = explore(o, many);
  BOOST_TEST(c.out_of_time);
  BOOST_TEST(c.left_out != "");
}

BOOST_AUTO_TEST_CASE(what_was_done_whole_is_said_to_be_so) {
  auto c = explore({.seeds = 1, .exhaustive = 2}, one_step);
  BOOST_TEST(c.left_out == "");
  BOOST_TEST(!c.out_of_time);
}

// -- runs that differ ---------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_value_that_differs_is_noticed) {
  int runs = 0;
  auto text = report_of_exploring({.name = "moody"}, [&](world& w) {
    auto a = w.sim().spawn(echo, 1);
    w.sim().call(a, "parrot");
    w.sim().settle();
    w.sim().describe<ping>(
      [](const ping& m) { return "ping " + std::to_string(m.n); });
    cafx::send_anon(a, ping{++runs});
  });
  BOOST_TEST(contains(text, "not repeatable: seed 1 of moody did two different "
                            "things; at first\n    2  +0s  parrot: ping "),
             text);
}

BOOST_AUTO_TEST_CASE(a_number_in_a_message_of_several_is_noticed) {
  int runs = 0;
  auto text = report_of_exploring({}, [&](world& w) {
    auto a = w.sim().spawn([](caf::event_based_actor*) -> caf::behavior {
      return {[](const tick&, int) {}};
    });
    caf::anon_send(a, tick{}, ++runs);
  });
  BOOST_TEST(contains(text, "not repeatable"), text);
  BOOST_TEST(contains(text, ": (tick, "), text);
}

BOOST_AUTO_TEST_CASE(what_nobody_can_print_is_not_compared) {
  int runs = 0;
  auto c = explore({}, [&](world& w) {
    cafx::send_anon(w.sim().spawn(echo, 1), ping{++runs});
  });
  BOOST_TEST(c.runs == 2000u);
}

// -- shrinking ----------------------------------------------------------------

BOOST_AUTO_TEST_CASE(options_become_less_and_come_earlier) {
  // Any order will do in which somebody comes before the first.
  auto what = [](world& w) {
    auto& first = w.make<int>(-1);
    for (int i = 0; i < 5; ++i) {
      auto a = w.sim().spawn(
        [&first](caf::event_based_actor*, int me) -> caf::behavior {
          return {[&first, me](ping) { first = first < 0 ? me : first; }};
        },
        i);
      cafx::send_anon(a, ping{});
    }
    w.eventually("the first is the first", [&first] { return first == 0; });
  };
  explore_options o{.policies = {fair_random{}}, .early_timers = {0}};
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    auto failed = run_once(o, what, {seed});
    if (failed.violated.empty())
      continue;
    auto smallest = shrink(o, what, failed);
    BOOST_TEST(smallest.smallest);
    BOOST_TEST(options_text(smallest.listed) == "0:1",
               seed << ": " << options_text(smallest.listed));
  }
}

BOOST_AUTO_TEST_CASE(a_long_story_is_told_where_it_leaves_plain_order) {
  // Nothing to choose for long, then once, and then for long again.
  auto what = [](world& w) {
    auto& order = w.make<std::string>();
    std::vector<caf::actor> rivals;
    for (auto letter : {'a', 'b'}) {
      rivals.push_back(w.sim().spawn(
        [&order](caf::event_based_actor*, char me) -> caf::behavior {
          return {[&order, me](tick) { order += me; }};
        },
        letter));
      w.sim().call(rivals.back(), std::string(1, letter));
    }
    w.sim().settle();
    auto counter = w.sim().spawn([rivals](caf::event_based_actor* self) {
      cafx::send(self, self, ping{200});
      return caf::behavior{[self, rivals](const ping& m) {
        if (m.n == 100)
          for (const auto& x : rivals)
            cafx::send(self, x, tick{});
        else if (m.n > 0)
          cafx::send(self, self, ping{m.n - 1});
        if (m.n == 100)
          caf::delayed_anon_send(self, 1s, ping{99});
      }};
    });
    w.sim().call(counter, "counter");
    w.eventually("a is first", [&order] { return order == "ab"; });
  };
  auto text = report_of_exploring({.policies = {fair_random{}}}, what);
  BOOST_TEST(contains(text, "  needs 1 of "), text);
  BOOST_TEST(contains(text, " *+0s  counter -> b: tick\n"), text);
  BOOST_TEST(contains(text, "+0s  counter -> a: tick\n"), text);
  // Before that and behind it something is left out, and the end is told.
  BOOST_TEST(text.find(" more]\n") < text.find(" *+"), text);
  BOOST_TEST(text.rfind(" more]\n") > text.find(" *+"), text);
  BOOST_TEST(contains(text, "+1s  counter -> counter: ping\n  the last"), text);
  BOOST_TEST(std::count(text.begin(), text.end(), '\n') < 80);
}
