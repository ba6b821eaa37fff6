#include <steward/core/cleanup.hpp>

#include <steward/core/planted.hpp>

#include <algorithm>

namespace steward {

time_point cleanup_grid::next(time_point due, time_point now) const noexcept {
  auto t = std::max(due, later(now, duration{1}));
  if (t == never || t <= origin_)
    return t == never ? never : origin_;
  auto ticks = (t - origin_ + tick_ - duration{1}) / tick_;
  return later(origin_, ticks * tick_);
}

time_point next_due(const slot& s, const pool_options& options,
                    const cleanup_grid& grid, time_point now) noexcept {
  auto w = s.word();
  if (w.in() == phase::opening)
    return s.late ? never : later(s.opened_at(), options.open_timeout);
  if (w.in() != phase::open)
    return never;
  // Whoever holds it says nothing when it comes back: it cannot have been idle
  // for long before `now + idle_timeout`.
  auto idle_since = w.holders() != 0 ? now : s.last_used();
  return grid.next(std::min(later(idle_since, options.idle_timeout),
                            later(s.opened_at(), options.max_lifetime)),
                   now);
}

std::optional<close_reason> due_reason(const slot& s, slot_word seen,
                                       const pool_options& options,
                                       time_point point,
                                       time_point now) noexcept {
  if (seen.in() != phase::open || seen.holders() != 0)
    return std::nullopt;
  auto used = STEWARD_PLANTED(idle_since_open)  ? s.opened_at()
              : STEWARD_PLANTED(idle_too_early) ? s.last_used() - options.tick
              : STEWARD_PLANTED(idle_too_late)  ? s.last_used() + duration{1}
                                                : s.last_used();
  if (later(used, options.idle_timeout) <= point)
    return close_reason::idle;
  auto born = STEWARD_PLANTED(old_too_early)  ? s.opened_at() - options.tick
              : STEWARD_PLANTED(old_too_late) ? s.opened_at() + duration{1}
                                              : s.opened_at();
  if (later(born, options.max_lifetime) > point)
    return std::nullopt;
  // What was held at that point comes due at the next one: who looks after it
  // may have been woken for something else, and not know who looked before.
  if (now > point && s.last_used() >= point)
    return std::nullopt;
  return close_reason::lifetime;
}

} // namespace steward
