#pragma once

#include <steward/core/time.hpp>
#include <steward/messages/caf.hpp>

#include <atomic>

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

  /// Whether it has gone for good, and nothing need keep it any more.
  std::atomic<bool> over{false};
};

} // namespace steward
