#pragma once

#include <steward/core/time.hpp>
#include <steward/messages/caf.hpp>

namespace steward {

/// A supervisor as clock and budget know it: perhaps asleep. Keeps the key's
/// slots in memory. Any thread.
class recipient {
public:
  virtual ~recipient() = default;

  /// Sends it `what`, and wakes it first if need be. Whoever is sent something
  /// does not fall asleep before it has handled it.
  virtual void wake(caf::message what) = 0;

  /// Sends it `what` if it is awake; else false, and nothing is sent.
  virtual bool tell(caf::message what) = 0;

  /// Who attends to it while it sleeps: takes `attend`.
  virtual caf::actor caretaker() const = 0;

  /// When the clock next calls it. The clock's alone.
  time_point armed = never;
};

/// An actor that is always awake.
class plain_recipient final : public recipient {
public:
  explicit plain_recipient(caf::actor who) : who_(std::move(who)) {
  }

  void wake(caf::message what) override {
    cafx::send_anon(who_, std::move(what));
  }

  bool tell(caf::message what) override {
    cafx::send_anon(who_, std::move(what));
    return true;
  }

  caf::actor caretaker() const override {
    return who_;
  }

private:
  caf::actor who_;
};

} // namespace steward
