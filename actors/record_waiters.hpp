#pragma once

#include <steward/actors/record_desk.hpp>
#include <steward/core/record_queue.hpp>
#include <steward/messages/records.hpp>

#include <future>
#include <memory>
#include <string>
#include <variant>
#include <vector>

namespace steward {

/// Who waits for an answer of persistence: an actor, or a thread, alone or in a
/// crowd.
using record_waiter
  = std::variant<std::monostate, caf::typed_response_promise<record_answer>,
                 record_place, caf::typed_response_promise<records_flushed>,
                 std::shared_ptr<std::promise<records_flushed>>>;

/// All who wait, by the ticket that the queue knows them by. Each is answered
/// once. Of one actor alone.
class record_waiters {
public:
  using ticket = record_queue::ticket;

  ticket add(record_waiter who);

  /// Answers and forgets. @pre `which` was given by `add`, and not answered.
  template <class Answer>
  void answer(ticket which, Answer what) {
    deliver(all_[which], std::move(what));
    all_[which] = {};
    free_.push_back(which);
  }

  /// Answers somebody who never got a ticket. A thread that asked for a record
  /// hears of it with the next `announce`.
  void deliver(record_waiter& to, record_answer answer);
  void deliver(record_waiter& to, records_flushed answer);

  void refuse(record_waiter& to, record_trouble why, std::string cause);

  /// Wakes the threads that have an answer now.
  void announce();

  /// Lets no thread wait any longer: there will be no answers.
  void abandon();

private:
  std::vector<record_waiter> all_; // a ticket is a place in it
  std::vector<ticket> free_;
  std::vector<std::shared_ptr<record_gathering>> answered_; // since `announce`
};

} // namespace steward
