#include <steward/actors/budget.hpp>

#include <steward/messages/budget.hpp>

#include <mutex>
#include <utility>

namespace steward {

// Under the lock all the while, so that everybody is sent things in the order in
// which they were decided.
template <class Event>
void total_budget::decide(Event event) {
  std::lock_guard lock{guard_};
  if (stopped_)
    return;
  event();
  for (const auto& x : out_)
    send(x);
  out_.clear();
}

void total_budget::send(const book::any_effect& x) {
  if (const auto* yes = std::get_if<book::grant>(&x)) {
    yes->to->wake(caf::make_message(permit_granted{}));
  } else if (const auto* no = std::get_if<book::deny>(&x)) {
    no->to->wake(caf::make_message(permit_denied{}));
  } else if (const auto* please = std::get_if<book::ask>(&x)) {
    if (!please->to->tell(caf::make_message(give_up{please->id})))
      cafx::send_anon(please->to->caretaker(),
                      give_up_asleep{please->to, please->id});
  }
}

void total_budget::wanted(supervisor who) {
  decide([&] { book_.wanted(std::move(who), out_); });
}

void total_budget::returned() {
  decide([this] { book_.returned(out_); });
}

void total_budget::opened(supervisor who, slot& place) {
  book_.opened(place.id(), place, std::move(who), place.last_used());
}

void total_budget::closed(std::uint64_t id) {
  if (book_.closed(id))
    look_again();
}

void total_budget::kept(std::uint64_t id) {
  if (book_.kept(id))
    look_again();
}

void total_budget::idle_again(std::uint64_t id) {
  book_.idle_again(id);
}

void total_budget::look_again() {
  decide([this] { book_.look_again(out_); });
}

std::optional<total_budget::book::claimed>
total_budget::claim(std::size_t luck) {
  return book_.claim(luck);
}

void total_budget::put_back(book::claimed x) {
  book_.put_back(std::move(x));
}

void total_budget::left_to_owner(book::claimed x) {
  book_.left_to_owner(std::move(x));
}

void total_budget::stop() {
  auto old = [this] { // goes after the lock
    std::lock_guard lock{guard_};
    stopped_ = true;
    return book_.stop();
  }();
}

} // namespace steward
