#pragma once

#include <steward/core/atomic.hpp>

#include <cassert>
#include <cstddef>
#include <cstdint>

namespace steward {

/// Permits for the limit over all keys, one per resource that is opening, open
/// or closing. // I2
///
/// Taken and put back without a message while nobody waits. The flag `queued`
/// in the same word sends both to the budget, so nobody overtakes its queue. Any thread.
class permits {
public:
  explicit permits(std::size_t total) noexcept
    : limited_(total <= total_max), word_(limited_ ? total << 1 : 0) {
  }

  /// Whether there is a limit at all.
  bool limited() const noexcept {
    return limited_;
  }

  /// Takes one permit, unless there is none or others wait for one.
  bool try_take() noexcept {
    if (!limited_)
      return true;
    auto seen = word_.load(std::memory_order_relaxed);
    // unreached: permits that are there while others wait; then none is
    while (seen >= 2 && (seen & 1) == 0)
      if (word_.compare_exchange_weak(seen, seen - 2, std::memory_order_acq_rel,
                                      std::memory_order_relaxed))
        return true;
    return false;
  }

  /// Puts one permit back; false if it must go to the budget.
  bool try_put() noexcept {
    if (!limited_)
      return true;
    auto seen = word_.load(std::memory_order_relaxed);
    while ((seen & 1) == 0)
      if (word_.compare_exchange_weak(seen, seen + 2, std::memory_order_acq_rel,
                                      std::memory_order_relaxed))
        return true;
    return false;
  }

  /// Whether others wait for a permit.
  bool queued() const noexcept {
    return limited_ && (word_.load(std::memory_order_relaxed) & 1) == 1;
  }

  // -- the budget ------------------------------------------------------------

  /// From now on everybody goes to the budget; how many permits it finds.
  std::size_t start_queue() noexcept {
    auto before = word_.exchange(1, std::memory_order_acq_rel);
    return before >> 1;
  }

  /// Nobody waits any more; so many permits are there for all.
  void end_queue(std::size_t left) noexcept {
    assert((word_.load(std::memory_order_relaxed) & 1) == 1);
    word_.store(left << 1, std::memory_order_release);
  }

private:
  static constexpr std::size_t total_max = static_cast<std::size_t>(-1) >> 2;

  bool limited_;
  atomic<std::size_t> word_;
};

} // namespace steward
