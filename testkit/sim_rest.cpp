// What is left in a simulation: who lives, and what is still to come.
#include <steward/testkit/sim.hpp>

#include <caf/scheduler/test_coordinator.hpp>

#include <algorithm>

namespace steward::testkit {

namespace {

using actor_clock = caf::detail::simple_actor_clock;

bool has_ended(const caf::strong_actor_ptr& who) {
  return caf::actor_cast<caf::abstract_actor*>(who)->getf(
    caf::abstract_actor::is_terminated_flag);
}

// Null if it has ended, or is not one that a system counts.
caf::strong_actor_ptr still_there(const caf::actor_addr& who) {
  auto result = caf::actor_cast<caf::strong_actor_ptr>(who);
  return result == nullptr || has_ended(result)
             || !caf::actor_cast<caf::abstract_actor*>(result)->getf(
               caf::abstract_actor::is_registered_flag)
           ? nullptr
           : result;
}

const caf::local_actor& local(const caf::strong_actor_ptr& who) {
  return dynamic_cast<caf::local_actor&>(
    *caf::actor_cast<caf::abstract_actor*>(who));
}

// Delayed messages cannot be taken back; those to the dead do nothing.
bool does_nothing(const actor_clock::delayed_event& what) {
  return what.subtype == actor_clock::actor_msg_type
         && has_ended(
           static_cast<const actor_clock::actor_msg&>(what).receiver);
}

} // namespace

std::size_t sim::living(std::string_view name) const {
  std::size_t result = 0;
  for (const auto& who : met_)
    if (auto alive = still_there(who); alive != nullptr)
      if (local(alive).name() == name)
        ++result;
  return result;
}

std::string sim::not_quiescent() {
  settle();
  for (const auto& [due, what] : scheduler_->clock().schedule()) {
    if (does_nothing(*what))
      continue;
    auto from_now = options_.start + due.time_since_epoch() - wall();
    return "a timer is set for "
           + std::to_string(
             std::chrono::duration_cast<std::chrono::milliseconds>(from_now)
               .count())
           + " ms from now";
  }
  for (auto& weak : questions_)
    if (auto question = weak.lock())
      return "not answered: " + *question;
  std::size_t probes = 0;
  for (auto& who : met_) {
    auto alive = still_there(who);
    if (alive == nullptr)
      continue;
    if (std::find(probes_.begin(), probes_.end(), who) != probes_.end()) {
      ++probes;
      continue;
    }
    const auto& actor = local(alive);
    return "actor " + trace_.name_of(actor.id(), actor.name())
           + " is still there";
  }
  if (sys_->registry().running() > probes)
    return "an actor is still there that never had mail";
  return {};
}

void sim::expect_quiescent() {
  auto what = not_quiescent();
  if (!what.empty())
    throw failure("not quiescent", what);
}

} // namespace steward::testkit
