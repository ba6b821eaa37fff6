#pragma once

#include <steward/core/time.hpp>

namespace steward {

/// What tells the time. The real one reads the machine's clock, the manual one
/// is moved by a replay or a test. All functions: any thread.
class timepiece {
public:
  virtual ~timepiece() = default;

  /// Now. Goes back only by what `leave_out` takes out.
  virtual time_point now() const noexcept = 0;

  /// What "used just now" is stamped with: not earlier than `now()`, so that an
  /// idle time reckoned from it is never too long. // I5
  virtual time_point stamp() const noexcept = 0;

  /// Takes `lost` out of the time line: nobody could use anything meanwhile.
  virtual void leave_out(duration lost) noexcept = 0;
};

} // namespace steward
