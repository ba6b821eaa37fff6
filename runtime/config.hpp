#pragma once

#include <steward/core/pool_options.hpp>
#include <steward/messages/caf.hpp>

namespace steward {

/// Sets what an actor system needs to run stewards: the shared-queue scheduler
/// and turns of finite length. Call it before the system is made and before
/// the configuration is parsed, so that a user can still say otherwise.
void configure(caf::actor_system_config& cfg);

/// A CAF configuration that knows the options of pools, so that they can be
/// given in a CAF config file and on the command line: `steward.per-key-max`,
/// `steward.idle-timeout`, ... for all pools, `steward.pools.NAME.idle-timeout`
/// for one (config file only). They win over what the code says.
class config : public caf::actor_system_config {
public:
  config();
};

/// `options` with what `cfg` says about this pool. Throws `invalid_options`
/// with one line per value that cannot be used or option that does not exist.
pool_options overlaid(pool_options options,
                      const caf::actor_system_config& cfg);

} // namespace steward
