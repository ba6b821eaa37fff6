#pragma once

// The resources of a model, and the keys that it knows.

#include <steward/core/pool_counters.hpp>
#include <steward/tests/model/commands.hpp>
#include <steward/tests/model/observation.hpp>
#include <steward/tests/model/rules.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

namespace modelled {

/// An open that has not come to its end.
struct open_under_way {
  std::uint64_t id;
  unsigned key;
  unsigned with;
  time_point since;
  bool late = false; ///< `open_timeout` is over
};

/// All there is at one instant. Closing takes no time.
struct stock {
  pool_options options;
  const rules* by;
  time_point now = origin;
  std::vector<resource> open = {};
  std::vector<open_under_way> opening = {};
  std::map<unsigned, time_point> empty_since = {}; ///< of all keys known
  pool_stats stats = {};
  observation seen = {};

  // -- counting ---------------------------------------------------------------

  std::size_t live() const {
    return open.size() + opening.size();
  }

  std::size_t live(unsigned key) const {
    auto of_key = [key](const auto& x) { return x.key == key; };
    return static_cast<std::size_t>(
      std::count_if(open.begin(), open.end(), of_key)
      + std::count_if(opening.begin(), opening.end(), of_key));
  }

  // -- finding ----------------------------------------------------------------

  /// Null if it was closed.
  resource* find(std::uint64_t id) {
    for (auto& r : open)
      if (r.id == id)
        return &r;
    return nullptr;
  }

  const resource* find(std::uint64_t id) const {
    return const_cast<stock*>(this)->find(id);
  }

  resource* free_for(unsigned key, unsigned with) {
    resource* best = nullptr;
    for (auto& r : open)
      if (r.key == key && by->interchangeable(r.with, with) && !r.doom
          && by->can_share(r, options)
          && (best == nullptr || by->lent_before(r, *best)))
        best = &r;
    return best;
  }

  // -- closing ----------------------------------------------------------------

  void close_doomed() {
    for (auto i = open.begin(); i != open.end();) {
      if (i->holders > 0 || !i->doom) {
        ++i;
        continue;
      }
      ++stats.closed[static_cast<std::size_t>(*i->doom)];
      seen.closed.push_back({now, i->id, *i->doom});
      auto key = i->key;
      i = open.erase(i);
      note_empty(key);
    }
  }

  /// Makes room, if it may and there is something that `may_go`.
  template <class Predicate>
  bool evict_one(Predicate may_go) {
    if (options.when_full == full_policy::reject)
      return false;
    resource* victim = nullptr;
    for (auto& r : open)
      if (r.holders == 0 && may_go(r)
          && (victim == nullptr || by->evicted_before(r, *victim)))
        victim = &r;
    if (victim == nullptr)
      return false;
    victim->doom = close_reason::evicted;
    close_doomed();
    return true;
  }

  void note_empty(unsigned key) {
    if (live(key) == 0)
      empty_since.insert_or_assign(key, now);
  }

  /// Somebody asks for it: if it had left, it is made anew.
  void note_known(unsigned key) {
    note_empty(key);
    empty_since.emplace(key, now);
  }

  // -- time -------------------------------------------------------------------

  time_point tick_after(time_point t) const {
    return by->tick_after(t, origin, options);
  }

  /// What a tick does.
  void clean_up() {
    for (auto& r : open) {
      if (by->is_idle(r, now, options))
        r.doom = close_reason::idle;
      else if (by->is_old(r, now, options))
        r.doom = close_reason::lifetime;
    }
    close_doomed();
    std::erase_if(empty_since, [&](const auto& x) {
      return live(x.first) == 0 && by->is_deserted(x.second, now, options);
    });
  }

  /// The first tick from now on at which an idle resource must go.
  time_point due_of(const resource& r) const {
    auto at = never;
    if (options.idle_timeout != off)
      at = std::min(at, r.used_until + options.idle_timeout);
    if (options.max_lifetime != off)
      at = std::min(at, r.opened_at + options.max_lifetime);
    return at == never ? never : tick_from(at);
  }

  /// When a tick will next do something, as far as can be told.
  time_point next_due() const {
    auto result = never;
    for (const auto& r : open)
      if (r.holders == 0)
        result = std::min(result, due_of(r));
    for (const auto& [key, since] : empty_since)
      if (live(key) == 0)
        result = std::min(result, tick_from(since + options.linger));
    return result;
  }

private:
  // The first tick that is neither before `t` nor now.
  time_point tick_from(time_point t) const {
    return tick_after(std::max(now, t - duration{1}));
  }
};

} // namespace modelled
