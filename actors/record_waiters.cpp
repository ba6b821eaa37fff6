#include <steward/actors/record_waiters.hpp>

#include <utility>

namespace steward {

bool answer_silence(const record_waiter& who, bool may_exist,
                    std::size_t pending) {
  if (auto* write = std::get_if<cafx::asker<record_answer>>(&who)) {
    auto answer = unavailable(record_trouble::timed_out, persistence_is_silent);
    answer.may_exist = may_exist;
    write->answer(nullptr, std::move(answer));
    return true;
  }
  if (auto* flush = std::get_if<cafx::asker<records_flushed>>(&who)) {
    flush->answer(nullptr, {pending, persistence_is_silent});
    return true;
  }
  return false;
}

record_waiters::ticket record_waiters::add(record_waiter who,
                                           time_point deadline) {
  std::lock_guard lock{guard_};
  if (free_.empty()) {
    all_.push_back({std::move(who), deadline});
    return all_.size() - 1;
  }
  auto which = free_.back();
  free_.pop_back();
  all_[which] = {std::move(who), deadline};
  return which;
}

record_waiter record_waiters::take(ticket which) {
  std::lock_guard lock{guard_};
  free_.push_back(which);
  return std::exchange(all_[which].who, {});
}

void record_waiters::answer_overdue(time_point limit, std::size_t pending) {
  std::lock_guard lock{guard_};
  for (auto& [who, deadline] : all_) {
    if (deadline >= limit || !answer_silence(who, true, pending))
      continue;
    who = {};
  }
}

void record_waiters::deliver(record_waiter& to, record_answer answer) {
  if (auto* actor = std::get_if<cafx::asker<record_answer>>(&to))
    return actor->answer(from_, std::move(answer));
  auto& place = std::get<record_place>(to);
  place.with->put(place.number, std::move(answer));
  if (answered_.empty() || answered_.back() != place.with)
    answered_.push_back(place.with);
}

void record_waiters::deliver(record_waiter& to, records_flushed answer) {
  std::get<cafx::asker<records_flushed>>(to).answer(from_, std::move(answer));
}

void record_waiters::refuse(record_waiter& to, record_trouble why,
                            std::string cause) {
  deliver(to, unavailable(why, std::move(cause)));
}

void record_waiters::announce() {
  for (auto& x : answered_)
    x->announce();
  answered_.clear();
}

} // namespace steward
