#include <steward/actors/record_waiters.hpp>

#include <utility>

namespace steward {

record_waiters::ticket record_waiters::add(record_waiter who) {
  if (free_.empty()) {
    all_.push_back(std::move(who));
    return all_.size() - 1;
  }
  auto which = free_.back();
  free_.pop_back();
  all_[which] = std::move(who);
  return which;
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
