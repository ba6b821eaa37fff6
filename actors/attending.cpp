#include <steward/actors/attending.hpp>

#include <steward/actors/bookkeeping.hpp>
#include <steward/core/cleanup.hpp>
#include <steward/core/planted.hpp>
#include <steward/messages/budget.hpp>
#include <steward/messages/drain.hpp>
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
    result = std::min(result, next_due(s, pool.options, pool.grid, now));
  });
  return result;
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
    return rest::stays;
  };
  // Booked before the key can be seen to leave: who drains reads the counters
  // then.
  auto book_and_mark = [&] {
    book_closed(*key, id, x.why);
    return mark();
  };
  if (home == nullptr || !home->while_asleep(*key, book_and_mark)) {
    if (home != nullptr
        && home->tell(*key, caf::make_message(closed{x.place, x.why, false})))
      return std::nullopt;
    book_closed(*key, id, x.why); // abandoned
  }
  // In this order: a budget that misses the resource before it has the permit
  // would ask for another one.
  if (!pool.budget_permits.try_put())
    cafx::send_anon(pool.budget, permit_returned{});
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
    key->pool->runner->run(
      job{[key, x] {
            close_resource_of(*key, *x.place, x.why, false);
            return [key, x] {
              auto next = finish(key, x);
              if (!next || *next == never)
                return;
              key->pool->hint->lower(*next);
              cafx::send_anon(key->pool->clock, arm{key, *next});
            };
          },
          true});
  }
  return result;
}

} // namespace

std::optional<time_point> attend_tick(const entry_ptr& key, time_point now) {
  auto& pool = *key->pool;
  auto home = pool.home.lock();
  if (home == nullptr)
    return never;
  std::vector<taken> due;
  auto next = never;
  auto point = pool.grid.last(now);
  auto asleep = home->while_asleep(*key, [&] {
    if (has_lingered(*key, now))
      return rest::leaves;
    key->place.for_each([&](slot& s) {
      auto seen = s.word();
      auto why = due_reason(s, seen, pool.options, point);
      if (why && s.try_take(seen))
        due.push_back({&s, *why});
    });
    next = next_due(*key, now);
    return rest::stays;
  });
  if (!asleep)
    return std::nullopt;
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
  auto asleep = home->while_asleep(*key, [&] {
    key->place.for_each([&](slot& s) {
      if (given.empty() && s.id() == id && s.try_take(s.word()))
        given.push_back({&s, close_reason::evicted});
    });
    return rest::stays;
  });
  if (!asleep)
    return key->wake(caf::make_message(give_up{id}));
  if (given.empty())
    return cafx::send_anon(pool.budget, kept{id});
  auto next = close_all(key, given);
  if (!next || *next == never)
    return;
  pool.hint->lower(*next);
  cafx::send_anon(pool.clock, arm{key, *next});
}

void attend_drain(const entry_ptr& key) {
  auto home = key->pool->home.lock();
  if (home == nullptr)
    return;
  std::vector<taken> idle;
  bool held = false;
  home->while_asleep(*key, [&] {
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
  if (held)
    key->wake(caf::make_message(drain{}));
  close_all(key, idle);
}

} // namespace steward
