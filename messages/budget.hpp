#pragma once

#include <steward/messages/caf.hpp>
#include <steward/messages/recipient.hpp>

#include <cstdint>
#include <memory>

namespace steward {

/// To a supervisor: one permit is yours.
struct permit_granted {};

/// To a supervisor: there is none, and nobody has one to spare.
struct permit_denied {};

/// To a supervisor: please close this resource, if it still is idle.
struct give_up {
  std::uint64_t id = 0;
};

/// To a caretaker: the same, of a key that sleeps.
struct give_up_asleep {
  std::shared_ptr<recipient> who;
  std::uint64_t id = 0;
};

} // namespace steward

STEWARD_MESSAGE(steward::permit_granted)
STEWARD_MESSAGE(steward::permit_denied)
STEWARD_MESSAGE(steward::give_up)
STEWARD_MESSAGE(steward::give_up_asleep)
