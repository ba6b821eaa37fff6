#pragma once

#include <steward/core/atomic.hpp>
#include <steward/core/function_ref.hpp>
#include <steward/core/slot.hpp>
#include <steward/core/timepiece.hpp>

#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace steward {

/// What a shelf tells about holds that come back the slow way. Called by the
/// holder's thread.
class shelf_keeper {
public:
  virtual ~shelf_keeper() = default;

  /// `place` comes back with the hold still on it; the keeper drops or reuses
  /// the hold. `healthy` is the holder's word on the resource.
  virtual void hand_over(slot& place, bool healthy) noexcept = 0;

  /// Somebody missed `place`; its last hold ends in `end`, after which only the
  /// keeper can keep it in memory.
  virtual void idle_again(slot& place, function_ref<void()> end) noexcept = 0;

  /// Whether the resource can be lent again. Must not block.
  virtual bool check(void* resource) noexcept = 0;
};

/// What all shelves of a pool have in common.
struct lending_terms {
  const timepiece* time = nullptr;
  std::size_t holders_max = 1;
  bool checked = false; ///< whether to ask the keeper on every return
};

/// One key's slots. Any thread may borrow; the slots are added, opened and
/// closed by the key's supervisor alone. A shelf never moves or drops a slot.
class shelf {
public:
  shelf(std::string key, const lending_terms& terms, shelf_keeper& keeper);
  shelf(const shelf&) = delete;
  shelf& operator=(const shelf&) = delete;
  ~shelf();

  const std::string& key() const noexcept {
    return key_;
  }

  const lending_terms& terms() const noexcept {
    return *terms_;
  }

  shelf_keeper& keeper() const noexcept {
    return *keeper_;
  }

  /// Who may pass a slot with `attention`.
  enum class as { user, supervisor };

  /// Holds the most recently used open slot with these params that has room
  /// (ties: opened first), or null. No message, no lock, no allocation.
  /// Null also where a waiter may be owed one: ask the supervisor. // I7
  slot* borrow(std::string_view params, std::uint64_t tag,
               as who = as::user) noexcept;

  /// The same, but what was held by mistake, as its params have the same tag, is
  /// left to the caller, for `put_back`: that may call the keeper, which the
  /// caller may not want right now.
  struct found {
    slot* place = nullptr;
    slot* mistaken = nullptr;
  };
  found find(std::string_view params, std::uint64_t tag,
             as who = as::user) noexcept;

  void put_back(slot& mistaken) noexcept {
    take_back(mistaken, mistaken.last_used(), true); // it was not used
  }

  /// Ends a hold; the rest as for the slot, which may be gone after it, and so
  /// may this.
  void take_back(slot& held, time_point stamp, bool to_supervisor,
                 bool tells = false) noexcept {
    // unreached: anything else that it could be given, there is none
    switch (held.give_back(stamp, to_supervisor, tells)) {
      case slot::given::back:
      case slot::given::revoked: break;
      case slot::given::missed:
        keeper_->idle_again(
          held, [&] { take_back(held, stamp, to_supervisor, true); });
        break;
      case slot::given::hand_over: keeper_->hand_over(held, true); break;
      case slot::given::revoked_last: held.forget(); break;
    }
  }

  // -- the supervisor ---------------------------------------------------------

  /// A closed slot, made if there is none.
  slot& vacancy();

  /// The slot that nobody holds and whose last use ended first (ties: opened
  /// first) with the word it was seen in, or null. Doomed slots do not count.
  struct idle_slot {
    slot* place = nullptr;
    slot_word seen;
  };
  idle_slot least_recently_used() const noexcept;

  /// Opening, open and closing resources. // I1
  std::size_t live() const noexcept;

  /// Calls `f(slot&)` for every slot, in the order in which they were made.
  template <class F>
  void for_each(F&& f) {
    auto* slots = &first_;
    std::size_t size = 1;
    const auto* next = &more_;
    for (;;) {
      for (std::size_t i = 0; i < size; ++i)
        f(slots[i]);
      auto* b = next->load(std::memory_order_acquire);
      if (b == nullptr)
        return;
      slots = b->slots.get();
      size = b->size;
      next = &b->next;
    }
  }

private:
  // Appended by the supervisor and read by everybody; each is twice as large as
  // the one before. The first slot is part of the shelf: most keys have one.
  struct block {
    // unreached: a slot whose constructor throws
    explicit block(std::size_t n) : size(n), slots(new slot[n]) {
    }

    const std::size_t size;
    const std::unique_ptr<slot[]> slots;
    atomic<block*> next{nullptr};
  };

  std::string key_;
  const lending_terms* terms_;
  shelf_keeper* keeper_;
  atomic<block*> more_{nullptr};
  slot first_;
};

} // namespace steward
