#pragma once

#include <atomic>

namespace steward {

/// What threads share without a lock. Always `std::atomic`; by a name of our
/// own, so that a test can put one in its place that makes every operation a
/// step of its own.
template <class T>
using atomic = std::atomic<T>;

} // namespace steward
