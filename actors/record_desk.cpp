#include <steward/actors/record_desk.hpp>

#include <utility>

namespace steward {

// -- record_gathering ---------------------------------------------------------

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

void record_gathering::abandon() {
  {
    std::lock_guard lock{guard_};
    abandoned_ = true;
  }
  news_.notify_all();
}

bool record_gathering::wait(std::size_t place,
                            std::chrono::nanoseconds patience) {
  std::unique_lock lock{guard_};
  return news_.wait_for(lock, patience, [&] {
    return abandoned_
           || (chairs_ != nullptr
               && chairs_[place].answered.load(std::memory_order_acquire));
  });
}

record_answer record_gathering::take(std::size_t place) {
  std::lock_guard lock{guard_};
  if (chairs_ != nullptr && chairs_[place].answered)
    return std::move(chairs_[place].answer);
  auto answer = unavailable(record_trouble::closing, "records are closed");
  answer.may_exist = chairs_ != nullptr; // it was taken to be written
  return answer;
}

// -- record_desk --------------------------------------------------------------

record_desk::left record_desk::leave(record_write write, time_point deadline) {
  std::lock_guard lock{guard_};
  left result{{with_, requests_.size()}, requests_.empty() && !closed_};
  if (!closed_)
    requests_.push_back({std::move(write), deadline});
  return result;
}

record_desk::taken record_desk::take() {
  taken result;
  auto next = std::make_shared<record_gathering>();
  {
    std::lock_guard lock{guard_};
    if (requests_.empty())
      return result;
    result.requests.reserve(requests_.size()); // likely as many next time
    std::swap(result.requests, requests_);
    result.with = std::exchange(with_, std::move(next));
  }
  result.with->seat(result.requests.size());
  return result;
}

void record_desk::close() {
  std::lock_guard lock{guard_};
  closed_ = true;
  requests_.clear();
  with_->abandon();
}

} // namespace steward
