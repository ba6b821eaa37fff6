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
  /// Names the campaign in reports, and its file of regressions; one line.
  std::string name = "scenario";

  std::uint64_t first_seed = 1;
  std::uint64_t seeds = 2000;

  /// Also every schedule with so many deviations from `fifo` at most, from the
  /// first step to the last, with the draws and faults of the first seed; a
  /// timer that fires early is one. If `time_limit` leaves some out, that is a
  /// failure which says which. 0: none.
  unsigned exhaustive = 0;

  /// Taken in turn, by seed. Empty: half of the seeds random, four in ten PCT
  /// of depth 2 to 4, one in ten first come first served.
  std::vector<policy> policies = {};

  /// How readily timers fire before ready messages; drawn by seed.
  std::vector<double> early_timers = {0, 0.05, 0.3};

  std::size_t chaos_steps = 500;    ///< with faults, in any order
  std::size_t fair_steps = 200'000; ///< then all must be done in so many

  /// The first seed and one in so many run again, and must do the same, down to
  /// what messages say as far as it can be printed. 0: none.
  std::uint64_t recheck = 100;

  /// From so many runs on a situation of `sometimes` must have been reached;
  /// fewer prove nothing. 0: as many as `seeds`, whatever the environment says.
  std::uint64_t sometimes_after = 0;

  /// A run that takes longer in real time is taken for endless: the program
  /// says which one it is and aborts. Time in which the process is stopped does
  /// not count. 0: no limit.
  std::chrono::seconds run_time_max{30};

  /// The search for the smallest schedule ends after so much real time, with the
  /// smallest one so far; the report says so. 0: no limit.
  std::chrono::seconds shrink_time_max{10};

  /// Where seeds that failed are kept; they run first. Nowhere if empty.
  std::filesystem::path regressions = {};

  /// Where charts of failures go. Nowhere if empty.
  std::filesystem::path charts = {};

  /// Count failing runs instead of stopping at the first one.
  bool count_failures = false;

  /// End after so much real time, between two runs; all small deviations come
  /// before the seeds. 0: no limit.
  std::chrono::milliseconds time_limit{0};
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
  std::uint64_t contents = 0; ///< digest of what messages said, if wanted
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
    situations;                       ///< runs in each
  std::vector<std::string> unreached; ///< those that no run was in
  std::map<std::string, bool> faults; ///< asked for: whether any run has it
  std::map<std::string, std::uint64_t, std::less<>>
    fired;              ///< runs in which each fault happened
  std::string left_out; ///< what `exhaustive` had no time for; empty: nothing
};

/// What sets the scene: actors, faults, and what must hold.
using scenario = std::function<void(world&)>;

/// Runs a scenario under many schedules: regressions first, then all small
/// deviations, then seeds. Throws `failure` with a whole report at the first
/// violation, or if a situation was never reached, be it of `sometimes` or that
/// a fault is asked for or a rule judged; `misuse` for what is wrong with the
/// test or its options. A run that ends the program says which it was.
///
/// The environment can override: `STEWARD_TESTKIT_SEEDS=N` (how many seeds),
/// `STEWARD_TESTKIT_SEED=N` (this one only), `STEWARD_TESTKIT_SCHEDULE=...`
/// (it with this schedule; see `schedule_text`), `STEWARD_TESTKIT_ONLY=name`
/// (campaigns of other names do nothing; if there is none, the program ends
/// with 2).
campaign explore(const explore_options& options, const scenario& what);

/// Which run, and who wants to know more of it.
struct run_order {
  std::uint64_t seed = 1;
  const std::vector<std::uint16_t>* listed = nullptr; ///< options to take
  campaign* into = nullptr;                           ///< counts it
  std::vector<event>* events = nullptr; ///< all that happened; slow
  bool digests_contents = false;        ///< of what messages say, too; slow
};

/// One run. What it violates is in the result. Throws `misuse`.
run_result run_once(const explore_options& options, const scenario& what,
                    const run_order& order);

/// A schedule that was made smaller.
struct shrunk_schedule {
  std::vector<std::uint16_t> listed; ///< options taken, most of them 0
  bool smallest = true; ///< nothing can be left out, be less or come earlier
};

/// The smallest deviation from `fifo` that is found to violate the same thing
/// (delta debugging, Zeller 1999), within `shrink_time_max`.
shrunk_schedule shrink(const explore_options& options, const scenario& what,
                       const run_result& failed);

} // namespace steward::testkit
