#include <steward/core/supervision.hpp>

#include <steward/core/planted.hpp>

#include <algorithm>
#include <cassert>
#include <utility>

namespace steward {

supervision::supervision(shelf& place, const pool_options& options,
                         permits& budget,
                         std::atomic<std::uint64_t>& opened_seq,
                         cleanup_grid grid, time_point now)
  : shelf_(place), options_(options), budget_(budget), opened_seq_(opened_seq),
    grid_(grid), empty_since_(now) {
  shelf_.for_each([this](const slot& s) {
    switch (s.word().in()) { // unreached: any other phase, there is none
      case phase::closed: break;
      case phase::opening: ++opening_; break;
      case phase::open: ++open_; break;
      case phase::closing: ++closing_; break;
    }
  });
}

// -- requests -----------------------------------------------------------------

void supervision::acquire(request_id id, std::string_view params,
                          time_point deadline, time_point now, effects& out) {
  if (draining_)
    return refuse(id, errc::draining, now, out);
  auto tag = tag_of(params);
  waiter w{id, std::string{params}, tag, deadline};
  w.patient = in_line();
  // A free slot with these params means that no earlier waiter could use it:
  // whatever comes back while somebody waits passes through here first. // I7
  auto* free = w.patient ? nullptr
                         : shelf_.borrow(params, tag, shelf::as::supervisor);
  if (free != nullptr) {
    out.push_back(effect::answer{id, free, false});
    return;
  }
  if (deadline <= now)
    return refuse(id, errc::deadline_exceeded, now, out);
  auto what = w.patient ? promised::nothing : promise(w, out);
  w.patient = what == promised::nothing;
  w.leader = what == promised::to_lead;
  if (w.patient && waiters_.patient() >= options_.waiters_max)
    return refuse(id, errc::key_full, now, out);
  waiters_.push_back(std::move(w));
  call_attention();
  start_opens(out, now);
  settle(now, out);
}

void supervision::forget(request_id id, time_point now, effects& out) {
  auto i = std::find_if(waiters_.begin(), waiters_.end(),
                        [id](const waiter& w) { return w.id == id; });
  if (i != waiters_.end())
    remove(i);
  settle(now, out);
}

supervision::promised supervision::promise(waiter& w, effects& out) {
  w.opening = joinable(w);
  if (w.opening != nullptr || can_follow(w))
    return promised::to_share;
  return make_room(out) ? promised::to_lead : promised::nothing;
}

// Whether somebody waits for his turn who may not be overtaken.
bool supervision::in_line() const noexcept {
  return waiters_.patient() > 0
         && options_.when_full == full_policy::evict_idle;
}

// Whatever comes back can become what he waits for, if it may be evicted: so
// nobody behind him gets it, even where it does not suit him as it is. // I7
bool supervision::holds_up(const waiter& w) const noexcept {
  return w.patient && options_.when_full == full_policy::evict_idle
         && !STEWARD_PLANTED(overtakes_in_line);
}

// Closing slots are room to be: whoever is promised their place waits for the
// close. Promises that have not started count, or they would be made twice.
bool supervision::make_room(effects& out) {
  auto opening = STEWARD_PLANTED(limit_forgets_opening) ? 0 : opening_;
  auto most = options_.per_key_max
              + (STEWARD_PLANTED(limit_off_by_one) ? 1 : 0);
  if (opening + open_ + waiters_.leaders() < most)
    return true;
  if (options_.when_full == full_policy::reject)
    return false;
  for (;;) {
    auto victim = shelf_.least_recently_used();
    if (victim.place == nullptr)
      return false;
    if (try_close(*victim.place, victim.seen, close_reason::evicted, out))
      return true;
    // Somebody borrowed it just now: then it is not the oldest any more.
  }
}

// One open at a time where one would serve all who ask (single flight). Also an
// open whose request is gone: what it brings is anybody's.
slot* supervision::joinable(const waiter& w) {
  if (opening_ == 0)
    return nullptr;
  slot* result = nullptr;
  shelf_.for_each([&](slot& s) {
    if (result != nullptr || s.word().in() != phase::opening || s.late
        || !fits(w, s))
      return;
    auto bound
      = std::count_if(waiters_.begin(), waiters_.end(),
                      [&](const waiter& x) { return x.opening == &s; });
    if (static_cast<std::size_t>(bound) < options_.holders_max)
      result = &s;
  });
  return result;
}

bool supervision::can_follow(const waiter& w) const noexcept {
  if (options_.holders_max == 1 || waiters_.leaders() == 0)
    return false;
  std::size_t room = 0;
  std::size_t taken = 0;
  for (const auto& x : waiters_) {
    if (x.opening != nullptr || x.patient || x.tag != w.tag
        || x.params != w.params) // where tags collide, once in 2^64
      continue;
    taken += 1;
    room += x.leader ? options_.holders_max : 0;
  }
  return taken < room;
}

// Takes a waiter out; its promise goes to whoever depends on it.
waiting_line::iterator supervision::remove(waiting_line::iterator i) {
  auto gone = std::move(*i);
  auto next = waiters_.erase(i);
  if (gone.leader)
    pass_on(gone);
  return next;
}

// The first follower takes the lead; without one the promise lapses.
void supervision::pass_on(const waiter& from) {
  for (auto& w : waiters_) {
    if (w.opening == nullptr && !w.leader && !w.patient && w.tag == from.tag
        && w.params == from.params) { // else tags collide, as above
      waiters_.set_leader(w, true);
      return;
    }
  }
}

// -- opening ------------------------------------------------------------------

void supervision::start_opens(effects& out, time_point now) {
  std::size_t wanting = 0;
  auto leaders = waiters_.leaders();
  for (auto i = waiters_.begin(); leaders > 0; ++i) {
    auto& w = *i;
    if (!w.leader)
      continue;
    --leaders;
    if (live() + wanting >= options_.per_key_max // I1
        && !STEWARD_PLANTED(limit_forgets_opening)
        && !STEWARD_PLANTED(limit_off_by_one))
      break;
    // Once one lacks a permit the later ones do not overtake it.
    if (wanting == 0 && budget_.try_take())
      start_open(w, now, out);
    else
      ++wanting;
  }
  for (; asked_ < wanting; ++asked_)
    out.push_back(effect::ask_permit{});
}

// @pre a permit is ours
void supervision::start_open(waiter& w, time_point now, effects& out) {
  auto& s = shelf_.vacancy();
  s.begin_open(opened_seq_.fetch_add(1, std::memory_order_relaxed) + 1,
               w.params, now);
  ++opening_;
  w.opening = &s;
  waiters_.set_leader(w, false);
  std::size_t bound = 1;
  for (auto& x : waiters_) {
    if (bound >= options_.holders_max)
      break;
    if (x.opening == nullptr && !x.leader && !x.patient && fits(x, s)) {
      x.opening = &s;
      ++bound;
    }
  }
  out.push_back(effect::open_resource{&s});
}

void supervision::opened(slot& s, void* resource, time_point now,
                         effects& out) {
  --opening_;
  ++open_;
  if (budget_.limited())
    out.push_back(effect::report_opened{&s});
  if (s.late || draining_) {
    s.opened(resource, now, 0, true);
    if (STEWARD_PLANTED(late_open_kept))
      return;
    try_close(s, s.word(),
              s.late ? close_reason::stalled : close_reason::drained, out);
    return settle(now, out);
  }
  // With attention nobody borrows it before those who wait were served.
  s.opened(resource, now, 0, true);
  serve(s, options_.holders_max, true, out);
  if (waiters_.empty())
    s.set_attention(false);
  start_opens(out, now);
  settle(now, out);
}

void supervision::open_failed(slot& s, time_point now, effects& out) {
  s.open_failed();
  --opening_;
  refuse_if([&](const waiter& w) { return w.opening == &s; }, errc::open_failed,
            now, out);
  if (!STEWARD_PLANTED(permit_lost))
    put_permit(out);
  if (live() == 0)
    empty_since_ = now;
  start_opens(out, now);
  settle(now, out);
}

void supervision::permit_granted(time_point now, effects& out) {
  --asked_;
  auto first = std::find_if(waiters_.begin(), waiters_.end(),
                            [](const waiter& w) { return w.leader; });
  // unreached: no room, as nobody asks without, and it is kept. // I1
  if (first != waiters_.end() && live() < options_.per_key_max)
    start_open(*first, now, out);
  else
    put_permit(out);
  settle(now, out);
}

void supervision::permit_denied(time_point now, effects& out) {
  --asked_;
  auto first = std::find_if(waiters_.begin(), waiters_.end(),
                            [](const waiter& w) { return w.leader; });
  if (first != waiters_.end()) {
    auto id = first->id;
    remove(first);
    refuse(id, errc::total_full, now, out);
  }
  start_opens(out, now);
  settle(now, out);
}

void supervision::put_permit(effects& out) {
  if (!budget_.try_put())
    out.push_back(effect::return_permit{});
}

// -- serving who waits --------------------------------------------------------

// Lends `s` to the first who fit, in order of arrival, as long as there is
// room; how many that were. // I7
std::uint64_t supervision::serve(slot& s, std::uint64_t room, bool fresh,
                                 effects& out) {
  if (STEWARD_PLANTED(two_for_one))
    ++room;
  if (STEWARD_PLANTED(last_come_first_served))
    waiters_.reverse();
  std::uint64_t served = 0;
  std::vector<waiter> spare; // served by other means than were promised
  for (auto i = waiters_.begin(); i != waiters_.end() && served < room;) {
    if (!fits(*i, s)) {
      if (holds_up(*i))
        break;
      ++i;
      continue;
    }
    // unreached: somebody misses it between two lines, which the stepper tries
    while (!s.try_hold(s.word())) {
      // Attention keeps everybody away but who misses it, and that is once.
    }
    out.push_back(effect::answer{i->id, &s, fresh && served == 0});
    ++served;
    if (i->opening != &s && (fresh || i->leader))
      spare.push_back(*i);
    i = waiters_.erase(i);
  }
  // Who was promised this very open and came too late takes over the place of
  // one who was served before, be it that of a leader or of a follower: a
  // promise more than there were would be one that nothing under way can keep.
  for (auto i = waiters_.begin(); fresh && i != waiters_.end(); ++i) {
    if (i->opening != &s)
      continue;
    assert(!spare.empty()); // an open is promised to no more than may share it
    i->opening = spare.back().opening;
    waiters_.set_leader(*i, spare.back().leader);
    waiters_.set_patient(*i, spare.back().patient);
    spare.pop_back();
  }
  for (const auto& w : spare)
    if (w.leader)
      pass_on(w);
  return served;
}

// Sends everybody to this supervisor, then looks once more for what came back
// just before: nothing comes back unseen after that.
void supervision::call_attention() {
  if (attention_)
    return;
  attention_ = true;
  shelf_.for_each([](slot& s) {
    if (s.word().in() == phase::open)
      s.set_attention(true);
  });
}

void supervision::serve_in_order(effects& out) {
  for (auto i = waiters_.begin(); i != waiters_.end();) {
    if (auto* s = shelf_.borrow(i->params, i->tag, shelf::as::supervisor)) {
      out.push_back(effect::answer{i->id, s, false});
      i = remove(i);
      continue;
    }
    if (i->patient) {
      auto what = promise(*i, out);
      waiters_.set_patient(*i, what == promised::nothing);
      waiters_.set_leader(*i, what == promised::to_lead);
    }
    if (holds_up(*i))
      return;
    ++i;
  }
}

std::optional<std::string_view> supervision::wanted_by_all() const {
  if (waiters_.empty() || waiters_.patient() < waiters_.size()
      || waiters_.kinds() > 1 || opening_ + closing_ + asked_ > 0)
    return std::nullopt;
  const auto& first = *waiters_.begin();
  auto same = std::all_of(waiters_.begin(), waiters_.end(), [&](const auto& w) {
    return w.params == first.params; // else tags collide, as above
  });
  shelf_.for_each([&](const slot& s) {
    auto doomed = s.doom && !STEWARD_PLANTED(doom_passed_on);
    if (s.word().in() == phase::open && (doomed || !fits(first, s)))
      same = false;
  });
  if (!same)
    return std::nullopt;
  return first.params;
}

void supervision::take_back(request_id id, std::string_view params,
                            time_point deadline) {
  waiter w{id, std::string{params}, tag_of(params), deadline};
  w.patient = true;
  waiters_.push_back(std::move(w));
}

void supervision::released(slot& s, bool healthy, time_point now,
                           effects& out) {
  if (!healthy && !s.doom && !STEWARD_PLANTED(unhealthy_kept))
    s.doom = close_reason::unhealthy;
  if (STEWARD_PLANTED(doom_forgotten))
    s.doom.reset();
  if (draining_ && !s.doom)
    s.doom = close_reason::drained;
  if (s.doom)
    s.set_attention(true);
  auto left = s.drop_hold();
  if (s.doom) {
    if (left == 0)
      try_close(s, s.word(), *s.doom, out);
  } else if (serve(s, options_.holders_max - left, false, out) + left == 0
             && s.word().missed() && !STEWARD_PLANTED(missed_forgotten)) {
    out.push_back(effect::report_idle{s.id()});
  }
  start_opens(out, now);
  settle(now, out);
}

// -- answers ------------------------------------------------------------------

rejection figures_of(shelf& place, const pool_options& options,
                     const cleanup_grid& grid, time_point now) {
  rejection result;
  auto next = never;
  place.for_each([&](const slot& s) {
    auto w = s.word();
    result.open += w.in() != phase::closed ? 1u : 0u;
    if (w.in() != phase::open)
      return;
    if (w.holders() != 0)
      ++result.leased;
    else
      next = std::min(next, next_due(s, options, grid, now));
  });
  if (next != never)
    result.retry_after_ms = std::chrono::ceil<std::chrono::milliseconds>(
                              std::max(next - now, duration{0}))
                              .count();
  return result;
}

void supervision::refuse(request_id id, errc why, time_point now,
                         effects& out) {
  auto figures = figures_of(shelf_, options_, grid_, now);
  if (why == errc::key_full && options_.waiters_max > 0) {
    figures.limit = "waiters_max";
    figures.limit_value = options_.waiters_max;
  } else if (why == errc::key_full) {
    figures.limit = "per_key_max";
    figures.limit_value = options_.per_key_max;
  } else if (why == errc::total_full) {
    figures.limit = "total_max";
    figures.limit_value = options_.total_max;
  }
  figures.open = live(); // without what a drain revoked
  figures.waiting = waiters_.size();
  out.push_back(effect::reject{id, why, figures});
}

// The end of every event: what must hold between events is made to hold.
void supervision::settle(time_point now, effects& out) {
  if (attention_ && !draining_) {
    serve_in_order(out);
    start_opens(out, now);
    if (waiters_.empty()) {
      attention_ = false;
      shelf_.for_each([](slot& s) {
        if (s.word().in() == phase::open && !s.doom)
          s.set_attention(false);
      });
    }
  }
  if (draining_ && live() == 0 && asked_ == 0)
    out.push_back(effect::passivate{});
}

} // namespace steward
