// What must hold of pools holds under every schedule that is tried here. See
// tools/explore for more of them.

#include <steward/tests/explore/scenarios.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <string>

using namespace explored;

namespace {

explore_options options_of(const std::string& name, std::uint64_t seeds) {
  explore_options o;
  o.name = name;
  o.seeds = seeds;
  o.regressions = STEWARD_SOURCE_DIR "/tests/regressions";
  o.charts = "charts";
  return o;
}

} // namespace

BOOST_AUTO_TEST_CASE(a_pool_in_any_use_holds_what_it_promises) {
  auto c = explore(options_of("any_pool", 3'000), any_pool);
  BOOST_TEST(c.runs >= 3'000u);
  // All that can go wrong did.
  for (const auto* fault :
       {"open.fails", "open.slow", "holder.dies", "tick.late", "tick.twice",
        "db.commit.before", "db.commit.after"})
    BOOST_TEST(c.fired[fault] > 0u, fault);
}

BOOST_AUTO_TEST_CASE(a_pool_that_is_drained_at_work_leaves_nothing) {
  auto c = explore(options_of("pool_that_drains", 3'000), pool_that_drains);
  BOOST_TEST(c.runs >= 3'000u);
}

BOOST_AUTO_TEST_CASE(a_name_has_one_row_whoever_fails) {
  auto c = explore(options_of("any_records", 3'000), any_records);
  BOOST_TEST(c.fired["db.commit.before"] > 0u);
  BOOST_TEST(c.fired["db.commit.after"] > 0u);
}

BOOST_AUTO_TEST_CASE(stories_end_as_they_must) {
  for (const auto& x : scenarios) {
    auto c = explore(options_of(x.name, 300), x.run);
    BOOST_TEST(c.runs >= 300u, x.name);
  }
}

// Every schedule with so few deviations from first come, first served.
BOOST_AUTO_TEST_CASE(no_small_deviation_breaks_a_story) {
  struct story {
    void (*run)(world&);
    unsigned deviations;
  };
  constexpr std::array stories{
    story{evicted_on_return, 2},    story{sleep_is_not_idle, 2},
    story{answered_by_deadline, 1}, story{broken_by_the_dying, 2},
    story{oldest_goes_first, 1},    story{comes_as_it_goes, 1}};
  for (auto [run, deviations] : stories) {
    const auto* x = std::find_if(scenarios.begin(), scenarios.end(),
                                 [run = run](const named_scenario& y) {
                                   return y.run == run;
                                 });
    BOOST_REQUIRE(x != scenarios.end());
    auto o = options_of(x->name, 0);
    o.exhaustive = deviations;
    auto c = explore(o, x->run);
    BOOST_TEST(c.runs > 15u, x->name);
    BOOST_TEST(c.left_out == "", x->name);
  }
}
