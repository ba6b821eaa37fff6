// What of supervision closes resources, and when. The rest is in
// supervision.cpp.

#include <steward/core/planted.hpp>
#include <steward/core/supervision.hpp>

#include <algorithm>
#include <utility>

namespace steward {

// -- closing ------------------------------------------------------------------

bool supervision::try_close(slot& s, slot_word seen, close_reason why,
                            effects& out) {
  if (!s.try_take(seen))
    return false;
  start_close(s, why, nullptr, false, out);
  return true;
}

void supervision::start_close(slot& s, close_reason why,
                              std::shared_ptr<void> keep, bool revoked,
                              effects& out) {
  --open_;
  ++closing_;
  if (STEWARD_PLANTED(permit_back_too_early))
    put_permit(out);
  out.push_back(effect::close_resource{&s, why, revoked, std::move(keep)});
}

void supervision::closed(slot& s, bool revoked, time_point now, effects& out) {
  // A revoked slot stays as it is: its holders still have to come back.
  if (!revoked)
    s.finish_close();
  --closing_;
  // In this order: a budget that misses the resource before it has the permit
  // would ask for another one.
  if (!STEWARD_PLANTED(permit_back_too_early))
    put_permit(out);
  if (budget_.limited())
    out.push_back(effect::report_closed{s.id()});
  if (live() == 0)
    empty_since_ = now;
  if (STEWARD_PLANTED(close_wakes_nobody))
    return;
  start_opens(out, now);
  settle(now, out);
}

std::size_t supervision::evict(time_point now, effects& out) {
  std::size_t result = 0;
  shelf_.for_each([&](slot& s) {
    if (s.word().in() != phase::open)
      return;
    ++result;
    if (!s.doom)
      s.doom = close_reason::requested;
    s.set_attention(true);
    // From here on it comes back by message, unless it is back already.
    try_close(s, s.word(), *s.doom, out);
  });
  settle(now, out);
  return result;
}

bool supervision::give_up(std::uint64_t id, effects& out) {
  bool result = false;
  shelf_.for_each([&](slot& s) {
    if (STEWARD_PLANTED(asked_then_taken) && s.id() == id
        && s.word().in() == phase::open && s.word().holders() > 0) {
      s.revoke(nullptr);
      start_close(s, close_reason::evicted, std::make_shared<int>(), true, out);
      result = true;
    }
    if (!result && s.id() == id && !s.doom)
      result = try_close(s, s.word(), close_reason::evicted, out);
  });
  return result;
}

void supervision::drain(time_point now, effects& out) {
  draining_ = true;
  if (STEWARD_PLANTED(drain_drops_waiters))
    waiters_ = {};
  refuse_if([](const waiter&) { return true; }, errc::draining, now, out);
  call_attention();
  shelf_.for_each([&](slot& s) {
    if (STEWARD_PLANTED(drain_leaves_open) && s.try_take(s.word())) {
      s.finish_close();
      --open_;
    }
    if (s.word().in() == phase::open)
      try_close(s, s.word(), s.doom.value_or(close_reason::drained), out);
  });
  settle(now, out);
}

// -- time ---------------------------------------------------------------------

void supervision::tick(time_point now, effects& out) {
  expire(now, out);
  // Cleanup is on the grid; a deadline may be between two of its points.
  auto point = grid_.last(now);
  close_due(point, now, out);
  settle(now, out);
  // While draining, `settle` sees to that.
  if (!draining_ && empty() && asked_ == 0
      && later(empty_since_, options_.linger) <= point)
    out.push_back(effect::passivate{});
}

void supervision::expire(time_point now, effects& out) {
  if (STEWARD_PLANTED(deadline_rearmed))
    for (auto& w : waiters_)
      if (w.deadline <= now && w.deadline.time_since_epoch().count() % 2 == 0)
        waiters_.put_off(w, later(now, duration{999'999'999}));
  if (waiters_.first_deadline() <= now)
    refuse_if([&](const waiter& w) { return w.deadline <= now; },
              errc::deadline_exceeded, now, out);
  if (opening_ == 0)
    return;
  shelf_.for_each([&](slot& s) {
    if (s.word().in() != phase::opening || s.late
        || later(s.opened_at(), options_.open_timeout) > now)
      return;
    s.late = true;
    refuse_if([&](const waiter& w) { return w.opening == &s; },
              errc::open_timed_out, now, out);
  });
}

void supervision::close_due(time_point point, time_point now, effects& out) {
  shelf_.for_each([&](slot& s) {
    auto seen = s.word();
    if (auto why = due_reason(s, seen, options_, point, now))
      try_close(s, seen, *why, out);
  });
}

time_point supervision::next_due(time_point now) const {
  auto result = waiters_.first_deadline();
  shelf_.for_each([&](const slot& s) {
    result = std::min(result, steward::next_due(s, options_, grid_, now));
  });
  if (!draining_ && live() == 0 && waiters_.empty())
    result = std::min(result,
                      grid_.next(later(empty_since_, options_.linger), now));
  return result;
}

bool supervision::quiet() const noexcept {
  auto result = waiters_.empty() && opening_ == 0 && closing_ == 0
                && asked_ == 0 && !attention_; // as who drains calls
  shelf_.for_each([&](const slot& s) {
    auto w = s.word();
    if (w.in() == phase::open && (s.doom || w.attention()))
      result = false;
  });
  return result;
}

} // namespace steward
