#pragma once

#include <atomic>
#include <chrono>
#include <stop_token>
#include <thread>

namespace faults {

/// Tells for how long this process could not run at all: stopped by a signal,
/// or by a machine that had no time for it. A thread that only wakes and looks
/// at the clock. All functions: any thread.
class pulse {
public:
  using clock = std::chrono::steady_clock;

  pulse() = default;

  /// How long it has stood still since it began.
  clock::duration lost() const {
    auto last = clock::time_point{clock::duration{last_}};
    return clock::duration{lost_} + missed(clock::now() - last);
  }

private:
  static constexpr std::chrono::milliseconds beat{5};

  // Some delay is a thread's lot.
  static clock::duration missed(clock::duration gap) {
    return gap < 4 * beat ? clock::duration::zero() : gap - beat;
  }

  void run(const std::stop_token& end) {
    while (!end.stop_requested()) {
      std::this_thread::sleep_for(beat);
      auto now = clock::now().time_since_epoch();
      lost_ += missed(now - clock::duration{last_}).count();
      last_ = now.count();
    }
  }

  std::atomic<clock::rep> last_{clock::now().time_since_epoch().count()};
  std::atomic<clock::rep> lost_{0};
  std::jthread thread_{[this](const std::stop_token& end) { run(end); }};
};

} // namespace faults
