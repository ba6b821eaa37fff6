#pragma once

#include <steward/core/atomic.hpp>
#include <steward/core/close_reason.hpp>
#include <steward/core/planted.hpp>
#include <steward/core/time.hpp>

#include <cassert>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace steward {

class shelf;

//                open_failed
//        ┌──────────────────────────┐
//        v                          │
//     closed ── begin_open ──> opening ── opened ──> open ──┐ borrow, give_back
//        ^                                             │ ^──┘ (users, by CAS)
//        │                                             │
//        └──── finish_close ──── closing <── try_take ─┘ only from 0 holders // I4
//                                   ^─────── revoke ───┘ only past a hard deadline
//
/// Where the resource of a slot stands.
enum class phase : std::uint8_t { closed, opening, open, closing };

/// The state of a slot that users and supervisor race for, as one word:
/// {phase, attention, holders, missed, generation}.
///
/// `attention` sends everybody to the supervisor: nobody borrows past it, and
/// who gives back hands the slot over in a message. `missed`: somebody looked for
/// an idle resource and wants to know when this one is. `generation` counts
/// borrows and opens, so that a word seen before a use never equals one seen
/// after it.
class slot_word {
public:
  static constexpr std::uint64_t holders_max = 8191;

  constexpr slot_word() = default;

  explicit constexpr slot_word(std::uint64_t raw) : raw_(raw) {
  }

  constexpr slot_word(phase p, bool attention, std::uint64_t holders,
                      std::uint64_t generation)
    : raw_(static_cast<std::uint64_t>(p) | (attention ? 4u : 0u) | holders << 3
           | generation << 17) {
  }

  constexpr std::uint64_t raw() const {
    return raw_;
  }

  constexpr phase in() const {
    return static_cast<phase>(raw_ & 3u);
  }

  constexpr bool attention() const {
    return (raw_ & 4u) != 0;
  }

  constexpr std::uint64_t holders() const {
    return (raw_ >> 3) & holders_max;
  }

  constexpr bool missed() const {
    return (raw_ & missed_bit) != 0;
  }

  constexpr std::uint64_t generation() const {
    return raw_ >> 17;
  }

  constexpr slot_word with(phase p) const {
    return slot_word{(raw_ & ~std::uint64_t{3})
                     | static_cast<std::uint64_t>(p)};
  }

  constexpr slot_word with_attention(bool on) const {
    return slot_word{on ? raw_ | 4u : raw_ & ~std::uint64_t{4}};
  }

  constexpr slot_word with_missed(bool on) const {
    return slot_word{on ? raw_ | missed_bit : raw_ & ~missed_bit};
  }

  constexpr slot_word one_more() const {
    return slot_word{raw_ + 8u + (std::uint64_t{1} << 17)};
  }

  constexpr slot_word one_less() const {
    return slot_word{raw_ - 8u};
  }

  friend constexpr bool operator==(slot_word, slot_word) = default;

private:
  static constexpr std::uint64_t missed_bit = std::uint64_t{1} << 16;

  std::uint64_t raw_ = 0;
};

/// A 64-bit digest of params, so that a borrower can compare them before it
/// holds the slot. Equal params have equal tags; the converse is checked later.
std::uint64_t tag_of(std::string_view params) noexcept;

/// The place of one resource. Users borrow and give back by compare-and-swap on
/// the word, from any thread; everything else is the supervisor's alone.
/// Small: most of what a million idle keys need is a million of these.
class slot {
public:
  slot() = default;
  slot(const slot&) = delete;
  slot& operator=(const slot&) = delete;

  // -- anybody ----------------------------------------------------------------

  slot_word word() const noexcept {
    return slot_word{word_.load(std::memory_order_acquire)};
  }

  /// When its last use ended; of an unused resource, when it was opened.
  time_point last_used() const noexcept {
    return time_point{duration{last_used_.load(std::memory_order_relaxed)}};
  }

  /// Numbers the resources of a pool in the order in which they were opened.
  std::uint64_t id() const noexcept {
    return id_.load(std::memory_order_relaxed);
  }

  std::uint64_t tag() const noexcept {
    return tag_.load(std::memory_order_relaxed);
  }

  /// Tells who holds it that it is missed; false if the word is not `seen` any
  /// more. @pre `seen` is open and held.
  bool try_miss(slot_word seen) noexcept {
    auto raw = seen.raw();
    return word_.compare_exchange_strong(raw, seen.with_missed(true).raw(),
                                         std::memory_order_acq_rel,
                                         std::memory_order_relaxed);
  }

