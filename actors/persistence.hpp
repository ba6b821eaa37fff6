#pragma once

#include <steward/actors/record_desk.hpp>
#include <steward/core/retry.hpp>
#include <steward/core/timepiece.hpp>
#include <steward/messages/records.hpp>
#include <steward/storage/record_store.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

namespace steward {

/// What persistence did since it started, over all its connections. All
/// functions: any thread.
class record_counters {
public:
  std::atomic<std::uint64_t> queued{0};     ///< waiting now
  std::atomic<std::uint64_t> written{0};    ///< rows created
  std::atomic<std::uint64_t> closed{0};     ///< rows closed
  std::atomic<std::uint64_t> conflicts{0};  ///< answered by another's row
  std::atomic<std::uint64_t> lost_races{0}; ///< ... that the look did not see
  std::atomic<std::uint64_t> failed{0};     ///< writes given up for good
  std::atomic<std::uint64_t> batches{0};    ///< transactions that stand
  std::atomic<std::uint64_t> retries{0};    ///< transactions that failed
  std::atomic<std::uint64_t> unknown{0};    ///< ... and nobody knew how
  std::atomic<std::uint64_t> refused{0};    ///< requests beyond `queue_max`

  /// Most writers that share one of these.
  static constexpr std::size_t writers_max = 4;

  /// How long the one that waits longest has waited; 0 if none does.
  duration age(time_point now) const {
    auto since = never;
    for (auto& x : oldest_)
      since = std::min(since, never - duration{x.load()});
    return since >= now ? duration::zero() : now - since;
  }

  /// Since when the first waits for this writer; `never` if none does.
  void set_oldest(std::size_t writer, time_point since) {
    oldest_[writer] = (never - since).count();
  }

  /// The last thing that went wrong, one line; empty if nothing did.
  std::string last_error() const {
    std::lock_guard guard{mutex_};
    return last_error_;
  }

  void set_last_error(std::string text) {
    std::lock_guard guard{mutex_};
    last_error_ = std::move(text);
  }

private:
  mutable std::mutex mutex_;
  std::string last_error_;
  std::array<std::atomic<duration::rep>, writers_max> oldest_{}; // before never
};

/// Limits of persistence.
struct persistence_options {
  /// Most writes that wait. Requests beyond it are unavailable at once; notes
  /// are taken, so that no close is forgotten. Pools open nothing meanwhile.
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
  std::shared_ptr<record_desk> desk; ///< where threads leave their writes
  persistence_options options{};
  std::size_t writer = 0; ///< which of those that share the counters
};

/// On which thread an actor runs.
enum class run_on : unsigned char {
  own_thread,     ///< it may block
  shared_threads, ///< CAF's scheduler, also that of a simulation
};

/// Starts the actor that writes records (see messages/records.hpp). It writes
/// all that waits in one transaction and answers after the commit. No error
/// ends it, only `stop_records` or an exit message; end it by one of them.
caf::actor spawn_persistence(caf::actor_system& sys, persistence_parts parts,
                             run_on thread = run_on::own_thread);

} // namespace steward
