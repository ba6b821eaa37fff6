#pragma once

#include <steward/core/time.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace steward {

/// How long to wait before a thing that failed is tried again.
struct retry {
  duration base = std::chrono::milliseconds{5};  ///< longest first wait
  duration cap = std::chrono::milliseconds{500}; ///< longest wait of all
};

/// The longest wait after `failures` failures in a row (1, 2, ...): `base`
/// doubled with each, at most `cap`.
constexpr duration backoff_max(const retry& policy, unsigned failures) {
  auto wait = policy.base;
  for (unsigned i = 1; i < failures && wait < policy.cap; ++i)
    wait = wait > policy.cap / 2 ? policy.cap : wait * 2;
  return std::clamp(wait, duration::zero(), policy.cap);
}

/// When to try again: anywhere from now to `backoff_max` from now ("full
/// jitter", so that those who failed together do not meet again), but not after
/// `deadline`. `random` is any number, evenly spread.
constexpr time_point next_attempt(const retry& policy, unsigned failures,
                                  std::uint64_t random, time_point now,
                                  time_point deadline) {
  auto choices
    = static_cast<std::uint64_t>(backoff_max(policy, failures).count()) + 1;
  auto wait = duration{static_cast<duration::rep>(random % choices)};
  return std::max(now, std::min(later(now, wait), deadline));
}

} // namespace steward
