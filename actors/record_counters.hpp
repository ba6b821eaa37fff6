#pragma once

#include <steward/core/time.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <utility>

namespace steward {

/// What persistence did since it started, over all its connections. All
/// functions: any thread.
class record_counters {
public:
  std::atomic<std::uint64_t> queued{0};     ///< waiting now
  std::atomic<std::uint64_t> written{0};    ///< rows created
  std::atomic<std::uint64_t> closed{0};     ///< rows closed
  std::atomic<std::uint64_t> conflicts{0};  ///< answered by another's row
  std::atomic<std::uint64_t> lost_races{0}; ///< ... that the look did not see
  std::atomic<std::uint64_t> failed{0};     ///< writes given up for good
  std::atomic<std::uint64_t> batches{0};    ///< transactions that stand
  std::atomic<std::uint64_t> retries{0};    ///< transactions that failed
  std::atomic<std::uint64_t> unknown{0};    ///< ... and nobody knew how
  std::atomic<std::uint64_t> refused{0};    ///< requests beyond `queue_max`

  /// Most writers that share one of these.
  static constexpr std::size_t writers_max = 4;

  /// How long the one that waits longest has waited; 0 if none does.
  duration age(time_point now) const {
    auto since = never;
    for (auto& x : oldest_)
      since = std::min(since, never - duration{x.load()});
    return since >= now ? duration::zero() : now - since;
  }

  /// Since when the first waits for this writer; `never` if none does.
  void set_oldest(std::size_t writer, time_point since) {
    oldest_[writer] = (never - since).count();
  }

  /// The last thing that went wrong, one line; empty if nothing did.
  std::string last_error() const {
    std::lock_guard guard{mutex_};
    return last_error_;
  }

  void set_last_error(std::string text) {
    std::lock_guard guard{mutex_};
    last_error_ = std::move(text);
  }

private:
  mutable std::mutex mutex_;
  std::string last_error_;
  std::array<std::atomic<duration::rep>, writers_max> oldest_{}; // before never
};

} // namespace steward
