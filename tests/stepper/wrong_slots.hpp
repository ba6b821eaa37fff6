#pragma once

#include <steward/tests/stepper/truth.hpp>

#include <cstdint>
#include <memory>
#include <utility>

// Slots that each have one transition wrong, and the others of the real one:
// what a search must find, or it has not searched.

namespace stepper::wrong {

using steward::phase;
using steward::slot;
using steward::slot_word;

// The word is private, and shall be: only wrong slots have a key to it.
stepper::atomic<std::uint64_t>& word_of(slot& s);
stepper::atomic<std::int64_t>& stamp_of(slot& s);

template <stepper::atomic<std::uint64_t> slot::*Word,
          stepper::atomic<std::int64_t> slot::*Stamp>
struct key {
  friend stepper::atomic<std::uint64_t>& word_of(slot& s) {
    return s.*Word;
  }

  friend stepper::atomic<std::int64_t>& stamp_of(slot& s) {
    return s.*Stamp;
  }
};

template struct key<&slot::word_, &slot::last_used_>;

struct holds_by_load_and_store : slot {
  bool try_hold(slot_word seen) {
    if (word() != seen)
      return false;
    word_of(*this).store(seen.one_more().raw());
    return true;
  }
};

struct holds_whatever_happened : slot {
  bool try_hold(slot_word) {
    word_of(*this).fetch_add(slot_word{}.one_more().raw());
    return true;
  }
};

struct holds_without_counting : slot {
  bool try_hold(slot_word seen) {
    auto raw = seen.raw();
    return word_of(*this).compare_exchange_strong(raw, raw + 8u);
  }
};

struct holds_without_acquire : slot {
  bool try_hold(slot_word seen) {
    auto raw = seen.raw();
    return word_of(*this).compare_exchange_strong(raw, seen.one_more().raw(),
                                                  std::memory_order_relaxed,
                                                  std::memory_order_relaxed);
  }

  slot_word word() const {
    auto& x = word_of(const_cast<holds_without_acquire&>(*this));
    return slot_word{x.load(std::memory_order_relaxed)};
  }
};

struct returns_by_load_and_store : slot {
  given give_back(steward::time_point) {
    auto seen = word();
    if (seen.attention())
      return given::hand_over;
    word_of(*this).store(seen.one_less().raw());
    return given::back;
  }
};

struct returns_past_attention : slot {
  given give_back(steward::time_point) {
    word_of(*this).fetch_sub(8u);
    return given::back;
  }
};

struct returns_before_it_stamps : slot {
  given give_back(steward::time_point at) {
    auto result = slot::give_back(last_used());
    stamp_of(*this).store(at.time_since_epoch().count());
    return result;
  }
};

struct returns_without_release : slot {
  given give_back(steward::time_point) {
    word_of(*this).fetch_sub(8u, std::memory_order_relaxed);
    return given::back;
  }
};

struct stamps_by_load_and_store : slot {
  given give_back(steward::time_point at) {
    auto stamp = at.time_since_epoch().count();
    if (stamp_of(*this).load() < stamp)
      stamp_of(*this).store(stamp);
    return slot::give_back(noon - 1h);
  }
};

struct takes_what_is_held : slot {
  bool try_take(slot_word) {
    auto seen = word();
    auto raw = seen.raw();
    return seen.in() == phase::open
           && word_of(*this).compare_exchange_strong(
             raw, seen.with(phase::closing).raw());
  }
};

struct takes_what_was_used_since : slot {
  bool try_take(slot_word) {
    return slot::try_take(word()); // as if the generation did not matter
  }
};

struct takes_by_load_and_store : slot {
  bool try_take(slot_word seen) {
    if (word() != seen || seen.holders() != 0)
      return false;
    word_of(*this).store(seen.with(phase::closing).raw());
    return true;
  }
};

struct revokes_by_load_and_store : slot {
  std::uint64_t revoke(std::shared_ptr<void> keep) {
    auto seen = word();
    slot::revoke(std::move(keep));
    word_of(*this).store(seen.with(phase::closing).raw());
    return seen.holders();
  }
};

struct revokes_what_it_does_not_keep : slot {
  std::uint64_t revoke(std::shared_ptr<void>) {
    return slot::revoke(nullptr);
  }
};

struct drops_by_load_and_store : slot {
  std::uint64_t drop_hold() {
    auto seen = word();
    word_of(*this).store(seen.one_less().raw());
    return seen.holders() - 1;
  }
};

} // namespace stepper::wrong
