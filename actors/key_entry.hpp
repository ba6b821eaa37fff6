#pragma once

#include <steward/actors/pool_context.hpp>
#include <steward/actors/relay.hpp>
#include <steward/core/atomic.hpp>
#include <steward/messages/acquire.hpp>
#include <steward/messages/recipient.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

namespace steward {

/// What the directory has of a key: its shelf, and who decides about it.
class key_entry final : public shelf_keeper,
                        public recipient,
                        public std::enable_shared_from_this<key_entry> {
public:
  key_entry(std::string key, std::shared_ptr<pool_context> context)
    : pool(std::move(context)), place(std::move(key), pool->terms, *this) {
  }

  key_entry(const key_entry&) = delete;
  key_entry& operator=(const key_entry&) = delete;

  ~key_entry() override {
    delete relay_.load(std::memory_order_relaxed);
  }

  // -- holders ----------------------------------------------------------------

  void hand_over(slot& s, bool healthy) noexcept override {
    if (auto* waiting = line();
        healthy && waiting != nullptr && waiting->pass_on(s))
      return; // this entry may be gone
    // The hold in the message keeps the slot, and so this entry. Should there be
    // no supervisor, as after a revocation, the hold drops itself.
    auto what = std::make_shared<hold>(&s);
    what->hand_over();
    auto message = caf::make_message(released{std::move(what), healthy});
    if (pool->lends_to == nullptr)
      return wake(std::move(message));
    cafx::lent_thread me{*pool->lends_to};
    if (auto home = pool->home.lock())
      home->wake(*this, std::move(message), &me);
    me.run(); // this entry may be gone after it
  }

  void idle_again(slot& s, function_ref<void()> end) noexcept override {
    auto self = shared_from_this();
    auto id = s.id();
    end();
    pool->budget->idle_again(id);
  }

  bool check(void* resource) noexcept override {
    return pool->opener->check(resource);
  }

  // -- clock, budget, workers -------------------------------------------------

  void wake(caf::message what) override {
    if (auto home = pool->home.lock())
      home->wake(*this, std::move(what), nullptr);
  }

  bool tell(caf::message what) override {
    auto home = pool->home.lock();
    return home == nullptr || home->tell(*this, std::move(what));
  }

  caf::actor caretaker() const override {
    return pool->caretaker;
  }

  // -- who waits --------------------------------------------------------------

  /// Null if nobody has ever waited.
  relay* line() const noexcept {
    return relay_.load(std::memory_order_acquire);
  }

  /// The supervisor's.
  relay& line_made() {
    if (line() == nullptr)
      relay_.store(new relay{on_the_way}, std::memory_order_release);
    return *line();
  }

  // -- its supervisor ---------------------------------------------------------

  /// A message that was counted is being handled.
  void arrived() noexcept {
    on_the_way.fetch_sub(1, std::memory_order_relaxed);
  }

  const std::shared_ptr<pool_context> pool;

  // Under the directory's lock.
  std::shared_ptr<key_entry> found_here; ///< itself, while it is found
  caf::actor supervisor;                 ///< null: asleep
  time_point armed_at = never; ///< while asleep: what the clock was told
  bool attended = false;       ///< by somebody else, while asleep

  /// Whether it is not in the directory any more.
  bool gone() const noexcept {
    return found_here == nullptr;
  }

  /// Messages that the supervisor has to handle before it may sleep or leave:
  /// counted up under the directory's lock, down by the supervisor. // I8
  atomic<std::uint32_t> on_the_way{0};

  shelf place;

private:
  atomic<relay*> relay_{nullptr}; // most keys do without
};

} // namespace steward
