#pragma once

#include <steward/core/record.hpp>
#include <steward/core/time.hpp>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <vector>

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

  /// Nobody will answer any more.
  void abandon();

  // -- for threads ------------------------------------------------------------

  /// Blocks for `patience` at most; whether the answer has come.
  bool wait(std::size_t place, std::chrono::nanoseconds patience);

  /// The answer, once. If nobody will ever answer, that records are closed.
  /// @pre `wait` was true
  record_answer take(std::size_t place);

private:
  struct chair {
    std::atomic<bool> answered{false};
    record_answer answer;
  };

  std::mutex guard_; // of all but what is in chairs
  std::condition_variable news_;
  std::unique_ptr<chair[]> chairs_; // when all are here
  bool abandoned_ = false;
};

/// One of a gathering.
struct record_place {
  std::shared_ptr<record_gathering> with;
  std::size_t number = 0;
};

/// Where plain threads leave writes for one persistence. It is told about the
/// first of them and takes all: a message for many writes. Any thread.
class record_desk {
public:
  struct left {
    record_place place;
    bool first; ///< persistence must be told: `writes_left`
  };

  struct request {
    record_write write;
    time_point deadline;
  };

  /// What was left since the last time; the n-th is the n-th of the gathering.
  struct taken {
    std::vector<request> requests;
    std::shared_ptr<record_gathering> with;
  };

  left leave(record_write write, time_point deadline);

  taken take();

  /// Whoever waits here, or comes, hears that records are closed.
  void close();

private:
  std::mutex guard_;
  std::vector<request> requests_;
  std::shared_ptr<record_gathering> with_
    = std::make_shared<record_gathering>();
  bool closed_ = false;
};

} // namespace steward
