#pragma once

#include <steward/actors/alarms.hpp>
#include <steward/actors/budget.hpp>
#include <steward/actors/job_runner.hpp>
#include <steward/core/cleanup.hpp>
#include <steward/core/function_ref.hpp>
#include <steward/core/opener.hpp>
#include <steward/core/permits.hpp>
#include <steward/core/pool_counters.hpp>
#include <steward/core/pool_options.hpp>
#include <steward/core/record.hpp>
#include <steward/core/shelf.hpp>
#include <steward/core/timepiece.hpp>
#include <steward/messages/caf.hpp>
#include <steward/messages/lent_thread.hpp>
#include <steward/messages/tick.hpp>

#include <atomic>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace steward {

class key_entry;

/// Where the keys of a pool are found, and their supervisors: at most one for
/// each. // I8
///
/// A supervisor with nothing under way may sleep: its entry stays, the actor
/// ends, and the next message wakes another one. Whatever is sent by way of this
/// is counted and keeps the supervisor awake until it has called
/// `key_entry::arrived`. Any thread; what is called back runs under a lock.
class key_home {
public:
  virtual ~key_home() = default;

  /// Calls `f` with the supervisor of `key`, which is made or woken if need be;
  /// `f` sends it exactly one message. False if the pool is draining.
  virtual bool with_supervisor(std::string_view key,
                               function_ref<void(const caf::actor&)> f)
    = 0;

  /// The same, but nobody is made or woken, and also while the pool is draining.
  /// False if nobody is awake for the key.
  virtual bool with_present(std::string_view key,
                            function_ref<void(const caf::actor&)> f)
    = 0;

  /// Sends to the supervisor of an entry, woken if need be, by way of `by` if
  /// there is one. Nothing happens if the entry has left.
  virtual void wake(key_entry& who, caf::message what, cafx::lent_thread* by)
    = 0;

  /// The same, but false if nobody is awake.
  virtual bool tell(key_entry& who, caf::message what) = 0;

  /// What becomes of an entry, and what it was found to be.
  enum class rest { stays, leaves };
  enum class found { asleep, busy, gone };

  /// Calls `f`, which may do what else only the supervisor may, if the entry is
  /// asleep and nobody attends to it.
  virtual found while_asleep(key_entry& who, function_ref<rest()> f) = 0;

  /// The entry of a key, made if need be, for somebody who does the work of its
  /// supervisor for a moment, alone: whoever wakes one meanwhile wakes it for
  /// after `attended`. Null if the supervisor is awake, somebody else attends, or
  /// the pool is draining.
  virtual std::shared_ptr<key_entry> attend(std::string_view key) = 0;
  virtual void attended(key_entry& who) = 0;

  /// A supervisor wants to sleep. False if a message is on its way to it.
  virtual bool sleep(key_entry& who) = 0;

  /// A supervisor without slots wants to leave. False if a message is on its
  /// way to it; else it is not found any more.
  virtual bool leave(key_entry& who) = 0;

  /// A draining supervisor ends.
  virtual void ended(key_entry& who) = 0;

  /// Whether the pool is draining.
  virtual bool closed() const noexcept = 0;
};

/// What all supervisors of a pool share. Made by the runtime, read by all; it
/// outlives whoever holds a lease.
struct pool_context {
  pool_context(pool_options o, std::shared_ptr<timepiece> t,
               std::shared_ptr<any_opener> user)
    : options(std::move(o)), time(std::move(t)), opener(std::move(user)),
      budget_permits(options.total_max), grid(time->now(), options.tick) {
    terms.time = time.get();
    terms.holders_max = options.holders_max;
    terms.checked = opener->checks();
    if (budget_permits.limited())
      budget.emplace(budget_permits, options);
  }

  /// The same for a resource whenever it is asked for, another for any other.
  creator_token token_of(std::uint64_t id) const noexcept {
    creator_token result;
    std::memcpy(result.data(), &secret, sizeof secret);
    std::memcpy(result.data() + sizeof secret, &id, sizeof id);
    return result;
  }

  /// Has the clock wake `whom` at `at`, if not before.
  void arm_clock(std::shared_ptr<recipient> whom, time_point at) const {
    if (alarm_box->leave(std::move(whom), at))
      cafx::send_anon(clock, collect_alarms{});
  }

  /// Gives one permit back.
  void put_permit() {
    if (budget && !budget_permits.try_put())
      budget->returned();
  }

  const pool_options options;
  const std::shared_ptr<timepiece> time;
  const std::shared_ptr<any_opener> opener;
  lending_terms terms;
  permits budget_permits;
  std::optional<total_budget> budget; ///< only where `total_max` is a limit
  std::atomic<std::uint64_t> opened_seq{0};
  std::atomic<std::uint64_t> tickets{0}; ///< of leases in messages, so far
  pool_counters counters;
  cleanup_grid grid; ///< from when the pool was made

  // Set before the first supervisor is made, dropped after the last has ended.
  caf::actor clock;
  caf::actor front;       ///< takes messages for this pool
  caf::actor caretaker;   ///< of keys whose supervisor sleeps
  caf::actor persistence; ///< only where `recorded`
  std::shared_ptr<alarms> alarm_box;
  std::shared_ptr<job_runner> runner;
  caf::actor_system* lends_to = nullptr; ///< the work of the thread that asks
  std::weak_ptr<key_home> home;          ///< a supervisor may outlive it

  std::string owner;        ///< names this run in the records
  std::uint64_t secret = 0; ///< random; makes the creator tokens of this run
  std::shared_ptr<const std::atomic<std::uint64_t>> backlog; ///< unwritten
  std::uint64_t backlog_max = 100'000;
};

} // namespace steward
