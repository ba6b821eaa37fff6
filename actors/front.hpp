#pragma once

#include <steward/actors/pool_context.hpp>
#include <steward/messages/caf.hpp>

#include <memory>

namespace steward {

/// Spawns as `caf::actor`. A pool as seen by messages: takes `acquire`,
/// `release` and `evict` and hands them on to the supervisor of the key, which
/// answers. `acquire` is answered by `granted` or an error, `evict` by
/// `evicting`. May outlive the pool by what is in its mailbox, hence `home`.
caf::behavior front_actor(caf::event_based_actor* self,
                          std::shared_ptr<pool_context> pool,
                          std::shared_ptr<key_home> home);

} // namespace steward
