#pragma once

#include <steward/actors/key_entry.hpp>
#include <steward/actors/pool_context.hpp>
#include <steward/core/atomic.hpp>
#include <steward/core/hold.hpp>
#include <steward/runtime/mutex.hpp>

#include <array>
#include <chrono>
#include <functional>
#include <memory>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace steward {

/// Key -> shelf and supervisor: a set of entries striped by the key's hash. Data
/// and not an actor, which would cost each request a hop and be the bottleneck.
/// All functions: any thread. // I8
class directory final : public key_home {
public:
  /// Makes the supervisor of an entry; if told to wait, it does nothing before
  /// `begin`.
  using spawn_function
    = std::function<caf::actor(std::shared_ptr<key_entry>, bool waits)>;

  directory(std::shared_ptr<pool_context> pool, spawn_function spawn);
  ~directory() override;

  /// Borrows a free resource without a message; empty if the supervisor has to
  /// be asked.
  hold borrow(std::string_view key, std::string_view params) noexcept;

  bool with_supervisor(std::string_view key,
                       function_ref<void(const caf::actor&)> f) override;

  bool with_present(std::string_view key,
                    function_ref<void(const caf::actor&)> f) override;

  void wake(key_entry& who, caf::message what) override;
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
  struct hashed_key {
    std::string_view text;
    std::size_t hash;
  };

  using entry_ptr = std::shared_ptr<key_entry>;

  static hashed_key hashed(std::string_view key) noexcept {
    return {key, std::hash<std::string_view>{}(key)};
  }

  // Not `noexcept`: so the set keeps the hash of each entry beside it.
  struct hash_of {
    using is_transparent = void;

    std::size_t operator()(const hashed_key& x) const {
      return x.hash;
    }

    std::size_t operator()(const entry_ptr& x) const {
      return hashed(x->place.key()).hash;
    }
  };

  struct same_key {
    using is_transparent = void;

    bool operator()(const entry_ptr& a, const entry_ptr& b) const noexcept {
      return a == b || a->place.key() == b->place.key();
    }

    bool operator()(const hashed_key& a, const entry_ptr& b) const noexcept {
      return a.text == b->place.key();
    }
  };

  struct alignas(64) stripe {
    mutex guard;
    std::unordered_set<entry_ptr, hash_of, same_key> keys;
    bool closed = false;
  };

  static constexpr std::size_t stripe_count = 64;

  stripe& stripe_of(const hashed_key& key) noexcept;
  const entry_ptr& find_or_make(stripe& s, const hashed_key& key);
  bool rouse(key_entry& who);
  void put_to_bed(const entry_ptr& newly_awake);
  bool erase(stripe& s, key_entry& who);
  void one_less();

  std::shared_ptr<pool_context> pool_;
  spawn_function spawn_;
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
