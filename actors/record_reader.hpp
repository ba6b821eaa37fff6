#pragma once

#include <steward/actors/persistence.hpp>
#include <steward/messages/records.hpp>
#include <steward/storage/record_store.hpp>

#include <functional>
#include <memory>

namespace steward {

/// Opens the store of a reader when it is first needed.
using store_factory = std::function<std::unique_ptr<record_store>()>;

/// Starts the actor that reads records on a connection of its own, beside the
/// writes: all names that wait are looked up in one snapshot. A name that cannot
/// be read fails those alone who asked for it. End it by `stop_reader` or an
/// exit message.
caf::actor spawn_record_reader(caf::actor_system& sys, store_factory open,
                               run_on thread = run_on::own_thread);

} // namespace steward
