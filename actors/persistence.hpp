#pragma once

#include <steward/actors/record_counters.hpp>
#include <steward/actors/record_desk.hpp>
#include <steward/core/retry.hpp>
#include <steward/core/timepiece.hpp>
#include <steward/messages/records.hpp>
#include <steward/storage/record_store.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>

namespace steward {

/// Limits of persistence.
struct persistence_options {
  /// Most writes that wait for one writer, those under way included. Requests
  /// beyond it are unavailable at once; notes are taken, so that no close is
  /// forgotten. Pools open nothing meanwhile.
  std::size_t queue_max = 100'000;

  /// Most rows of one transaction, and about how many bytes.
  std::size_t batch_max = 1'000;
  std::size_t batch_bytes_max = 1'000'000;

  /// Longest wait for another's lock in one go. Between two goes the actor
  /// answers whoever must not wait longer.
  duration lock_wait_max = std::chrono::milliseconds{50};

  /// How long to wait between two goes. What needs somebody's help to succeed
  /// is tried again every `cap`, as long as notes wait for it.
  retry backoff{};

  /// Seeds the jitter of these waits.
  std::uint64_t seed = 1;
};

/// What persistence is made of.
struct persistence_parts {
  std::unique_ptr<record_store> store;
  std::shared_ptr<record_counters> counters;
  std::shared_ptr<const timepiece> time;
  std::shared_ptr<record_desk> desk; ///< where everybody leaves what they want
  persistence_options options{};
  std::size_t writer = 0; ///< which of those that share the counters
};

/// On which thread an actor runs.
enum class run_on : unsigned char {
  own_thread,     ///< it may block
  shared_threads, ///< CAF's scheduler, also that of a simulation
};

/// Starts the actor that writes what is left at its desk, when it is told that
/// there is something: all that waits in one transaction, and answers after the
/// commit. Deadlines are kept also while a server does not answer. No error ends
/// it, only `stop_records` or an exit message; end it by one of them.
caf::actor spawn_persistence(caf::actor_system& sys, persistence_parts parts,
                             run_on thread = run_on::own_thread);

} // namespace steward
