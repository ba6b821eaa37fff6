#pragma once

// The sentences of the documentation that a model must take a side on, one
// function each, so that a test can have one of them said wrongly.

#include <steward/core/close_reason.hpp>
#include <steward/tests/model/commands.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

namespace modelled {

/// A resource that is open.
struct resource {
  std::uint64_t id = 0; ///< a smaller one was opened first
  unsigned key = 0;
  unsigned with = 0; ///< params
  time_point opened_at;
  time_point used_until;
  std::size_t holders = 0;
  std::optional<close_reason> doom; ///< closed when it comes back
};

class rules {
public:
  virtual ~rules() = default;

  /// `per_key_max`: most resources of one key.
  virtual bool room_in_key(std::size_t there, const pool_options& o) const {
    return there < o.per_key_max;
  }

  /// `total_max`: most resources of all keys.
  virtual bool room_in_pool(std::size_t there, const pool_options& o) const {
    return there < o.total_max;
  }

  /// `waiters_max`: how many wait for their turn.
  virtual bool room_in_line(std::size_t there, const pool_options& o) const {
    return there < o.waiters_max;
  }

  /// With `evict_idle` nobody passes who is in line: what comes back can become
  /// what he waits for.
  virtual bool holds_up(const pool_options& o) const {
    return o.when_full == full_policy::evict_idle;
  }

  /// `holders_max`: how many leases share one resource.
  virtual bool can_share(const resource& x, const pool_options& o) const {
    return x.holders < o.holders_max;
  }

  /// Resources of one key with equal params are interchangeable.
  virtual bool interchangeable(unsigned with, unsigned other) const {
    return with == other;
  }

  /// What was used last is lent first; among equals what was opened first.
  virtual bool lent_before(const resource& a, const resource& b) const {
    return std::pair{b.used_until, a.id} < std::pair{a.used_until, b.id};
  }

  /// The least recently used goes first; among equals what was opened first.
  virtual bool evicted_before(const resource& a, const resource& b) const {
    return std::pair{a.used_until, a.id} < std::pair{b.used_until, b.id};
  }

  /// Cleanup happens on a grid that begins when the pool is made.
  virtual time_point tick_after(time_point t, time_point made,
                                const pool_options& o) const {
    return made + ((t - made) / o.tick + 1) * o.tick;
  }

  /// Idle is what nobody holds, since the end of the last use, for
  /// `idle_timeout`.
  virtual bool is_idle(const resource& x, time_point tick,
                       const pool_options& o) const {
    return x.holders == 0 && o.idle_timeout != off
           && tick - x.used_until >= o.idle_timeout;
  }

  /// `max_lifetime`: closed when it is this old and nobody holds it.
  virtual bool is_old(const resource& x, time_point tick,
                      const pool_options& o) const {
    return x.holders == 0 && o.max_lifetime != off
           && tick - x.opened_at >= o.max_lifetime;
  }

  /// `linger`: how long a key without resources keeps its supervisor, if it has
  /// one that is awake.
  virtual bool is_deserted(time_point empty_since, time_point tick,
                           const pool_options& o) const {
    return tick - empty_since >= o.linger;
  }

  /// A key may sleep, and then leaves as soon as it has nothing left.
  virtual bool may_sleep() const {
    return true;
  }

  /// What comes back broken is closed instead of lent again.
  virtual bool is_lent_again(health x) const {
    return x == health::good;
  }

  /// `evict` also closes what is held, as soon as it comes back.
  virtual bool evict_dooms() const {
    return true;
  }

  /// A holder that dies gives back.
  virtual bool dead_give_back() const {
    return true;
  }

  /// Only a lease that one has can be given back.
  virtual bool wrong_release_counts() const {
    return false;
  }

  /// Who waits is served in order of arrival.
  virtual bool served_in_order() const {
    return true;
  }

  /// An open that fails leaves nothing behind.
  virtual bool failed_open_keeps_place() const {
    return false;
  }
};

inline const rules as_documented;

} // namespace modelled
