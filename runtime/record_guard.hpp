#pragma once

#include <steward/core/node.hpp>
#include <steward/runtime/processes.hpp>
#include <steward/runtime/records.hpp>

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace steward {

/// How a guard watches.
struct guard_options {
  std::string url;   ///< of the records
  std::string owner; ///< names this run of this program

  /// So long after the last heartbeat is a process taken for dead that cannot
  /// be seen from there; 1 s to 1 day. A heartbeat comes every third of it.
  duration lease = std::chrono::seconds{15};

  /// Longest wait for a write.
  duration patience = std::chrono::seconds{10};

  /// How processes are seen.
  std::function<liveness(const process_id&)> look = liveness_of;
};

/// What one incarnation has open.
struct records_of_another {
  std::int64_t incarnation = 0;
  std::string owner;
  std::size_t open = 0;
};

/// What a reclaim found.
struct reclaim_report {
  std::size_t reclaimed = 0; ///< taken back, and closed as orphaned
  /// Not taken back, one line each, those that cannot be read among them: tried
  /// again at the next start.
  std::vector<std::string> failed;
  /// What may belong to somebody who lives where nobody can see him, as his
  /// lease is good.
  std::vector<records_of_another> left;
};

/// Answers for open resources in the database: as long as this process lives,
/// they are its own; when it dies, however it does, the next guard takes them
/// back. Made after the actor system; end it before that, and after all pools
/// whose openers use it. All functions: any thread.
class record_guard {
public:
  /// Joins as a new incarnation. Throws `store_failure`, `std::invalid_argument`.
  record_guard(caf::actor_system& sys, guard_options options,
               const surroundings& around = surroundings::machine());

  /// The same, which writes through `shared`: they stay as long as a call of this
  /// guard is under way, and until it ends.
  record_guard(std::shared_ptr<records> shared, guard_options options,
               const surroundings& around = surroundings::machine());

  record_guard(const record_guard&) = delete;
  record_guard& operator=(const record_guard&) = delete;

  /// Ends it.
  ~record_guard();

  // -- verbs ------------------------------------------------------------------

  /// Leaves: what is still open is then anybody's, and nothing is recorded any
  /// more, whoever still has this. Again: does nothing.
  void end();

  /// Takes back what dead processes left open in this pool, of any pool if
  /// empty: hands each record to `take_back`, then closes it as `orphaned`.
  /// What throws stays open. A living process is never robbed. Those of nobody
  /// who is known are taken, too: they were written as their lease was lost.
  reclaim_report reclaim(const std::string& pool,
                         const std::function<void(const record&)>& take_back);

  /// The same for those alone whom a reclaim left `before`.
  reclaim_report
  reclaim_left(const reclaim_report& before, const std::string& pool,
               const std::function<void(const record&)>& take_back);

  /// Calls `fun` after each heartbeat, until it is false or the guard ends. In
  /// the thread of the heartbeats, which it must not block.
  void at_each_beat(std::function<bool()> fun);

  /// Makes a durable record of what is about to be opened. Throws
  /// `records_unwritable`, also if the lease is lost meanwhile.
  record open(record_request wanted);

  /// Makes it durable how to take the resource back.
  void set_journal(record& of, std::string journal);

  /// The resource is closed. What cannot be made durable in time is logged and
  /// noted: tried again until it is, or the records end. Throws
  /// `records_unwritable` if there is no such record.
  void close(const std::string& name, close_reason why);

  // -- queries ----------------------------------------------------------------

  /// What records carry that it makes from now on: another one, and a higher
  /// one, after the lease was lost.
  std::int64_t incarnation() const noexcept {
    return id_;
  }

  const std::string& owner() const noexcept {
    return options_.owner;
  }

  /// Whether the lease is over, as after a long stop: then another machine may
  /// have taken what was open here. It stays so, and the guard joins as a new
  /// incarnation for what is opened from then on. Judged when it is asked, by a
  /// clock that counts from before the last heartbeat.
  bool lost() const noexcept {
    return lost_ || !lease_is_good();
  }

private:
  std::shared_ptr<records> shared_records() const;
  std::shared_ptr<records> require_records() const;
  void start(const surroundings& around);
  void join(duration wait_max);
  void renew(duration wait_max);
  bool answers_as(std::int64_t incarnation);
  bool lease_is_good() const noexcept;
  void beat_until_end();
  std::vector<node> others();
  reclaim_report
  reclaim_of_all(const std::vector<node>& known, const std::string& pool,
                 const std::function<void(const record&)>& take_back);
  void name_what_is_left(const std::vector<node>& by, const std::string& pool,
                         reclaim_report& report);
  void tell_of_beat(std::unique_lock<std::mutex>& lock);
  void reclaim_of(const node& dead, bool surely_dead, const std::string& pool,
                  const std::function<void(const record&)>& take_back,
                  reclaim_report& report);

  guard_options options_;
  std::shared_ptr<const timepiece> time_;
  mutable std::mutex sharing_;       // of `records_`
  std::shared_ptr<records> records_; // until the end
  bool shared_;                      // with who stops them
  // Of `store_`, `joined_`, `at_beat_` and `ending_`.
  std::mutex guard_;
  std::unique_ptr<record_store> store_;
  std::vector<std::int64_t> joined_; // all incarnations, the last one is `id_`
  std::atomic<std::int64_t> id_{0};
  // Since boot: until then nobody can have forgotten `id_`. Set after `id_`, so
  // read before it.
  std::atomic<duration> good_until_{duration::zero()};
  std::atomic<bool> lost_{false};
  std::vector<std::function<bool()>> at_beat_;
  bool ending_ = false;
  std::condition_variable end_;
  std::thread heart_;
};

/// Thrown where a record cannot be made durable in time. One line.
class records_unwritable : public std::runtime_error {
public:
  using std::runtime_error::runtime_error;
};

} // namespace steward
