#pragma once

#include <steward/core/time.hpp>
#include <steward/messages/caf.hpp>

#include <cstdint>
#include <memory>

namespace steward {

/// One actor's place in the clock. `armed` is the clock's alone.
struct alarm {
  explicit alarm(caf::actor whom) : who(std::move(whom)) {
  }

  caf::actor who;
  time_point armed = never; ///< when it is next woken
};

/// To the clock: wake me at `at`, if not before.
struct arm {
  std::shared_ptr<alarm> whom;
  time_point at;
};

/// To whoever is due, from the clock. `now` never goes back.
struct cleanup_tick {
  std::uint64_t seq = 0; ///< counts the clock's ticks, without gaps
  time_point now;
};

/// To the clock: I did what was due; wake me next at `next` (`never`: not).
struct tick_done {
  std::shared_ptr<alarm> whom;
  time_point next;
};

/// To the clock: there is a pool with this tick.
struct clock_pool {
  duration tick;
};

/// To a clock without a timer: time goes on to `to`, tick by tick. Answered by
/// `advanced` after all who were due have answered.
struct advance {
  time_point to;
};

struct advanced {
  std::uint64_t ticks = 0; ///< so far
};

/// To the clock: be gone.
struct stop_clock {};

} // namespace steward

STEWARD_MESSAGE(steward::arm)
STEWARD_MESSAGE(steward::cleanup_tick)
STEWARD_MESSAGE(steward::tick_done)
STEWARD_MESSAGE(steward::clock_pool)
STEWARD_MESSAGE(steward::advance)
STEWARD_MESSAGE(steward::advanced)
STEWARD_MESSAGE(steward::stop_clock)
