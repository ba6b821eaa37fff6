#pragma once

#include <steward/actors/pool_context.hpp>
#include <steward/core/pool_options.hpp>
#include <steward/runtime/config.hpp>
#include <steward/runtime/durable.hpp>
#include <steward/runtime/pool.hpp>
#include <steward/runtime/record_guard.hpp>
#include <steward/runtime/records.hpp>
#include <steward/runtime/surroundings.hpp>
#include <steward/runtime/timepieces.hpp>
#include <steward/runtime/typed_opener.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace steward {

/// What a runtime is made of.
struct runtime_options {
  /// Where records are kept (`sqlite:PATH`, `postgresql://...`); nowhere if
  /// empty.
  std::string records = {};

  /// Names this run of this program in the records; made up if empty. Two runs
  /// of one name would take each other's records for theirs.
  std::string owner = {};

  /// So long after it was last heard of is a process taken for dead that cannot
  /// be seen from where it is looked for; see `guard_options::lease`.
  duration lease = std::chrono::seconds{15};

  /// How many threads run openers that may block. 1 to 1024.
  std::size_t workers = 4;

  /// How long the destructor waits for leases to come back. 0 to 1 day.
  duration drain_timeout = std::chrono::seconds{10};

  /// After that: how long for closes, opens and records that are under way. 0 to
  /// 1 day.
  duration close_timeout = std::chrono::seconds{5};

  /// Time that only goes on when `advance` is called, instead of the machine's.
  std::shared_ptr<manual_timepiece> time = {};
};

/// What a drain had to do.
struct drain_report {
  std::uint64_t revoked = 0;   ///< leases whose resource was closed anyway
  std::uint64_t abandoned = 0; ///< supervisors that waited for an opener
  std::size_t stuck = 0;       ///< workers that did not return from user code
  std::size_t unwritten = 0;   ///< records that are not in the database
  std::string records_error;   ///< why; one line

  /// Whether everything came back and went down by itself.
  bool clean() const noexcept {
    return revoked == 0 && abandoned == 0 && stuck == 0 && unwritten == 0;
  }
};

/// Owns clock, opener workers, persistence and pools, and the order in which
/// they end. Make it after the actor system and let it go before. Leases and
/// pool handles may outlive it.
class runtime {
public:
  /// Throws `store_failure` if the records cannot be used, `invalid_options`.
  explicit runtime(caf::actor_system& sys, runtime_options options = {},
                   surroundings around = surroundings::machine());
  runtime(const runtime&) = delete;
  runtime& operator=(const runtime&) = delete;

  /// Drains with `drain_timeout`.
  ~runtime();

  /// Makes a pool of `T`s. What the configuration of the actor system says
  /// about it wins over `options`. Throws `invalid_options` with one line per
  /// wrong option, also for a name that is taken.
  template <class T, class Opener>
  pool<T> make_pool(pool_options options, Opener opener) {
    return pool<T>{
      add_pool(std::move(options),
               std::make_shared<typed_opener<T, Opener>>(std::move(opener)))};
  }

  /// Makes a pool of `T`s that outlive no crash: `opener` is what a
  /// `durable_opener` asks for. Takes back first what dead processes left open
  /// in this pool, and says in `found`, if given, what that was; what somebody
  /// may still live for, when his lease is over. Blocks. Throws `store_failure`,
  /// too, and `invalid_options` in a runtime without records.
  template <class T, class Opener>
  pool<durable<T>> make_durable_pool(pool_options options, Opener opener,
                                     reclaim_report* found = nullptr) {
    durable_opener<T, Opener> lasting{options.name, guard_of(options),
                                      std::move(opener)};
    auto report = lasting.reclaim();
    warn_of(report);
    if (!report.left.empty())
      look_again(lasting.later(), report);
    if (found != nullptr)
      *found = std::move(report);
    return make_pool<durable<T>>(std::move(options), std::move(lasting));
  }

  /// The records. @pre `runtime_options::records` was given, and not drained.
  steward::records& records() const noexcept {
    return *records_;
  }

  /// Who answers for what durable pools have open, in the database; none before
  /// the first such pool, and after the drain.
  std::shared_ptr<const record_guard> guard() const {
    std::lock_guard lock{joining_};
    return records_guard_;
  }

  /// Ends everything: refuses new requests, answers all who wait, closes what
  /// is idle, waits for leases until `patience` is over, closes the rest, ends
  /// supervisors, workers, persistence (after its last flush) and clock. Every
  /// step is bounded. A second call waits for the first. Not for actors.
  drain_report drain(duration patience);

  /// Tells the time.
  const timepiece& time() const noexcept {
    return *time_;
  }

  /// Moves a manual time on to `to`, tick by tick, and waits until all that
  /// fell due is under way. Not for actors and openers, whose threads it may
  /// need. @pre `runtime_options::time` was given.
  void advance(time_point to);

  // -- for drivers of manual time ---------------------------------------------

  /// Takes `advance`; see messages/tick.hpp.
  const caf::actor& clock() const noexcept {
    return clock_;
  }

  const alarms& next_due() const noexcept {
    return *alarms_;
  }

private:
  std::shared_ptr<pool_core> add_pool(pool_options options,
                                      std::shared_ptr<any_opener> opener);
  std::shared_ptr<record_guard> guard_of(const pool_options& options);
  static void warn_of(const reclaim_report& report);
  void look_again(
    std::function<reclaim_report(const reclaim_report& before)> attempt,
    reclaim_report before);
  void drain_pools(duration patience, drain_report& report);

  caf::actor_system& sys_;
  runtime_options options_;
  surroundings around_;
  std::shared_ptr<timepiece> time_;
  std::shared_ptr<alarms> alarms_;
  caf::actor clock_;
  std::shared_ptr<job_runner> workers_;
  std::shared_ptr<steward::records> records_;
  mutable std::mutex joining_;                  // of `records_guard_`
  std::shared_ptr<record_guard> records_guard_; // when a durable pool needs it

  std::mutex advancing_;
  std::mutex draining_;
  std::mutex guard_; // of `pools_`, `drained_` and, in the end, `clock_`
  std::vector<std::shared_ptr<pool_core>> pools_;
  bool drained_ = false;
};

} // namespace steward
