// Bugs are planted, one at a time: each must be found, and not by luck. Linked
// with the whole library in a build that has them.

#include <steward/tests/explore/scenarios.hpp>

#include <steward/core/planted.hpp>
#include <steward/runtime/logging.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <cstdio>
#include <iomanip>
#include <iostream>
#include <memory>
#include <sstream>
#include <string>

using namespace explored;

namespace {

constexpr std::uint64_t seeds = 600;

// A bug that is hit less often is found by luck: then the tests are at fault.
constexpr std::uint64_t hits_min = seeds / 200;

const named_scenario& scenario_called(std::string_view name) {
  auto i
    = std::find_if(scenarios.begin(), scenarios.end(),
                   [&](const named_scenario& x) { return x.name == name; });
  BOOST_REQUIRE(i != scenarios.end());
  return *i;
}

// Where a bug is looked for: most of them where anything may happen.
const char* scenario_for(planted::bug which) {
  using planted::bug;
  switch (which) {
    case bug::last_come_first_served: return "served_in_order";
    case bug::doom_passed_on:
    case bug::overtakes_in_line:
    case bug::last_runner_first: return "passed_on_in_order";
    case bug::lateness_counts: return "sleep_is_not_idle";
    case bug::deadline_rearmed: return "answered_by_deadline";
    case bug::asked_then_taken:
    case bug::refusal_not_told: return "asked_for_what_is_used";
    case bug::newest_goes_first: return "oldest_goes_first";
    case bug::sleepers_not_told: return "drained_in_its_sleep";
    case bug::old_too_early:
    case bug::old_too_late: return "old_goes_in_time";
    case bug::missed_forgotten: return "missed_and_back";
    case bug::tick_counted_twice: return "tick_comes_again";
    case bug::death_overtakes_release: return "broken_by_the_dying";
    case bug::two_supervisors:
    case bug::leaves_with_mail:
    case bug::sleeps_with_mail: return "comes_as_it_goes";
    case bug::late_open_kept:
    case bug::drain_drops_waiters:
    case bug::drain_leaves_open: return "pool_that_drains";
    case bug::ack_before_commit:
    case bug::new_token_on_retry:
    case bug::names_share_rows:
    case bug::conflict_is_error:
    case bug::notes_dropped: return "any_records";
    default: return "any_pool";
  }
}

campaign survey(const named_scenario& x) {
  return explore({.name = x.name,
                  .seeds = seeds,
                  .chaos_steps = 400,
                  .fair_steps = 5'000, // bugs may make it run for ever
                  .recheck = 0,
                  .count_failures = true},
                 x.run);
}

struct planted_bug {
  explicit planted_bug(planted::bug which) {
    planted::active = which;
  }

  ~planted_bug() {
    planted::active = planted::bug::none;
  }

  planted_bug(const planted_bug&) = delete;
  planted_bug& operator=(const planted_bug&) = delete;
};

void print_head() {
  std::cout << std::left << std::setw(26) << "planted bug" << std::setw(24)
            << "found by" << std::right << std::setw(6) << "first"
            << std::setw(7) << "hits"
            << "  violated\n";
}

void print(std::string_view bug, const char* by, const campaign& c) {
  std::cout << std::left << std::setw(26) << bug << std::setw(24) << by
            << std::right << std::setw(6)
            << (c.first_failure ? std::to_string(c.first_failure->seed) : "-")
            << std::setw(7) << c.failures << "  ";
  const char* comma = "";
  for (const auto& [name, count] : c.violations) {
    std::cout << comma << name << " (" << count << ")";
    comma = ", ";
  }
  std::cout << std::endl;
}

std::string output_of(const std::string& command) {
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> from{
    ::popen(command.c_str(), "r"), ::pclose};
  BOOST_REQUIRE(from != nullptr);
  std::string result;
  std::array<char, 4096> part;
  while (auto n = std::fread(part.data(), 1, part.size(), from.get()))
    result.append(part.data(), n);
  return result;
}

} // namespace

// What is planted is no news.
struct silent {
  silent() {
    set_log_level(log_level::silent);
  }
};

BOOST_TEST_GLOBAL_FIXTURE(silent);

// This build is optimised more and has no asserts; `tools/explore --identical`
// compares with another compiler and with the address sanitizer.
BOOST_AUTO_TEST_CASE(a_run_is_the_same_in_another_build) {
  constexpr std::uint64_t count = 40;
  std::ostringstream here;
  for (const auto& x : scenarios)
    print_digests(here, x, 1, count);
  auto there = output_of(std::string{"'"} + STEWARD_EXPLORE
                         + "' --hashes --seeds " + std::to_string(count));
  BOOST_TEST(here.str() == there);
  BOOST_TEST(std::count(there.begin(), there.end(), '\n')
             == static_cast<std::ptrdiff_t>(count * scenarios.size()));
}

BOOST_AUTO_TEST_CASE(nothing_is_found_where_nothing_is_planted) {
  for (const auto& x : scenarios) {
    auto c = survey(x);
    BOOST_TEST(c.failures == 0u,
               x.name << ": "
                      << (c.first_failure ? c.first_failure->detail : ""));
    BOOST_TEST(c.runs == seeds);
  }
}

BOOST_AUTO_TEST_CASE(every_planted_bug_is_found) {
  print_head();
  for (const auto& bug : planted::all) {
    planted_bug active{bug.which};
    const auto& where = scenario_called(scenario_for(bug.which));
    auto c = survey(where);
    print(bug.name, where.name, c);
    BOOST_TEST(c.failures >= hits_min,
               bug.name << " (" << bug.text << ") is found in " << c.failures
                        << " of " << seeds << " runs");
  }
}
