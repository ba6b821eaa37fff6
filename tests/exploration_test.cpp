// Campaigns: what finds a race, what counts as a violation, and that a run can
// be repeated, made smaller, and enumerated.
#include "exploration_fixture.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>

using namespace sim_test;

namespace {

explore_options only(policy how, std::uint64_t seeds = 300) {
  return {.name = "box office", .seeds = seeds, .policies = {how}};
}

std::uint64_t failures_with(policy how) {
  auto o = only(how);
  o.count_failures = true;
  return explore(o, box_office_with_a_race).failures;
}

// One actor that gets `n` messages.
void messages(world& w, int n) {
  auto a = w.sim().spawn(
    [](caf::event_based_actor*) -> caf::behavior { return {[](ping) {}}; });
  for (int i = 0; i < n; ++i)
    cafx::send_anon(a, ping{i});
}

// The violation of a scenario that sends `n` messages and then sets `rules`.
std::string violation_of(const std::function<void(world&)>& rules, int n = 3) {
  auto o = explore_options{.name = "rules", .seeds = 1};
  return run_once(o,
                  [&](world& w) {
                    messages(w, n);
                    rules(w);
                  },
                  {1})
    .violated;
}

} // namespace

// -- finding ------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(
  a_race_is_found_by_random_and_by_pct_and_not_in_plain_order) {
  BOOST_TEST(failures_with(fifo{}) == 0u);
  BOOST_TEST(failures_with(fair_random{}) > 3u);
  BOOST_TEST(failures_with(pct{2}) > 3u);
  BOOST_TEST(failures_with(pct{3}) > 3u);
}

BOOST_AUTO_TEST_CASE(the_usual_policies_find_it_by_name) {
  BOOST_CHECK_EXCEPTION(explore({.name = "box office"}, box_office_with_a_race),
                        failure, [](const failure& x) {
                          return x.name() == "no ticket is sold twice";
                        });
}

BOOST_AUTO_TEST_CASE(failures_are_counted_if_told) {
  auto o = only(fair_random{});
  o.count_failures = true;
  auto c = explore(o, box_office_with_a_race);
  BOOST_TEST(c.runs == 300u);
  BOOST_TEST(c.failures > 0u);
  BOOST_TEST(c.violations.at("no ticket is sold twice") == c.failures);
  BOOST_REQUIRE(c.first_failure.has_value());
  BOOST_TEST(c.first_failure->violated == "no ticket is sold twice");
  auto again = run_once(o, box_office_with_a_race, {c.first_failure->seed});
  BOOST_TEST(again.hash == c.first_failure->hash);
}

BOOST_AUTO_TEST_CASE(equal_campaigns_have_equal_hashes) {
  auto run = [](std::uint64_t first) {
    auto o = only(fair_random{}, 50);
    o.first_seed = first;
    o.count_failures = true;
    return explore(o, box_office_with_a_race).hash;
  };
  BOOST_TEST(run(1) == run(1));
  BOOST_TEST(run(1) != run(2));
}

BOOST_AUTO_TEST_CASE(
  policies_are_taken_in_turn_and_some_seeds_have_early_timers) {
  explore_options o{.policies = {fifo{}, pct{2}}};
  std::set<std::string> seen;
  std::set<double> early;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    auto r = run_once(o, [](world& w) { messages(w, 1); }, {seed});
    seen.insert(to_string(r.how) + (seed % 2 == 0 ? " even" : " odd"));
    if (seed % 2 == 1)
      early.insert(r.early_timers);
    else
      BOOST_TEST(r.early_timers == 0);
  }
  BOOST_TEST((seen == std::set<std::string>{"fifo even", "pct2 odd"}));
  BOOST_TEST((early == std::set<double>{0, 0.05, 0.3}));
}

BOOST_AUTO_TEST_CASE(the_usual_policies_are_a_portfolio) {
  std::map<std::string, int> seen;
  for (std::uint64_t seed = 1; seed <= 100; ++seed)
    ++seen[to_string(
      run_once({}, [](world& w) { messages(w, 1); }, {seed}).how)];
  BOOST_TEST((
    seen
    == std::map<std::string, int>{
      {"random", 50}, {"pct2", 10}, {"pct3", 20}, {"pct4", 10}, {"fifo", 10}}));
}

