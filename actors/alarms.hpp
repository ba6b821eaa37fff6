#pragma once

#include <steward/actors/mutex.hpp>
#include <steward/core/time.hpp>
#include <steward/messages/recipient.hpp>

#include <atomic>
#include <cstddef>
#include <memory>
#include <vector>

namespace steward {

/// Where everybody leaves for the clock whom it shall wake, and when. The clock
/// collects what is there when it beats anyway; only what is due before needs a
/// message. Any thread.
class alarms {
public:
  struct alarm {
    std::shared_ptr<recipient> whom;
    time_point at;
  };

  /// Wake `whom` at `at`, if not before. True if the clock must be sent
  /// `collect_alarms` for that.
  bool leave(std::shared_ptr<recipient> whom, time_point at);

  /// Nothing is due before this, as far as is known: lets a replay skip the ticks
  /// at which there is nothing to do.
  time_point next() const noexcept {
    return time_point{duration{next_.load(std::memory_order_acquire)}};
  }

  // -- the clock --------------------------------------------------------------

  /// What was left since.
  std::vector<alarm> collect();

  /// The clock collects next at `at` without being sent anything. False, and
  /// nothing is changed, if something was left since `collect`.
  bool looks_at(time_point at);

  /// Nothing is due before `at`.
  void raise(time_point at) noexcept {
    next_.store(at.time_since_epoch().count(), std::memory_order_release);
  }

  /// There is no clock any more: forgets everybody, and goes on doing so.
  void stop();

private:
  static constexpr std::size_t crowd_min = 1024;

  void lower(time_point at) noexcept;
  bool is_told_of(time_point at) noexcept;
  bool thin_out(std::vector<alarm> crowd);

  std::atomic<duration::rep> next_{never.time_since_epoch().count()};
  mutex guard_;
  std::vector<alarm> left_;
  std::size_t crowd_ = crowd_min; // so many are looked through
  time_point looks_at_ = never;
  bool stopped_ = false;
};

} // namespace steward
