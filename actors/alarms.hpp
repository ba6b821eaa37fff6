#pragma once

#include <steward/actors/mutex.hpp>
#include <steward/core/time.hpp>
#include <steward/messages/recipient.hpp>

#include <atomic>
#include <cstddef>
#include <deque>
#include <memory>
#include <optional>

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

  /// What was left since, if anything was.
  std::optional<std::deque<alarm>> collect();

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
  static constexpr std::size_t crowd = 1024;

  void lower(time_point at) noexcept;
  bool is_told_of(time_point at) noexcept;
  std::shared_ptr<recipient> drop_next_if_over() noexcept;

  std::atomic<duration::rep> next_{never.time_since_epoch().count()};
  mutex guard_;
  std::deque<alarm> left_; // a vector would move a million when it grows
  std::size_t next_look_ = 0;
  time_point looks_at_ = never;
  bool stopped_ = false;
};

} // namespace steward
