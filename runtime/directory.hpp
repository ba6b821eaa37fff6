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
#include <unordered_map>

namespace steward {

/// Key -> shelf and supervisor: a map striped by the key's hash. Data and not
/// an actor, which would cost each request a hop and be the bottleneck. All
/// functions: any thread. // I8
class directory final : public key_home {
public:
  using spawn_function = std::function<caf::actor(std::shared_ptr<key_entry>)>;

  directory(std::shared_ptr<pool_context> pool, spawn_function spawn);
  ~directory() override;

  /// Borrows a free resource without a message; empty if the supervisor has to
  /// be asked.
  hold borrow(std::string_view key, std::string_view params) noexcept;

  bool
  with_supervisor(std::string_view key,
                  const std::function<void(const caf::actor&)>& f) override;

  bool with_present(std::string_view key,
                    const std::function<void(const caf::actor&)>& f) override;

  bool leave(key_entry& who) override;
  void ended(key_entry& who) override;

  /// From now on nobody is found and nobody is made. // I6
  void close();

  /// Calls `f` with every supervisor. @pre `close` was called.
  void for_each(const std::function<void(const caf::actor&)>& f);

  /// Waits until all supervisors have ended, for `patience` at most; whether
  /// they have.
  bool wait_empty(std::chrono::nanoseconds patience);

  std::size_t size() const noexcept {
    return size_.load(std::memory_order_relaxed);
  }

private:
  struct hashed_key {
    std::string_view text;
    std::size_t hash;

    friend bool operator==(const hashed_key& a, const hashed_key& b) noexcept {
      return a.text == b.text;
    }
  };

  struct known_hash {
    std::size_t operator()(const hashed_key& x) const noexcept {
      return x.hash;
    }
  };

  // The text of a key in the map is that of its entry.
  struct alignas(64) stripe {
    mutex guard;
    std::unordered_map<hashed_key, std::shared_ptr<key_entry>, known_hash> keys;
    bool closed = false;
  };

  static constexpr std::size_t stripe_count = 64;

  static hashed_key hashed(std::string_view key) noexcept;
  stripe& stripe_of(const hashed_key& key) noexcept;
  void one_less();

  std::shared_ptr<pool_context> pool_;
  spawn_function spawn_;
  std::array<stripe, stripe_count> stripes_;
  atomic<std::size_t> size_{0};
  mutex empty_guard_;
  condition_variable empty_;
};

} // namespace steward
