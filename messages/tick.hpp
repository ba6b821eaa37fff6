#pragma once

#include <steward/core/time.hpp>
#include <steward/messages/caf.hpp>
#include <steward/messages/recipient.hpp>

#include <cstdint>
#include <future>
#include <memory>
#include <utility>
#include <vector>

namespace steward {

/// To the clock: there are alarms before the next beat.
struct collect_alarms {};

/// To whoever is due, from the clock. `now` never goes back.
struct cleanup_tick {
  std::uint64_t seq = 0; ///< counts the clock's ticks, without gaps
  time_point now;
};

/// To the clock: I did what was due; wake me next at `next` (`never`: not).
struct tick_done {
  std::shared_ptr<recipient> whom;
  time_point next;
};

/// To a caretaker, from the clock: these are due and asleep. Answered by
/// `attended`.
struct attend {
  std::vector<std::shared_ptr<recipient>> whom;
  cleanup_tick tick;
};

/// To the clock: who of them is due next, and when.
struct attended {
  std::vector<std::pair<std::shared_ptr<recipient>, time_point>> next;
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

/// The same, of a thread that waits for the promise: it is kept by then, or
/// dropped with the message.
struct advance_for_thread {
  time_point to;
  std::shared_ptr<std::promise<void>> done;
};

/// To the clock: be gone.
struct stop_clock {};

} // namespace steward

STEWARD_MESSAGE(steward::collect_alarms)
STEWARD_MESSAGE(steward::cleanup_tick)
STEWARD_MESSAGE(steward::tick_done)
STEWARD_MESSAGE(steward::attend)
STEWARD_MESSAGE(steward::attended)
STEWARD_MESSAGE(steward::clock_pool)
STEWARD_MESSAGE(steward::advance)
STEWARD_MESSAGE(steward::advanced)
STEWARD_MESSAGE(steward::advance_for_thread)
STEWARD_MESSAGE(steward::stop_clock)
