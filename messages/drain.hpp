#pragma once

#include <steward/messages/caf.hpp>

namespace steward {

/// To a supervisor: refuse everything, close what is not held, and end when
/// nothing is left.
struct drain {};

/// To a draining supervisor: close even what is held.
struct drain_by_force {};

/// To a supervisor that woke while its key was attended to: now you may begin.
struct begin {};

/// To a supervisor: sleep as soon as nothing is under way.
struct doze {};

/// To a supervisor: end, whatever is under way. What an opener still brings is
/// closed by the worker that has it.
struct abandon {};

/// To a pool's front: be gone.
struct stop_front {};

/// To a pool's caretaker: be gone.
struct stop_caretaker {};

} // namespace steward

STEWARD_MESSAGE(steward::drain)
STEWARD_MESSAGE(steward::drain_by_force)
STEWARD_MESSAGE(steward::begin)
STEWARD_MESSAGE(steward::doze)
STEWARD_MESSAGE(steward::abandon)
STEWARD_MESSAGE(steward::stop_front)
STEWARD_MESSAGE(steward::stop_caretaker)
