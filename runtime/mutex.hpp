#pragma once

#include <condition_variable>
#include <mutex>

namespace steward {

/// The locks of the directory. Always those of the standard library; by names
/// of our own for the same reason as `atomic`.
using mutex = std::mutex;
using condition_variable = std::condition_variable;

} // namespace steward
