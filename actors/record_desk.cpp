#include <steward/actors/record_desk.hpp>

#include <steward/actors/record_counters.hpp>

#include <string>
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

// -- record_desk --------------------------------------------------------------

record_desk::record_desk(std::size_t queue_max,
                         std::shared_ptr<record_counters> counters)
  : queue_max_(queue_max), counters_(std::move(counters)) {
}

record_desk::left_by_thread record_desk::leave(record_write write,
                                               time_point deadline) {
  std::lock_guard lock{guard_};
  left_by_thread result;
  result.refused = refusal(true);
  if (result.refused)
    return result;
  result.place = {with_, threads_++};
  result.first = push({result.place, std::move(write), deadline});
  return result;
}

record_desk::left record_desk::leave(record_write write, time_point deadline,
                                     cafx::asker<record_answer> from) {
  std::lock_guard lock{guard_};
  if (auto why = refusal(true))
    return {false, std::move(why)};
  return {push({std::move(from), std::move(write), deadline})};
}

record_desk::left record_desk::leave_note(record_write write) {
  std::lock_guard lock{guard_};
  if (auto why = refusal(false))
    return {false, std::move(why)};
  return {push({{}, std::move(write)})};
}

record_desk::left record_desk::leave_mark(cafx::asker<records_flushed> from,
                                          time_point deadline) {
  std::lock_guard lock{guard_};
  if (auto why = refusal(false))
    return {false, std::move(why)};
  return {push({std::move(from), std::nullopt, deadline})};
}

std::vector<record_desk::item> record_desk::take() {
  std::vector<item> result;
  auto with = std::make_shared<record_gathering>();
  std::size_t threads = 0;
  {
    std::lock_guard lock{guard_};
    if (items_.empty())
      return result;
    result.reserve(items_.size()); // likely as many next time
    std::swap(result, items_);
    std::swap(with, with_);
    threads = std::exchange(threads_, 0);
    waiting_ += std::exchange(writes_, 0);
  }
  with->seat(threads);
  return result;
}

void record_desk::set_waiting(std::size_t count) {
  std::lock_guard lock{guard_};
  counters_->queued += count - waiting_;
  waiting_ = count;
}

void record_desk::close() {
  std::lock_guard lock{guard_};
  closed_ = true;
}

// From here on the caller has the lock.
std::optional<record_answer> record_desk::refusal(bool bounded) {
  if (closed_)
    return unavailable(record_trouble::closing, "records are closed");
  if (!bounded || writes_ + waiting_ < queue_max_)
    return std::nullopt;
  ++counters_->refused;
  return unavailable(record_trouble::queue_full, "record queue is full ("
                                                   + std::to_string(queue_max_)
                                                   + " waiting)");
}

bool record_desk::push(item x) {
  if (x.write) {
    ++writes_;
    ++counters_->queued;
  }
  items_.push_back(std::move(x));
  return items_.size() == 1;
}

} // namespace steward
