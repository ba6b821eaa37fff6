#pragma once

#include <steward/actors/record_desk.hpp>
#include <steward/core/record_queue.hpp>
#include <steward/messages/records.hpp>

#include <memory>
#include <string>
#include <vector>

namespace steward {

/// All who wait, by the ticket that the queue knows them by. Each is answered
/// once. Of one actor alone.
class record_waiters {
public:
  using ticket = record_queue::ticket;

  /// In whose name actors are answered.
  void speak_for(caf::actor_control_block* who) {
    from_ = who;
  }

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

private:
  caf::actor_control_block* from_ = nullptr;
  std::vector<record_waiter> all_; // a ticket is a place in it
  std::vector<ticket> free_;
  std::vector<std::shared_ptr<record_gathering>> answered_; // since `announce`
};

} // namespace steward
