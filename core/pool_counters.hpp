#pragma once

#include <steward/core/close_reason.hpp>

#include <array>
#include <atomic>
#include <cstdint>

namespace steward {

/// What a pool did so far, and how it stands. A snapshot: the figures are read
/// one after the other.
struct pool_stats {
  std::uint64_t opened = 0;
  std::uint64_t open_failed = 0;
  std::uint64_t rejected = 0; ///< requests that got an error
  std::array<std::uint64_t, close_reason_count> closed{}; ///< by reason
  std::uint64_t revoked = 0;   ///< holds whose resource a drain closed anyway
  std::uint64_t open = 0;      ///< opening, open and closing, now
  std::uint64_t open_peak = 0; ///< most of that at one instant
  std::uint64_t keys = 0;      ///< with a resource or a supervisor, now

  std::uint64_t closed_total() const noexcept {
    std::uint64_t result = 0;
    for (auto n : closed)
      result += n;
    return result;
  }
};

/// The counters behind `pool_stats`; off the borrow path. Any thread.
class pool_counters {
public:
  void opening() noexcept {
    auto now = open_.fetch_add(1, std::memory_order_relaxed) + 1;
    auto peak = open_peak_.load(std::memory_order_relaxed);
    while (peak < now
           && !open_peak_.compare_exchange_weak(peak, now,
                                                std::memory_order_relaxed)) {
      // `peak` is fresh.
    }
  }

  void opened() noexcept {
    opened_.fetch_add(1, std::memory_order_relaxed);
  }

  void open_failed() noexcept {
    open_failed_.fetch_add(1, std::memory_order_relaxed);
    open_.fetch_sub(1, std::memory_order_relaxed);
  }

  void closed(close_reason why) noexcept {
    closed_[static_cast<std::size_t>(why)].fetch_add(1,
                                                     std::memory_order_relaxed);
    open_.fetch_sub(1, std::memory_order_relaxed);
  }

  void rejected() noexcept {
    rejected_.fetch_add(1, std::memory_order_relaxed);
  }

  void revoked(std::uint64_t holds) noexcept {
    revoked_.fetch_add(holds, std::memory_order_relaxed);
  }

  pool_stats read() const noexcept {
    pool_stats result;
    result.opened = opened_.load(std::memory_order_relaxed);
    result.open_failed = open_failed_.load(std::memory_order_relaxed);
    result.rejected = rejected_.load(std::memory_order_relaxed);
    for (std::size_t i = 0; i < close_reason_count; ++i)
      result.closed[i] = closed_[i].load(std::memory_order_relaxed);
    result.revoked = revoked_.load(std::memory_order_relaxed);
    result.open = open_.load(std::memory_order_relaxed);
    result.open_peak = open_peak_.load(std::memory_order_relaxed);
    return result;
  }

private:
  std::atomic<std::uint64_t> opened_{0};
  std::atomic<std::uint64_t> open_failed_{0};
  std::atomic<std::uint64_t> rejected_{0};
  std::array<std::atomic<std::uint64_t>, close_reason_count> closed_{};
  std::atomic<std::uint64_t> revoked_{0};
  std::atomic<std::uint64_t> open_{0};
  std::atomic<std::uint64_t> open_peak_{0};
};

} // namespace steward
