#pragma once

#include <steward/messages/caf.hpp>

#include <cstddef>
#include <utility>

namespace steward::cafx {

/// Sends one message, and then is the worker of the actor that it made ready:
/// what would else wait until a thread of CAF has woken up, which takes longer
/// than all that most messages ask for, is done when `run` returns. The actor
/// still does one thing after the other, and one that is at work already gets
/// the message as usual. One thread at a time.
class lent_thread final : public caf::execution_unit {
public:
  explicit lent_thread(caf::actor_system& sys) : execution_unit(&sys) {
  }

  ~lent_thread() override {
    hand_on(std::exchange(ready_, nullptr));
  }

  void send(const caf::actor& to, caf::message what) {
    to->enqueue(nullptr, caf::make_message_id(), std::move(what), this);
  }

  /// Lets the actor handle what it has, for one turn. Calls whatever it calls:
  /// not under a lock.
  void run() {
    auto* who = std::exchange(ready_, nullptr);
    if (who == nullptr)
      return;
    runs_ = true;
    auto state = who->resume(this, turn_max);
    runs_ = false;
    if (state == caf::resumable::resume_later)
      hand_on(who);
    else
      caf::intrusive_ptr_release(who);
  }

  /// Called by CAF; whom `run` makes ready has CAF's threads.
  void exec_later(caf::resumable* who) override {
    if (runs_ || ready_ != nullptr)
      hand_on(who);
    else
      ready_ = who;
  }

private:
  static constexpr std::size_t turn_max = 64; // messages

  void hand_on(caf::resumable* who) {
    if (who != nullptr)
      system().scheduler().enqueue(who);
  }

  caf::resumable* ready_ = nullptr;
  bool runs_ = false;
};

} // namespace steward::cafx
