#include <steward/actors/alarms.hpp>

#include <array>
#include <mutex>
#include <utility>

namespace steward {

namespace {

// Collected already, or at once: no message makes it sooner.
constexpr auto collects_soon = time_point::min();

} // namespace

bool alarms::leave(std::shared_ptr<recipient> whom, time_point at) {
  lower(at);
  std::array<std::shared_ptr<recipient>, 2> over; // freed after the lock
  std::lock_guard lock{guard_};
  if (stopped_)
    return false;
  left_.push_back({std::move(whom), at});
  if (left_.size() > crowd)
    for (auto& x : over)
      x = drop_next_if_over();
  return is_told_of(at);
}

// Keys that live for less than a beat would fill the memory until it comes. Each
// who comes looks at two of them, in turn, so that nobody looks at all.
std::shared_ptr<recipient> alarms::drop_next_if_over() noexcept {
  if (++next_look_ >= left_.size())
    next_look_ = 0;
  auto& x = left_[next_look_];
  if (!x.whom->over.load(std::memory_order_relaxed))
    return nullptr;
  std::swap(x, left_.back());
  auto result = std::move(left_.back().whom);
  left_.pop_back();
  return result;
}

// Under the lock. One message is enough until the clock has looked.
bool alarms::is_told_of(time_point at) noexcept {
  if (at >= looks_at_)
    return false;
  looks_at_ = collects_soon;
  return true;
}

void alarms::lower(time_point at) noexcept {
  auto t = at.time_since_epoch().count();
  auto seen = next_.load(std::memory_order_relaxed);
  while (t < seen
         && !next_.compare_exchange_weak(seen, t, std::memory_order_acq_rel)) {
    // `seen` is fresh.
  }
}

std::optional<std::deque<alarms::alarm>> alarms::collect() {
  std::lock_guard lock{guard_};
  if (left_.empty()) // an empty deque takes memory, and most beats find nothing
    return std::nullopt;
  return std::exchange(left_, {});
}

bool alarms::looks_at(time_point at) {
  std::lock_guard lock{guard_};
  if (!left_.empty())
    return false;
  looks_at_ = at;
  return true;
}

void alarms::stop() {
  auto old = [this] {
    std::lock_guard lock{guard_};
    stopped_ = true;
    return std::exchange(left_, {});
  }();
}

} // namespace steward
