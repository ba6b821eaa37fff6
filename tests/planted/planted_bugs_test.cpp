// Bugs are planted, one at a time: each must be found, and not by luck. Linked
// with the whole library in a build that has them.

#include <steward/tests/explore/directed.hpp>
#include <steward/tests/explore/pool_scenario.hpp>
#include <steward/tests/explore/records_scenario.hpp>

#include <steward/core/planted.hpp>

#include <boost/test/unit_test.hpp>

#include <array>
#include <iomanip>
#include <iostream>

using namespace explored;

namespace {

constexpr std::uint64_t seeds = 1'000;

// A bug that is hit less often is found by luck: then the tests are at fault.
constexpr std::uint64_t hits_min = seeds / 200;

struct part {
  const char* name;
  void (*run)(world&);
};

constexpr part any_pool_part{"any_pool", any_pool};
constexpr part drain_part{"pool_that_drains", pool_that_drains};
constexpr part records_part{"any_records", any_records};

constexpr auto directed = std::to_array<part>({
  {"served_in_order", served_in_order},
  {"sleep_is_not_idle", sleep_is_not_idle},
  {"evicted_on_return", evicted_on_return},
  {"answered_by_deadline", answered_by_deadline},
  {"asked_for_what_is_used", asked_for_what_is_used},
  {"broken_by_the_dying", broken_by_the_dying},
  {"oldest_goes_first", oldest_goes_first},
});

// Where a bug is looked for: most of them where anything may happen.
part part_for(planted::bug which) {
  using planted::bug;
  switch (which) {
    case bug::last_come_first_served: return directed[0];
    case bug::lateness_counts: return directed[1];
    case bug::deadline_rearmed: return directed[3];
    case bug::asked_then_taken:
    case bug::refusal_not_told: return directed[4];
    case bug::death_overtakes_release: return directed[5];
    case bug::late_open_kept:
    case bug::drain_drops_waiters:
    case bug::drain_leaves_open: return drain_part;
    case bug::ack_before_commit:
    case bug::new_token_on_retry:
    case bug::names_share_rows:
    case bug::conflict_is_error:
    case bug::notes_dropped: return records_part;
    default: return any_pool_part;
  }
}

campaign survey(const part& x) {
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

} // namespace

BOOST_AUTO_TEST_CASE(nothing_is_found_where_nothing_is_planted) {
  std::vector<part> all{any_pool_part, drain_part, records_part};
  all.insert(all.end(), directed.begin(), directed.end());
  for (const auto& x : all) {
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
    auto where = part_for(bug.which);
    auto c = survey(where);
    print(bug.name, where.name, c);
    BOOST_TEST(c.failures >= hits_min,
               bug.name << " (" << bug.text << ") is found in " << c.failures
                        << " of " << seeds << " runs");
  }
}
