#pragma once

// In the place of core/atomic.hpp for what runs under the stepper: this folder
// comes first on the include path.

#include <steward/tests/stepper/atomic.hpp>

#include <atomic>

namespace steward {

template <class T>
using atomic = stepper::atomic<T>;

} // namespace steward
