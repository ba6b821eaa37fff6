#pragma once

#include <steward/messages/caf.hpp>

#include <memory>

// Actors with a thread of their own, which a simulation refuses.

namespace steward::testkit {

/// From now on no such actor of a system with this configuration does anything:
/// its thread stops before it comes to that, for ever.
void hold_threads_of(caf::actor_system_config& cfg);

/// Keeps a system that has such threads: its end would wait for theirs. It can
/// be reached, so that nobody takes it for a leak.
void lose(std::unique_ptr<caf::actor_system> what);

} // namespace steward::testkit
