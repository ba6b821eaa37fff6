#pragma once

#include <steward/apps/bench/machine.hpp>
#include <steward/apps/bench/stage.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <thread>

namespace steward::bench {

/// When the operations of one client are due, if the run has a pace. A time is
/// then taken from when the operation was due, not from when the client came
/// to it: a stall is charged to all operations that it delayed.
class pacer {
public:
  /// Client `index` of `clients`, who do `rate` operations a second together.
  pacer(std::optional<double> rate, std::size_t index, std::size_t clients)
    : index_(index), clients_(clients) {
    if (rate)
      interval_ = std::max<std::uint64_t>(
        static_cast<std::uint64_t>(1e9 * static_cast<double>(clients) / *rate),
        1);
  }

  bool has_pace() const noexcept {
    return interval_ > 0;
  }

  /// When the next operation is due; the first one soon after the first call.
  std::uint64_t due() noexcept {
    if (due_ == 0)
      due_ = clock_ns() + interval_ * index_ / clients_;
    return due_;
  }

  void next() noexcept {
    due_ += interval_; // 0 without a pace
  }

  /// For a thread: waits until the next one is due; false if all is over.
  bool wait(const stage& when) noexcept {
    constexpr std::uint64_t slack = 100'000;
    for (;;) {
      if (when.now() == phase::over)
        return false;
      auto now = clock_ns();
      if (now >= due())
        return true;
      if (due_ - now > 2 * slack)
        std::this_thread::sleep_for(std::chrono::nanoseconds{
          std::min<std::uint64_t>(due_ - now - slack, 20'000'000)});
    }
  }

  /// At the end: what was due and never begun waited until now.
  void charge(histogram& times) noexcept {
    if (!has_pace() || due_ == 0)
      return;
    for (auto now = clock_ns(); due_ < now; next())
      times.add(now - due_);
  }

private:
  std::size_t index_;
  std::size_t clients_;
  std::uint64_t interval_ = 0;
  std::uint64_t due_ = 0;
};

} // namespace steward::bench