// PCT has to change priorities where there are decisions, however few.
BOOST_AUTO_TEST_CASE(pct_finds_what_takes_few_decisions) {
  auto adder = [](caf::event_based_actor* self, int* count) -> caf::behavior {
    return {
      [=](sell) { cafx::send(self, self, ping{*count}); },
      [=](ping read) { *count = read.n + 1; },
    };
  };
  auto lost_update = [adder](world& w) {
    auto& count = w.make<int>(0);
    for (int i = 0; i < 2; ++i)
      cafx::send_anon(w.sim().spawn(adder, &count), sell{});
    w.eventually("both count", [&] { return count == 2; });
  };
  for (auto depth : {2u, 3u}) {
    auto o = only(pct{depth}, 1'000);
    o.count_failures = true;
    BOOST_TEST(explore(o, lost_update).failures > 20u);
  }
}

// -- shrinking ----------------------------------------------------------------

namespace {

std::size_t deviations(const std::vector<std::uint16_t>& listed) {
  return static_cast<std::size_t>(
    std::count_if(listed.begin(), listed.end(), [](auto x) { return x != 0; }));
}

} // namespace

BOOST_AUTO_TEST_CASE(a_schedule_is_shrunk_until_nothing_can_be_left_out) {
  for (const policy& how : {policy{fair_random{}}, policy{pct{3}}}) {
    auto o = only(how);
    o.count_failures = true;
    auto failed = explore(o, box_office_with_a_race).first_failure.value();
    auto listed = shrink(o, box_office_with_a_race, failed).listed;
    auto before = schedule_text(failed.decisions);
    BOOST_TEST(deviations(listed) >= 1u);
    BOOST_TEST(deviations(listed) < static_cast<std::size_t>(
                 std::count(before.begin(), before.end(), ':')));
    auto r = run_once(o, box_office_with_a_race, {failed.seed, &listed});
    BOOST_TEST(r.violated == failed.violated);
    for (std::size_t i = 0; i < listed.size(); ++i)
      if (listed[i] != 0) {
        auto less = listed;
        less[i] = 0;
        auto passes = run_once(o, box_office_with_a_race, {failed.seed, &less});
        BOOST_TEST(passes.violated == "");
      }
  }
}

BOOST_AUTO_TEST_CASE(what_fails_in_plain_order_shrinks_to_that) {
  auto broken = [](world& w) {
    messages(w, 3);
    w.sim().spawn(echo, 1); // something to choose
    w.eventually("a rule", [] { return false; });
  };
  auto o = only(fair_random{});
  auto failed = run_once(o, broken, {1});
  BOOST_TEST(failed.violated == "a rule");
  BOOST_TEST(shrink(o, broken, failed).listed.empty());
}

BOOST_AUTO_TEST_CASE(another_violation_is_not_taken_for_the_same) {
  // Plain order violates one thing, anything else the other.
  auto broken = [](world& w) {
    auto& order = w.make<std::vector<int>>();
    for (int i = 0; i < 3; ++i) {
      auto a = w.sim().spawn(
        [&order](caf::event_based_actor*, int me) -> caf::behavior {
          return {[&order, me](ping) { order.push_back(me); }};
        },
        i);
      cafx::send_anon(a, ping{});
    }
    w.eventually("plain", [&] { return order != std::vector<int>{0, 1, 2}; });
    w.eventually("other", [&] { return order == std::vector<int>{0, 1, 2}; });
  };
  explore_options o{.policies = {fair_random{}}};
  std::set<std::string> seen;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    auto failed = run_once(o, broken, {seed});
    seen.insert(failed.violated);
    auto listed = shrink(o, broken, failed).listed;
    BOOST_TEST(run_once(o, broken, {seed, &listed}).violated
               == failed.violated);
    BOOST_TEST(listed.empty() == (failed.violated == "plain"));
  }
  BOOST_TEST(seen.size() == 2u);
}

// -- all small deviations -----------------------------------------------------

namespace {

// A scenario of which all schedules can be worked out by hand: actors with
// mail, each message a letter, and a timer that sends the last one its mail.
struct tiny {
  std::vector<int> mails;
  bool timer;
};

void run_tiny(world& w, const tiny& what, std::multiset<std::string>* seen) {
  auto& order = w.make<std::string>();
  caf::actor last;
  std::vector<caf::actor> all;
  for (std::size_t i = 0; i < what.mails.size(); ++i) {
    auto letter = static_cast<char>('a' + i);
    last = w.sim().spawn(
      [&order](caf::event_based_actor*, char me) -> caf::behavior {
        return {[&order, me](ping) { order += me; }};
      },
      letter);
    w.sim().settle(); // it starts; that is a step, too
    all.push_back(last);
  }
  for (std::size_t i = 0; i < what.mails.size(); ++i)
    for (int n = 0; n < what.mails[i]; ++n)
      cafx::send_anon(all[i], ping{n});
  if (what.timer)
    caf::delayed_anon_send(last, 1s, ping{});
  w.finally([&order, seen] { seen->insert(order); });
}

// The same without the kit: every choice that the rules allow, by recursion.
class enumeration {
public:
  explicit enumeration(const tiny& what) : mails_(what.mails) {
    for (std::size_t i = 0; i < mails_.size(); ++i)
      queue_.push_back(i);
    timer_ = what.timer;
  }

