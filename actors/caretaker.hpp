#pragma once

#include <steward/actors/pool_context.hpp>

#include <memory>

namespace steward {

/// The actor that attends to the keys of a pool whose supervisors sleep: it
/// closes what is due or given up. Spawns as `caf::actor`.
caf::behavior caretaker_actor(caf::event_based_actor* self,
                              std::shared_ptr<pool_context> pool);

} // namespace steward
