#pragma once

#include <steward/actors/record_gathering.hpp>
#include <steward/core/record_queue.hpp>
#include <steward/core/time.hpp>
#include <steward/messages/caf.hpp>
#include <steward/messages/records.hpp>

#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <variant>
#include <vector>

namespace steward {

/// Who waits for an answer of persistence: nobody, who left a note; an actor; a
/// thread, in a crowd.
using record_waiter = std::variant<std::monostate, cafx::asker<record_answer>,
                                   cafx::asker<records_flushed>, record_place>;

/// What they are told whom persistence does not answer in time.
inline constexpr const char* persistence_is_silent
  = "persistence does not answer";

/// Tells an actor that nobody answers it; a thread knows that by itself. Whether
/// it was an actor.
bool answer_silence(const record_waiter& who, bool may_exist,
                    std::size_t pending);

/// All who wait, by the ticket that the queue knows them by. Each is answered
/// once. Of one actor alone, but for `answer_overdue`.
class record_waiters {
public:
  using ticket = record_queue::ticket;

  /// In whose name actors are answered.
  void speak_for(caf::actor_control_block* who) {
    from_ = who;
  }

  ticket add(record_waiter who, time_point deadline);

  /// Answers and forgets. @pre `which` was given by `add`, and not answered.
  template <class Answer>
  void answer(ticket which, Answer what) {
    auto who = take(which);
    // Else somebody was quicker.
    if (!std::holds_alternative<std::monostate>(who))
      deliver(who, std::move(what));
  }

  /// Answers somebody who never got a ticket. A thread that asked for a record
  /// hears of it with the next `announce`.
  void deliver(record_waiter& to, record_answer answer);
  void deliver(record_waiter& to, records_flushed answer);

  void refuse(record_waiter& to, record_trouble why, std::string cause);

  /// Wakes the threads that have an answer now.
  void announce();

  // -- for any thread ---------------------------------------------------------

  /// Answers the actors whose deadline was before `limit`, in the place of who
  /// should have. What they wanted may be written all the same, as `pending` are.
  void answer_overdue(time_point limit, std::size_t pending);

private:
  struct seat {
    record_waiter who;
    time_point deadline = never;
  };

  record_waiter take(ticket which);

  caf::actor_control_block* from_ = nullptr;
  std::mutex guard_;      // of these two
  std::vector<seat> all_; // a ticket is a place in it
  std::vector<ticket> free_;
  std::vector<std::shared_ptr<record_gathering>> answered_; // since `announce`
};

} // namespace steward
