#pragma once

#include <steward/core/close_reason.hpp>
#include <steward/core/pool_options.hpp>
#include <steward/core/shelf.hpp>
#include <steward/core/time.hpp>

#include <optional>

namespace steward {

/// When a pool cleans up: at origin + n * tick.
class cleanup_grid {
public:
  cleanup_grid(time_point origin, duration tick) noexcept
    : origin_(origin), tick_(tick) {
  }

  /// The last point at or before `now`. @pre `now` is not before the origin
  time_point last(time_point now) const noexcept {
    return now - (now - origin_) % tick_;
  }

  /// The first point at or after `due` that is after `now`: what was due before,
  /// but in use then, is due at the next one.
  time_point next(time_point due, time_point now) const noexcept;

private:
  time_point origin_;
  duration tick_;
};

/// When `tick` is next needed for this slot; `never` if nothing can come due.
time_point next_due(const slot& s, const pool_options& options,
                    const cleanup_grid& grid, time_point now) noexcept;

/// Why an idle slot, seen as `seen`, has to be closed at this point of the grid,
/// the last one at `now`, if it has. A use since makes `try_take(seen)` fail. // I5
std::optional<close_reason> due_reason(const slot& s, slot_word seen,
                                       const pool_options& options,
                                       time_point point,
                                       time_point now) noexcept;

} // namespace steward
