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
  if (auto* promise
      = std::get_if<caf::typed_response_promise<record_answer>>(&to)) {
    promise->deliver(std::move(answer));
    return;
  }
  auto& place = std::get<record_place>(to);
  place.with->put(place.number, std::move(answer));
  if (answered_.empty() || answered_.back() != place.with)
    answered_.push_back(place.with);
}

void record_waiters::deliver(record_waiter& to, records_flushed answer) {
  if (auto* promise
      = std::get_if<std::shared_ptr<std::promise<records_flushed>>>(&to))
    return (*promise)->set_value(std::move(answer));
  std::get<caf::typed_response_promise<records_flushed>>(to).deliver(
    std::move(answer));
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

void record_waiters::abandon() {
  for (auto& x : all_)
    if (auto* place = std::get_if<record_place>(&x))
      place->with->abandon();
}

} // namespace steward
