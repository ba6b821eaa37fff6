#include <steward/actors/budget.hpp>

#include <utility>

namespace steward {

caf::behavior budget_state::make_behavior(std::shared_ptr<pool_context> pool) {
  pool_ = std::move(pool);
  book_.emplace(pool_->budget_permits, pool_->options.when_full);
  cafx::drop_unknown(self_);
  return {
    [this](const budget_opened& m) {
      book_->opened(m.id, *m.place, m.who, m.stamp);
    },
    [this](const budget_closed& m) {
      book_->closed(m.id, pool_->time->now(), out_);
      carry_out();
    },
    [this](const permit_wanted& m) {
      book_->wanted(m.who, pool_->time->now(), out_);
      carry_out();
    },
    [this](permit_returned) {
      book_->returned(pool_->time->now(), out_);
      carry_out();
    },
    [this](const kept& m) {
      book_->kept(m.id, pool_->time->now(), out_);
      carry_out();
    },
    [this](stop_budget) { self_->quit(); },
  };
}

void budget_state::carry_out() {
  for (auto& x : out_) {
    if (auto* yes = std::get_if<book::grant>(&x))
      yes->to->wake(caf::make_message(permit_granted{}));
    else if (auto* no = std::get_if<book::deny>(&x))
      no->to->wake(caf::make_message(permit_denied{}));
    else if (auto* please = std::get_if<book::ask>(&x))
      ask(*please);
  }
  out_.clear();
}

void budget_state::ask(const book::ask& x) const {
  if (!x.to->tell(caf::make_message(give_up{x.id})))
    cafx::send(self_, x.to->caretaker(), give_up_asleep{x.to, x.id});
}

caf::behavior budget_actor(caf::stateful_actor<budget_state>* self,
                           std::shared_ptr<pool_context> pool) {
  return cafx::state(self).make_behavior(std::move(pool));
}

} // namespace steward
