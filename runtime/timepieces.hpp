#pragma once

#include <steward/core/timepiece.hpp>

#include <atomic>
#include <cstdint>

namespace steward {

/// How long ago the machine started, with what it slept meanwhile.
duration since_boot() noexcept;

/// The machine's monotonic clock, set to the wall clock when made. Stamps are
/// read from the kernel's coarse clock, which costs a few nanoseconds and is up
/// to 4 ms behind, and rounded up by its resolution.
class system_timepiece final : public timepiece {
public:
  system_timepiece();

  time_point now() const noexcept override;
  time_point stamp() const noexcept override;
  void leave_out(duration lost) noexcept override;

private:
  // What to add to the monotonic clock.
  std::atomic<std::int64_t> offset_;
  std::int64_t resolution_;
};

/// Stands still until it is set. For replays and tests.
class manual_timepiece final : public timepiece {
public:
  explicit manual_timepiece(time_point start) noexcept
    : now_(start.time_since_epoch().count()) {
  }

  time_point now() const noexcept override {
    return time_point{duration{now_.load(std::memory_order_acquire)}};
  }

  time_point stamp() const noexcept override {
    return now();
  }

  void leave_out(duration) noexcept override {
    // Nothing runs that could be stopped.
  }

  /// Goes on to `t`; does nothing if that is past.
  void set(time_point t) noexcept {
    auto at = t.time_since_epoch().count();
    auto seen = now_.load(std::memory_order_relaxed);
    while (
      seen < at
      && !now_.compare_exchange_weak(seen, at, std::memory_order_acq_rel)) {
      // `seen` is fresh.
    }
  }

private:
  std::atomic<std::int64_t> now_;
};

} // namespace steward
