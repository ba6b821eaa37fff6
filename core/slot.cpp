#include <steward/core/planted.hpp>
#include <steward/core/slot.hpp>

#include <cassert>
#include <functional>

namespace steward {

std::uint64_t tag_of(std::string_view params) noexcept {
  return params.empty() || STEWARD_PLANTED(params_ignored)
           ? 0
           : std::hash<std::string_view>{}(params);
}

void slot::begin_open(std::uint64_t id, std::string_view params,
                      time_point now) {
  auto seen = word();
  assert(seen.in() == phase::closed && seen.holders() == 0);
  if (params != this->params())
    params_ = params.empty() ? nullptr : std::make_unique<std::string>(params);
  id_.store(id, std::memory_order_relaxed);
  tag_.store(tag_of(params), std::memory_order_relaxed);
  opened_at_ = now;
  doom.reset();
  late = false;
  word_.store(slot_word{phase::opening, false, 0, seen.generation()}.raw(),
              std::memory_order_release);
}

void slot::opened(void* resource, time_point now, std::uint64_t holders,
                  bool attention) noexcept {
  auto seen = word();
  assert(seen.in() == phase::opening);
  resource_ = resource;
  opened_at_ = now;
  last_used_.store(now.time_since_epoch().count(), std::memory_order_relaxed);
  slot_word next{phase::open, attention, holders, seen.generation() + 1};
  word_.store(next.raw(), std::memory_order_release);
}

void slot::open_failed() noexcept {
  assert(word().in() == phase::opening);
  word_.store(word().with(phase::closed).raw(), std::memory_order_release);
}

bool slot::try_take(slot_word seen) noexcept {
  if (seen.in() != phase::open || seen.holders() != 0)
    return false;
  auto raw = seen.raw();
  return word_.compare_exchange_strong(raw, seen.with(phase::closing).raw(),
                                       std::memory_order_acq_rel,
                                       std::memory_order_relaxed);
}

std::uint64_t slot::revoke(std::shared_ptr<void> keep) noexcept {
  keep_ = std::make_unique<std::shared_ptr<void>>(std::move(keep));
  auto raw = word_.load(std::memory_order_relaxed);
  // unreached: a holder was quicker
  while (!word_.compare_exchange_weak(
    raw, slot_word{raw}.with(phase::closing).raw(), std::memory_order_acq_rel,
    std::memory_order_relaxed)) {
    // `raw` is fresh.
  }
  return slot_word{raw}.holders();
}

void slot::finish_close() noexcept {
  auto seen = word();
  assert(seen.in() == phase::closing);
  resource_ = nullptr;
  slot_word next{phase::closed, false, 0, seen.generation() + 1};
  word_.store(next.raw(), std::memory_order_release);
}

void slot::set_attention(bool on) noexcept {
  if (on)
    word_.fetch_or(4u, std::memory_order_acq_rel);
  else
    word_.fetch_and(~std::uint64_t{4}, std::memory_order_acq_rel);
}

std::uint64_t slot::drop_hold() noexcept {
  auto before = slot_word{word_.fetch_sub(8u, std::memory_order_acq_rel)};
  assert(before.holders() > 0);
  return before.holders() - 1;
}

} // namespace steward
