#include <steward/actors/alarms.hpp>

#include <algorithm>
#include <iterator>
#include <mutex>
#include <utility>

namespace steward {

namespace {

// Collected already, or at once: no message makes it sooner.
constexpr auto collects_soon = time_point::min();

} // namespace

bool alarms::leave(std::shared_ptr<recipient> whom, time_point at) {
  lower(at);
  std::vector<alarm> crowd;
  {
    std::lock_guard lock{guard_};
    if (stopped_)
      return false;
    left_.push_back({std::move(whom), at});
    if (left_.size() < crowd_)
      return is_told_of(at);
    crowd = std::exchange(left_, {});
  }
  return thin_out(std::move(crowd));
}

// Keys that live for less than a beat would fill the memory until it comes. They
// are freed here, and not under the lock.
bool alarms::thin_out(std::vector<alarm> crowd) {
  std::erase_if(crowd, [](const alarm& x) {
    return x.whom->over.load(std::memory_order_relaxed);
  });
  auto first = never;
  for (const auto& x : crowd)
    first = std::min(first, x.at);
  std::lock_guard lock{guard_};
  if (stopped_)
    return false;
  crowd_ = std::max(crowd_min, 2 * crowd.size());
  left_.insert(left_.end(), std::make_move_iterator(crowd.begin()),
               std::make_move_iterator(crowd.end()));
  return is_told_of(first); // the clock may have looked meanwhile
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

std::vector<alarms::alarm> alarms::collect() {
  std::lock_guard lock{guard_};
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