  std::multiset<std::string> all(unsigned deviations) {
    go(deviations);
    return std::move(seen_);
  }

private:
  void go(unsigned left) {
    if (queue_.empty() && !timer_) {
      seen_.insert(order_);
      return;
    }
    auto options = queue_.size() + (timer_ ? 1 : 0);
    for (std::size_t option = 0; option < options; ++option) {
      if (option > 0 && left == 0)
        break;
      auto before = *this;
      auto rest = left - (option > 0 ? 1 : 0);
      if (option == queue_.size())
        fire();
      else
        run(option);
      go(rest);
      auto found = std::move(seen_);
      *this = std::move(before);
      seen_ = std::move(found);
    }
  }

  void run(std::size_t option) {
    auto who = queue_[option];
    queue_.erase(queue_.begin() + static_cast<std::ptrdiff_t>(option));
    order_ += static_cast<char>('a' + who);
    if (--mails_[who] > 0)
      queue_.push_back(who);
  }

  void fire() {
    timer_ = false;
    auto last = mails_.size() - 1;
    if (mails_[last]++ == 0)
      queue_.push_back(last);
  }

  std::vector<int> mails_;
  std::deque<std::size_t> queue_;
  bool timer_ = false;
  std::string order_;
  std::multiset<std::string> seen_;
};

} // namespace

BOOST_AUTO_TEST_CASE(
  every_schedule_with_so_few_deviations_is_run_and_no_other) {
  for (const auto& what :
       {tiny{{1, 1}, false}, tiny{{2, 2}, false}, tiny{{2, 2, 2}, false},
        tiny{{2, 1}, true}, tiny{{1, 2, 2}, true}})
    for (unsigned k : {1u, 2u, 3u})
      for (std::size_t chaos : {500u, 2u}) { // and where there is none any more
        std::multiset<std::string> seen;
        auto c = explore({.seeds = 0, .exhaustive = k, .chaos_steps = chaos},
                         [&](world& w) { run_tiny(w, what, &seen); });
        auto expected = enumeration{what}.all(k);
        BOOST_TEST(c.runs == expected.size());
        BOOST_TEST((seen == expected),
                   "k = " << k << ", " << what.mails.size() << " actors");
      }
}

BOOST_AUTO_TEST_CASE(two_actors_with_a_message_each_have_two_orders) {
  auto two = enumeration{{{1, 1}, false}}.all(1);
  BOOST_TEST((two == std::multiset<std::string>{"ab", "ba"}));
  auto three = enumeration{{{1, 1, 1}, false}}.all(2);
  BOOST_TEST(three.size() == 6u); // all orders of three
}

BOOST_AUTO_TEST_CASE(a_small_deviation_that_violates_something_is_found) {
  auto depth = [](unsigned k) {
    return report_of_exploring(
      {.name = "box office", .seeds = 0, .exhaustive = k},
      box_office_with_a_race);
  };
  unsigned k = 1;
  while (k < 6 && depth(k).empty())
    ++k;
  BOOST_TEST(k == 3u);
  // And so many are needed: shrinking finds no less.
  auto o = only(fair_random{});
  o.count_failures = true;
  auto failed = explore(o, box_office_with_a_race).first_failure.value();
  BOOST_TEST(deviations(shrink(o, box_office_with_a_race, failed).listed) >= k);
  BOOST_TEST(contains(depth(k), "policy listed"));
  BOOST_TEST(contains(depth(k), "needs " + std::to_string(k) + " of "));
}

BOOST_AUTO_TEST_CASE(time_bounds_are_judged_unless_a_timer_fires_early) {
  std::set<std::pair<bool, bool>> seen; // early, and time waits
  // Whatever the seed has drawn for itself.
  explore({.seeds = 0,
           .exhaustive = 1,
           .policies = {fair_random{}},
           .early_timers = {0.3}},
          [&](world& w) {
            auto late = w.sim().spawn(echo, 1);
            w.sim().settle();
            messages(w, 2);
            caf::delayed_anon_send(late, 1h, ping{});
            auto& early = w.make<bool>(false);
            w.sim().after_each_step([&] {
              if (!w.sim().at_rest() && w.sim().now() > sim_options{}.start)
                early = early || w.sim().steps() < 5;
            });
            w.finally([&] { seen.insert({early, w.time_waits()}); });
          });
  BOOST_TEST(seen.size() == 2u);
  BOOST_TEST(seen.count({false, true}) == 1u);
  BOOST_TEST(seen.count({true, false}) == 1u);
}

// -- what must hold -----------------------------------------------------------

