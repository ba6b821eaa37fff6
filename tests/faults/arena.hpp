#pragma once

#include <steward/tests/faults/proxy.hpp>

#include <steward/testkit/history_records.hpp>
#include <steward/tests/postgres_server.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

namespace faults {

/// What all runs have in common.
struct setup {
  std::string program;    ///< this one, which is also the worker
  std::string io_library; ///< to be loaded into workers whose disk fails
  std::chrono::milliseconds duration{3000};
  std::size_t processes = 4;
  std::size_t clients = 8;
  std::string planted; ///< a bug in all workers, or nothing
};

/// What came out of one run.
struct outcome {
  std::size_t operations = 0;
  std::size_t unknown = 0; ///< of them: nobody knows whether they took effect
  std::size_t refused = 0; ///< of them: without effect, and that is certain
  std::size_t rows = 0;
  double seconds = 0; ///< for how long clients were asking
  std::vector<steward::testkit::broken_rule> broken;
  std::set<std::string> heard; ///< what went wrong, in the words of databases
};

/// Somebody wants the program to end.
class told_to_end : public std::runtime_error {
public:
  using std::runtime_error::runtime_error;
};

/// From now on the first SIGINT or SIGTERM makes `arena::pause` throw, so that
/// what was mounted and started goes; the second one kills.
void unwind_when_told_to_end();

/// Where workers ask for names while something happens to them or to their
/// database.
class arena {
public:
  arena(const setup& how, std::string url, std::size_t processes);

  arena(const arena&) = delete;
  arena& operator=(const arena&) = delete;

  ~arena();

  // -- for faults -------------------------------------------------------------

  /// Whether the run goes on; waits so long, or to its end. Throws
  /// `told_to_end`.
  bool pause(std::chrono::milliseconds d);

  /// Waits while nothing happens but what workers do.
  void wait_for_end() {
    pause(how_.duration);
  }

  void signal_worker(std::size_t i, int which);

  /// Kills all; each may be replaced then.
  void kill_workers();

  /// Kills one, and starts another in its place.
  void replace_worker(std::size_t i);

  std::size_t workers() const {
    return workers_.size();
  }

  /// Any number, evenly spread; the same in each run.
  std::size_t random(std::size_t below);

  const std::filesystem::path& folder() const {
    return folder_;
  }

  /// What the next workers have in their environment.
  std::map<std::string, std::string> environment;

  // -- the run ----------------------------------------------------------------

  /// Starts the workers, and counts from when they all ask.
  void start();

  /// Ends the workers, reads what stands at `url`, and judges.
  outcome finish(const std::string& url, bool kill = false);

private:
  struct worker {
    pid_t pid = -1;
    unsigned generation = 0;
  };

  void start_worker(std::size_t i);
  bool end_worker(worker& x, bool kill);
  bool all_ask() const;
  std::vector<steward::testkit::operation> read_histories() const;
  std::vector<steward::testkit::broken_rule> read_late_answers() const;
  std::set<std::string> read_errors() const;

  setup how_;
  std::string url_;
  std::filesystem::path folder_;
  std::vector<worker> workers_;
  std::chrono::steady_clock::time_point start_;
  std::chrono::steady_clock::time_point end_;
  std::uint64_t random_ = 1;
};

/// A fault, as it is told in the table.
struct kind {
  std::string name;
  std::string database;
  /// Runs all of it. Throws `skipped` where it cannot be done here.
  std::function<outcome(const setup&)> run;
  /// What somebody must have heard of it, else it did not happen; empty: nobody
  /// need hear of it.
  std::string trace = {};
  std::chrono::milliseconds duration_min{0}; ///< it takes so long to happen
};

/// Why a fault cannot be had here.
class skipped : public std::runtime_error {
public:
  using std::runtime_error::runtime_error;
};

std::vector<kind> sqlite_kinds();
std::vector<kind> postgres_kinds();

} // namespace faults
