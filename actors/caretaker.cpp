#include <steward/actors/caretaker.hpp>

#include <steward/actors/attending.hpp>
#include <steward/messages/budget.hpp>
#include <steward/messages/drain.hpp>
#include <steward/messages/tick.hpp>

#include <utility>

namespace steward {

namespace {

// Nobody else has this pool's caretaker.
std::shared_ptr<key_entry> entry_of(const std::shared_ptr<recipient>& who) {
  return std::static_pointer_cast<key_entry>(who);
}

} // namespace

caf::behavior caretaker_actor(caf::event_based_actor* self,
                              std::shared_ptr<pool_context> pool) {
  cafx::drop_unknown(self);
  return {
    [=](const attend& m) {
      attended result;
      result.next.reserve(m.whom.size());
      for (const auto& who : m.whom) {
        auto next = attend_tick(entry_of(who), m.tick.now);
        if (next != never)
          result.next.emplace_back(who, next);
      }
      cafx::send(self, pool->clock, std::move(result));
    },
    [](const give_up_asleep& m) { attend_give_up(entry_of(m.who), m.id); },
    // Nobody is left who could use these. A pool's handles may be, and must not
    // keep actors from ending.
    [=](stop_caretaker) {
      pool->clock = {};
      pool->front = {};
      pool->persistence = {};
      self->quit();
    },
  };
}

} // namespace steward
