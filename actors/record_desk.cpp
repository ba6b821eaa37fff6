#include <steward/actors/record_desk.hpp>

#include <steward/actors/record_counters.hpp>

#include <chrono>
#include <string>
#include <utility>

namespace steward {

namespace {

using namespace std::chrono_literals;

// Persistence answers by the deadline; so much later it is taken for stuck.
constexpr duration patience = 250ms;

} // namespace

record_desk::record_desk(std::size_t queue_max,
                         std::shared_ptr<record_counters> counters,
                         std::shared_ptr<const timepiece> time)
  : queue_max_(queue_max), counters_(std::move(counters)),
    time_(std::move(time)) {
}

record_desk::left_by_thread record_desk::leave(record_write write,
                                               time_point deadline) {
  std::lock_guard lock{guard_};
  left_by_thread result;
  result.refused = refusal(true);
  if (result.refused)
    return result;
  result.place = {with_, threads_++};
  result.first = push({result.place, std::move(write), deadline}, false).first;
  return result;
}

record_desk::left record_desk::leave(record_write write, time_point deadline,
                                     cafx::asker<record_answer> from) {
  std::lock_guard lock{guard_};
  if (auto why = refusal(true))
    return {.refused = std::move(why)};
  return push({std::move(from), std::move(write), deadline}, true);
}

record_desk::left record_desk::leave_note(record_write write) {
  std::lock_guard lock{guard_};
  if (auto why = refusal(false))
    return {.refused = std::move(why)};
  return push({{}, std::move(write)}, false);
}

record_desk::left record_desk::leave_mark(cafx::asker<records_flushed> from,
                                          time_point deadline) {
  std::lock_guard lock{guard_};
  if (auto why = refusal(false))
    return {.refused = std::move(why)};
  return push({std::move(from), std::nullopt, deadline}, true);
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

bool record_desk::answer_overdue() {
  if (!time_)
    return false;
  auto limit = time_->now() - patience;
  std::lock_guard lock{guard_};
  auto pending = writes_ + waiting_;
  waiters_.answer_overdue(limit, pending);
  // Nobody has begun with these.
  std::erase_if(items_, [&](const item& x) {
    if (x.deadline >= limit || !answer_silence(x.from, false, pending))
      return false;
    writes_ -= x.write ? 1U : 0U;
    counters_->queued -= x.write ? 1U : 0U;
    return true;
  });
  watched_ = !items_.empty() || waiting_ > 0;
  return watched_;
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

record_desk::left record_desk::push(item x, bool by_actor) {
  if (x.write) {
    ++writes_;
    ++counters_->queued;
  }
  items_.push_back(std::move(x));
  left result;
  result.first = items_.size() == 1;
  result.watch = by_actor && time_ && !watched_;
  watched_ = watched_ || result.watch;
  return result;
}

} // namespace steward
