#pragma once

#include <steward/apps/bench/subject.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <utility>

namespace steward::bench {

/// What a good programmer writes by hand: a hash map in stripes, each with a
/// mutex and an intrusive list of its idle slots, least recently used first. At
/// `per_key` the key's own least recently used slot makes room, else a borrower
/// waits its turn in a queue, and who gives back wakes that one thread. At
/// `total` the least recently used slot of the stripe makes room, then that of
/// another; with one stripe that is the least recently used of all.
class sharded_map {
  struct entry;
  struct stripe;

  // A resource. Its destructor is the close.
  struct slot {
    entry* owner = nullptr;
    std::string params;
    std::int64_t idle_since = 0;
    slot* older = nullptr; // in the stripe's list, while idle
    slot* newer = nullptr;
    slot* next = nullptr; // in the key's list
    bool idle = false;
  };

public:
  static constexpr std::string_view name = "sharded_map";

  /// The right to use a slot.
  class lease {
  public:
    lease() = default;

    lease(sharded_map* map, slot* what) noexcept : map_(map), what_(what) {
    }

    lease(lease&& x) noexcept
      : map_(x.map_), what_(std::exchange(x.what_, nullptr)) {
    }

    lease& operator=(lease&& x) noexcept {
      std::swap(map_, x.map_);
      std::swap(what_, x.what_);
      return *this;
    }

    ~lease() {
      if (what_ != nullptr)
        map_->give_back(what_);
    }

    explicit operator bool() const noexcept {
      return what_ != nullptr;
    }

  private:
    sharded_map* map_ = nullptr;
    slot* what_ = nullptr;
  };

  /// @param stripes a power of two
  explicit sharded_map(const limits& x, std::size_t stripes = 64);
  sharded_map(const sharded_map&) = delete;
  sharded_map& operator=(const sharded_map&) = delete;
  ~sharded_map();

  /// Waits while all slots of the key are in use; false where all keys together
  /// are at the limit and every slot is in use.
  lease borrow(std::string_view key, std::string_view params);

  std::uint64_t opened() const noexcept;

  std::uint64_t open() const noexcept {
    return open_.load(std::memory_order_relaxed);
  }

  /// Lets a thread of its own sweep what is due. @pre made with `manual_time`
  void pass(std::chrono::seconds d);

private:
  // Who waits for a slot.
  struct waiter {
    std::string_view params;
    std::atomic<int>* wake;
    slot* granted = nullptr;
    waiter* next = nullptr;
  };

  // One key.
  struct entry {
    stripe* home = nullptr;
    const std::string* key = nullptr;
    slot* slots = nullptr;
    std::size_t count = 0;
    waiter* first = nullptr;
    waiter* last = nullptr;
  };

  // A key whose hash is known.
  struct hashed {
    std::string_view text;
    std::size_t hash;
  };

  struct key_hash {
    using is_transparent = void;

    // Not noexcept: then the map keeps the hash of each key.
    std::size_t operator()(const std::string& x) const {
      return std::hash<std::string_view>{}(x);
    }

    std::size_t operator()(const hashed& x) const {
      return x.hash;
    }
  };

  struct key_equal {
    using is_transparent = void;

    bool operator()(const std::string& a, const std::string& b) const noexcept {
      return a == b;
    }

    bool operator()(const hashed& a, const std::string& b) const noexcept {
      return a.text == b;
    }

    bool operator()(const std::string& a, const hashed& b) const noexcept {
      return a == b.text;
    }
  };

  struct alignas(128) stripe {
    std::mutex guard;
    std::unordered_map<std::string, entry, key_hash, key_equal> keys;
    slot* oldest = nullptr;
    slot* newest = nullptr;
    std::uint64_t opened = 0;
  };

  std::int64_t now() const noexcept;
  static void link(stripe& in, slot* x) noexcept;
  static void unlink(stripe& in, slot* x) noexcept;
  static slot* find_idle(entry& of, std::string_view params) noexcept;
  static slot* least_recent(entry& of) noexcept;
  static entry& entry_of(stripe& in, const hashed& key);
  static slot* open_slot(stripe& in, entry& of, std::string_view params);
  static void close_slot(stripe& in, slot* x) noexcept;
  static void drop_if_empty(stripe& in, entry& x);
  slot* take(stripe& in, entry& of, std::string_view params) const;
  bool claim(stripe& in, const entry& for_whom) noexcept;
  bool claim_elsewhere(const stripe& not_in) noexcept;
  static slot* wait(entry& of, std::string_view params,
                    std::unique_lock<std::mutex>& lock);
  void give_back(slot* x);
  void sweep(stripe& in, std::int64_t due);
  void sweep_when_asked(const std::stop_token& end);

  limits limits_;
  std::size_t count_;
  std::unique_ptr<stripe[]> stripes_;
  alignas(128) std::atomic<std::uint64_t> open_{0};
  alignas(128) std::atomic<std::int64_t> manual_now_{0};
  std::atomic<int> asked_{0};
  std::atomic<int> swept_{0};
  std::jthread sweeper_; // in manual time only
};

/// The same behind one mutex: the least recently used is that of all.
class one_mutex : public sharded_map {
public:
  static constexpr std::string_view name = "one_mutex";

  explicit one_mutex(const limits& x) : sharded_map(x, 1) {
  }
};

} // namespace steward::bench
