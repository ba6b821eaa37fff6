#pragma once

#include <steward/core/record.hpp>
#include <steward/core/time.hpp>
#include <steward/messages/caf.hpp>
#include <steward/messages/records.hpp>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <variant>
#include <vector>

namespace steward {

class record_counters;

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

/// Who waits for an answer of persistence: nobody, who left a note; an actor; a
/// thread, in a crowd.
using record_waiter = std::variant<std::monostate, cafx::asker<record_answer>,
                                   cafx::asker<records_flushed>, record_place>;

/// Where all leave what they want of one persistence, which is told of the
/// first of them and takes all, also while it waits for a server: a message for
/// many writes, and a limit that holds whatever persistence does. Any thread.
class record_desk {
public:
  /// What somebody left.
  struct item {
    record_waiter from;
    std::optional<record_write> write; ///< none: a flush
    time_point deadline = never;
  };

  /// How it went.
  struct left {
    bool first = false; ///< persistence must be told: `writes_left`
    /// Why it was not taken; then nobody answers it.
    std::optional<record_answer> refused = {};
  };

  struct left_by_thread : left {
    record_place place;
  };

  /// Takes requests up to `queue_max`, those that persistence has included, and
  /// counts what waits.
  record_desk(std::size_t queue_max, std::shared_ptr<record_counters> counters);

  /// A request of this thread, which will wait at the place.
  left_by_thread leave(record_write write, time_point deadline);

  /// A request of an actor.
  left leave(record_write write, time_point deadline,
             cafx::asker<record_answer> from);

  /// What nobody waits for is always taken; refused only by a desk that closed.
  left leave_note(record_write write);

  /// "Tell me when all that was left before is done."
  left leave_mark(cafx::asker<records_flushed> from, time_point deadline);

  // -- for persistence --------------------------------------------------------

  /// What was left since the last time, in order. The threads among them are
  /// seated.
  std::vector<item> take();

  /// So much of what was taken waits still.
  void set_waiting(std::size_t count);

  /// Nobody leaves anything from now on. What is here can be taken.
  void close();

private:
  std::optional<record_answer> refusal(bool bounded);
  bool push(item x);

  const std::size_t queue_max_;
  const std::shared_ptr<record_counters> counters_;
  std::mutex guard_; // of all that follows
  std::vector<item> items_;
  std::size_t writes_ = 0;  // of these
  std::size_t threads_ = 0; // of these
  std::size_t waiting_ = 0; // of those that were taken
  std::shared_ptr<record_gathering> with_
    = std::make_shared<record_gathering>();
  bool closed_ = false;
};

} // namespace steward
