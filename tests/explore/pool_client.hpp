#pragma once

#include "pool_scenario.hpp"

namespace explored {

/// What a client needs to know; shared by all clients of a run.
struct client_context {
  world* where;
  pool<fake_resource> things;
  std::shared_ptr<truth> book;
  std::shared_ptr<ledger> seen;
  workload load;
};

/// An actor that borrows, uses and gives back, round after round. Dies with or
/// without a lease when it is told to.
caf::actor spawn_client(std::shared_ptr<client_context> context, unsigned n);

} // namespace explored
