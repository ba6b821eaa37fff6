#include <steward/actors/record_gathering.hpp>

#include <utility>

namespace steward {

void record_gathering::seat(std::size_t count) {
  auto chairs = std::make_unique<chair[]>(count);
  std::lock_guard lock{guard_};
  chairs_ = std::move(chairs);
}

void record_gathering::put(std::size_t place, record_answer answer) {
  chairs_[place].answer = std::move(answer);
  chairs_[place].answered.store(true, std::memory_order_release);
}

void record_gathering::announce() {
  // Who has just looked in vain does not wait yet, and would not hear it.
  { std::lock_guard lock{guard_}; }
  news_.notify_all();
}

bool record_gathering::wait(std::size_t place,
                            std::chrono::nanoseconds patience) {
  std::unique_lock lock{guard_};
  return news_.wait_for(lock, patience, [&] {
    return chairs_ != nullptr
           && chairs_[place].answered.load(std::memory_order_acquire);
  });
}

record_answer record_gathering::take(std::size_t place) {
  std::lock_guard lock{guard_};
  return std::move(chairs_[place].answer);
}

} // namespace steward
