#pragma once

#include <chrono>

namespace steward {

/// The time line that all decisions are made on. It has no `now()`: time is an
/// argument in core/, and a `timepiece` is the only thing that reads it.
/// Points count from the Unix epoch, never go back, and leave out time during
/// which the whole process was stopped.
struct timeline {
  using duration = std::chrono::nanoseconds;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<timeline>;
  static constexpr bool is_steady = true;
};

using duration = timeline::duration;
using time_point = timeline::time_point;

/// A deadline that never comes.
inline constexpr time_point never = time_point::max();

/// `t + d`, or `never` where the sum would leave the time line.
constexpr time_point later(time_point t, duration d) {
  return d == duration::max() || (t > time_point{} && d >= never - t) ? never
                                                                      : t + d;
}

} // namespace steward
