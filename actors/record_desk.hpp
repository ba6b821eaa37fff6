#pragma once

#include <steward/actors/record_waiters.hpp>
#include <steward/core/record.hpp>
#include <steward/core/timepiece.hpp>
#include <steward/messages/caf.hpp>
#include <steward/messages/records.hpp>

#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

namespace steward {

class record_counters;

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
    bool watch = false; ///< the router must be told: `watch_desks`
    /// Why it was not taken; then nobody answers it.
    std::optional<record_answer> refused = {};
  };

  struct left_by_thread : left {
    record_place place;
  };

  /// Takes requests up to `queue_max`, those that persistence has included, and
  /// counts what waits. With `time`, actors want to be watched over: persistence
  /// may hang, and then they are answered by that.
  record_desk(std::size_t queue_max, std::shared_ptr<record_counters> counters,
              std::shared_ptr<const timepiece> time = nullptr);

  /// A request of this thread, which will wait at the place.
  left_by_thread leave(record_write write, time_point deadline);

  /// A request of an actor.
  left leave(record_write write, time_point deadline,
             cafx::asker<record_answer> from);

  /// What nobody waits for is always taken; refused only by a desk that closed.
  left leave_note(record_write write);

  /// "Tell me when all that was left before is done."
  left leave_mark(cafx::asker<records_flushed> from, time_point deadline);

  /// Answers actors for whom persistence is too late, as in a call of the system
  /// that does not return. Whether anything waits still.
  bool answer_overdue();

  // -- for persistence --------------------------------------------------------

  /// Those whose things were taken.
  record_waiters& waiters() {
    return waiters_;
  }

  /// What was left since the last time, in order. The threads among them are
  /// seated.
  std::vector<item> take();

  /// So much of what was taken waits still.
  void set_waiting(std::size_t count);

  /// Nobody leaves anything from now on. What is here can be taken.
  void close();

private:
  std::optional<record_answer> refusal(bool bounded);
  left push(item x, bool by_actor);

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
  bool watched_ = false;
  const std::shared_ptr<const timepiece> time_;
  record_waiters waiters_;
};

} // namespace steward
