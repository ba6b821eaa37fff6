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
#include <utility>
#include <vector>

namespace steward {

namespace {

using entry_ptr = std::shared_ptr<key_entry>;
using rest = key_home::rest;

struct taken {
  slot* place;
  close_reason why;
};

bool has_resources(key_entry& key) {
  bool result = false;
  key.place.for_each(
    [&](const slot& s) { result = result || s.word().in() != phase::closed; });
  return result;
}

// When a sleeping key is next due; its entry leaves when it has lingered, or
// when the pool drains.
time_point next_due(key_entry& key, time_point now) {
  const auto& pool = *key.pool;
  if (!has_resources(key))
    return pool.grid.next(later(key.empty_since, pool.options.linger), now);
  auto result = never;
  key.place.for_each([&](const slot& s) {
    if (s.word().in() == phase::open)
      result = std::min(result, next_due(s, pool.options, pool.grid, now));
  });
  return result;
}

void arm_clock(const entry_ptr& key, time_point next) {
  if (next == never)
    return;
  key->pool->hint->lower(next);
  cafx::send_anon(key->pool->clock, arm{key, next});
}

// Tells the clock when the key is next due, if it does not know of anything
// before that. What it was told for a time that is over is over.
void tell_clock(const entry_ptr& key, time_point next, time_point now) {
  if (next == never || (next >= key->armed_at && key->armed_at > now))
    return;
  key->armed_at = next;
  arm_clock(key, next);
}

void put_permit(pool_context& pool) {
  if (!pool.budget_permits.try_put())
    cafx::send_anon(pool.budget, permit_returned{});
}

bool has_lingered(key_entry& key, time_point now) {
  const auto& pool = *key.pool;
  return !has_resources(key)
         && later(key.empty_since, pool.options.linger) <= pool.grid.last(now);
}

// Marks a slot as closed; when the key is next due, if it is asleep.
std::optional<time_point> finish(const entry_ptr& key, const taken& x) {
  auto& pool = *key->pool;
  auto home = pool.home.lock();
  auto id = x.place->id();
  std::optional<time_point> next;
  auto mark = [&] {
    x.place->finish_close();
    auto now = pool.time->now();
    if (!has_resources(*key)) {
      key->empty_since = now;
      if (home->closed())
        return rest::leaves;
    }
    next = next_due(*key, now);
    key->armed_at = *next; // whoever gets it tells the clock
    return rest::stays;
  };
  // Booked before the key can be seen to leave: who drains reads the counters
  // then.
  auto book_and_mark = [&] {
    book_closed(*key, id, x.why);
    return mark();
  };
  auto found = home == nullptr ? key_home::found::gone
                               : home->while_asleep(*key, book_and_mark);
  if (found == key_home::found::busy) { // then it is the supervisor's business
    key->wake(caf::make_message(closed{x.place, x.why, false}));
    return std::nullopt;
  }
  if (found == key_home::found::gone) // abandoned
    book_closed(*key, id, x.why);
  // In this order: a budget that misses the resource before it has the permit
  // would ask for another one.
  put_permit(pool);
  if (pool.budget_permits.limited() && pool.budget)
    cafx::send_anon(pool.budget, budget_closed{id});
  return next;
}

// Closes what was taken: here, or on a worker, which arms the clock after it.
std::optional<time_point> close_all(const entry_ptr& key,
                                    const std::vector<taken>& all) {
  std::optional<time_point> result;
  for (const auto& x : all) {
    if (!key->pool->opener->blocks()) {
      close_resource_of(*key, *x.place, x.why, false);
      result = finish(key, x);
      continue;
    }
    key->pool->runner->run(job{[key, x] {
                                 close_resource_of(*key, *x.place, x.why,
                                                   false);
                                 return [key, x] {
                                   auto next = finish(key, x);
                                   if (next)
                                     arm_clock(key, *next);
                                 };
                               },
                               true});
  }
  return result;
}

// -- requests -----------------------------------------------------------------

// Closes the least recently used idle resource; whether there was one.
bool evict_one(key_entry& key) {
  auto victim = key.place.least_recently_used();
  if (victim.place == nullptr || !victim.place->try_take(victim.seen))
    return false;
  auto& s = *victim.place;
  close_resource_of(key, s, close_reason::evicted, false);
  book_closed(key, s.id(), close_reason::evicted);
  if (key.pool->budget_permits.limited())
    cafx::send_anon(key.pool->budget, budget_closed{s.id()});
  s.finish_close();
  return true;
}

// Whether there is room for one more, and a permit: a new one, or that of what
// made room.
bool make_room(key_entry& key) {
  auto& pool = *key.pool;
  if (pool.backlog != nullptr && *pool.backlog >= pool.backlog_max)
    return false;
  std::size_t live = 0;
  key.place.for_each(
    [&](const slot& s) { live += s.word().in() != phase::closed ? 1u : 0u; });
  if (live < pool.options.per_key_max) // I1
    return pool.budget_permits.try_take();
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
    put_permit(pool);
    if (!has_resources(*key))
      key->empty_since = now;
    auto figures = figures_of(key->place, pool.options, pool.grid, now);
    figures.open_in_pool = pool.counters.read().open;
    return make_error(errc::open_failed,
                      fmt::format("key \"{}\" of pool \"{}\": {}",
                                  key->place.key(), pool.options.name,
                                  outcome.error),
                      figures);
  }
  book_opened(*key, s);
  s.opened(outcome.resource, now, 1, false);
  if (pool.budget_permits.limited())
    cafx::send_anon(pool.budget, budget_opened{key, &s, s.id(), s.last_used()});
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
  else if (make_room(*key))
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
  auto found = home->while_asleep(*key, [&] {
    if (has_lingered(*key, now))
      return rest::leaves;
    key->place.for_each([&](slot& s) {
      auto seen = s.word();
      auto why = due_reason(s, seen, pool.options, point);
      if (why && s.try_take(seen))
        due.push_back({&s, *why});
    });
    next = next_due(*key, now);
    key->armed_at = next;
    return rest::stays;
  });
  if (found == key_home::found::gone)
    return never;
  if (found == key_home::found::busy) // look again
    return pool.grid.next(now, now);
  if (auto after = close_all(key, due))
    next = *after;
  return next;
}

void attend_give_up(const entry_ptr& key, std::uint64_t id) {
  auto& pool = *key->pool;
  auto home = pool.home.lock();
  if (home == nullptr)
    return;
  std::vector<taken> given;
  auto found = home->while_asleep(*key, [&] {
    key->place.for_each([&](slot& s) {
      if (given.empty() && s.id() == id && s.try_take(s.word()))
        given.push_back({&s, close_reason::evicted});
    });
    return rest::stays;
  });
  if (found == key_home::found::busy)
    return key->wake(caf::make_message(give_up{id}));
  if (given.empty())
    return cafx::send_anon(pool.budget, kept{id});
  if (auto next = close_all(key, given))
    arm_clock(key, *next);
}

void attend_drain(const entry_ptr& key) {
  auto home = key->pool->home.lock();
  if (home == nullptr)
    return;
  std::vector<taken> idle;
  bool held = false;
  auto found = home->while_asleep(*key, [&] {
    key->place.for_each([&](slot& s) {
      if (s.word().in() != phase::open)
        return;
      if (s.try_take(s.word()))
        idle.push_back({&s, close_reason::drained});
      else
        held = true;
    });
    return has_resources(*key) ? rest::stays : rest::leaves;
  });
  if (held || found == key_home::found::busy)
    key->wake(caf::make_message(drain{}));
  close_all(key, idle);
}

} // namespace steward
