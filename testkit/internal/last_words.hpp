#pragma once

#include <chrono>
#include <cstddef>
#include <string>

// A run that crashes, aborts or never ends throws nothing that could be
// reported. Then these are the last words of the program.

namespace steward::testkit {

/// As long as it lives, what ends the program in this thread during a run says
/// which run that was, to standard error: a crash, an abort, and a run that
/// takes longer than `run_time_max` of real time, which is then aborted. Who
/// handled such signals before does so afterwards. @pre no other in this thread
class last_words {
public:
  explicit last_words(std::chrono::seconds run_time_max); ///< 0: no limit
  last_words(const last_words&) = delete;
  last_words& operator=(const last_words&) = delete;
  ~last_words();

  /// Whether there is one in this thread.
  static bool prepared() noexcept;

private:
  bool owner_;
};

/// A run that is under way, for as long as this lives. `text` says which.
class run_under_way {
public:
  explicit run_under_way(std::string text);
  run_under_way(const run_under_way&) = delete;
  run_under_way& operator=(const run_under_way&) = delete;
  ~run_under_way();

private:
  std::string text_;
  const char* outer_; // where a scenario has a campaign of its own
  std::size_t outer_size_;
};

} // namespace steward::testkit
