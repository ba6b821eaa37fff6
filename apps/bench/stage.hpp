#pragma once

#include <steward/apps/bench/histogram.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <thread>

namespace steward::bench {

/// What the clients of a run are at. Rates and times are taken apart: reading
/// the clock twice costs as much as a good borrow.
enum class phase : int {
  hold, ///< wait for the others
  warm, ///< work; nothing counts
  rate, ///< operations are counted, no clock is read
  time, ///< every operation is timed
  over,
};

/// Tells all clients of a run what to do. Clients look before each operation.
class stage {
public:
  explicit stage(const std::atomic<bool>& stop) noexcept : stop_(&stop) {
  }

  phase now() const noexcept {
    return now_.load(std::memory_order_relaxed);
  }

  void set(phase x) noexcept {
    now_.store(x, std::memory_order_release);
  }

  /// Lets a phase go on for so long, less if a signal comes. Returns how long
  /// it was, in seconds.
  double play(phase x, double seconds) {
    using clock = std::chrono::steady_clock;
    constexpr std::chrono::milliseconds look_around{20};
    set(x);
    auto start = clock::now();
    auto end = start
               + std::chrono::duration_cast<clock::duration>(
                 std::chrono::duration<double>(seconds));
    for (auto t = start; t < end && !stopped(); t = clock::now())
      std::this_thread::sleep_for(
        std::min<clock::duration>(end - t, look_around));
    return std::chrono::duration<double>(clock::now() - start).count();
  }

  bool stopped() const noexcept {
    return stop_->load(std::memory_order_relaxed);
  }

private:
  alignas(128) std::atomic<phase> now_{phase::hold};
  alignas(128) const std::atomic<bool>* stop_;
};

/// What one client did. On cache lines of its own.
struct alignas(128) client_log {
  std::uint64_t counted = 0; ///< for the rate
  std::uint64_t served = 0;  ///< operations since the warm-up
  std::uint64_t refused = 0; ///< borrows that were tried again
  histogram times;           ///< of the phase `time`, in nanoseconds
  bool counts_all = false;   ///< also what is timed: no phase `rate`

  /// An operation that began in the phase `began` ended; it counts for `n`.
  void ended(phase began, std::uint64_t n) noexcept {
    if (began == phase::warm)
      return;
    ++served;
    if (began == phase::rate || counts_all)
      counted += n;
  }
};

} // namespace steward::bench
