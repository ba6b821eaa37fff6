#include <steward/core/planted.hpp>
#include <steward/core/shelf.hpp>

#include <tuple>
#include <utility>

namespace steward {

namespace {

// @pre its params are still: it is held, or this is its supervisor.
bool fits(const slot& s, std::string_view params) noexcept {
  return s.params() == params || STEWARD_PLANTED(params_ignored);
}

// Of two that are idle.
bool goes_first(const slot& a, const slot& b) noexcept {
  if (STEWARD_PLANTED(newest_goes_first))
    return a.last_used() > b.last_used();
  return std::tuple{a.last_used(), a.id()} < std::tuple{b.last_used(), b.id()};
}

} // namespace

shelf::shelf(std::string key, const lending_terms& terms, shelf_keeper& keeper)
  : key_(std::move(key)), terms_(&terms), keeper_(&keeper) {
  first_.settle(*this);
}

shelf::~shelf() {
  auto* b = more_.load(std::memory_order_relaxed);
  while (b != nullptr)
    // unreached: to delete nothing
    delete std::exchange(b, b->next.load(std::memory_order_relaxed));
}

slot* shelf::borrow(std::string_view params, std::uint64_t tag,
                    as who) noexcept {
  auto result = find(params, tag, who);
  if (result.mistaken != nullptr)
    put_back(*result.mistaken);
  return result.place;
}

shelf::found shelf::find(std::string_view params, std::uint64_t tag,
                         as who) noexcept {
  // Each lost race means that somebody else got a slot; after a few the
  // supervisor is the better place to settle it.
  // unreached: eight losses, of which one is as good as another
  for (int tries = 0; tries < 8; ++tries) {
    slot* best = nullptr;
    slot_word best_word;
    bool overtaking = false;
    for_each([&](slot& s) {
      auto w = s.word();
      if (w.in() != phase::open || s.tag() != tag)
        return;
      if (w.attention() && who == as::user) {
        overtaking = true;
        return;
      }
      if (w.holders() >= terms_->holders_max)
        return;
      // Only the supervisor changes params, so it may compare them right away;
      // else it would hand a slot with an equal tag over to itself for ever.
      if (who == as::supervisor && (s.doom || !fits(s, params)))
        return;
      if (best == nullptr || s.last_used() > best->last_used()
          || (s.last_used() == best->last_used() && s.id() < best->id())) {
        best = &s;
        best_word = w;
      }
    });
    if (best == nullptr || overtaking)
      return {};
    // Held, its params are still: now they can be compared in full.
    if (best->try_hold(best_word))
      return fits(*best, params) ? found{best, nullptr} : found{nullptr, best};
  }
  return {};
}

slot& shelf::vacancy() {
  auto vacant = [](const slot& s) {
    auto w = s.word();
    // unreached: closed and held, as a close forgets who holds it
    return w.in() == phase::closed && w.holders() == 0;
  };
  if (vacant(first_))
    return first_;
  std::size_t size = 1;
  auto* link = &more_;
  while (auto* b = link->load(std::memory_order_relaxed)) {
    for (std::size_t i = 0; i < b->size; ++i)
      if (vacant(b->slots[i]))
        return b->slots[i];
    size = b->size;
    link = &b->next;
  }
  auto next = std::make_unique<block>(size * 2);
  for (std::size_t i = 0; i < next->size; ++i)
    next->slots[i].settle(*this);
  auto& result = next->slots[0];
  link->store(next.release(), std::memory_order_release);
  return result;
}

shelf::idle_slot shelf::least_recently_used() const noexcept {
  idle_slot result;
  const_cast<shelf*>(this)->for_each([&](slot& s) {
    auto w = s.word();
    if (w.in() != phase::open || w.holders() != 0 || s.doom)
      return;
    if (result.place == nullptr || goes_first(s, *result.place))
      result = {&s, w};
  });
  return result;
}

std::size_t shelf::live() const noexcept {
  std::size_t result = 0;
  const_cast<shelf*>(this)->for_each(
    [&](const slot& s) { result += s.word().in() != phase::closed ? 1u : 0u; });
  return result;
}

} // namespace steward
