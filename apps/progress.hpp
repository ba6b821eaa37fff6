#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

namespace steward {

/// How far a piece of work has come.
struct progress_state {
  std::string label;      ///< what is being done
  std::uint64_t done = 0; ///< of what is counted
  double share = -1;      ///< of the whole, 0 to 1; negative if unknown
  double seconds = 0;     ///< since the start
};

/// One line that tells that, in at most `width` columns: a bar, how many, how
/// many per second, the time left. What does not fit is left out.
std::string progress_line(const progress_state& state, std::size_t width);

/// Shows progress on standard error, in place, at most ten times a second, and
/// wipes it off when it ends. Does nothing unless that is a terminal. One
/// thread.
class progress_bar {
public:
  /// @param wanted false: shows nothing, whatever standard error is
  progress_bar(std::string label, bool wanted);

  progress_bar(const progress_bar&) = delete;
  progress_bar& operator=(const progress_bar&) = delete;
  ~progress_bar();

  void update(std::uint64_t done, double share);

  /// Wipes it off until the next update, for a line that comes between.
  void hide();

private:
  using clock = std::chrono::steady_clock;

  std::string label_;
  bool enabled_;
  bool shown_ = false;
  clock::time_point start_ = clock::now();
  clock::time_point next_draw_ = start_;
};

} // namespace steward
