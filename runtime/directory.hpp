#pragma once

#include <steward/actors/key_entry.hpp>
#include <steward/actors/mutex.hpp>
#include <steward/actors/pool_context.hpp>
#include <steward/core/atomic.hpp>
#include <steward/core/hold.hpp>
#include <steward/runtime/epochs.hpp>
#include <steward/runtime/key_table.hpp>

#include <array>
#include <chrono>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

namespace steward {

/// Key -> shelf and supervisor: entries in tables striped by the key's hash. Data
/// and not an actor, which would cost each request a hop and be the bottleneck.
/// To borrow takes no lock; all else takes that of a stripe. All functions: any
/// thread. // I8
class directory final : public key_home {
public:
  /// Makes the supervisor of an entry; if told to wait, it does nothing before
  /// `begin`.
  using spawn_function
    = std::function<caf::actor(std::shared_ptr<key_entry>, bool waits)>;

  /// `garbage_max`: how many entries that left may wait to be destroyed.
  directory(std::shared_ptr<pool_context> pool, spawn_function spawn,
            std::size_t garbage_max = 256);
  ~directory() override;

  /// Borrows a free resource without a message; empty if the supervisor has to
  /// be asked.
  hold borrow(std::string_view key, std::string_view params) noexcept;

  /// Lets somebody wait behind all others whose turn it is not yet; see
  /// `relay::join`. False if the supervisor has to be asked.
  bool join(std::string_view key, std::string_view params, time_point deadline,
            function_ref<relay::sink()> make);

  bool with_supervisor(std::string_view key,
                       function_ref<void(const caf::actor&)> f) override;

  bool with_present(std::string_view key,
                    function_ref<void(const caf::actor&)> f) override;

  void wake(key_entry& who, caf::message what, cafx::lent_thread* by) override;
  bool tell(key_entry& who, caf::message what) override;
  found while_asleep(key_entry& who, function_ref<rest()> f) override;
  std::shared_ptr<key_entry> attend(std::string_view key) override;
  void attended(key_entry& who) override;
  bool sleep(key_entry& who) override;
  bool leave(key_entry& who) override;
  void ended(key_entry& who) override;

  bool closed() const noexcept override {
    return closed_.load(std::memory_order_relaxed);
  }

  /// From now on nobody is found and nobody is made. // I6
  void close();

  /// Sends to every supervisor that is awake, and returns the entries of those
  /// that sleep. @pre `close` was called.
  std::vector<std::shared_ptr<key_entry>> tell_all(const caf::message& what);

  /// Waits until all entries have left, for `patience` at most; whether they
  /// have.
  bool wait_empty(std::chrono::nanoseconds patience);

  std::size_t size() const noexcept {
    return size_.load(std::memory_order_relaxed);
  }

private:
  using entry_ptr = std::shared_ptr<key_entry>;

  struct hashed_key {
    std::string_view text;
    std::size_t hash;
  };

  static hashed_key hashed(std::string_view key) noexcept {
    return {key, std::hash<std::string_view>{}(key)};
  }

  struct alignas(64) stripe {
    key_table<key_entry> keys;
    alignas(64) mutex guard; // not on the line that who borrows reads
  };

  static constexpr std::size_t stripe_count = 64;

  stripe& stripe_of(const hashed_key& key) noexcept;

  stripe& stripe_of(const key_entry& who) noexcept {
    return stripe_of(hashed(who.place.key()));
  }

  static key_entry* find(const stripe& in, const hashed_key& key) noexcept;
  key_entry& find_or_make(stripe& in, const hashed_key& key);
  template <class F>
  void take_out(key_entry& who, F f);
  bool rouse(key_entry& who);
  void put_to_bed(const entry_ptr& newly_awake);
  entry_ptr erase(stripe& from, key_entry& who);
  void one_less(entry_ptr gone);

  std::shared_ptr<pool_context> pool_;
  spawn_function spawn_;
  epochs retired_; // what a borrower may have found
  std::array<stripe, stripe_count> stripes_;
  atomic<std::size_t> size_{0};
  atomic<bool> closed_{false};
  mutex empty_guard_;
  condition_variable empty_;

  // Those that woke last, so that no more than so many stay awake for nothing.
  mutex bed_guard_;
  std::vector<std::weak_ptr<key_entry>> awake_;
  std::size_t next_bed_ = 0;
};

} // namespace steward
