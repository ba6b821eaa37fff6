#pragma once

#include <steward/core/node.hpp>

namespace steward {

/// This process, as others of the machine can tell it from all others.
process_id this_process();

/// What can be seen of `x` from here. Any thread.
liveness liveness_of(const process_id& x);

} // namespace steward
