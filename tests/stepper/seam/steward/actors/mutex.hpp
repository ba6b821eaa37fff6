#pragma once

// In the place of actors/mutex.hpp, as its neighbour.

#include <steward/tests/stepper/mutex.hpp>

#include <mutex>

namespace steward {

using mutex = stepper::mutex;
using condition_variable = stepper::condition_variable;

} // namespace steward
