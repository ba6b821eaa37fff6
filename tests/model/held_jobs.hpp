#pragma once

#include <steward/actors/job_runner.hpp>

#include <chrono>
#include <cstddef>
#include <utility>
#include <vector>

namespace modelled {

/// Opener workers that open when they are told to, and close at once.
class held_jobs final : public steward::job_runner {
public:
  void run(steward::job what) override {
    if (what.must_run)
      what.work()();
    else
      opens_.push_back(std::move(what));
  }

  std::size_t stop(std::chrono::nanoseconds) override {
    opens_.clear();
    return 0;
  }

  /// How many wait.
  std::size_t size() const noexcept {
    return opens_.size();
  }

  /// Runs one of them, counted from the oldest.
  void end(std::size_t which) {
    auto what = std::move(opens_[which]);
    opens_.erase(opens_.begin() + static_cast<std::ptrdiff_t>(which));
    what.work()();
  }

private:
  std::vector<steward::job> opens_;
};

} // namespace modelled
