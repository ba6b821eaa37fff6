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
  BOOST_TEST(refused({.time_limit = std::chrono::seconds::max()})
             == "bad option: time_limit is 9223372036854775807 s; allowed: 0 "
                "to a year");
  constexpr auto last = std::numeric_limits<std::uint64_t>::max();
  BOOST_TEST(refused({.first_seed = last, .seeds = 2})
             == "bad option: first_seed is 18446744073709551615, with so few "
                "seeds from there on: 2 are wanted");
  BOOST_TEST(refused({.first_seed = last, .seeds = 1}) == "");
}

BOOST_AUTO_TEST_CASE(a_schedule_that_goes_beyond_the_run_is_told) {
  set_variable seed{"STEWARD_TESTKIT_SEED", "1"};
  auto repeated = [](const char* listed, const scenario& what) {
    set_variable schedule{"STEWARD_TESTKIT_SCHEDULE", listed};
    return report_of_exploring({.name = "rules"}, what);
  };
  auto three = [](world& w) {
    for (int i = 0; i < 3; ++i)
      w.sim().spawn(echo, 1);
  };
  BOOST_TEST(repeated("0:1,1:1", three) == "");
  BOOST_TEST(repeated("0:1,7:1", three)
             == "bad environment: STEWARD_TESTKIT_SCHEDULE has a decision 7, "
                "and this run of rules is over after 2");
  // What it violates is told first: that may have ended it.
  auto text = repeated("7:1", [](world& w) { w.violated("a rule", "so"); });
  BOOST_TEST(contains(text, "a rule: so\n"), text);
}
