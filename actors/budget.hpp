#pragma once

#include <steward/actors/pool_context.hpp>
#include <steward/core/budget_book.hpp>
#include <steward/messages/budget.hpp>

#include <memory>
#include <optional>

namespace steward {

/// The actor behind a pool's `total_max`: who wants a permit and finds none
/// queues here. It asks the supervisor of the least recently used idle resource
/// to give it up, and never orders.
class budget_state {
public:
  using self_pointer = caf::stateful_actor<budget_state>*;

  explicit budget_state(self_pointer self) : self_(self) {
  }

  static constexpr const char* name = "steward.budget";

  caf::behavior make_behavior(std::shared_ptr<pool_context> pool);

private:
  using book = budget_book<std::shared_ptr<recipient>>;

  void carry_out();
  void ask(const book::ask& x) const;

  self_pointer self_;
  std::shared_ptr<pool_context> pool_;
  std::optional<book> book_;
  book::effects out_;
};

/// Spawns as `caf::actor`.
caf::behavior budget_actor(caf::stateful_actor<budget_state>* self,
                           std::shared_ptr<pool_context> pool);

} // namespace steward