BOOST_AUTO_TEST_CASE(what_must_always_hold_is_judged_after_each_step) {
  std::vector<std::uint64_t> steps;
  BOOST_TEST(violation_of([&](world& w) {
               w.always("a rule", [&] {
                 steps.push_back(w.sim().steps());
                 return w.sim().steps() < 3;
               });
             })
             == "a rule");
  BOOST_TEST(steps == (std::vector<std::uint64_t>{0, 1, 2, 3}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(what_must_hold_at_rest_is_not_judged_before) {
  auto at_rest = [](std::uint64_t steps) {
    return violation_of([=](world& w) {
      w.at_rest("a rule", [&w, steps] { return w.sim().steps() >= steps; });
    });
  };
  BOOST_TEST(at_rest(4) == "");
  BOOST_TEST(at_rest(5) == "a rule");
}

BOOST_AUTO_TEST_CASE(what_must_hold_in_the_end_is_judged_then) {
  auto eventually = [](std::uint64_t steps) {
    return violation_of([=](world& w) {
      w.eventually("a rule", [&w, steps] { return w.sim().steps() >= steps; });
    });
  };
  BOOST_TEST(eventually(4) == "");
  BOOST_TEST(eventually(5) == "a rule");
}

BOOST_AUTO_TEST_CASE(what_is_done_finally_comes_last_and_in_order) {
  std::string order;
  BOOST_TEST(violation_of([&](world& w) {
               w.eventually("e", [&] {
                 order += 'e';
                 return true;
               });
               w.finally([&] { order += '1'; });
               w.finally([&] {
                 order += '2';
                 throw failure("a rule", "in the end");
               });
               w.finally([&] { order += '3'; });
             })
             == "a rule");
  BOOST_TEST(order == "e12");
}

BOOST_AUTO_TEST_CASE(why_something_does_not_hold_is_told) {
  auto r = run_once({},
                    [](world& w) {
                      messages(w, 1);
                      w.always("a rule", [] { return std::string{"because"}; });
                    },
                    {1});
  BOOST_TEST(r.violated == "a rule");
  BOOST_TEST(r.detail == "because");
  BOOST_TEST(violation_of([](world& w) {
               w.always("a rule", [] { return std::string{}; });
             })
             == "");
}

BOOST_AUTO_TEST_CASE(a_violation_can_be_reported_from_anywhere) {
  BOOST_TEST(violation_of([](world& w) {
               auto a = w.sim().spawn(
                 [&w](caf::event_based_actor*) -> caf::behavior {
                   return {[&w](ping) { w.violated("a rule", "there"); }};
                 });
               cafx::send_anon(a, ping{});
             })
             == "a rule");
}

BOOST_AUTO_TEST_CASE(a_violation_without_a_name_is_one) {
  BOOST_TEST(violation_of([](world& w) { w.violated("", "nothing"); })
             == "a failure without a name");
  BOOST_TEST(violation_of([](world&) { throw failure("", "nothing"); })
             == "a failure without a name");
}

BOOST_AUTO_TEST_CASE(what_is_said_of_a_failure_does_not_end_at_a_zero) {
  failure x{"a rule", std::string{"a\0b", 3}};
  BOOST_TEST(x.what() == std::string{"a rule: a\\0b"});
}

BOOST_AUTO_TEST_CASE(exceptions_are_violations) {
  BOOST_TEST(violation_of([](world&) { throw std::runtime_error{"no"}; })
             == "an exception");
  BOOST_TEST(violation_of([](world&) { throw 7; }) == "an exception");
  BOOST_TEST(violation_of(
               [](world& w) { cafx::send_anon(w.sim().spawn(echo, 1), bad{}); })
             == "an exception in an actor");
}

BOOST_AUTO_TEST_CASE(runs_in_which_a_situation_was_reached_are_counted) {
  auto c = explore({.seeds = 30}, [](world& w) {
    messages(w, 1);
    w.sometimes("odd", [&w] { return w.seed() % 2 == 1; });
    if (w.seed() % 3 == 0)
      w.reached("third");
  });
  BOOST_TEST(c.situations.at("odd") == 15u);
  BOOST_TEST(c.situations.at("third") == 10u);
}

BOOST_AUTO_TEST_CASE(a_campaign_without_a_run_is_a_failure) {
  BOOST_TEST(contains(report_of_exploring({.seeds = 0}, box_office_with_a_race),
                      "nothing was explored"));
}

BOOST_AUTO_TEST_CASE(a_campaign_ends_in_time) {
  explore_options o{.seeds = 1'000'000'000, .time_limit = 1s};
  auto before = std::chrono::steady_clock::now();
  auto c = explore(o, [](world& w) { messages(w, 1); });
  auto took = std::chrono::steady_clock::now() - before;
  BOOST_TEST(c.out_of_time);
  BOOST_TEST(c.runs > 0u);
  BOOST_TEST((took < 30s));
  BOOST_TEST(
    !explore({.seeds = 5}, [](world& w) { messages(w, 1); }).out_of_time);
}
