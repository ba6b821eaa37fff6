#pragma once

#include <steward/testkit/world.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace steward::testkit {

/// How far a campaign goes.
struct explore_options {
  /// Names the campaign in reports, and its file of regressions.
  std::string name = "scenario";

  std::uint64_t first_seed = 1;
  std::uint64_t seeds = 2000;

  /// Also every schedule with so many deviations from `fifo` at most, of the
  /// first seed; a timer that fires early is one. 0: none.
  unsigned exhaustive = 0;

  /// Taken in turn, by seed. Empty: half of the seeds random, four in ten PCT
  /// of depth 2 to 4, one in ten first come first served.
  std::vector<policy> policies = {};

  /// How readily timers fire before ready messages; drawn by seed.
  std::vector<double> early_timers = {0, 0.05, 0.3};

  std::size_t chaos_steps = 500;    ///< with faults, in any order
  std::size_t fair_steps = 200'000; ///< then all must be done in so many

  /// The first seed and one in so many run twice, and must do the same. 0: none.
  std::uint64_t recheck = 100;

  /// Where seeds that failed are kept; they run first. Nowhere if empty.
  std::filesystem::path regressions = {};

  /// Where charts of failures go. Nowhere if empty.
  std::filesystem::path charts = {};

  /// Count failing runs instead of stopping at the first one.
  bool count_failures = false;

  /// End after so much real time, between two runs. 0: no limit.
  std::chrono::seconds time_limit{0};
};

/// What a run did.
struct run_result {
  std::uint64_t seed = 0;
  policy how = fifo{};
  double early_timers = 0;
  bool listed = false; ///< by a schedule that was given, not by the policy
  std::vector<decision> decisions;
  std::uint64_t steps = 0;
  std::uint64_t hash = 0;
  time_point ended;
  std::string violated; ///< empty: nothing
  std::string detail;   ///< how it was violated
};

/// What a campaign did.
struct campaign {
  std::uint64_t runs = 0;
  std::uint64_t steps = 0;
  std::uint64_t failures = 0;
  std::uint64_t hash = 0;   ///< of all runs: equal where they are equal
  bool out_of_time = false; ///< not all was run
  std::optional<run_result> first_failure;
  std::map<std::string, std::uint64_t> violations; ///< how often each
  std::map<std::string, std::uint64_t, std::less<>>
    situations; ///< runs in each
};

/// What sets the scene: actors, faults, and what must hold.
using scenario = std::function<void(world&)>;

/// Runs a scenario under many schedules: regressions first, then seeds, then
/// all small deviations. Throws `failure` with a whole report at the first
/// violation, or if a situation of `sometimes` was never reached.
///
/// The environment can override: `STEWARD_TESTKIT_SEEDS=N` (how many seeds),
/// `STEWARD_TESTKIT_SEED=N` (this one only), `STEWARD_TESTKIT_SCHEDULE=...`
/// (it with this schedule; see `schedule_text`), `STEWARD_TESTKIT_ONLY=name`
/// (campaigns of other names do nothing).
campaign explore(const explore_options& options, const scenario& what);

/// Which run, and who wants to know more of it.
struct run_order {
  std::uint64_t seed = 1;
  const std::vector<std::uint16_t>* listed = nullptr; ///< options to take
  campaign* into = nullptr;                           ///< counts it
  std::vector<event>* events = nullptr; ///< all that happened; slow
};

/// One run. What it violates is in the result.
run_result run_once(const explore_options& options, const scenario& what,
                    const run_order& order);

/// The smallest deviation from `fifo` that still violates the same thing:
/// options taken, most of them 0 (delta debugging, Zeller 1999).
std::vector<std::uint16_t> shrink(const explore_options& options,
                                  const scenario& what,
                                  const run_result& failed);

} // namespace steward::testkit
