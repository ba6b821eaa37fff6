#pragma once

#include <steward/apps/bench/subject.hpp>
#include <steward/messages/caf.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace steward::bench {

class caf_directory;

/// What the actor of a key is asked for; answered by `per_key_grant`.
struct per_key_borrow {
  std::string params;
};

/// The same from a thread, which sleeps until the actor has filled this in.
struct per_key_reply {
  std::atomic<int> done{0};
  std::uint64_t slot = 0;
};

struct per_key_ask {
  std::string params;
  per_key_reply* reply;
};

struct per_key_grant {
  std::uint64_t slot;
};

struct per_key_return {
  std::uint64_t slot;
};

/// Close what is idle; nobody finds this actor any more.
struct per_key_retire {};

/// One actor of CAF per key, a message per operation: what one writes first.
/// Threads and actors find the actor of a key in a map in stripes, which also
/// keeps the keys in order of use, and send under the stripe's lock, so that
/// nothing is sent to an actor after it was told to retire. A full key evicts
/// its own least recently used idle slot, or lets the borrower wait its turn.
/// At the limit of all keys the least recently used key retires; what is on
/// its way may exceed it.
class caf_per_key {
public:
  static constexpr std::string_view name = "caf_per_key";

  /// The right to use a slot: goes back by a message.
  class lease {
  public:
    lease() = default;

    lease(caf::actor owner, std::uint64_t slot)
      : owner_(std::move(owner)), slot_(slot) {
    }

    lease(lease&&) = default;
    lease& operator=(lease&&) = delete;

    ~lease() {
      if (owner_)
        cafx::send_anon(owner_, per_key_return{slot_});
    }

    explicit operator bool() const noexcept {
      return static_cast<bool>(owner_);
    }

  private:
    caf::actor owner_;
    std::uint64_t slot_ = 0;
  };

  explicit caf_per_key(const limits& x);
  caf_per_key(const caf_per_key&) = delete;
  caf_per_key& operator=(const caf_per_key&) = delete;
  ~caf_per_key();

  lease borrow(std::string_view key, std::string_view params);

  template <class OnLease, class OnRefusal>
  void borrow(caf::event_based_actor* self, std::string_view key,
              std::string_view params, OnLease on_lease, OnRefusal on_refusal) {
    with_actor(key, [&](const caf::actor& to) {
      cafx::request(self, to, per_key_borrow{std::string{params}})
        .then(
          [to, on_lease](const per_key_grant& x) mutable {
            on_lease(lease{to, x.slot});
          },
          [on_refusal](const caf::error&) mutable { on_refusal(); });
    });
  }

  std::uint64_t opened() const noexcept;
  std::uint64_t open() const noexcept;
  void pass(std::chrono::seconds d);

  caf::actor_system& system() noexcept {
    return system_;
  }

private:
  struct configured : caf::actor_system_config {
    configured() {
      cafx::tune(*this);
    }
  };

  struct key_entry {
    caf::actor actor;
    std::int64_t used = 0;
    std::list<const std::string*>::iterator place;
  };

  struct text_hash {
    using is_transparent = void;

    // Not noexcept: then the map keeps the hash of each key.
    std::size_t operator()(std::string_view x) const {
      return std::hash<std::string_view>{}(x);
    }
  };

  struct alignas(128) stripe {
    std::mutex guard;
    std::unordered_map<std::string, key_entry, text_hash, std::equal_to<>> keys;
    std::list<const std::string*> by_use; // the most recently used comes last
  };

  // Calls `f(actor)` under the lock of the key's stripe.
  template <class F>
  void with_actor(std::string_view key, F f) {
    auto hash = std::hash<std::string_view>{}(key);
    auto& in = stripes_[(hash >> 40U) % stripe_count];
    std::lock_guard lock{in.guard};
    f(actor_of(in, key));
  }

  const caf::actor& actor_of(stripe& in, std::string_view key);
  void retire_first(stripe& in);
  std::int64_t now() const noexcept;

  static constexpr std::size_t stripe_count = 64;

  /// What the actors share.
  struct shared {
    std::size_t per_key;
    alignas(128) std::atomic<std::uint64_t> opened{0};
    alignas(128) std::atomic<std::uint64_t> open{0};
  };

  class key_actor;

  limits limits_;
  shared shared_;
  std::atomic<std::int64_t> manual_now_{0};
  configured config_;
  caf::actor_system system_{config_};
  std::unique_ptr<stripe[]> stripes_{new stripe[stripe_count]};
};

} // namespace steward::bench

STEWARD_MESSAGE(steward::bench::per_key_borrow)
STEWARD_MESSAGE(steward::bench::per_key_ask)
STEWARD_MESSAGE(steward::bench::per_key_grant)
STEWARD_MESSAGE(steward::bench::per_key_return)
STEWARD_MESSAGE(steward::bench::per_key_retire)
