#pragma once

#include <atomic>

namespace steward {

#if defined(__SANITIZE_THREAD__) || defined(STEWARD_STEPPED)

// Neither the thread sanitizer nor the stepper knows fences: there an exchange
// has to do, which is one where they run.
constexpr bool light_fences() noexcept {
  return false;
}

inline void full_fence() noexcept {
}

inline bool fence_for_all() noexcept {
  return true;
}

#else

namespace detail {

extern const bool has_membarrier;

} // namespace detail

/// Whether `fence_for_all` makes every thread of the process pass a fence, so
/// that the others can do without one. Asymmetric fences: membarrier(2).
inline bool light_fences() noexcept {
  return detail::has_membarrier;
}

inline void full_fence() noexcept {
  std::atomic_thread_fence(std::memory_order_seq_cst);
}

/// A fence, for all threads of the process if `light_fences()`. False if it
/// could not be had this time.
bool fence_for_all() noexcept;

#endif

} // namespace steward
