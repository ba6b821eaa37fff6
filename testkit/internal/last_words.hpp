#pragma once

#include <chrono>
#include <string>

// A run that crashes, aborts or never ends throws nothing that could be
// reported. Then these are the last words of the program.

namespace steward::testkit {

/// As long as it lives, what ends the program during a run of this thread says
/// which run that was, to standard error: a crash, an abort, SIGTERM, `exit`,
/// which then fails, and a run that takes longer than `run_time_max` of real
/// time, which is then aborted; while the process is stopped none of it passes.
/// Who handled such signals before does so afterwards. Within another it does
/// nothing.
class last_words {
public:
  /// `run_time_max` of 0 is no limit. The line to keep is added to the file
  /// `keep_in`, if that is not empty.
  explicit last_words(std::chrono::seconds run_time_max,
                      std::string keep_in = {});
  last_words(const last_words&) = delete;
  last_words& operator=(const last_words&) = delete;
  ~last_words();

  /// Whether there is one in this thread.
  static bool prepared() noexcept;

private:
  bool owner_;
  std::string keep_in_;
};

/// A run that is under way, for as long as this lives: what is said of it, and
/// the begin of the line that is kept. What happened follows each.
class run_under_way {
public:
  explicit run_under_way(std::string said, std::string kept = {});
  run_under_way(const run_under_way&) = delete;
  run_under_way& operator=(const run_under_way&) = delete;
  ~run_under_way();

  const std::string& said() const noexcept {
    return said_;
  }

  const std::string& kept() const noexcept {
    return kept_;
  }

private:
  std::string said_;
  std::string kept_;
  const run_under_way* outer_; // where a scenario has a campaign of its own
};

} // namespace steward::testkit
