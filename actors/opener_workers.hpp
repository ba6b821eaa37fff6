#pragma once

#include <steward/actors/job_runner.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <thread>
#include <vector>

namespace steward {

/// A fixed number of threads that run openers. Plain threads and not detached
/// actors: an actor system waits for ever for an actor that is stuck in user
/// code, and a shutdown must not.
class opener_workers final : public job_runner {
public:
  explicit opener_workers(std::size_t count);

  /// Same as `stop` without patience.
  ~opener_workers() override;

  void run(job what) override;

  /// Joins the threads. Closes are run, if need be by a thread more; threads that
  /// are stuck are let go, and what they open then they close.
  std::size_t stop(std::chrono::nanoseconds patience) override;

private:
  struct shared_state;

  static void work(std::shared_ptr<shared_state> shared);

  std::shared_ptr<shared_state> shared_;
  std::vector<std::thread> threads_;
};

} // namespace steward
