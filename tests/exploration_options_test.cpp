// What a campaign is told and cannot do is refused in one clear line.
#include "exploration_fixture.hpp"

#include <cstdint>
#include <limits>
#include <string>

using namespace sim_test;

BOOST_AUTO_TEST_CASE(options_out_of_range_are_one_clear_line) {
  auto refused = [](const explore_options& o) {
    return report_of_exploring(o, [](world&) {});
  };
  for (auto x : {-0.1, 1.5, std::numeric_limits<double>::quiet_NaN()})
    BOOST_TEST(refused({.early_timers = {0, x}})
               == "bad option: early_timers is " + std::to_string(x)
                    + "; allowed: 0 to 1");
  for (auto depth : {0u, 1001u})
    BOOST_TEST(refused({.policies = {fifo{}, pct{depth}}})
               == "bad option: depth of pct is " + std::to_string(depth)
                    + "; allowed: 1 to 1000");
  BOOST_TEST(refused({.run_time_max = -1s})
             == "bad option: run_time_max is -1 s; allowed: 0 to a year");
  BOOST_TEST(refused({.shrink_time_max = -1s})
             == "bad option: shrink_time_max is -1 s; allowed: 0 to a year");
  BOOST_TEST(refused({.time_limit = std::chrono::milliseconds::max()})
             == "bad option: time_limit is 9223372036854775807 ms; allowed: 0 "
                "to a year");
  constexpr auto last = std::numeric_limits<std::uint64_t>::max();
  BOOST_TEST(refused({.first_seed = last, .seeds = 2})
             == "bad option: first_seed is 18446744073709551615, with so few "
                "seeds from there on: 2 are wanted");
  BOOST_TEST(refused({.first_seed = last, .seeds = 1}) == "");
}

BOOST_AUTO_TEST_CASE(a_name_is_one_line_of_text) {
  auto refused = [](const char* name) {
    return report_of_exploring({.name = name, .seeds = 1}, [](world&) {});
  };
  BOOST_TEST(refused("")
             == "bad option: name is \"\"; allowed: one line of text");
  BOOST_TEST(refused("a\nb")
             == "bad option: name is \"a\\nb\"; allowed: one line of text");
  for (const auto* name : {"a b", "a/b\\c", "\"n\u00e4me\""})
    BOOST_TEST(refused(name) == "");
}

namespace {

std::string repeated(const char* listed, const scenario& what) {
  set_variable seed{"STEWARD_TESTKIT_SEED", "1"};
  set_variable schedule{"STEWARD_TESTKIT_SCHEDULE", listed};
  return report_of_exploring({.name = "rules"}, what);
}

void three(world& w) {
  for (int i = 0; i < 3; ++i)
    w.sim().spawn(echo, 1);
}

} // namespace

BOOST_AUTO_TEST_CASE(a_schedule_that_goes_beyond_the_run_is_told) {
  BOOST_TEST(repeated("0:1,1:1", three) == "");
  BOOST_TEST(repeated("0:1,7:1", three)
             == "bad environment: STEWARD_TESTKIT_SCHEDULE has a decision 7, "
                "and this run of rules is over after 2");
  // What it violates is told first: that may have ended it.
  auto text = repeated("7:1", [](world& w) { w.violated("a rule", "so"); });
  BOOST_TEST(contains(text, "a rule: so\n"), text);
}

BOOST_AUTO_TEST_CASE(an_option_that_is_not_there_is_told) {
  BOOST_TEST(repeated("0:2", three) == "");
  BOOST_TEST(repeated("0:3", three)
             == "bad environment: STEWARD_TESTKIT_SCHEDULE takes an option at "
                "decision 0 that there is not in this run of rules: 3; "
                "allowed: 0 to 2");
  BOOST_TEST(contains(repeated("0:0,1:t", three), "rules: t; allowed: 0 to 1"));
  auto with_timer = [](world& w) {
    three(w);
    caf::delayed_anon_send(w.sim().spawn(echo, 1), 1s, ping{});
  };
  BOOST_TEST(repeated("0:t", with_timer) == "");
  BOOST_TEST(contains(repeated("0:9", with_timer), "9; allowed: 0 to 3 and t"));
  // What it violates is told first: that is what one wants to see.
  auto text = repeated("0:9", [](world& w) {
    three(w);
    w.eventually("a rule", [] { return false; });
  });
  BOOST_TEST(text.starts_with("a rule: it does not hold\n"), text);
}

BOOST_AUTO_TEST_CASE(more_ready_actors_than_a_schedule_can_number_are_refused) {
  explore_options o{.name = "crowd", .policies = {fair_random{}}};
  auto text = report_of_exploring(o, [](world& w) {
    for (std::size_t i = 0; i <= ready_max; ++i)
      w.sim().spawn(echo, 1);
  });
  BOOST_TEST(
    text
    == "too many actors: 65535 are ready at once; allowed: 65534 where "
       "a schedule decides; in crowd, seed 1");
}
