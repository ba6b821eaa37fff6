#include <steward/actors/attending.hpp>

#include <steward/actors/bookkeeping.hpp>
#include <steward/core/cleanup.hpp>
#include <steward/core/planted.hpp>
#include <steward/core/supervision.hpp>
#include <steward/messages/budget.hpp>
#include <steward/messages/drain.hpp>
#include <steward/messages/errors.hpp>
#include <steward/messages/open.hpp>
#include <steward/messages/tick.hpp>

#include <algorithm>
#include <functional>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace steward {

namespace {

using entry_ptr = std::shared_ptr<key_entry>;
using rest = key_home::rest;
using found = key_home::found;

struct taken {
  slot* place;
  close_reason why;
  bool claimed = false; // from the budget, for its permit
};

// When a sleeping key is next due. One without resources leaves, so there is
// nothing else to wait for.
time_point next_due(key_entry& key, time_point now) {
  const auto& pool = *key.pool;
  auto result = never;
  key.place.for_each([&](const slot& s) {
    if (s.word().in() == phase::open)
      result = std::min(result, next_due(s, pool.options, pool.grid, now));
  });
  return result;
}

void arm_clock(const entry_ptr& key, time_point next) {
  if (next != never)
    key->pool->arm_clock(key, next);
}

// Tells the clock when the key is next due, if it does not know of anything
// before that. What it was told for a time that is over is over.
void tell_clock(const entry_ptr& key, time_point next, time_point now) {
  if (next == never || (next >= key->armed_at && key->armed_at > now))
    return;
  key->armed_at = next;
  arm_clock(key, next);
}

// Takes the resource `id`, if it is idle.
slot* take(shelf& from, std::uint64_t id) {
  slot* result = nullptr;
  from.for_each([&](slot& s) {
    if (result == nullptr && s.id() == id && s.try_take(s.word()))
      result = &s;
  });
  return result;
}

// -- closing ------------------------------------------------------------------

// How a close ended: here, or by a message to a supervisor that woke meanwhile.
struct close_end {
  bool here = false;
  time_point next = never; // when to look at the key again
};

// Marks a slot as closed. Whoever gets `next` tells the clock.
close_end mark_closed(const entry_ptr& key, const taken& x) {
  auto& pool = *key->pool;
  auto id = x.place->id();
  close_end result{true, never};
  auto mark = [&] {
    // Before the key can be seen to leave: who drains reads the counters then.
    book_closed(*key, id, x.why);
    x.place->finish_close();
    if (key->place.live() == 0)
      return rest::leaves;
    result.next = next_due(*key, pool.time->now());
    key->armed_at = result.next;
    return rest::stays;
  };
  auto home = pool.home.lock();
  switch (home == nullptr ? found::gone : home->while_asleep(*key, mark)) {
    case found::asleep: break;
    case found::gone: book_closed(*key, id, x.why); break; // abandoned
    case found::busy:
      if (x.claimed)
        pool.budget->left_to_owner({key, x.place, id});
      key->wake(caf::make_message(closed{x.place, x.why, false}));
      return {};
  }
  return result;
}

// In this order: a budget that misses the resource before it has the permit
// would ask for another one.
void put_permit_of(pool_context& pool, std::uint64_t id) {
  pool.put_permit();
  if (pool.budget)
    pool.budget->closed(id);
}

// Closes what was taken. When to look at the key again; nothing if that is yet
// to be known, as it is closed by a worker, which arms the clock after it.
std::optional<time_point> close(const entry_ptr& key, const taken& x) {
  auto go = [key, x] {
    auto id = x.place->id();
    close_resource_of(*key, *x.place, x.why, false);
    return [key, x, id] {
      auto end = mark_closed(key, x);
      if (end.here)
        put_permit_of(*key->pool, id);
      return end.next;
    };
  };
  if (!key->pool->opener->blocks())
    return go()();
  key->pool->runner->run(job{
    [key, go] { return [key, end = go()] { arm_clock(key, end()); }; }, true});
  return std::nullopt;
}

// The last word is that of the last close that has ended: others of the key are
// not to wait for those that have not.
time_point close_all(const entry_ptr& key, const std::vector<taken>& all,
                     time_point otherwise) {
  for (const auto& x : all)
    otherwise = close(key, x).value_or(otherwise);
  return otherwise;
}

// -- requests -----------------------------------------------------------------

// Closes a resource of a key that is attended to. Its permit is the caller's.
void close_own(key_entry& key, slot& s) {
  close_resource_of(key, s, close_reason::evicted, false);
  book_closed(key, s.id(), close_reason::evicted);
  s.finish_close();
}

// Closes the least recently used idle resource; whether there was one.
bool evict_one(key_entry& key) {
  auto victim = key.place.least_recently_used();
  if (victim.place == nullptr || !victim.place->try_take(victim.seen))
    return false;
  auto id = victim.place->id();
  close_own(key, *victim.place);
  if (key.pool->budget)
    key.pool->budget->closed(id);
  return true;
}

using claimed = total_budget::book::claimed;

enum class claim_end { closed, in_use, left_to_owner };

// Closes a resource of another key, if that sleeps.
claim_end close_of_another(key_home& home, const entry_ptr& owner,
                           const claimed& x) {
  auto& all = *owner->pool->budget;
  slot* place = nullptr;
  auto state = home.while_asleep(*owner, [&] {
    place = take(owner->place, x.id);
    return rest::stays;
  });
  if (state == found::busy) {
    all.left_to_owner(x);
    if (owner->tell(caf::make_message(give_up{x.id})))
      return claim_end::left_to_owner;
    all.kept(x.id); // it fell asleep meanwhile
    return claim_end::in_use;
  }
  if (place == nullptr) {
    all.put_back(x);
    return claim_end::in_use;
  }
  close_resource_of(*owner, *place, close_reason::evicted, false);
  auto end = mark_closed(owner, {place, close_reason::evicted, true});
  if (!end.here)
    return claim_end::left_to_owner;
  arm_clock(owner, end.next);
  return claim_end::closed;
}

// The same where the other key is this one.
claim_end close_claimed(key_home& home, key_entry& key, const claimed& x) {
  // Nobody else has this pool's budget.
  auto owner = std::static_pointer_cast<key_entry>(x.owner);
  if (owner.get() != &key)
    return close_of_another(home, owner, x);
  auto* own = take(key.place, x.id);
  if (own == nullptr) {
    key.pool->budget->put_back(x);
    return claim_end::in_use;
  }
  close_own(key, *own);
  return claim_end::closed;
}

// Gets the permit of the least recently used idle resource of all keys, which is
// closed for it.
bool take_permit_of_another(key_home& home, key_entry& key) {
  // What looked idle may be in use again. Who loses that race so often leaves it
  // to a supervisor, which waits.
  constexpr int tries_max = 4;
  auto luck = std::hash<std::string_view>{}(key.place.key());
  for (int tries = 0; tries < tries_max; ++tries) {
    auto victim = key.pool->budget->claim(luck);
    if (!victim)
      return false;
    auto end = close_claimed(home, key, *victim);
    if (end != claim_end::in_use)
      return end == claim_end::closed;
  }
  return false;
}

// Whether there is room for one more, and a permit: a new one, or that of what
// made room.
bool make_room(key_home& home, key_entry& key) {
  auto& pool = *key.pool;
  if (pool.backlog != nullptr && *pool.backlog >= pool.backlog_max)
    return false;
  if (key.place.live() < pool.options.per_key_max) // I1
    return pool.budget_permits.try_take() || take_permit_of_another(home, key);
  return pool.options.when_full == full_policy::evict_idle && evict_one(key);
}

caf::expected<hold> open_one(const entry_ptr& key, std::string_view params) {
  auto& pool = *key->pool;
  auto now = pool.time->now();
  auto& s = key->place.vacancy();
  s.begin_open(pool.opened_seq.fetch_add(1, std::memory_order_relaxed) + 1,
               params, now);
  pool.counters.opening();
  auto outcome = pool.opener->open({key->place.key(), s.params(), s.id()});
  now = pool.time->now();
  if (outcome.resource == nullptr) {
    book_open_failed(*key, s, outcome.error);
    pool.counters.rejected();
    s.open_failed();
    if (!STEWARD_PLANTED(permit_lost_asleep))
      pool.put_permit();
    auto figures = figures_of(key->place, pool.options, pool.grid, now);
    figures.open_in_pool = pool.counters.read().open;
    return make_error(errc::open_failed,
                      whereabouts(*key) + ": " + outcome.error, figures);
  }
  book_opened(*key, s);
  s.opened(outcome.resource, now, 1, false);
  if (pool.budget && !STEWARD_PLANTED(unknown_to_budget))
    pool.budget->opened(key, s);
  return hold{&s, true};
}

} // namespace

