#pragma once

#include <chrono>
#include <cstddef>
#include <functional>

namespace steward {

/// One call of user code that may block, and how to tell the end of it.
struct job {
  /// Runs the user's code; returns what reports its end. That is called at
  /// once, by the same thread, or never if the runtime has given the job up.
  std::function<std::function<void()>()> work;

  /// A close: dropped with the runner it would leak a resource. // I3
  bool must_run = false;
};

/// Runs jobs apart from the actors. A test runs them one by one in its own
/// thread.
class job_runner {
public:
  virtual ~job_runner() = default;

  /// Takes a job. Does not block. Any thread.
  virtual void run(job what) = 0;

  /// Lets what runs come to its end, for `patience` at most. Jobs that did not
  /// start are dropped unless they must run. How many are stuck in user code.
  virtual std::size_t stop(std::chrono::nanoseconds patience) = 0;
};

} // namespace steward
