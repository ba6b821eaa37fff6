#include <steward/core/hold.hpp>
#include <steward/core/planted.hpp>

namespace steward {

void hold::give_back() noexcept {
  auto* place = std::exchange(place_, nullptr);
  if (place == nullptr)
    return;
  auto& home = place->home();
  const auto& terms = home.terms();
  // A revoked resource was closed already: its health is nobody's business.
  if (place->word().in() == phase::open && !handed_over_) {
    if (healthy_ && terms.checked && !STEWARD_PLANTED(check_not_asked))
      healthy_ = home.keeper().check(place->resource());
    if (!healthy_) {
      // The hold goes along: the supervisor closes the slot under it. Should a
      // revocation win the race, the supervisor finds that out and drops it.
      home.keeper().hand_over(*place, false);
      return;
    }
  }
  home.take_back(*place, terms.time->stamp(), !handed_over_);
}

} // namespace steward
