#pragma once

#include <steward/core/record.hpp>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>

namespace steward {

/// The threads whose writes were taken together. They wait in one place, so
/// that one call wakes all that a transaction answered.
class record_gathering {
public:
  // -- for persistence --------------------------------------------------------

  /// So many are here, and nobody comes any more.
  void seat(std::size_t count);

  /// Answers one of them. Nobody sees it before `announce`.
  void put(std::size_t place, record_answer answer);

  /// Wakes who waits.
  void announce();

  // -- for threads ------------------------------------------------------------

  /// Blocks for `patience` at most; whether the answer has come.
  bool wait(std::size_t place, std::chrono::nanoseconds patience);

  /// The answer, once. @pre `wait` was true
  record_answer take(std::size_t place);

private:
  struct chair {
    std::atomic<bool> answered{false};
    record_answer answer;
  };

  std::mutex guard_; // of all but what is in chairs
  std::condition_variable news_;
  std::unique_ptr<chair[]> chairs_; // when all are here
};

/// One of a gathering.
struct record_place {
  std::shared_ptr<record_gathering> with;
  std::size_t number = 0;
};

} // namespace steward
