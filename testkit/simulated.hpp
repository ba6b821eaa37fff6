#pragma once

#include <steward/runtime/surroundings.hpp>
#include <steward/testkit/random_stream.hpp>
#include <steward/testkit/sim.hpp>

#include <functional>
#include <memory>

namespace steward::testkit {

/// What a runtime in a simulation finds there.
struct simulated_options {
  std::uint64_t seed = 0; ///< of what the runtime takes for random

  /// How much longer a job of an opener takes than the opener says; asked for
  /// each job. Null: not at all.
  std::function<duration()> slower = {};

  /// The store of the records. By default SQLite in memory, one for each
  /// runtime.
  surroundings::store_opener open_store = {};
};

/// Surroundings that are a simulation: its time, opener workers and persistence
/// as ordinary actors, blocking calls that run the simulation, no threads. For
/// the last argument of `runtime`. The simulation must outlive the runtime.
surroundings simulated(sim& where, simulated_options options = {});

/// In an opener: it takes so long. In a simulation that is virtual time between
/// the end of this call and the pool's hearing of it; else the thread sleeps.
void take_time(duration d);

/// In an opener: calls `f` when that time is over, just before the pool hears of
/// it; at once if no simulation runs the opener.
void when_time_is_over(std::function<void()> f);

} // namespace steward::testkit
