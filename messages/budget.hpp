#pragma once

#include <steward/core/slot.hpp>
#include <steward/core/time.hpp>
#include <steward/messages/caf.hpp>
#include <steward/messages/recipient.hpp>

#include <cstdint>
#include <memory>

namespace steward {

/// To the budget: I need one permit. Answered by `permit_granted` or
/// `permit_denied`, as messages of their own.
struct permit_wanted {
  std::shared_ptr<recipient> who;
};

/// To a supervisor: one permit is yours.
struct permit_granted {};

/// To a supervisor: there is none, and nobody has one to spare.
struct permit_denied {};

/// To the budget: here is one permit back, as others wait for it.
struct permit_returned {};

/// To the budget: this resource is open.
struct budget_opened {
  std::shared_ptr<recipient> who;
  slot* place = nullptr;
  std::uint64_t id = 0;
  time_point stamp;
};

/// To the budget: this resource is closed.
struct budget_closed {
  std::uint64_t id = 0;
};

/// To a supervisor: please close this resource, if it still is idle.
struct give_up {
  std::uint64_t id = 0;
};

/// To a caretaker: the same, of a key that sleeps.
struct give_up_asleep {
  std::shared_ptr<recipient> who;
  std::uint64_t id = 0;
};

/// To the budget: no, somebody uses it.
struct kept {
  std::uint64_t id = 0;
};

/// To the budget: be gone.
struct stop_budget {};

} // namespace steward

STEWARD_MESSAGE(steward::permit_wanted)
STEWARD_MESSAGE(steward::permit_granted)
STEWARD_MESSAGE(steward::permit_denied)
STEWARD_MESSAGE(steward::permit_returned)
STEWARD_MESSAGE(steward::budget_opened)
STEWARD_MESSAGE(steward::budget_closed)
STEWARD_MESSAGE(steward::give_up)
STEWARD_MESSAGE(steward::give_up_asleep)
STEWARD_MESSAGE(steward::kept)
STEWARD_MESSAGE(steward::stop_budget)