std::optional<caf::expected<hold>>
attend_acquire(key_home& home, std::string_view text, std::string_view params) {
  auto key = home.attend(text);
  if (key == nullptr)
    return std::nullopt;
  std::optional<caf::expected<hold>> result;
  if (auto* s = key->place.borrow(params, tag_of(params),
                                  shelf::as::supervisor))
    result.emplace(hold{s});
  else if (make_room(home, *key))
    result.emplace(open_one(key, params));
  auto now = key->pool->time->now();
  tell_clock(key, next_due(*key, now), now);
  home.attended(*key);
  return result;
}

time_point attend_tick(const entry_ptr& key, time_point now) {
  auto& pool = *key->pool;
  auto home = pool.home.lock();
  if (home == nullptr)
    return never;
  std::vector<taken> due;
  auto next = never;
  auto point = pool.grid.last(now);
  auto state = home->while_asleep(*key, [&] {
    key->place.for_each([&](slot& s) {
      auto seen = s.word();
      auto why = due_reason(s, seen, pool.options, point, now);
      if (why && s.try_take(seen))
        due.push_back({&s, *why});
    });
    next = next_due(*key, now);
    key->armed_at = next;
    return rest::stays;
  });
  if (state == found::gone)
    return never;
  if (state == found::busy) // look again
    return pool.grid.next(now, now);
  return close_all(key, due, next);
}

void attend_give_up(const entry_ptr& key, std::uint64_t id) {
  auto& pool = *key->pool;
  auto home = pool.home.lock();
  if (home == nullptr)
    return;
  slot* given = nullptr;
  auto state = home->while_asleep(*key, [&] {
    given = take(key->place, id);
    return rest::stays;
  });
  if (state == found::busy)
    key->wake(caf::make_message(give_up{id}));
  else if (given == nullptr)
    pool.budget->kept(id);
  else
    arm_clock(key, close(key, {given, close_reason::evicted}).value_or(never));
}

void attend_drain(const entry_ptr& key) {
  auto home = key->pool->home.lock();
  if (home == nullptr)
    return;
  std::vector<taken> idle;
  bool held = false;
  auto state = home->while_asleep(*key, [&] {
    key->place.for_each([&](slot& s) {
      if (s.word().in() != phase::open)
        return;
      if (s.try_take(s.word()))
        idle.push_back({&s, close_reason::drained});
      else
        held = true;
    });
    return rest::stays;
  });
  if ((held || state == found::busy) && !STEWARD_PLANTED(sleepers_not_told))
    key->wake(caf::make_message(drain{}));
  close_all(key, idle, never);
}

} // namespace steward