  /// Takes one more hold if the word still is `seen`. @pre `seen` is open.
  bool try_hold(slot_word seen) noexcept {
    auto raw = seen.raw();
    return word_.compare_exchange_strong(raw, seen.one_more().raw(),
                                         std::memory_order_acquire,
                                         std::memory_order_relaxed);
  }

  // -- who holds it -----------------------------------------------------------

  /// What became of a hold that was given back.
  enum class given { back, missed, hand_over, revoked, revoked_last };

  /// Gives one hold back. `missed`: it would be idle and somebody must be told
  /// after that; the caller still holds it, and has to come again with `tells`.
  /// `hand_over`: the supervisor wants it, so the caller still holds it and must
  /// say so in a message. `revoked_last`: the resource was closed under its
  /// holders, of whom this was the last: call `forget`. Without `to_supervisor`
  /// it is never handed over.
  given give_back(time_point stamp, bool to_supervisor = true,
                  bool tells = false) noexcept;

  /// Lets go of what keeps a revoked slot's memory; `*this` may be gone after.
  void forget() noexcept {
    auto last_breath = std::move(keep_);
  }

  shelf& home() const noexcept {
    return *home_;
  }

  void* resource() const noexcept {
    return resource_;
  }

  std::string_view params() const noexcept {
    return params_ == nullptr ? std::string_view{} : *params_;
  }

  // -- the supervisor ---------------------------------------------------------

  void settle(shelf& home) noexcept {
    home_ = &home;
  }

  /// closed -> opening.
  void begin_open(std::uint64_t id, std::string_view params, time_point now);

  /// opening -> open, with so many holders from the start.
  void opened(void* resource, time_point now, std::uint64_t holders,
              bool attention) noexcept;

  /// opening -> closed.
  void open_failed() noexcept;

  /// {open, 0 holders} -> closing; false if somebody holds it, or used it since
  /// `seen` was read. // I4, I5
  bool try_take(slot_word seen) noexcept;

  /// open -> closing over the heads of its holders; how many there were. From
  /// now on `keep` keeps the memory for them. Only past a hard deadline. // I4
  std::uint64_t revoke(std::shared_ptr<void> keep) noexcept;

  /// closing -> closed. @pre not revoked.
  void finish_close() noexcept;

  void set_attention(bool on) noexcept;

  /// Drops a hold that was handed over; how many remain.
  std::uint64_t drop_hold() noexcept;

  time_point opened_at() const noexcept {
    return opened_at_;
  }

  /// Why it must be closed once nobody holds it, if it must.
  std::optional<close_reason> doom;

  /// An open that went on beyond its time: what it brings is closed.
  bool late = false;

private:
  // Sharers may give back out of order; the latest end counts.
  void used(time_point stamp) noexcept {
    auto at = stamp.time_since_epoch().count();
    auto seen = last_used_.load(std::memory_order_relaxed);
    // unreached: another one was quicker
    while (seen < at
           && !last_used_.compare_exchange_weak(seen, at,
                                                std::memory_order_relaxed)) {
      // `seen` is fresh.
    }
  }

  atomic<std::uint64_t> word_{0};
  atomic<std::int64_t> last_used_{0};
  atomic<std::uint64_t> id_{0};
  atomic<std::uint64_t> tag_{0};
  shelf* home_ = nullptr;
  void* resource_ = nullptr;
  time_point opened_at_{};
  std::unique_ptr<const std::string> params_; // null: empty, as most are
  std::unique_ptr<std::shared_ptr<void>> keep_;
};

inline slot::given slot::give_back(time_point stamp, bool to_supervisor,
                                   bool tells) noexcept {
  // Stamped before the word is released: who finds no holder finds the stamp.
  used(stamp);
  auto raw = word_.load(std::memory_order_relaxed);
  for (;;) {
    slot_word seen{raw};
    assert(seen.holders() > 0);
    // A waiter may be after it. Keeping the hold keeps the slot, its shelf and
    // its supervisor alive until the message has been sent.
    if (seen.in() == phase::open && seen.attention() && to_supervisor)
      return given::hand_over;
    auto next = seen.one_less();
    if (seen.in() == phase::open && seen.missed() && seen.holders() == 1) {
      if (!tells && !STEWARD_PLANTED(missed_forgotten))
        return given::missed;
      next = next.with_missed(false);
    }
    if (word_.compare_exchange_weak(raw, next.raw(), std::memory_order_acq_rel,
                                    std::memory_order_relaxed)) {
      if (seen.in() == phase::open)
        return given::back;
      return seen.holders() == 1 ? given::revoked_last : given::revoked;
    }
  }
}

} // namespace steward
